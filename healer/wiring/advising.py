"""What the cures are judged by, looked at once over the real Mac."""

from collections.abc import Mapping, Sequence
from typing import TypeVar

import anyio

from healer.model.cures import SetUp, Standing
from healer.model.machine import Forwarder
from healer.ports import PortError, VmEyes
from healer.probes.asking import ask, ask_both
from healer.probes.front import FrontParts, look_in_front
from healer.probes.setup import Check
from healer.probes.setup_checks import SetupChecks
from healer.settings import Settings
from healer.wiring.front import wanted_front
from healer.wiring.parts import Outside
from healer.wiring.setup import setup_wanted
from healer.wiring.tracing import outside_of

T = TypeVar("T")


async def standing(settings: Settings, environment: Mapping[str, str]) -> Standing:
    """Look at everything; what cannot be asked says why."""
    async with outside_of(settings, environment) as outside:
        return await _seen(outside, settings)


async def _seen(outside: Outside, settings: Settings) -> Standing:
    guest, container = await ask_both(outside.guest.facts, outside.engine.container)
    readiness, nodes = await ask_both(outside.cluster.readiness, outside.cluster.node)
    hostagent, machine = await ask_both(outside.vm.hostagent, outside.talos.machine_config)
    parts = FrontParts(outside.front, outside.host, outside.published, settings.services)
    wanted = wanted_front(settings)
    node = None if isinstance(nodes, PortError) else next(iter(nodes.items), None)
    known = None if isinstance(container, PortError) else container
    checks = SetupChecks(outside.setup, setup_wanted(settings), lambda: known, outside.talos)
    return Standing(
        guest=_or_why(guest),
        container=_or_why(container),
        readiness=_or_why(readiness),
        node=node or (str(nodes) if isinstance(nodes, PortError) else "there is no such node"),
        machine=_or_why(machine),
        hostagent=_or_why(hostagent),
        forwarder=_forwarder(outside.vm),
        restart_policy=settings.tower.restart_policy,
        memory=settings.tower.memory,
        front=await look_in_front(parts, wanted),
        wanted_front=wanted,
        setup=await _set_up(checks.all()),
    )


def _forwarder(vm: VmEyes) -> Forwarder | str:
    try:
        return vm.forwarder() or "colima.yaml: is not there; colima start writes it"
    except PortError as error:
        return str(error)


async def _set_up(checks: Sequence[Check]) -> tuple[SetUp, ...]:
    """All at once, so that deadlines do not add up."""
    found: dict[str, SetUp] = {}

    async def put(check: Check) -> None:
        said = await ask(check.ask)
        unseen = str(said) if isinstance(said, PortError) else ""
        found[check.name] = SetUp(check.name, () if isinstance(said, PortError) else said, unseen)

    async with anyio.create_task_group() as tasks:
        for one in checks:
            tasks.start_soon(put, one, name=f"set-up: {one.name}")
    return tuple(found[one.name] for one in checks)


def _or_why(said: T | PortError) -> T | str:
    return str(said) if isinstance(said, PortError) else said

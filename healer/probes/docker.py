"""Docker as the Mac reaches it, and where on the way to it the fault lies."""

from typing import Final

from healer.core.observation import Finding, Group, Observation, Sign, Subject
from healer.core.reasons import Reason
from healer.core.tower import Layer
from healer.model.machine import GuestFacts, Mux, MuxState, Unit
from healer.ports import (
    Denied,
    EngineEyes,
    ForwardEyes,
    GuestEyes,
    PortError,
    TargetIll,
    TargetSilent,
)
from healer.probes.asking import DOCKER_SOCKET, ENGINE_INSIDE, ask, ask_both, witness

SYSTEMD_TAKES: Final = 15.0
"""Seconds until a restart is thought of, from each look that finds systemd at work on it."""
BEHIND: Final = "docker.sock with the engine alive behind it"


class DockerProbe:
    """Looks at the Mac's docker.sock, and into the VM only when that does not answer."""

    layer = Layer.DOCKER

    def __init__(self, engine: EngineEyes, guest: GuestEyes, forward: ForwardEyes) -> None:
        self._engine = engine
        self._guest = guest
        self._forward = forward

    async def look(self) -> Observation:
        """Look once."""
        ping = await ask(self._engine.ping)
        signs = witness(ping, Subject.ENGINE, Group.MUX, DOCKER_SOCKET)
        if isinstance(ping, TargetIll):
            return await self._search(ping, signs)
        if isinstance(ping, PortError) and not isinstance(ping, Denied):
            return Observation(self.layer, unknown=str(ping))
        passed = witness(ping, Subject.FORWARD, Group.MUX, DOCKER_SOCKET)
        summary = "answers" if ping is None else str(ping)
        return Observation(self.layer, signs=(*signs, *passed), summary=summary)

    async def _search(self, ping: TargetIll, signs: tuple[Sign, ...]) -> Observation:
        """Three ways to lose docker.sock, told apart from inside the VM (facts/colima.md §4)."""
        facts, mux = await ask_both(self._guest.facts, self._forward.mux)
        if isinstance(facts, TargetIll | Denied):
            silent = Finding(Reason.DOCKER_SILENT, f"{ping}; in the VM: {facts}")
            return Observation(self.layer, (silent,), signs=signs)
        if isinstance(facts, PortError):
            return Observation(
                self.layer, unknown=f"{ping}; the VM was not asked: {facts}", signs=signs
            )
        signs = (
            *signs,
            Sign(Subject.ENGINE, Group.SSH, alive=facts.engine_answers, what=ENGINE_INSIDE),
        )
        if not facts.engine_answers:
            return Observation(self.layer, (_engine_down(ping, facts),), signs=signs)
        lost = _wedged(ping, mux) or Finding(
            Reason.DOCKER_FORWARD_DEAD, f"{ping}; the engine answers in the VM"
        )
        return Observation(self.layer, (lost,), signs=(*signs, *_forward_signs()))


def _forward_signs() -> tuple[Sign, ...]:
    """The Mac's end is dead, and ssh proves that it is not for want of an engine."""
    return (
        Sign(Subject.FORWARD, Group.MUX, alive=False, what=DOCKER_SOCKET),
        Sign(Subject.FORWARD, Group.SSH, alive=False, what=BEHIND),
    )


def _wedged(ping: TargetIll, mux: Mux | PortError) -> Finding | None:
    """A master that lives and passes nothing on.

    `-O check` also says that all is well of a master whose connection died in a sleep
    (facts/colima.md §3): then a silent docker.sock is the proof. A refused one is not, a
    master that lives can be told to forward it anew.
    """
    if isinstance(mux, PortError) or mux.state is MuxState.DEAD:
        return None
    if mux.state is MuxState.LIVE and not isinstance(ping, TargetSilent):
        return None
    evidence = f"{ping}; the engine answers in the VM; ssh master {mux.pid} is {mux.state}"
    return Finding(Reason.DOCKER_MUX_WEDGED, evidence, fingerprint=str(mux.pid))


def _engine_down(ping: TargetIll, facts: GuestFacts) -> Finding:
    unit = facts.docker
    return Finding(
        Reason.DOCKER_ENGINE_DOWN,
        f"{ping}; in the VM docker.service is {unit.active} ({unit.result})",
        ripe_in=SYSTEMD_TAKES if unit.changing else 0.0,
        waits_for=f"systemd: docker.service is {unit.active}" if unit.changing else "",
        human_ago=_stopped_by_hand(unit),
    )


def _stopped_by_hand(unit: Unit) -> float | None:
    """`inactive` with `success` is somebody's hot edit; `failed` is ill (design §10)."""
    if (unit.active, unit.result) != ("inactive", "success"):
        return None
    return 0.0 if unit.inactive_for is None else unit.inactive_for

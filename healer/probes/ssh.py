"""The way into the VM by direct ssh, and what it tells of the VM's health."""

from collections.abc import Sequence
from typing import Final

from healer.core.observation import Component, Finding, Observation, Sign
from healer.core.reasons import Reason
from healer.core.tower import Layer
from healer.model.identity import Ours
from healer.model.machine import GuestFacts, ProcessInfo
from healer.ports import Denied, GuestEyes, HostEyes, PortError, TargetIll, VmEyes
from healer.probes.asking import (
    API_BY_SSH,
    API_INSIDE,
    BANNER,
    BY_SSH,
    ENGINE_BY_SSH,
    ENGINE_INSIDE,
    GUEST,
    USERNET,
    ask,
    ask_both,
    witness,
)

SKEW: Final = 5.0
"""Seconds between the two clocks that hurt TLS, tokens and etcd (design §3)."""

USERNETS: Final = 2
"""More `limactl usernet` processes of one Lima root than these are a leak: one serves, and one
may outlive a forced stop."""

_USERNET_ADVICE: Final = (
    "usernet is the VM's network card, and a running VM gets no other: when nothing in the VM is "
    "needed any more, colima stop --force && colima start"
)


class SshProbe:
    """Looks into the VM past Lima's mux."""

    layer = Layer.SSH

    def __init__(self, guest: GuestEyes, host: HostEyes, vm: VmEyes, ours: Ours) -> None:
        self._guest = guest
        self._host = host
        self._vm = vm
        self._ours = ours

    async def look(self) -> Observation:
        """Look once; the banner is asked only when the round trip failed."""
        facts = await ask(self._guest.facts)
        if isinstance(facts, TargetIll | Denied):
            return await self._unreachable(facts)
        if isinstance(facts, PortError):
            return Observation(self.layer, unknown=str(facts))
        return Observation(
            self.layer,
            (*_skew(facts), *_disks(facts), *await self._usernets()),
            signs=_signs(facts),
            uptime=facts.uptime,
            summary=f"up {facts.uptime:.0f} s, {_fullest(facts)}",
        )

    async def _unreachable(self, failure: TargetIll | Denied) -> Observation:
        """usernet is asked by its own socket, since its death alone silences every ssh."""
        banner, usernet = await ask_both(self._guest.banner, self._vm.usernet)
        said = banner if isinstance(banner, str) else "no banner"
        evidence, advice = f"{failure}; {said}", ""
        if isinstance(usernet, TargetIll):
            evidence, advice = f"{evidence}; {usernet}", _USERNET_ADVICE
        return Observation(
            self.layer,
            (Finding(Reason.SSH_UNREACHABLE, evidence, advice=advice),),
            signs=(
                *witness(failure, BY_SSH, GUEST),
                *witness(banner, BY_SSH, BANNER),
                *witness(usernet, frozenset({Component.USERNET}), USERNET),
            ),
        )

    async def _usernets(self) -> tuple[Finding, ...]:
        processes = await ask(self._host.processes)
        if isinstance(processes, PortError):
            return ()
        return _leak([one for one in processes if self._ours.is_usernet(one)])


def _signs(facts: GuestFacts) -> tuple[Sign, ...]:
    signs = (
        Sign(GUEST, BY_SSH, alive=True),
        Sign(ENGINE_INSIDE, ENGINE_BY_SSH, alive=facts.engine_answers),
    )
    if facts.api_answers is None:
        return signs
    return (*signs, Sign(API_INSIDE, API_BY_SSH, alive=facts.api_answers))


def _skew(facts: GuestFacts) -> tuple[Finding, ...]:
    ahead = facts.clock - facts.asked_at
    if abs(ahead) <= SKEW:
        return ()
    where = "ahead of" if ahead > 0 else "behind"
    evidence = f"the VM's clock is {abs(ahead):.1f} s {where} the Mac's"
    return (Finding(Reason.CLOCK_SKEW, evidence),)


def _disks(facts: GuestFacts) -> tuple[Finding, ...]:
    """One for each file system: what fills Docker's and what fills the root's is not the same."""
    return tuple(
        Finding(Reason.VM_DISK, f"in the VM {one}", target=one.device)
        for one in facts.disks
        if one.is_full
    )


def _fullest(facts: GuestFacts) -> str:
    if not facts.disks:
        return "disks not seen"
    one = max(facts.disks, key=lambda disk: disk.used)
    return f"fullest disk {one.used:.0%} ({one.paths[0]})"


def _leak(usernets: Sequence[ProcessInfo]) -> tuple[Finding, ...]:
    if len(usernets) <= USERNETS:
        return ()
    pids = ", ".join(str(one.pid) for one in sorted(usernets, key=lambda one: one.age))
    return (
        Finding(
            Reason.USERNET_LEAK,
            f"{len(usernets)} limactl usernet processes, youngest first: {pids}",
            advice="the pid in _lima/_networks/user-v2/usernet_user-v2.pid serves the VM; "
            "end the others of these by PID",
        ),
    )

"""The way into the VM by direct ssh, and what it tells of the VM's health."""

from collections.abc import Sequence
from typing import Final

from healer.core.observation import Finding, Group, Observation, Sign, Subject
from healer.core.reasons import Reason
from healer.core.tower import Layer
from healer.model.identity import Ours
from healer.model.machine import GuestFacts, ProcessInfo
from healer.ports import Denied, GuestEyes, HostEyes, PortError, TargetIll
from healer.probes.asking import API_INSIDE, BANNER, ENGINE_INSIDE, GUEST, ask, witness

SKEW: Final = 5.0
"""Seconds between the two clocks that hurt TLS, tokens and etcd (design §3)."""

USERNETS: Final = 2
"""More `limactl usernet` processes of one Lima root than these are a leak: one serves, and one
may outlive a forced stop."""


class SshProbe:
    """Looks into the VM past Lima's mux."""

    layer = Layer.SSH

    def __init__(self, guest: GuestEyes, host: HostEyes, ours: Ours) -> None:
        self._guest = guest
        self._host = host
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
        banner = await ask(self._guest.banner)
        said = banner if isinstance(banner, str) else "no banner"
        return Observation(
            self.layer,
            (Finding(Reason.SSH_UNREACHABLE, f"{failure}; {said}"),),
            signs=(
                *witness(failure, Subject.MACHINE, Group.SSH, GUEST),
                *witness(banner, Subject.MACHINE, Group.SSH, BANNER),
            ),
        )

    async def _usernets(self) -> tuple[Finding, ...]:
        processes = await ask(self._host.processes)
        if isinstance(processes, PortError):
            return ()
        return _leak([one for one in processes if self._ours.is_usernet(one)])


def _signs(facts: GuestFacts) -> tuple[Sign, ...]:
    signs = (
        Sign(Subject.MACHINE, Group.SSH, alive=True, what=GUEST),
        Sign(Subject.ENGINE, Group.SSH, alive=facts.engine_answers, what=ENGINE_INSIDE),
    )
    if facts.api_answers is None:
        return signs
    return (*signs, Sign(Subject.API, Group.SSH, alive=facts.api_answers, what=API_INSIDE))


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

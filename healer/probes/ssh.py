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

DISK: Final = 0.80
"""Used share of the VM's disk from which pods get evicted soon (R15)."""

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
            (*_skew(facts), *_disk(facts), *await self._usernets()),
            signs=_signs(facts),
            uptime=facts.uptime,
            summary=f"up {facts.uptime:.0f} s, disk {facts.disk_used:.0%}",
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


def _disk(facts: GuestFacts) -> tuple[Finding, ...]:
    if facts.disk_used <= DISK:
        return ()
    return (Finding(Reason.VM_DISK, f"the VM's root disk is {facts.disk_used:.0%} full"),)


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

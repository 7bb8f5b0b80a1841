"""Colima and the VM's power: running, stopped, broken, missing, or running and dead inside."""

from dataclasses import dataclass
from typing import Final, Literal, assert_never

from healer.core.observation import Component, Finding, Observation, Sign
from healer.core.reasons import Reason
from healer.core.tower import Layer
from healer.model.machine import Ending, Hostagent, VmStatus
from healer.ports import (
    Denied,
    EngineEyes,
    GuestEyes,
    HostEyes,
    PortError,
    TargetIll,
    TargetSilent,
    VmEyes,
)
from healer.probes.ages import VM_LOG, VM_PROCESS, VM_READY, Ages
from healer.probes.asking import (
    BANNER,
    BY_MUX,
    BY_SSH,
    DOCKER_SOCKET,
    DRIVER,
    HOSTAGENT,
    USERNET,
    ask,
    ask_both,
    witness,
)

BOOT: Final = 180.0
"""Seconds for which a silent guest may still be booting: 10 to 30 s are usual and 149 s were
seen under emulation (facts/colima.md §1.5, §8). A `colima start` that is still at work makes
healer yield however long it takes."""

CRASHED: Final = frozenset(
    {"ha.pid", "ha.sock", "ssh.sock", "qmp.sock", "serial.sock", "serialv.sock"}
)
"""A stop removes these, and so does `colima stop --force`: one that is left behind shows that
nobody stopped the VM. docker.sock shows nothing: it outlives a forced stop, and a stop after the
ssh master that made it had died."""

Resting = Literal[VmStatus.STOPPED, VmStatus.BROKEN, VmStatus.MISSING]
"""Colima's words for a VM that does not run."""


@dataclass(frozen=True, slots=True)
class _Life:
    """What ssh and docker.sock answered."""

    banner: str | PortError
    ping: PortError | None

    @property
    def dead(self) -> bool:
        return isinstance(self.banner, TargetIll) and isinstance(self.ping, TargetIll)

    @property
    def answer(self) -> str:
        """Which of them answers; '' when none does."""
        if isinstance(self.banner, str | Denied):
            return "ssh"
        return "docker.sock" if self.ping is None or isinstance(self.ping, Denied) else ""

    @property
    def signs(self) -> tuple[Sign, ...]:
        return (
            *witness(self.banner, BY_SSH, BANNER),
            *witness(self.ping, BY_MUX, DOCKER_SOCKET),
        )


class ColimaProbe:
    """Looks at the VM's power, cheapest first."""

    layer = Layer.COLIMA

    def __init__(
        self, vm: VmEyes, guest: GuestEyes, engine: EngineEyes, host: HostEyes, ages: Ages
    ) -> None:
        self._vm = vm
        self._guest = guest
        self._engine = engine
        self._host = host
        self._ages = ages

    async def look(self) -> Observation:
        """Look once.

        A hostagent of ours that answers is Lima's own definition of Running (facts/colima.md
        §1.2), so `colima list` is worth its price only when something looks wrong.
        """
        agent = await ask(self._vm.hostagent)
        if isinstance(agent, PortError):
            return Observation(self.layer, unknown=str(agent))
        stopped = self._stopped_ago(agent)
        self._started_ago(agent)
        self._ready_ago(agent)
        if agent.pid_alive and agent.pid_is_ours and agent.answers:
            return await self._running(agent, stopped)
        status = await ask(self._vm.status)
        if status is VmStatus.RUNNING:
            return await self._running(agent, stopped)
        lives = agent.pid_alive and agent.pid_is_ours
        if isinstance(status, PortError) and agent.created and not lives:
            return await self._unreadable(agent, status, stopped)
        if status is VmStatus.BROKEN and agent.created:
            return await self._broken(agent, stopped)
        return _at_rest(agent, status, stopped)

    async def _unreadable(self, agent: Hostagent, status: PortError, stopped: float) -> Observation:
        """Whether Colima would say Stopped or Broken is not known; that the VM is dead, is."""
        life = _Life(*await ask_both(self._guest.banner, self._engine.ping))
        if life.answer or not isinstance(life.ping, TargetIll):
            return _at_rest(agent, status, stopped, life.signs)
        evidence = f"no hostagent lives, {life.ping}; and Colima's list cannot be read: {status}"
        found = Finding(Reason.COLIMA_UNREADABLE, evidence)
        signs = (*life.signs, *_process_signs(agent))
        return Observation(self.layer, (found,), signs=signs)

    def _stopped_ago(self, agent: Hostagent) -> float:
        """Seconds since the hostagent last wrote a log; inf = before the Mac's boot, or never.

        Asked at each look: the last one before the stop bounds how long ago it can be.
        """
        if agent.logged_at is None:
            return float("inf")
        try:
            booted = self._host.boot_time()
        except PortError:
            booted = None
        # The log of a VM that runs is written all the time: the next healer needs no such age.
        return self._ages.since(VM_LOG, agent.logged_at, booted, keep=not agent.answers)

    def _started_ago(self, agent: Hostagent) -> float:
        """Seconds since this hostagent was first seen; inf = it was there at the first look."""
        return self._ages.age(VM_PROCESS, str(agent.pid), float("inf"), keep=False)

    def _ready_ago(self, agent: Hostagent) -> float | None:
        """Seconds since Lima's boot of the VM was over; None while it is not, or if unknown."""
        phase = f"{agent.pid} {agent.ready}"
        age = self._ages.age(VM_READY, phase, float("inf"), keep=False)
        return age if agent.ready and age < float("inf") else None

    async def _broken(self, agent: Hostagent, stopped: float) -> Observation:
        """Broken is Lima's word for a hostagent that is gone, whatever the guest does."""
        life = _Life(*await ask_both(self._guest.banner, self._engine.ping))
        if not life.answer:
            return _at_rest(agent, VmStatus.BROKEN, stopped, life.signs)
        signs = (*life.signs, *_process_signs(agent))
        silent = Finding(Reason.HOSTAGENT_SILENT, f"{_said_broken(agent)}; {life.answer} answers")
        return Observation(self.layer, (silent,), signs=signs, summary="lives, its hostagent not")

    async def _running(self, agent: Hostagent, stopped: float) -> Observation:
        life = _Life(*await ask_both(self._guest.banner, self._engine.ping))
        if not life.dead:
            ready = self._ready_ago(agent)
            return Observation(self.layer, signs=life.signs, uptime=ready, summary="Running")
        if await self._booting(agent):
            booting = "Running, still booting"
            return Observation(self.layer, signs=life.signs, uptime=0.0, summary=booting)
        status = await ask(self._vm.status)
        # With network.address on, `list` itself hangs on a hung guest (facts/colima.md §1.4).
        if status is VmStatus.RUNNING or (isinstance(status, TargetSilent) and agent.answers):
            usernet = await ask(self._vm.usernet)
            signs = (*life.signs, *witness(usernet, frozenset({Component.USERNET}), USERNET))
            return Observation(self.layer, (_zombie(agent, life, usernet),), signs=signs)
        return _at_rest(agent, status, stopped, life.signs)

    async def _booting(self, agent: Hostagent) -> bool:
        """Lima's boot is not over and the hostagent is young, or its age is not known."""
        if agent.ready:
            return False
        seen = self._started_ago(agent)
        if seen < float("inf"):
            return seen <= BOOT
        processes = await ask(self._host.processes)
        if isinstance(processes, PortError):
            return True
        return not any(one.pid == agent.pid and one.age > BOOT for one in processes)


def _zombie(agent: Hostagent, life: _Life, usernet: PortError | None) -> Finding:
    """usernet is named when it is dead: it alone silences both, and its VM may live."""
    cut_off = f"; {usernet}" if isinstance(usernet, TargetIll) else ""
    return Finding(
        Reason.COLIMA_ZOMBIE,
        f"Colima says Running, but {life.banner}; {life.ping}{cut_off}",
        fingerprint=str(agent.pid),
    )


def _at_rest(
    agent: Hostagent, status: Resting | PortError, stopped: float, signs: tuple[Sign, ...] = ()
) -> Observation:
    """Judge a VM that does not run, by Colima's own word for it."""
    signs = (*signs, *_process_signs(agent))
    if isinstance(status, PortError):
        return Observation(Layer.COLIMA, unknown=str(status), signs=signs)
    if status is VmStatus.STOPPED and agent.pid_alive and agent.pid_is_ours:
        # `Stopped` is shown for the first seconds of a boot too (facts/colima.md §8).
        between = f"Colima says Stopped while hostagent {agent.pid} lives: between two states"
        return Observation(Layer.COLIMA, unknown=between, signs=signs)
    return Observation(Layer.COLIMA, _ill(agent, status, stopped), signs=signs)


def _ill(agent: Hostagent, status: Resting, stopped: float) -> tuple[Finding, ...]:
    if not agent.created or status is VmStatus.MISSING:
        return (_missing(status),)
    match status:
        case VmStatus.STOPPED:
            return (_stopped(agent, stopped), *_locked(agent))
        case VmStatus.BROKEN:
            return (_broken(agent),)
        case _:
            assert_never(status)


def _process_signs(agent: Hostagent) -> tuple[Sign, ...]:
    """What the Mac's own processes say: nothing of a guest, which may hang in a living driver."""
    if not agent.created:
        return ()
    own = (Sign(HOSTAGENT, frozenset({Component.HOSTAGENT}), alive=agent.answers),)
    if agent.driver_alive is None:
        return own
    return (*own, Sign(DRIVER, frozenset({Component.DRIVER}), alive=agent.driver_alive))


def _stopped(agent: Hostagent, ago: float) -> Finding:
    """A stop in this boot is a human's until patience ends, unless a crash is proved."""
    crash = _crash(agent)
    human_ago = None if crash or ago == float("inf") else ago
    if crash:
        how = f"not stopped by anybody: {crash}"
    elif human_ago is None:
        how = "not started since the Mac booted"
    else:
        how = f"stopped {ago:.0f} s ago"
    return Finding(Reason.COLIMA_STOPPED, f"Colima says Stopped; {how}", human_ago=human_ago)


def _crash(agent: Hostagent) -> str:
    """What proves that the VM ended by itself: the hostagent's own words first; '' = nothing."""
    match agent.ending:
        case Ending.CRASHED:
            return "the hostagent wrote that its driver stopped"
        case Ending.TOLD:
            return ""
        case Ending.UNKNOWN:
            left = sorted(CRASHED.intersection(agent.leftovers))
            return f"{', '.join(left)} left behind" if left else ""
        case _:
            assert_never(agent.ending)


def _locked(agent: Hostagent) -> tuple[Finding, ...]:
    """Beside `stopped` and after it: since Lima 2.1.1 a start clears it (facts/colima.md §5)."""
    if not agent.disk_locked_by:
        return ()
    evidence = f"the data disk is marked in use by {agent.disk_locked_by}, and no VM runs"
    return (Finding(Reason.COLIMA_DISK_LOCKED, evidence),)


def _broken(agent: Hostagent) -> Finding:
    return Finding(Reason.COLIMA_BROKEN, _said_broken(agent), fingerprint=str(agent.pid))


def _said_broken(agent: Hostagent) -> str:
    if agent.pid is None:
        who = "no ha.pid"
    elif not agent.pid_alive:
        who = f"ha.pid {agent.pid} is dead"
    else:
        whose = "a hostagent" if agent.pid_is_ours else "a stranger's process"
        stale = ", and ha.pid is older than the boot" if agent.pid_file_stale else ""
        who = f"ha.pid {agent.pid} is {whose}{stale}"
    answer = "answers" if agent.answers else "does not answer"
    return f"Colima says Broken; {who}; ha.sock {answer}"


def _missing(status: VmStatus) -> Finding:
    if status is VmStatus.MISSING:
        return Finding(Reason.COLIMA_MISSING, "colima list shows no such VM")
    return Finding(Reason.COLIMA_MISSING, f"Colima says {status}, and lima.yaml is not there")

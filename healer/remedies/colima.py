"""The VM's power: start, stop and start, force-stop and start, and its stale files."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import anyio

from healer.core.facts import Act
from healer.core.ladders import Remedy
from healer.core.reasons import Reason
from healer.core.tower import Layer
from healer.model.machine import VmStatus
from healer.model.operations import Foreign
from healer.model.published import HOST_ONLY, PublishedService
from healer.ports import (
    ActFailed,
    CannotLook,
    Clock,
    ClusterEyes,
    Conflict,
    Denied,
    EngineEyes,
    GuestEyes,
    HostEyes,
    PortError,
    PortEyes,
    TargetIll,
    TargetSilent,
    VmEyes,
    VmHands,
    WrongAnswer,
)

PAUSE: Final = 5.0
"""Seconds between stop and start, as in the ladder of facts/colima.md §6, L3 and L4."""

SETTLED_AFTER: Final = 10
"""Looks, a second apart, in which `list` must say Stopped after a force-stop (the same, L4)."""


class Others:
    """Who else is at work on the VM: there is no lock but courtesy (facts/colima.md §1.5)."""

    def __init__(self, host: HostEyes, foreign: Foreign) -> None:
        self._host = host
        self._foreign = foreign

    async def at_work(self) -> str:
        """Somebody else's start or stop of a VM, in words; '' when there is none."""
        processes = await self._host.processes()
        for one in self._foreign(processes):
            if one.layer is Layer.COLIMA:
                return f"`{one.command}` (pid {one.pid}) is at work, not ours"
        return ""


class AnsweringPort:
    """The published ports as signs of life, each asked in its protocol."""

    def __init__(self, ports: PortEyes, published: Sequence[PublishedService]) -> None:
        self._ports = ports
        self._asked = [
            one for one in published if one.proves_life and one.host_port not in HOST_ONLY
        ]

    async def sign(self) -> str:
        """The first that answers, in words; '' when all are silent. Raises CannotLook."""
        said: dict[int, str | PortError] = {}

        async def ask(one: PublishedService) -> None:
            try:
                said[one.host_port] = await self._heard(one)
            except PortError as error:
                said[one.host_port] = error

        async with anyio.create_task_group() as tasks:
            for one in self._asked:
                tasks.start_soon(ask, one, name=f"port {one.host_port}")
        answers = [said[port] for port in sorted(said)]
        for answer in answers:
            if answer and isinstance(answer, str):
                return answer
        for answer in answers:
            if isinstance(answer, PortError):
                raise answer
        return ""

    async def _heard(self, one: PublishedService) -> str:
        port = one.host_port
        try:
            await self._ports.speak(port, one.protocol, one.path, one.expect)
        except (WrongAnswer, Denied):
            pass
        except TargetIll:
            return ""
        try:
            stranger = not await self._ports.listener_is_ours(port)
        except PortError:
            stranger = False
        return "" if stranger else f"port {port} answers"


class Life:
    """Who could prove that the VM lives, asked once more just before its power is cut (I6)."""

    def __init__(
        self,
        vm: VmEyes,
        guest: GuestEyes,
        engine: EngineEyes,
        cluster: ClusterEyes,
        ports: AnsweringPort,
    ) -> None:
        self._vm = vm
        self._guest = guest
        self._engine = engine
        self._cluster = cluster
        self._ports = ports

    async def sign(self) -> str:
        """The first sign of life, in words; '' when all are dead.

        Raises CannotLook when one of them could not be asked: that proves no death.
        """
        return (
            await self._of_guest()
            or await _answer("docker.sock", self._engine.ping)
            or await self._ports.sign()
            or await self._of_api()
        )

    async def _of_guest(self) -> str:
        """Without a driver there is no guest, and nobody knows a port at which to ask it."""
        try:
            return await _answer("ssh", self._guest.banner)
        except CannotLook:
            if (await self._vm.hostagent()).driver_alive is False:
                return ""
            raise

    async def _of_api(self) -> str:
        """The API is a witness to have, not one to wait for: it may have no kubeconfig."""
        try:
            return await _answer("the Kubernetes API", self._cluster.readiness)
        except CannotLook:
            return ""


async def _answer(name: str, ask: Callable[[], Awaitable[object]]) -> str:
    try:
        await ask()
    except TargetIll:
        return ""
    except Denied as refused:
        return f"{name} answers: {refused}"
    return f"{name} answers"


class StartVm:
    """`colima start` of a VM that is stopped."""

    remedy = Remedy.START_VM

    def __init__(self, vm: VmEyes, hands: VmHands, others: Others) -> None:
        self._vm = vm
        self._hands = hands
        self._others = others

    async def needed(self, act: Act) -> str:
        """'' when the VM was made once, is stopped, and nobody else sees to it."""
        del act
        agent = await self._vm.hostagent()
        if not agent.created:
            return "the VM was never created, and healer never creates one"
        status = await self._vm.status()
        if status is not VmStatus.STOPPED:
            return f"Colima says {status}"
        if agent.pid_alive and agent.pid_is_ours:
            return f"hostagent {agent.pid} lives: it is starting or stopping"
        return await self._others.at_work()

    async def act(self, act: Act) -> str:
        """Start it."""
        return await self._hands.start(act)


class CycleVm:
    """`colima stop`, proof that it is stopped, `colima start`."""

    remedy = Remedy.CYCLE_VM

    def __init__(
        self, vm: VmEyes, hands: VmHands, others: Others, life: Life, clock: Clock
    ) -> None:
        self._vm = vm
        self._hands = hands
        self._others = others
        self._life = life
        self._clock = clock

    async def needed(self, act: Act) -> str:
        """'' while it claims to run and everybody who could prove its life is silent."""
        del act
        status = await _status(self._vm)
        if status is not VmStatus.RUNNING:
            # A stop does nothing to a Broken VM and says 0 (facts/colima.md §1.6).
            return f"Colima says {status}: `colima stop` is not the remedy"
        return await self._others.at_work() or await self._life.sign()

    async def act(self, act: Act) -> str:
        """Stop and start it. A stop that left it running raises ActFailed, and nothing starts."""
        stopped = await self._hands.stop(act)
        status = await self._vm.status()
        if status is not VmStatus.STOPPED:
            raise ActFailed("colima stop", f"Colima says {status} after it: {stopped}")
        await self._clock.sleep(PAUSE)
        return f"{stopped}; {await self._hands.start(act)}"


class ForceCycleVm:
    """The power cut: `stop --force` of a VM that is dead inside, and `colima start`."""

    remedy = Remedy.FORCE_CYCLE_VM

    def __init__(
        self, vm: VmEyes, hands: VmHands, others: Others, life: Life, clock: Clock
    ) -> None:
        self._vm = vm
        self._hands = hands
        self._others = others
        self._life = life
        self._clock = clock

    async def needed(self, act: Act) -> str:
        """'' while it is Broken or claims to run, is ours, and shows no sign of life."""
        agent = await self._vm.hostagent()
        if agent.pid_alive and not agent.pid_is_ours:
            return f"ha.pid {agent.pid} is a stranger's process, which a force-stop would kill"
        status = await _status(self._vm)
        if status in {VmStatus.STOPPED, VmStatus.MISSING}:
            return f"Colima says {status}: there is nothing to force"
        if act.reason is Reason.COLIMA_BROKEN and status is VmStatus.RUNNING:
            return "Colima says Running again"
        return await self._others.at_work() or await self._life.sign()

    async def act(self, act: Act) -> str:
        """Force-stop and start it. Raises Conflict when a sign of life came in between."""
        life = await self._life.sign()
        if life:
            raise Conflict("colima stop --force", f"not done: {life}")
        stopped = await self._hands.force_stop(act)
        await self._await_stopped(stopped)
        await self._clock.sleep(PAUSE)
        return f"{stopped}; {await self._hands.start(act)}"

    async def _await_stopped(self, said: str) -> None:
        status = await self._vm.status()
        for _ in range(SETTLED_AFTER):
            if status is VmStatus.STOPPED:
                return
            await self._clock.sleep(1.0)
            status = await self._vm.status()
        raise ActFailed("colima stop --force", f"Colima says {status} after it: {said}")


class CleanStaleFiles:
    """Pid files and sockets of an earlier boot, which make Colima say Broken for ever."""

    remedy = Remedy.CLEAN_STALE_FILES

    def __init__(self, vm: VmEyes, hands: VmHands) -> None:
        self._vm = vm
        self._hands = hands

    async def needed(self, act: Act) -> str:
        """'' while it is Broken; the proof of staleness belongs to `act`.

        A run that finds nothing proven stale is a try that did not help, so that the ladder
        goes on to its next rung.
        """
        del act
        status = await self._vm.status()
        return "" if status is VmStatus.BROKEN else f"Colima says {status}"

    async def act(self, act: Act) -> str:
        """Remove what is proven older than the boot; say so when nothing is."""
        del act
        agent = await self._vm.hostagent()
        if agent.answers or not agent.pid_file_stale:
            return "left alone: ha.pid is not proven to be older than the boot"
        return await self._hands.remove_stale_files()


async def _status(vm: VmEyes) -> VmStatus:
    """Colima's word; a `list` that hangs on a hung guest counts as Running.

    With network.address on it asks the guest (facts/colima.md §1.4); the hostagent's answer
    then stands for it.
    """
    try:
        return await vm.status()
    except TargetSilent:
        if (await vm.hostagent()).answers:
            return VmStatus.RUNNING
        raise

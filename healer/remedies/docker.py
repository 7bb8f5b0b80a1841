"""The way to Docker: forwards made anew, a wedged master ended, the engine restarted."""

from collections.abc import Collection
from typing import Final

import anyio

from healer.core.facts import Act
from healer.core.ladders import Remedy
from healer.core.reasons import Reason
from healer.model.container import Container, PortBinding
from healer.model.machine import Forwarder, MuxState
from healer.ports import (
    Denied,
    EngineEyes,
    ForwardEyes,
    ForwardHands,
    GuestEyes,
    GuestHands,
    NotThere,
    PortError,
    PortEyes,
    TargetIll,
    TargetSilent,
    VmEyes,
)

_LOOPBACK: Final = frozenset({"127.0.0.1", "::1"})
_SSH: Final = 22
"""Never forwarded by Lima either (facts/colima.md §4)."""


class Forwards:
    """What Lima's mux should carry, and does not."""

    def __init__(
        self,
        engine: EngineEyes,
        vm: VmEyes,
        ports: PortEyes,
        hands: ForwardHands,
        reserved: Collection[int] = (3111,),
    ) -> None:
        self._engine = engine
        self._vm = vm
        self._ports = ports
        self._hands = hands
        self._reserved = frozenset({*reserved, _SSH})

    @property
    def carry_ports(self) -> bool:
        """Whether published ports go through the mux at all."""
        return self._vm.forwarder() is not Forwarder.GRPC

    async def docker_answers(self) -> bool:
        """Whether the Mac's docker.sock does. Raises CannotLook."""
        try:
            await self._engine.ping()
        except TargetIll:
            return False
        except Denied:
            return True
        return True

    async def lost(self) -> tuple[tuple[str, int], ...]:
        """Published ports that the Mac refuses, as `(address, port)`.

        A port that accepts has a listener already, whatever is behind it.
        """
        if not self.carry_ports:
            return ()
        try:
            container = await self._engine.container()
        except NotThere:
            return ()
        wanted = _published(container, self._reserved)
        refused: set[int] = set()

        async def knock(port: int) -> None:
            if await self._refuses(port):
                refused.add(port)

        async with anyio.create_task_group() as tasks:
            for port in wanted:
                tasks.start_soon(knock, port, name=f"knock at port {port}")
        return tuple((address, port) for port, address in wanted.items() if port in refused)

    async def restore(self) -> str:
        """Make docker.sock anew if it is dead, then the ports that only it can name."""
        said = ""
        if not await self.docker_answers():
            said = await self._hands.reforward(())
        try:
            lost = await self.lost()
        except PortError as error:
            return "; ".join(one for one in (said, f"published ports not seen: {error}") if one)
        if lost:
            said = await self._hands.reforward(lost)  # docker.sock again, and so its words
        return said or "nothing was lost any more"

    async def _refuses(self, port: int) -> bool:
        try:
            await self._ports.speak(port, "tcp", "", "")
        except TargetIll as ill:
            return not isinstance(ill, TargetSilent)
        except PortError:
            return False
        return False


def _published(container: Container, reserved: Collection[int]) -> dict[int, str]:
    """Address by port, widest address first when Docker binds a port twice."""
    found: dict[int, str] = {}
    for one in container.ports:
        if one.protocol == "tcp" and one.host_port and one.host_port not in reserved:
            narrow = _address(one)
            found[one.host_port] = min(narrow, found.get(one.host_port, narrow))
    return found


def _address(binding: PortBinding) -> str:
    """Lima keeps to these two; `0.0.0.0` sorts before `127.0.0.1`, the wider first."""
    return "127.0.0.1" if binding.host_ip in _LOOPBACK else "0.0.0.0"  # noqa: S104 (as published)


class Reforward:
    """The re-forward recipe of facts/colima.md §4, for docker.sock or for a port."""

    remedy = Remedy.REFORWARD

    def __init__(self, forwards: Forwards, guest: GuestEyes) -> None:
        self._forwards = forwards
        self._guest = guest

    async def needed(self, act: Act) -> str:
        """'' while the Mac's end refuses and the engine in the VM answers."""
        if act.reason is Reason.SERVICE_FORWARD_DEAD:
            return await self._port_needed(act.target)
        if await self._forwards.docker_answers():
            return "docker.sock answers"
        facts = await self._guest.facts()
        return "" if facts.engine_answers else "the engine does not answer in the VM either"

    async def _port_needed(self, target: str) -> str:
        if not self._forwards.carry_ports:
            return "published ports do not go through the mux: there is nothing to forward anew"
        lost = {str(port) for _, port in await self._forwards.lost()}
        return "" if target in lost else f"port {target} does not refuse any more"

    async def act(self, act: Act) -> str:
        """Forward anew what is lost."""
        del act
        return await self._forwards.restore()


class TermMux:
    """TERM to the one ssh master that lives and passes nothing on (design §10)."""

    remedy = Remedy.TERM_MUX

    def __init__(
        self, forward: ForwardEyes, hands: ForwardHands, forwards: Forwards, guest: GuestEyes
    ) -> None:
        self._forward = forward
        self._hands = hands
        self._forwards = forwards
        self._guest = guest

    async def needed(self, act: Act) -> str:
        """'' while docker.sock is dead, the engine answers in the VM and the master is the same."""
        if await self._forwards.docker_answers():
            return "docker.sock answers"
        if not (await self._guest.facts()).engine_answers:
            return "the engine does not answer in the VM either"
        mux = await self._forward.mux()
        if mux.state is MuxState.DEAD or mux.pid is None:
            return "there is no master any more"
        if act.fingerprint and act.fingerprint != str(mux.pid):
            return f"another master, {mux.pid}, has taken its place"
        return ""

    async def act(self, act: Act) -> str:
        """End it, and forward anew what it carried."""
        del act
        ended = await self._hands.term_mux()
        return f"{ended}; {await self._forwards.restore()}"


class StartEngine:
    """`systemctl start docker` in the VM."""

    remedy = Remedy.START_ENGINE

    def __init__(self, guest: GuestEyes, hands: GuestHands) -> None:
        self._guest = guest
        self._hands = hands

    async def needed(self, act: Act) -> str:
        """'' while systemd calls it stopped; to ask docker.sock would start it."""
        del act
        unit = (await self._guest.facts()).docker
        return "" if unit.stopped else f"docker.service is {unit.active}"

    async def act(self, act: Act) -> str:
        """Start it."""
        del act
        return await self._hands.start_engine()


class RestartEngine:
    """`systemctl restart docker` in the VM."""

    remedy = Remedy.RESTART_ENGINE

    def __init__(self, forwards: Forwards, guest: GuestEyes, hands: GuestHands) -> None:
        self._forwards = forwards
        self._guest = guest
        self._hands = hands

    async def needed(self, act: Act) -> str:
        """'' while the engine answers neither the Mac nor the VM, and nobody restarts it."""
        del act
        facts = await self._guest.facts()
        if facts.engine_answers:
            return "the engine answers in the VM"
        if facts.docker.changing:
            return f"docker.service is {facts.docker.active}: systemd is at it"
        if facts.docker.stopped:
            return "docker.service was stopped, and is started rather than restarted"
        if not facts.docker.sleeps and await self._forwards.docker_answers():
            return "docker.sock answers"
        return ""

    async def act(self, act: Act) -> str:
        """Restart it."""
        del act
        return await self._hands.restart_engine()

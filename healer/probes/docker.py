"""Docker as the Mac reaches it, and where on the way to it the fault lies."""

from typing import Final

from healer.core.observation import Finding, Observation, Sign
from healer.core.reasons import Reason
from healer.core.tower import Layer
from healer.model.machine import Mux, MuxState, Unit
from healer.ports import (
    Denied,
    EngineEyes,
    ForwardEyes,
    GuestEyes,
    NotAsked,
    PortError,
    TargetIll,
    TargetSilent,
)
from healer.probes.asking import (
    BY_MUX,
    DOCKER_SOCKET,
    ENGINE_BY_SSH,
    ENGINE_INSIDE,
    ask,
    ask_both,
    witness,
)

SYSTEMD_TAKES: Final = 15.0
"""Seconds until a restart is thought of, from each look that finds systemd at work on it."""


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
        signs = witness(ping, BY_MUX, DOCKER_SOCKET)
        if isinstance(ping, NotAsked):
            return await self._asleep(ping)
        if isinstance(ping, TargetIll):
            return await self._search(ping, signs)
        if isinstance(ping, PortError) and not isinstance(ping, Denied):
            return Observation(self.layer, unknown=str(ping))
        summary = "answers" if ping is None else str(ping)
        return Observation(self.layer, signs=signs, summary=summary)

    async def _asleep(self, ping: NotAsked) -> Observation:
        """systemd's word alone, by ssh: nobody else may be asked."""
        facts = await ask(self._guest.facts)
        if isinstance(facts, TargetIll | Denied):
            silent = Finding(Reason.DOCKER_SILENT, f"{ping}; in the VM: {facts}")
            return Observation(self.layer, (silent,))
        if isinstance(facts, PortError):
            return Observation(self.layer, unknown=str(ping))
        sign = Sign(ENGINE_INSIDE, ENGINE_BY_SSH, alive=facts.engine_answers)
        found = () if facts.engine_answers else (_engine_down(ping, facts.docker),)
        return Observation(self.layer, found, signs=(sign,), summary=str(ping))

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
        signs = (*signs, Sign(ENGINE_INSIDE, ENGINE_BY_SSH, alive=facts.engine_answers))
        if not facts.engine_answers:
            return Observation(self.layer, (_engine_down(ping, facts.docker),), signs=signs)
        lost = _wedged(ping, mux) or Finding(
            Reason.DOCKER_FORWARD_DEAD, f"{ping}; the engine answers in the VM"
        )
        return Observation(self.layer, (lost,), signs=signs)


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


def _engine_down(ping: PortError, unit: Unit) -> Finding:
    """A unit that was stopped in order is somebody's hot edit; any other end is a failure."""
    if not unit.stopped:
        return Finding(
            Reason.DOCKER_ENGINE_DOWN,
            f"{ping}; in the VM docker.service is {unit.active} ({unit.result})",
            ripe_in=SYSTEMD_TAKES if unit.changing else 0.0,
            waits_for=f"systemd: docker.service is {unit.active}" if unit.changing else "",
        )
    if unit.inactive_for is None:
        evidence = "docker.service has not run since the VM's boot"
    else:
        evidence = f"docker.service was stopped in the VM {unit.inactive_for:.0f} s ago"
    return Finding(Reason.DOCKER_ENGINE_STOPPED, evidence, human_ago=unit.inactive_for)

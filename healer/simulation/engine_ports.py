"""Docker through docker.sock, as ports."""

import anyio

from healer.model.container import Container, PortBinding
from healer.ports import ActFailed, EngineDoor, NotThere, TargetIll
from healer.simulation.answering import answer, get_in, silence
from healer.simulation.forwards import Way
from healer.simulation.human import NODE
from healer.simulation.physics import Tower
from healer.simulation.stamps import stamp

RESTART_PATIENCE = 120.0
"""What healer gives Talos to shut down (talos-kubernetes.md §1)."""


class SimulatedEngine:
    """Looks at the engine and the one container."""

    def __init__(self, tower: Tower, door: EngineDoor | None = None) -> None:
        """Without a door whoever looks is let in, as systemd does."""
        self._tower = tower
        self._door = door

    async def ping(self) -> None:
        """`/_ping`."""
        await self.reach("docker.sock /_ping", 0.005)

    async def reach(self, place: str, takes: float) -> None:
        """Get to the engine. Raises TargetIll, TargetSilent."""
        tower = self._tower
        if self._door is not None:
            await self._door.enter(place)
        tower.now()
        if tower.machine.to_socket() is Way.OPEN:
            # What is slow is the answer: the connect itself is what systemd hears.
            tower.dockerd.touched()
        await answer(tower, place, takes)
        await get_in(tower, tower.machine.to_socket(), place)
        if tower.dockerd.hangs:
            await silence(tower, place, 5.0)
        if not tower.dockerd.up:
            raise TargetIll(place, "Connection reset by peer")

    async def container(self) -> Container:
        """`docker inspect`, without Env."""
        await self.reach("docker inspect", 0.01)
        tower, box, ago = self._tower, self._tower.box, self._tower.machine.ago
        if not (box.there and tower.dockerd.has_data):
            raise NotThere("docker inspect", f"No such container: {NODE}")
        return Container(
            id=box.id,
            name=NODE,
            status=box.status,
            exit_code=box.exit_code,
            error=box.error,
            started_ago=ago(box.started_at),
            finished_ago=ago(box.finished_at),
            started_at=stamp(tower.clock.wall(box.started_at or 0.0)),
            restart_policy=box.restart_policy,
            memory=box.memory,
            memory_swap=box.memory,
            oom_killed=box.oom_killed,
            ports=tuple(PortBinding(port, "0.0.0.0", port) for port in box.ports),  # noqa: S104  (as published on the Mac)
            labels={"talos.owned": "true", "talos.cluster.name": "joelclaw"},
            addresses=("10.5.0.2",),
        )

    async def stopped_by_human_ago(self, container: Container) -> float | None:
        """From Docker's events, which end with the engine (talos-kubernetes.md §9)."""
        del container
        await self.reach("docker events", 0.01)
        return self._tower.machine.ago(self._tower.box.stopped_event_at)


class SimulatedEngineHands:
    """Docker's acts on the one container; it goes on with them whoever hangs up (§8)."""

    def __init__(self, tower: Tower, door: EngineDoor | None = None) -> None:
        self._tower = tower
        self._engine = SimulatedEngine(tower, door)

    async def _reach(self, place: str, takes: float) -> None:
        try:
            await self._engine.reach(place, takes)
        except TargetIll as ill:
            raise ActFailed(ill.place, ill.detail) from ill
        if not self._tower.box.there:
            raise NotThere(place, f"No such container: {NODE}")

    async def start(self, container: str) -> str:
        """304 when it runs already."""
        place = f"docker start {container}"
        await self._reach(place, 0.3)
        refused = self._tower.box.start_by_hand()
        self._tower.changed()
        await anyio.sleep(0.2)
        self._tower.now()
        if refused:
            raise ActFailed(place, refused)
        return f"{NODE} is {self._tower.box.status}"

    async def restart(self, container: str) -> str:
        """Stop with a long patience, then start."""
        place = f"docker restart {container}"
        await self._reach(place, 0.05)
        tower, cluster = self._tower, self._tower.cluster
        if tower.box.running and cluster.api.up and cluster.node.ready == "True":
            tower.wrong("the container was restarted while its cluster was well")
        takes = tower.box.begin_restart(RESTART_PATIENCE)
        tower.changed()
        await anyio.sleep(takes + 0.5)
        await self._reach(place, 0.01)
        return f"{NODE} is {tower.box.status}"

    async def update(self, container: str, *, restart_policy: str = "", memory: int = 0) -> str:
        """Live, without a restart."""
        await self._reach(f"docker update {container}", 0.05)
        box = self._tower.box
        box.restart_policy = restart_policy or box.restart_policy
        box.memory = memory or box.memory
        box.heard += 1
        self._tower.changed()
        return "updated"

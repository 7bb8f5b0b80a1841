"""Docker with one container in it."""

from dataclasses import replace

from healer.model.container import Container, PortBinding
from healer.ports import ActFailed, NotThere
from tests.fakes.faulty import Faulty

UP = Container(
    id="f00dfeedcafe0001",
    name="joelclaw-controlplane-1",
    status="running",
    exit_code=0,
    error="",
    started_ago=3600.0,
    finished_ago=None,
    started_at="2026-08-01T10:00:00Z",
    restart_policy="unless-stopped",
    memory=4 * 1024**3,
    memory_swap=8 * 1024**3,
    oom_killed=False,
    ports=(
        PortBinding(6443, "0.0.0.0", 6443),
        PortBinding(6443, "::", 6443),
        PortBinding(6379, "0.0.0.0", 6379),
        PortBinding(7880, "127.0.0.1", 7880),
    ),
)
DOWN = replace(UP, status="exited", exit_code=255, started_ago=None, finished_ago=42.0)


class FakeEngine(Faulty):
    """Implements EngineEyes and EngineHands."""

    def __init__(self, box: Container | None = UP, human_ago: float | None = None) -> None:
        super().__init__()
        self.box = box
        self.human_ago = human_ago

    async def ping(self) -> None:
        """`OK`."""
        await self.meet("ping")

    async def container(self) -> Container:
        """The one container."""
        await self.meet("container")
        if self.box is None:
            raise NotThere("docker", "no container joelclaw-controlplane-1")
        return self.box

    async def stopped_by_human_ago(self, container: Container) -> float | None:
        """What the events say."""
        del container
        await self.meet("stopped_by_human_ago")
        return self.human_ago

    async def start(self, container: str) -> str:
        """Refused in Docker's words when the container has an error."""
        await self.meet("start", act=f"start {container}")
        box = self._known(container)
        if box.error:
            raise ActFailed("docker start", box.error)
        self.box = replace(box, status="running", started_ago=0.0, started_at="anew")
        return "started"

    async def restart(self, container: str) -> str:
        """Another run."""
        await self.meet("restart", act=f"restart {container}")
        box = self._known(container)
        self.box = replace(box, status="running", started_ago=0.0, started_at="anew")
        return "restarted"

    async def update(self, container: str, *, restart_policy: str = "", memory: int = 0) -> str:
        """Live."""
        await self.meet("update", act=f"update {container} {restart_policy} {memory}")
        box = self._known(container)
        self.box = replace(
            box,
            restart_policy=restart_policy or box.restart_policy,
            memory=memory or box.memory,
            memory_swap=memory or box.memory_swap,
        )
        return "updated"

    def _known(self, container: str) -> Container:
        if self.box is None or self.box.id != container:
            raise NotThere("docker", f"no such container {container}")
        return self.box

"""The one container: start, restart, its restart policy and its memory limit."""

from collections.abc import Callable

from healer.core.facts import Act
from healer.core.ladders import Remedy
from healer.core.reasons import Reason
from healer.model.container import Container
from healer.model.verdicts import WantedContainer, shutting_down, start_refusal
from healer.ports import ClusterEyes, Denied, EngineEyes, EngineHands, NotThere, TargetIll

_GONE = "the container is not there"


class StartContainer:
    """`docker start`."""

    remedy = Remedy.START_CONTAINER

    def __init__(self, engine: EngineEyes, hands: EngineHands) -> None:
        self._engine = engine
        self._hands = hands

    async def needed(self, act: Act) -> str:
        """'' while it is down and a start may bring it back."""
        del act
        container = await _container(self._engine)
        if container is None:
            return _GONE
        if container.running:
            return "it runs"
        if container.status == "restarting":
            return "Docker itself is restarting it"
        refusal = start_refusal(container)
        return f"no start can help: {refusal}" if refusal else ""

    async def act(self, act: Act) -> str:
        """Start it."""
        del act
        container = await self._engine.container()
        return await self._hands.start(container.id)


class RestartContainer:
    """`docker restart -t 120` of a container that runs and is dead or stuck inside."""

    remedy = Remedy.RESTART_CONTAINER

    def __init__(self, engine: EngineEyes, cluster: ClusterEyes, hands: EngineHands) -> None:
        self._engine = engine
        self._cluster = cluster
        self._hands = hands

    async def needed(self, act: Act) -> str:
        """'' while the same run is still in the state that the act answers."""
        container = await _container(self._engine)
        if container is None:
            return _GONE
        if not container.running:
            return f"it is {container.status}: a start is the remedy"
        if act.fingerprint and act.fingerprint != container.started_at:
            return f"it was started anew at {container.started_at}"
        ago = await self._engine.stopped_by_human_ago(container)
        if ago is not None:
            return f"somebody began to stop it {ago:.0f} s ago"
        return await self._recovered(act.reason)

    async def _recovered(self, reason: Reason) -> str:
        if reason is Reason.TALOS_SHUTTING_DOWN:
            nodes = (await self._cluster.node()).items
            stuck = any(shutting_down(one) for one in nodes)
            return "" if stuck else "its node does not say any more that it is shutting down"
        try:
            await self._cluster.readiness()
        except TargetIll:
            return ""
        except Denied as refused:
            return f"the API answers: {refused}"
        return "the API answers"

    async def act(self, act: Act) -> str:
        """Restart it."""
        del act
        container = await self._engine.container()
        return await self._hands.restart(container.id)


class _Update:
    """`docker update`, live, and only when something differs from the wanted."""

    def __init__(
        self,
        engine: EngineEyes,
        hands: EngineHands,
        wanted: WantedContainer,
        differs: Callable[[Container], bool],
    ) -> None:
        self._engine = engine
        self._hands = hands
        self._wanted = wanted
        self._differs = differs

    async def needed(self, act: Act) -> str:
        """'' while the container differs from the wanted one."""
        del act
        container = await _container(self._engine)
        if container is None:
            return _GONE
        return "" if self._differs(container) else "it is as wanted"


class SetRestartPolicy(_Update):
    """The restart policy, without which the container stays down after a boot of the VM."""

    remedy = Remedy.SET_RESTART_POLICY

    def __init__(self, engine: EngineEyes, hands: EngineHands, wanted: WantedContainer) -> None:
        super().__init__(engine, hands, wanted, wanted.policy_differs)

    async def act(self, act: Act) -> str:
        """Set it."""
        del act
        container = await self._engine.container()
        wanted = self._wanted.restart_policy
        return await self._hands.update(container.id, restart_policy=wanted)


class SetMemoryLimit(_Update):
    """The memory limit, and with it the swap limit."""

    remedy = Remedy.SET_MEMORY_LIMIT

    def __init__(self, engine: EngineEyes, hands: EngineHands, wanted: WantedContainer) -> None:
        super().__init__(engine, hands, wanted, wanted.memory_differs)

    async def act(self, act: Act) -> str:
        """Set both limits."""
        del act
        container = await self._engine.container()
        return await self._hands.update(container.id, memory=self._wanted.memory)


async def _container(engine: EngineEyes) -> Container | None:
    """The container, or None when there is none."""
    try:
        return await engine.container()
    except NotThere:
        return None

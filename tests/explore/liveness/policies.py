"""Two ways to heal without healer, over the very ports that healer acts through.

A, the checklist: what the script that healer replaces does each 180 s (facts/incidents.md §4), with
its rule of death (docker.sock and ssh both silent in two ticks), its cooldown, and its habits:
it uncordons and untaints on every tick, whoever cordoned, and deletes flannel's pod and what
cannot pull its image without memory. B, the hammer: the VM is restarted as soon as anything fails.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Final, TypeVar

import anyio

from healer.core.facts import Act
from healer.core.ladders import Remedy
from healer.core.reasons import Reason
from healer.core.tower import Layer
from healer.model.cluster import CONTROL_PLANE_TAINT
from healer.model.pod_status import status
from healer.ports import PortError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from healer.model.cluster import Node
    from healer.wiring.parts import Outside

T = TypeVar("T")

TICK: Final = 180.0
HAMMER_EVERY: Final = 60.0
CYCLE_COOLDOWN: Final = 900.0
"""Seconds between two cycles of the VM; the script stamps a cycle that worked, no other (S7)."""
FAILED_HOLD: Final = 1800.0
API_PATIENCE: Final = 60.0
NODE_NAME: Final = "joelclaw-controlplane-1"
_ILL: Final = frozenset({"Error", "CrashLoopBackOff", "Unknown"})
_NO_IMAGE: Final = frozenset({"ImagePullBackOff", "ErrImagePull"})
_ASKED: Final = ((6379, "redis", ""), (7880, "http", "/"), (8108, "http", "/health"))
_CYCLE: Final = Act(
    "naive", Remedy.FORCE_CYCLE_VM, Layer.COLIMA, Reason.COLIMA_ZOMBIE, "a checklist says so"
)


@dataclass
class Naive:
    """What both have: eyes that answer None for any failure, hands that do not ask why."""

    outside: Outside
    done: Counter[str] = field(default_factory=Counter)

    async def ask(self, question: Callable[[], Awaitable[T]]) -> T | None:
        """An answer, or None: a checklist knows no third."""
        try:
            return await question()
        except PortError:
            return None

    async def answers(self, question: Callable[[], Awaitable[object]]) -> bool:
        """Whether it answered at all."""
        try:
            await question()
        except PortError:
            return False
        return True

    async def do(self, name: str, deed: Callable[[], Awaitable[str]]) -> bool:
        """Whether it could be done; counted when it was."""
        try:
            await deed()
        except PortError:
            return False
        self.done[name] += 1
        return True

    async def cycle(self) -> bool:
        """`colima stop --force && colima start`."""
        hands = self.outside.vm_hands
        await self.do("stop the VM", lambda: hands.force_stop(_CYCLE))
        return await self.do("start the VM", lambda: hands.start(_CYCLE))

    @property
    def disruptions(self) -> int:
        """How often something that may have been serving was taken down."""
        return self.done["stop the VM"]


@dataclass
class Checklist(Naive):
    """Policy A."""

    streak: int = 0
    cycled_at: float = float("-inf")
    held_until: float = float("-inf")

    async def run(self) -> None:
        """A tick each three minutes, for ever."""
        while True:
            await self._tick()
            await anyio.sleep(TICK)

    async def _tick(self) -> None:
        outside = self.outside
        docker = await self.answers(outside.engine.ping)
        if not docker and not await self.answers(outside.guest.banner):
            await self._dead()
            return
        self.streak = 0
        if not docker:
            return
        await self.do("load the module", outside.guest_hands.load_modules)
        container = await self.ask(outside.engine.container)
        if container is not None and container.status != "running":
            await self.do("start the container", lambda: outside.engine_hands.start(NODE_NAME))
        if await self._api():
            await self._mend_cluster()

    async def _dead(self) -> None:
        self.streak += 1
        now = self.outside.clock.now()
        if self.streak < 2 or now < self.held_until or now < self.cycled_at + CYCLE_COOLDOWN:
            return
        if await self.cycle():
            self.cycled_at = self.outside.clock.now()
        else:
            self.held_until = now + FAILED_HOLD

    async def _api(self) -> bool:
        until = self.outside.clock.now() + API_PATIENCE
        while not await self.answers(self.outside.cluster.readiness):
            if self.outside.clock.now() >= until:
                return False
            await anyio.sleep(5.0)
        return True

    async def _mend_cluster(self) -> None:
        nodes = await self.ask(self.outside.cluster.node)
        for node in () if nodes is None else nodes.items:
            await self._mend_node(node)
        pods = await self.ask(self.outside.cluster.pods)
        for pod in () if pods is None else pods.items:
            shown = status(pod.raw)
            if (pod.name.startswith("kube-flannel") and shown in _ILL) or shown in _NO_IMAGE:
                delete = partial(self.outside.cluster_hands.delete_pod, pod, grace=30)
                await self.do("delete a pod", delete)

    async def _mend_node(self, node: Node) -> None:
        hands = self.outside.cluster_hands
        if node.unschedulable:
            await self.do("uncordon", lambda: hands.uncordon(node))
        keys = [one.key for one in node.taints]
        if CONTROL_PLANE_TAINT in keys:
            place = keys.index(CONTROL_PLANE_TAINT)
            await self.do("untaint", lambda: hands.untaint(node, place))


@dataclass
class Hammer(Naive):
    """Policy B."""

    async def run(self) -> None:
        """A look each minute, for ever."""
        while True:
            if not await self._all_answers():
                await self.cycle()
            await anyio.sleep(HAMMER_EVERY)

    async def _all_answers(self) -> bool:
        outside = self.outside
        if not await self.answers(outside.engine.ping):
            return False
        if not await self.answers(outside.cluster.readiness):
            return False
        for port, protocol, path in _ASKED:
            speak = partial(outside.published.speak, port, protocol, path, "")
            if not await self.answers(speak):
                return False
        return True

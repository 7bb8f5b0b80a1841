"""All pods as one list and one watch have told of them: a calm daemon need not list them again.

Design §9 asks that 5,000 pods cost 20 MB and nothing periodic. The danger is to be out of date:
what is kept counts only while its watch lives, and whoever asks for it asks the API server too
(watched_cluster.py).
"""

from dataclasses import dataclass
from typing import Any, Final

from healer.adapters import kubernetes_decode as decode
from healer.adapters.kubernetes_calls import Json, Request
from healer.adapters.kubernetes_session import Session
from healer.adapters.kubernetes_watch import SILENCE
from healer.model.cluster import Pod
from healer.ports import Clock, TargetIll

PODS: Final = "/api/v1/pods"
_TRUSTED: Final = SILENCE + 10.0
"""Seconds since the last sign of life, sleep included: a watch that is silent for longer has
been ended, unless the Mac slept meanwhile."""
_DOUBTS: Final = 2
"""Looks in a row at which the server counts other pods: one alone may be an event on its way."""


@dataclass(frozen=True, slots=True)
class Count:
    """How many pods there are now; None when the server would not say."""

    pods: int | None
    server_time: float


class PodStore:
    """kubernetes_watch.Keeper of whole pods."""

    def __init__(self, session: Session, clock: Clock) -> None:
        self._session = session
        self._clock = clock
        self._pods: dict[str, Pod] = {}
        self._listed: tuple[Pod, ...] | None = None
        self._heard_at: float | None = None
        self._doubts = 0

    def trusted(self) -> bool:
        """Whether its watch lives, as far as can be known here."""
        return self._heard_at is not None and self._clock.now() - self._heard_at <= _TRUSTED

    def pods(self) -> tuple[Pod, ...]:
        """All of them; the same objects as long as they do not change."""
        if self._listed is None:
            self._listed = tuple(self._pods.values())
        return self._listed

    async def count(self) -> Count:
        """Asked of the server now, for one pod's price. Raises what a dead API raises."""
        request = Request("GET", PODS, {"limit": "1"})
        answer = await self._session.read(request)
        said = answer.json(request.place)
        if not isinstance(said, dict) or not isinstance(said.get("items"), list):
            raise TargetIll(request.place, "answered something that is no list")
        return Count(_count(said), answer.server_time)

    def agrees(self, count: Count) -> bool:
        """Whether it knows as many; one that disagrees twice in a row is listed anew."""
        agrees = count.pods in {None, len(self._pods)}
        self._doubts = 0 if agrees else self._doubts + 1
        return agrees

    async def begin(self) -> str:
        """What was known counts until the new list is whole."""
        listed = await self._session.list(PODS, decode.pod)
        self._pods, self._listed = {one.uid: one for one in listed.items}, None
        self._doubts = 0
        self.heard()
        return listed.version

    def heard(self) -> None:
        """The link lives."""
        if self._doubts >= _DOUBTS:
            raise TargetIll(f"watch {PODS}", "has told of other pods than the server counts")
        self._heard_at = self._clock.now()

    def take(self, kind: str, found: Json) -> bool:
        """Another version alone is no news: nobody judges a pod by that."""
        (pod,) = decode.decoded(decode.pod, (found,), f"GET {PODS}")
        before = self._pods.pop(pod.uid, None)
        self._listed = None
        if kind == "DELETED":
            return True
        self._pods[pod.uid] = pod
        return before is None or _judged(before) != _judged(pod)

    def lost(self) -> None:
        """It is neither believed nor kept: the next list may be a long time off."""
        self._heard_at, self._listed = None, None
        self._pods.clear()


def _count(said: dict[str, Any]) -> int | None:
    """A server that leaves out how many remain has not counted them."""
    metadata = said.get("metadata") or {}
    left = metadata.get("remainingItemCount")
    if left is None and metadata.get("continue"):
        return None
    return len(said["items"]) + int(left or 0)


def _judged(pod: Pod) -> Json:
    raw = pod.raw
    del raw["metadata"]["resourceVersion"]
    return raw

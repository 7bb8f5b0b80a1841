"""LiveKit's probes and strategy, patched where they differ."""

from healer.core.facts import Act
from healer.core.ladders import Remedy
from healer.model.cluster import Deployment, Listing
from healer.model.livekit import (
    CONTAINER,
    PatchWhen,
    drift,
    in_words,
    is_paused,
    is_ready,
    patch_in,
)
from healer.ports import ClusterEyes, ClusterHands, Conflict


class PatchLivekit:
    """Patch what differs, once a generation: it is a rollout, and ends all calls."""

    remedy = Remedy.PATCH_LIVEKIT

    def __init__(
        self,
        cluster: ClusterEyes,
        hands: ClusterHands,
        when: PatchWhen = PatchWhen.NOT_READY,
        *,
        container: str = CONTAINER,
    ) -> None:
        self._cluster = cluster
        self._hands = hands
        self._when = when
        self._container = container

    async def needed(self, act: Act) -> str:
        """'' while the same generation (`fingerprint`) differs and may be patched."""
        judged = self._judge(act, await self._cluster.livekit())
        return judged if isinstance(judged, str) else ""

    async def act(self, act: Act) -> str:
        """Patch that generation; say what was set."""
        judged = self._judge(act, await self._cluster.livekit())
        if isinstance(judged, str):
            raise Conflict("LiveKit's Deployment", judged)
        patch = drift(judged.raw, self._container)
        said = await self._hands.patch_livekit(judged, patch)
        return f"{said}: {in_words(patch)}"

    def _judge(self, act: Act, heard: Listing[Deployment]) -> Deployment | str:
        if not heard.items:
            return "there is no LiveKit Deployment"
        deployment = heard.items[0]
        return (
            self._unwanted(deployment)
            or _moved_on(deployment, act)
            or self._serving(deployment, heard.server_time)
            or deployment
        )

    def _unwanted(self, deployment: Deployment) -> str:
        if deployment.desired == 0:
            return "it is scaled to zero"
        if is_paused(deployment):
            return "a human paused the rollout"
        differs = drift(deployment.raw, self._container)
        return "" if differs else "its probes and strategy are as they should be"

    def _serving(self, deployment: Deployment, now: float) -> str:
        if self._when is PatchWhen.ALWAYS:
            return ""
        if is_ready(deployment):
            return "it is Ready: a patch would end all calls"
        wait = patch_in(deployment.raw, now)
        return f"it may yet get Ready by itself: {wait:.0f} s more" if wait else ""


def _moved_on(deployment: Deployment, act: Act) -> str:
    if str(deployment.generation) != act.fingerprint:
        return f"it is at generation {deployment.generation} by now"
    if deployment.observed_generation < deployment.generation:
        return "its controller has not seen that generation yet"
    return ""

"""Flannel's pod, deleted once so that its DaemonSet makes a new one without the back-off."""

from collections.abc import Awaitable, Callable
from typing import Final

from healer.core.facts import Act
from healer.core.ladders import Remedy
from healer.core.reasons import Reason
from healer.model.cluster import Listing, Pod
from healer.model.flannel import crashed, delete_in, pods_of, subnet_env_failure
from healer.model.pod_parts import finalizers, name_of
from healer.model.pod_status import status
from healer.model.verdicts import BRIDGE, missing_modules
from healer.ports import ClusterEyes, ClusterHands, Conflict, GuestEyes, NotThere

GRACE: Final = 30
"""Seconds; flanneld ends at once, and waiting for it keeps two from running side by side."""


class DeleteFlannelPod:
    """Delete the one pod that was seen to be ill, once the kernel has its modules.

    A pod that is deleted before only makes another that crashes (facts/talos-kubernetes.md §5).
    """

    remedy = Remedy.DELETE_FLANNEL_POD

    def __init__(
        self,
        cluster: ClusterEyes,
        guest: GuestEyes,
        hands: ClusterHands,
        needs_bridge: Callable[[], Awaitable[bool]],
    ) -> None:
        self._cluster = cluster
        self._guest = guest
        self._hands = hands
        self._needs_bridge = needs_bridge

    async def needed(self, act: Act) -> str:
        """'' while the kernel is well and the same pod (`fingerprint`) is still ill."""
        missing = missing_modules(await self._guest.facts())
        if missing == (BRIDGE,) and not await self._needs_bridge():
            missing = ()
        if missing:
            return f"the kernel comes first: {', '.join(missing)} not loaded"
        judged = await self._judge(act)
        return judged if isinstance(judged, str) else ""

    async def act(self, act: Act) -> str:
        """Delete it by uid and resourceVersion; that it is gone already is success."""
        judged = await self._judge(act)
        if isinstance(judged, str):
            raise Conflict("flannel's pod", judged)
        try:
            return await self._hands.delete_pod(judged, grace=GRACE)
        except NotThere:
            return f"{name_of(judged)} was gone already"

    async def _judge(self, act: Act) -> Pod | str:
        sets = await self._cluster.flannel()
        pods = await self._cluster.pods()
        mine = [one for daemonset in sets.items for one in pods_of(daemonset, pods.items)]
        pod = next((one for one in mine if one.uid == act.fingerprint), None)
        if pod is None:
            return "the pod that was ill is gone or on its way out"
        if finalizers(pod.raw):
            return f"{name_of(pod)} has finalizers"
        return await self._still_ill(act, pod, pods) or pod

    async def _still_ill(self, act: Act, pod: Pod, pods: Listing[Pod]) -> str:
        """'' while what the act answers is still so."""
        if act.reason is Reason.SUBNET_ENV_MISSING:
            events = await self._cluster.warnings()
            proof = subnet_env_failure(events.items, pod, pods.items, pods.server_time)
            return "" if proof else "no sandbox lacks subnet.env any more"
        if not crashed(pod):
            return f"{name_of(pod)} shows {status(pod.raw)}"
        wait = delete_in(pod, pods.server_time)
        return f"the kubelet may yet restart it: {wait:.0f} s more" if wait else ""

"""LiveKit: its Deployment's shape, its readiness, and what it answers."""

from typing import Final

from healer.core.observation import Finding, Observation
from healer.core.reasons import Reason
from healer.core.tower import Layer
from healer.model.cluster import Deployment, Listing
from healer.model.livekit import (
    CONTAINER,
    PatchWhen,
    drift,
    in_words,
    is_paused,
    is_ready,
    patch_in,
    rollout_left,
)
from healer.model.pod_parts import terminal
from healer.model.pod_status import status
from healer.model.published import PublishedService
from healer.model.workload import is_of_deployment
from healer.ports import ClusterEyes, PortError, PortEyes, TargetIll, WrongAnswer
from healer.probes.api import unseen
from healer.probes.asking import ask

HTTP: Final = PublishedService("livekit-server", 7880, "http", "/", "OK")
REDIS: Final = PublishedService("redis", 6379, "redis", expect="PONG")

_OFF: Final = "Redis is scaled to 0"
_REDIS_WAIT: Final = 60.0
"""Seconds for which a patch waits for Redis, counted anew at each look: without it LiveKit
gets not ready whatever its probes are (livekit/livekit#4663)."""


class LivekitProbe:
    """Looks at the Deployment first; asks Redis and the pods only when LiveKit is not Ready."""

    layer = Layer.LIVEKIT

    def __init__(
        self,
        cluster: ClusterEyes,
        ports: PortEyes,
        when: PatchWhen = PatchWhen.NOT_READY,
        *,
        container: str = CONTAINER,
        http: PublishedService | None = HTTP,
        redis: PublishedService | None = REDIS,
    ) -> None:
        self._cluster = cluster
        self._ports = ports
        self._when = when
        self._container = container
        self._http = http
        self._redis = redis

    async def look(self) -> Observation:
        """Look once. Without a Deployment, or with none wanted, there is nothing to be ill."""
        heard = await ask(self._cluster.livekit)
        if isinstance(heard, PortError):
            return unseen(self.layer, heard)
        if not heard.items:
            return Observation(self.layer, summary="not deployed")
        deployment = heard.items[0]
        if deployment.desired == 0:
            return Observation(self.layer, summary="scaled to zero")
        if is_ready(deployment):
            return await self._ready(deployment)
        return await self._not_ready(deployment, heard)

    async def _ready(self, deployment: Deployment) -> Observation:
        """A port that refuses while the kubelet is content is the way to it: see services."""
        answer = await self._speak(self._http)
        findings: tuple[Finding, ...] = ()
        if isinstance(answer, WrongAnswer):
            findings = (await self._wrong(answer),)
        words, left = in_words(drift(deployment.raw, self._container)), rollout_left(deployment)
        if is_paused(deployment):
            findings = (*findings, _paused(deployment, "Ready", words or left))
        elif words and self._when is PatchWhen.ALWAYS:
            findings = (_drift(deployment, f"Ready, and differs: {words}"), *findings)
        elif words:
            findings = (_tolerated(deployment, words), *findings)
        if left and not is_paused(deployment):
            findings = (*findings, _rolling_out(deployment, left))
        return Observation(self.layer, findings, summary="Ready")

    async def _not_ready(self, deployment: Deployment, heard: Listing[Deployment]) -> Observation:
        redis = await self._speak(self._redis)
        seen = f"{deployment.ready} of {deployment.desired} Ready{await self._pods(deployment)}"
        words = in_words(drift(deployment.raw, self._container))
        if isinstance(redis, TargetIll) and await self._redis_is_off():
            off = Finding(Reason.LIVEKIT_REDIS_OFF, f"{seen}; {_OFF}")
            return Observation(self.layer, (off,), summary=off.evidence)
        wait = patch_in(deployment.raw, heard.server_time)
        findings: tuple[Finding, ...] = ()
        if isinstance(redis, TargetIll):
            wait = max(wait, _REDIS_WAIT)
            evidence = f"{seen}; and Redis is ill: {redis}"
            findings = (Finding(Reason.LIVEKIT_REDIS_ILL, evidence, cause=self._redis_service),)
        if words and not is_paused(deployment):
            drifted = _drift(deployment, f"{seen}; differs: {words}", wait)
            return Observation(self.layer, (drifted, *findings), summary=seen)
        findings = findings or (await self._why(seen),)
        if is_paused(deployment):
            findings = (*findings, _paused(deployment, seen, words))
        return Observation(self.layer, findings, summary=seen)

    async def _wrong(self, answer: WrongAnswer) -> Finding:
        """406 is LiveKit's own word for stats that it cannot refresh through Redis."""
        if not answer.detail.lower().removeprefix("http ").startswith("406"):
            return Finding(Reason.LIVEKIT_UNHEALTHY, str(answer))
        if await self._redis_is_off():
            return Finding(Reason.LIVEKIT_REDIS_OFF, f"{answer}; {_OFF}")
        return Finding(Reason.LIVEKIT_NODE_STALE, str(answer), cause=self._redis_service)

    @property
    def _redis_service(self) -> str:
        """As the services layer names the owner of a silent port."""
        return "" if self._redis is None else f"{self._redis.namespace}/Service/{self._redis.name}"

    async def _redis_is_off(self) -> bool:
        """Whether a human wants no Redis; who cannot tell blames it as before."""
        heard = await ask(self._cluster.services)
        if isinstance(heard, PortError):
            return False
        return any(
            f"{one.namespace}/Service/{one.name}" == self._redis_service and one.desired == 0
            for one in heard.items
        )

    async def _why(self, seen: str) -> Finding:
        answer = await self._speak(self._http)
        if isinstance(answer, WrongAnswer):
            return await self._wrong(answer)
        said = "" if answer is None else f"; asked over HTTP: {answer}"
        return Finding(Reason.LIVEKIT_UNHEALTHY, seen + said)

    async def _speak(self, service: PublishedService | None) -> str | PortError | None:
        if service is None:
            return None
        asked = service
        return await ask(
            lambda: self._ports.speak(asked.host_port, asked.protocol, asked.path, asked.expect)
        )

    async def _pods(self, deployment: Deployment) -> str:
        """What its pods show, for people only."""
        heard = await ask(self._cluster.pods)
        if isinstance(heard, PortError):
            return ""
        mine = (
            one
            for one in heard.items
            if is_of_deployment(one, deployment) and not terminal(one.raw)
        )
        shown = ", ".join(f"{one.name} {status(one.raw)}" for one in mine)
        return f" ({shown})" if shown else ""


def _drift(deployment: Deployment, evidence: str, wait: float = 0.0) -> Finding:
    """One generation gets at most one patch (I11)."""
    return Finding(
        Reason.LIVEKIT_PROBE_DRIFT,
        evidence,
        fingerprint=str(deployment.generation),
        event=f"{deployment.uid}/livekit/generation-{deployment.generation}",
        ripe_in=wait,
    )


def _paused(deployment: Deployment, seen: str, waits: str) -> Finding:
    """A patch would change the template and start nothing; and it is the human's to decide."""
    place = f"-n {deployment.namespace} rollout resume deploy/{deployment.name}"
    return Finding(
        Reason.LIVEKIT_PAUSED,
        f"a human paused the rollout; {seen}" + (f"; waiting: {waits}" if waits else ""),
        advice=f"when the maintenance is over: kubectl {place}",
    )


def _rolling_out(deployment: Deployment, left: str) -> Finding:
    return Finding(
        Reason.LIVEKIT_ROLLING_OUT,
        f"Ready with what it had before: {left}",
        fingerprint=str(deployment.generation),
    )


def _tolerated(deployment: Deployment, words: str) -> Finding:
    return Finding(
        Reason.LIVEKIT_DRIFT_TOLERATED,
        f"Ready, so left alone, although it differs: {words}",
        fingerprint=str(deployment.generation),
    )

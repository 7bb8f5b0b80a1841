"""The Kubernetes API: does it answer, are we let in, and for how long yet."""

from collections.abc import Callable
from typing import Final

from healer.core.observation import Finding, Observation
from healer.core.reasons import Reason
from healer.core.tower import Layer
from healer.model.certificates import SOON, URGENT, Lasting, words_of
from healer.model.cluster import Readiness
from healer.ports import (
    ClusterEyes,
    CredentialEyes,
    Denied,
    PortError,
    TargetIll,
    VmEyes,
    WrongAnswer,
)
from healer.probes.asking import ask_both, by_api, witness
from healer.probes.credentials import ending
from healer.probes.setup import NOTHING, SetupLook

READYZ: Final = "API /readyz"
"""Names the sign, whatever the port is: the port is not known when nothing answers."""

_SERVING_ADVICE: Final = (
    "Talos renews it at half its life and did not; look: talosctl -n 10.5.0.2 logs "
    "controller-runtime"
)
"""facts/talos-kubernetes.md §1."""


class ApiserverProbe:
    """Looks at `/readyz` and asks for the node, through the port that Docker publishes.

    A server may call itself ready and refuse work: 429 while it is overloaded, 500 without etcd.
    """

    layer = Layer.APISERVER

    def __init__(
        self,
        cluster: ClusterEyes,
        vm: VmEyes,
        credentials: CredentialEyes | None = None,
        wall: Callable[[], float] = lambda: 0.0,
        setup: SetupLook = NOTHING,
    ) -> None:
        self._cluster = cluster
        self._vm = vm
        self._credentials = credentials
        self._wall = wall
        self._setup = setup

    async def look(self) -> Observation:
        """Look once. Any answer over TLS is a sign of life, a refusal of our key as well."""
        return await self._setup.added_to(await self._look())

    async def _look(self) -> Observation:
        answer, node = await ask_both(self._cluster.readiness, self._cluster.node)
        signs = witness(answer, by_api(self._vm), READYZ)
        if isinstance(answer, Denied):
            return Observation(self.layer, (_unauthorized(answer),), signs=signs)
        if isinstance(answer, WrongAnswer):
            return Observation(self.layer, (_failing(str(answer)),), signs=signs)
        if isinstance(answer, TargetIll):
            lost = Finding(Reason.API_UNREACHABLE, str(answer))
            return Observation(self.layer, (lost,), signs=signs)
        if isinstance(answer, PortError):
            return Observation(self.layer, unknown=str(answer))
        serving = await self._serving(answer.port)
        failing = _unready(answer)
        if not failing and isinstance(node, WrongAnswer):
            failing = (_failing(str(node)),)
        findings = (*failing, *_stale(answer), *_expiring(answer), *serving)
        summary = f"answers on port {answer.port}"
        return Observation(self.layer, findings, signs=signs, summary=summary)

    async def _serving(self, port: int) -> tuple[Finding, ...]:
        """The server's own certificate, apart from ours: Talos is to renew it, not a human."""
        if self._credentials is None:
            return ()
        one = await self._credentials.serving(port)
        what = f"the API server on port {port}"
        return ending(one, self._wall(), Reason.CERTIFICATE_EXPIRING, what, _SERVING_ADVICE)


def _unready(answer: Readiness) -> tuple[Finding, ...]:
    if answer.ready:
        return ()
    return (_failing(f"/readyz on port {answer.port} is not ready: {answer.detail}"),)


def _failing(said: str) -> Finding:
    """It answers, so Talos and the way to it are well; mostly etcd is what it lacks."""
    return Finding(Reason.API_FAILING, f"the API server answers with errors: {said}")


def _unauthorized(error: Denied) -> Finding:
    return Finding(
        Reason.API_UNAUTHORIZED,
        str(error),
        advice="fetch a new kubeconfig with: talosctl kubeconfig --force; then set its server "
        "line to the published port, since talosctl writes the one inside the cluster",
    )


def _stale(answer: Readiness) -> tuple[Finding, ...]:
    if answer.kubeconfig_port in {None, answer.port}:
        return ()
    return (
        Finding(
            Reason.KUBECONFIG_STALE,
            f"the kubeconfig names port {answer.kubeconfig_port}, "
            f"Docker publishes the API on {answer.port}",
            fingerprint=str(answer.port),
            advice="healer kubeconfig repair, or set in the kubeconfig: "
            f"server: https://127.0.0.1:{answer.port}",
        ),
    )


def _expiring(answer: Readiness) -> tuple[Finding, ...]:
    days = answer.certificate_days
    if days is None or days >= SOON:
        return ()
    lasting = Lasting.ENDED if days < 0 else Lasting.URGENT if days < URGENT else Lasting.SOON
    said = "" if lasting is Lasting.SOON else f"{lasting}: "
    return (
        Finding(
            Reason.CERTIFICATE_EXPIRING,
            f"{said}the client certificate of the kubeconfig {words_of(days)}",
            fingerprint=lasting,
            advice="talosctl kubeconfig --force; then set in the kubeconfig: "
            f"server: https://127.0.0.1:{answer.port}",
        ),
    )

"""What each illness of an API server is called, and what is tried again."""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from healer.adapters.kubernetes import KubernetesCluster
from healer.adapters.kubernetes_session import PAGE_BYTES
from healer.ports import (
    ActFailed,
    CannotLook,
    Conflict,
    Denied,
    PortError,
    TargetIll,
    TargetSilent,
)
from tests.apiserver import faults
from tests.apiserver.faults import Fault, refusing
from tests.apiserver.server import ApiServer
from tests.cluster_objects import as_deployment, as_node, as_pod, pod_json, recorded, running
from tests.unit.adapters.kubernetes_door import door

SHORT = 0.3
"""Seconds; only for servers that never answer."""

READS: list[Callable[[KubernetesCluster], Awaitable[object]]] = [
    KubernetesCluster.readiness,
    KubernetesCluster.node,
    KubernetesCluster.pods,
    KubernetesCluster.warnings,
    KubernetesCluster.flannel,
    KubernetesCluster.livekit,
    KubernetesCluster.services,
    lambda cluster: cluster.owner_exists(as_pod(pod_json(running()))),
]
WRITES: list[Callable[[KubernetesCluster], Awaitable[object]]] = [
    lambda cluster: cluster.untaint(as_node(recorded("node-tainted")), 0),
    lambda cluster: cluster.uncordon(as_node(recorded("node-cordoned-by-talos"))),
    lambda cluster: cluster.delete_pod(as_pod(pod_json(running())), grace=30),
    lambda cluster: cluster.patch_livekit(
        as_deployment(recorded("deployment-livekit-chart")), {"spec": {"replicas": 1}}
    ),
]


async def failure(call: Awaitable[object]) -> PortError:
    """What it raised."""
    with pytest.raises(PortError) as caught:
        await call
    return caught.value


@pytest.mark.parametrize("read", READS)
@pytest.mark.parametrize("fault", [faults.hung, faults.slow_headers])
async def test_silence_is_told_from_refusal(
    api: ApiServer,
    tmp_path: Path,
    fault: Fault,
    read: Callable[[KubernetesCluster], Awaitable[object]],
) -> None:
    """Whoever takes the request and never answers is silent, for each question."""
    api.fault(fault)
    async with door(api.kubeconfig(tmp_path / "kubeconfig"), api.port, deadline=SHORT) as cluster:
        assert TargetSilent is type(await failure(read(cluster)))


@pytest.mark.parametrize("write", WRITES)
async def test_a_silent_write_has_an_unknown_end(
    api: ApiServer,
    tmp_path: Path,
    write: Callable[[KubernetesCluster], Awaitable[object]],
) -> None:
    """It is sent once, failed, and says that nobody knows what it did."""
    async with door(api.kubeconfig(tmp_path / "kubeconfig"), api.port, deadline=1.0) as cluster:
        await cluster.node()
        api.requests.clear()
        api.fault(faults.hung)
        found = await failure(write(cluster))
    assert ActFailed is type(found)
    assert "what it did is unknown" in found.detail
    assert 1 == len(api.requests)


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (faults.garbage, "Bad status line|Expected HTTP"),
        (faults.web_page, "no JSON"),
        (faults.truncated, "no JSON"),
        (faults.nested, "no JSON"),
        (faults.answering({"kind": "PodList"}), "no list"),
        (faults.answering(["items"]), "no list"),
        (faults.answering({"items": [{"metadata": {}}]}), "makes no sense: KeyError"),
        (faults.answering({"items": ["pod"]}), "makes no sense: TypeError"),
        (faults.no_date, "without the time"),
        (faults.huge, f"more than {PAGE_BYTES} bytes"),
        (faults.reset, "reset|closed|not enough data|disconnected|completed"),
        (refusing(500), "500: the lab says 500"),
        (refusing(503), "503"),
        (refusing(429, retry_after=0), "429"),
        (refusing(410), "410"),
        (refusing(400), "400"),
    ],
)
async def test_nonsense_is_an_illness(
    api: ApiServer, cluster: KubernetesCluster, fault: Fault, words: str
) -> None:
    """Torn, garbled, huge or failing answers are evidence, in the answer's own words."""
    api.fault(fault, path="/api/v1/pods")
    with pytest.raises(TargetIll, match=words):
        await cluster.pods()


@pytest.mark.parametrize("code", [401, 403])
async def test_a_refusal_is_told_from_illness(
    api: ApiServer, cluster: KubernetesCluster, code: int
) -> None:
    """401 and 403 say that the server lives and refuses us; nothing is tried again."""
    await cluster.node()
    api.fault(refusing(code, "Unauthorized"), path="/api/v1/pods")
    assert Denied is type(await failure(cluster.pods()))
    assert 1 == api.asked().count("/api/v1/pods")


@pytest.mark.parametrize("fault", [refusing(429, retry_after=0), refusing(503), faults.reset])
async def test_a_read_is_tried_again(
    api: ApiServer, cluster: KubernetesCluster, fault: Fault
) -> None:
    """What passes in a moment is not seen at all."""
    await cluster.node()
    api.fault(fault, times=2, path="/api/v1/pods")
    assert () == (await cluster.pods()).items


async def test_tries_are_few(api: ApiServer, cluster: KubernetesCluster) -> None:
    """A server that fails for good is asked three times."""
    await cluster.node()
    api.fault(refusing(500), path="/api/v1/pods")
    await failure(cluster.pods())
    assert 3 == api.asked().count("/api/v1/pods")


async def test_retry_after_is_bounded(api: ApiServer, cluster: KubernetesCluster) -> None:
    """An hour of Retry-After is not waited for within a look."""
    await cluster.node()
    api.fault(refusing(429, retry_after=3600), times=1, path="/api/v1/pods")
    assert () == (await cluster.pods()).items


@pytest.mark.parametrize("write", WRITES)
@pytest.mark.parametrize("fault", [refusing(500), refusing(503), refusing(429), faults.reset])
async def test_a_write_is_never_tried_again(
    api: ApiServer,
    cluster: KubernetesCluster,
    fault: Fault,
    write: Callable[[KubernetesCluster], Awaitable[object]],
) -> None:
    """Only a new look can say what a second one would do."""
    await cluster.node()
    api.requests.clear()
    api.fault(fault)
    assert ActFailed is type(await failure(write(cluster)))
    assert 1 == len(api.requests)


@pytest.mark.parametrize("write", WRITES[:2])
async def test_a_failed_test_is_a_conflict(
    api: ApiServer,
    cluster: KubernetesCluster,
    write: Callable[[KubernetesCluster], Awaitable[object]],
) -> None:
    """422 of a JSON patch means that the node changed since it was read."""
    api.put("Node", recorded("node-ready"))
    before = api.store.revision
    assert Conflict is type(await failure(write(cluster)))
    assert before == api.store.revision


async def test_a_list_that_expired_is_begun_anew_once(
    api: ApiServer, cluster: KubernetesCluster
) -> None:
    """410 of a continue token restarts the list, and a second one makes it ill."""
    for number in range(150):
        api.put("Pod", pod_json(running(), name=f"pod-{number}"))
    await cluster.node()
    api.requests.clear()
    api.fault(expired_once(api), path="/api/v1/pods", times=1)
    assert 150 == len((await cluster.pods()).items)
    begun = [one.query.get("continue") is None for one in api.requests]
    assert [True, False, True, False] == begun


def expired_once(api: ApiServer) -> Fault:
    """The first page as it should be, after which the server forgets what it was of."""
    honest = api.first_page("Pod", limit=100)
    api.store.compact()
    return faults.answering(honest)


async def test_nobody_listens(tmp_path: Path, api: ApiServer) -> None:
    """A refused connection is an illness, for reads, and a failed act for writes."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    async with door(api.kubeconfig(tmp_path / "kubeconfig"), port) as cluster:
        assert isinstance(await failure(cluster.node()), TargetIll)
        assert ActFailed is type(await failure(WRITES[0](cluster)))


async def test_a_listener_that_speaks_no_tls(tmp_path: Path, api: ApiServer) -> None:
    """Plain bytes where TLS should begin are nonsense, and so an illness."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1") as server:
        port = server.sockets[0].getsockname()[1]
        async with door(api.kubeconfig(tmp_path / "kubeconfig"), port) as cluster:
            found = await failure(cluster.node())
    assert isinstance(found, TargetIll)
    assert "SSL" in found.detail


async def test_another_certificate_is_not_an_illness(tmp_path: Path, api: ApiServer) -> None:
    """A server whose certificate does not verify is not ours: we cannot look."""
    async with ApiServer() as stranger:
        path = stranger.kubeconfig(tmp_path / "kubeconfig")
        async with door(path, api.port) as cluster:
            found = await failure(cluster.node())
    assert CannotLook is type(found)
    assert f"kubeconfig {path}" == found.place
    assert "certificate" in found.detail
    assert "talosctl kubeconfig" in found.detail


async def test_a_list_without_an_end(api: ApiServer, cluster: KubernetesCluster) -> None:
    """A continue token that never ends is an illness, not a loop."""
    api.fault(
        faults.answering({"items": [], "metadata": {"continue": "more"}}), path="/api/v1/pods"
    )
    with pytest.raises(TargetIll, match="more than 200 pages"):
        await cluster.pods()


async def test_pages_share_one_allowance(api: ApiServer, cluster: KubernetesCluster) -> None:
    """Many pages of a middling size are as bad as one that is huge."""
    page = {"items": [], "metadata": {"continue": "more"}, "filler": "x" * (20 << 20)}
    api.fault(faults.answering(page), path="/api/v1/pods")
    with pytest.raises(TargetIll, match=r"answered more than \d+ bytes"):
        await cluster.pods()
    assert 7 == api.asked().count("/api/v1/pods")


async def test_a_service_that_makes_no_sense(api: ApiServer, cluster: KubernetesCluster) -> None:
    """A Service without ports where ports should be is an illness."""
    broken = {"metadata": {}, "items": [{"metadata": {"name": "x"}, "spec": {"ports": [1]}}]}
    api.fault(faults.answering(broken), path="/api/v1/services")
    with pytest.raises(TargetIll, match="makes no sense"):
        await cluster.services()


async def test_a_failure_seen_is_told_rather_than_silence(api: ApiServer, tmp_path: Path) -> None:
    """When the deadline ends the tries, what the server said before counts."""
    async with door(api.kubeconfig(tmp_path / "kubeconfig"), api.port, deadline=1.0) as cluster:
        await cluster.node()
        api.fault(refusing(503), times=1, path="/api/v1/pods")
        api.fault(faults.hung, path="/api/v1/pods")
        with pytest.raises(TargetIll, match="503: the lab says 503"):
            await cluster.pods()


async def test_words_of_what_is_no_status_are_kept(
    api: ApiServer, cluster: KubernetesCluster
) -> None:
    """A proxy's 502 is told with the beginning of its page."""
    api.fault(faults.answering("Bad Gateway", 502), path="/api/v1/pods")
    with pytest.raises(TargetIll, match='502: "Bad Gateway"'):
        await cluster.pods()

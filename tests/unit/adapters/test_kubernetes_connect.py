"""Which port and which context the Kubernetes adapter believes in."""

import json
import os
import socket
import stat
from pathlib import Path

import anyio
import pytest

from healer.adapters.kubernetes import KubernetesCluster
from healer.ports import CannotLook, Denied, PortError, TargetIll
from tests.apiserver import faults
from tests.apiserver.faults import refusing
from tests.apiserver.kubeconfig import write_kubeconfig
from tests.apiserver.server import ApiServer
from tests.cluster_objects import pod_json, recorded, running
from tests.unit.adapters.kubernetes_door import Binding, door


def closed_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


def renamed(name: str) -> dict[str, object]:
    """A node of another cluster."""
    raw: dict[str, object] = recorded("node-ready")
    return {**raw, "metadata": {**recorded("node-ready")["metadata"], "name": name}}


async def test_dockers_port_beats_the_kubeconfigs(tmp_path: Path, api: ApiServer) -> None:
    """A stale server line is walked around, reported, and never written."""
    path = api.kubeconfig(tmp_path / "kubeconfig", port=64784)
    before = path.read_bytes()
    async with door(path, api.port) as cluster:
        found = await cluster.readiness()
    assert (api.port, 64784) == (found.port, found.kubeconfig_port)
    assert before == path.read_bytes()


async def test_without_docker_the_kubeconfigs_port_has_to_do(
    tmp_path: Path, api: ApiServer
) -> None:
    """When Docker cannot be asked, the server line is all there is."""
    async with door(api.kubeconfig(tmp_path / "kubeconfig"), None) as cluster:
        assert api.port == (await cluster.readiness()).port


async def test_without_docker_the_last_port_is_remembered(tmp_path: Path, api: ApiServer) -> None:
    """Docker falling silent does not send us back to a stale server line."""
    binding = Binding(api.port)
    path = api.kubeconfig(tmp_path / "kubeconfig", port=closed_port())
    async with door(path, binding) as cluster:
        await cluster.node()
        binding.port = None
        api.fault(refusing(500), times=1)
        assert not (await cluster.readiness()).ready
        touch(path)
        assert api.port == (await cluster.readiness()).port


async def test_docker_is_asked_only_when_there_is_doubt(tmp_path: Path, api: ApiServer) -> None:
    """Once for many requests, and again after one that failed."""
    binding = Binding(api.port)
    async with door(api.kubeconfig(tmp_path / "kubeconfig"), binding) as cluster:
        for _ in range(3):
            await cluster.services()
        assert 1 == binding.asked
        api.fault(faults.web_page, times=1, path="/readyz")
        api.fault(refusing(418), times=1, path="/readyz")
        await cluster.readiness()
        with pytest.raises(TargetIll):
            await cluster.readiness()
        await cluster.readiness()
    assert 2 == binding.asked


async def test_a_moved_port_is_followed(tmp_path: Path, api: ApiServer) -> None:
    """After a refusal Docker is asked anew, so the second look finds the API elsewhere."""
    binding = Binding(None)
    async with ApiServer(authority=api.authority) as moved:
        moved.put("Node", recorded("node-ready"))
        binding.port = moved.port
        async with door(api.kubeconfig(tmp_path / "kubeconfig"), binding) as cluster:
            assert moved.port == (await cluster.readiness()).port
            await moved.stop()
            binding.port = api.port
            assert isinstance(await failure(cluster), TargetIll)
            assert api.port == (await cluster.readiness()).port


async def test_a_docker_that_hangs_is_not_the_apis_fault(tmp_path: Path, api: ApiServer) -> None:
    """Half the deadline goes by, and the API is asked on the kubeconfig's port."""

    class Hanging(Binding):
        async def __call__(self) -> int | None:
            await anyio.sleep_forever()
            return None

    path = api.kubeconfig(tmp_path / "kubeconfig")
    async with door(path, Hanging(None), deadline=4.0) as cluster:
        assert (await cluster.readiness()).ready


async def test_the_current_context_means_nothing(tmp_path: Path, api: ApiServer) -> None:
    """The context is the one whose CA verifies, wherever it stands in the file."""
    path = tmp_path / "kubeconfig"
    async with ApiServer() as stranger:
        stranger.put("Node", recorded("node-ready"))
        write_kubeconfig(path, stranger.entry("stranger"), api.entry("ours"))
        async with door(path, api.port) as cluster:
            await cluster.node()
        assert [] == stranger.requests


async def test_our_node_decides_between_clusters_of_one_ca(tmp_path: Path) -> None:
    """Without Docker's word, a cluster that verifies and has another node is not ours."""
    path = tmp_path / "kubeconfig"
    async with ApiServer() as other, ApiServer(authority=other.authority) as ours:
        other.put("Node", renamed("somebody-elses"))
        ours.put("Node", recorded("node-ready"))
        write_kubeconfig(path, other.entry("other"), ours.entry("ours"))
        async with door(path, None) as cluster:
            assert ours.port == (await cluster.readiness()).port


async def test_a_cluster_without_our_node_is_not_looked_at(tmp_path: Path) -> None:
    """It is no NotThere, which would pass for the success of a delete."""
    async with ApiServer() as other:
        other.put("Node", renamed("somebody-elses"))
        async with door(other.kubeconfig(tmp_path / "kubeconfig"), other.port) as cluster:
            found = await failure(cluster)
    assert CannotLook is type(found)
    assert "it knows no node joelclaw-controlplane-1" in found.detail


async def test_a_refusal_of_ours_outweighs_a_strangers_certificate(
    tmp_path: Path, api: ApiServer
) -> None:
    """Of several contexts that do not fit, the one that got so far as to be refused speaks."""
    path = tmp_path / "kubeconfig"
    api.fault(refusing(401, "Unauthorized"))
    async with ApiServer() as stranger:
        write_kubeconfig(path, stranger.entry("stranger"), api.entry("ours"))
        async with door(path, api.port) as cluster:
            assert Denied is type(await failure(cluster))


async def test_after_a_refusal_it_chooses_anew(tmp_path: Path, api: ApiServer) -> None:
    """401 drops the connection; the next look makes another, with fresh certificates."""
    async with door(api.kubeconfig(tmp_path / "kubeconfig"), api.port) as cluster:
        await cluster.node()
        api.fault(refusing(401, "Unauthorized"), times=1)
        assert Denied is type(await failure(cluster))
        api.requests.clear()
        await cluster.readiness()
    assert [f"/api/v1/nodes/{'joelclaw-controlplane-1'}", "/readyz"] == api.asked()


async def test_a_new_kubeconfig_is_read(tmp_path: Path, api: ApiServer) -> None:
    """talosctl wrote it anew for a new cluster: no restart of healer is needed."""
    async with ApiServer() as stranger:
        path = stranger.kubeconfig(tmp_path / "kubeconfig")
        async with door(path, api.port) as cluster:
            assert CannotLook is type(await failure(cluster))
            api.kubeconfig(path)
            touch(path)
            assert (await cluster.readiness()).ready


async def test_a_refused_request_does_not_break_one_beside_it(
    tmp_path: Path, api: ApiServer
) -> None:
    """A connection is closed only when its last user is done with it."""
    for number in range(5):
        api.put("Pod", pod_json(running(), name=f"pod-{number}"))
    went = anyio.Event()
    refused = anyio.Event()
    counts = []
    async with door(api.kubeconfig(tmp_path / "kubeconfig"), api.port) as cluster:
        await cluster.node()
        api.fault(faults.after(went, refused, api.first_page("Pod")), path="/api/v1/pods")
        api.fault(refusing(401, "Unauthorized"), path="/readyz")

        async def count() -> None:
            counts.append(len((await cluster.pods()).items))

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(count)
            await went.wait()
            assert Denied is type(await failure(cluster))
            refused.set()
    assert [5] == counts


async def test_a_proxy_of_the_environment_is_passed_by(
    tmp_path: Path, api: ApiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """HTTPS_PROXY would capture even 127.0.0.1 (facts/talos-kubernetes.md §7)."""
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{closed_port()}")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    async with door(api.kubeconfig(tmp_path / "kubeconfig"), api.port) as cluster:
        assert (await cluster.readiness()).ready


async def test_keys_do_not_stay_on_the_disk(
    tmp_path: Path, api: ApiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The library wants files; they are private while it reads them, and gone afterwards."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr("tempfile.tempdir", None)
    async with door(api.kubeconfig(tmp_path / "kubeconfig"), api.port) as cluster:
        await cluster.node()
        assert [] == list(folder.iterdir())


async def test_a_kubeconfig_without_a_context_that_fits_names_file_and_remedy(
    tmp_path: Path,
) -> None:
    """Whoever reads the message knows the file, what is wrong and what to run."""
    path = tmp_path / "kubeconfig"
    async with door(path, 6443) as cluster:
        found = await failure(cluster)
    assert CannotLook is type(found)
    assert f"kubeconfig {path}" == found.place
    assert f"is not there; write it with: talosctl kubeconfig {path}" == found.detail


async def test_a_certificate_that_cannot_be_loaded_is_not_the_apis_fault(
    tmp_path: Path, api: ApiServer
) -> None:
    """A key that belongs to another certificate is named with its context."""
    path = api.kubeconfig(tmp_path / "kubeconfig")
    raw = json.loads(path.read_text(encoding="utf-8"))
    other = tmp_path / "other"
    api.kubeconfig(other)
    key = json.loads(other.read_text(encoding="utf-8"))["users"][0]["user"]["client-key-data"]
    raw["users"][0]["user"]["client-key-data"] = key
    path.write_text(json.dumps(raw), encoding="utf-8")
    async with door(path, api.port) as cluster:
        found = await failure(cluster)
    assert CannotLook is type(found)
    assert "context admin@joelclaw cannot be loaded" in found.detail


async def test_no_port_at_all(tmp_path: Path, api: ApiServer) -> None:
    """Docker silent and a server line without a port: we cannot look, and say why."""
    path = tmp_path / "kubeconfig"
    api.authority.write_kubeconfig(path, "https://localhost", "joelclaw")
    async with door(path, None) as cluster:
        found = await failure(cluster)
    assert CannotLook is type(found)
    assert "no context fits the server: no context names a port" in found.detail


async def failure(cluster: KubernetesCluster) -> PortError:
    """What a look at readiness raised."""
    with pytest.raises(PortError) as caught:
        await cluster.readiness()
    return caught.value


def touch(path: Path) -> None:
    """Make the file look written anew, on a clock of any grain."""
    before = path.stat()[stat.ST_MTIME]
    os.utime(path, (before + 10, before + 10))

"""The tests' own API server answers as the recordings say that a real one does."""

import json
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import anyio
import pytest
from anyio import to_thread

from tests.apiserver.faults import refusing
from tests.apiserver.server import ApiServer
from tests.apiserver.statuses import RefusedError
from tests.cluster_objects import NODE, pod_json, recorded, running
from tests.lab.kubernetes.api import Answer, ApiDoor

Json = dict[str, Any]


@pytest.fixture
async def api() -> AsyncIterator[ApiServer]:
    """A server that holds what the recorded requests are about."""
    async with ApiServer() as one:
        one.put("Node", recorded("node-ready"))
        one.put("Deployment", recorded("deployment-livekit-chart"))
        pod = recorded("answer-delete-body-beats-query")["body"]
        for name in ("deletionTimestamp", "deletionGracePeriodSeconds"):
            del pod["metadata"][name]
        one.put("Pod", {**pod, "metadata": {**pod["metadata"], "generation": 1}})
        yield one


@pytest.fixture
def door(api: ApiServer, tmp_path: Path) -> "Door":
    """The lab's raw door, on this server."""
    return Door(ApiDoor(api.kubeconfig(tmp_path / "kubeconfig")))


class Door:
    """The raw door, which blocks, from a coroutine."""

    def __init__(self, door: ApiDoor) -> None:
        self._door = door

    async def ask(
        self, method: str, path: str, body: object = None, content_type: str = "application/json"
    ) -> Answer:
        """Send one request."""

        def send() -> Answer:
            headers = {"Content-Type": content_type}
            return self._door.request(method, path, body=body, headers=headers)

        return await to_thread.run_sync(send)

    async def again(self, name: str) -> tuple[Answer, Answer]:
        """The recorded answer, and ours to the same request."""
        was = recorded(f"answer-{name}")
        asked = was["request"]
        ours = await self.ask(asked["method"], asked["path"], asked["body"], asked["content_type"])
        return Answer(was["status"], was["body"]), ours


@pytest.mark.parametrize(
    "name",
    [
        "not-found",
        "delete-not-found",
        "delete-uid-mismatch",
        "stale-resource-version",
        "test-failed",
        "test-no-such-path",
        "rolling-update-forbidden",
    ],
)
async def test_a_refusal_is_the_recorded_one(door: Door, name: str) -> None:
    """Status, reason, message, details and causes are a real server's, to the letter."""
    expected, actual = await door.again(name)
    assert expected == actual


async def test_a_body_beats_the_query(door: Door) -> None:
    """Grace 30 in the body against 0 in the query: the pod is marked, with 30 s (§4)."""
    expected, actual = await door.again("delete-body-beats-query")
    assert expected.status == actual.status
    for name in ("deletionGracePeriodSeconds", "generation", "uid"):
        assert expected.body["metadata"][name] == actual.body["metadata"][name]
    assert actual.body["metadata"]["deletionTimestamp"]


async def test_an_expired_watch_is_an_event(api: ApiServer, door: Door) -> None:
    """Status 200 and one ERROR event with code 410."""
    api.store.compact()
    expected, actual = await door.again("watch-expired")
    oldest = str(api.store.compacted)
    said = json.loads(json.dumps(expected.body).replace("1410", oldest))
    assert Answer(expected.status, said) == actual


async def test_a_watch_tells_what_changed(api: ApiServer, door: Door) -> None:
    """From the version on, until its time is over."""
    before = api.store.revision
    api.put("Pod", pod_json(running(), name="new"))
    path = f"/api/v1/pods?watch=1&resourceVersion={before}&timeoutSeconds=0"
    answer = await door.ask("GET", path)
    assert ("ADDED", "new") == (answer.body["type"], answer.body["object"]["metadata"]["name"])


async def test_healers_livekit_patch_ends_as_recorded(door: Door) -> None:
    """Merged by container and by field, with the probes' defaults, to the recorded spec."""
    patched = recorded("deployment-livekit-just-patched")
    container = patched["spec"]["template"]["spec"]["containers"][0]
    probes = {name: container[name] for name in container if name.endswith("Probe")}
    body = {
        "spec": {
            "strategy": {"type": "Recreate", "rollingUpdate": None},
            "template": {"spec": {"containers": [{"name": "livekit-server", **probes}]}},
        }
    }
    content_type = "application/strategic-merge-patch+json"
    path = "/apis/apps/v1/namespaces/joelclaw/deployments/livekit-server"
    answer = await door.ask("PATCH", path, body, content_type)
    assert patched["spec"] == answer.body["spec"]
    assert patched["metadata"]["generation"] == answer.body["metadata"]["generation"]
    same = await door.ask("PATCH", path, body, content_type)
    assert answer.body["metadata"] == same.body["metadata"]


@pytest.mark.parametrize(
    ("spec", "status", "options", "expected"),
    [
        ({"nodeName": NODE}, {}, {}, 30),
        ({"nodeName": NODE, "terminationGracePeriodSeconds": 5}, {}, {}, 5),
        ({"nodeName": NODE}, {}, {"gracePeriodSeconds": -3}, 1),
        ({"nodeName": NODE}, {}, {"gracePeriodSeconds": 0}, None),
        ({"nodeName": NODE}, {"phase": "Succeeded"}, {"gracePeriodSeconds": 9}, None),
        ({}, {}, {"gracePeriodSeconds": 9}, None),
    ],
)
async def test_grace_of_a_delete(
    api: ApiServer, door: Door, spec: Json, status: Json, options: Json, expected: int | None
) -> None:
    """Zero, and pods that no kubelet runs, go at once; below zero is one second (§4)."""
    metadata = {"namespace": "default", "name": "p"}
    api.put("Pod", {"metadata": metadata, "spec": spec, "status": status})
    await door.ask("DELETE", "/api/v1/namespaces/default/pods/p", options)
    assert expected == grace_left(api)


async def test_a_second_delete_only_shortens(api: ApiServer, door: Door) -> None:
    """The longer grace of a later delete changes nothing; a finalizer keeps even grace 0."""
    metadata = {"namespace": "default", "name": "p", "finalizers": ["lab.invalid/keep"]}
    api.put("Pod", {"metadata": metadata, "spec": {"nodeName": NODE}})
    seen = []
    for grace in (20, 25, 5, 0):
        options = {"gracePeriodSeconds": grace}
        await door.ask("DELETE", "/api/v1/namespaces/default/pods/p", options)
        seen.append(grace_left(api))
    assert [20, 20, 5, 0] == seen


async def test_a_stale_precondition_is_a_conflict(api: ApiServer, door: Door) -> None:
    """A delete of the version before is refused."""
    metadata = {"namespace": "default", "name": "p"}
    stored = api.put("Pod", {"metadata": metadata, "spec": {"nodeName": NODE}})
    api.put("Pod", {**stored, "spec": {"nodeName": NODE, "priority": 1}})
    options = {"preconditions": {"resourceVersion": stored["metadata"]["resourceVersion"]}}
    answer = await door.ask("DELETE", "/api/v1/namespaces/default/pods/p", options)
    assert (409, "Conflict") == (answer.status, answer.body["reason"])
    assert "ResourceVersion in the precondition" in answer.body["message"]


async def test_a_continue_token_expires(api: ApiServer, door: Door) -> None:
    """410 with reason Expired once the server has forgotten the list's version."""
    api.put("Pod", pod_json(running(), name="other"))
    page = await door.ask("GET", "/api/v1/pods?limit=1")
    token = page.body["metadata"]["continue"]
    rest = await door.ask("GET", f"/api/v1/pods?limit=1&continue={token}")
    assert "continue" not in rest.body["metadata"]
    api.store.compact()
    late = await door.ask("GET", f"/api/v1/pods?limit=1&continue={token}")
    assert (410, "Expired") == (late.status, late.body["reason"])


async def test_faults_come_and_go(api: ApiServer, door: Door) -> None:
    """A fault lasts for as many requests of its path as it was set for."""
    api.fault(refusing(503), times=1, path="/readyz")
    seen = [(await door.ask("GET", path)).status for path in ("/version", "/readyz", "/readyz")]
    assert [200, 503, 200] == seen
    api.fault(refusing(503))
    api.mend()
    assert 200 == (await door.ask("GET", "/readyz")).status


async def test_a_path_of_nothing_is_gos_own_404(door: Door) -> None:
    """Unknown paths are answered in plain text, not by a Status."""
    assert Answer(404, None) == await door.ask("GET", "/apis/none/v1/things")


async def test_a_stranger_is_not_let_in(api: ApiServer) -> None:
    """Without a client certificate everything is 401."""
    context = ssl.create_default_context(cadata=api.authority.pem())
    async with await anyio.connect_tcp(
        "127.0.0.1", api.port, ssl_context=context, tls_standard_compatible=False
    ) as stream:
        await stream.send(b"GET /readyz HTTP/1.1\r\nHost: api\r\nConnection: close\r\n\r\n")
        assert (await stream.receive()).startswith(b"HTTP/1.1 401 ")


def grace_left(api: ApiServer) -> int | None:
    """Seconds that the pod `p` was given; None when it is gone."""
    try:
        pod = api.get("Pod", "default", "p")
    except RefusedError:
        return None
    found: int = pod["metadata"]["deletionGracePeriodSeconds"]
    return found

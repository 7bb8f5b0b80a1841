"""The API server alone answers as the recordings say that a whole cluster does."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.lab.kubernetes.api import JSON_PATCH, STRATEGIC_PATCH
from tests.lab.kubernetes.faults import pod, template

if TYPE_CHECKING:
    from tests.lab.kubernetes.apiserver import ApiServer

pytestmark = pytest.mark.kubernetes

RECORDINGS = Path(__file__).parents[2] / "recordings" / "kubernetes"
PODS = "/api/v1/namespaces/default/pods"
DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments"


def recorded(name: str) -> Any:  # noqa: ANN401  any JSON
    """A request that was recorded, with its answer."""
    return json.loads((RECORDINGS / f"answer-{name}.json").read_text())


def test_a_failed_test_operation_is_422(api_server: ApiServer) -> None:
    """A JSON patch whose test fails changes nothing and is answered as recorded."""
    created = api_server.api.request("POST", PODS, body=pod("tested", nodeName="nowhere"))
    assert created.status == 201
    patch = [{"op": "test", "path": "/metadata/name", "value": "other"}]
    answer = api_server.api.request(
        "PATCH", f"{PODS}/tested", body=patch, headers={"Content-Type": JSON_PATCH}
    )
    assert recorded("test-failed")["status"] == answer.status
    assert recorded("test-failed")["body"] == answer.body


def test_a_foreign_uid_is_409_and_the_body_beats_the_query(api_server: ApiServer) -> None:
    """A precondition guards a delete, and a grace in the query is not read beside a body."""
    path = f"{PODS}/guarded"
    created = api_server.api.request("POST", PODS, body=pod("guarded", nodeName="nowhere"))
    uid = created.body["metadata"]["uid"]
    foreign = recorded("delete-uid-mismatch")
    answer = api_server.api.request("DELETE", path, body=foreign["request"]["body"])
    assert (foreign["status"], foreign["body"]["reason"]) == (answer.status, answer.body["reason"])
    careful = {"gracePeriodSeconds": 30, "preconditions": {"uid": uid}}
    answer = api_server.api.request("DELETE", f"{path}?gracePeriodSeconds=0", body=careful)
    assert answer.body["metadata"]["deletionGracePeriodSeconds"] == 30


def test_recreate_needs_the_rolling_update_taken_away(api_server: ApiServer) -> None:
    """Changing the strategy alone is refused in the recorded words."""
    body = {"kind": "Deployment", "metadata": {"name": "one"}, "spec": template("one")}
    created = api_server.api.request("POST", DEPLOYMENTS, body={**body, "apiVersion": "apps/v1"})
    assert created.status == 201
    wrong = recorded("rolling-update-forbidden")
    answer = api_server.api.request(
        "PATCH",
        f"{DEPLOYMENTS}/one",
        body=wrong["request"]["body"],
        headers={"Content-Type": STRATEGIC_PATCH},
    )
    assert wrong["status"] == answer.status
    assert wrong["body"]["details"]["causes"] == answer.body["details"]["causes"]

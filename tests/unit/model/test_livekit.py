"""LiveKit's drift."""

import copy
from dataclasses import replace
from typing import Any

import pytest

from healer.model.livekit import drift, in_words, is_ready, patch_in
from tests.cluster_objects import NOW, Json, livekit, recorded
from tests.fakes_cluster import merged

HOST = {"host": "127.0.0.1"}


def chart() -> Json:
    """What the chart renders."""
    return recorded("deployment-livekit-chart")


def container(raw: Json) -> Json:
    """The one container of a Deployment or of a patch."""
    found: Json = raw["spec"]["template"]["spec"]["containers"][0]
    return found


def test_the_charts_deployment_gets_what_differs_and_nothing_else() -> None:
    """The patch of facts/talos-kubernetes.md §6, with the null that the API insists on."""
    expected = {
        "spec": {
            "strategy": {"type": "Recreate", "rollingUpdate": None},
            "template": {
                "spec": {
                    "containers": [
                        {
                            "name": "livekit-server",
                            "startupProbe": {
                                "periodSeconds": 5,
                                "failureThreshold": 24,
                                "timeoutSeconds": 1,
                                "httpGet": {**HOST, "path": "/", "port": "http", "scheme": "HTTP"},
                                "terminationGracePeriodSeconds": 30,
                            },
                            "livenessProbe": {
                                "initialDelaySeconds": 30,
                                "failureThreshold": 6,
                                "httpGet": HOST,
                                "terminationGracePeriodSeconds": 30,
                            },
                            "readinessProbe": {
                                "initialDelaySeconds": 10,
                                "periodSeconds": 5,
                                "failureThreshold": 6,
                                "httpGet": HOST,
                            },
                        }
                    ]
                }
            },
        }
    }

    assert expected == drift(chart())


@pytest.mark.parametrize("name", ["just-patched", "patched"])
def test_a_real_patched_deployment_has_no_drift(name: str) -> None:
    """What a real API server made of the owner's patch needs none."""
    assert {} == drift(recorded(f"deployment-livekit-{name}"))


def test_a_patch_ends_the_drift() -> None:
    """Applied once, nothing is left to apply."""
    assert {} == drift(merged(chart(), drift(chart())))


def test_defaults_are_not_drift() -> None:
    """What the API server would fill in may be absent, and the port may be a name or a number."""
    terse = merged(chart(), drift(chart()))
    for name in ("startupProbe", "livenessProbe", "readinessProbe"):
        probe = container(terse)[name]
        probe.pop("timeoutSeconds", None)
        probe["httpGet"] = {**HOST, "port": 7880}
    container(terse)["livenessProbe"].pop("periodSeconds")

    assert {} == drift(terse)


@pytest.mark.parametrize(
    ("handler", "value"),
    [("tcpSocket", {"port": 7881}), ("exec", {"command": ["true"]}), ("grpc", {"port": 1})],
)
def test_another_handler_is_taken_out_in_the_same_patch(handler: str, value: Json) -> None:
    """A probe has one handler only."""
    other = merged(chart(), drift(chart()))
    container(other)["livenessProbe"].pop("httpGet")
    container(other)["livenessProbe"][handler] = value
    change = container(drift(other))["livenessProbe"]

    assert {handler: None, "httpGet": {**HOST, "path": "/", "port": "http", "scheme": "HTTP"}} == {
        key: change[key] for key in (handler, "httpGet")
    }
    assert {} == drift(merged(other, drift(other)))


def test_only_owned_fields_are_touched() -> None:
    """Headers, images and a grace that somebody else has set stay."""
    own = chart()
    container(own)["livenessProbe"]["httpGet"]["httpHeaders"] = [{"name": "a", "value": "b"}]
    container(own)["livenessProbe"]["terminationGracePeriodSeconds"] = 5
    after = merged(own, drift(own))

    assert [{"name": "a", "value": "b"}] == container(after)["livenessProbe"]["httpGet"][
        "httpHeaders"
    ]
    assert 5 == container(after)["livenessProbe"]["terminationGracePeriodSeconds"]
    assert container(own)["image"] == container(after)["image"]


def test_a_missing_grace_alone_is_no_drift() -> None:
    """It is set along with another change and is never a reason for a rollout."""
    fine = merged(chart(), drift(chart()))
    container(fine)["livenessProbe"].pop("terminationGracePeriodSeconds")

    assert {} == drift(fine)


def test_the_port_is_a_number_where_nothing_is_named_http() -> None:
    """A name that the container does not declare would never resolve."""
    unnamed = chart()
    container(unnamed)["ports"] = [{"containerPort": 7880}]
    container(unnamed)["livenessProbe"]["httpGet"]["port"] = 7881

    assert 7880 == container(drift(unnamed))["livenessProbe"]["httpGet"]["port"]
    assert 7880 == container(drift(unnamed))["startupProbe"]["httpGet"]["port"]


@pytest.mark.parametrize("host_network", [False, None])
def test_without_the_hosts_network_there_is_no_drift(host_network: object) -> None:
    """Loopback would be the pod's own, and a rolling update would work."""
    other = chart()
    other["spec"]["template"]["spec"]["hostNetwork"] = host_network

    assert {} == drift(other)


def test_another_container_is_none_of_our_business() -> None:
    """Only the chart's container name is known."""
    other = chart()
    container(other)["name"] = "sfu"

    assert {} == drift(other)
    assert {} == drift({})


def test_the_strategy_alone_is_patched_alone() -> None:
    """A patch without a template is no rollout."""
    rolling: dict[str, Any] = copy.deepcopy(merged(chart(), drift(chart())))
    rolling["spec"]["strategy"] = {"type": "RollingUpdate"}

    assert {"spec": {"strategy": {"type": "Recreate", "rollingUpdate": None}}} == drift(rolling)
    assert "strategy.type=Recreate, strategy.rollingUpdate=(removed)" == in_words(drift(rolling))


def test_a_patch_reads_as_words() -> None:
    """A human sees which field gets which value, and no container's name for a field."""
    words = in_words(drift(chart()))

    assert "livenessProbe.httpGet.host=127.0.0.1" in words
    assert "name=" not in words
    assert "" == in_words({})


def test_ready_means_ready_at_the_generation_that_is_there() -> None:
    """Counts of an older generation say nothing."""
    assert is_ready(livekit(ready=1))
    assert not is_ready(livekit(ready=0))
    assert not is_ready(replace(livekit(ready=1), observed_generation=0))


def test_it_may_get_ready_by_itself_for_a_minute() -> None:
    """A patch is held back from a LiveKit that was available a moment ago."""
    assert 20.0 == patch_in(livekit(available_ago=40).raw, NOW)
    assert 0.0 == patch_in(livekit(available_ago=61).raw, NOW)
    assert 0.0 == patch_in(livekit(ready=1, available_ago=1).raw, NOW)
    assert 0.0 == patch_in({}, NOW)

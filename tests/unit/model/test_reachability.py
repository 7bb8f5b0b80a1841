"""Where on the way to a pod the fault lies."""

from dataclasses import replace

import pytest

from healer.core.reasons import Reason
from healer.model.cluster import ServicePort
from healer.model.published import DEFAULT_PUBLISHED, HOST, HOST_ONLY, POD, PublishedService
from healer.model.reachability import Behind, Silence, behind, mismatch, trouble
from tests.cluster_objects import livekit

REDIS = PublishedService("redis", 6379, "redis", expect="PONG")
PDS = PublishedService("bluesky-pds", 9627, "http", "/xrpc/_health", "version", 3000)
LIVEKIT = PublishedService("livekit-server", 7880, "http", "/", "OK", host_network=True)
PORT = ServicePort("joelclaw", "redis", 6379, 6379, "6379", 1, 1)
QUIET = Silence(REDIS, "refused", False, False, True, Behind(1, 1))  # noqa: FBT003  (a table row)


@pytest.mark.parametrize(
    ("expected", "silence"),
    [
        (Reason.SERVICE_FORWARD_DEAD, QUIET),
        (Reason.SERVICE_FORWARD_DEAD, replace(QUIET, listener_is_ours=True)),
        (Reason.SERVICE_SILENT, replace(QUIET, open_in_vm=False)),
        (Reason.SERVICE_SILENT, replace(QUIET, open_in_vm=None)),
        (Reason.SERVICE_SILENT, replace(QUIET, answered=True)),
        (Reason.SERVICE_NO_ENDPOINTS, replace(QUIET, behind=Behind(0, 1))),
        (None, replace(QUIET, behind=Behind(0, 0))),
        (None, replace(QUIET, behind=Behind(0, None))),
        (Reason.SERVICE_FORWARD_DEAD, replace(QUIET, behind=Behind(1, None))),
        (Reason.SERVICE_FORWARD_DEAD, replace(QUIET, service=LIVEKIT)),
        (None, replace(QUIET, service=LIVEKIT, behind=Behind(0, 1))),
        (None, replace(QUIET, service=LIVEKIT, answered=True)),
    ],
)
def test_the_fault_is_named_where_it_lies(expected: Reason | None, silence: Silence) -> None:
    """docker-proxy accepts for the dead, so an open port counts only with a ready endpoint."""
    found = trouble(silence)

    assert expected is (None if found is None else found.reason)


def test_a_finding_aims_at_the_port_on_the_mac() -> None:
    """What a re-forward must touch."""
    found = trouble(replace(QUIET, service=PDS))

    assert found is not None
    assert "9627" == found.target


@pytest.mark.parametrize(
    "listed",
    [
        replace(PORT, node_port=31234, target_port="redis"),
        replace(PORT, node_port=31234, port=80),
    ],
)
def test_a_service_is_meant_by_its_port_or_its_target(listed: ServicePort) -> None:
    """Either of them is the port that the pod speaks on."""
    assert None is not mismatch(REDIS, 6379, (listed,))


def test_a_nodeport_that_is_not_the_containers_port_is_named_with_its_patch() -> None:
    """The exact line that mends it (R35)."""
    found = mismatch(REDIS, 6379, (replace(PORT, node_port=31234),))

    assert found is not None
    assert "joelclaw/redis:6379" == found.target
    assert (
        "kubectl -n joelclaw patch service redis "
        """-p '{"spec":{"ports":[{"port":6379,"nodePort":6379}]}}'"""
    ) == found.advice


@pytest.mark.parametrize(
    ("service", "inner", "listed"),
    [
        (REDIS, 6379, PORT),
        (REDIS, 6379, replace(PORT, name="other", node_port=31234)),
        (REDIS, 6379, replace(PORT, node_port=31234, desired=0)),
        (REDIS, 6379, replace(PORT, node_port=31234, port=26379, target_port="26379")),
        (PDS, 3000, replace(PORT, name="bluesky-pds", node_port=3000, port=3000)),
        (LIVEKIT, 7880, replace(PORT, name="livekit-server", node_port=31234, port=7880)),
    ],
)
def test_other_nodeports_are_left_alone(
    service: PublishedService, inner: int, listed: ServicePort
) -> None:
    """Right, somebody else's, unwanted, another port of it, or not needed at all."""
    assert None is mismatch(service, inner, (listed,))


def test_what_stands_behind_a_port_is_found_by_the_containers_port() -> None:
    """A NodePort, or the Deployment itself where the pod is on the node's own network."""
    assert Behind(1, 1) == behind(REDIS, 6379, (PORT,), ())
    assert None is behind(REDIS, 6380, (PORT,), ())
    assert Behind(0, 1) == behind(LIVEKIT, 7880, (), (livekit(),))
    assert None is behind(LIVEKIT, 7880, (replace(PORT, node_port=7880),), ())


def test_the_defaults_are_the_owners_ports() -> None:
    """Pinned: facts/incidents.md §6; the host's own 3111 is none of the tower's."""
    spoken = {
        (one.host_port, one.protocol, one.path, one.expect)
        for one in DEFAULT_PUBLISHED
        if one.proves_life
    }
    ports = {6379, 8108, 8288, 8289, 8080, 9070, 9071, 3838, 7880, 7881, 9627}

    carried = {one.host_port for one in DEFAULT_PUBLISHED if one.where == POD}
    assert {*ports, 30900, 30901, 31000, 31001} == carried
    assert {3111} == {one.host_port for one in DEFAULT_PUBLISHED if one.where == HOST}
    assert {
        (6379, "redis", "", "PONG"),
        (8108, "http", "/health", '"ok":true'),
        (8288, "http", "/health", '"status":200'),
        (9070, "http", "/deployments", "deployments"),
        (7880, "http", "/", "OK"),
        (9627, "http", "/xrpc/_health", "version"),
    } == spoken
    assert {9627: 3000} == {
        one.host_port: one.inner_port
        for one in DEFAULT_PUBLISHED
        if one.inner_port != one.host_port
    }
    assert HOST_ONLY.isdisjoint(carried)

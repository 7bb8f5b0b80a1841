"""The node's probe."""

from dataclasses import replace

import pytest

from healer.core.observation import Observation
from healer.core.reasons import Reason
from healer.model.cluster import CONTROL_PLANE_TAINT, Condition, Node, Taint
from healer.model.node_state import taint_index
from healer.ports import CannotLook, Denied, PortError, TargetIll, TargetSilent
from healer.probes.node import NodeProbe
from tests.cluster_objects import (
    DEDICATED,
    NODE,
    NOW,
    ONE,
    as_node,
    node,
    ready,
    recorded,
)
from tests.fakes_cluster import FakeCluster

SHUTTING_DOWN = ready("False", message="node is shutting down")
NO_NETWORK = ready("False", message="NetworkReady=false reason:NetworkPluginNotReady message:x")


async def look(*nodes: Node, now: float = NOW) -> Observation:
    """Look at a cluster with those nodes."""
    cluster = FakeCluster()
    cluster.nodes, cluster.now = list(nodes), now
    return await NodeProbe(cluster).look()


def found(seen: Observation) -> list[tuple[Reason, float]]:
    """Reasons and how long each is held back."""
    return [(one.reason, one.ripe_in) for one in seen.findings]


async def test_a_ready_node_is_well() -> None:
    """Ready, schedulable, untainted."""
    seen = await look(node())

    assert (True, ()) == (seen.well, seen.findings)
    assert f"{NODE} Ready" == seen.summary


@pytest.mark.parametrize(
    ("expected", "one"),
    [
        ([(Reason.NODE_NOT_READY, 0.0)], node(ready("Unknown", message="kubelet stopped posting"))),
        ([(Reason.NODE_NOT_READY, 0.0)], node(SHUTTING_DOWN)),
        ([(Reason.NODE_NOT_READY, 0.0)], replace(node(), conditions=())),
        ([(Reason.NETWORK_NOT_READY, 0.0)], node(NO_NETWORK)),
        ([(Reason.NODE_TAINTED, 0.0)], node(None, ONE)),
        ([(Reason.NODE_CORDONED, 0.0)], node(by_talos=True)),
        ([(Reason.NODE_CORDONED, 30.0)], node(ready(ago=90), by_talos=True)),
        ([(Reason.CORDONED_BY_HUMAN, 0.0)], node(cordoned=True)),
        (
            [(Reason.NODE_CORDONED, 30.0), (Reason.NODE_TAINTED, 60.0)],
            node(ready(ago=90), ONE, by_talos=True),
        ),
        (
            [(Reason.NODE_NOT_READY, 0.0), (Reason.NODE_TAINTED, 30.0)],
            node(SHUTTING_DOWN, ONE, by_talos=True),
        ),
        ([(Reason.NETWORK_NOT_READY, 0.0), (Reason.NODE_TAINTED, 0.0)], node(NO_NETWORK, ONE)),
        ([(Reason.NETWORK_NOT_READY, 0.0)], node(NO_NETWORK, by_talos=True)),
        ([(Reason.FOREIGN_TAINT, 0.0)], node(None, DEDICATED)),
    ],
)
async def test_each_trouble_has_its_reason_and_its_time(
    expected: list[tuple[Reason, float]], one: Node
) -> None:
    """Ready first, then uncordon, the taint last; flannel is never kept waiting by a cordon."""
    assert expected == found(await look(one))


async def test_a_node_that_is_missing_is_not_ready() -> None:
    """The API answered, and knows of none."""
    assert [(Reason.NODE_NOT_READY, 0.0)] == found(await look())


async def test_the_words_of_the_kubelet_are_the_evidence() -> None:
    """Message and age of the heartbeat tell a stuck shutdown from a stale condition."""
    evidence = (await look(node(SHUTTING_DOWN))).findings[0].evidence

    assert "node is shutting down" in evidence
    assert "last heartbeat 5 s ago" in evidence


async def watched(*times: float, heartbeat: float = NOW - 600) -> Observation:
    """Look at a node that is called Ready again and again; the last look."""
    cluster = FakeCluster()
    cluster.nodes = [node(Condition("Ready", "True", heartbeat=heartbeat, transition=NOW - 9000))]
    probe = NodeProbe(cluster)
    looks = []
    for cluster.now in times:
        looks.append(await probe.look())
    return looks[-1]


async def test_a_ready_that_nobody_keeps_up_is_not_believed() -> None:
    """A kubelet reports at least every five minutes, so one that is watched in vain is dead."""
    often = [NOW + 15.0 * n for n in range(28)]

    assert [Reason.NODE_NOT_READY] == [one.reason for one in (await watched(*often)).findings]
    assert (await watched(*often[:26])).well
    assert (await watched(*often, heartbeat=NOW - 180)).well


async def test_a_heartbeat_grows_old_in_a_sleep_and_says_nothing() -> None:
    """I16: the VM slept too, and its kubelet reports within five minutes of its own time."""
    before, after = [NOW + 15.0 * n for n in range(21)], [NOW + 30_000.0, NOW + 30_002.0]

    assert (await watched(*before, *after)).well


async def test_a_clock_that_is_set_back_and_forth_makes_no_kubelet_dead() -> None:
    """I16: only time that was watched counts."""
    jumps = [NOW + 3600.0 * (-1) ** n for n in range(99)]

    assert (await watched(*jumps, heartbeat=NOW - 9000.0)).well


async def test_pressure_is_told_by_its_condition() -> None:
    """Advisory, one a condition, its derived taint not told twice."""
    pressed = replace(
        node(None, Taint("node.kubernetes.io/disk-pressure", "NoSchedule")),
        conditions=(ready(), Condition("DiskPressure", "True", "KubeletHasDiskPressure", "full")),
    )
    seen = await look(pressed)

    assert seen.well
    assert [("DiskPressure", "DiskPressure: full")] == [
        (one.target, one.evidence) for one in seen.findings
    ]


async def test_a_foreign_taint_is_told_with_the_line_that_removes_it() -> None:
    """healer removes none but one."""
    finding = (await look(node(None, DEDICATED))).findings[0]

    assert f"kubectl taint node {NODE} dedicated:NoSchedule-" in finding.advice


@pytest.mark.parametrize(
    ("expected", "name"),
    [
        ([], "node-ready"),
        ([], "node-tainted"),
        ([Reason.NETWORK_NOT_READY], "node-network-not-ready"),
        ([], "node-after-cut"),
        ([Reason.CORDONED_BY_HUMAN], "node-cordoned-by-human"),
        ([Reason.NODE_CORDONED], "node-cordoned-by-talos"),
        ([Reason.NODE_NOT_READY], "node-not-posting"),
        ([Reason.NODE_NOT_READY], "node-shutting-down"),
    ],
)
async def test_a_real_node_is_judged_as_it_was(expected: list[Reason], name: str) -> None:
    """What a real API server answered in that state; its taint comes and goes on its own."""
    one = as_node(recorded(name))
    heartbeat = one.condition("Ready")
    assert heartbeat is not None
    seen = await look(one, now=heartbeat.heartbeat or NOW)

    tainted = [Reason.NODE_TAINTED] if taint_index(one) is not None else []
    assert expected + tainted == [finding.reason for finding in seen.findings]


@pytest.mark.parametrize(
    ("expected", "error"),
    [
        ("the API did not answer: ", TargetIll("GET node", "Connection refused")),
        ("the API did not answer: ", TargetSilent("GET node", "no answer within 5 s")),
        ("the API refused us: ", Denied("GET node", "403 Forbidden")),
        ("GET node: ", CannotLook("GET node", "no kubeconfig")),
    ],
)
async def test_an_api_that_cannot_be_asked_makes_the_node_unknown(
    expected: str, error: PortError
) -> None:
    """Its own layer tells of the API; this one invents nothing."""
    cluster = FakeCluster()
    cluster.faults["node"] = error
    seen = await NodeProbe(cluster).look()

    assert () == seen.findings
    assert seen.unknown.startswith(expected)


async def test_the_evidence_names_the_taint() -> None:
    """Key and effect as they stand there."""
    evidence = (await look(node(None, ONE))).findings[0].evidence

    assert f"{CONTROL_PLANE_TAINT}:NoSchedule" in evidence

"""What a Node says of itself."""

import pytest

from healer.model.cluster import Condition, Taint
from healer.model.node_state import (
    cordoned_by_talos,
    foreign_taints,
    heartbeat_age,
    only_network_missing,
    ready_for,
    taint_index,
    uncordon_in,
    untaint_in,
)
from tests.cluster_objects import DEDICATED, NOW, ONE, as_node, node, ready, recorded

PLUGIN = (
    "container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady "
    "message:Network plugin returns error: cni plugin not initialized"
)


@pytest.mark.parametrize(
    ("expected", "message"),
    [
        (True, PLUGIN),
        (True, f"[{PLUGIN}, CSINode is not yet initialized]"),
        (False, f"[{PLUGIN}, PLEG is not healthy: pleg was last seen active 4m ago]"),
        (False, "node is shutting down"),
        (False, "CSINode is not yet initialized"),
        (False, ""),
    ],
)
def test_a_missing_network_is_told_from_every_other_cause(expected: bool, message: str) -> None:  # noqa: FBT001  (a case)
    """One cause beside the plugin makes the node ill."""
    assert expected is only_network_missing(ready("False", message=message))


def test_a_ready_node_lacks_nothing() -> None:
    """Whatever its message says."""
    assert not only_network_missing(ready("True", message=PLUGIN))


def test_a_real_node_before_its_network_lacks_only_that() -> None:
    """As a real kubelet said it in its first seconds."""
    condition = as_node(recorded("node-network-not-ready")).condition("Ready")

    assert condition is not None
    assert only_network_missing(condition)


def test_the_one_taint_is_found_by_key_effect_and_empty_value() -> None:
    """Anything that looks like it is somebody else's."""
    alike = (
        Taint(ONE.key, "NoExecute"),
        Taint(ONE.key, "NoSchedule", "mine"),
        Taint("node-role.kubernetes.io/master", "NoSchedule"),
        DEDICATED,
    )

    assert 4 == taint_index(node(None, *alike, ONE))
    assert None is taint_index(node(None, *alike))
    assert 0 == taint_index(as_node(recorded("node-tainted")))
    assert None is taint_index(as_node(recorded("node-ready")))


def test_taints_that_follow_from_conditions_are_not_told_twice() -> None:
    """Only what nothing else tells of is foreign."""
    derived = Taint("node.kubernetes.io/not-ready", "NoSchedule")
    soft = Taint("soft", "PreferNoSchedule")

    assert (DEDICATED,) == foreign_taints(node(None, ONE, derived, soft, DEDICATED))


def test_a_cordon_is_talos_own_only_with_its_annotation() -> None:
    """Any other cordon is a human's, and an annotation alone is no cordon."""
    assert cordoned_by_talos(node(by_talos=True))
    assert not cordoned_by_talos(node(cordoned=True))
    assert not cordoned_by_talos(node())


def test_ages_are_counted_by_the_servers_clock() -> None:
    """Ready for an hour, heartbeat five seconds old."""
    assert (3600.0, 5.0) == (ready_for(node(), NOW), heartbeat_age(node(), NOW))
    assert None is ready_for(node(ready("Unknown")), NOW)
    assert None is heartbeat_age(node(Condition("Ready", "True")), NOW)
    assert 0.0 == ready_for(node(Condition("Ready", "True")), NOW)


def test_an_uncordon_waits_for_two_minutes_of_ready() -> None:
    """Talos uncordons by itself in its first moments."""
    assert 0.0 == uncordon_in(node(ready(ago=120)), NOW)
    assert 30.0 == uncordon_in(node(ready(ago=90)), NOW)
    assert 120.0 == uncordon_in(node(ready("False")), NOW)


def test_the_taint_goes_last() -> None:
    """Ready, then uncordoned, then untainted; a missing network is not waited for."""
    assert 0.0 == untaint_in(node(), NOW)
    assert 0.0 == untaint_in(node(ready("False", message=PLUGIN)), NOW)
    assert 0.0 == untaint_in(node(cordoned=True), NOW)
    assert 30.0 == untaint_in(node(ready("False", message="PLEG is not healthy")), NOW)
    assert 30.0 == untaint_in(node(by_talos=True), NOW)
    assert 60.0 == untaint_in(node(ready(ago=90), by_talos=True), NOW)

"""Talos, the API and the node: what comes back by itself, and what never does."""

import pytest

from healer.core.tower import Layer
from healer.model.machine import Forwarder
from healer.simulation.cluster import API_AFTER, KUBELET_AFTER, NODE_READY_AFTER
from healer.simulation.node import REPORT_EVERY, SHUTTING_DOWN
from tests.simulation.stage import Stage

BOOTED = NODE_READY_AFTER + 3.0


def started_anew() -> Stage:
    """A container that was killed and is started in this moment."""
    stage = Stage().wait(100.0).befall("docker_kill")
    stage.tower.box.start_by_hand()
    return stage


@pytest.mark.parametrize("befalls", ["annotation_written", "ready_flip", "cordon_by_human"])
def test_any_change_of_the_node_brings_the_taint_back(befalls: str) -> None:
    """Talos' controller runs on a Ready flip, a cordon and any annotation (§2)."""
    stage = Stage().befall(befalls)
    assert not stage.tower.cluster.node.tainted
    assert stage.wait(5.0).tower.cluster.node.tainted


def test_a_start_brings_the_taint_back_and_its_removal_alone_does_not() -> None:
    """Taints themselves are not watched (§2)."""
    stage = started_anew().wait(BOOTED)
    assert stage.tower.cluster.node.tainted
    stage.tower.cluster.untaint()
    assert not stage.wait(600.0).tower.cluster.node.tainted


def test_a_control_plane_that_may_be_scheduled_on_is_never_tainted() -> None:
    """The permanent cure (§2)."""
    stage = Stage()
    stage.tower.cluster.node.schedulable_for_good = True

    assert not stage.befall("ready_flip").wait(30.0).tower.cluster.node.tainted


def test_a_stop_cordons_and_the_next_boot_takes_it_back() -> None:
    """By Talos' own mark (§1)."""
    stage = Stage().befall("docker_stop").wait(11.0)
    node = stage.tower.cluster.node
    assert (True, True) == (node.cordoned, node.cordoned_by_talos)
    stage.tower.box.start_by_hand()
    assert not stage.wait(BOOTED).tower.cluster.node.cordoned


def test_a_humans_cordon_outlives_a_restart() -> None:
    """Without the mark Talos leaves it alone (§1, §2)."""
    stage = Stage().befall("cordon_by_human").befall("docker_stop").wait(11.0)
    stage.tower.box.start_by_hand()
    stage.wait(BOOTED)

    assert (True, False) == (
        stage.tower.cluster.node.cordoned,
        stage.tower.cluster.node.cordoned_by_talos,
    )
    assert () == stage.tower.undone()


def test_a_shutdown_that_hangs_is_cleared_by_a_new_start_only() -> None:
    """The state lives in the memory of that machined; its heartbeat goes on (§1)."""
    stage = Stage().befall("talos_shutting_down").wait(3600.0)
    node = stage.tower.cluster.node
    assert ("False", SHUTTING_DOWN) == (node.ready, node.message)
    assert stage.tower.clock.at - node.heartbeat() < REPORT_EVERY
    assert Layer.TALOS in stage.ill()
    stage.wait(stage.tower.box.begin_restart(120.0) + BOOTED)
    assert "True" == node.ready


def test_a_wedged_cluster_runs_and_never_answers() -> None:
    """Container `running` says nothing (§1)."""
    stage = Stage().befall("talos_wedged").wait(3600.0)

    assert (True, False) == (stage.tower.box.running, stage.tower.cluster.api.up)


def test_an_api_that_comes_back_shows_the_past_until_a_kubelet_reports() -> None:
    """A power cut leaves Ready, pods and heartbeat as they were (§1, Stuck states)."""
    stage = started_anew()
    objects = stage.tower.objects
    stage.wait(API_AFTER + 0.2)
    assert stage.tower.cluster.api.up
    shown = objects.node()[0].condition("Ready")
    assert shown is not None
    assert ("True", 1) == (shown.status, objects.flannel()[0].available)
    assert {"True"} == {
        one["status"]
        for pod in objects.pods()
        for one in pod.raw["status"]["conditions"]
        if one["type"] == "Ready"
    }
    stage.wait(KUBELET_AFTER - API_AFTER)
    shown = objects.node()[0].condition("Ready")
    assert shown is not None
    assert ("False", 0) == (shown.status, objects.flannel()[0].available)


def test_the_kubelet_writes_an_unchanged_status_every_five_minutes() -> None:
    """And not a second more often (§1): a heartbeat of 299 s is a healthy one."""
    node = Stage().tower.cluster.node
    stage = Stage()
    node, began = stage.tower.cluster.node, stage.tower.cluster.node.heartbeat()
    beats = {began + 300.0 * n for n in range(1, 13)}

    assert beats >= {stage.wait(7.0).tower.cluster.node.heartbeat() for _ in range(400)} - {began}
    assert node.heartbeat() > began


def test_a_dead_kubelet_is_called_unknown_after_forty_seconds() -> None:
    """By the controller (§2)."""
    stage = Stage().befall("kubelet_dies")

    assert "True" == stage.wait(39.0).tower.cluster.node.ready
    assert "Unknown" == stage.wait(2.0).tower.cluster.node.ready


@pytest.mark.parametrize("trouble", ["api_silent", "api_errors"])
def test_a_trouble_of_the_api_ends_by_itself(trouble: str) -> None:
    """And only the API is ill while it lasts."""
    stage = Stage().befall(trouble, seconds=60.0)

    assert {Layer.APISERVER} == stage.wait(59.0).ill()
    assert set() == stage.wait(2.0).ill()
    assert 60.0 == stage.tower.truth(stage.awake)[Layer.APISERVER]


def test_truth_is_about_the_layer_itself_not_about_the_way_to_it() -> None:
    """Behind a dead docker.sock the container is well; by ssh the ports die with it."""
    assert {Layer.DOCKER} == Stage().befall("mux_killed").ill()
    by_ssh = Stage(forwarder=Forwarder.SSH).befall("mux_killed")
    assert {Layer.DOCKER, Layer.APISERVER, Layer.SERVICES} == by_ssh.ill()


def test_truth_tells_since_when_also_of_what_nobody_saw() -> None:
    """A layer that was ill for three seconds is well since then."""
    stage = Stage().wait(10.0).befall("ready_flip").wait(60.0)
    stage.tower.cluster.untaint()
    stage.tower.changed()

    assert 70.0 == stage.tower.truth(stage.awake)[Layer.NODE]
    assert -3600.0 == stage.tower.truth(stage.awake)[Layer.COLIMA]
    assert stage.tower.well

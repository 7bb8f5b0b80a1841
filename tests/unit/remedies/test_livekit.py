"""Patching LiveKit."""

import copy
from collections.abc import Callable
from dataclasses import replace

import pytest

from healer.model.livekit import PatchWhen, drift
from healer.ports import Conflict, TargetIll, TargetSilent
from healer.probes.livekit import LivekitProbe
from healer.remedies.livekit import PatchLivekit
from tests.cluster_objects import as_deployment, livekit
from tests.fakes_cluster import FakeCluster, FakePorts
from tests.unit.remedies.upper import hangs_until_cancelled, intent, perform


class Stage:
    """A drifted LiveKit that is not ready, with its probe and its remedy."""

    def __init__(self, when: PatchWhen = PatchWhen.NOT_READY, *, ready: int = 0) -> None:
        self.cluster = FakeCluster()
        self.cluster.deployments = [livekit("chart", ready=ready)]
        self.remedy = PatchLivekit(self.cluster, self.cluster, when)
        ports = FakePorts(p6379="PONG", p7880="OK")
        self.probe = LivekitProbe(self.cluster, ports, when)


async def test_what_differs_is_patched_once() -> None:
    """One patch, no drift after it, and a second run does nothing."""
    stage = Stage()
    act = await intent(stage.probe, stage.remedy)
    said = await perform(stage.remedy, act)

    assert said.startswith("patched generation 1: strategy.type=Recreate")
    assert {} == drift(stage.cluster.deployments[0].raw)
    assert (await perform(stage.remedy, act)).startswith("not needed: ")
    assert ["patch"] == stage.cluster.acts


async def test_a_ready_one_is_patched_only_if_that_is_wanted() -> None:
    """It ends all calls."""
    always = Stage(PatchWhen.ALWAYS, ready=1)
    act = await intent(always.probe, always.remedy)
    careful = PatchLivekit(always.cluster, always.cluster)

    assert "not needed: it is Ready: a patch would end all calls" == await perform(careful, act)
    assert (await perform(always.remedy, act)).startswith("patched")


async def test_one_that_nobody_wants_is_never_patched() -> None:
    """Not even where a patch is always wanted (I15)."""
    always = Stage(PatchWhen.ALWAYS)
    act = await intent(always.probe, always.remedy)
    scaled_to_zero(always.cluster)

    assert "not needed: it is scaled to zero" == await perform(always.remedy, act)


async def test_a_rollout_that_somebody_paused_is_never_patched() -> None:
    """Between the look and the act, and where a patch is always wanted (I15)."""
    for stage in (Stage(), Stage(PatchWhen.ALWAYS)):
        act = await intent(stage.probe, stage.remedy)
        stage.cluster.deployments = [livekit("chart", paused=True)]

        assert "not needed: a human paused the rollout" == await perform(stage.remedy, act)
        assert [] == stage.cluster.acts


def gone(cluster: FakeCluster) -> None:
    """Somebody deleted it."""
    cluster.deployments = []


def scaled_to_zero(cluster: FakeCluster) -> None:
    """Somebody wants none."""
    cluster.deployments = [livekit("chart", desired=0)]


def patched(cluster: FakeCluster) -> None:
    """Somebody mended it."""
    cluster.deployments = [livekit("patched")]


def another_generation(cluster: FakeCluster) -> None:
    """Somebody changed something else of it."""
    raw = copy.deepcopy(livekit("chart").raw)
    raw["metadata"]["generation"] = raw["status"]["observedGeneration"] = 2
    cluster.deployments = [as_deployment(raw)]


def not_observed(cluster: FakeCluster) -> None:
    """Its controller is behind."""
    cluster.deployments = [replace(livekit("chart"), observed_generation=0)]


def became_ready(cluster: FakeCluster) -> None:
    """It is Ready by now."""
    cluster.deployments = [livekit("chart", ready=1)]


def just_lost(cluster: FakeCluster) -> None:
    """It was available a moment ago."""
    cluster.deployments = [livekit("chart", available_ago=5)]


@pytest.mark.parametrize(
    "change",
    [gone, scaled_to_zero, patched, another_generation, not_observed, became_ready, just_lost],
)
async def test_each_safeguard_holds_by_itself(change: Callable[[FakeCluster], None]) -> None:
    """Found in the last look; also when nobody asked before the act."""
    stage = Stage()
    act = await intent(stage.probe, stage.remedy)
    change(stage.cluster)

    assert (await perform(stage.remedy, act)).startswith("not needed: ")
    with pytest.raises(Conflict):
        await stage.remedy.act(act)
    assert [] == stage.cluster.acts


async def test_a_change_in_the_last_moment_is_a_conflict() -> None:
    """The patch is of the generation that was read; nothing is retried blindly."""
    stage = Stage()
    act = await intent(stage.probe, stage.remedy)
    stage.cluster.meanwhile = lambda: another_generation(stage.cluster)
    with pytest.raises(Conflict):
        await perform(stage.remedy, act)

    assert 1 == len(stage.cluster.acts)


async def test_an_api_that_cannot_be_asked_means_no_act() -> None:
    """The error goes to the engine as it is."""
    stage = Stage()
    act = await intent(stage.probe, stage.remedy)
    stage.cluster.faults["livekit"] = TargetIll("GET deployment", "garbage")
    with pytest.raises(TargetIll):
        await perform(stage.remedy, act)

    assert [] == stage.cluster.acts


async def test_killed_half_way_it_is_run_again() -> None:
    """Silence before the effect: done the next time. An answer lost after it: nothing is left."""
    stage = Stage()
    act = await intent(stage.probe, stage.remedy)

    assert await hangs_until_cancelled(stage.remedy, act, stage.cluster, "patch_livekit")
    stage.cluster.after = TargetSilent("PATCH deployment", "connection reset")
    with pytest.raises(TargetSilent):
        await perform(stage.remedy, act)
    assert (await perform(stage.remedy, act)).startswith("not needed: ")

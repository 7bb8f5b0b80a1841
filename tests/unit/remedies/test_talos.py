"""The Talos container, mended."""

from dataclasses import replace
from functools import partial

import pytest

from healer.core.ladders import Remedy
from healer.core.reasons import Reason
from healer.model.cluster import Condition, Readiness
from healer.model.verdicts import WantedContainer
from healer.ports import ActFailed, CannotLook, Denied, Remedial, TargetIll, TargetSilent
from healer.remedies.talos import (
    RestartContainer,
    SetMemoryLimit,
    SetRestartPolicy,
    StartContainer,
)
from tests.fakes.api import FakeApi, node
from tests.fakes.engine import DOWN, UP, FakeEngine
from tests.unit.remedies.night import act_of, die_in, heal

GIB = 1024**3
START = act_of(Remedy.START_CONTAINER, Reason.TALOS_STOPPED)
STUCK = act_of(
    Remedy.RESTART_CONTAINER, Reason.TALOS_SHUTTING_DOWN, fingerprint="2026-08-01T10:00:00Z"
)
WEDGED = act_of(Remedy.RESTART_CONTAINER, Reason.TALOS_WEDGED)
POLICY = act_of(Remedy.SET_RESTART_POLICY, Reason.RESTART_POLICY)
MEMORY = act_of(Remedy.SET_MEMORY_LIMIT, Reason.MEMORY_LIMIT)
WANTED = WantedContainer(memory=18 * GIB)
GOING = Condition("Ready", "False", "KubeletNotReady", "node is shutting down")


def restart(engine: FakeEngine, api: FakeApi | None = None) -> RestartContainer:
    """The remedy."""
    return RestartContainer(engine, api or FakeApi(), engine)


def going() -> FakeApi:
    """A node that says it is shutting down."""
    api = FakeApi()
    api.nodes = (node(GOING),)
    return api


def silent() -> FakeApi:
    """An API that says nothing."""
    api = FakeApi()
    api.fail(TargetSilent("API", "no answer"))
    return api


def every(engine: FakeEngine) -> tuple[Remedial, ...]:
    """Every remedy of the container."""
    return (
        StartContainer(engine, engine),
        restart(engine, going()),
        SetRestartPolicy(engine, engine, WANTED),
        SetMemoryLimit(engine, engine, WANTED),
    )


async def test_a_stopped_container_is_started_once() -> None:
    """By its id; the second time it runs already."""
    engine = FakeEngine(DOWN)

    assert "started" == await heal(StartContainer(engine, engine), START)
    assert "it runs" == await heal(StartContainer(engine, engine), START)
    assert [f"start {DOWN.id}"] == engine.acts


@pytest.mark.parametrize(
    ("status", "error", "why"),
    [
        ("restarting", "", "Docker itself is restarting it"),
        ("paused", "", "no start can help: somebody paused it"),
        ("exited", "range of CPUs is from 0.01 to 4.00", "no start can help: give the VM more"),
    ],
)
async def test_a_start_that_cannot_help_is_not_tried(status: str, error: str, why: str) -> None:
    """What Docker would refuse, or does by itself, is left alone."""
    engine = FakeEngine(replace(DOWN, status=status, error=error))

    assert why in await heal(StartContainer(engine, engine), START)
    assert [] == engine.acts


async def test_a_start_that_was_killed_is_looked_at_anew() -> None:
    """A start that came through is not repeated; one that did not, is."""
    engine = FakeEngine(DOWN)
    remedy = StartContainer(engine, engine)
    await die_in(engine, "start", lambda: remedy.act(START))

    assert "started" == await heal(remedy, START)
    assert "it runs" == await heal(remedy, START)


async def test_dockers_words_about_a_failed_start_come_out() -> None:
    """They are what a human needs."""
    engine = FakeEngine(replace(DOWN, error="failed to mount overlay"))

    with pytest.raises(ActFailed, match="failed to mount overlay"):
        await heal(StartContainer(engine, engine), START)


async def test_a_stuck_shutdown_is_restarted_once() -> None:
    """The same run that was found stuck; another run is not touched."""
    engine = FakeEngine()
    remedy = restart(engine, going())

    assert "restarted" == await heal(remedy, STUCK)
    assert "it was started anew at anew" == await heal(remedy, STUCK)
    assert [f"restart {UP.id}"] == engine.acts


async def test_a_wedged_container_is_restarted() -> None:
    """Nobody answers at the API's port."""
    engine = FakeEngine()

    assert "restarted" == await heal(restart(engine, silent()), WEDGED)


async def test_a_restart_that_was_killed_is_not_repeated_on_the_new_run() -> None:
    """Docker ends a restart by itself; run again, the new run is left alone."""
    engine = FakeEngine()
    remedy = restart(engine, going())
    await die_in(engine, "restart", lambda: remedy.act(STUCK))
    engine.box = replace(UP, started_at="anew")

    assert "started anew" in await heal(remedy, STUCK)


@pytest.mark.parametrize("ready", [True, False])
async def test_an_api_that_answers_is_no_wedge(ready: bool) -> None:  # noqa: FBT001 (a table of truths)
    """Also one that is not ready, or refuses us."""
    engine, api = FakeEngine(), FakeApi()
    api.ready = Readiness(ready=ready, port=6443, detail="")

    assert "the API answers" == await heal(restart(engine, api), WEDGED)
    api.fail(Denied("API", "401"))
    assert "the API answers: API: 401" == await heal(restart(engine, api), WEDGED)
    assert [] == engine.acts


async def test_a_node_that_came_back_is_not_restarted() -> None:
    """Its condition is read again just before."""
    engine = FakeEngine()

    assert "does not say any more" in await heal(restart(engine), STUCK)
    assert [] == engine.acts


async def test_a_container_that_is_down_is_not_restarted() -> None:
    """A start is the remedy then."""
    engine = FakeEngine(DOWN)

    assert "it is exited: a start is the remedy" == await heal(restart(engine, silent()), WEDGED)


async def test_somebodys_stop_under_way_is_not_turned_into_a_restart() -> None:
    """A `kill` event of this run is a human's `docker stop`."""
    engine = FakeEngine(human_ago=20.0)

    assert "somebody began to stop it 20 s ago" == await heal(restart(engine, going()), STUCK)


@pytest.mark.parametrize("fault", [TargetIll("API", "refused"), CannotLook("kubeconfig", "none")])
async def test_without_the_nodes_word_nothing_is_restarted(fault: Exception) -> None:
    """Not to know is a clean error."""
    engine, api = FakeEngine(), FakeApi()
    api.fail(fault)

    with pytest.raises(type(fault)):
        await heal(restart(engine, api), STUCK)
    assert [] == engine.acts


async def test_the_policy_is_set_once_and_alone() -> None:
    """Only when it differs, and the memory is left as it is."""
    engine = FakeEngine(replace(DOWN, restart_policy="no"))
    remedy = SetRestartPolicy(engine, engine, WANTED)

    assert "updated" == await heal(remedy, POLICY)
    assert "it is as wanted" == await heal(remedy, POLICY)
    assert [f"update {UP.id} unless-stopped 0"] == engine.acts


async def test_the_memory_limit_is_set_once_and_alone() -> None:
    """Both limits in one call (facts/talos-kubernetes.md §1), and the policy is left as it is."""
    engine = FakeEngine()
    remedy = SetMemoryLimit(engine, engine, WANTED)

    assert "updated" == await heal(remedy, MEMORY)
    assert "it is as wanted" == await heal(remedy, MEMORY)
    assert [f"update {UP.id}  {18 * GIB}"] == engine.acts


async def test_what_is_not_wanted_is_not_set() -> None:
    """Without a wanted policy or limit the container is left as it is."""
    engine = FakeEngine(replace(UP, restart_policy="always"))
    wanted = WantedContainer(restart_policy="", memory=0)

    assert "it is as wanted" == await heal(SetRestartPolicy(engine, engine, wanted), POLICY)
    assert "it is as wanted" == await heal(SetMemoryLimit(engine, engine, wanted), MEMORY)
    assert [] == engine.acts


async def test_updates_that_were_killed_are_done_again() -> None:
    """An update twice is an update once."""
    engine = FakeEngine(replace(UP, restart_policy="no"))
    remedies: tuple[Remedial, ...] = (
        SetRestartPolicy(engine, engine, WANTED),
        SetMemoryLimit(engine, engine, WANTED),
    )

    for remedy in remedies:
        await die_in(engine, "update", partial(remedy.act, POLICY))
        assert "updated" == await heal(remedy, POLICY)
        assert "it is as wanted" == await heal(remedy, POLICY)


async def test_a_container_that_is_gone_is_no_error() -> None:
    """There is nothing to act on, and nothing is made."""
    engine = FakeEngine(None)

    for remedy in every(engine):
        assert "the container is not there" == await heal(remedy, STUCK)
    assert [] == engine.acts


@pytest.mark.parametrize("fault", [TargetIll("docker", "EOF"), CannotLook("docker", "denied")])
async def test_a_docker_that_does_not_answer_is_a_clean_error(fault: Exception) -> None:
    """Without Docker's word nothing is done to the container."""
    engine = FakeEngine(DOWN)
    engine.faults["container"] = fault

    for remedy in every(engine):
        with pytest.raises(type(fault)):
            await heal(remedy, STUCK)
    assert [] == engine.acts


async def test_a_docker_that_hangs_is_left_alone() -> None:
    """The engine ends the look from outside; nothing was done by then."""
    engine = FakeEngine(DOWN)

    for remedy in every(engine):
        await die_in(engine, "container", partial(remedy.needed, STUCK))
    assert [] == engine.acts

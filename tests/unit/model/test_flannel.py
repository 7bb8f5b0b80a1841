"""Flannel's troubles, told from what lingers of old ones."""

import pytest

from healer.model.cluster import Event
from healer.model.flannel import (
    crashed,
    delete_in,
    names_subnet_env,
    pods_of,
    settles_in,
    subnet_env_failure,
)
from tests.cluster_objects import (
    NOW,
    OLDER_SUBNET_ENV,
    as_daemonset,
    as_event,
    as_pod,
    changed,
    daemonset,
    ended,
    flannel_pod,
    lost,
    pod,
    recorded,
    running,
    sandbox_event,
    stamp,
    waiting,
)

UP = flannel_pod(running("kube-flannel", ago=600))
STUCK = pod(waiting("ContainerCreating"), phase="Pending")
SERVING = pod(running(), name="serving")


def proof(*events: Event) -> Event | None:
    """What those events prove about a cluster with one stuck and one serving pod."""
    return subnet_env_failure(events, UP, (UP, STUCK, SERVING), NOW)


@pytest.mark.parametrize("message", [sandbox_event(1, STUCK).message, OLDER_SUBNET_ENV])
def test_both_texts_are_matched(message: str) -> None:
    """Reason and path; the words between differ from version to version."""
    assert None is not proof(sandbox_event(10, STUCK, message))


def test_the_newest_event_is_the_proof() -> None:
    """Its identity is what at most one act may answer."""
    newest = sandbox_event(10, STUCK)

    assert newest == proof(sandbox_event(200, STUCK), newest, sandbox_event(90, STUCK))


@pytest.mark.parametrize(
    "event",
    [
        sandbox_event(601, STUCK),
        sandbox_event(541, STUCK),
        sandbox_event(420, STUCK),
        sandbox_event(10, SERVING),
        sandbox_event(10, pod(waiting("ContainerCreating"), name="gone")),
        sandbox_event(10, STUCK, "failed to pull image pause:3.10"),
    ],
)
def test_what_lingers_proves_nothing(event: Event) -> None:
    """Older than flannel's start and its settling, long past, or of a pod that is served."""
    assert None is proof(event)


@pytest.mark.parametrize(("expected", "ago"), [(False, 50), (False, 30), (True, 29)])
def test_what_a_sandbox_lacked_while_flannel_started_proves_nothing(
    ago: float,
    *,
    expected: bool,
) -> None:
    """It started 50 s ago and writes its file within 20 s; what is lost later is seen at once."""
    young = flannel_pod(running("kube-flannel", ago=50))
    found = subnet_env_failure((sandbox_event(ago, STUCK),), young, (STUCK,), NOW)

    assert expected is (found is not None)


@pytest.mark.parametrize(("ago", "left"), [(50, 10.0), (60, 0.0), (3600, 0.0)])
def test_a_young_flannel_has_a_minute_before_it_is_replaced(ago: float, left: float) -> None:
    """A loss right after a repair is seen, and answered when the minute is over."""
    assert left == settles_in(flannel_pod(running("kube-flannel", ago=ago)), NOW)


def test_an_event_of_seven_minutes_ago_may_still_be_fresh() -> None:
    """What the kubelet may tell is thinned to one in five minutes."""
    assert None is not proof(sandbox_event(419, STUCK))


def test_a_flannel_that_does_not_run_is_another_trouble() -> None:
    """Without a running container there is no start to compare with."""
    down = flannel_pod(waiting("CrashLoopBackOff"))

    assert None is subnet_env_failure((sandbox_event(1, STUCK),), down, (STUCK,), NOW)


def test_the_event_of_another_reason_is_not_matched() -> None:
    """The path alone may stand in anybody's message."""
    event = sandbox_event(1, STUCK)

    assert not names_subnet_env(
        Event("u", "Failed", event.message, event.object_uid, "n", "ns", event.last_seen)
    )


@pytest.mark.parametrize(
    ("expected", "container"),
    [
        (True, waiting("CrashLoopBackOff")),
        (True, ended("Error")),
        (True, ended("", 2)),
        (True, lost()),
        (False, running()),
        (False, waiting("ImagePullBackOff")),
        (False, waiting("ContainerCreating")),
    ],
)
def test_a_crash_is_what_a_new_pod_may_cure(expected: bool, container: dict[str, object]) -> None:  # noqa: FBT001  (a case)
    """A bad image is not mended by another pod of the same template."""
    assert expected is crashed(flannel_pod(container))


def test_a_lost_pod_is_left_to_the_kubelet_for_a_minute() -> None:
    """A crash loop is not: its back-off grows to five minutes."""
    assert 50.0 == delete_in(flannel_pod(lost(ago=10)), NOW)
    assert 0.0 == delete_in(flannel_pod(lost(ago=61)), NOW)
    young = flannel_pod(waiting("CrashLoopBackOff"))
    young = changed(young, "metadata", "creationTimestamp", value=stamp(5))
    assert 0.0 == delete_in(young, NOW)


def test_only_its_own_living_pods_are_looked_at() -> None:
    """Not another's, not one on its way out, not one that is over."""
    leaving = changed(UP, "metadata", "deletionTimestamp", value=stamp(1))
    over = changed(UP, "status", "phase", value="Failed")

    assert (UP,) == pods_of(daemonset(), (UP, STUCK, leaving, over))


def test_a_real_node_without_the_module_shows_the_crash() -> None:
    """A real kubelet's word for flannel without br_netfilter, and its events' text."""
    recording = recorded("pods-no-module")
    pods = [as_pod(one) for one in recording["list"]["items"]]
    events = [as_event(one) for one in recorded("events-no-module")["items"]]
    mine = pods_of(as_daemonset(recorded("daemonset-flannel-crashing")), pods)

    assert [True] == [crashed(one) for one in mine]
    assert any(names_subnet_env(one) for one in events)

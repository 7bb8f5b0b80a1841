"""Pods that were judged well for good, and those that time or a change makes suspects."""

from collections.abc import Callable

import pytest

from healer.model.cluster import Listing, Pod
from healer.probes.quiet_pods import QuietPods
from tests.cluster_objects import (
    NOW,
    as_pod,
    changed,
    ended,
    lost_pod,
    pod,
    pod_json,
    running,
    terminating,
    waiting,
)


def counted(one: Pod, reads: list[str]) -> Pod:
    """The same pod, which notes when somebody reads its JSON."""
    raw = one.raw

    def read() -> dict[str, object]:
        reads.append(one.name)
        return raw

    return Pod(one.namespace, one.name, one.uid, one.resource_version, read, one.labels, one.owner)


def test_a_well_pod_is_judged_once() -> None:
    """A look at thousands costs what has changed among them (design §9)."""
    reads: list[str] = []
    pods = tuple(counted(pod(running(), name=f"pod-{number}"), reads) for number in range(3))
    quiet = QuietPods()
    quiet.without(Listing(pods, NOW))
    reads.clear()

    assert ([], 3) == quiet.without(Listing(pods, NOW + 9999.0))
    assert [] == reads


def test_a_pod_that_changed_is_judged_anew() -> None:
    """Another object of the same uid is another state of it."""
    one, quiet = pod(running()), QuietPods()
    quiet.without(Listing((one,), NOW))
    ill = changed(
        one, "status", "containerStatuses", value=lost_pod().raw["status"]["containerStatuses"]
    )

    assert ([ill], 1) == quiet.without(Listing((ill,), NOW))
    assert ([], 1) == quiet.without(Listing((one,), NOW))


WAITING: dict[str, Callable[[], Pod]] = {
    "pending": lambda: as_pod(
        pod_json(waiting("ContainerCreating"), phase="Pending", created_ago=10)
    ),
    "being deleted": lambda: terminating(-30.0),
}


@pytest.mark.parametrize("name", WAITING)
def test_what_waits_becomes_a_suspect_by_waiting(name: str) -> None:
    """The very same object, ten minutes later."""
    one, quiet = WAITING[name](), QuietPods()

    assert ([], 1) == quiet.without(Listing((one,), NOW))
    assert ([one], 1) == quiet.without(Listing((one,), NOW + 600.0))


def test_a_suspect_stays_one_until_it_changes() -> None:
    """It is never taken for quiet, whatever else there is."""
    ill, well, quiet = lost_pod(name="ill"), pod(running()), QuietPods()
    listing = Listing((ill, well), NOW)

    assert quiet.without(listing) == quiet.without(listing) == ([ill], 2)


def test_ended_pods_are_not_alive() -> None:
    """Also when they are known from before."""
    over = pod(ended("Completed", 0), phase="Succeeded")
    quiet, listing = QuietPods(), Listing((over, pod(running(), name="up")), NOW)

    assert ([], 1) == quiet.without(listing) == quiet.without(listing)

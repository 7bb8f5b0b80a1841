"""The pods' probe."""

import pytest

from healer.core.observation import Observation
from healer.core.reasons import Reason
from healer.model.cluster import Owner, Pod
from healer.model.pod_parts import target_of
from healer.model.pod_safety import identity_of_loss, lost_since
from healer.model.pod_safety import lost as lost_form
from healer.ports import TargetIll
from healer.probes.pods import PodsProbe
from tests.cluster_objects import (
    as_daemonset,
    as_event,
    as_node,
    as_pod,
    changed,
    daemonset,
    ended,
    flannel_pod,
    livekit,
    lost,
    lost_pod,
    node,
    pod,
    ready,
    recorded,
    running,
    sandbox_event,
    terminating,
    waiting,
)
from tests.fakes_cluster import FakeCluster

STATEFUL = Owner("StatefulSet", "redis", "uid-sts")


UP = pod(running(), name="up", namespace="kube-system", owner=Owner("DaemonSet", "up", "u"))
"""A pod that has been running for an hour, so the node has been up for as long."""


async def look(*pods: Pod, force: bool = False) -> Observation:
    """Look at a healthy node with those pods."""
    return await PodsProbe(FakeCluster(*pods, UP), force_stateful_sets=force).look()


def reasons(seen: Observation) -> list[Reason]:
    """The reasons found."""
    return [one.reason for one in seen.findings]


async def test_healthy_pods_cost_one_question() -> None:
    """Running and ended ones alike."""
    cluster = FakeCluster(pod(running()), UP, pod(ended("Completed", 0), phase="Succeeded"))
    seen = await PodsProbe(cluster).look()

    assert (True, "2 pods", ["pods"]) == (seen.well, seen.summary, cluster.calls)


async def test_a_lost_pod_is_found_with_all_that_its_remedy_needs() -> None:
    """Target with uid, identity of the loss, owner at the top, ripe now."""
    ill = lost_pod()
    finding = (await look(ill)).findings[0]

    assert Reason.POD_UNKNOWN is finding.reason
    assert "joelclaw/web-5d9f-abcde@uid-web-5d9f-abcde" == finding.target == target_of(ill)
    assert identity_of_loss(ill.raw) == finding.fingerprint
    assert ("joelclaw/Deployment/web", 0.0) == (finding.owner, finding.ripe_in)


async def test_what_only_needs_time_says_how_much_and_for_what() -> None:
    """Node, flannel, sandboxes and the loss itself, by the server's clock."""
    cluster = FakeCluster(lost_pod())
    cluster.nodes = [node(ready(ago=100))]
    cluster.events = [sandbox_event(50, lost_pod())]
    finding = (await PodsProbe(cluster).look()).findings[0]

    assert 250.0 == finding.ripe_in
    assert "sandboxes failed" in finding.waits_for
    assert "sandboxes failed" not in finding.evidence


@pytest.mark.parametrize(
    ("word", "ill"),
    [
        ("no controller", lost_pod(owner=None)),
        ("finalizers", changed(lost_pod(), "metadata", "finalizers", value=["a/b"])),
        ("namespace kube-system", lost_pod(namespace="kube-system")),
        (
            "static pod",
            changed(
                lost_pod(), "metadata", "annotations", value={"kubernetes.io/config.mirror": "x"}
            ),
        ),
        ("StatefulSet", terminating(900, owner=STATEFUL)),
        ("no controller", terminating(900, owner=None)),
        ("finalizers", changed(terminating(900), "metadata", "finalizers", value=["a/b"])),
    ],
)
async def test_what_may_never_be_touched_is_only_told_of(word: str, ill: Pod) -> None:
    """Advisory, with the rule, and a line for whoever knows better."""
    seen = await look(ill)

    assert seen.well
    assert [Reason.POD_UNMANAGED] == reasons(seen)
    assert word in seen.findings[0].evidence
    assert ill.uid == seen.findings[0].fingerprint


@pytest.mark.parametrize("ill", [lost_pod(owner=None), terminating(900, owner=None)])
async def test_nothing_is_told_while_the_kubelet_may_yet_mend_it(ill: Pod) -> None:
    """After each crash every bare and every static pod is lost for some seconds."""
    cluster = FakeCluster(ill, UP)
    cluster.nodes = [node(ready(ago=30))]

    assert () == (await PodsProbe(cluster).look()).findings


async def test_a_static_pods_mirror_comes_with_the_manifest_and_no_delete() -> None:
    """The kubelet makes it anew from its file whatever is deleted through the API."""
    mirror = {"kubernetes.io/config.mirror": "x"}
    for one in (lost_pod(), terminating(900)):
        (found,) = (await look(changed(one, "metadata", "annotations", value=mirror))).findings

        assert "static pod's manifest" in found.advice
        assert "kubectl" not in found.advice


async def test_a_stateful_sets_stuck_pod_comes_with_the_exact_line() -> None:
    """A human who knows that nothing writes any more can type it."""
    stuck = terminating(900, name="redis-0", owner=STATEFUL)

    assert (
        "if it may go: kubectl -n joelclaw delete pod redis-0 --grace-period=0 --force"
        == (await look(stuck)).findings[0].advice
    )
    assert [Reason.POD_STUCK_TERMINATING] == reasons(await look(stuck, force=True))
    assert [Reason.POD_UNMANAGED] == reasons(await PodsProbe(FakeCluster(stuck, UP)).look())


async def test_a_finalizer_is_for_whoever_put_it_there() -> None:
    """No force takes such a pod away."""
    kept = changed(terminating(900), "metadata", "finalizers", value=["a/b"])

    assert "--force" not in (await look(kept)).findings[0].advice
    assert "finalizers" in (await look(kept)).findings[0].advice


async def test_a_lost_pod_that_is_final_is_its_controllers_affair() -> None:
    """Form B: phase Failed; a Job replaces it."""
    assert () == (await look(lost_pod(phase="Failed"))).findings


async def test_a_lost_node_s_pod_is_told_of_and_never_forced() -> None:
    """Form C: Unknown and on its way out (facts/talos-kubernetes.md §3)."""
    form_c = changed(terminating(900), "status", "reason", value="NodeLost")
    seen = await look(form_c)

    assert [Reason.POD_UNMANAGED] == reasons(seen)
    assert "being deleted already" in seen.findings[0].evidence


async def test_the_owner_is_asked_for_only_when_it_is_about_to_matter() -> None:
    """Not while the pod must wait anyway, and not of a pod that is only reported."""
    young, ripe = FakeCluster(lost_pod(ago=10)), FakeCluster(lost_pod())
    reported = FakeCluster(pod(waiting("ErrImagePull")))
    for cluster in (young, ripe, reported):
        await PodsProbe(cluster).look()

    assert ["pods", "flannel", "livekit", "node", "warnings"] == young.calls
    assert "owner_exists" == ripe.calls[-1]
    assert ["pods", "flannel", "livekit"] == reported.calls


async def test_a_stuck_pod_is_found_two_minutes_past_its_grace() -> None:
    """Before that it is nothing but on its way out."""
    assert [Reason.POD_STUCK_TERMINATING] == reasons(await look(terminating(121)))
    assert [] == reasons(await look(terminating(119)))


async def test_a_force_waits_for_the_kubelet() -> None:
    """Ready for half a minute is too short."""
    cluster = FakeCluster(terminating(900), UP)
    cluster.nodes = [node(ready(ago=30))]

    assert 90.0 == (await PodsProbe(cluster).look()).findings[0].ripe_in


async def test_an_orphan_is_only_told_of() -> None:
    """Its controller is gone, so nothing would recreate it."""
    cluster = FakeCluster(lost_pod())
    cluster.orphans = {"uid-rs"}

    assert [Reason.POD_UNMANAGED] == reasons(await PodsProbe(cluster).look())


async def test_flannels_and_livekits_pods_have_layers_of_their_own() -> None:
    """However ill they are."""
    cluster = FakeCluster(
        flannel_pod(lost()),
        flannel_pod(waiting("CrashLoopBackOff"), name="kube-flannel-y"),
        pod(
            lost(),
            name="livekit-server-5d9f-x",
            owner=Owner("ReplicaSet", "livekit-server-5d9f", "uid-lk"),
        ),
    )
    cluster.deployments = [livekit()]
    seen = await PodsProbe(cluster).look()

    assert ((), 0) == (seen.findings, seen.targets)


async def test_reports_are_told_once_a_template() -> None:
    """Ten pods of one bad image are one finding, another template is another."""
    one = [pod(waiting("ImagePullBackOff"), name=f"web-5d9f-{n}") for n in range(3)]
    other = pod(
        waiting("ErrImagePull"),
        name="web-77aa-x",
        owner=Owner("ReplicaSet", "web-77aa", "u2"),
        labels={"pod-template-hash": "77aa"},
    )
    seen = await look(*one, other)

    assert seen.well
    assert [
        (Reason.POD_IMAGE_PULL, "joelclaw/Deployment/web@5d9f", "5d9f"),
        (Reason.POD_IMAGE_PULL, "joelclaw/Deployment/web@77aa", "77aa"),
    ] == [(found.reason, found.target, found.fingerprint) for found in seen.findings]


async def test_the_storm_brake_is_told_of_all_workloads_that_could_be_ill() -> None:
    """Owners, not pods, and only where healer may act."""
    seen = await look(
        lost_pod(name="web-5d9f-1"),
        lost_pod(name="web-5d9f-2"),
        pod(running(), name="redis-0", owner=STATEFUL),
        pod(running(), namespace="kube-system", owner=Owner("DaemonSet", "kube-proxy", "u")),
        pod(running(), namespace="aistor", owner=Owner("StatefulSet", "aistor", "u")),
        pod(ended("Completed", 0), phase="Succeeded", owner=Owner("Job", "done", "u")),
    )

    assert (2, 2) == (seen.targets, len(seen.gating))


@pytest.mark.parametrize("method", ["pods", "flannel", "livekit", "node", "warnings"])
async def test_an_api_that_cannot_be_asked_makes_it_unknown(method: str) -> None:
    """Whichever of its questions fails."""
    cluster = FakeCluster(lost_pod())
    cluster.faults[method] = TargetIll("GET", "Connection refused")
    seen = await PodsProbe(cluster).look()

    assert ((), True) == (seen.findings, seen.unknown.startswith("the API did not answer"))


async def test_who_cannot_ask_for_the_owner_does_not_know_better() -> None:
    """The remedy asks again, and does not act without an answer."""
    cluster = FakeCluster(lost_pod())
    cluster.faults["owner_exists"] = TargetIll("GET", "Connection refused")

    assert [Reason.POD_UNKNOWN] == reasons(await PodsProbe(cluster).look())


async def test_a_missing_flannel_keeps_every_delete_waiting() -> None:
    """Without a network a new pod would be as stuck as the old one."""
    cluster = FakeCluster(lost_pod())
    cluster.daemonsets = [daemonset(1, 0)]

    assert 300.0 == (await PodsProbe(cluster).look()).findings[0].ripe_in


async def test_a_real_healthy_cluster_is_well() -> None:
    """As a real API server listed it."""
    seen = await look(*(as_pod(one) for one in recorded("pods-healthy")["list"]["items"]))

    assert ((), "") == (seen.findings, seen.unknown)


async def test_a_real_power_cut_is_judged_as_it_was() -> None:
    """Ten seconds after it: only managed pods may be touched, and none of them yet."""
    pods = [as_pod(one) for one in recorded("pods-power-cut")["list"]["items"]]
    cluster = FakeCluster(*pods)
    cluster.now = 10.0 + max(lost_since(one.raw) or 0.0 for one in pods if lost_form(one.raw))
    cluster.nodes = [as_node(recorded("node-after-cut"))]
    cluster.events = [as_event(one) for one in recorded("events-power-cut")["items"]]
    cluster.daemonsets = [as_daemonset(recorded("daemonset-flannel-after-cut"))]
    seen = await PodsProbe(cluster).look()
    lost_ones = [one for one in seen.findings if one.reason is Reason.POD_UNKNOWN]

    assert {
        "joelclaw/StatefulSet/redis",
        "joelclaw/Deployment/typesense",
        "local-path-storage/Deployment/local-path-provisioner",
        "default/StatefulSet/stateful",
    } == {one.owner for one in lost_ones}
    assert all(280.0 <= one.ripe_in <= 300.0 for one in lost_ones)
    assert Reason.POD_STUCK_TERMINATING not in reasons(seen)

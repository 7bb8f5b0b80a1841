"""LiveKit's probe."""

import pytest

from healer.core.observation import Observation
from healer.core.reasons import Reason
from healer.model.cluster import Deployment, Owner, ServicePort
from healer.model.livekit import PatchWhen
from healer.ports import CannotLook, PortError, TargetIll, WrongAnswer
from healer.probes.livekit import LivekitProbe
from tests.cluster_objects import livekit, pod, waiting
from tests.fakes_cluster import FakeCluster, FakePorts

STALE = WrongAnswer("http :7880/", "406 Not Ready; Node Updated At 12:00")


async def look(
    *deployments: Deployment,
    http: str | PortError = "OK",
    redis: str | PortError = "PONG",
    when: PatchWhen = PatchWhen.NOT_READY,
    redis_wanted: int = 1,
) -> Observation:
    """Look at a cluster with that Deployment, those answers and a pod of it."""
    owner = Owner("ReplicaSet", "livekit-server-5d9f", "u")
    cluster = FakeCluster(pod(waiting("ErrImagePull"), name="livekit-server-5d9f-x", owner=owner))
    cluster.deployments = list(deployments)
    cluster.service_ports = [ServicePort("joelclaw", "redis", 6379, 6379, "redis", 0, redis_wanted)]
    return await LivekitProbe(cluster, FakePorts(p7880=http, p6379=redis), when).look()


def reasons(seen: Observation) -> list[Reason]:
    """The reasons found."""
    return [one.reason for one in seen.findings]


async def test_nothing_deployed_and_nothing_wanted_are_well() -> None:
    """There is nothing to be ill."""
    assert (True, "not deployed") == ((seen := await look()).well, seen.summary)
    assert (True, "scaled to zero") == ((seen := await look(livekit(desired=0))).well, seen.summary)


async def test_a_ready_livekit_as_it_should_be_is_well() -> None:
    """No drift, answers OK."""
    assert () == (await look(livekit("patched", ready=1))).findings


async def test_drift_of_a_ready_livekit_is_tolerated() -> None:
    """A patch would end all calls; told once a generation."""
    seen = await look(livekit("chart", ready=1))

    assert seen.well
    assert [(Reason.LIVEKIT_DRIFT_TOLERATED, "1")] == [
        (one.reason, one.fingerprint) for one in seen.findings
    ]


async def test_drift_is_mended_always_if_that_is_wanted() -> None:
    """The owner's choice."""
    seen = await look(livekit("chart", ready=1), when=PatchWhen.ALWAYS)

    assert [Reason.LIVEKIT_PROBE_DRIFT] == reasons(seen)


async def test_drift_of_one_that_is_not_ready_is_ill() -> None:
    """One generation, one event, at most one patch."""
    deployment = livekit("chart")
    finding = (await look(deployment)).findings[0]

    assert Reason.LIVEKIT_PROBE_DRIFT is finding.reason
    assert ("1", f"{deployment.uid}/livekit/generation-1") == (finding.fingerprint, finding.event)
    assert "livenessProbe.httpGet.host=127.0.0.1" in finding.evidence
    assert "livekit-server-5d9f-x ErrImagePull" in finding.evidence
    assert 0.0 == finding.ripe_in


async def test_one_that_was_available_a_moment_ago_is_waited_for() -> None:
    """It may get ready by itself."""
    assert 45.0 == (await look(livekit("chart", available_ago=15))).findings[0].ripe_in


async def test_redis_is_looked_at_before_livekit_is_blamed() -> None:
    """Its stats go through Redis; a patch waits for it (livekit/livekit#4663)."""
    refused = TargetIll("redis :6379", "Connection refused")
    alone = await look(livekit("patched"), redis=refused)
    drifted = await look(livekit("chart"), redis=refused)

    assert [Reason.LIVEKIT_REDIS_ILL] == reasons(alone)
    assert [Reason.LIVEKIT_PROBE_DRIFT, Reason.LIVEKIT_REDIS_ILL] == reasons(drifted)
    assert 60.0 == drifted.findings[0].ripe_in


async def test_without_the_redis_that_a_human_scaled_to_0_it_is_not_ill() -> None:
    """Not Ready or with stale stats, drifted or not: nothing is patched, and the cause is named."""
    refused = TargetIll("redis :6379", "Connection refused")
    waiting = [
        await look(livekit("chart"), redis=refused, redis_wanted=0),
        await look(livekit("patched"), redis=refused, redis_wanted=0),
        await look(livekit("patched", ready=1), http=STALE, redis=refused, redis_wanted=0),
    ]

    assert [[Reason.LIVEKIT_REDIS_OFF]] * 3 == [reasons(one) for one in waiting]
    assert all(one.well and "Redis is scaled to 0" in one.findings[0].evidence for one in waiting)


async def test_consequences_of_redis_name_its_service() -> None:
    """So that they join its incident, and no other's."""
    seen = await look(livekit("patched"), redis=TargetIll("redis :6379", "Connection refused"))
    stale = await look(livekit("patched", ready=1), http=STALE)

    assert ["joelclaw/Service/redis"] * 2 == [one.findings[0].cause for one in (seen, stale)]


async def test_a_paused_rollout_is_told_and_never_patched() -> None:
    """Not even where a patch is always wanted: a human's decision."""
    always = PatchWhen.ALWAYS
    ready = await look(livekit("chart", ready=1, paused=True), when=always)
    ill = await look(livekit("chart", paused=True), http=TargetIll("http :7880/", "refused"))
    changed = await look(livekit("patched", ready=1, updated=0, paused=True))

    assert [Reason.LIVEKIT_PAUSED] == reasons(ready) == reasons(changed)
    assert [Reason.LIVEKIT_UNHEALTHY, Reason.LIVEKIT_PAUSED] == reasons(ill)
    assert ready.findings[0].evidence.startswith("a human paused the rollout; Ready; waiting: ")
    assert "rollout resume deploy/livekit-server" in ready.findings[0].advice


@pytest.mark.parametrize(
    ("one", "left"),
    [
        (livekit("patched", ready=1, updated=0), "0 of 1 pods have its newest template"),
        (livekit("patched", ready=1, total=2), "1 pods of an older template are left"),
        (livekit("patched", ready=1), ""),
    ],
)
async def test_ready_pods_of_an_older_template_are_no_finished_rollout(
    one: Deployment, left: str
) -> None:
    """It serves, so it is well; and whether the newest template works is not proved."""
    seen = await look(one)
    expected = [(Reason.LIVEKIT_ROLLING_OUT, f"Ready with what it had before: {left}")]

    assert seen.well
    assert (expected if left else []) == [(one.reason, one.evidence) for one in seen.findings]


async def test_who_cannot_ask_redis_does_not_blame_it() -> None:
    """Not knowing is no reason."""
    seen = await look(livekit("patched"), redis=CannotLook("redis", "no client"))

    assert [Reason.LIVEKIT_UNHEALTHY] == reasons(seen)


async def test_stale_stats_are_named() -> None:
    """406 is LiveKit's own word for it, ready or not."""
    assert [Reason.LIVEKIT_NODE_STALE] == reasons(await look(livekit("patched"), http=STALE))
    assert [Reason.LIVEKIT_NODE_STALE] == reasons(
        await look(livekit("patched", ready=1), http=STALE)
    )


async def test_a_ready_one_whose_port_refuses_is_the_services_affair() -> None:
    """The kubelet is content with it."""
    refused = TargetIll("http :7880/", "Connection refused")

    assert (await look(livekit("patched", ready=1), http=refused)).well


async def test_one_that_is_not_ready_for_no_known_cause_is_told_with_its_answer() -> None:
    """Nothing to patch, nothing to wait for."""
    seen = await look(livekit("patched"), http=TargetIll("http :7880/", "Connection refused"))

    assert [Reason.LIVEKIT_UNHEALTHY] == reasons(seen)
    assert "Connection refused" in seen.findings[0].evidence


async def test_another_wrong_answer_is_unhealthy() -> None:
    """A 500 is not stale stats."""
    wrong = WrongAnswer("http :7880/", "HTTP 500 oops")

    assert [Reason.LIVEKIT_UNHEALTHY] == reasons(
        await look(livekit("patched", ready=1), http=wrong)
    )


async def test_without_ports_to_ask_the_api_alone_tells() -> None:
    """A cluster that publishes neither is not ill for it."""
    cluster, ports = FakeCluster(), FakePorts()
    cluster.deployments = [livekit("patched")]
    seen = await LivekitProbe(cluster, ports, http=None, redis=None).look()

    assert ([Reason.LIVEKIT_UNHEALTHY], []) == (reasons(seen), ports.asked)


async def test_an_api_that_cannot_be_asked_makes_it_unknown() -> None:
    """No port is asked then."""
    cluster, ports = FakeCluster(), FakePorts()
    cluster.faults["livekit"] = TargetIll("GET deployment", "Connection refused")
    seen = await LivekitProbe(cluster, ports).look()

    assert ((), []) == (seen.findings, ports.asked)
    assert seen.unknown.startswith("the API did not answer")


async def test_its_pods_are_told_for_people_only() -> None:
    """Nobody else's pods stand in the evidence, and without them it is told all the same."""
    cluster, ports = FakeCluster(pod(waiting("ErrImagePull"))), FakePorts(p6379="PONG")
    cluster.deployments = [livekit("patched")]
    assert "0 of 1 Ready" == (await LivekitProbe(cluster, ports).look()).summary
    cluster.faults["pods"] = TargetIll("GET pods", "reset")
    assert "0 of 1 Ready" == (await LivekitProbe(cluster, ports).look()).summary

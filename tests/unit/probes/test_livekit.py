"""LiveKit's probe."""

from healer.core.observation import Observation
from healer.core.reasons import Reason
from healer.model.cluster import Deployment, Owner
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
) -> Observation:
    """Look at a cluster with that Deployment, those answers and a pod of it."""
    owner = Owner("ReplicaSet", "livekit-server-5d9f", "u")
    cluster = FakeCluster(pod(waiting("ErrImagePull"), name="livekit-server-5d9f-x", owner=owner))
    cluster.deployments = list(deployments)
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

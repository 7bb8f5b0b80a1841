"""The published ports' probe."""

from dataclasses import replace

import pytest

from healer.core.observation import Component, Finding, Observation
from healer.core.reasons import Reason
from healer.model.cluster import ServicePort
from healer.model.container import PortBinding
from healer.model.machine import Forwarder
from healer.model.published import PublishedService
from healer.ports import CannotLook, Denied, PortError, TargetIll, TargetSilent, WrongAnswer
from healer.probes.asking import BY_MUX
from healer.probes.services import ServiceEyes, ServicesProbe
from tests.cluster_objects import livekit
from tests.fakes.engine import UP, FakeEngine
from tests.fakes.vm import FakeVm
from tests.fakes_cluster import FakeCluster, FakePorts

REDIS = PublishedService("redis", 6379, "redis", expect="PONG")
TYPESENSE = PublishedService("typesense", 8108, "http", "/health", '"ok":true')
LIVEKIT = PublishedService("livekit-server", 7880, "http", "/", "OK", host_network=True)
DOCS = PublishedService("docs-api", 3838)
HOST = PublishedService("worker", 3111, "http", "/api/inngest")
REFUSED = TargetIll("redis :6379", "Connection refused")
GONE = TargetIll("docker.sock", "Connection refused")
API_GONE = TargetIll("GET services", "Connection refused")
REDIS_PORT = ServicePort("joelclaw", "redis", 6379, 6379, "6379", 1, 1)
TYPESENSE_PORT = ServicePort("joelclaw", "typesense", 8108, 8108, "8108", 1, 1)


class Stage:
    """A tower whose ports answer as given, with the probe that looks at it."""

    def __init__(self, *published: PublishedService, **answers: str | PortError) -> None:
        self.ports = FakePorts(**answers)
        self.cluster, self.engine, self.vm = FakeCluster(), FakeEngine(), FakeVm()
        self.vm.profile_forwarder = Forwarder.GRPC
        self.cluster.service_ports = [REDIS_PORT, TYPESENSE_PORT]
        self.engine.box = replace(
            UP, ports=tuple(PortBinding(one, "0.0.0.0", one) for one in (6379, 8108, 7880, 3111))
        )
        self.inside: frozenset[int] | PortError = frozenset({6379, 8108, 7880})
        self.eyes = ServiceEyes(self.ports, self.cluster, self.engine, self.vm, self.open_in_vm)
        self.probe = ServicesProbe(self.eyes, published or (REDIS,))

    async def open_in_vm(self) -> frozenset[int]:
        """As the guest's facts say."""
        if isinstance(self.inside, PortError):
            raise self.inside
        return self.inside

    async def look(self) -> Observation:
        """Look once."""
        return await self.probe.look()


def reasons(seen: Observation) -> list[Reason]:
    """The reasons found."""
    return [one.reason for one in seen.findings]


async def test_ports_that_speak_are_well_and_signs_of_life() -> None:
    """Bytes of the right protocol through a listener of Lima's."""
    seen = await Stage(REDIS, TYPESENSE, p6379="PONG", p8108='{"ok":true}').look()

    assert (True, "2 of 2 ports answer") == (seen.well, seen.summary)
    assert [("port 6379 PING", True), ("port 8108 GET /health", True)] == [
        (one.what, one.alive) for one in seen.signs
    ]
    assert all(Component.HOSTAGENT in one.depends_on for one in seen.signs)


async def test_with_portforwarder_ssh_they_ride_the_mux() -> None:
    """Then whatever silences docker.sock silences them."""
    stage = Stage(p6379="PONG")
    stage.vm.profile_forwarder = Forwarder.SSH

    (sign,) = (await stage.look()).signs
    assert {Component.CONTAINER, *BY_MUX} < sign.depends_on


async def test_a_strangers_listener_proves_nothing_and_is_named() -> None:
    """A port-forward by hand masks a dead port (R36)."""
    stage = Stage(p6379="PONG")
    stage.ports.foreign = {6379}
    seen = await stage.look()

    assert ((), True) == (seen.signs, seen.well)
    assert "not through Lima: 6379" in seen.summary


async def test_a_bare_accept_is_no_sign() -> None:
    """usernet and docker-proxy accept for the dead."""
    stage = Stage(DOCS, p3838="connected")
    stage.engine.box = replace(UP, ports=(PortBinding(3838, "", 3838),))

    assert () == (await stage.look()).signs


async def test_a_wrong_answer_is_ill_and_alive() -> None:
    """A 503 came through VM, Docker and Talos."""
    seen = await Stage(TYPESENSE, p8108=WrongAnswer("http :8108/health", "503 warming up")).look()

    assert [Reason.SERVICE_SILENT] == reasons(seen)
    assert [True] == [one.alive for one in seen.signs]


async def test_a_dead_forward_is_told_by_the_vm() -> None:
    """Refused here, open there, and a pod ready behind it; the target is the Mac's port."""
    seen = await Stage(p6379=REFUSED).look()

    assert [(Reason.SERVICE_FORWARD_DEAD, "6379")] == [
        (one.reason, one.target) for one in seen.findings
    ]
    assert [False] == [one.alive for one in seen.signs]


async def test_no_ready_endpoint_comes_before_the_forward() -> None:
    """docker-proxy is open in the VM whether or not a pod lives."""
    stage = Stage(p6379=REFUSED)
    stage.cluster.service_ports = [replace(REDIS_PORT, ready_endpoints=0)]

    assert [Reason.SERVICE_NO_ENDPOINTS] == reasons(await stage.look())


async def test_a_port_closed_on_both_sides_is_silent() -> None:
    """And so is one that the VM could not be asked about."""
    stage = Stage(p6379=TargetSilent("redis :6379", "no answer within 3 s"))
    stage.inside = frozenset()
    assert [Reason.SERVICE_SILENT] == reasons(await stage.look())
    stage.inside = TargetIll("ssh", "timed out")
    assert [Reason.SERVICE_SILENT] == reasons(await stage.look())


async def test_what_is_scaled_to_zero_is_well_and_no_sign_of_death() -> None:
    """R49; and it stays no sign while the API cannot be asked."""
    stage = Stage(p6379=REFUSED)
    stage.cluster.service_ports = [replace(REDIS_PORT, ready_endpoints=0, desired=0)]
    first = await stage.look()
    stage.cluster.faults["services"] = API_GONE
    second = await stage.look()

    assert (True, ()) == (first.well, first.findings)
    assert () == second.signs


async def test_no_service_is_no_trouble() -> None:
    """A published port may have nothing behind it."""
    stage = Stage(p6379=REFUSED)
    stage.cluster.service_ports = []

    assert (await stage.look()).well


async def test_what_docker_does_not_publish_is_not_asked() -> None:
    """Nor does it count."""
    stage = Stage(REDIS, DOCS, p6379="PONG")
    seen = await stage.look()

    assert ([6379], "1 of 1 ports answer") == (stage.ports.asked, seen.summary)


async def test_the_hosts_own_port_is_never_asked() -> None:
    """3111 proves nothing, even if it is configured and published."""
    stage = Stage(REDIS, HOST, p6379="PONG", p3111="200")
    await stage.look()

    assert [6379] == stage.ports.asked


async def test_a_nodeport_mismatch_is_told_beside_health() -> None:
    """The container's port is what Docker's binding says, not what the settings guess."""
    stage = Stage(p6379=REFUSED)
    stage.engine.box = replace(UP, ports=(PortBinding(6380, "", 6379),))
    stage.cluster.service_ports = [replace(REDIS_PORT, node_port=31000)]
    seen = await stage.look()

    assert seen.well
    assert [Reason.NODEPORT_MISMATCH] == reasons(seen)
    assert '"nodePort":6380' in seen.findings[0].advice


async def test_livekit_is_judged_by_its_deployment() -> None:
    """Its pod listens on the node's own port; unready, its own layer tells."""
    stage = Stage(LIVEKIT, p7880=TargetIll("http :7880", "Connection refused"))
    stage.cluster.deployments = [livekit(ready=1)]
    assert [Reason.SERVICE_FORWARD_DEAD] == reasons(await stage.look())
    stage.cluster.deployments = [livekit(ready=0)]
    assert (await stage.look()).well


async def test_without_the_api_ports_that_answer_are_still_well() -> None:
    """They were seen end to end."""
    stage = Stage(p6379="PONG")
    stage.cluster.faults["services"] = API_GONE
    seen = await stage.look()

    assert (True, [True]) == (seen.well, [one.alive for one in seen.signs])


async def test_without_the_api_a_silent_port_is_unknown_and_a_sign_of_death() -> None:
    """The witness does not wait for the judge."""
    stage = Stage(p6379=REFUSED)
    stage.cluster.faults["services"] = API_GONE
    seen = await stage.look()

    assert ((), [False]) == (seen.findings, [one.alive for one in seen.signs])
    assert seen.unknown.startswith("the API did not answer")


async def test_without_docker_no_silent_port_is_a_sign_of_death() -> None:
    """Nobody knows whether it was ever published."""
    stage = Stage(REDIS, TYPESENSE, p6379=REFUSED, p8108='{"ok":true}')
    stage.engine.faults["container"] = GONE
    seen = await stage.look()

    assert [("port 8108 GET /health", True)] == [(one.what, one.alive) for one in seen.signs]
    assert seen.unknown.startswith("which ports are published is not known")


async def test_what_docker_once_published_is_remembered() -> None:
    """When docker.sock goes silent later, the ports still witness."""
    stage = Stage(p6379="PONG")
    await stage.look()
    stage.engine.faults["container"] = GONE
    stage.cluster.faults["services"] = API_GONE
    stage.ports.answers[6379] = REFUSED

    assert [False] == [one.alive for one in (await stage.look()).signs]


async def test_who_cannot_look_at_a_port_does_not_know() -> None:
    """Neither finding nor sign, and not well either."""
    seen = await Stage(p6379=CannotLook("redis", "no socket")).look()

    assert ("redis: no socket", (), ()) == (seen.unknown, seen.findings, seen.signs)


async def test_one_that_refuses_our_key_lives() -> None:
    """A Redis that wants a password speaks its protocol."""
    seen = await Stage(p6379=Denied("redis :6379", "NOAUTH Authentication required.")).look()

    assert (True, [True]) == (seen.well, [one.alive for one in seen.signs])


@pytest.mark.parametrize("answer", ["PONG", Denied("redis :6379", "NOAUTH")])
async def test_an_answer_is_life_whoever_listens(answer: str | PortError) -> None:
    """I6: not to know whose the listener is takes nothing from what it said."""
    stage = Stage(p6379=answer)
    stage.ports.faults["listener_is_ours"] = CannotLook("lsof", "not found")
    seen = await stage.look()

    assert (True, [True]) == (seen.well, [one.alive for one in seen.signs])


async def test_the_deployment_is_asked_for_only_when_livekit_is_silent() -> None:
    """And when it cannot be asked, nothing is invented."""
    stage = Stage(REDIS, LIVEKIT, p6379=REFUSED, p7880="OK")
    await stage.look()
    assert "livekit" not in stage.cluster.calls
    stage.ports.answers[7880] = TargetIll("http :7880", "Connection refused")
    stage.cluster.faults["livekit"] = API_GONE
    seen = await stage.look()

    assert ((), True) == (seen.findings, seen.unknown.startswith("the API did not answer"))


async def test_what_docker_once_published_is_judged_while_it_is_silent() -> None:
    """docker.sock and the ports may die apart (incident 27)."""
    stage = Stage(p6379="PONG")
    await stage.look()
    stage.engine.faults["container"] = GONE
    stage.ports.answers[6379] = REFUSED

    assert [Reason.SERVICE_FORWARD_DEAD] == reasons(await stage.look())


async def test_no_mismatch_is_told_of_what_docker_does_not_publish() -> None:
    """Its NodePort leads nowhere on purpose."""
    stage = Stage(REDIS, DOCS, p6379="PONG")
    port = ServicePort("joelclaw", "docs-api", 31000, 3838, "3838", 1, 1)
    stage.cluster.service_ports.append(port)

    assert () == (await stage.look()).findings


async def test_what_stands_in_front_is_told_beside_and_changes_nothing_else() -> None:
    """Signs and targets stay those of the ports."""
    stage = Stage(p6379="PONG")
    alone = await stage.look()
    told = Finding(Reason.FUNNEL_WRONG, "nothing is funnelled on 443")

    async def beside(seen: Observation) -> Observation:
        return replace(seen, findings=(*seen.findings, told))

    stage.probe = ServicesProbe(stage.eyes, (REDIS,), beside=(beside,))
    seen = await stage.look()

    assert replace(alone, findings=(told,)) == seen
    assert seen.well


async def test_the_illness_that_its_pod_names_stands_with_the_silent_port() -> None:
    """By the Service's namespace and name; another's is no cause of it."""
    stage = Stage()
    stage.cluster.service_ports = [replace(REDIS_PORT, ready_endpoints=0)]
    causes = {"joelclaw/redis": "its own log says: bad file"}
    eyes = ServiceEyes(stage.ports, stage.cluster, stage.engine, stage.vm, stage.open_in_vm)
    probe = ServicesProbe(eyes, (REDIS,), cause_of=lambda name: causes.get(name, ""))
    (caused,) = (await probe.look()).findings
    causes.clear()
    (bare,) = (await probe.look()).findings

    assert f"{bare.evidence}; its own log says: bad file" == caused.evidence
    assert Reason.SERVICE_NO_ENDPOINTS is caused.reason

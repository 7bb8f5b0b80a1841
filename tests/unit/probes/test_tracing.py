"""The trace asks every place at once, and ends in time whatever hangs."""

from dataclasses import replace

import pytest

from healer.model.cluster import ServicePort
from healer.model.container import PortBinding
from healer.model.front import DEFAULT_URLS, WantedCaddy, WantedFront
from healer.model.path import Hop, Verdict
from healer.model.published import CONTAINER, HOST, PublishedService
from healer.ports import (
    CannotLook,
    Denied,
    PortError,
    TargetIll,
    TargetSilent,
    WrongAnswer,
)
from healer.probes import front as front_probe
from healer.probes import tracing
from healer.probes.front import FrontParts
from healer.probes.tracing import Above, heard, trace
from tests.cluster_objects import livekit
from tests.fakes.engine import UP
from tests.fakes.front import FakeFront
from tests.fakes.host import FakeHost, process
from tests.fakes.path import FakePath
from tests.fakes_cluster import FakePorts

TYPESENSE = PublishedService("typesense", 8108, "http", "/health", '"ok":true')
PDS = PublishedService("bluesky-pds", 9627, "http", "/xrpc/_health", "version", 3000)
LIVEKIT = PublishedService("livekit-server", 7880, "http", "/", "OK", host_network=True)
API = PublishedService("kubernetes", 0, "tls", container_port=6443, where=CONTAINER)
HEALTH = '{"ok":true}'
PORT = ServicePort("joelclaw", "typesense", 8108, 8108, "8108", 1, 1)


@pytest.fixture
def eyes() -> FakePath:
    """A tower in which Typesense is well."""
    one = FakePath()
    one.box = replace(UP, ports=(PortBinding(8108, "", 8108), PortBinding(6443, "", 64784)))
    one.mac, one.vm = {8108: HEALTH, 64784: "speaks TLS"}, {8108: HEALTH, 64784: "accepts"}
    one.pods, one.ports = {"typesense": HEALTH}, [PORT]
    return one


async def test_a_healthy_way(eyes: FakePath) -> None:
    """Every hop is looked at, each with its latency."""
    (path,) = await trace(eyes, [TYPESENSE])

    assert [Verdict.OK] * 5 == [one.verdict for one in path.steps]
    timed = {one.hop for one in path.steps if one.took is not None}
    assert {Hop.FORWARD, Hop.PORT_MAP, Hop.NODE_PORT, Hop.POD} == timed


async def test_a_dead_forward_is_told_by_the_vm(eyes: FakePath) -> None:
    """The same words, said there."""
    del eyes.mac[8108]
    (path,) = await trace(eyes, [TYPESENSE])

    assert path.broken is not None
    assert Hop.FORWARD is path.broken.hop
    assert (Hop.PORT_MAP, Hop.NODE_PORT, Hop.ENDPOINTS, Hop.POD) == path.alive_beyond


async def test_the_containers_own_api_is_where_docker_publishes_it(eyes: FakePath) -> None:
    """Its port changes from creation to creation."""
    (path,) = await trace(eyes, [API])

    assert (64784, Verdict.OK) == (path.service.host_port, path.verdict)


async def test_an_api_that_is_not_published_is_broken_there(eyes: FakePath) -> None:
    """And nobody is asked at port 0."""
    eyes.box = replace(UP, ports=())
    (path,) = await trace(eyes, [API])

    assert path.broken is not None
    assert Hop.PORT_MAP is path.broken.hop


async def test_a_pods_port_is_dockers_word(eyes: FakePath) -> None:
    """9627 of the Mac is 3000 of the container."""
    eyes.box = replace(UP, ports=(PortBinding(3000, "", 9627),))
    eyes.ports = [ServicePort("joelclaw", "bluesky-pds", 3000, 3000, "3000", 0, 1)]
    (path,) = await trace(eyes, [PDS])

    assert path.broken is not None
    assert Hop.ENDPOINTS is path.broken.hop


async def test_livekits_deployment_stands_for_its_service(eyes: FakePath) -> None:
    """On the node's own network there is none."""
    eyes.box = replace(UP, ports=(PortBinding(7880, "", 7880),))
    eyes.deployments = [livekit()]
    eyes.mac[7880] = WrongAnswer("http :7880", "HTTP 406: Not Ready")
    (path,) = await trace(eyes, [LIVEKIT])

    assert path.broken is not None
    assert Hop.ENDPOINTS is path.broken.hop


@pytest.mark.parametrize(
    "hung", ["on_mac", "listener_is_ours", "in_vm", "container", "services", "by_api"]
)
async def test_it_ends_whatever_hangs(
    hung: str, eyes: FakePath, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was not heard in time is not seen, and nothing is accused for it."""
    monkeypatch.setattr(tracing, "SECONDS", 0.05)
    eyes.hung = {hung}
    (path,) = await trace(eyes, [TYPESENSE])

    assert path.broken is None
    assert path.verdict in {Verdict.OK, Verdict.UNSEEN}


async def test_a_dark_tower_is_not_seen(eyes: FakePath) -> None:
    """No ssh, no Docker, no API, and silence on the Mac: which hop it is cannot be known."""
    eyes.mac[8108] = TargetSilent("mac", "no answer")
    eyes.vm = eyes.box = eyes.ports = TargetIll("ssh", "refused")
    (path,) = await trace(eyes, [TYPESENSE])

    assert Verdict.UNSEEN is path.verdict


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("spoke", "+PONG"),
        ("wrong", WrongAnswer("x", "HTTP 503")),
        ("wrong", Denied("x", "401")),
        ("silent", TargetSilent("x", "no answer")),
        ("refused", TargetIll("x", "Connection refused")),
        ("cut", TargetIll("x", "Connection reset by peer")),
        ("unseen", CannotLook("x", "no lsof")),
    ],
)
def test_what_an_answer_tells(word: str, said: str | PortError) -> None:
    """Refusal, a cut and silence point at different hops."""
    assert word == heard(said).heard.value


WORKER = PublishedService("worker", 3111, "http", "/api/inngest", where=HOST, status=200)
WANTED = WantedFront(WantedCaddy(urls=DEFAULT_URLS))


def above(front: FakeFront) -> Above:
    """A Mac on which both tools are there."""
    host = FakeHost()
    host.tools |= {"caddy", "tailscale"}
    host.table = [process(1, "caddy run")]
    return Above(FrontParts(front, host, FakePorts()), WANTED)


async def test_a_way_begins_above_the_macs_port(eyes: FakePath) -> None:
    """The funnel and Caddy lead to the worker."""
    eyes.mac[3111], eyes.by_lima[3111] = "HTTP 200", False
    (path,) = await trace(eyes, [WORKER], above(FakeFront()))

    assert [Hop.FUNNEL, Hop.CADDY, Hop.PROGRAM] == [one.hop for one in path.steps]
    assert Verdict.OK is path.verdict


async def test_only_what_leads_there_is_asked(eyes: FakePath) -> None:
    """Typesense has neither, and nobody waits for them."""
    front = FakeFront()
    (path,) = await trace(eyes, [TYPESENSE], above(front))

    assert [] == front.asked
    assert Hop.FORWARD is path.steps[0].hop


async def test_a_broken_hop_above_is_named_and_the_rest_alive(eyes: FakePath) -> None:
    """The worker answers, and the internet does not reach it."""
    eyes.mac[3111], eyes.by_lima[3111] = "HTTP 200", False
    (path,) = await trace(eyes, [WORKER], above(FakeFront(funnels=())))

    assert path.broken is not None
    assert (Hop.FUNNEL, (Hop.PROGRAM,)) == (path.broken.hop, path.alive_beyond)


@pytest.mark.parametrize("hung", ["url", "funnel"])
async def test_it_ends_whatever_hangs_above(
    hung: str, eyes: FakePath, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was heard of the way below stays heard."""
    monkeypatch.setattr(front_probe, "SECONDS", 0.05)
    eyes.mac[3111], eyes.by_lima[3111] = "HTTP 200", False
    (path,) = await trace(eyes, [WORKER], above(FakeFront(hung={hung})))

    assert path.broken is None
    assert Hop.PROGRAM is path.steps[-1].hop

"""Which hop is named, for one fault at each hop, and what is proved alive beyond it."""

from dataclasses import replace

import pytest

from healer.model.cluster import ServicePort
from healer.model.path import Answer, Heard, Hop, Path, Seen, Verdict, walk
from healer.model.published import CONTAINER, HOST, PublishedService

TYPESENSE = PublishedService("typesense", 8108, "http", "/health", '"ok":true')
PORT = ServicePort("joelclaw", "typesense", 8108, 8108, "8108", 1, 1)
WELL = Answer(Heard.SPOKE, '{"ok":true}', 0.003)
REFUSED = Answer(Heard.REFUSED, "Connection refused")
CUT = Answer(Heard.CUT, "closed without a word")
SILENT = Answer(Heard.SILENT, "no answer within 3 s")
WRONG = Answer(Heard.WRONG, "HTTP 503: lagging")
UNSEEN = Answer(Heard.UNSEEN, "ssh: refused")
HEALTHY = Seen(
    TYPESENSE,
    8108,
    WELL,
    by_lima=True,
    in_vm=WELL,
    container="running",
    published=True,
    ports=(PORT,),
    by_api=WELL,
    looked=((Hop.PORT_MAP, 0.02),),
)
BEHIND_PROXY = replace(HEALTHY, on_mac=CUT, in_vm=CUT, by_api=REFUSED)
"""docker-proxy accepts for the dead, here and in the VM."""


def verdicts(path: Path) -> str:
    """A letter a hop."""
    return "".join(one.verdict.value[:2] + " " for one in path.steps).strip()


def test_a_healthy_way_is_ok_all_along() -> None:
    """Every hop is judged, with its own latency."""
    path = walk(HEALTHY)

    assert "ok ok ok ok ok" == verdicts(path)
    assert (Verdict.OK, None, ()) == (path.verdict, path.broken, path.alive_beyond)
    assert [0.003, 0.02, None, None, 0.003] == [one.took for one in path.steps]
    assert "no hop is seen broken (ok)" == path.line


@pytest.mark.parametrize(
    ("hop", "beyond", "seen"),
    [
        ("forward", "port map, node port, endpoints, pod", replace(HEALTHY, on_mac=REFUSED)),
        ("forward", "port map, node port, endpoints, pod", replace(HEALTHY, on_mac=SILENT)),
        (
            "forward",
            "port map, node port, endpoints",
            replace(BEHIND_PROXY, on_mac=REFUSED, in_vm=Answer(Heard.OPEN, "open"), by_api=UNSEEN),
        ),
        (
            "forward",
            "port map, node port, endpoints, pod",
            replace(HEALTHY, on_mac=CUT, by_lima=False),
        ),
        (
            "port map",
            "node port, endpoints, pod",
            replace(HEALTHY, on_mac=REFUSED, in_vm=REFUSED, published=False),
        ),
        (
            "port map",
            "node port, endpoints, pod",
            replace(HEALTHY, on_mac=REFUSED, in_vm=REFUSED),
        ),
        (
            "port map",
            "node port, endpoints",
            replace(HEALTHY, on_mac=REFUSED, in_vm=REFUSED, container="exited", by_api=UNSEEN),
        ),
        (
            "node port",
            "endpoints, pod",
            replace(BEHIND_PROXY, ports=(replace(PORT, node_port=31234),), by_api=WELL),
        ),
        (
            "node port",
            "endpoints, pod",
            replace(BEHIND_PROXY, ports=(replace(PORT, node_port=0),), by_api=WELL),
        ),
        ("node port", "", replace(BEHIND_PROXY, ports=(), by_api=UNSEEN)),
        ("node port", "endpoints, pod", replace(BEHIND_PROXY, by_api=WELL)),
        ("endpoints", "", replace(BEHIND_PROXY, ports=(replace(PORT, ready_endpoints=0),))),
        (
            "endpoints",
            "",
            replace(BEHIND_PROXY, ports=(replace(PORT, ready_endpoints=0, desired=None),)),
        ),
        ("pod", "", BEHIND_PROXY),
        ("pod", "", replace(BEHIND_PROXY, on_mac=SILENT, in_vm=SILENT, by_api=SILENT)),
        ("pod", "", replace(BEHIND_PROXY, by_api=UNSEEN)),
        ("pod", "", replace(HEALTHY, on_mac=WRONG, in_vm=WRONG, by_api=WRONG)),
    ],
)
def test_one_fault_at_each_hop_is_named_there(hop: str, beyond: str, seen: Seen) -> None:
    """And what answers behind it is told, since it narrows the fault."""
    path = walk(seen)

    assert path.broken is not None
    assert (hop, beyond) == (path.broken.hop.value, ", ".join(path.alive_beyond))
    assert Verdict.BROKEN is path.verdict
    assert "" != path.broken.command
    assert path.line.startswith(f"broken at the {hop}: ")


def test_the_mend_is_the_exact_command() -> None:
    """A Service restored as ClusterIP (incident 25), a port that nobody published (R35)."""
    cluster_ip = walk(replace(BEHIND_PROXY, ports=(replace(PORT, node_port=0),))).broken
    unpublished = walk(replace(HEALTHY, on_mac=REFUSED, in_vm=REFUSED, published=False)).broken
    assert cluster_ip is not None
    assert unpublished is not None
    assert (
        "kubectl -n joelclaw patch service typesense -p "
        '\'{"spec":{"type":"NodePort","ports":[{"port":8108,"nodePort":8108}]}}\''
    ) == cluster_ip.command
    assert "healer ports add 8108" == unpublished.command
    pds = replace(TYPESENSE, name="bluesky-pds", host_port=9627, container_port=3000)
    elsewhere = replace(HEALTHY, service=pds, inner_port=3000, on_mac=REFUSED, published=False)
    steps = {one.hop: one for one in walk(elsewhere).steps}
    assert "healer ports add 9627:3000" == steps[Hop.PORT_MAP].command


def test_scaled_to_zero_is_unwanted_and_no_fault() -> None:
    """R49."""
    path = walk(replace(BEHIND_PROXY, ports=(replace(PORT, ready_endpoints=0, desired=0),)))

    assert (Verdict.UNWANTED, None) == (path.verdict, path.broken and path.broken.hop)


def test_what_cannot_be_looked_at_is_no_fault() -> None:
    """An answer clears the hops that it came through; without one nothing is accused."""
    blind = replace(HEALTHY, by_lima=None, in_vm=UNSEEN, container=None, published=None, ports=None)
    dark = replace(blind, on_mac=CUT, by_api=UNSEEN)

    assert Verdict.OK is walk(blind).verdict
    assert (Verdict.UNSEEN, None) == (walk(dark).verdict, walk(dark).broken)


def test_an_accept_in_the_vm_accuses_nobody() -> None:
    """Whether the forward or the pod is dumb is told by speaking there only (R27)."""
    seen = replace(BEHIND_PROXY, in_vm=Answer(Heard.OPEN, "open"), by_api=UNSEEN)

    assert (Verdict.UNSEEN, None) == (walk(seen).verdict, walk(seen).broken)


def test_a_strangers_answer_is_told() -> None:
    """A port-forward by hand masks the way (R36)."""
    forward = walk(replace(HEALTHY, by_lima=False)).steps[0]

    assert "answered, not through Lima" == forward.words


def test_a_port_that_a_stranger_holds_is_told_apart_from_one_that_nobody_has() -> None:
    """Who it is, the command shows; a refused port is held by nobody."""
    held = walk(replace(HEALTHY, on_mac=CUT, by_lima=False)).steps[0]
    free = walk(replace(HEALTHY, on_mac=REFUSED, by_lima=False)).steps[0]

    assert "closed without a word; held by another program, not by Lima" == held.words
    assert "lsof -nP -iTCP:8108 -sTCP:LISTEN" == held.command
    assert ("healer --once", True) == (free.command, "held" not in free.words)


@pytest.mark.parametrize(
    ("verdict", "seen"),
    [
        (Verdict.OK, {}),
        (Verdict.BROKEN, {"on_mac": REFUSED}),
        (Verdict.BROKEN, {"by_lima": True}),
        (Verdict.UNSEEN, {"on_mac": UNSEEN}),
    ],
)
def test_a_program_of_the_mac_has_one_hop(verdict: Verdict, seen: dict[str, object]) -> None:
    """3111 belongs to the host; a Lima that listens there makes both lie (design §10)."""
    worker = PublishedService("worker", 3111, "http", "/api/inngest", where=HOST)
    own = Seen(worker, 3111, WELL, by_lima=False)
    path = walk(replace(own, **seen))  # type: ignore[arg-type]  # a table of fields

    assert [(Hop.PROGRAM, verdict)] == [(one.hop, one.verdict) for one in path.steps]


def test_the_containers_own_api_has_no_service() -> None:
    """Forward, port map, and the server itself."""
    api = PublishedService("kubernetes", 64784, "tls", container_port=6443, where=CONTAINER)
    path = walk(replace(HEALTHY, service=api, inner_port=6443, ports=None))
    broken = walk(replace(BEHIND_PROXY, service=api, inner_port=6443)).broken

    assert [Hop.FORWARD, Hop.PORT_MAP, Hop.SERVER] == [one.hop for one in path.steps]
    assert broken is not None
    assert Hop.SERVER is broken.hop


def test_a_pod_on_the_nodes_own_network_needs_no_node_port() -> None:
    """LiveKit: its Deployment says who is ready."""
    livekit = PublishedService("livekit-server", 7880, "http", "/", "OK", host_network=True)
    seen = replace(BEHIND_PROXY, service=livekit, inner_port=7880, ports=(), ready=0, desired=1)

    broken = walk(seen).broken
    assert broken is not None
    assert Hop.ENDPOINTS is broken.hop

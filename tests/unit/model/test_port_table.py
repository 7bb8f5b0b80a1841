"""Which rule each port keeps or breaks, and what drifts between settings, Docker and Kubernetes."""

from dataclasses import replace

from healer.model.cluster import ServicePort
from healer.model.container import PortBinding
from healer.model.port_table import Row, Rule, port_table
from healer.model.published import CONTAINER, HOST, PublishedService
from tests.fakes.engine import UP

REDIS = PublishedService("redis", 6379, "redis")
PDS = PublishedService("bluesky-pds", 9627, "http", "/", container_port=3000)
LIVEKIT = PublishedService("livekit-server", 7880, "http", "/", host_network=True)
WORKER = PublishedService("worker", 3111, "http", "/", where=HOST)
API = PublishedService("kubernetes", 0, "tls", container_port=6443, where=CONTAINER)
SERVED = ServicePort("joelclaw", "redis", 6379, 6379, "6379", 1, 1)
BOX = replace(
    UP,
    ports=(
        PortBinding(6379, "0.0.0.0", 6379),
        PortBinding(6379, "::", 6379),
        PortBinding(3000, "", 9627),
        PortBinding(7880, "", 7880),
        PortBinding(6443, "", 64784),
    ),
)
SERVICES = (SERVED, ServicePort("joelclaw", "bluesky-pds", 3000, 3000, "3000", 1, 1))


def rows(*known: PublishedService, **changes: object) -> dict[str, Row]:
    """The table by name, of a tower in order but for the changes."""
    given = {"container": BOX, "services": SERVICES, **changes}
    table = port_table(known, given["container"], given["services"])  # type: ignore[arg-type]  # a table of arguments
    return {one.name or one.service or str(one.mac_port): one for one in table}


def test_a_tower_in_order_keeps_every_rule() -> None:
    """A NodePort equals the container's port, and the Mac's may be another."""
    table = rows(REDIS, PDS, LIVEKIT, WORKER, API)

    kept = Rule.KEPT
    assert Row("redis", 6379, 6379, "joelclaw/redis:6379", 6379, kept) == table["redis"]
    assert (9627, 3000, 3000) == (
        table["bluesky-pds"].mac_port,
        table["bluesky-pds"].container_port,
        table["bluesky-pds"].node_port,
    )
    assert Row("livekit-server", 7880, 7880, "", None, kept) == table["livekit-server"]
    assert Row("kubernetes", 64784, 6443, "", None, kept) == table["kubernetes"]
    assert Rule.HOST is table["worker"].rule
    assert 5 == len(table)


def test_a_node_port_that_differs_is_broken_with_its_patch() -> None:
    """R35, and a Service restored as ClusterIP (incident 25)."""
    other = rows(REDIS, services=(replace(SERVED, node_port=31000),))["redis"]
    none = rows(REDIS, services=(replace(SERVED, node_port=0),))["redis"]

    assert (Rule.NODE_PORT_DIFFERS, 31000) == (other.rule, other.node_port)
    assert (Rule.NODE_PORT_DIFFERS, None) == (none.rule, none.node_port)
    assert '"nodePort":6379' in other.command
    assert '"type":"NodePort"' in none.command


def test_what_only_one_of_them_knows_is_drift() -> None:
    """Settings without a binding, a binding without settings, a NodePort behind no port."""
    far = replace(SERVED, name="far", node_port=30111)
    docs = PublishedService("docs-api", 3838)
    table = rows(REDIS, docs, services=(SERVED, far))

    assert Rule.NOT_PUBLISHED is table["docs-api"].rule
    assert Rule.UNNAMED is table["9627"].rule
    assert Rule.UNREACHED is table["joelclaw/far:6379"].rule
    assert Rule.NO_SERVICE is rows(REDIS, services=())["redis"].rule


def test_a_port_of_the_mac_that_docker_takes_is_broken() -> None:
    """3111 belongs to the host (incident 12)."""
    box = replace(BOX, ports=(PortBinding(3111, "", 3111),))

    assert Rule.RESERVED is rows(WORKER, container=box)["worker"].rule


def test_what_could_not_be_asked_breaks_no_rule() -> None:
    """Neither Docker's nor Kubernetes' silence accuses anybody."""
    assert Rule.UNSEEN is rows(REDIS, container=None)["redis"].rule
    assert Rule.UNSEEN is rows(REDIS, services=None)["redis"].rule

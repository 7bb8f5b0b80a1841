"""Ports that the Mac publishes into the cluster, and what should answer there.

The defaults are the owner's (facts/incidents.md §6). A port that the container does not
publish, or behind which no service is wanted, is simply not there: nothing is wrong with it.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

POD: Final = "pod"
CONTAINER: Final = "container"
HOST: Final = "host"
BEHIND: Final = (POD, CONTAINER, HOST)
"""What a port may lead to: a pod, a program of the container's own, one of the Mac's own."""

HOST_ONLY: Final = frozenset({3111})
"""Ports of the Mac's own programs: whatever answers there proves nothing of the tower
(design §10, "Witness groups")."""


@dataclass(frozen=True, slots=True)
class PublishedService:
    """One published port, and how to speak with what is behind it."""

    name: str
    """The Service in the cluster."""
    host_port: int
    """The Mac's port."""
    protocol: str = "tcp"
    """`redis` and `http` prove life by what comes back; `tcp` only shows a listener."""
    path: str = ""
    """For http: what is asked with GET."""
    expect: str = ""
    """What the answer must contain; '' = anything."""
    container_port: int = 0
    """The container's port that Docker maps it to; 0 = the same as on the Mac."""
    namespace: str = "joelclaw"
    host_network: bool = False
    """The pod itself listens on the container's port: no NodePort is needed for it."""
    where: str = POD
    """`container`: an API of the container itself; `host`: a program of the Mac, which is traced
    and proves nothing of the tower."""
    status: int = 0
    """For http: the status that is right; 0 = any from 200 to 399."""
    needs: tuple[str, ...] = ()
    """Names of services without which this one is ill too."""

    @property
    def inner_port(self) -> int:
        """The container's port, which a NodePort must equal."""
        return self.container_port or self.host_port

    @property
    def proves_life(self) -> bool:
        """Whether an answer is bytes of a protocol and not a bare accept."""
        return self.protocol in {"http", "redis"} and self.where == POD

    def through(self, port: int) -> "PublishedService":
        """The same, at that port of the Mac."""
        return replace(self, host_port=port)


DEFAULT_PUBLISHED: Final = (
    PublishedService("redis", 6379, "redis", expect="PONG"),
    PublishedService("typesense", 8108, "http", "/health", '"ok":true'),
    PublishedService("inngest-svc", 8288, "http", "/health", '"status":200'),
    PublishedService("inngest-svc", 8289),
    PublishedService("restate", 8080),
    PublishedService("restate", 9070, "http", "/deployments", "deployments"),
    PublishedService("restate", 9071),
    PublishedService("docs-api", 3838),
    PublishedService(
        "livekit-server", 7880, "http", "/", "OK", host_network=True, needs=("redis",)
    ),
    PublishedService("livekit-server", 7881, host_network=True, needs=("redis",)),
    PublishedService("bluesky-pds", 9627, "http", "/xrpc/_health", "version", 3000),
    PublishedService("minio", 30900),
    PublishedService("minio", 30901),
    PublishedService("aistor", 31000, namespace="aistor"),
    PublishedService("aistor", 31001, namespace="aistor"),
    PublishedService("system-bus-worker", 3111, "http", "/api/inngest", where=HOST, status=200),
)
"""Where the facts give no path and no answer, only a listener is asked for: a guess would
call a healthy service ill."""


def service_map(
    services: Iterable[PublishedService], api_port: int, talos_port: int
) -> tuple[PublishedService, ...]:
    """Everything that can be traced: the settings' services, and the container's own two APIs.

    Those two are at whatever port of the Mac Docker publishes them, so theirs reads 0 here.
    """
    return (
        *services,
        PublishedService("kubernetes", 0, "tls", "", "", api_port, where=CONTAINER),
        PublishedService("talos", 0, "tls", "", "", talos_port, where=CONTAINER),
    )

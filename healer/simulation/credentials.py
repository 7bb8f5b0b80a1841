"""The kubeconfig, the talosconfig and certificates of a simulated Mac, as a port."""

from collections.abc import Mapping, Sequence
from typing import Final

from healer.model.certificates import APISERVER, DAY, Certificate, Read
from healer.model.client_config import ClientConfig, Entry, Kind, Spot
from healer.simulation.papers import CADDY, CONTEXT
from healer.simulation.physics import Tower

_WHERE: Final = {
    "kubeconfig": "/Users/joel/.kube/config",
    "talosconfig": "/Users/joel/.talos/config",
    CADDY: "/Users/joel/caddy/caddy.crt",
}
_NODE: Final = "10.5.0.2"


class SimulatedCredentials:
    """Implements CredentialEyes over the tower's papers."""

    def __init__(self, tower: Tower) -> None:
        self._tower = tower

    def config(self, kind: Kind) -> ClientConfig:
        """What the file says now."""
        return self._kubeconfig() if kind is Kind.KUBECONFIG else self._talosconfig()

    async def certificates(self) -> Sequence[Certificate]:
        """Those of the files."""
        return tuple(self._certificate(name, where) for name, where in _WHERE.items())

    async def serving(self, port: int) -> Certificate:
        """What the API server shows."""
        return self._certificate(APISERVER, f"127.0.0.1:{port}")

    def expiries(self) -> Mapping[str, float]:
        """Epoch seconds."""
        return {name: self._ends(name) for name in (*_WHERE, APISERVER)}

    def _certificate(self, name: str, where: str) -> Certificate:
        return Certificate(name, where, Read(name, "joelclaw", self._ends(name)))

    def _ends(self, name: str) -> float:
        """By the Mac's wall clock: a jump of it brings an end nearer, or takes it away."""
        return self._tower.clock.wall(0.0) + self._tower.mac.papers.days[name] * DAY

    def _kubeconfig(self) -> ClientConfig:
        papers, port = self._tower.mac.papers, self._tower.cluster.api.kubeconfig_port
        server = f"https://{_NODE}:6443" if papers.in_cluster else f"https://127.0.0.1:{port}"
        current = Spot(papers.current, 0, 0, 1)
        entry = Entry(CONTEXT, 1, "joelclaw", (Spot(server, 0, 0, 2),))
        return ClientConfig(Kind.KUBECONFIG, _WHERE["kubeconfig"], current, (entry,))

    def _talosconfig(self) -> ClientConfig:
        endpoint = Spot(f"127.0.0.1:{self._tower.mac.papers.talos_port}", 0, 0, 2)
        entry = Entry("joelclaw", 1, "joelclaw", (endpoint,), (_NODE,))
        current = Spot("joelclaw", 0, 0, 1)
        return ClientConfig(Kind.TALOSCONFIG, _WHERE["talosconfig"], current, (entry,))

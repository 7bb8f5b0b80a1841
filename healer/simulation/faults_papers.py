"""What befalls kubeconfig, talosconfig and certificates (facts/talos-kubernetes.md §1)."""

from healer.core.tower import Layer
from healer.simulation.happening import Choice, Happening, Number, fault
from healer.simulation.papers import CERTIFICATES
from healer.simulation.physics import Tower


def _context_dead(tower: Tower) -> None:
    tower.mac.papers.current = "admin@joelclaw-1"
    tower.tell("the kubeconfig's current context is one that is gone")


def _kubeconfig_fetched(tower: Tower) -> None:
    tower.mac.papers.in_cluster = True
    tower.cluster.api.kubeconfig_port = 6443
    tower.tell("somebody fetched the kubeconfig again: it leads into the VM")


def _talosconfig_stale(tower: Tower) -> None:
    tower.mac.papers.talos_port = 15_000
    tower.tell("the talosconfig names a port of the cluster before")


def _certificate_ends(tower: Tower, certificate: str, days: float) -> None:
    tower.mac.papers.days[certificate] = days + tower.clock.at / 86_400.0
    if certificate == "kubeconfig":
        tower.cluster.api.certificate_days = days
    tower.tell(f"the certificate of {certificate} has {days:g} days left")


FAULTS_OF_PAPERS: tuple[Happening, ...] = (
    fault(
        "context_dead",
        Layer.HOST,
        _context_dead,
        "The kubeconfig's current context is none that is there (talos §1); advisory.",
    ),
    fault(
        "kubeconfig_fetched",
        Layer.HOST,
        _kubeconfig_fetched,
        "`talosctl kubeconfig` has written the endpoint inside the cluster (talos §1); advisory.",
    ),
    fault(
        "talosconfig_stale",
        Layer.HOST,
        _talosconfig_stale,
        "The talosconfig names another port than Docker publishes (talos §1); advisory.",
    ),
    fault(
        "certificate_ends",
        Layer.HOST,
        _certificate_ends,
        "A certificate nears its end: those on the Mac do not renew themselves (talos §1).",
        {
            "certificate": Choice("whose it is", "talosconfig", CERTIFICATES),
            "days": Number("how long it lasts yet, in days", 20.0, 0.0, 400.0),
        },
    ),
)

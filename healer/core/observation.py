"""What a probe may answer: findings, signs of life or death, or that it could not look."""

from dataclasses import dataclass

from healer.core.reasons import Reason
from healer.core.tower import Layer
from healer.core.word import Word


class Component(Word):
    """A part of the tower on which an answer depends: any of them, dead alone, silences it."""

    HOSTAGENT = "hostagent"
    """Lima's agent on the Mac: ha.sock."""
    PORT_FORWARDER = "port_forwarder"
    """The forwards of the published ports, whoever carries them: they get lost or hang alone."""
    DRIVER = "driver"
    """The process that is the VM: the hostagent's own with vz, another with QEMU or krunkit."""
    MUX = "mux"
    """Lima's ssh master: docker.sock, and with portForwarder ssh the published ports."""
    USERNET = "usernet"
    """The VM's network card: every ssh into the VM goes through it."""
    SSHD = "sshd"
    """Takes new logins; the master's session outlives it."""
    GUEST = "guest"
    """The VM's kernel."""
    DOCKERD = "dockerd"
    CONTAINER = "container"
    """The Talos container: its init runs and is scheduled."""
    CONTROL = "control"
    """The container's own control: machined and the kubelet."""
    API_SERVER = "api_server"


@dataclass(frozen=True, slots=True)
class Sign:
    """One sign of life or of death: a question, and whether it was answered.

    Life is bytes of the right protocol; a bare connect is not, since usernet and docker-proxy
    accept for the dead. What could not be asked gives no sign at all.
    """

    what: str
    """What was asked, e.g. `docker.sock /_ping` or `port 6379 PING`; identifies the sign."""
    depends_on: frozenset[Component]
    """Everything that must live for an answer: an answer proves that all of it does, and each
    of it may be the cause of silence."""
    alive: bool


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong, with the exact strings and numbers seen (redacted)."""

    reason: Reason
    evidence: str
    target: str = ""
    """What the remedy must touch: a pod as `namespace/name@uid`, a port; '' = the layer."""
    fingerprint: str = ""
    """Changes when the same trouble starts anew, which restarts its confirmation."""
    event: str = ""
    """The one event behind it, `uid/reason/lastTimestamp`; one event, one act (I11)."""
    owner: str = ""
    """The workload it belongs to: the storm brake counts owners, budgets are per owner."""
    cause: str = ""
    """The workload whose illness this is a consequence of, named as its `owner` is elsewhere."""
    ripe_in: float = 0.0
    """Seconds until a remedy may safely touch it, by the target's own clock; 0 = now."""
    waits_for: str = ""
    """Why it is too early until then, or who is at work on it by themselves; '' = not told."""
    human_ago: float | None = None
    """Seconds since a human brought this about on purpose; None = nobody did."""
    advice: str = ""
    """What a human should do about it, with the exact command; '' = the table's advice."""


@dataclass(frozen=True, slots=True)
class ForeignOperation:
    """Somebody else's start or stop in progress, seen in the process list."""

    layer: Layer
    """The lowest layer that it touches."""
    command: str
    pid: int
    age: float
    """Seconds since it began."""


@dataclass(frozen=True, slots=True)
class Observation:
    """A probe's answer about one layer.

    No gating finding and no `unknown` means that the layer is well. `unknown` says why we
    could not look, and never causes an act (I1).
    """

    layer: Layer
    findings: tuple[Finding, ...] = ()
    unknown: str = ""
    signs: tuple[Sign, ...] = ()
    foreign: tuple[ForeignOperation, ...] = ()
    others_unseen: str = ""
    """Why somebody else's operations could not be looked for; '' = they were looked for."""
    uptime: float | None = None
    """Seconds since what this layer runs was started; None where that has no meaning."""
    targets: int = 0
    """How many owners the layer has in all; the storm brake asks for more than half of them."""
    summary: str = ""
    """What was seen, in a few words, for the drawn tower: `Running, 4 CPU`."""

    @property
    def gating(self) -> tuple[Finding, ...]:
        """The findings that make the layer ill."""
        return tuple(finding for finding in self.findings if finding.reason.gating)

    @property
    def well(self) -> bool:
        """Whether the layer was seen, and seen to be well."""
        if self.unknown:
            return False
        return not self.findings or not self.gating

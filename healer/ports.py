"""What healer asks of the outside, in pairs: eyes look and change nothing, hands act.

A probe is handed eyes only, so the type checker promises that looking changes nothing. Every
method has a deadline inside its implementation and raises only the errors of this file.
Adapters (real) and the simulation implement the same protocols and pass the same contract
tests.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeVar

from healer.core.facts import Act, Decision, Outcome, Pause
from healer.core.ladders import Remedy
from healer.core.ledger import Ledger
from healer.core.tower import Layer
from healer.model.certificates import Certificate
from healer.model.client_config import ClientConfig, Kind
from healer.model.cluster import (
    DaemonSet,
    Deployment,
    Event,
    Listing,
    Node,
    Pod,
    Readiness,
    ServicePort,
)
from healer.model.container import Container
from healer.model.flannel import FlannelNetwork
from healer.model.front import CaddyUrl, UrlAnswer
from healer.model.funnel import Funnelled
from healer.model.jobs import LocalUrl, PlacedJob
from healer.model.machine import (
    Forwarder,
    GuestFacts,
    Hostagent,
    Mux,
    ProcessInfo,
    VmStatus,
)
from healer.model.notice import Delivery, Ended, Notice, Past
from healer.model.published import PublishedService
from healer.model.setup import (
    Addressing,
    MetricsApi,
    Provisioner,
    RedisSettings,
    StorageClass,
)
from healer.model.talos_config import TalosConfig
from healer.outside import cleaned, line
from healer.replay.records import KeptBeginning, KeptSteps


class PortError(Exception):
    """Parent of what a port may raise; never raised itself.

    `place` names what was asked (`docker.sock /_ping`), `detail` the exact words seen, cleaned.
    """

    def __init__(self, place: str, detail: str) -> None:
        place, detail = line(place), cleaned(detail)
        super().__init__(f"{place}: {detail}")
        self.place = place
        self.detail = detail


_Error = TypeVar("_Error", bound=PortError)


def as_value(error: _Error) -> _Error:
    """The error without the frames that it and its causes passed, for who keeps it.

    Frames hold answers and often the very error; such circles go only when the cyclic collector
    comes, and in an outage thousands of them made the heap grow to its largest.
    """
    chain: list[BaseException] = [error]
    while chain:
        one = chain.pop()
        chain += [before for before in (one.__cause__, one.__context__) if before is not None]
        one.__traceback__ = one.__cause__ = one.__context__ = None
    return error


class TargetIll(PortError):
    """The target refused, kept silent past the deadline or answered nonsense: evidence."""


class TargetSilent(TargetIll):
    """It accepted and did not answer in time; not the same as a refusal."""


class WrongAnswer(TargetIll):
    """Bytes of the right protocol came, and not the expected ones: ill, and yet a sign of life."""


class CannotLook(PortError):
    """We could not look (tool or file missing, no permission): says nothing of the target."""


class NotAsked(CannotLook):
    """The question alone would start what somebody may have stopped on purpose."""


class Denied(PortError):
    """The target is alive and refused us: authentication or authorisation."""


class NotThere(PortError):
    """The object asked for does not exist; for a delete that is success."""


class Conflict(PortError):
    """The object changed between look and act (409, 422): look again, do not retry blindly."""


class ActFailed(PortError):
    """The act was refused or ended badly; `detail` holds the target's own words."""


class JournalError(Exception):
    """The journal cannot be read or written; the message names file, cause and remedy."""


class Clock(Protocol):
    """Time, as healer may know it."""

    def now(self) -> float:
        """Seconds on this boot's clock, sleep included; only differences have meaning."""
        ...

    def wall(self) -> float:
        """Epoch seconds; for people and across boots only."""
        ...

    def boot_id(self) -> str:
        """Names this boot of the Mac."""
        ...

    def awake(self) -> float:
        """Seconds on a clock that stands still while the Mac sleeps."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait so long."""
        ...


class Memory(Protocol):
    """Single facts that outlive a run, such as the API server's last port."""

    def learn(self, word: str, value: str) -> None:
        """Remember one. Raises JournalError."""
        ...

    def known(self, word: str) -> str | None:
        """What was last learnt; None when nothing was. Raises JournalError."""
        ...


class Journal(Memory, Protocol):
    """Where intents, results, limits and pauses outlive the process. All raise JournalError."""

    def ledger(self) -> Ledger:
        """Everything that limits need, with times on this boot's clock."""
        ...

    def begin(self, act: Act) -> None:
        """Write and sync the intent; an act may run only after this returned."""
        ...

    def spawned(self, act: Act, pid: int, started: float) -> None:
        """Remember the child process of an act in progress (pid, epoch seconds)."""
        ...

    def end(self, act: Act, outcome: Outcome, detail: str) -> None:
        """Write the result."""
        ...

    def record(self, decision: Decision) -> None:
        """Keep a decision: transitions, refusals, incidents, holds, verifications."""
        ...

    def pause(self, pause: Pause) -> None:
        """Keep a human's pause."""
        ...

    def resume(self, scope: Layer | None) -> int:
        """End the pauses of that scope (None: all); return how many there were."""
        ...

    def reset(self, layer: Layer | None) -> int:
        """Forget holds, give-ups, disabled remedies and spent budgets of a layer (None: all)."""
        ...

    def check(self) -> None:
        """Write and sync a little: raises JournalError while nothing can be kept."""
        ...

    def written_by_others(self) -> bool:
        """Whether another process has written to it since this was last asked."""
        ...


class Evidence(Protocol):
    """Where the steps that decided something outlive the process, to be decided again (I17)."""

    def keep(self, beginning: KeptBeginning | int, steps: KeptSteps) -> int:
        """Keep steps after a beginning, or after those of the segment of that number.

        Returns the number of their segment. All or nothing, and it waits for nobody. Raises
        JournalError, also for a segment that is there no more.
        """
        ...


class HostEyes(Protocol):
    """The Mac itself."""

    def tool(self, name: str) -> Path | None:
        """Where the PATH that launchd gives finds the tool, or None."""
        ...

    async def processes(self) -> Sequence[ProcessInfo]:
        """The process list."""
        ...

    def boot_time(self) -> float:
        """Epoch seconds of the Mac's boot."""
        ...

    def disk_free(self) -> int:
        """Free bytes on the disk of the state folder."""
        ...

    async def loaded_rivals(self) -> Sequence[str]:
        """launchd labels of other owners of the tower that are loaded; () without launchd."""
        ...


class CredentialEyes(Protocol):
    """What lets us, and the human, into the cluster: files on the Mac, and what servers show."""

    def config(self, kind: Kind) -> ClientConfig:
        """The kubeconfig or the talosconfig. Raises NotThere, CannotLook."""
        ...

    async def certificates(self) -> Sequence[Certificate]:
        """Those of the files and of the servers that the settings name; of an hour ago at most."""
        ...

    async def serving(self, port: int) -> Certificate:
        """What the API server shows on this port of the Mac; of an hour ago at most."""
        ...

    def expiries(self) -> Mapping[str, float]:
        """Epoch seconds of each end that was read last, by the certificate's name."""
        ...


class VmEyes(Protocol):
    """Colima and the hostagent."""

    async def hostagent(self) -> Hostagent:
        """Files, process and ha.sock; never runs colima. Call it before `status`."""
        ...

    async def status(self) -> VmStatus:
        """`colima list --json`; never plain `colima status`. Raises CannotLook, TargetSilent."""
        ...

    async def usernet(self) -> None:
        """Return when Lima's usernet answers on its own socket, which leads to no guest.

        Raises TargetIll, TargetSilent; CannotLook where there is none.
        """
        ...

    def forwarder(self) -> Forwarder | None:
        """portForwarder of the saved profile, ssh when it says nothing; None without a profile."""
        ...


class VmHands(Protocol):
    """Start and stop of the VM. Each raises ActFailed with the tail of what was said."""

    async def start(self, act: Act) -> str:
        """`colima start` without flags but the profile; says how it ended."""
        ...

    async def stop(self, act: Act) -> str:
        """`colima stop`, verified by `list`."""
        ...

    async def force_stop(self, act: Act) -> str:
        """`colima stop --force`, else limactl's, else SIGKILL after an identity check."""
        ...

    async def remove_stale_files(self) -> str:
        """Remove pid files and sockets that are older than the boot; nothing else, ever."""
        ...


class GuestEyes(Protocol):
    """The VM by direct ssh, past Lima's mux."""

    async def banner(self) -> str:
        """The `SSH-2.0-…` line of the true port. Raises TargetIll."""
        ...

    async def facts(self) -> GuestFacts:
        """Everything in one round trip. Raises TargetIll, CannotLook."""
        ...


class GuestHands(Protocol):
    """Acts inside the VM, by direct ssh."""

    async def load_modules(self) -> str:
        """Modprobe br_netfilter and vxlan, and persist both in /etc/modules-load.d/."""
        ...

    async def restart_engine(self) -> str:
        """`systemctl restart docker`."""
        ...

    async def start_engine(self) -> str:
        """`systemctl start docker`; one that runs already is success."""
        ...


class ForwardEyes(Protocol):
    """Lima's mux as seen from outside it."""

    async def mux(self) -> Mux:
        """Whether a master lives and which process it is."""
        ...


class ForwardHands(Protocol):
    """The re-forward recipe of facts/colima.md §4."""

    async def reforward(self, ports: Sequence[tuple[str, int]]) -> str:
        """Make docker.sock, containerd.sock and the given `(address, port)` forwards anew."""
        ...

    async def term_mux(self) -> str:
        """TERM the one wedged master after an identity check."""
        ...


class EngineDoor(Protocol):
    """Stands before every connect to docker.sock: systemd starts dockerd at the first one."""

    async def enter(self, place: str) -> None:
        """Return when a connect starts nothing. Raises NotAsked."""
        ...

    def listening(self, *, begins: bool) -> None:
        """A stream of Docker's events has begun or ended; its end is heard at once."""
        ...

    def forget(self) -> None:
        """Docker said something: what was known of its unit may be so no more."""
        ...


class EngineEyes(Protocol):
    """Docker through the Mac's docker.sock."""

    async def ping(self) -> None:
        """Return when `/_ping` said OK. Raises TargetIll (refused, reset), TargetSilent."""
        ...

    async def container(self) -> Container:
        """The Talos container, by label and name. Raises NotThere, TargetIll."""
        ...

    async def stopped_by_human_ago(self, container: Container) -> float | None:
        """Seconds since a `stop` event of it that is its last end, or None; a kill is none."""
        ...


class EngineHands(Protocol):
    """Acts on the one container. Each raises ActFailed with Docker's words."""

    async def start(self, container: str) -> str:
        """Start it by id; an already running one is success."""
        ...

    async def restart(self, container: str) -> str:
        """Restart it by id with t=120."""
        ...

    async def update(self, container: str, *, restart_policy: str = "", memory: int = 0) -> str:
        """Set what is given, live; memory sets MemorySwap as well."""
        ...


class ClusterEyes(Protocol):
    """The Kubernetes API. All raise TargetIll, TargetSilent, Denied, CannotLook."""

    async def readiness(self) -> Readiness:
        """`/readyz` at the port that Docker publishes."""
        ...

    async def node(self) -> Listing[Node]:
        """The one node, by the container's name (zero or one item)."""
        ...

    async def pods(self) -> Listing[Pod]:
        """All pods of the cluster, paged."""
        ...

    async def warnings(self) -> Listing[Event]:
        """Warning events of reason FailedCreatePodSandBox."""
        ...

    async def flannel(self) -> Listing[DaemonSet]:
        """The flannel DaemonSet (zero or one item)."""
        ...

    async def livekit(self) -> Listing[Deployment]:
        """The LiveKit Deployment (zero or one item)."""
        ...

    async def services(self) -> Listing[ServicePort]:
        """Every port of a Service, with NodePort or without, its endpoints and wanted replicas."""
        ...

    async def owner_exists(self, pod: Pod) -> bool:
        """Whether the controller that the pod names is still there."""
        ...


class SetupEyes(Protocol):
    """How the cluster was set up: small questions, each asked now and then.

    All raise TargetIll, TargetSilent, Denied, CannotLook, and no answer holds the value of a
    variable.
    """

    async def addressing(self, namespace: str) -> Sequence[Addressing]:
        """What its Deployments and StatefulSets say of addresses."""
        ...

    async def has_service(self, namespace: str, name: str) -> bool:
        """Whether there is such a Service."""
        ...

    async def pod_security(self, namespace: str) -> str | None:
        """What it enforces, '' without the label; None when there is no such namespace."""
        ...

    async def storage_classes(self) -> Sequence[StorageClass]:
        """All of them."""
        ...

    async def provisioner(self) -> Provisioner | None:
        """The Deployment of local-path-provisioner, or None."""
        ...

    async def metrics(self) -> MetricsApi | None:
        """The API that metrics-server serves; None when nothing registered it."""
        ...

    async def node_ports(self) -> str:
        """The range of NodePorts, by the API server's own pod."""
        ...

    async def redis(self, port: int) -> RedisSettings:
        """What the Redis at that port of the Mac says of its settings."""
        ...

    async def talos(self, port: int) -> None:
        """Return when a server at that port of the Mac spoke TLS."""
        ...

    async def flannel_network(self, daemonset: DaemonSet) -> FlannelNetwork:
        """How flannel is configured. Raises NotThere without its ConfigMap."""
        ...

    async def last_words(self, pod: Pod, container: str) -> str:
        """The end of the log of its last run. Holds whatever the program said: never shown."""
        ...

    async def mount_failures(self, pod: Pod) -> Sequence[Event]:
        """Warnings of volumes that could not be mounted for it."""
        ...


class TalosEyes(Protocol):
    """Talos' own settings."""

    async def machine_config(self) -> TalosConfig:
        """In force now, keys and all: never shown. Raises CannotLook, NotThere, TargetIll."""
        ...


class ClusterHands(Protocol):
    """Changes to the cluster. Each raises Conflict, NotThere, ActFailed."""

    async def untaint(self, node: Node, index: int) -> str:
        """JSON patch with `test` on key and effect of that index, then `remove`."""
        ...

    async def uncordon(self, node: Node) -> str:
        """Make the node schedulable; tests that it still is as it was read."""
        ...

    async def delete_pod(self, pod: Pod, *, grace: int) -> str:
        """Delete with everything in the body: grace, uid and resourceVersion."""
        ...

    async def patch_livekit(self, deployment: Deployment, patch: Mapping[str, Any]) -> str:
        """Strategic merge patch of that generation."""
        ...


class PortEyes(Protocol):
    """Published ports, end to end, from the Mac."""

    async def speak(self, port: int, protocol: str, path: str, expect: str) -> str:
        """Speak `redis`, `http` or `tcp` there; return what came back.

        Raises TargetIll (refused, reset), TargetSilent, and WrongAnswer when something spoke
        the protocol and said something else; its detail begins with an HTTP status if one came.
        """
        ...

    async def listener_is_ours(self, port: int) -> bool:
        """Whether the listener belongs to Lima (hostagent, mux, usernet)."""
        ...


class PathEyes(Protocol):
    """The way to a published service, from each of its ends; each raises the errors above."""

    async def on_mac(self, service: PublishedService) -> str:
        """What the Mac's port says when it is spoken to in its protocol; as PortEyes.speak."""
        ...

    async def listener_is_ours(self, port: int) -> bool:
        """Whether the listener belongs to Lima (hostagent, mux, usernet)."""
        ...

    async def in_vm(self, services: Sequence[PublishedService]) -> Mapping[int, str | PortError]:
        """The same said to the same ports in the VM, in one round trip; by the Mac's port."""
        ...

    async def by_api(self, service: PublishedService, port: int) -> str:
        """What the pod behind that port of a Service says to the API server's GET."""
        ...

    async def container(self) -> Container:
        """As EngineEyes."""
        ...

    async def services(self) -> Listing[ServicePort]:
        """As ClusterEyes."""
        ...

    async def livekit(self) -> Listing[Deployment]:
        """As ClusterEyes."""
        ...


class FrontEyes(Protocol):
    """What stands in front of the Mac's ports: Caddy and Tailscale's funnel."""

    async def url(self, one: CaddyUrl) -> UrlAnswer:
        """What Caddy says there, asked at 127.0.0.1 by the URL's name.

        Raises TargetIll (refused, reset, no HTTP), TargetSilent.
        """
        ...

    async def funnel(self) -> tuple[Funnelled, ...]:
        """What Tailscale serves. Raises NotThere without the tool, else CannotLook."""
        ...


class JobEyes(Protocol):
    """The jobs of this Mac's launchd. All raise CannotLook, TargetSilent."""

    def available(self) -> bool:
        """Whether there is a launchd here at all."""
        ...

    async def places(self, label: str) -> Sequence[PlacedJob]:
        """Where it is loaded, in every domain; a page that is not understood is CannotLook."""
        ...

    def lives(self, pid: int) -> bool:
        """Whether there is a process of that number; costs no call."""
        ...

    async def answer(self, url: LocalUrl) -> str:
        """What the job's own address says to a GET. Raises TargetIll for all but 200 to 399."""
        ...


class JobHands(Protocol):
    """The one thing that is ever done to a job."""

    async def kickstart(self, place: PlacedJob) -> str:
        """Start it where it is loaded; one that runs is left running (never `-k`).

        Raises ActFailed with launchctl's words, TargetSilent, CannotLook.
        """
        ...


class Remedial(Protocol):
    """A remedy: is it still needed, and do it; nothing else."""

    remedy: Remedy

    async def needed(self, act: Act) -> str:
        """Look again just before acting; '' = needed, else why not."""
        ...

    async def act(self, act: Act) -> str:
        """Do it once and say what was done. Raises the errors of this file."""
        ...


Wake = Callable[[frozenset[Layer]], None]
"""Asks for a look at these layers; never blocks."""


class News(Protocol):
    """Tells that something outside may have changed; what, a look decides."""

    name: str
    layers: frozenset[Layer]
    """What to look at when it ends, since its end may be the news."""

    async def listen(self, wake: Wake) -> None:
        """Until the connection ends (returns) or breaks (PortError)."""
        ...


class Pulse(Protocol):
    """Whoever must go on living says so here; a watchdog outside the loop listens."""

    def beat(self, name: str, within: float) -> None:
        """`name` lives, and will say so again within so many seconds awake."""
        ...

    def ended(self, name: str) -> None:
        """`name` will say nothing more, and need not."""
        ...


class Children(Protocol):
    """Told of the process that an act has spawned, so that it is recognised later."""

    def spawned(self, act: Act, pid: int, started: float) -> None:
        """Remember the process of an act in progress."""
        ...


class Channel(Protocol):
    """A way to a human that does not lead through the tower."""

    @property
    def name(self) -> str:
        """A word of the closed list; a metric label."""
        ...

    @property
    def confirms(self) -> bool:
        """Whether it knows that what it sent arrived; one that does not never counts alone."""
        ...

    async def send(self, notice: Notice) -> Delivery:
        """Hand it over, within a deadline of its own.

        Raises a PortError whose words hold no secret, and neither do its causes.
        """
        ...

    def check(self) -> str:
        """What is wrong with it, as a sentence with its remedy; '' = nothing. Sends nothing."""
        ...


class Beacon(Protocol):
    """Tells somebody outside that healer lives."""

    @property
    def name(self) -> str:
        """A word of the closed list; a metric label."""
        ...

    async def ping(self) -> None:
        """Say so once. Raises as `Channel.send`."""
        ...

    def check(self) -> str:
        """As `Channel.check`."""
        ...


class Outbox(Protocol):
    """Where notices wait until each channel has taken them. All raise JournalError."""

    def queue(self, notice: Notice, channels: Sequence[str]) -> bool:
        """Keep it, and whom it is for; False when incident and kind were queued before."""
        ...

    def delivered(self, notice: Notice, channel: str, how: Delivery) -> None:
        """A channel has done with it."""
        ...

    def failed(self, notice: Notice, channel: str, why: str) -> None:
        """A channel did not take it this time."""
        ...

    def dropped(self, notice: Notice, channel: str, why: str) -> None:
        """It is not tried there again."""
        ...

    def told(self) -> Sequence[Notice]:
        """Every notice that is kept, oldest first."""
        ...

    def pending(self) -> Sequence[tuple[Notice, str]]:
        """Notices and the channels that have not taken them, oldest first."""
        ...

    def ended(self) -> Sequence[Ended]:
        """Incidents that were told and are resolved, without a notice that says so."""
        ...

    def past(self, since: float) -> Past:
        """What happened since then (epoch seconds)."""
        ...

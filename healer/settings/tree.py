"""Every setting, its unit, the reason for its default, and what None means."""

from dataclasses import dataclass, field
from typing import Annotated, Final

from healer.core.ladders import Remedy
from healer.core.reasons import Reason
from healer.model.front import DEFAULT_URLS, CaddyUrl, Watch
from healer.model.published import DEFAULT_PUBLISHED, PublishedService
from healer.settings.forms import Bounds, Text, Unit

Duration = Annotated[float, Unit("duration")]
"""Seconds inside; written as a number of seconds or as `90s`, `10m`, `1h30m`."""
Size = Annotated[int, Unit("size")]
"""Bytes inside; written as a number of bytes or as `18GiB`."""
Count = Annotated[int, Bounds(1, 100_000)]
Port = Annotated[int, Bounds(1, 65_535)]
Name = Annotated[str, Text("name")]
Place = Annotated[str, Text("place")]
"""A path: absolute, or in the home folder by `~/`."""
Folder = Annotated[str, Text("folder")]
Endpoint = Annotated[str, Text("endpoint")]
"""`host:port`, or `[::1]:443`."""
LocalHttp = Annotated[str, Text("local_url")]
"""`http://127.0.0.1:PORT/PATH`, or empty."""
LivekitWhen = Annotated[str, Text("choice", ("not_ready", "always"))]
DigestWhen = Annotated[str, Text("choice", ("news", "daily", "off"))]
WatchWhen = Annotated[str, Text("choice", tuple(one.value for one in Watch))]
Pattern = Annotated[str, Text("pattern")]
Method = Annotated[str, Text("choice", ("GET", "POST"))]
Hour = Annotated[int, Bounds(0, 23)]


@dataclass(frozen=True, slots=True)
class TowerSettings:
    """What the tower is called, and how it should be set."""

    profile: Name = "default"
    """Colima's profile."""
    colima_home: Place | None = None
    """Colima's root folder. None: found as Colima itself finds it ($COLIMA_HOME, ~/.colima, …);
    set it when a shell and launchd would find different ones (facts/colima.md §2)."""
    cluster: Name = "joelclaw"
    """The Talos cluster's name, which labels its container."""
    container: Name = "joelclaw-controlplane-1"
    """The one container; the Kubernetes node has the same name."""
    kubeconfig: Place | None = None
    """The admin kubeconfig, read and never written. None: $KUBECONFIG, else ~/.kube/config."""
    talosconfig: Place | None = None
    """talosctl's configuration, written by `healer kubeconfig repair` alone. None: $TALOSCONFIG,
    else ~/.talos/config."""
    api_port: Port = 6443
    """The API server's port in the container; the Mac's port is Docker's to say."""
    talos_port: Port = 50_000
    """Talos' own API port in the container."""
    restart_policy: str = "unless-stopped"
    """What Docker should do with the container after a reboot of the VM: without it the
    container stays down (facts/talos-kubernetes.md §1). Empty: any will do."""
    memory: Size | None = None
    """The container's memory limit. None: none is asserted; the owner's was 18GiB."""
    namespaces: tuple[Name, ...] = ("joelclaw", "default", "local-path-storage")
    """Where pods may be deleted; pods of other namespaces are only reported (design §10)."""
    flannel_namespace: Name = "kube-system"
    """Talos' flannel; upstream's own manifests use another."""
    flannel_daemonset: Name = "kube-flannel"
    """The DaemonSet's name."""
    reserved_ports: tuple[Port, ...] = (3111,)
    """Ports of the Mac that belong to programs of the host: never forwarded, never asked."""


@dataclass(frozen=True, slots=True)
class LivekitSettings:
    """LiveKit, whose chart probes an address that cannot answer here."""

    namespace: Name = "joelclaw"
    """Where its Deployment lives."""
    deployment: Name = "livekit-server"
    """The chart's name of it."""
    container: Name = "livekit-server"
    """The container whose probes are compared; sidecars are left alone."""
    when: LivekitWhen = "not_ready"
    """When drifted probes are patched: `not_ready`: only while LiveKit is not Ready, since a patch
    ends all calls; or `always`."""


@dataclass(frozen=True, slots=True)
class PodSettings:
    """What may be done to pods."""

    force_statefulsets: bool = False
    """Whether a StatefulSet's pod that is stuck Terminating may be forced away. It can run
    twice then, and corrupt its data (facts/talos-kubernetes.md §4): off."""


@dataclass(frozen=True, slots=True)
class SetupSettings:
    """How the cluster should be set up; what differs is told with its fix, and never changed."""

    worker: tuple[Endpoint, ...] = (
        "host.lima.internal:3111",
        "host.docker.internal:3111",
        "192.168.5.2:3111",
        "192.168.64.1:3111",
    )
    """Where Inngest finds the worker as `host:port`: the Mac by the names and addresses that
    its VM knows it by. The first one stands in the fix. Empty: nothing is compared."""
    privileged: tuple[Name, ...] = ("joelclaw", "local-path-storage")
    """Namespaces that enforce no pod security: Talos' own default keeps host paths and host
    networks out of every other."""
    storage_class: Name | None = "local-path"
    """The one default StorageClass. None: volumes of any kind are nobody's business here."""
    metrics_server: bool = True
    """Whether there should be one: `kubectl top` and autoscalers need it."""
    redis_policy: Name | None = "noeviction"
    """Redis' maxmemory-policy: a queue may lose no key. None: any will do."""
    redis_appendonly: bool = True
    """Whether Redis must keep its append-only file, without which a crash loses what was queued."""


@dataclass(frozen=True, slots=True)
class FileSettings:
    """Where healer keeps its files."""

    state: Place | None = None
    """The state folder, 0700. None: $XDG_STATE_HOME/healer, else ~/.local/state/healer."""
    log: Place | None = None
    """The log file. None: ~/.local/log/healer.log."""
    path: tuple[Folder, ...] = (
        "/opt/homebrew/bin",
        "/usr/local/bin",
        "/usr/bin",
        "/bin",
        "/usr/sbin",
        "/sbin",
    )
    """Where tools are looked up: launchd itself gives only the last four, and Colima needs
    Homebrew's (incident 1). An empty list: $PATH of this process."""


@dataclass(frozen=True, slots=True)
class OnceSettings:
    """One pass by hand."""

    deadline: Duration = 1200.0
    """After it no new act begins; above the 13 minutes that a VM's start may take."""
    look_every: Duration = 2.0
    """Rest between two looks of one probe while something is ill."""
    look_deadline: Duration = 20.0
    """A look that takes longer ends as unknown; above every single call's own deadline."""


@dataclass(frozen=True, slots=True)
class CalmSettings:
    """The daemon's rest between two looks at a layer while nothing stirs; events end it early."""

    host: Duration = 60.0
    """Tools, rivals and free space change rarely; it is looked at anew before any act."""
    colima: Duration = 15.0
    """Files and a socket on this side; nothing tells of a VM that lost its power."""
    ssh: Duration = 15.0
    """One question over the resident ssh, which kernel and docker share."""
    docker: Duration = 15.0
    """Its event stream tells of its end at once."""
    kernel: Duration = 15.0
    """Nobody tells when a module is gone."""
    talos: Duration = 30.0
    """Docker's events tell of every start and end."""
    apiserver: Duration = 15.0
    """A hung API server keeps its watches open and says nothing."""
    node: Duration = 60.0
    """A watch tells of changes."""
    flannel: Duration = 60.0
    """A watch tells of changes."""
    pods: Duration = 600.0
    """A watch tells of changes; whole lists are dear (design §10)."""
    livekit: Duration = 60.0
    """A watch tells of a changed Deployment; the address itself is asked."""
    services: Duration = 15.0
    """Nobody tells when a published port goes dumb."""
    launchd: Duration = 15.0
    """A process of launchd's that ends tells nobody; to see that it lives costs no call."""


@dataclass(frozen=True, slots=True)
class DaemonSettings:
    """The daemon, `healer run`."""

    alert_every: Duration = 2.0
    """The rest between two looks while something is ill and moving."""
    wake_grace: Duration = 60.0
    """For how long after the Mac woke badness is expected: forwards and clocks come back late."""
    boot_grace: Duration = 20.0
    """The same when the daemon starts within two minutes of the Mac's boot, or of its own first
    start since then: an agent starts at login, however late that is."""
    crashes: Count = 3
    """So many crashes of healer itself …"""
    crash_window: Duration = 600.0
    """… within this time make it come up looking only …"""
    looking_only: Duration = 1800.0
    """… for so long, or until `healer resume` (design §10)."""


@dataclass(frozen=True, slots=True)
class HttpSettings:
    """Metrics, health and status over HTTP, on 127.0.0.1 only."""

    enabled: bool = True
    """Whether the daemon listens at all."""
    port: Port = 10_120
    """Free in Prometheus' public list of default ports: 9100 to 9999 are all taken, and of those
    from 10001 on the lowest fifty. It is none of the tower's own, and none of kubelet's (10248 to
    10259)."""


@dataclass(frozen=True, slots=True)
class LimitSettings:
    """Overrides of one remedy's limits; None keeps the table's (`healer table`)."""

    count: Count | None = None
    """Runs within `window`."""
    window: Duration | None = None
    """The time in which they are counted."""
    cooldown: Duration | None = None
    """Least time between two runs on the same target."""
    backoff_first: Duration | None = None
    """The longest wait after the first run; it doubles from run to run."""
    backoff_cap: Duration | None = None
    """The longest wait of all."""
    cap: Duration | None = None
    """How long one run may take."""
    settle: Duration | None = None
    """How long its effect may take to show."""


@dataclass(frozen=True, slots=True)
class ConfirmSettings:
    """Overrides of one reason's confirmation; None keeps the table's."""

    samples: Count | None = None
    """Bad looks."""
    over: Duration | None = None
    """Time that they must span."""
    hold: Duration | None = None
    """Rest after its ladder is spent."""
    patience: Duration | None = None
    """How long a human's own doing is respected."""


@dataclass(frozen=True, slots=True)
class GraceSettings:
    """For how long after a start a layer's badness is expected; None keeps the table's."""

    docker: Duration | None = None
    """After the VM came up."""
    apiserver: Duration | None = None
    """After the container was started, as for the two below."""
    node: Duration | None = None
    """The kubelet registers itself anew."""
    flannel: Duration | None = None
    """Its first pod waits for the image and the module."""


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """Limits on all remedies together."""

    acts_per_hour: Count = 20
    """Runs of all remedies within an hour (design §4)."""
    stable: Duration = 600.0
    """A recovery that lasted so long makes the backoff begin anew."""
    disable_after: Count = 5
    """A remedy that failed this often in a row is disabled (R46)."""
    holds_before_giving_up: Count = 3
    """Spent ladders or budgets without a recovery between them (design §10)."""
    crash_loop_boots: Count = 3
    """So many boots of the VM within a quarter of an hour are a crash loop, in which it is not
    started once more (R18)."""


@dataclass(frozen=True, slots=True)
class EvidenceSettings:
    """What is kept and shown of the words of others."""

    redact: tuple[Pattern, ...] = ()
    """Regular expressions of what else is secret, beside tokens, passwords in URLs, `KEY=` and
    authorization headers; what one matches is `(redacted)` in every view, log and notice."""


@dataclass(frozen=True, slots=True)
class CertificateSettings:
    """Certificates beside the tower's own whose end should be told in time.

    The client certificates of kubeconfig and talosconfig and the API server's own are always
    looked at.
    """

    files: tuple[Place, ...] = ()
    """PEM files, such as Caddy's: the first certificate in each counts."""
    endpoints: tuple[Endpoint, ...] = ()
    """TLS servers as `host:port`: the certificate that each shows."""


@dataclass(frozen=True, slots=True)
class CaddySettings:
    """The proxy in front of the Mac's ports: looked at and told of, never touched.

    Its certificate files belong into `certificates.files`.
    """

    watch: WatchWhen = "found"
    """`found`: where `caddy` is on PATH or runs; `always`: missed where it is not; `never`."""
    label: Name = "com.joel.caddy"
    """Its job in launchd, for the command that starts it anew."""
    config: Place = "~/.local/caddy/Caddyfile"
    """Its Caddyfile, for the command that makes it read that anew; healer does not read it."""
    authorities: Place | None = None
    """A PEM file of who else may vouch for its certificates, as the root of `tls internal`.
    None: the system's own alone."""
    urls: tuple[CaddyUrl, ...] = DEFAULT_URLS
    """Its URLs, each a [[caddy.urls]] table; given at all, they replace the defaults."""


@dataclass(frozen=True, slots=True)
class FunnelSettings:
    """Tailscale's funnel, by which the internet reaches the worker: never changed by healer."""

    watch: WatchWhen = "found"
    """`found`: where `tailscale` is on PATH; `always`: missed where it is not; `never`."""
    port: Port = 443
    """The public port; Tailscale lets the internet in at these three alone."""
    target: Name = "http://127.0.0.1:3111"
    """Where it should lead: by default to the worker on the Mac."""


@dataclass(frozen=True, slots=True)
class NoticeSettings:
    """What a human hears, when, and by which way; none of them leads through the tower.

    Addresses and tokens are secrets: named here by file or variable, and never written here.
    """

    desktop: bool = True
    """A notification on this Mac's screen; elsewhere than on macOS there is none."""
    command: tuple[Name, ...] = ()
    """A program and its arguments, given each notice as JSON on stdin; exit code 0 = taken.
    Empty: none."""
    webhook_url_file: Place | None = None
    """The file, 0600, with the URL to which each notice is POSTed as JSON. None: see the next."""
    webhook_url_env: Name | None = None
    """The variable with that URL, when no file is named. None: no webhook."""
    webhook_header_file: Place | None = None
    """The file, 0600, with one more header as `Name: value`. None: see the next."""
    webhook_header_env: Name | None = None
    """The variable with that header, when no file is named. None: no such header."""
    dead_man_url_file: Place | None = None
    """The file, 0600, with a URL that is called while healer lives, so that somebody outside
    raises an alarm when it is not. None: see the next."""
    dead_man_url_env: Name | None = None
    """The variable with that URL, when no file is named. None: no such call."""
    dead_man_every: Duration = 60.0
    """The rest between two such calls; the outside should wait for some of them."""
    dead_man_method: Method = "GET"
    """GET or POST."""
    opened_after: Duration = 120.0
    """Time without an act or a recovery after which an open incident is told: most are healed
    before, and nobody wants to be woken for them."""
    reported_after: Duration = 30.0
    """The same where healer has no remedy. One pod that restarts leaves its service without an
    endpoint for some seconds; 0s tells at once."""
    healing_at_most: Duration = 900.0
    """What healer is still at work on is told after so long: a VM's start may take 13 minutes."""
    impaired_after: Duration = 900.0
    """How long healer may be unable to look, or to keep its journal, before that is told."""
    recurring: Count = 3
    """Incidents of one reason within a day that make a human hear how to end it for good."""
    digest: DigestWhen = "news"
    """A digest: on days that had news, `daily`, or `off`."""
    digest_hour: Hour = 9
    """The local hour from which on it is sent."""


@dataclass(frozen=True, slots=True)
class BackupSettings:
    """What `healer backup` saves, and where."""

    folder: Place | None = None
    """The folder of all backups, 0700. None: `backups` in the state folder."""
    keep: Count = 7
    """So many complete backups stay, and as many incomplete ones: a week of daily ones."""
    deadline: Duration = 120.0
    """For one command; the copy of the PDS takes longest."""
    releases: tuple[Name, ...] = (
        "joelclaw/livekit-server=livekit/livekit-server",
        "joelclaw/bluesky-pds",
    )
    """Helm releases as `namespace/name`, with `=repository/chart` for the plan, since a release
    does not know where its chart came from. Their values hold secrets and are kept at 0600."""
    pds_namespace: Name = "joelclaw"
    """Where the PDS runs."""
    pds_deployment: Name = "bluesky-pds"
    """Its Deployment, which knows its pod."""
    pds_selector: Name | None = None
    """Labels that find the pod. None: the Deployment's own."""
    pds_path: str = "/pds"
    """The folder of its databases in the pod, its image's default. Empty: there is no PDS."""


@dataclass(frozen=True, slots=True)
class JobSettings:
    """A job of launchd's that should run on this Mac, or be told of when it does not.

    It is looked for in `system`, `user/UID` and `gui/UID`. One that is loaded nowhere is said to
    be hosted elsewhere, and nothing more.
    """

    label: Name
    """launchd's name of it."""
    health: LocalHttp = ""
    """Its own address on this Mac, which must answer 200 to 399. Empty: to run is all that is
    asked. One that runs and does not answer is told of and never restarted."""
    every: Duration | None = None
    """For a job that runs now and then: the time between two runs. None: as launchd says, for
    StartInterval; a job by the calendar is judged by its last exit alone."""
    kickstart: bool = True
    """Whether healer may start it when it is down. false: it is only told of."""


DEFAULT_JOBS: Final = (
    JobSettings("com.joel.system-bus-worker", "http://127.0.0.1:3111/api/inngest"),
    JobSettings("com.joel.caddy"),
    JobSettings("com.joel.gateway"),
)
"""The owner's (facts/incidents.md §6). 3111 is the worker's; where the facts name no path, a guess
would call a healthy job ill."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that can be set."""

    tower: TowerSettings = field(default_factory=TowerSettings)
    livekit: LivekitSettings = field(default_factory=LivekitSettings)
    pods: PodSettings = field(default_factory=PodSettings)
    setup: SetupSettings = field(default_factory=SetupSettings)
    files: FileSettings = field(default_factory=FileSettings)
    once: OnceSettings = field(default_factory=OnceSettings)
    daemon: DaemonSettings = field(default_factory=DaemonSettings)
    calm: CalmSettings = field(default_factory=CalmSettings)
    http: HttpSettings = field(default_factory=HttpSettings)
    engine: EngineSettings = field(default_factory=EngineSettings)
    grace: GraceSettings = field(default_factory=GraceSettings)
    notices: NoticeSettings = field(default_factory=NoticeSettings)
    evidence: EvidenceSettings = field(default_factory=EvidenceSettings)
    certificates: CertificateSettings = field(default_factory=CertificateSettings)
    backup: BackupSettings = field(default_factory=BackupSettings)
    caddy: CaddySettings = field(default_factory=CaddySettings)
    funnel: FunnelSettings = field(default_factory=FunnelSettings)
    limits: dict[Remedy, LimitSettings] = field(default_factory=dict)
    """By remedy, e.g. [limits.start_vm]."""
    confirm: dict[Reason, ConfirmSettings] = field(default_factory=dict)
    """By reason, e.g. [confirm."docker.forward_dead"]."""
    services: tuple[PublishedService, ...] = DEFAULT_PUBLISHED
    """Published ports, each a [[services]] table; given at all, they replace the defaults."""
    jobs: tuple[JobSettings, ...] = DEFAULT_JOBS
    """launchd's jobs, each a [[jobs]] table; given at all, they replace the defaults."""

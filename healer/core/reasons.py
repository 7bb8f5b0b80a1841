"""The closed list of what can be wrong, layer by layer.

A reason becomes a metric label and a line in the journal, so the list is closed. `gating`
reasons make a layer ill; `advisory` ones are reported (some have a remedy), never block
what stands above and are never a root cause (design §10).
"""

from types import MappingProxyType
from typing import Final

from healer.core.tower import Layer
from healer.core.word import Word


class Reason(Word):
    """What is wrong with a layer; the value reads `layer.word`.

    Within a layer they stand in the order in which they are answered: a node is uncordoned
    before it is untainted (design §10).
    """

    TOOL_MISSING = "host.tool_missing"
    TOOL_ABSENT = "host.tool_absent"
    RIVAL_LOADED = "host.rival_loaded"
    OPERATION_LASTS = "host.operation_lasts"
    DISK_FULL = "host.disk_full"
    KUBECONFIG_WRONG = "host.kubeconfig_wrong"
    TALOSCONFIG_WRONG = "host.talosconfig_wrong"
    HOST_CERTIFICATE_EXPIRING = "host.certificate_expiring"
    CERTIFICATE_UNREAD = "host.certificate_unread"

    COLIMA_STOPPED = "colima.stopped"
    COLIMA_BROKEN = "colima.broken"
    HOSTAGENT_SILENT = "colima.hostagent_silent"
    COLIMA_ZOMBIE = "colima.zombie"
    COLIMA_MISSING = "colima.missing"
    COLIMA_DISK_LOCKED = "colima.disk_locked"
    COLIMA_UNREADABLE = "colima.unreadable"
    COLIMA_CRASH_LOOP = "colima.crash_loop"

    SSH_UNREACHABLE = "ssh.unreachable"
    CLOCK_SKEW = "ssh.clock_skew"
    VM_DISK = "ssh.vm_disk"
    USERNET_LEAK = "ssh.usernet_leak"

    DOCKER_FORWARD_DEAD = "docker.forward_dead"
    DOCKER_MUX_WEDGED = "docker.mux_wedged"
    DOCKER_ENGINE_STOPPED = "docker.engine_stopped"
    DOCKER_ENGINE_DOWN = "docker.engine_down"
    DOCKER_SILENT = "docker.silent"

    BR_NETFILTER_MISSING = "kernel.br_netfilter_missing"
    BR_NETFILTER_UNUSED = "kernel.br_netfilter_unused"

    TALOS_STOPPED = "talos.stopped"
    TALOS_SHUTTING_DOWN = "talos.shutting_down"
    TALOS_WEDGED = "talos.wedged"
    TALOS_START_REFUSED = "talos.start_refused"
    TALOS_MISSING = "talos.missing"
    RESTART_POLICY = "talos.restart_policy"
    MEMORY_LIMIT = "talos.memory_limit"
    PORT_DRIFT = "talos.port_drift"

    API_UNREACHABLE = "apiserver.unreachable"
    API_FAILING = "apiserver.failing"
    API_UNAUTHORIZED = "apiserver.unauthorized"
    KUBECONFIG_STALE = "apiserver.kubeconfig_stale"
    CERTIFICATE_EXPIRING = "apiserver.certificate_expiring"

    NODE_NOT_READY = "node.not_ready"
    NETWORK_NOT_READY = "node.network_not_ready"
    NODE_CORDONED = "node.cordoned"
    NODE_TAINTED = "node.tainted"
    CORDONED_BY_HUMAN = "node.cordoned_by_human"
    NODE_PRESSURE = "node.pressure"
    FOREIGN_TAINT = "node.foreign_taint"

    FLANNEL_CRASHING = "flannel.crashing"
    SUBNET_ENV_MISSING = "flannel.subnet_env_missing"
    FLANNEL_NOT_AVAILABLE = "flannel.not_available"

    POD_UNKNOWN = "pods.unknown"
    POD_STUCK_TERMINATING = "pods.stuck_terminating"
    POD_IMAGE_PULL = "pods.image_pull"
    POD_CRASH_LOOP = "pods.crash_loop"
    POD_PENDING = "pods.pending"
    POD_UNMANAGED = "pods.unmanaged"

    LIVEKIT_PROBE_DRIFT = "livekit.probe_drift"
    LIVEKIT_DRIFT_TOLERATED = "livekit.drift_tolerated"
    LIVEKIT_UNHEALTHY = "livekit.unhealthy"
    LIVEKIT_NODE_STALE = "livekit.node_stale"
    LIVEKIT_REDIS_ILL = "livekit.redis_ill"
    LIVEKIT_REDIS_OFF = "livekit.redis_off"
    LIVEKIT_PAUSED = "livekit.paused"
    LIVEKIT_ROLLING_OUT = "livekit.rolling_out"

    SERVICE_FORWARD_DEAD = "services.forward_dead"
    SERVICE_NO_ENDPOINTS = "services.no_endpoints"
    SERVICE_SILENT = "services.silent"
    NODEPORT_MISMATCH = "services.nodeport_mismatch"
    CADDY_DOWN = "services.caddy_down"
    CADDY_URL_WRONG = "services.caddy_url_wrong"
    CADDY_CERTIFICATE = "services.caddy_certificate"
    FUNNEL_WRONG = "services.funnel_wrong"

    # How the cluster was set up, and illnesses that their own lines name: nothing is done.
    TALOS_API_SILENT = "talos.apid_silent"
    METRICS_ABSENT = "apiserver.metrics_absent"
    NODE_PORT_RANGE = "apiserver.node_port_range"
    ENV_NAMES_K3D = "pods.env_names_k3d"
    WORKER_ADDRESS = "pods.worker_address"
    POD_SECURITY = "pods.pod_security"
    STORAGE_CLASS = "pods.storage_class"
    PROVISIONER = "pods.provisioner"
    REDIS_AOF_CORRUPT = "pods.redis_aof_corrupt"
    MOUNT_HANGS = "pods.mount_hangs"
    REDIS_SETTINGS = "services.redis_settings"

    JOB_CRASH_LOOP = "launchd.crash_loop"
    JOB_NOT_RUNNING = "launchd.not_running"
    JOB_UNHEALTHY = "launchd.job_unhealthy"
    JOB_FAILED = "launchd.job_failed"
    JOB_OVERDUE = "launchd.job_overdue"
    JOB_LEFT_ALONE = "launchd.job_left_alone"
    JOB_IN_SYSTEM = "launchd.job_in_system"
    JOB_ABSENT = "launchd.job_absent"

    @property
    def layer(self) -> Layer:
        """The layer whose illness this reason names."""
        return _LAYER_OF[self]

    @property
    def word(self) -> str:
        """The reason without its layer, as a person and a metric label read it."""
        return self.value.partition(".")[2]

    @property
    def gating(self) -> bool:
        """Whether this reason makes its layer ill; an advisory one is only reported."""
        return self not in ADVISORY


_LAYER_OF: Final = MappingProxyType(
    {reason: Layer(reason.value.partition(".")[0]) for reason in Reason}
)
ORDER: Final = MappingProxyType({reason: place for place, reason in enumerate(Reason)})
"""In which order the reasons of a layer are answered."""

ADVISORY: Final = frozenset(
    {
        Reason.TOOL_MISSING,
        Reason.TOOL_ABSENT,
        Reason.RIVAL_LOADED,
        Reason.OPERATION_LASTS,
        Reason.KUBECONFIG_WRONG,
        Reason.TALOSCONFIG_WRONG,
        Reason.HOSTAGENT_SILENT,
        Reason.HOST_CERTIFICATE_EXPIRING,
        Reason.CERTIFICATE_UNREAD,
        Reason.CLOCK_SKEW,
        Reason.VM_DISK,
        Reason.USERNET_LEAK,
        Reason.BR_NETFILTER_UNUSED,
        Reason.RESTART_POLICY,
        Reason.MEMORY_LIMIT,
        Reason.PORT_DRIFT,
        Reason.KUBECONFIG_STALE,
        Reason.CERTIFICATE_EXPIRING,
        Reason.NETWORK_NOT_READY,
        Reason.CORDONED_BY_HUMAN,
        Reason.NODE_PRESSURE,
        Reason.FOREIGN_TAINT,
        Reason.POD_IMAGE_PULL,
        Reason.POD_CRASH_LOOP,
        Reason.POD_PENDING,
        Reason.POD_UNMANAGED,
        Reason.LIVEKIT_DRIFT_TOLERATED,
        Reason.LIVEKIT_REDIS_OFF,
        Reason.LIVEKIT_PAUSED,
        Reason.LIVEKIT_ROLLING_OUT,
        Reason.NODEPORT_MISMATCH,
        Reason.CADDY_DOWN,
        Reason.CADDY_URL_WRONG,
        Reason.CADDY_CERTIFICATE,
        Reason.FUNNEL_WRONG,
        Reason.TALOS_API_SILENT,
        Reason.METRICS_ABSENT,
        Reason.NODE_PORT_RANGE,
        Reason.ENV_NAMES_K3D,
        Reason.WORKER_ADDRESS,
        Reason.POD_SECURITY,
        Reason.STORAGE_CLASS,
        Reason.PROVISIONER,
        Reason.REDIS_AOF_CORRUPT,
        Reason.MOUNT_HANGS,
        Reason.REDIS_SETTINGS,
        Reason.JOB_UNHEALTHY,
        Reason.JOB_FAILED,
        Reason.JOB_OVERDUE,
        Reason.JOB_LEFT_ALONE,
        Reason.JOB_IN_SYSTEM,
        Reason.JOB_ABSENT,
    }
)
"""Design §10, "Reasons". A missing tool makes its layer unknown, not ill, so TOOL_MISSING only
tells of it; TOOL_ABSENT is a tool that nothing at hand needs (talosctl). A job of
launchd's is ill when it should run and does not; what a human took away is only told."""

WORKLOAD_FAILS: Final = frozenset(
    {
        Reason.POD_UNKNOWN,
        Reason.POD_STUCK_TERMINATING,
        Reason.POD_UNMANAGED,
        Reason.POD_IMAGE_PULL,
        Reason.POD_CRASH_LOOP,
        Reason.POD_PENDING,
        Reason.REDIS_AOF_CORRUPT,
        Reason.MOUNT_HANGS,
    }
)
"""A workload fails, whether healer may delete its pod or not: the storm brake counts them all."""

WHOLLY_WELL: Final = frozenset({Reason.JOB_NOT_RUNNING, Reason.LIVEKIT_PROBE_DRIFT})
"""Recovered only when nothing at all is found of the target any more: a job that was started,
and runs, and does not answer has not recovered, nor has a patched LiveKit without a Ready pod of
its new template."""

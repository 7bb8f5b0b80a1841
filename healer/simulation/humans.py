"""What a human does to the tower meanwhile; what they set, healer must not undo (I15)."""

from healer.core.tower import Layer
from healer.promises.recovery import CORDON, PAUSED_ROLLOUT
from healer.simulation.happening import Choice, Happening, Kind
from healer.simulation.physics import Tower
from healer.simulation.workloads import LIVEKIT


def _docker_stop(tower: Tower) -> None:
    tower.human.stop_container()


def _docker_restart(tower: Tower) -> None:
    tower.human.restart_container()


def _vm_stopped(tower: Tower) -> None:
    tower.human.stop_vm()


def _colima_start(tower: Tower) -> None:
    tower.human.start_vm()


def _colima_restart(tower: Tower) -> None:
    tower.human.restart_vm()


def _engine_stopped(tower: Tower) -> None:
    if tower.dockerd.up:
        tower.dockerd.shut_down()
        tower.dockerd.stopped_by_hand = True


def _cordon(tower: Tower) -> None:
    node = tower.cluster.node
    if not tower.cluster.api.up:
        return
    node.cordon(by_talos=False)
    tower.human.wishes[CORDON] = lambda: node.cordoned and not node.cordoned_by_talos
    tower.cluster.node_changed()
    tower.tell("somebody cordons the node")


def _scale_to_zero(tower: Tower, workload: str) -> None:
    found = tower.cluster.kubelet.named(workload)
    if not tower.cluster.api.up:
        return
    tower.cluster.kubelet.scale(found, 0)
    tower.human.wishes[f"scaled {workload} to 0"] = lambda: not found.desired
    tower.tell(f"somebody scales {workload} to 0")


def _pause_rollout(tower: Tower) -> None:
    livekit = tower.cluster.kubelet.named(LIVEKIT)
    if not tower.cluster.api.up or livekit.paused:
        return
    livekit.paused = True
    livekit.generation += 1
    tower.human.wishes[PAUSED_ROLLOUT] = lambda: livekit.paused
    tower.tell("somebody pauses LiveKit's rollout")


def _rival_loaded(tower: Tower) -> None:
    tower.mac.rivals = ("gui/501/com.joel.talon",)
    tower.tell("somebody loads another owner of the tower")


HUMANS = (
    Happening(
        "docker_stop",
        "Somebody types `docker stop`: ten seconds, SIGKILL, marked as by hand (talos §1).",
        Layer.TALOS,
        Kind.HUMAN,
        covered=True,
        act=_docker_stop,
    ),
    Happening(
        "docker_restart",
        "Somebody types `docker restart`, which the process list shows (talos §1).",
        Layer.TALOS,
        Kind.HUMAN,
        covered=True,
        act=_docker_restart,
    ),
    Happening(
        "vm_stopped_by_human",
        "Somebody types `colima stop`; a clean stop is respected for ten minutes (design §10).",
        Layer.COLIMA,
        Kind.HUMAN,
        covered=True,
        act=_vm_stopped,
    ),
    Happening(
        "colima_start_by_human",
        "Somebody types `colima start`, which the process list shows (colima §1.5).",
        Layer.COLIMA,
        Kind.HUMAN,
        covered=True,
        act=_colima_start,
    ),
    Happening(
        "colima_restart_by_human",
        "Somebody types `colima restart` (colima §1.6).",
        Layer.COLIMA,
        Kind.HUMAN,
        covered=True,
        act=_colima_restart,
    ),
    Happening(
        "engine_stopped_by_human",
        "Somebody stops docker in the VM for a hot edit: inactive, success (design §10).",
        Layer.DOCKER,
        Kind.HUMAN,
        covered=True,
        act=_engine_stopped,
    ),
    Happening(
        "cordon_by_human",
        "Somebody cordons the node, without Talos' mark (talos §2); it stays so.",
        Layer.NODE,
        Kind.HUMAN,
        covered=True,
        act=_cordon,
    ),
    Happening(
        "scale_to_zero",
        "Somebody scales a workload to 0 on purpose (incident 35, R49); it stays so.",
        Layer.PODS,
        Kind.HUMAN,
        covered=True,
        act=_scale_to_zero,
        parameters={
            "workload": Choice(
                "which",
                "typesense",
                ("typesense", "inngest", "redis", "livekit-server", "bluesky-pds"),
            )
        },
    ),
    Happening(
        "rollout_paused",
        "Somebody pauses the rollout of LiveKit (`kubectl rollout pause`); it stays so.",
        Layer.LIVEKIT,
        Kind.HUMAN,
        covered=True,
        act=_pause_rollout,
    ),
    Happening(
        "rival_loaded",
        "Somebody loads another owner of the tower into launchd (incident 23, R31).",
        Layer.HOST,
        Kind.HUMAN,
        covered=True,
        act=_rival_loaded,
    ),
)

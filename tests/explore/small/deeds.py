"""What each remedy does to the tower of few bits: how long it takes, and what is so afterwards."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from healer.core.facts import Outcome
from healer.core.ladders import Remedy
from tests.explore.small.tower import BOOT, SmallTower

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from healer.core.facts import Act

TAKES: Final[Mapping[Remedy, float]] = {
    Remedy.START_VM: BOOT,
    Remedy.CYCLE_VM: BOOT + 9.0,
    Remedy.FORCE_CYCLE_VM: BOOT + 1.0,
    Remedy.RESTART_CONTAINER: 31.0,
    Remedy.START_ENGINE: 3.0,
    Remedy.RESTART_ENGINE: 3.0,
}
SHORT: Final = 0.5


def takes(act: Act) -> float:
    """Seconds from its beginning to its end."""
    return TAKES.get(act.remedy, SHORT)


def needless(tower: SmallTower, act: Act, now: float) -> str:
    """The last look of a remedy: why nothing is to be done, '' when it is needed."""
    asked = _NEEDLESS.get(act.remedy)
    return "" if asked is None else asked(tower, act, now)


def begin(tower: SmallTower, act: Act, now: float) -> None:
    """What is so as soon as it has begun, whatever becomes of healer."""
    match act.remedy:
        case Remedy.START_VM:
            tower.boot_vm(now)
        case Remedy.CYCLE_VM | Remedy.FORCE_CYCLE_VM:
            tower.lose_vm(now, "off")
            tower.boot_vm(now)
        case Remedy.RESTART_CONTAINER:
            tower.lose_box(now)
        case _:
            pass


def end(tower: SmallTower, act: Act, now: float) -> Outcome:
    """What is so when it has ended."""
    done = _ENDS.get(act.remedy)
    if done is None:
        return Outcome.DONE
    return done(tower, act, now)


def _reforward(tower: SmallTower, act: Act, now: float) -> Outcome:
    del act
    if not tower.ssh_answers(now):
        return Outcome.FAILED
    tower.mux, tower.port_dead = "live", False
    return Outcome.DONE


def _term_mux(tower: SmallTower, act: Act, now: float) -> Outcome:
    del act, now
    tower.mux = "dead"
    return Outcome.DONE


def _restart_engine(tower: SmallTower, act: Act, now: float) -> Outcome:
    del act
    if not tower.ssh_answers(now):
        return Outcome.FAILED
    tower.engine = "up"
    if tower.box == "running":
        tower.lose_box(now)
    if tower.box == "exited" and tower.policy and tower.box_stopped_by_human is None:
        tower.start_box(now)
    return Outcome.DONE


def _clean(tower: SmallTower, act: Act, now: float) -> Outcome:
    del act
    if tower.vm == "broken":
        tower.lose_vm(now, "off")
    return Outcome.DONE


def _load(tower: SmallTower, act: Act, now: float) -> Outcome:
    del act
    if not tower.ssh_answers(now):
        return Outcome.FAILED
    tower.module = tower.persisted = True
    return Outcome.DONE


def _start_box(tower: SmallTower, act: Act, now: float) -> Outcome:
    del act
    if not tower.docker_answers(now) or tower.box not in {"exited", "running"}:
        return Outcome.FAILED
    if tower.box == "exited":
        tower.start_box(now)
    return Outcome.DONE


def _restart_box(tower: SmallTower, act: Act, now: float) -> Outcome:
    del act
    if not tower.docker_answers(now):
        return Outcome.FAILED
    tower.start_box(now)
    return Outcome.DONE


def _policy(tower: SmallTower, act: Act, now: float) -> Outcome:
    del act, now
    tower.policy = True
    return Outcome.DONE


def _untaint(tower: SmallTower, act: Act, now: float) -> Outcome:
    del act
    if not tower.api_answers(now) or not tower.tainted:
        return Outcome.FAILED
    tower.tainted = False
    return Outcome.DONE


def _uncordon(tower: SmallTower, act: Act, now: float) -> Outcome:
    """A change of the node makes Talos look at its taints (facts/talos-kubernetes.md §2).

    The patch tests Talos' own mark, so that it fails once the cordon has become a human's.
    """
    del act
    if not tower.api_answers(now) or tower.cordoned != "talos":
        return Outcome.FAILED
    tower.cordoned, tower.tainted = "", True
    return Outcome.DONE


def _delete_flannel(tower: SmallTower, act: Act, now: float) -> Outcome:
    del act
    if not tower.api_answers(now):
        return Outcome.FAILED
    tower.flannel, tower.flannel_since = "up", now - 10.0
    return Outcome.DONE


def _delete_pod(tower: SmallTower, act: Act, now: float) -> Outcome:
    """Only the very pod of that uid."""
    if not tower.api_answers(now):
        return Outcome.FAILED
    name, _, uid = act.target.partition("/")[2].partition("@")
    for pods in (tower.unknown_pods, tower.stuck_pods):
        if str(pods.get(name)) == uid:
            del pods[name]
    return Outcome.DONE


def _patch(tower: SmallTower, act: Act, now: float) -> Outcome:
    del act
    if not tower.api_answers(now):
        return Outcome.FAILED
    tower.drift, tower.rolled_out = 0, now
    return Outcome.DONE


def _kickstart(tower: SmallTower, act: Act, now: float) -> Outcome:
    """launchd starts whatever is loaded; so the remedy looks once more just before."""
    del act
    if tower.job in {"absent", "disabled"}:
        return Outcome.FAILED
    if not tower.job_runs_now(now):
        tower.start_job(now)
    return Outcome.DONE


_ENDS: Final[Mapping[Remedy, Callable[[SmallTower, Act, float], Outcome]]] = {
    Remedy.REFORWARD: _reforward,
    Remedy.TERM_MUX: _term_mux,
    Remedy.START_ENGINE: _restart_engine,
    Remedy.RESTART_ENGINE: _restart_engine,
    Remedy.CLEAN_STALE_FILES: _clean,
    Remedy.LOAD_MODULES: _load,
    Remedy.START_CONTAINER: _start_box,
    Remedy.RESTART_CONTAINER: _restart_box,
    Remedy.SET_RESTART_POLICY: _policy,
    Remedy.UNTAINT: _untaint,
    Remedy.UNCORDON: _uncordon,
    Remedy.DELETE_FLANNEL_POD: _delete_flannel,
    Remedy.DELETE_POD: _delete_pod,
    Remedy.FORCE_DELETE_POD: _delete_pod,
    Remedy.PATCH_LIVEKIT: _patch,
    Remedy.KICKSTART_JOB: _kickstart,
}


def _vm_is_up(tower: SmallTower, act: Act, now: float) -> str:
    del act, now
    return "it runs" if tower.vm in {"on", "booting"} else ""


def _vm_lives(tower: SmallTower, act: Act, now: float) -> str:
    """Whatever still answers out of it, by the way by which it is asked."""
    del act
    answers = tower.ssh_answers(now) or tower.docker_answers(now) or tower.serves(now)
    return "it answers" if answers or tower.vm == "booting" else ""


def _box_runs(tower: SmallTower, act: Act, now: float) -> str:
    del act, now
    return "it runs" if tower.box == "running" else ""


def _mux_lives(tower: SmallTower, act: Act, now: float) -> str:
    del act, now
    return "it answers" if tower.mux != "wedged" else ""


def _engine_up(tower: SmallTower, act: Act, now: float) -> str:
    del act, now
    return "it answers" if tower.engine == "up" else ""


def _engine_not_stopped(tower: SmallTower, act: Act, now: float) -> str:
    del act, now
    return "" if tower.engine == "stopped" else f"it is {tower.engine}"


def _no_taint(tower: SmallTower, act: Act, now: float) -> str:
    del act, now
    return "" if tower.tainted else "no taint"


def _not_cordoned_by_talos(tower: SmallTower, act: Act, now: float) -> str:
    del act, now
    return "" if tower.cordoned == "talos" else "not cordoned by Talos"


def _not_drifted(tower: SmallTower, act: Act, now: float) -> str:
    del act, now
    if tower.rollout_paused:
        return "a human paused the rollout"
    return "" if tower.drift else "no drift"


def _job_not_down(tower: SmallTower, act: Act, now: float) -> str:
    del act
    if tower.job_runs_now(now):
        return "it runs"
    return "" if tower.job == "dead" else f"it is {tower.job}"


_NEEDLESS: Final[Mapping[Remedy, Callable[[SmallTower, Act, float], str]]] = {
    Remedy.START_VM: _vm_is_up,
    Remedy.CYCLE_VM: _vm_lives,
    Remedy.FORCE_CYCLE_VM: _vm_lives,
    Remedy.START_CONTAINER: _box_runs,
    Remedy.RESTART_CONTAINER: _box_runs,
    Remedy.TERM_MUX: _mux_lives,
    Remedy.START_ENGINE: _engine_not_stopped,
    Remedy.RESTART_ENGINE: _engine_up,
    Remedy.UNTAINT: _no_taint,
    Remedy.UNCORDON: _not_cordoned_by_talos,
    Remedy.PATCH_LIVEKIT: _not_drifted,
    Remedy.KICKSTART_JOB: _job_not_down,
}

"""Everything that may befall the tower of few bits, and what a schedule is made of."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from healer.core.observation import ForeignOperation
from healer.core.tower import Layer
from tests.explore.small.tower import PODS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.explore.small.tower import SmallTower


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that may befall it."""

    befall: Callable[[SmallTower, float, random.Random], None]
    layer: Layer
    covered: bool = True
    """Whether a ladder answers it."""
    human: bool = False


def _taint(tower: SmallTower, now: float, chance: random.Random) -> None:
    del now, chance
    tower.tainted = True


def _cordon_talos(tower: SmallTower, now: float, chance: random.Random) -> None:
    del now, chance
    tower.cordoned = tower.cordoned or "talos"


def _cordon_human(tower: SmallTower, now: float, chance: random.Random) -> None:
    del now, chance
    tower.cordoned = "human"


def _module(tower: SmallTower, now: float, chance: random.Random) -> None:
    tower.module, tower.persisted = False, chance.random() < 0.5
    tower.flannel, tower.flannel_since = "crashing", now


def _flannel(tower: SmallTower, now: float, chance: random.Random) -> None:
    del chance
    tower.flannel, tower.flannel_since = "crashing", now


def _pods(count: int) -> Callable[[SmallTower, float, random.Random], None]:
    def befall(tower: SmallTower, now: float, chance: random.Random) -> None:
        del now
        for name in chance.sample(PODS, count):
            tower.serial += 1
            tower.unknown_pods[name] = tower.serial

    return befall


def _stuck(tower: SmallTower, now: float, chance: random.Random) -> None:
    del now
    tower.serial += 1
    tower.stuck_pods[chance.choice(PODS)] = tower.serial


def _drift(tower: SmallTower, now: float, chance: random.Random) -> None:
    del now, chance
    tower.serial += 1
    tower.drift = tower.serial


def _broken_template(tower: SmallTower, now: float, chance: random.Random) -> None:
    """Its probes cannot pass, and behind them is an image that does not start."""
    _drift(tower, now, chance)
    tower.starts = False


def _pause_rollout(tower: SmallTower, now: float, chance: random.Random) -> None:
    del now, chance
    tower.rollout_paused = True


def _kill(tower: SmallTower, now: float, chance: random.Random) -> None:
    tower.policy = tower.policy and chance.random() < 0.7
    if tower.box == "running":
        tower.lose_box(now)


def _docker_stop(tower: SmallTower, now: float, chance: random.Random) -> None:
    del chance
    if tower.box == "running" and tower.docker_answers(now):
        tower.lose_box(now)
        tower.box_stopped_by_human = now


def _box(state: str) -> Callable[[SmallTower, float, random.Random], None]:
    def befall(tower: SmallTower, now: float, chance: random.Random) -> None:
        del now, chance
        tower.box = state

    return befall


def _mux(state: str) -> Callable[[SmallTower, float, random.Random], None]:
    def befall(tower: SmallTower, now: float, chance: random.Random) -> None:
        del now, chance
        tower.mux = state

    return befall


def _hostagent(state: str) -> Callable[[SmallTower, float, random.Random], None]:
    """The VM goes on, if it runs."""

    def befall(tower: SmallTower, now: float, chance: random.Random) -> None:
        del chance
        if tower.booted(now):
            tower.hostagent = state

    return befall


def _usernet(tower: SmallTower, now: float, chance: random.Random) -> None:
    del chance
    if tower.booted(now):
        tower.usernet = False


def _port(tower: SmallTower, now: float, chance: random.Random) -> None:
    del now, chance
    tower.port_dead = True


def _vm(state: str) -> Callable[[SmallTower, float, random.Random], None]:
    def befall(tower: SmallTower, now: float, chance: random.Random) -> None:
        tower.policy = tower.policy and chance.random() < 0.7
        tower.lose_vm(now, state)

    return befall


def _looks_zombie(tower: SmallTower, now: float, chance: random.Random) -> None:
    """Every way in is dead but the ports, which serve (facts/incidents.md §1, row 27)."""
    del chance
    tower.vm, tower.vm_since = "looks_zombie", now


def _human_stops_vm(tower: SmallTower, now: float, chance: random.Random) -> None:
    del chance
    tower.lose_vm(now, "off")
    tower.vm_stopped_by_human = now


def _reboots(tower: SmallTower, now: float, chance: random.Random) -> None:
    del chance
    tower.lose_vm(now, "off")
    tower.boot_vm(now)


def _engine(state: str) -> Callable[[SmallTower, float, random.Random], None]:
    def befall(tower: SmallTower, now: float, chance: random.Random) -> None:
        del chance
        tower.engine, tower.engine_stopped_at = state, now
        if tower.box == "running":
            tower.lose_box(now)

    return befall


def _api(tower: SmallTower, now: float, chance: random.Random) -> None:
    del now, chance
    tower.api_silent = True


def _job_dies(tower: SmallTower, now: float, chance: random.Random) -> None:
    """Sometimes of what it does not get over, and sometimes launchd itself keeps it alive."""
    tower.job_kept = chance.random() < 0.5
    tower.job_silent = tower.job_silent or chance.random() < 0.2
    if tower.job == "up":
        tower.lose_job(now)


def _job_is_broken(tower: SmallTower, now: float, chance: random.Random) -> None:
    """It dies at each start."""
    _job_dies(tower, now, chance)
    tower.job_dies = True


def _job_is_silent(tower: SmallTower, now: float, chance: random.Random) -> None:
    del now, chance
    tower.job_silent = True


def _job(state: str) -> Callable[[SmallTower, float, random.Random], None]:
    def befall(tower: SmallTower, now: float, chance: random.Random) -> None:
        del chance
        tower.lose_job(now, state)

    return befall


def _policy(tower: SmallTower, now: float, chance: random.Random) -> None:
    del now, chance
    tower.policy = False


def _api_failing(tower: SmallTower, now: float, chance: random.Random) -> None:
    del now, chance
    tower.api_failing = True


def _bare_pods(tower: SmallTower, now: float, chance: random.Random) -> None:
    """A crash loses all of them, and one or two that healer may delete."""
    tower.bare_pods = ("shell", "migration", "cron")
    _pods(chance.choice((1, 2)))(tower, now, chance)


FAULTS: Final[Mapping[str, Fault]] = {
    "taint": Fault(_taint, Layer.NODE),
    "cordon_by_talos": Fault(_cordon_talos, Layer.NODE),
    "cordon_by_human": Fault(_cordon_human, Layer.NODE, human=True),
    "module_gone": Fault(_module, Layer.KERNEL),
    "flannel_crashes": Fault(_flannel, Layer.FLANNEL),
    "pod_unknown": Fault(_pods(1), Layer.PODS),
    "pods_unknown": Fault(_pods(4), Layer.PODS),
    "pod_stuck": Fault(_stuck, Layer.PODS),
    "livekit_drift": Fault(_drift, Layer.LIVEKIT),
    "livekit_broken": Fault(_broken_template, Layer.LIVEKIT, covered=False),
    "rollout_paused": Fault(_pause_rollout, Layer.LIVEKIT, human=True),
    "docker_kill": Fault(_kill, Layer.TALOS),
    "docker_stop": Fault(_docker_stop, Layer.TALOS, human=True),
    "shutting_down": Fault(_box("shutting_down"), Layer.TALOS),
    "wedged": Fault(_box("wedged"), Layer.TALOS),
    "start_refused": Fault(_box("refused"), Layer.TALOS, covered=False),
    "container_missing": Fault(_box("missing"), Layer.TALOS, covered=False),
    "restart_policy": Fault(_policy, Layer.TALOS),
    "mux_dead": Fault(_mux("dead"), Layer.DOCKER),
    "mux_wedged": Fault(_mux("wedged"), Layer.DOCKER),
    "port_dead": Fault(_port, Layer.SERVICES),
    "engine_failed": Fault(_engine("failed"), Layer.DOCKER),
    "engine_stopped": Fault(_engine("stopped"), Layer.DOCKER, human=True),
    "power_cut": Fault(_vm("off"), Layer.COLIMA),
    "vm_broken": Fault(_vm("broken"), Layer.COLIMA),
    "hostagent_dies": Fault(_hostagent("dead"), Layer.COLIMA, covered=False),
    "hostagent_hangs": Fault(_hostagent("hung"), Layer.COLIMA, covered=False),
    "usernet_dies": Fault(_usernet, Layer.SSH, covered=False),
    "vm_zombie": Fault(_vm("zombie"), Layer.COLIMA),
    "vm_looks_zombie": Fault(_looks_zombie, Layer.COLIMA, covered=False),
    "vm_reboots": Fault(_reboots, Layer.COLIMA),
    "disk_locked": Fault(_vm("locked"), Layer.COLIMA, covered=False),
    "vm_missing": Fault(_vm("missing"), Layer.COLIMA, covered=False),
    "vm_stopped": Fault(_human_stops_vm, Layer.COLIMA, human=True),
    "api_failing": Fault(_api_failing, Layer.APISERVER, covered=False),
    "bare_pods": Fault(_bare_pods, Layer.PODS),
    "api_silent": Fault(_api, Layer.APISERVER, covered=False),
    "job_dies": Fault(_job_dies, Layer.LAUNCHD),
    "job_is_broken": Fault(_job_is_broken, Layer.LAUNCHD, covered=False),
    "job_is_silent": Fault(_job_is_silent, Layer.LAUNCHD),
    "job_booted_out": Fault(_job("absent"), Layer.LAUNCHD, human=True),
    "job_disabled": Fault(_job("disabled"), Layer.LAUNCHD, human=True),
}
KINDS: Final = (
    "fault",
    "crash",
    "pause",
    "foreign",
    "blind",
    "others_unseen",
    "sleep",
    "reset",
    "recovers",
)
"""What else a schedule holds, beside faults."""

PHASES: Final = ("", "intent", "looked", "act", "end", "ended")
"""Where healer is killed: at once; or at its next act, before its intent is written, before its
last look, in the middle of it, before its end is written, or after."""


@dataclass(frozen=True, slots=True)
class Event:
    """One thing of a schedule, at its time."""

    at: float
    kind: str
    name: str = ""
    lasts: float = 0.0


@dataclass(frozen=True, slots=True)
class Schedule:
    """Everything that happens in a run, and all its chances."""

    seed: int
    events: tuple[Event, ...]
    lost: float
    """How likely a single look is lost: unknown for no reason."""
    flaky: float
    """How likely an act fails or hangs."""

    def without(self, number: int) -> Schedule:
        """The same without one of its events; for shrinking."""
        return replace(self, events=self.events[:number] + self.events[number + 1 :])


_NAMES: Final = tuple(FAULTS)
_LAYERS: Final = tuple(layer.value for layer in Layer)


def schedule_of(seed: int) -> Schedule:
    """One to three faults, and up to three other things, close to each other or far apart."""
    chance = random.Random(seed)
    events = [
        Event(_time(chance), "fault", chance.choice(_NAMES))
        for _ in range(chance.choice((0, 1, 1, 1, 2, 2, 3)))
    ]
    events += [_other(chance) for _ in range(chance.choice((0, 0, 1, 1, 2, 3)))]
    events.sort(key=lambda one: one.at)
    lost = chance.choice((0.0, 0.0, 0.0, 0.05, 0.2))
    flaky = chance.choice((0.0, 0.0, 0.0, 0.2, 0.6))
    return Schedule(seed, tuple(events), lost, flaky)


def _time(chance: random.Random) -> float:
    return round(chance.choice((10.0, 10.0, chance.uniform(5, 30), chance.uniform(5, 200))), 2)


def _other(chance: random.Random) -> Event:
    kind = chance.choice(("crash", "crash", "crash", *KINDS[2:]))
    names: tuple[str, ...] = ("",)
    match kind:
        case "crash":
            names = PHASES
        case "pause" | "reset":
            names = ("", *_LAYERS)
        case "blind":
            names = _LAYERS
        case "foreign":
            names = (Layer.COLIMA.value, Layer.TALOS.value)
        case _:
            pass
    lasts = round(chance.uniform(2, chance.choice((20, 200))), 1)
    return Event(_time(chance), kind, chance.choice(names), lasts)


def foreign(layer: str, at: float, now: float) -> ForeignOperation:
    """Somebody's start or stop, since `at`."""
    command = "colima start" if layer == Layer.COLIMA else "docker restart"
    return ForeignOperation(Layer(layer), command, 4242, now - at)

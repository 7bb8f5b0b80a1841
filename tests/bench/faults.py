"""How soon the daemon sees a fault, acts on it, and proves that it is over."""

from __future__ import annotations

import statistics
import time
from typing import TYPE_CHECKING, Final

from tests.lab.kubernetes.node import NAME
from tests.lab.tower.living import LivingDaemon

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.lab.tower.living import Line
    from tests.lab.tower.tower import Tower

SETTINGS: Final = """# Raises limits only, so that one fault can be played many times.
[engine]
acts_per_hour = 1000
stable = "1s"
crash_loop_boots = 1000
disable_after = 1000
holds_before_giving_up = 1000

[confirm."node.tainted"]
hold = "1s"

[confirm."kernel.br_netfilter_missing"]
hold = "1s"

[confirm."docker.forward_dead"]
hold = "1s"

[confirm."docker.mux_wedged"]
hold = "1s"

[confirm."services.forward_dead"]
hold = "1s"

[limits.untaint]
count = 1000
cooldown = "0s"

[limits.load_modules]
count = 1000
cooldown = "0s"

[limits.reforward]
count = 1000
cooldown = "0s"

[limits.start_container]
count = 1000
cooldown = "0s"

[limits.delete_flannel_pod]
count = 1000
cooldown = "1s"

[limits.patch_livekit]
count = 1000
cooldown = "1s"

[limits.start_vm]
count = 1000
backoff_first = "1s"
backoff_cap = "1s"
"""
_ILL: Final = frozenset({"suspect", "failing", "grace", "healing"})


Fault = tuple[str, "Callable[[], float | None]"]
"""Its layer, and what brings it about; it says when it struck, if that was not at its end."""


def faults(tower: Tower, rounds: int, names: Sequence[str] = ()) -> None:
    """Play each fault, or those of these names, so often; seconds to detected, act and verified."""
    print(SETTINGS)
    daemon = LivingDaemon(tower)
    played = _faults(daemon)
    unknown = [one for one in names if one not in played]
    if unknown:
        raise SystemExit(f"no fault is called {unknown[0]!r}; there are: {', '.join(played)}")
    config = tower.mac.home / ".config" / "healer" / "config.toml"
    config.parent.mkdir(parents=True, exist_ok=True)
    config.write_text(SETTINGS, encoding="utf-8")
    daemon.start()
    print(
        f"{'fault':<16} {'detected':>14} {'act':>14} {'verified':>14}   p50/p95 s, {rounds} rounds"
    )
    for name in names or played:
        columns = list(zip(*(_played(daemon, played[name]) for _ in range(rounds)), strict=True))
        print(f"{name:<16} " + " ".join(f"{_percentiles(one):>14}" for one in columns), flush=True)
    daemon.end()


def _faults(daemon: LivingDaemon) -> dict[str, Fault]:
    tower = daemon.tower

    def module() -> None:
        tower.mac.guest(["rm", "-f", "/etc/modules-load.d/healer.conf"])
        tower.mac.drop_module()

    def kill_container() -> None:
        tower.mac.docker(["kill", NAME])

    return {
        "taint put back": ("node", tower.faults.taint),
        "module gone": ("kernel", module),
        "mux killed": ("docker", tower.mac.kill_mux),
        "docker kill": ("talos", kill_container),
        "flannel crash": ("flannel", daemon.crash_flannel),
        "LiveKit reset": ("livekit", tower.faults.reset_livekit),
        "VM power cut": ("colima", tower.mac.cut_power),
    }


def _played(daemon: LivingDaemon, fault: Fault) -> tuple[float, float, float]:
    """Seconds to the first bad look at the layer, to the first act, and to the proved end."""
    layer, strike = fault
    time.sleep(5.0)
    since = time.time()
    struck = strike()
    broken = struck or time.time()
    since = struck or since
    daemon.healed(since)
    lines = daemon.log(since)
    seen = _first(lines, lambda it: it.event == "changed" and _is_bad(it, layer))
    acted = _first(lines, lambda it: it.event == "act_begun")
    over = _first(lines, lambda it: it.event == "incident_resolved")
    return max(0.0, seen - broken), acted - broken, over - broken


def _is_bad(line: Line, layer: str) -> bool:
    return line.fields["layer"] == layer and line.fields["now"] in _ILL


def _first(lines: list[Line], fits: Callable[[Line], bool]) -> float:
    return next(line.at for line in lines if fits(line))


def _percentiles(values: tuple[float, ...]) -> str:
    ordered = sorted(values)
    nearly_all = ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))]
    return f"{statistics.median(ordered):.1f}/{nearly_all:.1f}"

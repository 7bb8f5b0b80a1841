"""SIGKILL at each point of the journal of each act, on real parts: nothing is done twice (I10)."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, Final

import pytest

from tests.lab.kubernetes.node import NAME
from tests.lab.tower.dying import POINTS

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.lab.tower.tower import Tower

pytestmark = [pytest.mark.lab, pytest.mark.kubernetes, pytest.mark.timeout(900)]

SETTINGS: Final = """# An act that was cut off is tried again soon, so that the test need not wait.
[limits.untaint]
settle = "5s"
cooldown = "0s"

[limits.uncordon]
settle = "5s"
cooldown = "0s"

[limits.load_modules]
settle = "5s"
cooldown = "0s"

[limits.reforward]
settle = "5s"

# A restart has as long to prove itself as the pass may take, however busy this machine is.
[limits.restart_engine]
settle = "6m"

[limits.patch_livekit]
settle = "6m"
"""


def _without_module(tower: Tower) -> None:
    tower.mac.guest(["rm", "-f", "/etc/modules-load.d/healer.conf"])
    tower.mac.drop_module()


FAULTS: Final[dict[str, Callable[[Tower], object]]] = {
    "untaint": lambda tower: tower.faults.taint(),
    "uncordon": lambda tower: tower.faults.cordon_as_talos(),
    "load_modules": _without_module,
    "reforward": lambda tower: tower.mac.kill_mux(),
    "start_container": lambda tower: tower.mac.docker(["kill", NAME]),
}
"""What brings each act about; `colima start` is killed under a daemon (test_daemon), and a pass
does nothing about what is only advised."""
LONG: Final[dict[str, Callable[[Tower], object]]] = {
    "patch_livekit": lambda tower: tower.faults.reset_livekit(),
    "restart_engine": lambda tower: tower.mac.kill_engine(),
}
"""Played at the worst point alone: done, and not known to be."""
CASES: Final = [
    *((remedy, point) for remedy in FAULTS for point in POINTS),
    *((remedy, "deed") for remedy in LONG),
]


@pytest.mark.parametrize(("remedy", "point"), CASES)
def test_the_next_run_verifies_and_repeats_nothing(tower: Tower, remedy: str, point: str) -> None:
    """What was done is not done again; what was only meant is done once; all is well then."""
    config = tower.mac.home / ".config" / "healer" / "config.toml"
    config.parent.mkdir(parents=True, exist_ok=True)
    config.write_text(SETTINGS, encoding="utf-8")
    try:
        {**FAULTS, **LONG}[remedy](tower)
        killed = tower.healer("--once", "--json", program=("tests.lab.tower.dying", point, remedy))
        again = tower.heal()
    finally:
        config.unlink()

    assert -signal.SIGKILL == killed.code, killed.out + killed.err
    assert 0 == again.code, again.out + again.err
    assert int(point == "intent") == again.remedies.count(remedy), again.out

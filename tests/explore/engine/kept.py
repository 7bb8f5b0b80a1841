"""Schedules kept as they are: what a seed draws changes with each new thing that can befall."""

from __future__ import annotations

from typing import Final

from healer.core.tower import Layer
from healer.drills.lives import Crash
from healer.drills.scenario import Happens
from tests.explore.engine.schedules import Schedule

STOP_STILL_HANGS: Final = Schedule(
    5016,
    (
        Happens(10.0, "policy_lost"),
        Happens(14.38, "flannel_crashes"),
        Happens(112.82, "docker_restart"),
        Happens(145.27, "vm_frozen"),
    ),
    (Crash(turn=5582, down=7.5), Crash(turn=9356, down=27.7)),
)
CORDONED: Final = Schedule(
    200308,
    (
        Happens(91.37, "livekit_probes_reset"),
        Happens(92.39, "cordon_by_human"),
        Happens(101.12, "mux_killed"),
    ),
    (),
)
PAUSED: Final = Schedule(
    100161,
    (
        Happens(10.0, "engine_dies"),
        Happens(10.0, "healer_paused", {"seconds": 637.5, "layer": Layer.DOCKER}),
        Happens(12.15, "container_dies"),
        Happens(12.5, "crash_loop", {"workload": "inngest"}),
    ),
    (Crash(turn=10058, down=18.6),),
)
CUT_OFF: Final = Schedule(
    700106,
    (Happens(14.33, "flannel_crashes"), Happens(114.26, "usernet_leak")),
    (Crash(turn=1235, down=12.5),),
)
"""Healer is cut off at an await while flannel crashes."""
GRACE_AFTER_A_SET_CLOCK: Final = Schedule(
    2000272,
    (Happens(46.9, "clock_jumps", {"seconds": 820.4}), Happens(102.1, "engine_dies_alone")),
    (),
)
"""Nothing is said for five minutes, in which the run seemed to be over."""

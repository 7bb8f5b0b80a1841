"""Schedules kept as they are: what a seed draws changes with each new thing that can befall."""

from __future__ import annotations

from typing import Final

from tests.explore.small.faults import Event, Schedule

CYCLE_CUT_OFF: Final = Schedule(
    22117,
    (
        Event(10.0, "fault", "vm_looks_zombie"),
        Event(10.0, "crash", "end", 30.8),
        Event(122.97, "fault", "docker_stop"),
        Event(177.29, "fault", "restart_policy"),
    ),
    lost=0.05,
    flaky=0.0,
)
FORBIDDEN_RUNG: Final = Schedule(
    302,
    (
        Event(10.0, "fault", "mux_dead"),
        Event(10.0, "blind", "flannel", 13.9),
        Event(112.92, "fault", "pods_unknown"),
    ),
    lost=0.0,
    flaky=0.6,
)
EVENT_USED_UP: Final = Schedule(
    351,
    (
        Event(10.0, "fault", "livekit_drift"),
        Event(20.25, "fault", "docker_stop"),
        Event(22.06, "reset", "colima", 6.8),
        Event(45.93, "crash", "looked", 88.4),
        Event(62.65, "fault", "wedged"),
        Event(72.13, "foreign", "colima", 189.8),
    ),
    lost=0.2,
    flaky=0.0,
)
SILENT_SOON_AFTER: Final = Schedule(
    22494,
    (
        Event(10.0, "fault", "api_silent"),
        Event(10.0, "crash", "", 15.4),
        Event(16.95, "foreign", "talos", 27.3),
    ),
    lost=0.0,
    flaky=0.6,
)
STOPPED_WHILE_RESTARTED: Final = Schedule(
    155643,
    (
        Event(9.19, "fault", "wedged"),
        Event(10.0, "fault", "api_silent"),
        Event(10.0, "crash", "looked", 7.1),
        Event(24.64, "pause", "flannel", 183.8),
        Event(120.94, "fault", "vm_stopped"),
    ),
    lost=0.05,
    flaky=0.6,
)
CORDON_BECAME_HUMAN: Final = Schedule(
    270269,
    (
        Event(10.58, "fault", "cordon_by_talos"),
        Event(11.18, "reset", "", 19.5),
        Event(28.22, "fault", "cordon_by_human"),
        Event(28.62, "fault", "pods_unknown"),
    ),
    lost=0.2,
    flaky=0.0,
)
RESTART_CUT_OFF: Final = Schedule(
    143801,
    (
        Event(10.0, "crash", "looked", 9.7),
        Event(25.9, "fault", "wedged"),
        Event(108.28, "fault", "engine_stopped"),
    ),
    lost=0.0,
    flaky=0.2,
)
BOOTED_AT_ONCE: Final = Schedule(
    444497,
    (
        Event(10.0, "fault", "vm_zombie"),
        Event(40.36, "crash", "end", 103.0),
        Event(113.61, "fault", "engine_stopped"),
    ),
    lost=0.0,
    flaky=0.0,
)
JOB_DISABLED_MEANWHILE: Final = Schedule(
    1070524,
    (
        Event(10.0, "fault", "job_dies"),
        Event(47.39, "fault", "pods_unknown"),
        Event(88.03, "fault", "job_disabled"),
    ),
    lost=0.0,
    flaky=0.0,
)
JOB_IN_A_LOOP: Final = Schedule(
    900105, (Event(10.0, "fault", "job_is_broken"),), lost=0.0, flaky=0.0
)
USERNET_UNSEEN: Final = Schedule(
    3059282,
    (
        Event(6.94, "fault", "docker_stop"),
        Event(10.0, "fault", "usernet_dies"),
        Event(10.0, "blind", "ssh", 129.6),
        Event(30.29, "fault", "job_disabled"),
    ),
    lost=0.0,
    flaky=0.2,
)

"""Sleep, reboots and jumping clocks; and noise, with which nothing is ill."""

from healer.core.tower import Layer
from healer.simulation.happening import Happening, Kind, Number, seconds
from healer.simulation.physics import Tower


def _mac_sleeps(tower: Tower, seconds: float) -> None:
    tower.sleep(seconds)


def _mac_reboots(tower: Tower) -> None:
    tower.mac_reboots()


def _clock_jumps(tower: Tower, seconds: float) -> None:
    tower.clock.set_wall(seconds)
    tower.machine.fall_behind(seconds)


def _events_lost(tower: Tower, seconds: float) -> None:
    tower.troubles.deaf_until = tower.clock.at + seconds


def _stale_reads(tower: Tower, seconds: float) -> None:
    tower.old_lists = tower.objects.snapshot()
    tower.troubles.stale_until = tower.clock.at + seconds


def _slow(tower: Tower, seconds: float, seconds_per_answer: float) -> None:
    tower.troubles.slow_until = tower.clock.at + seconds
    tower.troubles.slow_by = seconds_per_answer


def _starved(tower: Tower, seconds: float) -> None:
    tower.troubles.starved_until = tower.clock.at + seconds


def _noise(tower: Tower, seconds: float, percent: float) -> None:
    tower.troubles.noise_until = tower.clock.at + seconds
    tower.troubles.noise = percent / 100.0


TIMES = (
    Happening(
        "mac_sleeps",
        "The Mac sleeps, its VM with it; on waking the VM's clock is behind (colima §5).",
        None,
        Kind.TIME,
        covered=True,
        act=_mac_sleeps,
        parameters={"seconds": seconds(8 * 3600.0, 72 * 3600.0, "how long it sleeps")},
    ),
    Happening(
        "mac_reboots",
        "The Mac reboots: everything that ran is gone, its files stay (colima §2).",
        Layer.COLIMA,
        Kind.TIME,
        covered=True,
        act=_mac_reboots,
        ends_healer=True,
    ),
    Happening(
        "clock_jumps",
        "The Mac's wall clock is set; the VM follows within ten seconds (colima §5).",
        None,
        Kind.TIME,
        covered=True,
        act=_clock_jumps,
        parameters={"seconds": Number("how far ahead", 3600.0, -86_400.0, 86_400.0)},
    ),
)

NOISES = (
    Happening(
        "events_lost",
        "Docker's events and the API's watches say nothing for a while (talos §7, §9).",
        None,
        Kind.NOISE,
        covered=True,
        act=_events_lost,
        parameters={"seconds": seconds(300.0, 3600.0)},
    ),
    Happening(
        "stale_reads",
        "The API answers from an old cache for a while.",
        None,
        Kind.NOISE,
        covered=True,
        act=_stale_reads,
        parameters={"seconds": seconds(30.0, 120.0)},
    ),
    Happening(
        "slow",
        "Every answer takes longer for a while, within its deadline.",
        None,
        Kind.NOISE,
        covered=True,
        act=_slow,
        parameters={
            "seconds": seconds(300.0, 3600.0),
            "seconds_per_answer": Number("how much longer each takes", 1.0, 0.1, 2.5),
        },
    ),
    Happening(
        "starved",
        "The Mac is so busy for a while that no look ends within its deadline.",
        None,
        Kind.NOISE,
        covered=True,
        act=_starved,
        parameters={"seconds": seconds(120.0, 600.0)},
    ),
    Happening(
        "noise",
        "An answer gets lost now and then, for a while.",
        None,
        Kind.NOISE,
        covered=True,
        act=_noise,
        parameters={
            "seconds": seconds(3600.0, 86_400.0),
            "percent": Number("how many of a hundred get lost", 1.0, 0.1, 3.0),
        },
    ),
)

"""What is counted of a run beside its history: against the truth, against notices and awaits."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Final

from healer.core.facts import IncidentOpened, Observed
from healer.model.notice import Kind as Notified
from healer.simulation.happenings import HAPPENINGS, Kind
from tests.explore.engine.awaits import awaits
from tests.explore.sections import CAME_TO_PASS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from healer.core.tower import Layer
    from healer.drills.playing import Played
    from healer.promises.history import History
    from tests.explore.counting import Counts
    from tests.explore.engine.schedules import Schedule
    from tests.explore.engine.watching import Watch

BACK: Final = 120.0
"""Seconds before an incident within which its root may have been ill: confirming and grace."""


def count_outside(counts: Counts, schedule: Schedule, played: Played, watch: Watch) -> None:
    """All of it."""
    _count_times(counts, played.history, watch)
    _count_roots(counts, played.history, watch)
    _count_notices(counts, played)
    _count_unseen(counts, schedule, played.history)
    counts.others[CAME_TO_PASS] += len(watch.crashed)
    counts.crash_points.update(point for points in watch.crashed for point in points)
    counts.stood |= watch.stood
    counts.awaits = len(awaits())


def _count_times(counts: Counts, history: History, watch: Watch) -> None:
    """From the truth to the first bad observation, and to the first act, of the same layer."""
    seen = _bad_looks(history)
    begun: dict[Layer, list[float]] = defaultdict(list)
    for deed in history.deeds:
        begun[deed.act.layer].append(deed.began)
    for fall in watch.falls():
        counts.fell[fall.layer.value] += 1
        for times, counted in ((seen, counts.detected), (begun, counts.acted)):
            first = _first(times.get(fall.layer, ()), fall.at)
            if first < fall.until:
                counted[f"{fall.layer.value} {first - fall.at:.1f}"] += 1


def _bad_looks(history: History) -> Mapping[Layer, Sequence[float]]:
    seen: dict[Layer, list[float]] = defaultdict(list)
    for moment in history.moments:
        if isinstance(moment.fact, Observed) and moment.fact.observation.findings:
            seen[moment.fact.observation.layer].append(moment.at)
    return seen


def _first(times: Sequence[float], since: float) -> float:
    place = bisect_left(times, since)
    return times[place] if place < len(times) else float("inf")


def _count_roots(counts: Counts, history: History, watch: Watch) -> None:
    for moment in history.moments:
        for one in moment.decisions:
            if isinstance(one, IncidentOpened):
                roots = watch.roots_within(moment.at - BACK, moment.at)
                counts.rooted[_verdict(one.layer, roots)] += 1


def _verdict(named: Layer, roots: frozenset[Layer]) -> str:
    if named in roots:
        return "right"
    return "beside the root" if roots else "nothing truly ill"


def _count_notices(counts: Counts, played: Played) -> None:
    told = [one for one in played.notices if one.kind is not Notified.DIGEST]
    counts.notices.update(one.kind.value for one in told)
    of_incident = Counter(one.incident for one in told)
    for moment in played.history.moments:
        for one in moment.decisions:
            if isinstance(one, IncidentOpened):
                counts.told[str(of_incident[one.incident])] += 1


def _count_unseen(counts: Counts, schedule: Schedule, history: History) -> None:
    """A fault that befalls alone, and of which no probe ever answers anything bad."""
    if len(schedule.happens) != 1:
        return
    only = schedule.happens[0]
    happening = HAPPENINGS.get(only.what)
    if happening is None or happening.kind is not Kind.FAULT:
        return
    counts.alone[only.what] += 1
    if not any(times[-1] >= only.at for times in _bad_looks(history).values()):
        counts.unseen[only.what] += 1

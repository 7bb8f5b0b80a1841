"""I8, I9, I15 and I16: what is well, forbidden, a human's, or only time passing is left alone."""

from collections.abc import Mapping

from healer.core.facts import Act, NotVerified
from healer.core.ladders import Remedy
from healer.core.tower import Layer
from healer.promises.history import Broken, Deed, History, Moment, Violation
from healer.promises.seeing import Seen, told

_TRULY_WELL = 30.0
"""Seconds: whoever acts on a layer that has been well for longer acted on an old look."""
_STARTS = frozenset({Remedy.START_VM, Remedy.START_CONTAINER, Remedy.START_ENGINE})
_STOPS = {
    Layer.COLIMA: frozenset({Remedy.CYCLE_VM, Remedy.FORCE_CYCLE_VM}),
    Layer.DOCKER: frozenset({Remedy.CYCLE_VM, Remedy.FORCE_CYCLE_VM}),
    Layer.TALOS: frozenset({Remedy.CYCLE_VM, Remedy.FORCE_CYCLE_VM, Remedy.RESTART_CONTAINER}),
}
"""What of ours stops a layer on its way to starting it."""
_ROUNDING = 0.001
"""Seconds: sums of the same times in another order differ in their last digits."""


def leaves_the_healthy_alone(history: History) -> Broken:
    """I8: no act where nothing was ever wrong, and none on a layer that is truly well."""
    for deed in history.deeds:
        if history.harmless:
            yield _needless(deed, "nothing was wrong")
        elif deed.act.reason.gating and (deed.well_for or 0.0) > _TRULY_WELL:
            yield _needless(deed, f"{deed.act.layer} had been well for {deed.well_for:.0f} s")


def _needless(deed: Deed, why: str) -> Violation:
    return Violation("I8", deed.began, f"{deed.act.remedy} although {why}")


def does_only_what_its_table_names(history: History) -> Broken:
    """I9: every act is a rung of the ladder of its reason; nothing else can be begun."""
    for moment in history.moments:
        for act in moment.acts:
            rungs = moment.policy.ladders[act.reason].rungs
            if act.remedy not in {one.remedy for one in rungs}:
                yield Violation("I9", moment.at, f"{act.remedy} is no rung for {act.reason}")


def what_a_human_set_stays(history: History) -> Broken:
    """I15: nothing of it is undone, and a stop on purpose is respected for its patience."""
    for what in history.undone:
        yield Violation("I15", history.ended, f"undone: {what}")
    ended = {deed.act.id: deed.ended for deed in history.deeds}
    for moment, seen in told(history):
        for one in moment.decisions:
            if isinstance(one, NotVerified) and _stopped_after(seen, one.act, ended):
                what = f"{one.act.remedy} is said not to have helped, and a human has stopped it"
                yield Violation("I15", moment.at, what)
        for act in moment.acts:
            finding = seen.finding_of(act)
            if act.remedy not in _STARTS or finding is None or finding.human_ago is None:
                continue
            ago = finding.human_ago + moment.at - seen.looks[act.layer].at
            patience = moment.policy.ladders[act.reason].patience
            if ago < patience - _ROUNDING and not _ours(history, moment, act.layer, ago):
                what = f"{act.remedy} {ago:.0f} s after a human's stop; patience {patience:.0f} s"
                yield Violation("I15", moment.at, what)


def _stopped_after(seen: Seen, act: Act, ended: Mapping[str, float | None]) -> bool:
    """Whether a human stopped what the act had started, after it had ended."""
    finding, over = seen.finding_of(act), ended.get(act.id)
    if finding is None or finding.human_ago is None or over is None:
        return False
    return seen.looks[act.layer].at - finding.human_ago > over + 5.0


def _ours(history: History, moment: Moment, layer: Layer, ago: float) -> bool:
    """A stop within one of our own stop-and-starts of that layer was no human's."""
    stopped = moment.at - ago
    return any(
        deed.act.remedy in _STOPS[layer]
        and deed.began - 5.0 <= stopped <= (moment.at if deed.ended is None else deed.ended + 5.0)
        for deed in history.deeds
    )


def time_alone_causes_nothing(history: History) -> Broken:
    """I16: nothing is begun in the grace after a boot or a wake (a pass by hand skips it)."""
    for moment, seen in told(history):
        if moment.policy.one_pass or moment.at >= seen.grace_until:
            continue
        for act in moment.acts:
            yield Violation("I16", moment.at, f"{act.remedy} in the grace after boot or wake")

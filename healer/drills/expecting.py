"""Whether what had to come of a drill did come of it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from healer.core.facts import (
    Decision,
    GaveUp,
    Held,
    IncidentOpened,
    Outcome,
    Refused,
    Reported,
)
from healer.core.ladders import Remedy
from healer.core.tower import Layer
from healer.core.word import Word
from healer.drills.playing import Played
from healer.drills.scenario import Expect
from healer.model.notice import Notice
from healer.promises.history import History


@dataclass(frozen=True, slots=True)
class Missed:
    """An expectation that was not met."""

    key: str
    """As the scenario's file calls it."""
    what: str


def missed(played: Played) -> tuple[Missed, ...]:
    """Every expectation that was not met, in the order of the file's keys."""
    expect, history = played.scenario.expect, played.history
    decided = [one for moment in history.moments for one in moment.decisions]
    return (
        *_acts(expect, history),
        *_incidents(expect, decided),
        *_notices(expect, played.notices),
        *_said(expect, decided),
        *_healed(expect, played),
    )


def _acts(expect: Expect, history: History) -> Iterator[Missed]:
    done = [one.act for one in history.deeds if one.outcome is not Outcome.NOT_NEEDED]
    remedies = [one.remedy for one in done]
    if expect.acts is not None:
        asked = [one for one in remedies if one not in expect.may or _is_named(one, expect)]
        if not _follows(asked, expect.acts):
            yield Missed("acts", f"expected {_spelled(expect.acts)}; done: {_listed(asked)}")
    for act in done:
        if act.remedy in expect.never:
            yield Missed("never", f"{act.remedy} was done ({act.evidence})")
        if act.layer in expect.untouched:
            yield Missed("untouched", f"{act.remedy} was done on {act.layer}")


def _is_named(remedy: Remedy, expect: Expect) -> bool:
    return any(remedy in group for group in expect.acts or ())


def _follows(done: list[Remedy], order: tuple[frozenset[Remedy], ...]) -> bool:
    """Whether the acts are those of the groups, group after group."""
    place = 0
    for group in order:
        found = done[place : place + len(group)]
        if len(found) != len(group) or set(found) != group:
            return False
        place += len(group)
    return place == len(done)


def _incidents(expect: Expect, decided: list[Decision]) -> Iterator[Missed]:
    opened = [one for one in decided if isinstance(one, IncidentOpened)]
    if expect.incidents is not None and len(opened) != expect.incidents:
        reasons = _listed([one.reason for one in opened])
        yield Missed("incidents", f"expected {expect.incidents}; there were: {reasons}")


def _notices(expect: Expect, notices: tuple[Notice, ...]) -> Iterator[Missed]:
    kinds = tuple(one.kind.value for one in notices)
    if expect.notices is not None and kinds != expect.notices:
        wanted, told = ", ".join(expect.notices) or "none", ", ".join(kinds) or "none"
        yield Missed("notices", f"expected {wanted}; told: {told}")


def _said(expect: Expect, decided: list[Decision]) -> Iterator[Missed]:
    reported = {one.reason for one in decided if isinstance(one, Reported | IncidentOpened)}
    for reason in sorted(expect.reports - reported):
        yield Missed("reports", f"{reason} was never told")
    rules = {one.rule for one in decided if isinstance(one, Refused)}
    for rule in sorted(expect.refused - rules):
        yield Missed("refused", f"nothing was refused by the rule {rule}")
    yield from _gave_up(expect, {one.layer for one in decided if isinstance(one, GaveUp | Held)})


def _gave_up(expect: Expect, layers: set[Layer]) -> Iterator[Missed]:
    if expect.gives_up is None:
        return
    for layer in sorted(expect.gives_up - layers):
        yield Missed("gives_up", f"{layer} was neither held nor given up")
    for layer in sorted(layers - expect.gives_up):
        yield Missed("gives_up", f"{layer} was held or given up, which nobody expected")


def _healed(expect: Expect, played: Played) -> Iterator[Missed]:
    since = played.well_since
    if expect.ill is not None and expect.ill is (since is not None):
        at_end = "ill" if since is None else "well"
        yield Missed("ill", f"the tower is {at_end} at the end")
    elif expect.well_within is not None and since is not None:
        took = since - played.struck
        if took > expect.well_within:
            allowed = f"allowed: {expect.well_within:.0f} s"
            yield Missed("well_within", f"well {took:.0f} s after the last fault; {allowed}")


def _spelled(order: tuple[frozenset[Remedy], ...]) -> str:
    groups = [" and ".join(sorted(one.value for one in group)) for group in order]
    return ", ".join(groups) or "none"


def _listed(words: Sequence[Word]) -> str:
    return ", ".join(one.value for one in words) or "none"

"""An incident that was decided again, for people and for programs."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from healer.core.facts import Act, Decision, Finished, IncidentOpened, Paused, Resumed, WasReset
from healer.replay.codec import DECISION
from healer.replay.comparing import Compared, Fork
from healer.replay.running import Again, Rerun
from healer.telemetry.spelling import counted
from healer.telemetry.words import doing, ending, sentence

SCHEMA_VERSION: Final = 1
_BEFORE: Final = 120.0
"""Seconds before an incident opened in which what led to it is shown."""
_COLUMN: Final = 54
"""Characters of one side."""
_MARKS: Final = {(True, True): "|", (True, False): "<", (False, True): ">"}


@dataclass(frozen=True, slots=True)
class Replayed:
    """What became of running an incident again."""

    incident: str
    rerun: Rerun
    notes: tuple[str, ...]
    """What the facts cannot tell: pruned, not kept, of another version."""
    config: str = ""
    """The file of other settings; '' when none was asked for."""
    compared: Compared | None = None

    @property
    def exit_code(self) -> int:
        """0 when everything came out the same, and with other settings too; else 1."""
        forked = self.compared is not None and self.compared.first is not None
        return 0 if self.rerun.same and not forked else 1


def replayed_text(told: Replayed) -> str:
    """The timeline, or both side by side, and the verdict."""
    first, compared = _shown(told), told.compared
    if compared is None:
        lines = list(_timeline(told.rerun.steps[first:]))
    else:
        lines = list(_sides(told.config, [one for one in compared.forks if one.step >= first]))
    return "\n".join([*lines, "", *told.notes, *_verdict(told)])


def _shown(told: Replayed) -> int:
    """The first step that is shown: a little before the incident, in its life."""
    steps = told.rerun.steps
    opened = next((n for n, one in enumerate(steps) if _opens(one, told.incident)), 0)
    first = opened
    while first and _leads_to(steps[first - 1], steps[opened]):
        first -= 1
    return first


def _leads_to(step: Again, opened: Again) -> bool:
    """By the clock of `now`: somebody may have set the other one meanwhile."""
    return step.run == opened.run and opened.taken.now - step.taken.now <= _BEFORE


def _opens(step: Again, incident: str) -> bool:
    return any(
        isinstance(one, IncidentOpened) and one.incident == incident for one in step.decisions
    )


def _timeline(steps: Sequence[Again]) -> Iterator[str]:
    day = run = ""
    begun: dict[str, float] = {}
    for one in steps:
        lines = [*_facts_of(one, begun), *_lines(one.decisions, one.taken.now)]
        begun |= {act.id: one.taken.now for act in one.decisions if isinstance(act, Act)}
        if not lines:
            continue
        today = time.strftime("%A, %d %B %Y", time.localtime(one.wall))
        if today != day:
            yield today
            day = today
        if run not in {"", one.run}:
            yield f"  {_clock(one.wall)}  healer began anew"
        run = one.run
        for line in lines:
            yield f"  {_clock(one.wall)}  {line}"


def _facts_of(one: Again, begun: dict[str, float]) -> Iterator[str]:
    """What was no look: the end of an act, and a human's word."""
    match one.taken.fact:
        case Finished(act=act) as finished:
            seconds = one.taken.now - begun.get(act.id, one.taken.now)
            yield f"{act.layer:<10} {ending(finished, seconds)}"
        case Paused(pause=pause):
            yield f"{pause.scope or '-':<10} paused by {pause.author}: {pause.reason}"
        case Resumed(scope=layer):
            yield f"{layer or '-':<10} resumed by a human"
        case WasReset(layer=layer):
            yield f"{layer or '-':<10} reset by a human"
        case _:
            pass


def _lines(decisions: Sequence[Decision], now: float) -> Iterator[str]:
    for one in decisions:
        words = sentence(one, now)
        if words:
            yield f"{_layer(one):<10} {words}"


def _layer(decision: Decision) -> str:
    about = getattr(decision, "act", decision)
    return str(getattr(about, "layer", "-"))


def _clock(wall: float) -> str:
    return time.strftime("%H:%M:%S", time.localtime(wall))


def _sides(config: str, forks: Sequence[Fork]) -> Iterator[str]:
    """As `diff -y` has it: `<` only then, `>` only with the other settings, `|` otherwise."""
    yield f"  {'':8}  {'as it was decided':<{_COLUMN}}   with {config}"
    for one in forks:
        for left, right in _pairs(one):
            mark = " " if left == right else _MARKS[bool(left), bool(right)]
            yield f"  {_clock(one.wall)}  {_cut(left):<{_COLUMN}} {mark} {_cut(right)}".rstrip()


def _pairs(fork: Fork) -> Iterator[tuple[str, str]]:
    for line in _lines(fork.both, fork.now):
        yield line, line
    left, right = list(_lines(fork.kept, fork.now)), list(_lines(fork.other, fork.now))
    for number in range(max(len(left), len(right))):
        yield "".join(left[number : number + 1]), "".join(right[number : number + 1])


def _cut(line: str) -> str:
    return line if len(line) <= _COLUMN else f"{line[: _COLUMN - 1]}…"


def _verdict(told: Replayed) -> Iterator[str]:
    rerun = told.rerun
    facts = counted(len(rerun.steps), "fact")
    decisions = counted(rerun.decisions, "decision")
    difference = rerun.difference
    if difference is not None:
        yield f"{facts} ran again, and then, at {_clock(difference.wall)}, something else came out:"
        yield f"  then: {difference.kept or 'nothing'}"
        yield f"  now:  {difference.again or 'nothing'}"
    else:
        yield f"{facts}, {decisions}, the same to the byte"
    yield from rerun.damages
    if rerun.damages:
        yield "what is damaged could not be decided again; everything else was"
    if told.compared is not None:
        yield from _otherwise(told.config, told.compared)


def _otherwise(config: str, compared: Compared) -> Iterator[str]:
    if compared.first is None:
        yield f"with {config} nothing would have been decided otherwise"
        return
    yield f"with {config} it parts at {_clock(compared.first.wall)}"
    without, added = compared.acts()
    yield from (f"  it would not have done: {one.layer}: {doing(one)}" for one in without)
    yield from (f"  it would have done:     {one.layer}: {doing(one)}" for one in added)
    if not without and not added:
        yield "  it would have done the same, at other times or with other words"
    yield "  what comes after that is a guess: the facts are those of what was really done"


def replayed_document(told: Replayed) -> dict[str, Any]:
    """Everything, uncut."""
    rerun, difference = told.rerun, told.rerun.difference
    return {
        "schema_version": SCHEMA_VERSION,
        "incident": told.incident,
        "same": rerun.same,
        "facts": len(rerun.steps),
        "decisions": rerun.decisions,
        "difference": None
        if difference is None
        else {"at": difference.wall, "then": difference.kept, "now": difference.again},
        "damages": rerun.damages,
        "notes": list(told.notes),
        "timeline": [
            {"at": round(one.wall, 3), "run": one.run, "decisions": _plain(one.decisions)}
            for one in rerun.steps[_shown(told) :]
            if one.decisions
        ],
        "otherwise": None if told.compared is None else _compared(told.config, told.compared),
    }


def _compared(config: str, compared: Compared) -> dict[str, Any]:
    without, added = compared.acts()
    first = compared.first
    return {
        "config": config,
        "same": first is None,
        "parts_at": None if first is None else round(first.wall, 3),
        "would_not_have_done": _plain(without),
        "would_have_done": _plain(added),
        "steps": [
            {
                "at": round(one.wall, 3),
                "both": _plain(one.both),
                "then": _plain(one.kept),
                "otherwise": _plain(one.other),
            }
            for one in compared.forks
        ],
    }


def _plain(decisions: Sequence[Decision]) -> list[dict[str, Any]]:
    spelled = (DECISION.plain(one) for one in decisions)
    return [{"kind": kind, **fields} for kind, fields in spelled]

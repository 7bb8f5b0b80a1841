"""What happened, from the journal's lines: incidents, acts and human words, refusals condensed."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from healer.core.ladders import Remedy
from healer.core.reasons import Reason
from healer.telemetry.spelling import counted, duration, short
from healer.telemetry.words import WHAT_IT_DOES

SCHEMA_VERSION: Final = 1
_PASSING: Final = frozenset({"blocked", "busy_layer", "busy_disruptive"})
"""Rules that only say what comes first."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the journal."""

    wall: float
    """Epoch seconds."""
    kind: str
    """A decision's class; `Act` for what was done; `Paused`, `Resumed`, `WasReset`."""
    layer: str
    fields: Mapping[str, Any]
    times: int = 1
    """How often it was said; more than once for refusals and reports only."""
    last: float = 0.0
    """When it was last said."""


def history_document(entries: Sequence[Entry], since: float) -> dict[str, Any]:
    """Everything since then, uncondensed."""
    return {
        "schema_version": SCHEMA_VERSION,
        "since": round(since, 3),
        "entries": [
            {**_lasting(one.fields), "at": round(one.wall, 3), "kind": one.kind, "layer": one.layer}
            for one in entries
        ],
    }


def _lasting(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Without times of a clock that ended with its boot."""
    return {name: value for name, value in fields.items() if name not in {"at", "until"}}


def of_layer(entries: Sequence[Entry], layer: str) -> list[Entry]:
    """What is of one layer: incidents, too, end where one of that layer was opened."""
    own = {
        one.fields.get("incident")
        for one in entries
        if one.kind == "IncidentOpened" and one.layer == layer
    }
    return [one for one in entries if one.layer == layer or _touches(one, own)]


def _touches(one: Entry, incidents: set[Any]) -> bool:
    """Whether a line of no layer is about this one too."""
    if one.kind == "IncidentResolved":
        return one.fields.get("incident") in incidents
    return not one.layer and one.kind in {"Paused", "Resumed", "WasReset"}


def history_text(entries: Sequence[Entry], *, length: float) -> str:
    """A day by its name, then a line for each thing that happened."""
    lines_of = [(one, told(one)) for one in condensed(entries)]
    roots = {one.fields.get("incident"): one.layer for one in entries if one.layer}
    lines: list[str] = []
    day = ""
    for one, words in lines_of:
        if not words:
            continue
        now = time.strftime("%A, %d %B %Y", time.localtime(one.wall))
        if now != day:
            lines += [*([""] if day else []), now]
            day = now
        clock = time.strftime("%H:%M:%S", time.localtime(one.wall))
        layer = one.layer or roots.get(one.fields.get("incident") or "", "") or "-"
        lines.append(f"  {clock}  {layer:<10} {words}")
    summary = _summary(entries, length)
    return "\n".join([*lines, "", summary] if lines else [summary])


def condensed(entries: Sequence[Entry]) -> list[Entry]:
    """What is said again and again is one line.

    A refusal counts anew once something was done. A report is the same for a whole day: each pass
    by hand says it, since it begins knowing nothing.
    """
    kept: list[Entry] = []
    places: dict[tuple[object, ...], int] = {}
    for one in entries:
        if one.kind in {"Act", "IncidentOpened", "IncidentResolved"}:
            places = {key: place for key, place in places.items() if key[0] == "Reported"}
        key = _same(one)
        if key and key in places:
            before = kept[places[key]]
            kept[places[key]] = replace(before, times=before.times + 1, last=one.wall)
            continue
        if key:
            places[key] = len(kept)
        kept.append(one)
    return kept


def _same(one: Entry) -> tuple[object, ...]:
    """What makes two lines say the same; () for what is never said twice."""
    if one.kind == "Refused":
        names = ("remedy", "target", "rule")
        return (one.kind, one.layer, *(one.fields.get(name) for name in names))
    if one.kind == "Reported":
        day = time.localtime(one.wall)[:3]
        names = ("reason", "target", "evidence")
        return (one.kind, one.layer, day, *(one.fields.get(name) for name in names))
    return ()


def _summary(entries: Sequence[Entry], length: float) -> str:
    acts = [one for one in entries if one.kind == "Act"]
    opened = [one for one in entries if one.kind == "IncidentOpened"]
    resolved = [one for one in entries if one.kind == "IncidentResolved"]
    within = f"in the last {duration(length)}"
    if not acts and not opened and not resolved:
        return f"no incident and no act {within}"
    helped = sum(1 for one in acts if one.fields.get("verified"))
    return (
        f"{within}: {counted(len(opened), 'incident')} opened, {len(resolved)} resolved; "
        f"{counted(len(acts), 'act')}, {helped} proved to help"
    )


def told(one: Entry) -> str:
    """One line, without time and layer; '' for what the other lines say already."""
    return _WORDS[one.kind](one) if one.kind in _WORDS else ""


def _act(one: Entry) -> str:
    fields = one.fields
    outcome = str(fields.get("outcome") or "without an end: healer died in the middle")
    took = fields.get("took")
    lasted = f" in {duration(took)}" if isinstance(took, int | float) else ""
    verified = fields.get("verified")
    proof = "" if verified is None else ", helped" if verified else ", did not help"
    detail = fields.get("detail")
    said = f" ({short(str(detail))})" if detail and proof != ", helped" else ""
    return f"{_doing(one)}: {outcome.replace('_', ' ')}{lasted}{proof}{said}"


def _doing(one: Entry) -> str:
    """A journal may hold the word of another version."""
    word, target = str(one.fields.get("remedy", "")), str(one.fields.get("target") or "")
    does = WHAT_IT_DOES[Remedy(word)] if word in set(Remedy) else word
    return does + (f" {target.partition('@')[0]}" if target else "")


def _refused(one: Entry) -> str:
    rule = str(one.fields.get("rule", ""))
    if rule in _PASSING:
        return ""
    detail = str(one.fields.get("detail", ""))
    return f"refused to {_doing(one)}: {rule.replace('_', ' ')} ({detail}{_again(one)})"


def _again(one: Entry) -> str:
    if one.times == 1:
        return ""
    until = time.strftime("%H:%M:%S", time.localtime(one.last))
    return f"; {counted(one.times, 'time')}, last at {until}"


def _opened(one: Entry) -> str:
    return f"incident: {_reason(one)}: {_text(one, 'evidence')}"


def _reason(one: Entry) -> str:
    word = str(one.fields.get("reason", ""))
    return Reason(word).word if word in set(Reason) else word


def _text(one: Entry, name: str) -> str:
    return short(str(one.fields.get(name) or ""))


def _resolved(one: Entry) -> str:
    return f"incident resolved after {duration(float(one.fields.get('seconds', 0.0)))}"


def _reported(one: Entry) -> str:
    target = str(one.fields.get("target") or "").partition("@")[0]
    advice = _text(one, "advice")
    words = f"{_reason(one)}{f' {target}' if target else ''}: {_text(one, 'evidence')}"
    return f"reported: {words}{_again(one)}" + (f". {advice}" if advice else "")


def _paused(one: Entry) -> str:
    what = "" if one.fields.get("scope") else "everything "
    return f"{what}paused by {_text(one, 'author')}: {_text(one, 'reason')}"


def _resumed(one: Entry) -> str:
    ended = int(one.fields.get("pauses", 0))
    return f"resumed; {counted(ended, 'pause')} ended"


def _reset(one: Entry) -> str:
    ended = int(one.fields.get("holds", 0))
    return f"reset by a human; {counted(ended, 'hold')} ended"


def _held(one: Entry) -> str:
    return f"held: {_text(one, 'detail')}"


def _gave_up(one: Entry) -> str:
    return f"gave up: {_text(one, 'detail')}. A human should: {_text(one, 'advice')}"


def _rearmed(one: Entry) -> str:
    return f"may be acted on again: {_text(one, 'detail')}"


_WORDS: Final[Mapping[str, Callable[[Entry], str]]] = {
    "Act": _act,
    "Refused": _refused,
    "IncidentOpened": _opened,
    "IncidentResolved": _resolved,
    "Reported": _reported,
    "Held": _held,
    "GaveUp": _gave_up,
    "Rearmed": _rearmed,
    "Paused": _paused,
    "Resumed": _resumed,
    "WasReset": _reset,
}
"""`Changed` is the shadow of the others, `Verified` and `NotVerified` are in their act's line,
and a boot of the VM is no doing of ours."""

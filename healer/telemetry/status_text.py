"""How a person reads the status document: the tower first, then what matters about it.

`healer status` imports this and nothing behind it, so it lives on the document alone.
"""

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from healer.telemetry.spelling import VERDICT, age, counted, duration, short

_MARKS: Final = {
    "ok": ("●", "32"),
    "suspect": ("◐", "33"),
    "failing": ("✗", "1;31"),
    "healing": ("⚒", "1;36"),
    "verifying": ("◔", "36"),
    "blocked": ("·", "2"),
    "grace": ("◌", "33"),
    "paused": ("‖", "35"),
    "held": ("■", "1;35"),
    "gave_up": ("☠", "1;31"),
    "unknown": ("?", "2"),
}
"""A mark and a colour (SGR) for each state, as the drawn tower has them."""
_HEADS: Final = {0: "1;32", 1: "1;31", 3: "1;33", 4: "1;31"}
_TRIED: Final = 5
"""Attempts shown of one incident, the last ones."""
_NARROWEST: Final = 40
_BEFORE: Final = 32
"""Columns of a layer, its state and its age."""

Document = Mapping[str, Any]


class Paper:
    """What lines are written on: so wide, with colours and marks or without."""

    def __init__(self, width: int = 100, *, colour: bool = False, marks: bool = False) -> None:
        self.width = max(width, _NARROWEST)
        self._colour = colour
        self._marks = marks

    def painted(self, words: str, colour: str) -> str:
        """In colour, where there is any."""
        return f"\x1b[{colour}m{words}\x1b[0m" if self._colour and colour else words

    def marked(self, state: str) -> str:
        """The mark of a state, where marks can be shown."""
        mark, colour = _MARKS.get(state, ("?", "2"))
        return self.painted(mark, colour) + " " if self._marks else ""

    def lines(self, begin: str, words: str) -> Iterator[str]:
        """Wrap, with what follows under the first word."""
        wrapped = textwrap.wrap(
            words,
            max(self.width - len(begin), _NARROWEST // 2),
            break_long_words=False,
            break_on_hyphens=False,
        )
        for number, line in enumerate(wrapped or [""]):
            yield ((begin if number == 0 else " " * len(begin)) + line).rstrip()


def status_text(document: Document, paper: Paper | None = None) -> str:
    """The whole document as text."""
    paper = paper or Paper()
    lines = list(_head(document, paper))
    lines += _tower(document["layers"], paper)
    for title, body in (
        ("looking only", _looking_only(document, paper)),
        ("paused", _pauses(document["pauses"], paper)),
        ("incidents", _incidents(document["incidents"], paper)),
        ("happening now", _now(document, paper)),
        ("next, unless something changes", _next(document["next"], paper)),
        ("held", _holds(document["holds"], paper)),
        ("a human should know", _advice(document["advice"], paper)),
        ("healer itself", _own(document, paper)),
    ):
        section = list(body)
        if section:
            lines += ["", paper.painted(f"{title}:", "1"), *section]
    return "\n".join(lines)


def _head(document: Document, paper: Paper) -> Iterator[str]:
    if document["no_daemon_because"]:
        yield from paper.lines("", "from the journal alone, without a look:")
        return
    verdict, colour = VERDICT[document["exit_code"]], _HEADS[document["exit_code"]]
    if not document["ready"]:
        verdict = f"looking for the first time; {counted(len(document['unseen']), 'layer')} to go"
    up = duration(document["up_seconds"])
    who = f"(healer {document['version']}, pid {document['pid']}, up {up})"
    if len(verdict) + 2 + len(who) <= paper.width:
        yield f"{paper.painted(verdict, colour)}  {who}"
    else:
        yield from (paper.painted(verdict, colour), who)


def _tower(layers: Sequence[Document], paper: Paper) -> Iterator[str]:
    """Highest layer first, as a person thinks of a tower."""
    for one in reversed(layers):
        state, seconds = one["state"], one["for_seconds"]
        since = "" if seconds is None else age(seconds)
        colour = _MARKS.get(state, ("", ""))[1]
        begin = f"  {paper.marked(state)}{one['layer']:<10} {paper.painted(f'{state:<9}', colour)}"
        seen = one["why"] or one["summary"]
        room = paper.width - _BEFORE - (2 if paper.marked(state) else 0)
        yield f"{begin} {since:>6}   {_cut(seen, room)}".rstrip()


def _cut(words: str, room: int) -> str:
    """The tower stays one line a layer; the sections below have the whole of it."""
    return words if len(words) <= room else words[: max(room - 2, 1)].rstrip() + " …"


def _looking_only(document: Document, paper: Paper) -> Iterator[str]:
    if document["no_acts_because"]:
        yield from paper.lines("  ", f"nothing is done: {document['no_acts_because']}")


def _pauses(pauses: Sequence[Document], paper: Paper) -> Iterator[str]:
    for one in pauses:
        what, ends = one["scope"] or "everything", one["ends_in_seconds"]
        left = "no end of its own" if ends is None else f"{duration(ends)} left"
        layer = f" --layer {one['scope']}" if one["scope"] else ""
        words = f"{what}, by {one['author']}, {left}: {one['reason']} (`healer resume{layer}`)"
        yield from paper.lines("  ", words)


def _incidents(incidents: Sequence[Document], paper: Paper) -> Iterator[str]:
    for one in incidents:
        what = f"{' and '.join(one['layers'])}, open for {duration(one['open_seconds'])}"
        seen = f"{one['reason']}: {short(one['evidence'])}" if one["reason"] else ""
        yield from paper.lines("  ", f"{what}: {seen}" if seen else what)
        for attempt in one["tried"][-_TRIED:]:
            yield from paper.lines("    - ", _attempt(attempt))


def _attempt(one: Document) -> str:
    how = (one["outcome"] or "under way").replace("_", " ")
    proof = {True: ", helped", False: ", did not help", None: ""}[one["verified"]]
    said = "" if one["verified"] or not one["detail"] else f" ({short(one['detail'])})"
    return f"{duration(one['ago_seconds'])} ago: {one['doing']}: {how}{proof}{said}"


def _now(document: Document, paper: Paper) -> Iterator[str]:
    for one in document["acting"]:
        spent, left = duration(one["for_seconds"]), duration(one["at_most_seconds"])
        words = f"{one['layer']}: {one['doing']}, for {spent}, {left} more at most"
        yield from paper.lines("  ", words)
    for one in document["verifying"]:
        left = duration(one["at_most_seconds"])
        words = f"{one['layer']}: did it help to {one['doing']}? Known in {left} at most"
        yield from paper.lines("  ", words)
    for one in document["others"]:
        words = f"somebody runs `{one['command']}` (pid {one['pid']}); healer waits for its end"
        yield from paper.lines("  ", words)


def _next(acts: Sequence[Document], paper: Paper) -> Iterator[str]:
    for one in acts:
        seconds = one["in_seconds"]
        when = "waiting" if seconds is None else "now" if not seconds else f"in {duration(seconds)}"
        target = f" {one['target']}" if one["target"] else ""
        rule = one["rule"].replace("_", " ")
        why = f"{rule}: {one['detail']}" if one["detail"] else rule
        begin = f"  {when:<12} "
        yield from paper.lines(begin, f"{one['layer']}: {one['would']}{target} ({why})")


def _holds(holds: Sequence[Document], paper: Paper) -> Iterator[str]:
    for one in holds:
        layer, ends = one["layer"], one["ends_in_seconds"]
        until = "gave up" if ends is None else f"no act for {duration(ends)} more"
        words = f"{layer}: {until} on {one['reason']}: {one['detail']} (`healer reset {layer}`)"
        yield from paper.lines("  ", words)
        if one["gave_up"] and one["advice"]:
            yield from paper.lines("    ", one["advice"])


def _advice(advice: Sequence[Document], paper: Paper) -> Iterator[str]:
    for one in advice:
        target = f" {one['target']}" if one["target"] else ""
        words = f"{one['layer']}: {one['reason']}{target}: {short(one['evidence'])}"
        yield from paper.lines("  ", words)
        if one["advice"]:
            yield from paper.lines("    ", one["advice"])


def _own(document: Document, paper: Paper) -> Iterator[str]:
    for part, words in document["problems"].items():
        yield from paper.lines("  ", f"{part}: {words}")
    if document["stalled"]:
        yield from paper.lines("  ", document["stalled"])
    if document["grace_seconds"]:
        left = duration(document["grace_seconds"])
        yield from paper.lines("  ", f"badness is expected for {left} more, after a boot or a wake")

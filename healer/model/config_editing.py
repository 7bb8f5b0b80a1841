"""A careful edit of a text: scalars are replaced where they stand, and nothing else moves."""

import re
from collections.abc import Sequence

from healer.model.config_faults import Edit, Fault, shown

_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9@:/._-]*")


def edited(text: str, edits: Sequence[Edit]) -> str:
    """The text after them; comments, order, quoting of other scalars and line ends are kept."""
    placed = sorted(
        ((one.spot.start, one.spot.end, one) for one in edits if one.spot is not None),
        key=lambda each: each[0],
        reverse=True,
    )
    for start, end, one in placed:
        gap = "" if start < end else " "  # of `context:` with nothing after it
        text = text[:start] + gap + _like(text[start:end], one.new) + text[end:]
    for one in edits:
        if one.spot is None:
            text = _with_line(text, f"{one.key}: {_like('', one.new)}")
    return text


def diff_of(path: str, faults: Sequence[Fault]) -> list[str]:
    """What would change, scalar by scalar: a whole line may hold a key beside it."""
    lines = [f"--- {path}", f"+++ {path}"]
    for fault in faults:
        for one in fault.edits:
            where = "at the end" if one.spot is None else f"line {one.spot.line}"
            lines.append(f"@@ {where}: {one.key} of {fault.name} @@")
            if one.spot is not None:
                lines.append(f"-{one.key}: {shown(one.spot.text)}")
            lines.append(f"+{one.key}: {shown(one.new)}")
    return lines


def _like(old: str, new: str) -> str:
    """In the quotes of what stood there; plain only where YAML reads it as this very text."""
    if old[:1] == '"' or (not old.startswith("'") and not _PLAIN.fullmatch(new)):
        escaped = new.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'
    if old[:1] == "'":
        return "'" + new.replace("'", "''") + "'"
    return new


def _with_line(text: str, line: str) -> str:
    end = "\r\n" if "\r\n" in text else "\n"
    gap = "" if not text or text.endswith("\n") else end
    return f"{text}{gap}{line}{end}"

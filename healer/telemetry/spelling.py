"""How lengths of time, long evidence and verdicts are spelled; needs nothing, so it is quick."""

from typing import Final

VERDICT: Final = {
    0: "the tower is well",
    1: "the tower is not well",
    3: "the tower could not be looked at in full",
    4: "held or gave up: a human is needed",
}
"""What an exit code says of the tower (design §5)."""
_LINE: Final = 160
"""Characters of evidence that a line shows; `--json` has all of them."""
_UNITS: Final = ((86_400.0, "d"), (3600.0, "h"), (60.0, "min"), (1.0, "s"))


def short(words: str) -> str:
    """Cut long evidence at a word, so that a line stays a line."""
    if len(words) <= _LINE:
        return words
    return words[:_LINE].rsplit(" ", 1)[0] + " …"


def duration(seconds: float) -> str:
    """`0.4 s`, `12 s`, `3 min 20 s`, `2 h 5 min`, `3 d 4 h`."""
    if seconds < 10:  # noqa: PLR2004  (under ten seconds a tenth is worth saying)
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if not minutes:
        return f"{rest} s"
    hours, minutes = divmod(minutes, 60)
    if not hours:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    days, hours = divmod(hours, 24)
    if not days:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    return f"{days} d {hours} h" if hours else f"{days} d"


def age(seconds: float) -> str:
    """The same in one unit, for a column: `12 s`, `3 min`, `2 h`, `9 d`."""
    for length, unit in _UNITS:
        if seconds >= length:
            return f"{seconds // length:.0f} {unit}"
    return "0 s"


def counted(number: int, what: str) -> str:
    """`1 act`, `2 acts`."""
    return f"{number} {what}{'' if number == 1 else 's'}"

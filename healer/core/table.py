"""Prints ladders and limits as the table of design §3."""

from collections.abc import Iterator

from healer.core.ladders import Ladder, Limits
from healer.core.policy import Policy
from healer.core.reasons import Reason

HEADER = ("layer", "reason", "kind", "confirmed", "ladder (limits)")


def rows(policy: Policy) -> Iterator[tuple[str, str, str, str, str]]:
    """One row a reason: layer, word, kind, confirmation, ladder with its limits."""
    for reason in Reason:
        ladder = policy.ladders[reason]
        kind = "gating" if reason.gating else "advisory"
        seen = f"{ladder.samples} looks over {_time(ladder.over)}"
        yield reason.layer.value, reason.word, kind, seen, _ladder(ladder, policy)


def render_table(policy: Policy) -> str:
    """The table as aligned plain text."""
    lines = [HEADER, *rows(policy)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEADER))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def _ladder(ladder: Ladder, policy: Policy) -> str:
    if not ladder.rungs:
        return "report"
    steps = [
        f"{one.remedy} x{one.tries} ({_limits(policy.limits[one.remedy])})" for one in ladder.rungs
    ]
    return ", then ".join(steps) + f"; hold {_time(ladder.hold)}"


def _limits(limits: Limits) -> str:
    parts = [f"{limits.budget.count} per {_time(limits.budget.window)}"]
    if limits.cooldown:
        parts.append(f"cooldown {_time(limits.cooldown)}")
    if limits.backoff is not None:
        parts.append(f"backoff {_time(limits.backoff.first)} to {_time(limits.backoff.cap)}")
    if limits.disruptive:
        parts.append("disruptive")
    return ", ".join(parts)


def _time(seconds: float) -> str:
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= length and seconds % length == 0:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} s"

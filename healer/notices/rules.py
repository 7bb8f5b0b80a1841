"""When a human is told; the settings fill it in."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rules:
    """Seconds, unless a name says otherwise."""

    opened_after: float = 120.0
    """Quiet time, without an act or a recovery, after which an open incident is told."""
    reported_after: float = 30.0
    """The same where healer has no remedy, and there is nothing to wait for but a blip."""
    healing_at_most: float = 900.0
    """An incident that healer is still at work on is told after so long."""
    impaired_after: float = 900.0
    """How long healer may be blind or lamed before that is told."""
    recurring: int = 3
    """Incidents of one reason within a day that make it a recurring one."""
    digest: str = "news"
    """`news`: a digest on days that had any; `daily`: every day; `off`: never."""
    digest_hour: int = 9
    """The local hour of the digest."""

"""What `healer doctor` says of one thing."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Examined:
    """One thing that was examined."""

    what: str
    good: bool
    detail: str
    mend: str = ""
    """The command that mends it; '' when nothing is wrong."""
    needed: bool = True
    """Whether healer cannot do its work without it."""

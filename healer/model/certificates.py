"""Certificates: whose they are, until when, and how urgent that is."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Final

from healer.core.word import Word

SOON: Final = 30.0
"""Days before its end from which a certificate is worth a word: those on the Mac do not renew
themselves (facts/talos-kubernetes.md §1)."""
URGENT: Final = 7.0
"""Days before its end from which the word is urgent."""
DAY: Final = 86_400.0

KUBECONFIG: Final = "kubeconfig"
TALOSCONFIG: Final = "talosconfig"
APISERVER: Final = "apiserver"
_OWN: Final = ((KUBECONFIG,), (TALOSCONFIG,), (APISERVER,))


class Lasting(Word):
    """How long yet, in a word."""

    OK = "ok"
    SOON = "soon"
    URGENT = "urgent"
    ENDED = "ended"
    UNREAD = "unread"


@dataclass(frozen=True, slots=True)
class Read:
    """What of a certificate is told: never more than names and times."""

    subject: str
    """The common name; '' = it has none."""
    issuer: str
    ends: float
    """Epoch seconds of notAfter."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """One certificate that is looked at, read or not."""

    name: str
    """Of a closed set that the settings give: it is a metric's label."""
    where: str
    """A path, or host:port."""
    read: Read | None = None
    unread: str = ""
    """Why it could not be read; '' = it was."""
    there: bool = True
    """Whether there is such a file at all."""

    def days(self, wall: float) -> float | None:
        """Days left at this epoch second; negative once it has ended."""
        return None if self.read is None else (self.read.ends - wall) / DAY

    def lasting(self, wall: float) -> Lasting:
        """How long yet, in a word."""
        days = self.days(wall)
        if days is None:
            return Lasting.UNREAD
        if days < 0:
            return Lasting.ENDED
        if days < URGENT:
            return Lasting.URGENT
        return Lasting.SOON if days < SOON else Lasting.OK


def words_of(days: float) -> str:
    """`ends in 29 days`, `ends in 5 hours`, `ended 2 days ago`."""
    amount, unit = abs(days), "day"
    if amount < 1.0:
        amount, unit = amount * 24, "hour"
    number = f"{amount:.0f} {unit}" + ("" if f"{amount:.0f}" == "1" else "s")
    return f"ends in {number}" if days >= 0 else f"ended {number} ago"


def names_of_files(paths: Sequence[str]) -> tuple[str, ...]:
    """A short name for each file, told apart by as many folders as it takes.

    A label is no path (facts/peers.md §6), and two certificates must not share one.
    """
    return tuple(_shortest(path, paths) for path in paths)


def _shortest(path: str, paths: Sequence[str]) -> str:
    parts = PurePath(path).parts
    others = [*_OWN, *(PurePath(one).parts for one in paths if one != path)]
    for length in range(1, len(parts) + 1):
        tail = parts[-length:]
        if all(one[-length:] != tail for one in others):
            return "/".join(tail)
    return path

"""Which pods are worth a thought: those that have not been judged well for good."""

from dataclasses import dataclass

from healer.model.cluster import Listing, Pod
from healer.model.pod_parts import deletion_due, phase, terminal
from healer.model.pod_reports import report
from healer.model.pod_safety import overdue, shows_unknown


@dataclass(frozen=True, slots=True)
class _Judged:
    """What one pod was found to be."""

    pod: Pod
    ended: bool
    suspect: bool
    lasts: bool
    """Whether time alone cannot change that."""


class QuietPods:
    """Judges each pod once, until it changes; a look costs what has changed (design §9).

    Eyes that keep pods hand out the very same objects while they do not change; those that
    list anew hand out others, which are judged anew.
    """

    def __init__(self) -> None:
        self._quiet: dict[str, _Judged] = {}

    def without(self, heard: Listing[Pod]) -> tuple[list[Pod], int]:
        """The suspects among them, and how many of all have not ended."""
        judged = [self._judged(one, heard.server_time) for one in heard.items]
        self._quiet = {one.pod.uid: one for one in judged if one.lasts}
        alive = sum(not one.ended for one in judged)
        return [one.pod for one in judged if one.suspect], alive

    def _judged(self, pod: Pod, now: float) -> _Judged:
        known = self._quiet.get(pod.uid)
        return known if known is not None and known.pod is pod else _judge(pod, now)


def acts(pod: Pod, now: float) -> bool:
    """Whether it is one that healer may have to delete."""
    raw = pod.raw
    return not terminal(raw) and (shows_unknown(raw) or overdue(raw, now))


def _judge(pod: Pod, now: float) -> _Judged:
    """Only a Pending pod, and one that is being deleted, gets ill by waiting."""
    raw = pod.raw
    suspect = acts(pod, now) or report(pod, now) is not None
    lasts = not suspect and phase(raw) != "Pending" and deletion_due(raw) is None
    return _Judged(pod, terminal(raw), suspect, lasts)

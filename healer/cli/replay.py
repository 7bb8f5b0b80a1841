"""`healer replay INCIDENT`: decides it again from the journal; needs no daemon, changes nothing."""

import argparse
import json
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from healer import __version__
from healer.adapters.clock import SystemClock
from healer.adapters.journal import SqliteJournal
from healer.adapters.journal_evidence import KnownIncident
from healer.cli.talking import USAGE, Misconfigured, load_settings, put, tell
from healer.core.facts import IncidentOpened
from healer.core.policy import Policy
from healer.ports import JournalError
from healer.replay.comparing import compare
from healer.replay.records import KeptSegment
from healer.replay.running import Rerun, Segment, read_segments, run_again
from healer.settings import Settings, SettingsError, load
from healer.settings.places import places_of
from healer.settings.policy import policy_of
from healer.telemetry.replayed import Replayed, replayed_document, replayed_text

_FAILED: Final = 1
_LONG: Final = 3000
"""Facts that take about a second; an incident of a day has tens of thousands."""
_LISTED: Final = 20
"""Incidents that are named to somebody who named none of them."""


@dataclass(frozen=True, slots=True)
class _Kept:
    """What the journal has of one incident."""

    incident: KnownIncident
    segments: Sequence[KeptSegment]
    policies: Mapping[str, bytes]


class _Refused(Exception):
    """Nothing can be replayed; carries the exit code."""

    def __init__(self, words: str, code: int) -> None:
        super().__init__(words)
        self.code = code


def replay(arguments: argparse.Namespace) -> int:
    """Print what comes out: 0 the same to the byte, 1 otherwise, 2 for no such incident."""
    other = None if arguments.config is None else _other(Path(arguments.config))
    path = places_of(load_settings(), os.environ, Path.home()).journal
    try:
        kept = _kept(path, arguments.incident)
    except (JournalError, _Refused) as error:
        tell(f"healer: {error}")
        return error.code if isinstance(error, _Refused) else _FAILED
    replayed = _replayed(kept, other, arguments.config)
    if arguments.json:
        put(json.dumps(replayed_document(replayed), indent=2))
    else:
        put(replayed_text(replayed))
    return replayed.exit_code


def _other(path: Path) -> Callable[[Policy], Policy]:
    """What other settings make of a policy: its limits, in the same run."""
    try:
        settings = load(path=path).settings
    except SettingsError as error:
        for problem in error.problems:
            tell(problem)
        raise Misconfigured from error
    return lambda policy: _under(settings, policy)


def _under(settings: Settings, policy: Policy) -> Policy:
    return replace(
        policy_of(settings, run=policy.run, one_pass=policy.one_pass),
        no_acts_because=policy.no_acts_because,
        act_before=policy.act_before,
        seed=policy.seed,
    )


def _kept(path: Path, asked: str) -> _Kept:
    journal = SqliteJournal.for_reading(path, SystemClock())
    if journal is None:
        raise _Refused(f"{path}: there is no journal yet: healer has done nothing here", _FAILED)
    try:
        evidence = journal.evidence()
        incident = _asked_for(evidence.incidents(), asked)
        return _Kept(incident, evidence.segments_of(incident.id), evidence.policies())
    finally:
        journal.close()


def _asked_for(known: Sequence[KnownIncident], asked: str) -> KnownIncident:
    """By its name, the beginning of it, or the last. Raises _Refused."""
    if not known:
        raise _Refused("the journal knows of no incident", _FAILED)
    exact = [one for one in known if one.id == asked]
    found = exact or [known[-1]] if asked == "last" else exact or _beginning(known, asked)
    if len(found) != 1:
        why = "several incidents begin with" if found else "no incident begins with"
        listed = "\n".join(_listed(found or known))
        raise _Refused(f"{why} {asked!r}; there are:\n{listed}", USAGE)
    if not found[0].kept:
        raise _Refused(
            f"incident {found[0].id}: its facts are not in the journal: they were pruned "
            "(after 30 days, or sooner when many are kept), or the healer that saw it kept none",
            _FAILED,
        )
    return found[0]


def _beginning(known: Sequence[KnownIncident], asked: str) -> list[KnownIncident]:
    return [one for one in known if asked and one.id.startswith(asked)]


def _listed(known: Sequence[KnownIncident]) -> Iterator[str]:
    if len(known) > _LISTED:
        yield f"  … and {len(known) - _LISTED} before these"
    for one in known[-_LISTED:]:
        at = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(one.wall))
        facts = "" if one.kept else "  (its facts are not kept)"
        yield f"  {one.id}  {at}  {one.reason or 'its beginning is not kept'}{facts}"


def _replayed(
    kept: _Kept, other: Callable[[Policy], Policy] | None, config: str | None
) -> Replayed:
    segments = read_segments(kept.segments, kept.policies)
    whole = [one for one in segments if isinstance(one, Segment)]
    facts = sum(len(bundle.steps) for one in whole for bundle in one.bundles)
    if facts > _LONG:
        tell(f"running {facts} facts again …")
    rerun = run_again(segments)
    compared = None if other is None else compare(whole, other)
    notes = tuple(_notes(kept, whole, rerun))
    return Replayed(kept.incident.id, rerun, notes, config or "", compared)


def _notes(kept: _Kept, whole: Sequence[Segment], rerun: Rerun) -> Iterator[str]:
    """What the facts that are there cannot tell."""
    if rerun.steps and not _begins_with(kept.incident.id, rerun):
        at = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(rerun.steps[0].wall))
        yield f"the facts before {at} are not kept: the beginning is missing"
    if any(one.lost for one in whole[1:]):
        yield "some decisions in between could not be kept when they were made"
    others = sorted({one.beginning.version for one in kept.segments} - {__version__})
    if others and not rerun.same:
        yield (
            f"written by healer {', '.join(others)}; this is healer {__version__}, "
            "which may decide or read otherwise: ask that version"
        )


def _begins_with(incident: str, rerun: Rerun) -> bool:
    return any(
        isinstance(one, IncidentOpened) and one.incident == incident
        for step in rerun.steps
        for one in step.decisions
    )

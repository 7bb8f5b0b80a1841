"""Keeps what was decided on what: facts in memory, and in the journal when a step decides.

Most steps decide nothing and are forgotten after a while; those before a decision are kept with
it. A life is kept in segments, each a beginning (what was known) and the steps since. A new
segment begins where steps were forgotten, and where what follows has outgrown its beginning, so
that nobody has to run a whole day again to see its last minute.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from healer.core.facts import IncidentOpened
from healer.core.ledger import Incident
from healer.engine.listening import Broke
from healer.engine.telling import Stepped
from healer.ports import Evidence, JournalError
from healer.replay.packing import packed
from healer.replay.policies import Policies
from healer.replay.records import Beginning, Begun, Checkpoint, KeptBeginning, KeptSteps, Taken
from healer.replay.tape import Place, write_beginning, write_steps

_STRETCH: Final = 200
"""Quiet steps in a row; one or two stretches are remembered (some five minutes of calm looks).
Two of them take about as many bytes as a new beginning: keeping more would cost more."""
_OUTGROWN: Final = 8
"""Steps may take so many times the bytes of their beginning."""


@dataclass(slots=True)
class _Stretch:
    """Steps in a row that are in memory alone."""

    beginning: Beginning
    steps: list[Taken] = field(default_factory=list)


@dataclass(slots=True)
class _Segment:
    """Where the journal's last segment stands."""

    number: int
    place: Place
    dictionary: bytes
    first: int
    """Bytes of its beginning."""
    since: int
    """Bytes of its steps."""


class EvidenceRecorder:
    """Hears `began` and `stepped` of an engine; what cannot be kept is told once, and in no way."""

    def __init__(self, evidence: Evidence, broke: Broke, version: str) -> None:
        self._evidence = evidence
        self._broke = broke
        self._version = version
        self._policies = Policies()
        self._older: _Stretch | None = None
        self._newer: _Stretch | None = None
        self._segment: _Segment | None = None
        self._now = 0.0
        self._broken = False
        self._lost = False

    def began(self, begun: Begun) -> None:
        """Another life, which follows nothing."""
        self._older, self._segment, self._lost, self._now = None, None, False, begun.now
        self._newer = _Stretch(begun)

    def stepped(self, one: Stepped) -> None:
        """Remember it; keep it with what led to it when something was decided."""
        if self._newer is None:
            self._newer = _Stretch(Checkpoint(one.before, self._now, one.policy))
        decisions = one.taken.decisions
        self._newer.steps.append(Taken(one.fact, one.at, one.policy, decisions))
        self._now = one.at
        if decisions and self._kept():
            return
        if len(self._newer.steps) >= _STRETCH:
            self._turn()

    def _turn(self) -> None:
        """Forget the older stretch; what comes then cannot follow what was kept before it."""
        if self._older is not None:
            self._segment = None
            self._lost = self._lost or any(one.decisions for one in self._older.steps)
        self._older, self._newer = self._newer, None

    def _kept(self) -> bool:
        try:
            self._keep([one for one in (self._older, self._newer) if one is not None])
        except JournalError as error:
            # The steps stay in memory: the next decision tries again.
            self._segment = None
            self._tell(error)
            return False
        except Exception as error:  # noqa: BLE001  (a step must not fail for its evidence)
            self._segment, self._lost = None, True
            self._tell(error)
        else:
            self._lost = False
            self._tell(None)
        self._older = self._newer = None
        return True

    def _tell(self, error: Exception | None) -> None:
        if error is not None or self._broken:
            self._broke("evidence", error)
        self._broken = error is not None

    def _keep(self, stretches: list[_Stretch]) -> None:
        segment, beginning = self._segment, stretches[0].beginning
        if segment is None or segment.since > _OUTGROWN * segment.first:
            plain = write_beginning(beginning, self._policies)
            segment = _Segment(-1, Place.after(beginning), plain, len(packed(plain)), 0)
        steps = [one for stretch in stretches for one in stretch.steps]
        written, place = write_steps(segment.place, steps, self._policies)
        kept = KeptSteps(
            body=packed(written, segment.dictionary),
            policies=self._policies.bodies(),
            incidents=tuple(_incidents(beginning, steps)),
            count=len(steps),
            decisions=sum(len(one.decisions) for one in steps),
        )
        number = self._evidence.keep(self._after(segment, beginning), kept)
        since = segment.since + len(kept.body)
        self._segment = _Segment(number, place, segment.dictionary, segment.first, since)

    def _after(self, segment: _Segment, beginning: Beginning) -> KeptBeginning | int:
        if segment.number >= 0:
            return segment.number
        return KeptBeginning(
            body=packed(segment.dictionary),
            run=beginning.policy.run,
            version=self._version,
            follows=self._segment is not None,
            lost=self._lost,
        )


def _incidents(beginning: Beginning, steps: list[Taken]) -> Iterator[str]:
    """Those that were open before, and those that were opened."""
    for one in _open(beginning):
        yield one.id
    for taken in steps:
        for said in taken.decisions:
            if isinstance(said, IncidentOpened):
                yield said.incident


def _open(beginning: Beginning) -> tuple[Incident, ...]:
    return beginning.ledger.incidents if isinstance(beginning, Begun) else beginning.known.incidents

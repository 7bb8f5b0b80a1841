"""For each promise that the core keeps, a bug that breaks it: what is put in place of what.

Nothing is ever edited: a bug is the dotted names of what it replaces, each with its replacement.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from healer.core import deciding, hearing, machine, refusing
from healer.core.facts import Rule
from healer.core.ladders import Remedy, Rung
from healer.core.observation import Finding, Observation
from healer.core.reasons import Reason
from healer.core.tower import Layer
from tests.explore.small.faults import Event

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from healer.core.facts import Act
    from healer.core.ladders import Backoff, Witnesses
    from healer.core.ledger import Ledger
    from healer.core.observation import Component, Sign
    from healer.core.policy import Policy
    from healer.core.refusing import Case, Refusal
    from healer.core.world import Trouble, Verification, World


@dataclass(frozen=True, slots=True)
class Bug:
    """A mistake that somebody could make, and the promise that it breaks."""

    promise: str
    what: str
    events: tuple[Event, ...]
    """What befalls the tower, beside what a seed adds, so that the bug can show."""
    patches: Mapping[str, object]
    policy: Mapping[str, object] = field(default_factory=dict)
    """What of the policy is changed, so that the bug shows in little time."""


def _without(name: str) -> tuple[Callable[[Case], Refusal | None], ...]:
    """All rules but one; KeyError when there is no such rule."""
    if name not in {rule.__name__ for rule in refusing._RULES}:
        raise KeyError(name)
    return tuple(rule for rule in refusing._RULES if rule.__name__ != name)


_hear = hearing.after_hearing
_begin = machine.begin
_next_rung = deciding._next_rung


def _repeat_the_last_look(world: World, heard: Observation, now: float, policy: Policy) -> World:
    before = world.observation(heard.layer)
    if heard.unknown and before is not None:
        heard = replace(heard, findings=before.findings, unknown="")
    return _hear(world, heard, now, policy)


def _take_silence_for_a_crash(
    world: World, heard: Observation, now: float, policy: Policy
) -> World:
    if heard.unknown and heard.layer is Layer.FLANNEL:
        crash = Finding(Reason.FLANNEL_CRASHING, heard.unknown)
        heard = Observation(Layer.FLANNEL, findings=(crash,))
    return _hear(world, heard, now, policy)


def _confirm_on(world: World, *_: object) -> World:
    return world


def _always(*_: object) -> float:
    return float("-inf")


def _no_limit(*_: object) -> None:
    return None


def _nothing(*_: object) -> tuple[()]:
    return ()


def _never(*_: object) -> bool:
    return False


def _begin_with_nothing(
    ledger: Ledger, now: float, policy: Policy, alive: frozenset[str] = frozenset()
) -> World:
    return _begin(replace(ledger, attempts=()), now, policy, alive)


def _begin_without_the_unfinished(
    ledger: Ledger, now: float, policy: Policy, alive: frozenset[str] = frozenset()
) -> World:
    known = tuple(one for one in ledger.attempts if one.outcome is not None)
    return _begin(replace(ledger, attempts=known), now, policy, alive)


def _deaf_to_life(case: Case) -> Refusal | None:
    answer = refusing._witnesses(case)
    return None if answer is not None and answer.rule is Rule.WITNESS_ALIVE else answer


def _count_by_name(signs: Collection[Sign], asked: Witnesses) -> tuple[Sign, ...]:
    return tuple(one for one in signs if refusing._is_witness(one, asked))


def _nothing_is_known_dead(signs: Collection[Sign]) -> frozenset[Component]:
    del signs
    return frozenset()


def _take_the_strongest(world: World, trouble: Trouble, now: float, policy: Policy) -> Rung | None:
    rung = _next_rung(world, trouble, now, policy)
    return None if rung is None else replace(rung, remedy=Remedy.FORCE_DELETE_POD)


def _proved_by_one_look(world: World, one: Verification, now: float, policy: Policy) -> bool | None:
    del world, now, policy
    return None if one.good_since is None else True


def _whatever_else_is_wrong(act: Act, heard: Observation) -> bool:
    return any((one.reason, one.target) == (act.reason, act.target) for one in heard.findings)


_HEARTBEATS = itertools.count()


def _wait_by_chance(failures: int, backoff: Backoff, act_id: str, seed: int) -> float:
    del failures, act_id, seed
    return backoff.cap * (next(_HEARTBEATS) % 2)


_TAINT: Final = Event(10.0, "fault", "taint")
_FLANNEL: Final = Event(10.0, "fault", "flannel_crashes")
_FLANNEL_AGAIN: Final = tuple(
    Event(at, "fault", "flannel_crashes") for at in (60.0, 75.0, 90.0, 105.0)
)
_DRIFT: Final = Event(10.0, "fault", "livekit_drift")

BUGS: Final = (
    Bug(
        "I1",
        "nobody minds that the host, and who else is at work, was not seen",
        (Event(5.0, "others_unseen", lasts=100.0), _TAINT),
        {"healer.core.refusing._RULES": _without("_host_unseen")},
    ),
    Bug(
        "I1",
        "a look that was lost counts as the one before it",
        (_TAINT, Event(14.0, "blind", "node", 90.0)),
        {"healer.core.machine.after_hearing": _repeat_the_last_look},
    ),
    Bug(
        "I2",
        "what a layer stands on is not asked for",
        (Event(8.0, "fault", "mux_wedged"), _TAINT),
        {
            "healer.core.refusing._RULES": _without("_blocked"),
            "healer.core.deciding._begin_confirmation_anew": _confirm_on,
            "healer.core.hearing._judged_since": _always,
        },
    ),
    Bug(
        "I3",
        "no pause is read",
        (Event(5.0, "pause", lasts=100.0), _TAINT),
        {"healer.core.refusing._RULES": _without("_paused")},
    ),
    Bug(
        "I4",
        "no cooldown is kept",
        (_FLANNEL, Event(60.0, "fault", "flannel_crashes")),
        {"healer.core.limiting._cooling": _no_limit},
    ),
    Bug(
        "I4",
        "a new life remembers none of the acts of the last",
        (
            Event(5.0, "crash", "ended"),
            _FLANNEL,
            Event(100.0, "fault", "flannel_crashes"),
            Event(150.0, "fault", "flannel_crashes"),
        ),
        {"tests.explore.small.run.begin": _begin_with_nothing},
    ),
    Bug(
        "I5",
        "no witness is asked before a disruption",
        (Event(5.0, "blind", "ssh", 200.0), Event(10.0, "fault", "vm_zombie")),
        {"healer.core.refusing._RULES": _without("_witnesses")},
    ),
    Bug(
        "I5",
        "silences count by their names, though one cause explains them all",
        (Event(10.0, "fault", "usernet_dies"),),
        {"healer.core.refusing.independent": _count_by_name},
    ),
    Bug(
        "I5",
        "what is seen to be dead on a way does not explain its silence",
        (Event(10.0, "fault", "hostagent_hangs"), Event(10.0, "fault", "usernet_dies")),
        {"healer.core.refusing.known_dead": _nothing_is_known_dead},
    ),
    Bug(
        "I6",
        "an answering port vetoes nothing",
        (Event(10.0, "fault", "vm_looks_zombie"),),
        {
            "healer.core.refusing._RULES": tuple(
                _deaf_to_life if rule is refusing._witnesses else rule for rule in refusing._RULES
            )
        },
    ),
    Bug(
        "I7",
        "nobody waits for an act to end",
        (_TAINT, Event(10.0, "fault", "cordon_by_talos")),
        {"healer.core.refusing._RULES": _without("_busy")},
    ),
    Bug(
        "I8",
        "a flannel that cannot be looked at is taken for a crashed one",
        (Event(10.0, "blind", "flannel", 900.0),),
        {"healer.core.machine.after_hearing": _take_silence_for_a_crash},
    ),
    Bug(
        "I9",
        "whatever is answered is answered by the strongest remedy",
        (Event(10.0, "fault", "pod_unknown"),),
        {"healer.core.deciding._next_rung": _take_the_strongest},
    ),
    Bug(
        "I10",
        "what a crash left unfinished is forgotten",
        (Event(5.0, "crash", "act"), _TAINT),
        {"tests.explore.small.run.begin": _begin_without_the_unfinished},
    ),
    Bug(
        "I11",
        "an event may be answered again",
        (Event(5.0, "crash", "act"), _DRIFT),
        {"healer.core.ledger.Ledger.answers_to": _nothing},
    ),
    Bug(
        "I12",
        "nothing is ever confirmed",
        (_TAINT,),
        {"healer.core.deciding.confirmed": _never, "healer.core.judging.confirmed": _never},
    ),
    Bug(
        "I13",
        "a hold is forgotten as soon as it is made",
        (Event(5.0, "crash", "act"), _DRIFT),
        {"healer.core.deciding.hold_on": _no_limit},
        {"holds_before_giving_up": 1},
    ),
    Bug(
        "I14",
        "the first good look is proof enough",
        (Event(10.0, "fault", "power_cut"),),
        {"healer.core.verifying._verdict": _proved_by_one_look},
    ),
    Bug(
        "I14",
        "a job that runs and does not answer is called healed",
        (Event(5.0, "fault", "job_is_silent"), Event(10.0, "fault", "job_dies")),
        {"healer.core.verifying._still_there": _whatever_else_is_wrong},
    ),
    Bug(
        "I14",
        "a patched LiveKit that does not get Ready is called healed",
        (Event(10.0, "fault", "livekit_broken"),),
        {"healer.core.verifying._still_there": _whatever_else_is_wrong},
    ),
    Bug(
        "I15",
        "a human's stop is answered at once",
        (Event(10.0, "fault", "vm_stopped"),),
        {"healer.core.refusing._RULES": _without("_stopped_by_human")},
    ),
    Bug(
        "I16",
        "the grace after a wake is over at once",
        (_TAINT, Event(11.0, "sleep", lasts=20.0)),
        {"healer.core.refusing._RULES": _without("_in_wake_grace")},
    ),
    Bug(
        "I17",
        "how long it waits depends on how often it was asked",
        (Event(10.0, "fault", "power_cut"), Event(200.0, "fault", "power_cut")),
        {"healer.core.limiting.wait_after": _wait_by_chance},
    ),
)

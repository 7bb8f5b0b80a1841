"""I1, I2, I5 and I6: nothing is done on ignorance, above an ill layer, or on one word alone."""

from collections.abc import Iterator
from itertools import combinations

from healer.core.facts import Act
from healer.core.ladders import Remedy, Witnesses
from healer.core.observation import Component
from healer.core.policy import Policy
from healer.core.tower import Layer, below
from healer.promises.history import Broken, History, Moment, Violation
from healer.promises.seeing import Seen, Word, told

_LEAST_SECONDS = 30.0
"""I5: so long a silence counts."""
_ROUNDING = 0.001
"""Seconds: sums of the same times in another order differ in their last digits."""
_RAREST_LOOK = 600.0
_VM_LEVEL = frozenset({Remedy.CYCLE_VM, Remedy.FORCE_CYCLE_VM})


def never_acts_on_unknown(history: History) -> Broken:
    """I1: the layer was looked at lately, and that look showed what the act is for.

    So it is with the host, where who else is at work is seen, and with every layer that the
    remedy must stand on.
    """
    for moment, seen in told(history):
        for act in moment.acts:
            for why in _ignorance(seen, act, moment.at, moment.policy):
                yield Violation("I1", moment.at, f"{act.remedy} for {act.reason}: {why}")


def _ignorance(seen: Seen, act: Act, now: float, policy: Policy) -> list[str]:
    asked = {act.layer, Layer.HOST, *policy.limits[act.remedy].requires}
    old = [one for one in Layer if one in asked and _old(seen, one, act.layer, now, policy)]
    why = [f"{one} was not looked at lately" for one in old]
    if seen.finding_of(act) is None:
        why.append("the last look did not show it")
    unseen = [
        one
        for one in policy.limits[act.remedy].requires
        if one in seen.looks and seen.looks[one].observation.unknown
    ]
    host = seen.looks.get(Layer.HOST)
    if host is not None and host.observation.others_unseen:
        why.append("who else is at work could not be seen")
    return [*why, *(f"{one} is unknown" for one in unseen)]


def _old(seen: Seen, layer: Layer, acted_on: Layer, now: float, policy: Policy) -> bool:
    """A layer that was well is looked at rarely while all is calm, 600 s at the most."""
    look = seen.looks.get(layer)
    patience = policy.sign_fresh if layer in {Layer.HOST, acted_on} else _RAREST_LOOK
    return look is None or now - look.at > patience


def never_acts_above_a_failing_layer(history: History) -> Broken:
    """I2: no layer that the act's layer stands on was last seen ill, or is being repaired."""
    for moment, seen in told(history):
        for act in moment.acts:
            for lower in below(act.layer):
                look = seen.looks.get(lower)
                ill = look is not None and look.observation.gating
                mended = [
                    one
                    for one in seen.under_way.values()
                    if one.layer is lower and one.reason.gating
                ]
                if ill or mended:
                    what = f"{act.remedy} on {act.layer} above {lower}, which is not well"
                    yield Violation("I2", moment.at, what)


def disruption_needs_witnesses(history: History) -> Broken:
    """I5: no single cause but the accused one explains half a minute's silence of everything.

    By what was seen, and for the VM by the truth as well: its guest had not long been answering.
    """
    for moment, seen in told(history):
        for act in moment.acts:
            if moment.policy.limits[act.remedy].disruptive:
                for why in _unproved(seen, act, moment):
                    yield Violation("I5", moment.at, f"{act.remedy} {why}")


def _unproved(seen: Seen, act: Act, moment: Moment) -> Iterator[str]:
    asked = _asked(act, moment.policy)
    if asked is None:
        yield "on the word of nobody"
        return
    heard = [one for one in seen.words.values() if moment.at - one.at <= moment.policy.sign_fresh]
    alive = {part for one in heard if one.alive for part in one.depends_on}
    silent = [
        one
        for one in heard
        if not one.alive
        and one.depends_on & asked.accused
        and moment.at - one.since >= max(asked.over, _LEAST_SECONDS) - _ROUNDING
    ]
    alone = [one.depends_on - alive for one in heard if not one.alive]
    dead = {part for parts in alone if len(parts) == 1 for part in parts} - asked.accused
    silent = [one for one in silent if not one.depends_on & dead]
    if not _has_independent(silent, alive | asked.accused, act.remedy):
        yield f"on the word of {sorted(one.what for one in silent) or 'nobody'}"
    for one in seen.words.values():
        ago = moment.at - one.answered
        if one.depends_on & asked.spares and ago < _LEAST_SECONDS - _ROUNDING:
            yield f"although {one.what} answered {ago:.0f} s before"
    since = moment.well.get(Layer.SSH)
    if act.remedy in _VM_LEVEL and since is not None and moment.at - since >= _LEAST_SECONDS:
        yield f"although the guest had been answering for {moment.at - since:.0f} s"


def _has_independent(silent: list[Word], excused: set[Component], remedy: Remedy) -> bool:
    """Two that no other cause explains together; or, below the VM, one that no other explains."""
    causes = {one.what: one.depends_on - excused for one in silent}
    paths = {one.what: one.depends_on for one in silent}
    if remedy not in _VM_LEVEL and any(not one for one in causes.values()):
        return True
    return any(
        not causes[one] & causes[other] and paths[one] != paths[other]
        for one, other in combinations(causes, 2)
    )


def _asked(act: Act, policy: Policy) -> Witnesses | None:
    rungs = policy.ladders[act.reason].rungs
    return next((one.witnesses for one in rungs if one.remedy is act.remedy), None)


def an_answering_port_vetoes(history: History) -> Broken:
    """I6: nothing stops the VM while anything answers out of it, a published port above all."""
    for moment, seen in told(history):
        for act in moment.acts:
            if act.remedy not in _VM_LEVEL:
                continue
            for one in seen.words.values():
                fresh = moment.at - one.at <= moment.policy.sign_fresh
                if one.alive and fresh and Component.GUEST in one.depends_on:
                    yield Violation("I6", moment.at, f"{act.remedy} although {one.what} answers")

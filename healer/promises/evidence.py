"""I1, I2, I5 and I6: nothing is done on ignorance, above an ill layer, or on one word alone."""

from healer.core.facts import Act
from healer.core.ladders import Remedy, Witnesses
from healer.core.observation import Group, Subject
from healer.core.policy import Policy
from healer.core.tower import Layer, below
from healer.promises.history import Broken, History, Violation
from healer.promises.seeing import Seen, told

_LEAST_GROUPS = 2
_LEAST_SECONDS = 30.0
"""I5: two independent witnesses over thirty seconds."""
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
    """I5: two groups of signs have been saying `dead` for half a minute."""
    for moment, seen in told(history):
        for act in moment.acts:
            if not moment.policy.limits[act.remedy].disruptive:
                continue
            asked = _asked(act, moment.policy)
            groups = _dead(seen, asked, moment.at, moment.policy.sign_fresh)
            if len(groups) < _LEAST_GROUPS:
                what = f"{act.remedy} on the word of {sorted(groups) or 'nobody'}"
                yield Violation("I5", moment.at, what)


def _asked(act: Act, policy: Policy) -> Witnesses | None:
    rungs = policy.ladders[act.reason].rungs
    return next((one.witnesses for one in rungs if one.remedy is act.remedy), None)


def _dead(seen: Seen, asked: Witnesses | None, now: float, fresh: float) -> set[Group]:
    if asked is None:
        return set()
    return {
        group
        for (subject, group, _), word in seen.words.items()
        if subject in asked.dead
        and not word.alive
        and now - word.at <= fresh
        and now - word.since >= max(asked.over, _LEAST_SECONDS)
    }


def an_answering_port_vetoes(history: History) -> Broken:
    """I6: nothing stops the VM while anything answers through a published port."""
    for moment, seen in told(history):
        for act in moment.acts:
            if act.remedy not in _VM_LEVEL:
                continue
            for (subject, group, what), word in seen.words.items():
                through = group is Group.PORTS or subject in {Subject.API, Subject.SERVICE}
                if through and word.alive and moment.at - word.at <= moment.policy.sign_fresh:
                    yield Violation("I6", moment.at, f"{act.remedy} although {what} answers")

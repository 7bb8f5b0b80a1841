"""May it act? Every rule that can refuse, in the order in which a person would ask.

Each rule is a small function from one case to a refusal or None; `refusal` asks them in turn
and the first that answers names itself (design §4.3). None of them is ever skipped.
"""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from itertools import combinations

from healer.core.facts import Outcome, Rule, State
from healer.core.judging import Judgements, blocker, hold_on, paused
from healer.core.ladders import Limits, Remedy, Rung, Witnesses
from healer.core.limiting import limit_on
from healer.core.observation import Component, Sign
from healer.core.policy import Policy
from healer.core.reasons import WORKLOAD_FAILS, Reason
from healer.core.tower import LAYERS, Layer, above
from healer.core.world import SeenSign, Trouble, World

_SEEN_WELL = frozenset({State.OK, State.VERIFYING})
_VM_ACTS = frozenset({Remedy.START_VM, Remedy.CYCLE_VM, Remedy.FORCE_CYCLE_VM})
_POD_ACTS = frozenset({Remedy.DELETE_POD, Remedy.FORCE_DELETE_POD})
_REPLACES_PODS = frozenset({Remedy.DELETE_POD, Remedy.PATCH_LIVEKIT})
"""Not flannel's, whose DaemonSet tolerates a cordon; not one that is Terminating already."""
_STOPS = {
    Remedy.CYCLE_VM: Layer.COLIMA,
    Remedy.FORCE_CYCLE_VM: Layer.COLIMA,
    Remedy.RESTART_CONTAINER: Layer.TALOS,
}
"""What is stopped on the way by remedies that start it again; all above it goes with it."""
_ROUNDING = 1.0
"""Seconds: when something stopped or booted is told to the second."""
_ASK_AGAIN = 10.0
"""Seconds before a remedy that found nothing to do is asked again; they double each time."""
_ASKED_IN_VAIN = 3
"""After so many it is asked rarely, and a pass no longer waits for it."""
_ASK_RARELY = 1800.0
"""Seconds between two questions then: what its probe sees is not what it could mend."""
_FORGOTTEN = 2 * _ASK_RARELY
"""What it found so long ago says nothing of now."""


@dataclass(frozen=True, slots=True)
class Case:
    """One trouble and the rung that would answer it."""

    world: World
    judged: Judgements
    trouble: Trouble
    rung: Rung
    now: float
    policy: Policy

    @property
    def layer(self) -> Layer:
        """The layer that would be acted on."""
        return self.trouble.finding.reason.layer

    @property
    def limits(self) -> Limits:
        """The limits of the remedy."""
        return self.policy.limits[self.rung.remedy]


@dataclass(frozen=True, slots=True)
class Refusal:
    """A rule's no."""

    rule: Rule
    detail: str
    until: float | None = None


def refusal(case: Case) -> Refusal | None:
    """The first rule that forbids this act, or None: it may act."""
    for rule in _RULES:
        answer = rule(case)
        if answer is not None:
            return answer
    return None


def _cannot_account(case: Case) -> Refusal | None:
    if not case.policy.no_acts_because:
        return None
    return Refusal(Rule.UNACCOUNTED, case.policy.no_acts_because)


def _host_unseen(case: Case) -> Refusal | None:
    """Who else is at work is seen by the host's probe only."""
    view = case.world.views.get(Layer.HOST)
    if view is None or case.now - view.at > case.policy.sign_fresh:
        return Refusal(Rule.REQUIREMENT_UNSEEN, "the host was not looked at lately")
    if view.observation.others_unseen:
        return Refusal(Rule.REQUIREMENT_UNSEEN, view.observation.others_unseen)
    return None


def _stale_look(case: Case) -> Refusal | None:
    """What was seen long ago is not known (I1)."""
    if case.now - case.trouble.seen <= case.policy.sign_fresh:
        return None
    return Refusal(Rule.UNKNOWN, "the last look is too old")


def _blocked(case: Case) -> Refusal | None:
    under = blocker(case.layer, case.judged)
    if under is None:
        return None
    return Refusal(Rule.BLOCKED, f"{under} is {case.judged[under].state}")


def _paused(case: Case) -> Refusal | None:
    why = paused(case.world, case.layer, case.now)
    return Refusal(Rule.PAUSED, why) if why else None


def _in_wake_grace(case: Case) -> Refusal | None:
    if case.policy.one_pass or case.now >= case.world.grace_until:
        return None
    return Refusal(Rule.GRACE, "just booted or woken, or the clock was set", case.world.grace_until)


def _yielding(case: Case) -> Refusal | None:
    """Somebody else's start or stop holds what it touches and all above (design §10)."""
    for foreign in case.world.foreign:
        if foreign.touches(case.layer):
            operation = foreign.operation
            detail = f"waiting for `{operation.command}` (pid {operation.pid}), not ours"
            return Refusal(Rule.YIELDING, detail)
    for ended in case.world.foreign_ended:
        until = ended.at + case.policy.foreign_grace
        if ended.touches(case.layer) and case.now < until:
            detail = f"`{ended.operation.command}` has just ended, and was not ours"
            return Refusal(Rule.YIELDING, detail, until)
    return None


def _held(case: Case) -> Refusal | None:
    hold = hold_on(case.world, case.layer, case.now, case.trouble.finding.target)
    if hold is None:
        return None
    return Refusal(Rule.GAVE_UP if hold.until is None else Rule.HELD, hold.detail, hold.until)


def _stopped_by_human(case: Case) -> Refusal | None:
    ago = case.trouble.finding.human_ago
    patience = case.policy.ladders[case.trouble.finding.reason].patience
    if ago is None or _was_ours(case, ago):
        return None
    until = case.trouble.seen - ago + patience
    if until <= case.now:
        return None
    return Refusal(Rule.HUMAN_STOPPED, "stopped on purpose; started after a while", until)


def _was_ours(case: Case, ago: float) -> bool:
    """A stop within our own unfinished stop-and-start of it was not a human's.

    Whoever stops the VM while we restart the container in it has meant it. One after the boot
    that ours led to was a human's: a life of healer that was cut off knows that it had ended no
    better than by the next one's beginning. A boot's time is told to the second, so it may seem to
    lie before the act that brought it about.
    """
    stopped = case.trouble.seen - ago
    for one in case.world.ledger.attempts:
        if _stops(one.act.remedy, case.layer) and one.outcome is not Outcome.NOT_NEEDED:
            cap = case.policy.limits[one.act.remedy].cap
            ended = one.at + cap if one.ended is None else one.ended
            began, boots = one.at - _ROUNDING, case.world.ledger.vm_boots
            booted = any(began <= boot < stopped - _ROUNDING for boot in boots)
            if began <= stopped <= ended + _ROUNDING and not booted:
                return True
    return False


def _stops(remedy: Remedy, layer: Layer) -> bool:
    stopped = _STOPS.get(remedy)
    return stopped is not None and (layer is stopped or layer in above(stopped))


def _not_ripe(case: Case) -> Refusal | None:
    finding = case.trouble.finding
    until = case.trouble.seen + finding.ripe_in
    if until <= case.now:
        return None
    why = f"waiting: {finding.waits_for}" if finding.waits_for else "too early to touch it"
    return Refusal(Rule.NOT_RIPE, why, until)


def _crash_loop(case: Case) -> Refusal | None:
    """More starts made it worse (R18)."""
    if case.rung.remedy not in _VM_ACTS:
        return None
    since = case.now - case.policy.crash_loop_window
    boots = [one for one in case.world.ledger.vm_boots if one > since]
    if len(boots) < case.policy.crash_loop_boots:
        return None
    detail = f"the VM booted {len(boots)} times within {case.policy.crash_loop_window:.0f} s"
    return Refusal(Rule.CRASH_LOOP, detail, min(boots) + case.policy.crash_loop_window)


def _no_place(case: Case) -> Refusal | None:
    """A pod that is ill may still come back where it is; its successor would stay Pending."""
    if case.rung.remedy not in _REPLACES_PODS:
        return None
    view = case.world.views.get(Layer.NODE)
    if view is None or not any(reason is Reason.CORDONED_BY_HUMAN for reason, _ in view.troubles):
        return None
    return Refusal(Rule.NO_PLACE, "the node is cordoned by a human; a new pod would stay Pending")


def _requirement_unseen(case: Case) -> Refusal | None:
    for layer in LAYERS:
        if layer in case.limits.requires and case.judged[layer].state not in _SEEN_WELL:
            state = case.judged[layer].state
            return Refusal(Rule.REQUIREMENT_UNSEEN, f"{layer} must be well, and is {state}")
    return None


def _storm(case: Case) -> Refusal | None:
    """Many ill at once points below: one delete per verified recovery (design §10)."""
    if case.rung.remedy not in _POD_ACTS or not _storm_is_on(case):
        return None
    under_way = [one for one in case.world.verifying if one.act.remedy in _POD_ACTS]
    failed = [
        one
        for one in case.world.ledger.attempts
        if one.act.remedy in _POD_ACTS and one.verified is False and one.at > case.now - 600.0
    ]
    if not under_way and not failed:
        return None
    return Refusal(Rule.STORM_BRAKE, "most workloads are ill at once; one at a time")


def _storm_is_on(case: Case) -> bool:
    view = case.world.views[case.layer]
    ill = {
        one.finding.owner
        for one in view.ordered
        if one.finding.owner and one.finding.reason in WORKLOAD_FAILS
    }
    return len(ill) >= case.policy.storm_owners and 2 * len(ill) > view.observation.targets


def _owner_busy(case: Case) -> Refusal | None:
    """At most one delete per owner and a few in all, until each has proved itself."""
    if case.rung.remedy not in _POD_ACTS:
        return None
    waiting = [one for one in case.world.verifying if one.act.remedy in _POD_ACTS]
    if any(one.act.owner == case.trouble.finding.owner for one in waiting):
        return Refusal(Rule.OWNER_BUSY, "another pod of this owner is being verified")
    if len(waiting) >= case.policy.deletes_at_once:
        return Refusal(Rule.OWNER_BUSY, f"{len(waiting)} deletes are being verified")
    return None


def _witnesses(case: Case) -> Refusal | None:
    """I5 and I6: no disruption on one cause of silence, none against a sign of life."""
    asked = case.rung.witnesses
    if asked is None:
        return None
    fresh = [
        seen for seen in case.world.signs.values() if case.now - seen.at <= case.policy.sign_fresh
    ]
    for seen in fresh:
        if seen.sign.alive and seen.sign.depends_on & asked.spares:
            return Refusal(Rule.WITNESS_ALIVE, f"{seen.sign.what} answers")
    for layer in asked.asked:
        view = case.world.views.get(layer)
        if view is None or case.now - view.at > case.policy.sign_fresh:
            return Refusal(Rule.WITNESSES_MISSING, f"{layer} was not asked lately")
    return _blind(case, fresh, asked) or _too_few(fresh, asked, case.now)


def _blind(case: Case, fresh: list[SeenSign], asked: Witnesses) -> Refusal | None:
    if known_dead([one.sign for one in fresh]) & asked.accused:
        return None
    for layer in LAYERS:
        view = case.world.views.get(layer)
        if layer in asked.seen and (view is None or view.observation.unknown):
            why = "never looked at" if view is None else view.observation.unknown
            detail = f"{layer} could not be seen, and may know of another cause: {why}"
            return Refusal(Rule.WITNESSES_MISSING, detail)
    return None


def _too_few(fresh: list[SeenSign], asked: Witnesses, now: float) -> Refusal | None:
    signs = [seen.sign for seen in fresh]
    unproven = asked.proven - proven(signs)
    if unproven:
        detail = f"nothing proves that {', '.join(sorted(unproven))} lives"
        return Refusal(Rule.WITNESSES_MISSING, detail)
    found = independent(signs, asked)
    named = ", ".join(sorted(one.what for one in found)) or "none"
    if len(found) < asked.count:
        detail = f"{asked.count} independent witnesses of death needed; have {named}"
        return Refusal(Rule.WITNESSES_MISSING, f"{detail}{_other_cause(signs, asked)}")
    # Whatever fell silent only now was alive a moment ago, whoever has been silent for long.
    last = max(seen.since for seen in fresh if _is_witness(seen.sign, asked)) + asked.over
    if last <= now:
        return None
    detail = f"{asked.over:.0f} s of silence needed; silent: {named}"
    return Refusal(Rule.WITNESSES_MISSING, detail, last)


def proven(signs: Iterable[Sign]) -> frozenset[Component]:
    """What the answers prove to be alive."""
    return frozenset(part for one in signs if one.alive for part in one.depends_on)


def known_dead(signs: Collection[Sign]) -> frozenset[Component]:
    """What alone can explain some silence, all else on its way being proved to live."""
    alive = proven(signs)
    left = [one.depends_on - alive for one in signs if not one.alive]
    return frozenset(part for parts in left if len(parts) == 1 for part in parts)


def independent(signs: Collection[Sign], asked: Witnesses) -> tuple[Sign, ...]:
    """Witnesses of death: no other cause is known for any, and none explains two of them.

    As many as are asked for, if there are so many; else the most that there are.
    """
    excused, dead = proven(signs) | asked.accused, known_dead(signs) - asked.accused
    ways: dict[frozenset[Component], Sign] = {}
    for one in signs:
        if _is_witness(one, asked) and not one.depends_on & dead:
            ways.setdefault(one.depends_on, one)
    for count in range(min(asked.count, len(ways)), 0, -1):
        for chosen in combinations(ways, count):
            causes = [way - excused for way in chosen]
            if len(frozenset().union(*causes)) == sum(map(len, causes)):
                return tuple(ways[one] for one in chosen)
    return ()


def _other_cause(signs: Collection[Sign], asked: Witnesses) -> str:
    """What else explains the silence, in words."""
    ways = [one.depends_on for one in signs if _is_witness(one, asked)]
    on_the_way = frozenset[Component]().union(*ways) - asked.accused
    dead = known_dead(signs) & on_the_way
    if dead:
        return f"; {' and '.join(sorted(dead))} is dead, which explains silence"
    shared = on_the_way.intersection(*ways) - proven(signs)
    return f"; {' or '.join(sorted(shared))} alone may silence all of them" if shared else ""


def _is_witness(sign: Sign, asked: Witnesses) -> bool:
    return not sign.alive and bool(sign.depends_on & asked.accused)


def _event_used(case: Case) -> Refusal | None:
    """One event causes at most one act (I11)."""
    if not case.world.ledger.answers_to(case.trouble.finding.event):
        return None
    return Refusal(Rule.EVENT_USED, "this event was answered already")


def _found_needless(case: Case) -> Refusal | None:
    """Probe and remedy disagree: asked again a few times, not at every look for ever."""
    found = case.world.ledger.needless(case.rung.remedy, case.trouble.finding.target)
    row = [one for one in found if one.at > case.now - _FORGOTTEN]
    if not row:
        return None
    last, hopeful = row[-1], len(row) < _ASKED_IN_VAIN
    wait = _ASK_AGAIN * 2.0 ** (len(row) - 1) if hopeful else _ASK_RARELY
    until = (last.at if last.ended is None else last.ended) + wait
    if until <= case.now:
        return None
    return Refusal(Rule.NOT_NEEDED, last.detail, until if hopeful else None)


def _limited(case: Case) -> Refusal | None:
    target = case.trouble.finding.target
    limit = limit_on(case.world.ledger, case.rung.remedy, target, case.now, case.policy)
    return None if limit is None else Refusal(limit.rule, limit.detail, limit.until)


def _busy(case: Case) -> Refusal | None:
    """I7: one act per layer, one disruptive act in all."""
    under_way = case.world.acting_on(case.layer)
    if under_way is not None:
        return Refusal(Rule.BUSY_LAYER, f"{under_way.remedy} is under way")
    disruptive = [one for one in case.world.acting if case.policy.limits[one.remedy].disruptive]
    if disruptive and case.limits.disruptive:
        return Refusal(Rule.BUSY_DISRUPTIVE, f"{disruptive[0].remedy} is under way")
    return None


def _past_deadline(case: Case) -> Refusal | None:
    if case.policy.act_before is None or case.now < case.policy.act_before:
        return None
    return Refusal(Rule.DEADLINE, "the deadline of this pass is over")


_RULES: tuple[Callable[[Case], Refusal | None], ...] = (
    _cannot_account,
    _blocked,
    _paused,
    _in_wake_grace,
    _yielding,
    _held,
    _busy,
    _stopped_by_human,
    _crash_loop,
    _requirement_unseen,
    _no_place,
    _not_ripe,
    _witnesses,
    _event_used,
    _storm,
    _owner_busy,
    _found_needless,
    _limited,
    _past_deadline,
    # What time alone brings about between two looks comes last: else a lasting refusal would
    # seem to change with every look.
    _stale_look,
    _host_unseen,
)

"""From settings to the policy that `step` is told."""

from dataclasses import replace

from healer.core.ladders import (
    GRACE,
    HOUR,
    LADDERS,
    LIMITS,
    Backoff,
    Budget,
    Ladder,
    Limits,
    Remedy,
)
from healer.core.policy import Policy
from healer.core.reasons import Reason
from healer.core.tower import Layer
from healer.settings.tree import Settings


def policy_of(settings: Settings, *, run: str, one_pass: bool) -> Policy:
    """The tables with this file's overrides."""
    engine = settings.engine
    return Policy(
        run=run,
        ladders={reason: ladder_of(settings, reason) for reason in Reason},
        limits={remedy: limits_of(settings, remedy) for remedy in Remedy},
        grace=grace_of(settings),
        total=Budget(engine.acts_per_hour, HOUR),
        stable=engine.stable,
        disable_after=engine.disable_after,
        holds_before_giving_up=engine.holds_before_giving_up,
        crash_loop_boots=engine.crash_loop_boots,
        one_pass=one_pass,
    )


def limits_of(settings: Settings, remedy: Remedy) -> Limits:
    """One remedy's limits, with what the file says of them."""
    table, given = LIMITS[remedy], settings.limits.get(remedy)
    if given is None:
        return table
    first = table.backoff.first if table.backoff else None
    cap = table.backoff.cap if table.backoff else None
    first = first if given.backoff_first is None else given.backoff_first
    cap = cap if given.backoff_cap is None else given.backoff_cap
    return replace(
        table,
        budget=Budget(
            table.budget.count if given.count is None else given.count,
            table.budget.window if given.window is None else given.window,
        ),
        cooldown=table.cooldown if given.cooldown is None else given.cooldown,
        backoff=None if first is None or cap is None else Backoff(first, cap),
        cap=table.cap if given.cap is None else given.cap,
        settle=table.settle if given.settle is None else given.settle,
    )


def ladder_of(settings: Settings, reason: Reason) -> Ladder:
    """One reason's ladder, with what the file says of its confirmation."""
    table, given = LADDERS[reason], settings.confirm.get(reason)
    if given is None:
        return table
    return replace(
        table,
        samples=table.samples if given.samples is None else given.samples,
        over=table.over if given.over is None else given.over,
        hold=table.hold if given.hold is None else given.hold,
        patience=table.patience if given.patience is None else given.patience,
    )


def grace_of(settings: Settings) -> dict[Layer, tuple[Layer, float]]:
    """The table's graces, with what the file says of them."""
    given = {layer: getattr(settings.grace, layer.value) for layer in GRACE}
    return {
        layer: (of, seconds if given[layer] is None else given[layer])
        for layer, (of, seconds) in GRACE.items()
    }

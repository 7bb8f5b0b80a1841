"""Each rule is needed: without it, the promise that it keeps is seen to fail.

A check that has never failed proves nothing, so every rule is taken away in turn (a seeded
bug), and the named test of `test_promises` must then fail.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from healer.core import deciding, refusing
from tests.unit.core import test_promises as promises

if TYPE_CHECKING:
    from collections.abc import Callable

    from healer.core.judging import Judgements
    from healer.core.world import World

KEPT_BY = {
    "_cannot_account": promises.test_nothing_is_done_without_a_journal,
    "_stale_look": promises.test_what_was_seen_long_ago_causes_no_act,
    "_host_unseen": promises.test_nothing_is_done_while_the_host_is_unseen,
    "_paused": promises.test_pause_of_one_layer_keeps_its_advice_too,
    "_in_wake_grace": promises.test_waking_up_keeps_even_gentle_updates_back,
    "_yielding": promises.test_somebody_elses_start_holds_the_tower,
    "_held": promises.test_held_layer_is_not_even_updated,
    "_busy": promises.test_one_act_on_a_layer_at_a_time,
    "_stopped_by_human": promises.test_clean_stop_by_a_human_is_respected_for_ten_minutes,
    "_crash_loop": promises.test_crash_loop_of_the_vm_stops_the_starts,
    "_requirement_unseen": promises.test_requirement_must_have_been_seen,
    "_no_place": promises.test_no_pod_is_replaced_under_a_human_s_cordon,
    "_not_ripe": promises.test_pod_is_not_touched_before_it_is_ripe,
    "_witnesses": promises.test_witnesses_of_one_way_are_not_enough,
    "_event_used": promises.test_one_event_causes_one_act,
    "_storm": promises.test_storm_brake_allows_one_delete_per_verified_recovery,
    "_owner_busy": promises.test_one_pod_of_an_owner_at_a_time,
    "_found_needless": promises.test_remedy_that_finds_nothing_to_do_is_not_asked_for_ever,
    "_limited": promises.test_cooldown_outlives_the_process,
    "_past_deadline": promises.test_no_act_after_the_deadline,
}


def test_every_rule_has_a_promise() -> None:
    """A new rule cannot come in without a test that needs it."""
    assert {rule.__name__ for rule in refusing._RULES} == {*KEPT_BY, "_blocked"}


def test_acting_above_a_failing_layer_has_two_barriers(monkeypatch: pytest.MonkeyPatch) -> None:
    """I2: looks while blocked confirm nothing, and the rule refuses; only without both it fails."""
    promise = promises.test_advice_above_a_failing_layer_waits

    def confirm_on(world: World, judged: Judgements) -> World:
        del judged
        return world

    monkeypatch.setattr(deciding, "_begin_confirmation_anew", confirm_on)
    promise()
    without = tuple(rule for rule in refusing._RULES if rule.__name__ != "_blocked")
    monkeypatch.setattr(refusing, "_RULES", without)

    with pytest.raises(AssertionError):
        promise()


@pytest.mark.parametrize("name", KEPT_BY)
def test_promise_breaks_without_its_rule(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the rule gone, the promise's own test fails."""
    promise: Callable[[], None] = KEPT_BY[name]
    promise()
    kept = tuple(rule for rule in refusing._RULES if rule.__name__ != name)
    monkeypatch.setattr(refusing, "_RULES", kept)

    with pytest.raises((AssertionError, StopIteration, IndexError)):
        promise()

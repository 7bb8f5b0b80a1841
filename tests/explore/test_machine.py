"""Rules instead of seeds: Hypothesis chooses what befalls next, and shrinks what it finds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import Phase, settings, target
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from healer.core import refusing
from healer.core.tower import LAYERS
from healer.promises.table import broken
from tests.explore.small.faults import FAULTS, PHASES, Event, Schedule
from tests.explore.small.run import Run, policy_of_life

if TYPE_CHECKING:
    from healer.core.refusing import Case

ONLY_AT_THE_END = ("I12", "I13", "I17")
"""Promises of how a run ends, and the one that doubles the cost: asked in the teardown."""
LAYER_OR_ALL = st.sampled_from(["", *(one.value for one in LAYERS)])
SECONDS = st.floats(1.0, 300.0).map(lambda it: round(it, 1))


class Tower(RuleBasedStateMachine):
    """healer's core over the tower of few bits; every rule is something that befalls it."""

    def __init__(self) -> None:
        super().__init__()
        self.run = Run(Schedule(0, (), 0.0, 0.0), policy_of_life)
        self.run.history.harmless = False
        self.events: list[Event] = []
        self.was_broken = False

    def _happens(self, event: Event) -> None:
        self.events.append(event)
        self.run._happen(event)

    @rule(name=st.sampled_from(sorted(FAULTS)))
    def befalls(self, name: str) -> None:
        """One more fault."""
        self._happens(Event(self.run.now, "fault", name))

    @rule(seconds=SECONDS)
    def goes_by(self, seconds: float) -> None:
        """Time, with looks."""
        self.run._until(self.run.now + seconds)

    @rule(phase=st.sampled_from(PHASES))
    def dies(self, phase: str) -> None:
        """SIGKILL, now or at the next act."""
        self._happens(Event(self.run.now, "crash", phase))

    @rule(scope=LAYER_OR_ALL, seconds=SECONDS)
    def is_paused(self, scope: str, seconds: float) -> None:
        """By a human."""
        self._happens(Event(self.run.now, "pause", scope, seconds))

    @rule(seconds=SECONDS)
    def sleeps(self, seconds: float) -> None:
        """The Mac."""
        self._happens(Event(self.run.now, "sleep", "", seconds))

    @rule(layer=st.sampled_from(["colima", "talos"]), seconds=SECONDS)
    def is_worked_on(self, layer: str, seconds: float) -> None:
        """Somebody else's start."""
        self._happens(Event(self.run.now, "foreign", layer, seconds))

    @rule(layer=LAYER_OR_ALL)
    def is_reset(self, layer: str) -> None:
        """By a human."""
        self._happens(Event(self.run.now, "reset", layer))

    @invariant()
    def keeps_its_promises(self) -> None:
        """All that can be asked in the middle of a run."""
        found = broken(self.run.history, ONLY_AT_THE_END)
        self.was_broken = bool(found)
        assert () == found

    def teardown(self) -> None:
        """Let it come to rest, and ask everything."""
        if self.was_broken:
            return
        run = self.run
        run.schedule = Schedule(0, tuple(self.events), 0.0, 0.0)
        run._set_expectations()
        history = run.finish()
        target(float(len(history.deeds)), label="acts")
        assert () == broken(history)


def test_the_promises_hold_whatever_comes_next() -> None:
    """Rules in any order: nothing is ever broken, and what can be healed is."""
    run_state_machine_as_test(
        Tower, settings=settings(max_examples=60, stateful_step_count=8, deadline=None)
    )


def test_a_seeded_bug_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the rule that yields to a pause, a fault in a pause is enough."""

    def nobody_paused(case: Case) -> None:
        del case

    rules = tuple(nobody_paused if one.__name__ == "_paused" else one for one in refusing._RULES)
    monkeypatch.setattr(refusing, "_RULES", rules)
    with pytest.raises(AssertionError, match="I3"):
        run_state_machine_as_test(
            Tower,
            settings=settings(
                max_examples=1500,
                stateful_step_count=8,
                deadline=None,
                derandomize=True,
                phases=[Phase.generate],
            ),
        )

"""The promises that the core alone cannot keep are seen to fail in drills, and to hold there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from healer.drills.playing import Manner, run
from healer.drills.scenario import Scenario
from healer.promises.table import PROMISES, broken
from tests.mutants.engine_bugs import BUGS, EngineBug

if TYPE_CHECKING:
    from healer.drills.scenario import Happens
    from healer.promises.history import History

SEED = 1


def drilled(happens: tuple[Happens, ...]) -> History:
    """What comes of a drill."""
    scenario = Scenario("bug", "Something befalls the tower.", happens=happens)
    return run(scenario, seed=SEED, manner=Manner(notices=False)).history


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: f"{bug.promise}: {bug.what}")
def test_a_bug_of_the_engine_breaks_its_promise(
    bug: EngineBug, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same predicates judge drills; without the bug every promise is kept."""
    assert () == broken(drilled(bug.happens))

    for name, instead in bug.patches.items():
        monkeypatch.setattr(name, instead)
    found = tuple(PROMISES[bug.promise].check(drilled(bug.happens)))

    assert {bug.promise} == {one.promise for one in found}

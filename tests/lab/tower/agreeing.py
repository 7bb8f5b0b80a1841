"""The same fault on the real lab and in the simulation: the same acts in the same order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from healer.drills.playing import Manner, run
from healer.drills.scenario import Happens, Scenario

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

RACES: Final = frozenset({"delete_flannel_pod"})
"""Whether flannel crashes while the API comes up is a race, in reality as in the simulation
(facts/talos-kubernetes.md §5)."""


def agree(acts: Sequence[str], what: str) -> None:
    """What was done on the lab about a fault is what the simulation does about it."""
    assert decided(simulated(what)) == decided(acts), what


def decided(acts: Iterable[str]) -> list[str]:
    """Each remedy where it first came, without what a race decides."""
    return [one for one in dict.fromkeys(acts) if one not in RACES]


def simulated(what: str) -> list[str]:
    """The remedies that the simulated daemon begins about a happening, in their order."""
    played = run(
        Scenario(what, "as on the lab", (Happens(10.0, what),)), manner=Manner(notices=False)
    )
    assert played.history.well_at_end
    return [one.act.remedy.value for one in played.history.deeds]

"""For the promises that the engine, the journal or a remedy keeps, a bug that breaks each.

They are found by drills: the real daemon, its probes, its remedies and its journal, over the
simulated tower.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from healer.adapters.journal import SqliteJournal
from healer.core.machine import step
from healer.drills.scenario import Happens
from healer.engine.stepping import Stepper
from healer.ports import TargetIll

if TYPE_CHECKING:
    from collections.abc import Mapping

    from healer.core.facts import Act, Fact, Finished
    from healer.core.ledger import Ledger
    from healer.core.machine import Step
    from healer.core.policy import Policy
    from healer.core.world import World
    from healer.engine.performing import Performer
    from healer.model.cluster import Node
    from healer.simulation.cluster_hands import SimulatedClusterHands
    from healer.simulation.physics import Tower


@dataclass(frozen=True, slots=True)
class EngineBug:
    """A mistake that somebody could make, the promise that it breaks, and a drill that shows it."""

    promise: str
    what: str
    happens: tuple[Happens, ...]
    patches: Mapping[str, object]


_ledger = SqliteJournal.ledger
_begin_act = Stepper._begin_act


def _unfinished_only(journal: SqliteJournal) -> Ledger:
    known = _ledger(journal)
    return replace(known, attempts=known.unfinished())


def _begin_twice(stepper: Stepper, act: Act) -> None:
    _begin_act(stepper, act)
    _begin_act(stepper, replace(act, id=f"{act.id}-again"))


async def _act_first(performer: Performer, act: Act) -> Finished:
    finished = await performer._bounded(act)
    performer._journal.begin(act)
    performer._journal.end(act, finished.outcome, finished.detail)
    return finished


def _any_cordon(node: Node) -> bool:
    return node.unschedulable


async def _uncordon_blindly(hands: SimulatedClusterHands, node: Node) -> str:
    hands._tower.cluster.uncordon()
    return f"uncordoned {node.name}"


def _step_later(world: World, fact: Fact, now: float, policy: Policy) -> Step:
    return step(world, fact, now + 0.25, policy)


def _known_to_the_hostagent_alone(tower: Tower) -> None:
    if not tower.machine.answers:
        raise TargetIll("ssh lima-colima", "the hostagent knows no ssh port")


_TAINT: Final = Happens(10.0, "taint_put_back")

BUGS: Final = (
    EngineBug(
        "I4",
        "a journal that is opened anew tells of unfinished acts only",
        (
            Happens(10.0, "flannel_crashes"),
            Happens(70.0, "healer_crashes"),
            Happens(75.0, "flannel_crashes"),
        ),
        {"healer.adapters.journal.SqliteJournal.ledger": _unfinished_only},
    ),
    EngineBug(
        "I5",
        "an ssh port that the hostagent does not tell is taken for a dead ssh",
        (
            Happens(0.0, "ports_by_ssh"),
            Happens(60.0, "hostagent_dies"),
            Happens(240.0, "mux_killed"),
        ),
        {"healer.simulation.guest_ports._find_port": _known_to_the_hostagent_alone},
    ),
    EngineBug(
        "I7",
        "an act that is let through once is begun twice",
        (_TAINT,),
        {"healer.engine.stepping.Stepper._begin_act": _begin_twice},
    ),
    EngineBug(
        "I10",
        "the intent is written when the act is over",
        (_TAINT,),
        {"healer.engine.performing.Performer.perform": _act_first},
    ),
    EngineBug(
        "I15",
        "every cordon is taken for one of Talos' own, by the probe, the remedy and the patch",
        (Happens(10.0, "cordon_by_human"),),
        {
            "healer.probes.node.cordoned_by_talos": _any_cordon,
            "healer.remedies.node.cordoned_by_talos": _any_cordon,
            "healer.simulation.cluster_hands.SimulatedClusterHands.uncordon": _uncordon_blindly,
        },
    ),
    EngineBug(
        "I17",
        "the clock is read once more for the decision",
        (_TAINT,),
        {"healer.engine.stepping.step": _step_later},
    ),
)

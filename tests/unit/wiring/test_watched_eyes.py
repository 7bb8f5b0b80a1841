"""Who looks through eyes that remember: a daemon's probes, and nobody else."""

import gc
from collections.abc import Callable, Iterable
from dataclasses import replace
from types import FunctionType, ModuleType
from typing import TypeVar

from healer.core.ledger import Ledger
from healer.engine.quiet import Snapshot
from healer.settings import Settings
from healer.simulation.happenings import healthy_tower
from healer.simulation.mac_ports import OURS
from healer.wiring.parts import Looks, OurChildren, Outside, probes_of, remedies_of
from healer.wiring.simulated import simulated_outside
from tests.fakes_cluster import FakeCluster

T = TypeVar("T")
EYES = FakeCluster()
"""Those that remember."""
CHILDREN = OurChildren(Snapshot(Ledger()), OURS)


def outside() -> Outside:
    """A simulated tower with such eyes beside its direct ones."""
    return replace(simulated_outside(healthy_tower(lambda: 0.0)), watched=EYES)


def holders(parts: Iterable[T], name: Callable[[T], str]) -> set[str]:
    """Which of the parts can get hold of the eyes, by whatever way."""
    return {name(one) for one in parts if reaches(one)}


def reaches(root: object) -> bool:
    """Whether the eyes are among what it holds, and what that holds; no classes, no globals."""
    found: dict[int, object] = {}
    waiting = [root]
    while waiting:
        one = waiting.pop()
        if id(one) in found or isinstance(one, type | ModuleType):
            continue
        found[id(one)] = one
        if isinstance(one, FunctionType):
            waiting += one.__closure__ or ()
        else:
            waiting += gc.get_referents(one)
    return id(EYES) in found


def test_no_remedy_sees_through_a_memory() -> None:
    """`needed()` looks at what is, just before an act (design §4)."""
    remedies = remedies_of(outside(), Settings(), frozenset)

    assert set() == holders(remedies.values(), lambda one: one.remedy)


def test_a_daemons_probes_do() -> None:
    """Every probe that asks the cluster."""
    probes = probes_of(outside(), Settings(), Looks.over(outside(), resident=True), CHILDREN)

    expected = {"kernel", "talos", "apiserver", "node", "flannel", "pods", "livekit", "services"}
    assert expected == holders(probes, lambda one: str(one.layer))


def test_a_passs_probes_do_not() -> None:
    """A pass looks once, and listens to no news."""
    probes = probes_of(outside(), Settings(), Looks.over(outside(), resident=False), CHILDREN)

    assert set() == holders(probes, lambda one: str(one.layer))

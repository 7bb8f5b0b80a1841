"""`python -m tests.explore.independence [--out FILE]`: which witness hangs on which component.

Each component of the way into the tower is killed or frozen, alone and together with each other
one, in the simulated tower under the real daemon: which signs fall silent, which of them count
against the VM, and what is done. A VM whose guest lives must be left running, whatever else dies.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Final

from healer.core.ladders import LADDERS, Remedy
from healer.core.reasons import Reason
from healer.core.refusing import independent
from healer.drills.playing import Manner, run
from healer.drills.scenario import Expect, Happens, Scenario
from healer.promises.table import broken

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from healer.core.world import World
    from healer.drills.playing import Played

PAGE: Final = Path(__file__).with_name("INDEPENDENCE.md")
KILLED: Final = {
    "hostagent": "hostagent_dies",
    "driver": "vm_power_cut",
    "mux": "mux_killed",
    "usernet": "usernet_dies",
    "guest": "vm_zombie",
    "dockerd": "engine_dies_alone",
    "container": "docker_kill",
    "API server": "api_dies",
}
FROZEN: Final = {
    "hostagent": "hostagent_frozen",
    "driver": "vm_frozen",
    "mux": "mux_wedged",
    "usernet": "usernet_frozen",
    "guest": "vm_frozen",
    "dockerd": "engine_frozen",
    "container": "talos_wedged",
    "API server": "api_silent",
}
ENDS_GUEST: Final = frozenset({"vm_power_cut", "vm_zombie", "vm_frozen"})
STOPS_VM: Final = frozenset({Remedy.CYCLE_VM, Remedy.FORCE_CYCLE_VM})
_LASTS: Final = {"api_dies": 900.0, "api_silent": 900.0}
_STRIKES: Final = 60.0
_LOOKED_AT: Final = 120.0
"""Seconds after the fault at which the witnesses are counted, if nothing was done before."""
_BOUND: Final = 480.0
_FRESH: Final = 30.0
"""Seconds for which a sign is good."""
_NOT_ASKED: Final = frozenset({"I12", "I13"})
"""Healing takes longer than a row is watched."""


@dataclass(frozen=True, slots=True)
class Row:
    """One or two components gone, and what came of it."""

    by: str
    """The profile's portForwarder."""
    gone: str
    happenings: tuple[str, ...]
    silent: tuple[str, ...]
    count: tuple[str, ...]
    """Independent witnesses against the VM."""
    done: tuple[Remedy, ...]
    harm: tuple[str, ...]
    broken: tuple[str, ...]
    """Promises."""

    @property
    def guest_lives(self) -> bool:
        """Whether nothing that befell ends the VM's kernel."""
        return not ENDS_GUEST & set(self.happenings)

    @property
    def stops_vm(self) -> bool:
        """Whether the VM was stopped."""
        return bool(STOPS_VM & set(self.done))

    @property
    def line(self) -> str:
        """As a row of the page."""
        cells = (
            self.by,
            self.gone,
            ", ".join(self.silent) or "none",
            ", ".join(self.count) or "none",
            ", ".join(self.done) or "nothing; reported",
        )
        return f"| {' | '.join(cells)} |"


def cases(*, pairs: bool) -> Iterator[tuple[str, tuple[str, ...]]]:
    """What is gone in words, and what befalls the simulated tower."""
    single = [(f"{one} killed", one, name) for one, name in KILLED.items()]
    single += [(f"{one} frozen", one, name) for one, name in FROZEN.items()]
    for words, _, name in single:
        yield words, (name,)
    if pairs:
        for (words, one, name), (others, other, second) in combinations(single, 2):
            if one != other:
                yield f"{words}, {others}", (name, second)


def row_of(by: str, gone: str, happenings: tuple[str, ...]) -> Row:
    """One case, played."""
    first = (Happens(0.0, "ports_by_ssh"),) if by == "ssh" else ()
    struck = tuple(
        Happens(_STRIKES, one, {"seconds": _LASTS[one]} if one in _LASTS else {})
        for one in dict.fromkeys(happenings)
    )
    scenario = Scenario(gone, gone, (*first, *struck), Expect(well_within=_BOUND))
    played = run(scenario, manner=Manner(notices=False))
    world, at = _looked_at(played)
    fresh = [one.sign for one in world.signs.values() if at - one.at <= _FRESH]
    against = LADDERS[Reason.COLIMA_ZOMBIE].rungs[0].witnesses
    assert against is not None
    silent = sorted(one.what for one in fresh if not one.alive)
    counted = sorted(one.what for one in independent(fresh, against))
    if any(one.alive and one.depends_on & against.spares for one in fresh):
        counted = []
    return Row(
        by,
        gone,
        happenings,
        _short(silent),
        _short(counted),
        tuple(dict.fromkeys(one.act.remedy for one in played.history.deeds)),
        tuple(one.what for one in played.harm),
        tuple(one.what for one in broken(played.history, _NOT_ASKED)),
    )


def _looked_at(played: Played) -> tuple[World, float]:
    """Just before the first act, or a while after the fault."""
    found = played.history.moments[0]
    for one in played.history.moments:
        if one.at > _STRIKES + _LOOKED_AT or (one.acts and one.at > _STRIKES):
            return one.before, one.at
        found = one
    return found.after, found.at


def _short(signs: list[str]) -> tuple[str, ...]:
    """Published ports together."""
    ports = sum(one.startswith("port ") for one in signs)
    named = [one for one in signs if not one.startswith("port ")]
    return (*named, f"{ports} ports") if ports > 1 else tuple(signs)


def page(table: Iterable[Row]) -> str:
    """The whole table."""
    head = (
        "# Which witness hangs on which component",
        "",
        "Made by `python -m tests.explore.independence`; `test_independence.py` keeps it",
        "true. Each component is killed or frozen in the simulated tower, alone and in pairs, with",
        "published ports by grpc and by ssh. *Silent* and *count* are known just before the",
        "first act, or two minutes after the fault: silent signs, and those that count as",
        "independent witnesses against the VM (none while anything answers out of it).",
        "",
        "| ports by | gone | silent | count against the VM | done |",
        "|---|---|---|---|---|",
    )
    return "\n".join((*head, *(row.line for row in table))) + "\n"


def main(words: list[str]) -> int:
    """Write the page; 1 when a living guest was stopped or a promise broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.explore.independence")
    parser.add_argument("--out", type=Path, default=PAGE)
    out = parser.parse_args(words).out
    table = [row_of(by, *one) for by in ("grpc", "ssh") for one in cases(pairs=True)]
    out.write_text(page(table), encoding="utf-8")
    bad = [one for one in table if one.broken or (one.guest_lives and (one.stops_vm or one.harm))]
    for one in bad:
        print(f"{one.line} {one.harm} {one.broken}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

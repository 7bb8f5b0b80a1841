"""Measurements, each printed as a table; none of them is a test.

`once`: a healthy pass beside a script of the old kind. `steady [SECONDS]`: the daemon over a
healthy tower. `faults [ROUNDS [FAULT …]]`: how soon faults are seen, answered and proved over.
`soak [SECONDS]`: what the daemon holds under faults for hours. `round [ROUNDS]`: what one look of
every probe costs, and what an import. All need the lab, but `status`: how quick that is.
What thousands of pods cost needs no lab: `python -m tests.bench.pods`.
"""

from __future__ import annotations

import random
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from tests.bench.faults import faults
from tests.bench.once import once
from tests.bench.round import round_
from tests.bench.status import status
from tests.bench.steady import steady
from tests.lab.kubernetes.node import Node
from tests.lab.tower.soak import soak
from tests.lab.tower.tower import Tower
from tests.lab.virtual.mac import Mac

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

USAGE: Final = 2
BENCHES: Final[dict[str, Callable[[Tower, int, Sequence[str]], None]]] = {
    "once": lambda tower, _, __: once(tower),
    "steady": lambda tower, seconds, _: steady(tower, seconds or 300),
    "soak": lambda tower, seconds, _: soaked(tower, seconds or 3600),
    "round": lambda tower, rounds, _: round_(tower, rounds or 40),
    "faults": lambda tower, rounds, names: faults(tower, rounds or 10, names),
}


def soaked(tower: Tower, seconds: int) -> None:
    """Print what it held before and after."""
    before, after = soak(tower, seconds, random.SystemRandom().randrange(1_000_000))
    print(f"after a warm minute  {before}")
    print(f"after {seconds:>6} s       {after}")


@contextmanager
def a_tower() -> Iterator[Tower]:
    """A healthy tower of the lab, taken down at the end."""
    mac = Mac()
    try:
        mac.start_vm()
        kubeconfig = mac.home / ".kube" / "config"
        kubeconfig.parent.mkdir(exist_ok=True)
        tower = Tower(mac, Node(mac.docker_command, kubeconfig))
        tower.build()
        tower.mend()
        yield tower
    finally:
        mac.close()


def main(words: list[str]) -> int:
    """Build a tower, measure, take it down."""
    if words == ["status"]:
        status()
        return 0
    name, number, names = "".join(words[:1]), words[1:2], words[2:]
    is_wrong = not all(one.isdigit() for one in number) or (names and name != "faults")
    if name not in BENCHES or is_wrong:
        sys.stderr.write(
            f"usage: python -m tests.bench {{status|{'|'.join(BENCHES)}}} [NUMBER [FAULT …]]\n"
        )
        return USAGE
    with a_tower() as tower:
        BENCHES[name](tower, int(number[0]) if number else 0, names)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

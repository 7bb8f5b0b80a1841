"""`python -m tests.explore.liveness [SCHEDULES [SEED]]`: healer beside two naive policies."""

from __future__ import annotations

import argparse
import itertools
import sys
from pathlib import Path

from tests.explore.figures import written
from tests.explore.liveness.comparing import compared, covered_seeds, record, table


def main(words: list[str]) -> int:
    """Print the table, and write it down where asked."""
    asked = _arguments(words)
    lived = compared(itertools.islice(covered_seeds(asked.seed), asked.schedules))
    print(table(lived, asked.schedules))
    if asked.out is not None:
        told = written("liveness", asked.seed, record(lived, asked.schedules))
        asked.out.write_text(told, encoding="utf-8")
    return 0


def _arguments(words: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.explore.liveness", description=__doc__)
    parser.add_argument("schedules", type=int, nargs="?", default=100)
    parser.add_argument("seed", type=int, nargs="?", default=1, help="the first")
    parser.add_argument("--out", type=Path, help="where the table goes, as JSON")
    return parser.parse_args(words)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

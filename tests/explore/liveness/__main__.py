"""`python -m tests.explore.liveness [SCHEDULES [SEED]]`: healer beside two naive policies."""

from __future__ import annotations

import itertools
import sys

from tests.explore.liveness.comparing import compared, covered_seeds, table


def main(words: list[str]) -> int:
    """Print the table."""
    count, seed = (*(int(one) for one in words), *(100, 1)[len(words) :])
    print(table(compared(itertools.islice(covered_seeds(seed), count)), count))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

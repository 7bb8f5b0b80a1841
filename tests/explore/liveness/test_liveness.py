"""healer beside the naive policies: sooner well, with fewer disruptions, and no harm."""

from __future__ import annotations

import itertools

from tests.explore.liveness.comparing import compared, covered_seeds, table


def test_healer_is_sooner_and_gentler_than_both() -> None:
    """On the same schedules: less downtime than either, less disruption than the hammer (I12)."""
    lived = compared(itertools.islice(covered_seeds(1), 6))
    healer, others = lived["healer"], [one for name, one in lived.items() if name != "healer"]

    shown = table(lived, 6)
    assert all(healer.down < one.down for one in others), shown
    assert healer.disruptions < lived["restart the VM"].disruptions, shown
    assert (0, 0) == (healer.harm, healer.ill_at_end), shown

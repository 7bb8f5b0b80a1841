"""Times as the API server writes them."""

import pytest

from healer.model.stamps import epoch


@pytest.mark.parametrize(
    ("expected", "text"),
    [
        (1_795_000_000.0, "2026-11-18T11:06:40Z"),
        (1_795_000_000.25, "2026-11-18T11:06:40.250000Z"),
        (1_795_000_000.0, "2026-11-18T12:06:40+01:00"),
        (1_795_000_000.0, "2026-11-18T11:06:40"),
        (None, None),
        (None, ""),
        (None, "yesterday"),
        (None, "0001-01-01T00:00:00Z"),
        (None, "1970-01-01T00:00:00Z"),
        (None, 17),
    ],
)
def test_a_time_is_epoch_seconds_or_none(expected: float | None, text: object) -> None:
    """Never an error, and "never" is none."""
    assert expected == epoch(text)

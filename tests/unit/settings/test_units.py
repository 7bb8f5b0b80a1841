"""Durations and sizes as people write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from healer.settings.units import format_duration, format_size, parse_duration, parse_size


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90s", 90.0),
        ("10m", 600.0),
        ("1h30m", 5400.0),
        ("1h 30m", 5400.0),
        ("2d", 172_800.0),
        ("0.5s", 0.5),
        ("45", 45.0),
        (" 7s ", 7.0),
    ],
)
def test_a_duration_reads_as_it_is_written(text: str, seconds: float) -> None:
    """Days, hours, minutes and seconds, together or alone."""
    assert seconds == parse_duration(text)


@pytest.mark.parametrize("text", ["", "soon", "10 minutes", "-5s", "5s later", "m", "1e3s"])
def test_what_is_no_duration_is_refused_with_the_wanted_form(text: str) -> None:
    """The words name the value and show how to write one."""
    with pytest.raises(ValueError, match="is no time: write it as 90s, 10m or 1h30m"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("text", "size"),
    [("18GiB", 18 * 2**30), ("500MB", 500_000_000), ("1.5 KiB", 1536), ("7B", 7)],
)
def test_a_size_reads_as_it_is_written(text: str, size: int) -> None:
    """Binary and decimal units are told apart."""
    assert size == parse_size(text)


@pytest.mark.parametrize("text", ["", "18", "18g", "18 gib", "-1GiB", "GiB"])
def test_what_is_no_size_is_refused_with_the_wanted_form(text: str) -> None:
    """A lower-case unit could mean two things, so it means none."""
    with pytest.raises(ValueError, match="is no size: write it as 18GiB or 500MB"):
        parse_size(text)


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.0, "0s"), (90.0, "1m30s"), (1200.0, "20m"), (1e-5, "0.00001s")]
)
def test_a_duration_is_written_shortly(seconds: float, text: str) -> None:
    """Whole units where it has them."""
    assert text == format_duration(seconds)


@given(st.floats(min_value=0.0, allow_nan=False, allow_infinity=False))
def test_every_duration_reads_back_exactly(seconds: float) -> None:
    """What `config show` prints means the same number."""
    assert seconds == parse_duration(format_duration(seconds))


@given(st.integers(min_value=0, max_value=2**63))
def test_every_size_reads_back_exactly(size: int) -> None:
    """To the byte, up to what a 64-bit number holds."""
    assert size == parse_size(format_size(size))

"""Durations and sizes as people write them: `90s`, `1h30m`, `18GiB`."""

import re
from decimal import Decimal
from typing import Final

from healer.toml import shown

_SECONDS: Final = {"d": 86_400.0, "h": 3600.0, "m": 60.0, "s": 1.0}
_BYTES: Final = {
    "B": 1,
    "KiB": 2**10,
    "MiB": 2**20,
    "GiB": 2**30,
    "TiB": 2**40,
    "kB": 10**3,
    "MB": 10**6,
    "GB": 10**9,
    "TB": 10**12,
}
_NUMBER: Final = r"([0-9]+(?:\.[0-9]+)?)"
_DURATION: Final = re.compile(_NUMBER + r"\s*(d|h|m|s)\s*")
_SIZE: Final = re.compile(_NUMBER + r"\s*([A-Za-z]+)")
_EXACT: Final = 2.0**53
"""Above it not every whole number is a float."""


def parse_duration(text: str) -> float:
    """Seconds of `90s`, `10m`, `1h30m`, `2d`, or of a bare number.

    Raises ValueError that names the value and the wanted form.
    """
    text = text.strip()
    if re.fullmatch(_NUMBER, text):
        return float(text)
    parts = _DURATION.findall(text)
    if not parts or _DURATION.sub("", text):
        raise ValueError(f"{shown(text)} is no time: write it as 90s, 10m or 1h30m")
    return sum(float(number) * _SECONDS[unit] for number, unit in parts)


def format_duration(seconds: float) -> str:
    """A short form that reads back to the very same seconds; they must not be negative."""
    if seconds == 0:
        return "0s"
    if seconds != int(seconds) or seconds >= _EXACT:
        return f"{Decimal(repr(seconds)):f}s"
    rest, parts = int(seconds), []
    for unit, length in _SECONDS.items():
        count, rest = divmod(rest, int(length))
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts)


def parse_size(text: str) -> int:
    """Bytes of `18GiB` or `500MB`; raises ValueError that names the value and the form."""
    match = _SIZE.fullmatch(text.strip())
    if match is None or match[2] not in _BYTES:
        raise ValueError(f"{shown(text)} is no size: write it as 18GiB or 500MB")
    return round(Decimal(match[1]) * _BYTES[match[2]])


def format_size(size: int) -> str:
    """The largest binary unit that divides it."""
    for unit in ("TiB", "GiB", "MiB", "KiB"):
        if size and size % _BYTES[unit] == 0:
            return f"{size // _BYTES[unit]}{unit}"
    return f"{size}B"

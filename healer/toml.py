"""TOML that anybody may have written: it is bounded, and every fault is said in a sentence."""

import re
import reprlib
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from healer.files import read_regular

LARGEST: Final = 128 * 2**10
"""Bytes of a file; every setting of healer fills 15 KiB."""
_DEEPEST: Final = 20
_LONGEST_NUMBER: Final = 18
"""Decimal digits that always fit in 64 bits."""
_BITS: Final = 63
"""Of a number's 64; the last one is its sign."""
_DIGITS: Final = re.compile(r"[0-9_]{1000,}")

_SHORT: Final = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = 80


def shown(value: object) -> str:
    """A value as a message repeats it: short, and printable whatever it holds."""
    return _SHORT.repr(value)


def read_text(path: Path, *, trusted: bool = False) -> str:
    """The text of a file. Raises OSError and UnicodeDecodeError."""
    return read_regular(path, LARGEST, trusted=trusted).decode("utf-8")


def parse(text: str) -> dict[str, Any]:
    """The table. Raises ValueError, whose words begin with the line where it is known."""
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f" not valid TOML: {error}") from error
    except RecursionError as error:
        raise ValueError(_TOO_DEEP) from error
    except ValueError as error:
        # Python refuses to read so long a number, since that takes time.
        found = _DIGITS.search(text)
        if found is None:
            raise
        line, count = text.count("\n", 0, found.start()) + 1, len(found[0])
        words = f"{line}: a number of {count} digits; write at most {_LONGEST_NUMBER}"
        raise ValueError(words) from error
    if _is_too_deep(table):
        raise ValueError(_TOO_DEEP)
    return table


_TOO_DEEP: Final = f" nested too deeply; write at most {_DEEPEST} levels"


def _is_too_deep(table: Mapping[str, Any]) -> bool:
    """By a list of what to look at: dotted keys nest deeper than Python calls itself."""
    waiting: list[tuple[Any, int]] = [(table, 1)]
    while waiting:
        value, depth = waiting.pop()
        if isinstance(value, dict | list):
            if depth > _DEEPEST:
                return True
            inner = value.values() if isinstance(value, dict) else value
            waiting += [(one, depth + 1) for one in inner]
    return False


def unusable(value: object, key: str = "") -> Iterator[tuple[str, str]]:
    """Keys whose values no setting can have, each with what is wrong; not deeper than `parse`."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from unusable(inner, f"{key}.{name}" if key else name)
    elif isinstance(value, list):
        for number, inner in enumerate(value, 1):
            yield from unusable(inner, f"{key}[{number}]")
    elif isinstance(value, int) and value.bit_length() > _BITS:
        yield key, f"a number of {value.bit_length()} bits; write one that fits in 64"
    elif isinstance(value, str) and "\0" in value:
        yield key, f"{shown(value)} holds a NUL character; remove it"
    elif isinstance(value, str) and not _is_utf8(value):
        yield key, f"{shown(value)} holds what is not UTF-8; write it in UTF-8"


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True

"""The forms that values take in a file, and what is said of one that has another form."""

import math
import re
from dataclasses import dataclass
from typing import Any, Final

from healer.model.jobs import parse_local_url
from healer.outside import fault_of
from healer.settings.units import format_duration, parse_duration, parse_size
from healer.toml import shown

_LARGEST_PORT: Final = 65_535
_LARGEST_SIZE: Final = 2**63 - 1
LONGEST_TIME: Final = 3650 * 86_400.0
"""Seconds; what is meant to be later than in ten years is meant to be never."""
_ENDPOINT: Final = re.compile(r"(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]):[1-9][0-9]{0,4}")


@dataclass(frozen=True, slots=True)
class Unit:
    """A number with a unit: `duration` (seconds inside) or `size` (bytes inside)."""

    name: str

    def read(self, value: Any) -> float | int:  # noqa: ANN401  (whatever TOML can hold)
        """From a number or from what people write; raises ValueError."""
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if not number and not isinstance(value, str):
            raise ValueError(f"{shown(value)} should be {self._wanted()}")
        if self.name == "size":
            return _bytes(value)
        seconds = float(value) if number else parse_duration(value)
        if not 0 <= seconds < math.inf:
            raise ValueError(f"{shown(value)} should be a time of 0s or more")
        if seconds > LONGEST_TIME:
            raise ValueError(
                f"{shown(value)} should be a time of at most {format_duration(LONGEST_TIME)}"
            )
        return seconds + 0.0

    def _wanted(self) -> str:
        return "a size: 18GiB" if self.name == "size" else "a time: 90s, 10m or 1h30m"


DURATION: Final = Unit("duration")


def _bytes(value: float | str) -> int:
    size = parse_size(value) if isinstance(value, str) else value
    if not 0 <= size <= _LARGEST_SIZE or size != int(size):
        raise ValueError(f"{shown(value)} should be a whole number of bytes, from 0 to 8 EiB")
    return int(size)


@dataclass(frozen=True, slots=True)
class Bounds:
    """A whole number between two others."""

    least: int
    most: int

    def read(self, value: Any) -> int:  # noqa: ANN401  (whatever TOML can hold)
        """The same; raises ValueError."""
        whole = isinstance(value, int) and not isinstance(value, bool)
        if not whole or not self.least <= value <= self.most:
            wanted = f"a whole number from {self.least} to {self.most}"
            raise ValueError(f"{shown(value)} should be {wanted}")
        return int(value)


@dataclass(frozen=True, slots=True)
class Text:
    """A `name` (not empty), a `choice`, or a path that means the same everywhere.

    A `folder` is absolute; a `place` may also be in the home folder. An `endpoint` is host:port.
    A `local_url` leads to a port of this Mac, or is empty. A `pattern` is a regular expression.
    """

    kind: str
    choices: tuple[str, ...] = ()

    def read(self, value: Any) -> str:  # noqa: ANN401  (whatever TOML can hold)
        """The same; raises ValueError."""
        if not isinstance(value, str):
            raise ValueError(f"{shown(value)} should be text")  # noqa: TRY004  (a wrong value of a setting)
        if self.kind == "choice" and value not in self.choices:
            raise ValueError(f"{shown(value)} should be one of: {', '.join(self.choices)}")
        if self.kind == "name" and not value.strip():
            raise ValueError(f"{shown(value)} should not be empty")
        if self.kind == "folder" and not value.startswith("/"):
            raise ValueError(f"{shown(value)} should begin with /")
        if self.kind == "place" and not value.startswith(("/", "~/")):
            raise ValueError(
                f"{shown(value)} should begin with / or ~/: launchd runs healer elsewhere"
            )
        if self.kind == "pattern" and (fault := fault_of(value)):
            raise ValueError(f"{shown(value)} {fault}")
        if self.kind == "endpoint" and not _is_endpoint(value):
            raise ValueError(f"{shown(value)} should be host:port, e.g. example.org:443")
        if self.kind == "local_url" and value and parse_local_url(value) is None:
            raise ValueError(f"{shown(value)} should be http://127.0.0.1:PORT/PATH, on this Mac")
        return value


def _is_endpoint(value: str) -> bool:
    return _ENDPOINT.fullmatch(value) is not None and int(value.rpartition(":")[2]) <= _LARGEST_PORT


Form = Unit | Bounds | Text

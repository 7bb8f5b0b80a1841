"""How Colima and Lima speak: logrus without a terminal (facts/colima.md §1.1)."""

from __future__ import annotations

import json
import os
import re
import sys
from datetime import UTC, datetime
from typing import Final

_BARE: Final = re.compile(r"[A-Za-z0-9\-._/@^+]+")


class FatalError(Exception):
    """Ends a command with one fatal line and exit code 1."""


def local_time() -> str:
    """RFC 3339 with this machine's offset, as Go prints it."""
    text = datetime.now(UTC).astimezone().isoformat(timespec="seconds")
    return text.replace("+00:00", "Z")


def line(level: str, msg: str, time: str | None = None, **fields: str) -> str:
    """One line; only values that need quotes get them."""
    said = {"level": level, "msg": msg, **fields}
    words = " ".join(f"{key}={_value(value)}" for key, value in said.items())
    return f'time="{time or local_time()}" {words}\n'


def _value(text: str) -> str:
    return text if _BARE.fullmatch(text) else json.dumps(text, ensure_ascii=False)


def info(msg: str, **fields: str) -> None:
    """An ordinary line on stderr."""
    err(line("info", msg, **fields))


def warning(msg: str) -> None:
    """A warning on stderr."""
    err(line("warning", msg))


def fatal(msg: str) -> int:
    """The last line of a command that failed; its exit code."""
    err(line("fatal", msg))
    return 1


def err(text: str) -> None:
    """On stderr at once."""
    os.write(2, text.encode())


def out(text: str) -> None:
    """On stdout at once, behind what was printed before."""
    sys.stdout.flush()
    os.write(1, text.encode())


def entry(text: str) -> dict[str, str] | None:
    """One line of a JSON log, or None when it is something else."""
    try:
        found: dict[str, str] = json.loads(text)
    except ValueError:
        return None
    return found

"""Log lines as Colima and Lima write them where no terminal is (facts/colima.md §1.1)."""

from __future__ import annotations

import json
import re
import sys
from datetime import datetime
from typing import Final, NoReturn, TextIO

PLAIN: Final = re.compile(r"[A-Za-z0-9\-._/@^+]+")


def line(level: str, message: str, **fields: str) -> str:
    """One line without its end; a value of one plain word has no quotes."""
    now = datetime.now().astimezone().isoformat(timespec="seconds").replace("+00:00", "Z")
    more = "".join(f" {name}={_quoted(value)}" for name, value in fields.items())
    return f'time="{now}" level={level} msg={_quoted(message)}{more}'


def _quoted(value: str) -> str:
    return value if PLAIN.fullmatch(value) else json.dumps(value, ensure_ascii=False)


def say(stream: TextIO, level: str, message: str, **fields: str) -> None:
    """Write one line at once, so that who waits for it sees it."""
    stream.write(line(level, message, **fields) + "\n")
    stream.flush()


def info(message: str, **fields: str) -> None:
    """Colima's own words, which go to stderr."""
    say(sys.stderr, "info", message, **fields)


def warn(message: str) -> None:
    """As info."""
    say(sys.stderr, "warning", message)


def fatal(message: str) -> NoReturn:
    """The one way in which Colima fails."""
    say(sys.stderr, "fatal", message)
    sys.exit(1)

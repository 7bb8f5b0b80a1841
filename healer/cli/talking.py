"""What every command shares: exit codes, talk on stderr, data on stdout, the settings.

Nothing here costs a library, so that a quick command stays quick; the settings are imported by
whoever reads them, since that takes most of the time that `healer status` has (design §9).
"""

import codecs
import io
import os
import sys
from typing import TYPE_CHECKING, Final, TextIO

if TYPE_CHECKING:
    from healer.settings import Settings

USAGE: Final = 2
CONFIGURATION: Final = 78
"""EX_CONFIG of sysexits."""
INTERRUPTED: Final = 130


class Interrupted(Exception):
    """A human or the system ended us; carries the exit code."""

    def __init__(self, code: int = INTERRUPTED) -> None:
        super().__init__(f"interrupted ({code})")
        self.code = code


def tell(words: str) -> None:
    """Talk to the person: on stderr, so that stdout stays data."""
    _write(sys.stderr, words)


def put(words: str) -> None:
    """Print data: on stdout, line by line, so that a pipe shows it while it comes."""
    _write(sys.stdout, words)


def _write(stream: TextIO, words: str) -> None:
    """A reader who went away (`| head`) must not end an act half-way: nobody listens then."""
    try:
        stream.write(words + "\n")
        stream.flush()
    except BrokenPipeError:
        mute(stream)


_PLAIN: Final = {
    "…": "...", "→": "->", "·": ".", "✔": "+", "✓": "+", "✘": "x", "✗": "x", "≥": ">=", "—": "-",
    "●": "*", "⚒": "*",
}  # fmt: skip
"""What stands for our own marks where only ASCII can be shown; anything else is a `?`."""


def let_any_terminal_show() -> None:
    """Let no word fail in a terminal or a pipe that cannot show all characters (LC_ALL=C)."""
    codecs.register_error("healer", _plainly)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="healer")


def _plainly(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    words = error.object[error.start : error.end]
    return "".join(_PLAIN.get(one, "?") for one in words), error.end


def mute(stream: TextIO) -> None:
    """Let what is still written there vanish, so that the interpreter's last flush is quiet."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


class Misconfigured(Exception):
    """The settings are wrong; what and where has been said."""


def load_settings() -> "Settings":
    """The settings in force; says every problem and raises Misconfigured when there is one."""
    from healer.outside import redact_also  # noqa: PLC0415  (as below)
    from healer.settings import SettingsError, load  # noqa: PLC0415  (see the top of this file)

    try:
        settings = load().settings
    except SettingsError as error:
        for problem in error.problems:
            tell(problem)
        raise Misconfigured from error
    redact_also(settings.evidence.redact)
    return settings

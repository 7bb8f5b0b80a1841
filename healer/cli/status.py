"""`healer status`: what the running daemon knows, from its memory, in a tenth of a second."""

import argparse
import json
import os
import sys
import time
from typing import Any, Final

from healer.cli.asking import AskError, NoDaemon, ask, control_path
from healer.cli.talking import put, tell
from healer.telemetry.status_text import Paper, status_text

_EVERY: Final = 2.0
"""Seconds between two pictures of `--watch`."""
_WIDEST: Final = 120
"""Columns beyond which a line is no longer read as one."""
_ANEW: Final = "\x1b[H\x1b[J"
"""To the top left, and clear what is below."""
_NO_TERMINAL: Final = 2


def status(arguments: argparse.Namespace) -> int:
    """Print it; the exit code is the tower's, and 3 when there is no daemon to ask."""
    if not arguments.watch:
        return _shown(_document(), as_json=arguments.json)
    if arguments.json or not sys.stdout.isatty():
        tell("healer status: --watch draws on a terminal; for programs there is --json")
        return _NO_TERMINAL
    while True:
        document = _document()
        sys.stdout.write(_ANEW)
        _shown(document, as_json=False, rows=_rows())
        time.sleep(_EVERY)


def _shown(document: dict[str, Any], *, as_json: bool, rows: int | None = None) -> int:
    """Print it; `rows`: of a terminal on which all of it must stay."""
    if document["no_daemon_because"]:
        tell(f"healer: {document['no_daemon_because']}")
    if as_json:
        put(json.dumps(document, indent=2))
    elif not document["no_daemon_because"] or _known(document):
        text = status_text(document, _paper())
        taken = 2 if document["no_daemon_because"] else 0
        put(text if rows is None else fitted(text, rows - taken))
    return int(document["exit_code"])


def fitted(text: str, rows: int) -> str:
    """The first lines, one row below them free for the cursor.

    What scrolls out of the terminal cannot be cleared, and would stay above the next picture.
    """
    lines, room = text.split("\n"), max(rows - 1, 2)
    if len(lines) <= room:
        return text
    left = len(lines) - room + 1
    return "\n".join([*lines[: room - 1], f"… {left} more lines: healer status"])


def _known(document: dict[str, Any]) -> bool:
    """Whether the journal has anything to say without a daemon."""
    return any(document[part] for part in ("incidents", "pauses", "holds"))


def _document() -> dict[str, Any]:
    path = control_path()
    try:
        return ask(path, "status")
    except NoDaemon:
        why = "no daemon is running; `healer` starts it, `healer check` looks without it"
    except AskError as error:
        why = str(error)
    from healer.cli.without import known_without  # noqa: PLC0415  (a running daemon needs no journal)

    return known_without(why)


def _paper() -> Paper:
    """Colour on a terminal only, and not where NO_COLOR says something (no-color.org)."""
    if not sys.stdout.isatty():
        return Paper()
    marks = (sys.stdout.encoding or "").lower().startswith("utf")
    colour = not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    return Paper(min(_columns(), _WIDEST), colour=colour, marks=marks)


def _rows() -> int:
    try:
        return os.get_terminal_size(sys.stdout.fileno()).lines or 24
    except OSError:
        return 24


def _columns() -> int:
    given = os.environ.get("COLUMNS", "")
    if given.isdigit() and int(given):
        return int(given)
    try:
        return os.get_terminal_size(sys.stdout.fileno()).columns or 80
    except OSError:
        return 80

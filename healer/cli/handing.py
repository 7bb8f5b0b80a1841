"""`healer --once`: handed to the daemon when one runs, else a pass of our own."""

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from healer.adapters.living import lives
from healer.cli.asking import AskError, NoDaemon, ask, control_path
from healer.cli.presses import Presses
from healer.cli.talking import INTERRUPTED, put, tell
from healer.files import read_regular
from healer.model.whereabouts import LOCK
from healer.serving.protocol import FIRST_WITHIN

_AGAIN: Final = 0.1


def once(arguments: argparse.Namespace) -> int:
    """One pass that heals what may be healed; with `--dry-run` it only says what it would do.

    A dry run is always our own: it takes no lock, changes nothing and leaves no trace.
    """
    ended = None if arguments.dry_run else _handed(arguments)
    if ended is None:
        from healer.cli.once import one_pass  # noqa: PLC0415  (who hands it over need not pay)

        return one_pass(arguments)
    if arguments.json:
        put(json.dumps(ended["document"], indent=2))
    else:
        put(str(ended["text"]))
    if ended.get("journal_error"):
        tell(f"healer: {ended['journal_error']}")
    return INTERRUPTED if ended.get("why") == "interrupted" else int(ended["exit_code"])


def _handed(arguments: argparse.Namespace) -> dict[str, Any] | None:
    """The daemon's report; None when there is none.

    A daemon that does not answer holds the writer's lock all the same, so what follows only
    looks, and says so (design §10); one that ended in the middle has let go of it.
    """
    asked = {} if arguments.deadline is None else {"deadline": arguments.deadline}
    path = control_path()
    with Presses() as presses:

        def hand_over() -> dict[str, Any]:
            line = (lambda _: None) if arguments.json else tell
            return ask(path, "once", asked, line=line, presses=presses, patient=True)

        try:
            return _when_it_listens(hand_over, path.with_name(LOCK))
        except NoDaemon:
            return None
        except AskError as error:
            tell(f"healer: {error}")
            return None


def _when_it_listens(hand_over: Callable[[], dict[str, Any]], lock: Path) -> dict[str, Any]:
    """A daemon that has just begun holds the lock some time before it listens."""
    until = time.monotonic() + FIRST_WITHIN
    while True:
        try:
            return hand_over()
        except NoDaemon:
            if time.monotonic() >= until or not lives(_holder(lock)):
                raise
            time.sleep(_AGAIN)


def _holder(lock: Path) -> int:
    """Whoever took the lock last, by its own word; the lock itself is left alone.

    To try it would make a daemon that begins at this moment believe that another one runs.
    """
    try:
        return int(read_regular(lock, 32))
    except (OSError, ValueError):
        return 0

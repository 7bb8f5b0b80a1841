"""`healer status`: what the running daemon knows, from its memory."""

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Final

from healer.cli.asking import NoDaemon, Refused, Silent, ask
from healer.cli.talking import load_settings, tell
from healer.settings.places import places_of

_UNKNOWN: Final = 3


def status(arguments: argparse.Namespace) -> int:
    """Print it; the exit code is the tower's, 3 when there is no daemon to ask."""
    places = places_of(load_settings(), os.environ, Path.home())
    try:
        document = ask(places.control, "status")
    except NoDaemon:
        tell("healer: no daemon is running; `healer` starts it, `healer check` looks without it")
        return _UNKNOWN
    except (Silent, Refused) as error:
        tell(f"healer: {error}")
        return _UNKNOWN
    if arguments.json:
        sys.stdout.write(json.dumps(document, indent=2) + "\n")
    else:
        from healer.telemetry.status import status_text  # noqa: PLC0415  (the words of every remedy)

        sys.stdout.write(status_text(document) + "\n")
    return int(document["exit_code"]) if document["ready"] else _UNKNOWN

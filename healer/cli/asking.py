"""Asking the running daemon over its control socket; only the standard library, so it is quick."""

import json
import socket
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

_VERSION: Final = 1
_ANSWERS_WITHIN: Final = 5.0
"""Seconds to the first sign of an answer (design §10)."""
_LARGEST: Final = 16 * 2**20


class NoDaemon(Exception):
    """Nobody listens there."""


class Silent(Exception):
    """Somebody listens and does not answer, or not as a daemon does."""


class Refused(Exception):
    """The daemon understood and said no; the message is its own."""


def ask(
    path: Path,
    verb: str,
    arguments: Mapping[str, Any] | None = None,
    *,
    line: Callable[[str], None] = lambda _: None,
    within: float = _ANSWERS_WITHIN,
    patient: bool = False,
) -> dict[str, Any]:
    """The daemon's answer; lines that come before it are passed on.

    `within` bounds the wait for each word in seconds; `patient`: for the first one only.
    Raises NoDaemon, Silent, Refused.
    """
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(within)
            connection.connect(str(path))
            asked = {"version": _VERSION, "verb": verb, "arguments": dict(arguments or {})}
            connection.sendall(json.dumps(asked).encode() + b"\n")
            return _heard(connection, line, patient=patient)
    except (FileNotFoundError, ConnectionRefusedError, NotADirectoryError) as error:
        raise NoDaemon(f"no daemon listens at {path}") from error
    except TimeoutError as error:
        raise Silent(f"the daemon at {path} did not answer within {within:.0f} s") from error
    except OSError as error:
        raise Silent(f"the daemon at {path}: {error.strerror or error}") from error


def _heard(
    connection: socket.socket, line: Callable[[str], None], *, patient: bool
) -> dict[str, Any]:
    with connection.makefile("rb") as words:
        while True:
            heard = words.readline(_LARGEST)
            if not heard.endswith(b"\n"):
                raise Silent("the daemon ended in the middle of its answer")
            try:
                said = json.loads(heard)
            except ValueError as error:
                raise Silent(f"the daemon said something else than JSON: {heard[:80]!r}") from error
            if patient:
                connection.settimeout(None)
            if "line" in said:
                line(str(said["line"]))
            elif "error" in said:
                raise Refused(str(said["error"]))
            else:
                return dict(said["answer"])

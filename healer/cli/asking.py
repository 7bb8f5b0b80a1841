"""Asking the running daemon over its control socket; only the standard library, so it is quick."""

import json
import os
import select
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from healer.model.whereabouts import CONTROL, config_path, state_folder
from healer.serving.protocol import FIRST_WITHIN, VERSION, WORKING_EVERY

if TYPE_CHECKING:
    from healer.cli.presses import Presses

_SILENCE: Final = 6 * WORKING_EVERY
"""A daemon that has begun an answer gives a sign of life much more often."""
_LARGEST: Final = 16 * 2**20
"""Bytes of one line; the report of 5,000 ill pods has two million."""
_CHUNK: Final = 65_536


class AskError(Exception):
    """There is no answer; the message says why in a sentence."""


class NoDaemon(AskError):
    """Nobody listens there."""


class Silent(AskError):
    """Somebody listens and does not answer, or ended before its answer."""


class Refused(AskError):
    """The daemon understood and said no; the message is its own."""


def control_path() -> Path:
    """Where the daemon listens; reads of the settings only what that needs.

    Raises Misconfigured when even that cannot be read.
    """
    home = Path.home()
    named = _named_state(os.environ, home)
    if named is not None:
        return state_folder(named, os.environ, home) / CONTROL
    from healer.cli.talking import load_settings  # noqa: PLC0415  (a tenth of a second)
    from healer.settings.places import places_of  # noqa: PLC0415  (as above)

    return places_of(load_settings(), os.environ, home).control


def _named_state(environment: Mapping[str, str], home: Path) -> str | None:
    """`files.state`; '' when it is not set, None when only a full reading can tell."""
    given = environment.get("HEALER_FILES_STATE")
    must_exist = bool(environment.get("HEALER_CONFIG"))
    return given or _state_of_the_file(config_path(environment, home), must_exist=must_exist)


def _state_of_the_file(path: Path, *, must_exist: bool) -> str | None:
    if not must_exist and not os.path.lexists(path):
        return ""
    from healer.toml import parse, read_text  # noqa: PLC0415  (who has no file pays nothing)

    try:
        state = parse(read_text(path, trusted=True)).get("files", {}).get("state", "")
    except (OSError, ValueError, AttributeError):
        return None
    return state if isinstance(state, str) else None


def ask(
    path: Path,
    verb: str,
    arguments: Mapping[str, Any] | None = None,
    *,
    line: Callable[[str], None] = lambda _: None,
    presses: "Presses | None" = None,
    patient: bool = False,
) -> dict[str, Any]:
    """The daemon's answer; lines that come before it are passed on.

    The whole answer must come within 5 s; `patient`: only its first sign, and signs of life
    after it. The first press asks for nothing new to be begun, a second one raises Interrupted.
    Raises NoDaemon, Silent, Refused.
    """
    asked = {"version": VERSION, "verb": verb, "arguments": dict(arguments or {})}
    with socket.socket(socket.AF_UNIX) as connection:
        began = time.monotonic()
        try:
            _connect(connection, path, json.dumps(asked).encode() + b"\n")
            for said in _heard(connection, began, presses, patient=patient):
                if "line" in said:
                    line(str(said["line"]))
                elif "error" in said:
                    raise Refused(_words(said["error"]))
                elif isinstance(said.get("answer"), dict):
                    return dict(said["answer"])
        except TimeoutError as error:
            words = f"the daemon at {path} did not answer within {FIRST_WITHIN:.0f} s"
            raise Silent(words) from error
        except OSError as error:
            raise Silent(f"the daemon at {path}: {error.strerror or error}") from error
    raise Silent("the daemon ended in the middle of its answer")


def _words(error: object) -> str:
    return str(error.get("words", error)) if isinstance(error, dict) else str(error)


def _connect(connection: socket.socket, path: Path, request: bytes) -> None:
    connection.settimeout(FIRST_WITHIN)
    try:
        connection.connect(str(path))
    except (FileNotFoundError, ConnectionRefusedError, NotADirectoryError) as error:
        raise NoDaemon(f"no daemon listens at {path}") from error
    except BlockingIOError as error:
        # Linux says so when as many as may wait there wait already: nobody takes them.
        raise TimeoutError from error
    except OSError as error:
        if error.errno is None:  # "AF_UNIX path too long": no daemon can listen there either
            raise NoDaemon(f"no daemon listens at {path}: {error}") from error
        raise
    try:
        connection.sendall(request)
    except (BrokenPipeError, ConnectionResetError):
        # It said no before it had heard all; what it said can still be read.
        return


def _heard(
    connection: socket.socket, began: float, presses: "Presses | None", *, patient: bool
) -> Iterator[dict[str, Any]]:
    """Each line as it comes. Raises TimeoutError, Silent, Interrupted."""
    until, rest = began + FIRST_WITHIN, b""
    while True:
        _await(connection, until, presses)
        try:
            heard = connection.recv(_CHUNK)
        except ConnectionResetError:
            heard = b""
        if not heard:
            return
        *whole, rest = (rest + heard).split(b"\n")
        if len(rest) > _LARGEST:
            raise Silent("the daemon says more than an answer can be; is it healer?")
        if patient and whole:
            until = time.monotonic() + _SILENCE
        for one in whole:
            yield _said(one)


def _await(connection: socket.socket, until: float, presses: "Presses | None") -> None:
    """Until there is something to hear; a press in the meantime is passed on at once."""
    waiting: list[Any] = [connection] if presses is None else [connection, presses]
    while True:
        ready, _, _ = select.select(waiting, [], [], max(0.0, until - time.monotonic()))
        if presses is not None and presses in ready:
            presses.taken()
            connection.shutdown(socket.SHUT_WR)
        if connection in ready:
            return
        if not ready:
            raise TimeoutError


def _said(line: bytes) -> dict[str, Any]:
    try:
        said = json.loads(line)
    except (ValueError, RecursionError) as error:
        words = f"what answers is no daemon of ours: it said {line[:80]!r}"
        raise Silent(words) from error
    if not isinstance(said, dict):
        raise Silent(f"what answers is no daemon of ours: it said {line[:80]!r}")
    return said

"""What Colima's and Lima's files say (facts/colima.md §2), without running either."""

import json
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Final, TypeVar

from healer.files import open_regular
from healer.model.identity import USERNET_PID, Ours
from healer.model.machine import ColimaPaths, Ending, Forwarder, ProcessInfo
from healer.ports import CannotLook

PID_BYTES: Final = 64
_LARGEST_PID: Final = 2**31 - 1
"""pid_t has 32 bits; Linux counts to 4,194,304, macOS to 99,999."""
LOG_BYTES: Final = 4 << 20
"""How much of ha.stdout.log is read: READY comes in its first lines."""
YAML_LINES: Final = 10_000
HIGHEST_PORT: Final = 65535
_KEY_AND_VALUE: Final = 2
"""Words of a line of ssh.config."""
ERROR_LINES: Final = 20
TAIL_BYTES: Final = 1 << 16
"""How much of ha.stderr.log is read: what a hostagent writes while it ends is some 10 KB."""

_BEGAN: Final = "hostagent socket created at"
_TOLD: Final = re.compile(r"Received SIG[A-Z]+, shutting down the host agent")
_CRASHED: Final = re.compile(r"Driver stopped due to error: [`\"](?!<nil>).+[`\"]", re.DOTALL)
"""Lima 1.x to 2.3. A driver that ended without an error had its guest powered off from inside,
which a human may have done."""
_REMEMBERED: Final = 8
"""Files whose reading is kept while they stay as they are: one of each kind, and a few spare."""

Stamp = tuple[int, int, int]
"""Modification time in nanoseconds, inode and size: a file that keeps them was not written."""

_T = TypeVar("_T")


def resolve_paths(env: Mapping[str, str], home: Path, profile: str = "default") -> ColimaPaths:
    """Where this environment's Colima keeps its files, and Lima its own."""
    lima = env.get("LIMA_HOME")
    return ColimaPaths(resolve_root(env, home), profile, Path(lima) if lima else None)


def resolve_root(env: Mapping[str, str], home: Path) -> Path:
    """Colima's root: an existing COLIMA_HOME, else an existing `~/.colima`, else by XDG.

    launchd gives no XDG_CONFIG_HOME and a shell may, so the two can differ: resolve it once
    and pass it on (facts/colima.md §2, Roots).
    """
    given = env.get("COLIMA_HOME")
    if given and Path(given).is_dir():
        return Path(given)
    classic = home / ".colima"
    if classic.is_dir():
        return classic
    xdg = env.get("XDG_CONFIG_HOME")
    if xdg:
        return Path(xdg) / "colima"
    modern = home / ".config" / "colima"
    return modern if modern.is_dir() else classic


def lima_yaml(paths: ColimaPaths) -> Path:
    """It exists if and only if the VM was created once."""
    return paths.instance / "lima.yaml"


def is_created(paths: ColimaPaths) -> bool:
    """Whether the VM was created once. Raises CannotLook."""
    return modified(lima_yaml(paths)) is not None


def modified(path: Path) -> float | None:
    """Its modification time, or None when it is not there. Raises CannotLook."""
    return _seen(path, lambda: path.stat().st_mtime, None)


def read_pid(path: Path) -> int | None:
    """The pid in a file; None when it is not there or holds none. Raises CannotLook."""

    def read() -> bytes:
        with os.fdopen(open_regular(path), "rb") as file:
            return file.read(PID_BYTES)

    return parse_pid(_seen(path, read, b""))


def parse_pid(content: bytes) -> int | None:
    """A decimal number and a newline. 0, 1, signs and what no kernel counts to name nobody."""
    text = content.strip()
    return int(text) if text.isdigit() and 1 < int(text) <= _LARGEST_PID else None


def ours(paths: ColimaPaths) -> Ours:
    """Which processes are our VM's; under sudo, too, those of the folder's owner."""
    try:
        uid = paths.root.stat().st_uid
    except OSError:
        uid = os.getuid()
    homes = frozenset({paths.lima_home, paths.lima_home.resolve()})
    return Ours(uid, paths, homes)


def leftovers(paths: ColimaPaths) -> tuple[str, ...]:
    """Names of the sockets and pid files that are there. Raises CannotLook."""
    sockets = _names(paths.profile_folder, (".sock",))
    return (*sockets, *_names(paths.instance, (".pid", ".sock")))


def pid_files(paths: ColimaPaths) -> tuple[Path, ...]:
    """The pid files of the instance: ha.pid, vz.pid, … Raises CannotLook."""
    return tuple(paths.instance / name for name in _names(paths.instance, (".pid",)))


def driver_pids(paths: ColimaPaths) -> frozenset[int]:
    """What vz.pid, qemu.pid … name; with vz it is the hostagent itself. Raises CannotLook."""
    files = (one for one in pid_files(paths) if one.name != "ha.pid")
    return frozenset(pid for one in files if (pid := read_pid(one)) is not None)


def driver_lives(processes: Iterable[ProcessInfo], paths: ColimaPaths) -> bool:
    """Whether the process that is our VM is among these. Raises CannotLook."""
    own, our = driver_pids(paths), ours(paths)
    return any(
        our.is_driver(one) or (one.pid in own and our.is_hostagent(one)) for one in processes
    )


def configured_ssh_port(paths: ColimaPaths) -> int | None:
    """The port in ssh.config, which each start of a hostagent writes anew. Raises CannotLook."""
    nothing: list[str] = []
    text = _seen(paths.ssh_config, lambda: paths.ssh_config.read_text("utf-8").split("\n"), nothing)
    words = (line.split() for line in text)
    ports = (one[1] for one in words if len(one) == _KEY_AND_VALUE and one[0] == "Port")
    port = next((int(one) for one in ports if one.isdecimal()), 0)
    return port if 0 < port <= HIGHEST_PORT else None


def usernet_socket(paths: ColimaPaths) -> Path:
    """Where usernet answers for itself."""
    return paths.lima_home / "_networks" / "user-v2" / "user-v2_ep.sock"


def usernet_pid_file(paths: ColimaPaths) -> Path:
    """Where Lima notes the process of its user-v2 network."""
    return paths.lima_home / USERNET_PID


def disk_holder(paths: ColimaPaths) -> str:
    """Target of the data disk's `in_use_by`: a lock without liveness; '' = no lock."""
    link = paths.lima_home / "_disks" / paths.instance_name / "in_use_by"
    return _seen(link, lambda: str(link.readlink()), "")


def boot_is_over(paths: ColimaPaths) -> bool:
    """Whether ha.stdout.log holds a line with `"running":true`, Lima's READY.

    The log stays when the VM ends, so it speaks of the last VM (facts/colima.md §8).
    """
    log = paths.instance / "ha.stdout.log"
    stamp = _seen(log, lambda: _stamp(log), None)
    return stamp is not None and _holds_running(log, stamp)


@lru_cache(maxsize=_REMEMBERED)
def _holds_running(log: Path, stamp: Stamp) -> bool:
    del stamp  # what makes it be read anew

    def read() -> bool:
        with os.fdopen(open_regular(log), "rb") as file:
            return any(_says_running(line) for line in file.read(LOG_BYTES).split(b"\n"))

    return _seen(log, read, default=False)


def logged_at(paths: ColimaPaths) -> float | None:
    """When the hostagent last wrote one of its logs, epoch seconds; None without logs."""
    times = [modified(paths.instance / name) for name in ("ha.stdout.log", "ha.stderr.log")]
    return max((time for time in times if time is not None), default=None)


def ending(paths: ColimaPaths) -> Ending:
    """Why the last hostagent ended, by the tail of ha.stderr.log."""
    log = paths.instance / "ha.stderr.log"
    stamp = _seen(log, lambda: _stamp(log), None)
    return Ending.UNKNOWN if stamp is None else _ending_in(log, stamp)


@lru_cache(maxsize=_REMEMBERED)
def _ending_in(log: Path, stamp: Stamp) -> Ending:
    """By the first word of an end since the last beginning: what follows it is its consequence."""
    del stamp  # what makes it be read anew
    found = Ending.UNKNOWN
    for line in _tail(log):
        said = _entry(line).get("msg")
        if not isinstance(said, str):
            continue
        if said.startswith(_BEGAN):
            found = Ending.UNKNOWN
        elif found is Ending.UNKNOWN and _TOLD.fullmatch(said):
            found = Ending.TOLD
        elif found is Ending.UNKNOWN and _CRASHED.fullmatch(said):
            found = Ending.CRASHED
    return found


def last_error(paths: ColimaPaths) -> str:
    """The newest error in the tail of ha.stderr.log, where reasons of failed starts stand."""
    errors = (_error_of(line) for line in reversed(_tail(paths.instance / "ha.stderr.log")))
    return next((error for error in islice(errors, ERROR_LINES) if error), "")


def _tail(log: Path) -> list[str]:
    def read() -> list[str]:
        with os.fdopen(open_regular(log), "rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - TAIL_BYTES))
            return file.read(TAIL_BYTES).decode("utf-8", "replace").split("\n")

    nothing: list[str] = []
    return _seen(log, read, nothing)


def forwarder(paths: ColimaPaths) -> Forwarder | None:
    """The top-level `portForwarder` of colima.yaml; ssh when it says nothing we know.

    None when there is no colima.yaml: then nothing was chosen yet.

    ssh is the careful guess: it makes ports and docker.sock one witness instead of two.
    """
    file = paths.profile_folder / "colima.yaml"
    stamp = _seen(file, lambda: _stamp(file), None)
    return None if stamp is None else _forwarder_in(file, stamp)


@lru_cache(maxsize=_REMEMBERED)
def _forwarder_in(file: Path, stamp: Stamp) -> Forwarder:
    del stamp  # what makes it be read anew

    def read() -> str:
        with os.fdopen(open_regular(file), encoding="utf-8-sig", errors="replace") as lines:
            return top_level_scalar(islice(lines, YAML_LINES), "portForwarder")

    value = _seen(file, read, "")
    return Forwarder(value) if value in set(Forwarder) else Forwarder.SSH


def top_level_scalar(lines: Iterator[str], key: str) -> str:
    """The plain or quoted value of a top-level YAML key; '' when it is not there.

    All that is needed of YAML: keys of a nested level are indented, and so are the lines
    of a block scalar.
    """
    for line in lines:
        name, colon, rest = line.partition(":")
        if colon and name.strip("\"'") == key:
            value = (" " + rest).partition(" #")[0].strip()
            return value.strip("\"'")
    return ""


def _says_running(line: bytes) -> bool:
    try:
        event = json.loads(line) if b'"running"' in line else None
    except ValueError:
        return False
    status = event.get("status") if isinstance(event, dict) else None
    return isinstance(status, dict) and status.get("running") is True


def _error_of(line: str) -> str:
    entry = _entry(line)
    return str(entry.get("msg", "")) if entry.get("level") in {"error", "fatal"} else ""


def _entry(line: str) -> dict[str, object]:
    """One line of a hostagent's log; {} for what is none, such as a line that is cut off."""
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return entry if isinstance(entry, dict) else {}


def _stamp(path: Path) -> Stamp:
    found = path.stat()
    return found.st_mtime_ns, found.st_ino, found.st_size


def _names(folder: Path, suffixes: tuple[str, ...]) -> tuple[str, ...]:
    nothing: list[str] = []
    names = _seen(folder, lambda: sorted(os.listdir(folder)), nothing)  # noqa: PTH208  (asked all day)
    return tuple(name for name in names if name.endswith(suffixes))


def _seen(path: Path, look: Callable[[], _T], default: _T) -> _T:
    """What is there, or the default when it is not; all else is not having looked."""
    with _looking(path):
        try:
            return look()
        except (FileNotFoundError, NotADirectoryError):
            return default


@contextmanager
def _looking(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise CannotLook(str(path), error.strerror or str(error)) from error

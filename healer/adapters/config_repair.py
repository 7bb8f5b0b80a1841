"""A user's configuration file, rewritten on request: backed up first, and in one piece."""

import errno
import fcntl
import os
import stat
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from healer.model.config_editing import edited
from healer.model.config_faults import Edit
from healer.ports import ActFailed, Conflict

_PRIVATE: Final = 0o600


def repaired(text: str, edits: Sequence[Edit], place: str) -> str:
    """The text after the edits, proved to differ by them alone.

    Raises ActFailed when it would not: an anchor, for one, can carry an edit elsewhere.
    """
    import yaml  # noqa: PLC0415  (0.02 s that only a repair pays)

    new = edited(text, edits)
    try:
        before, after = yaml.safe_load(text), yaml.safe_load(new)
    except (yaml.YAMLError, ValueError):
        raise ActFailed(place, "would be no YAML any more; mend it by hand") from None
    changed = sorted(_changes(before, after))
    wanted = sorted((one.key, "" if one.spot is None else one.spot.text, one.new) for one in edits)
    if changed != wanted:
        raise ActFailed(place, "more would change than what is wrong; mend it by hand")
    return new


def write_repaired(path: Path, before: str, after: str, backups: Path, name: str) -> Path:
    """Back up, then replace the file in one piece; returns the backup's path.

    Owner and mode are kept, a symlink goes on leading to the same file, and kubectl's own lock
    is held. Raises ActFailed, and Conflict when somebody wrote it since it was read.
    """
    real = path.resolve()
    with _told(path), _locked(real):
        old = before.encode()
        if real.read_bytes() != old:
            raise Conflict(str(path), "was written by somebody else just now; ask again")
        backup = _backup(old, backups, name)
        _replace(real, after.encode(), backup)
    return backup


def _changes(before: Any, after: Any, key: str = "") -> Iterator[tuple[str, str, str]]:  # noqa: ANN401  (whatever YAML can hold)
    """Key, old and new text of every scalar that differs; entries that differ in number too."""
    if isinstance(before, dict) and isinstance(after, dict):
        for name in before.keys() | after.keys():
            yield from _changes(before.get(name, ""), after.get(name, ""), str(name))
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for old, new in zip(before, after, strict=True):
            yield from _changes(old, new, key)
    elif before != after:
        yield key, str(before or ""), str(after)


def _backup(data: bytes, folder: Path, name: str) -> Path:
    """0600 from its first moment: it holds keys. A second one of the same second gets a number."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for number in range(100):
        path = folder / (name if not number else f"{name}.{number}")
        try:
            _written(path, data, _PRIVATE)
        except FileExistsError:
            continue
        _sync_folder(folder)
        return path
    raise ActFailed(str(folder / name), "is there a hundred times; remove old backups")


def _replace(path: Path, data: bytes, backup: Path) -> None:
    found = path.stat()
    part = path.with_name(f".{path.name}.{backup.name}.part")
    part.unlink(missing_ok=True)
    try:
        _written(part, data, stat.S_IMODE(found.st_mode), (found.st_uid, found.st_gid))
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def _written(path: Path, data: bytes, mode: int, owner: tuple[int, int] | None = None) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(path, flags, _PRIVATE)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        if owner is not None and owner != (os.geteuid(), os.getegid()):
            os.fchown(file.fileno(), *owner)
        os.fchmod(file.fileno(), mode)
        _sync(file.fileno())


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """kubectl creates `config.lock` while it writes, and so do we."""
    lock = path.with_name(f"{path.name}.lock")
    try:
        os.close(os.open(lock, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0))
    except FileExistsError as error:
        words = f"kubectl is writing it; if none runs, remove {lock}"
        raise Conflict(str(path), words) from error
    try:
        yield
    finally:
        lock.unlink(missing_ok=True)


@contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        words = error.strerror or errno.errorcode.get(error.errno or 0, "cannot be written")
        raise ActFailed(str(error.filename or path), words) from error


def _sync(descriptor: int) -> None:
    if sys.platform == "darwin":  # there fsync leaves the data in the disk's own cache
        fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)
    os.fsync(descriptor)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

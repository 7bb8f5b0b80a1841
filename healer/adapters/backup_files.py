"""Files of a backup: written for their owner alone, hashed, synced, taken away one by one."""

import hashlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from healer.plans import manifest
from healer.plans.manifest import File

OWNER_FILE: Final = 0o600
OWNER_FOLDER: Final = 0o700
_CHUNK: Final = 1 << 20


class StrangeFile(OSError):
    """Something in a backup is neither a file nor a folder; it is not followed."""


def write_new(path: Path, data: bytes) -> None:
    """A new file, 0600 from its first byte on, on the disk when this returns. Raises OSError."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    with os.fdopen(os.open(path, flags, OWNER_FILE), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Put the names in it on the disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def below(folder: Path) -> Iterator[Path]:
    """Every file and folder in it, deepest first. Raises StrangeFile for a link or a device."""
    for one in sorted(folder.iterdir()):
        mode = one.lstat().st_mode
        if stat.S_ISDIR(mode):
            yield from below(one)
        elif not stat.S_ISREG(mode):
            raise StrangeFile(f"{one.name} is neither a file nor a folder")
        yield one


def close_to_others(folder: Path) -> None:
    """Modes of what a tool wrote there, and all of it on the disk."""
    for one in [*below(folder), folder]:
        if one.is_dir():
            one.chmod(OWNER_FOLDER)
            sync_folder(one)
        else:
            one.chmod(OWNER_FILE)
            _sync(one)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def hashed(folder: Path) -> dict[str, File]:
    """Every file of a backup but its manifest, by its relative path. Raises OSError."""
    found = {}
    for one in below(folder):
        path = one.relative_to(folder).as_posix()
        if one.is_dir() or path == manifest.NAME:
            continue
        with one.open("rb") as file:
            digest, size = hashlib.sha256(), 0
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
                size += len(chunk)
        found[path] = File(path, size, digest.hexdigest())
    return found


def take_away(folder: Path) -> None:
    """A folder and what is in it, links themselves and never what they lead to."""
    for one in sorted(folder.iterdir()):
        if stat.S_ISDIR(one.lstat().st_mode):
            take_away(one)
        else:
            one.unlink()
    folder.rmdir()

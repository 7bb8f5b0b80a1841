"""The folder of all backups: one is written aside and gets its name when it is whole."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from healer.adapters.backup_files import (
    OWNER_FILE,
    OWNER_FOLDER,
    hashed,
    sync_folder,
    take_away,
    write_new,
)
from healer.files import open_regular
from healer.plans import manifest
from healer.plans.manifest import BadManifest, Manifest, folder_name, named_complete

_PARTIAL: Final = ".partial-"
"""What has not its name yet counts for nothing."""
_LOCK: Final = ".lock"
_LARGEST: Final = 64 << 20
"""Bytes of a manifest: a PDS may have very many blobs."""


class StoreError(Exception):
    """The folder of backups cannot be used; the message names it, the cause and the remedy."""


@dataclass(frozen=True, slots=True)
class Backup:
    """One backup that has its name."""

    folder: Path
    manifest: Manifest | None
    """None: it cannot be read."""
    problem: str
    """Why not; '' = it can."""

    @property
    def complete(self) -> bool:
        """Whether both its name and its manifest say so."""
        named = named_complete(self.folder.name)
        return bool(named and self.manifest is not None and self.manifest.complete)


class BackupStore:
    """One folder, 0700, with backups in it. Everything raises StoreError."""

    def __init__(self, root: Path) -> None:
        self._root = root

    @contextmanager
    def drafting(self, made_at: int) -> Iterator[Path]:
        """An empty folder to write into, while nobody else makes a backup here.

        It is taken away when it has not got its name by `finish` at the end.
        """
        with self._locked():
            for old in self._root.glob(f"{_PARTIAL}*"):
                take_away(old)  # nobody else is at work: it was left by one who was killed
            draft = self._root / f"{_PARTIAL}{stamp_of(made_at)}"
            draft.mkdir(mode=OWNER_FOLDER)
            try:
                yield draft
            finally:
                if draft.exists():
                    take_away(draft)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        try:
            self._root.mkdir(mode=OWNER_FOLDER, parents=True, exist_ok=True)
            flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW
            lock = open_regular(self._root / _LOCK, flags, OWNER_FILE)
        except OSError as error:
            raise StoreError(f"{self._root}: {error.strerror}; choose another: --to") from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield
        except BlockingIOError as error:
            raise StoreError(f"{self._root}: another backup is being made; wait for it") from error
        except OSError as error:
            what = error.strerror or str(error)
            raise StoreError(f"{self._root}: {what}; see: df -h {self._root}") from error
        finally:
            os.close(lock)

    def finish(self, draft: Path, made: Manifest) -> Path:
        """Write the manifest last of all, and give the backup its name at one stroke."""
        write_new(draft / manifest.NAME, manifest.written(made))
        sync_folder(draft)
        stamp, again = stamp_of(made.made_at), 0
        while (
            place := self._root / folder_name(stamp, complete=made.complete, again=again)
        ).exists():
            again += 1
        draft.rename(place)
        sync_folder(self._root)
        return place

    def all(self) -> list[Backup]:
        """Every backup, the newest first; what is half-written is none."""
        try:
            names = [one for one in self._root.iterdir() if one.is_dir() and not one.is_symlink()]
        except FileNotFoundError:
            return []
        except OSError as error:
            raise StoreError(f"{self._root}: {error.strerror}") from error
        ours = [one for one in names if named_complete(one.name) is not None]
        return [open_backup(one) for one in sorted(ours, key=lambda one: one.name, reverse=True)]

    def prune(self, keep: int) -> list[Path]:
        """Take away all but the newest `keep` complete ones, and as many incomplete ones.

        A folder whose manifest cannot be read is left to a human.
        """
        readable = [one for one in self.all() if one.manifest is not None]
        whole = [one for one in readable if one.complete]
        partly = [one for one in readable if not one.complete]
        gone = [one.folder for several in (whole, partly) for one in several[keep:]]
        for one in gone:
            aside = self._root / f"{_PARTIAL}{one.name}"
            try:
                one.rename(aside)  # at one stroke: a half-removed backup must not count
                take_away(aside)
            except OSError as error:
                raise StoreError(f"{one}: cannot be pruned: {error.strerror}") from error
        return gone


def open_backup(folder: Path) -> Backup:
    """A backup and its manifest, or why that cannot be read."""
    path = folder / manifest.NAME
    try:
        if path.stat().st_size > _LARGEST:
            return Backup(folder, None, f"{path}: too large to be a manifest")
        return Backup(folder, manifest.read(path.read_text(encoding="utf-8")), "")
    except OSError as error:
        return Backup(folder, None, f"{path}: {error.strerror}")
    except (BadManifest, UnicodeDecodeError) as error:
        words = str(error) if isinstance(error, BadManifest) else "is not text"
        return Backup(folder, None, f"{path}: {words}")


def problems(backup: Backup) -> list[str]:
    """Everything that keeps a backup from being trusted: contents, modes, what it lacks."""
    if backup.manifest is None:
        return [backup.problem]
    try:
        wrong = manifest.differences(backup.manifest, hashed(backup.folder))
        if backup.folder.stat().st_mode & 0o077:
            wrong.append(f"others may read it; run: chmod 700 {backup.folder}")
    except OSError as error:
        return [f"{backup.folder}: {error.strerror or error}"]
    wrong += [f"{one.part}: was not saved: {one.why}" for one in backup.manifest.failures]
    if not wrong and not backup.complete:
        wrong.append(f"{backup.folder.name}: its name does not promise a complete backup")
    return wrong


def stamp_of(seconds: int) -> str:
    """A time as folder names have it, in UTC: they sort by it."""
    return time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(seconds))

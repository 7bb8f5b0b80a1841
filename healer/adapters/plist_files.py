"""Plists on disk: written in one piece, moved without loss, remembered before they are moved."""

import errno
import fcntl
import os
import shlex
import shutil
import stat
import sys
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from healer.model.launch_agent import LABEL, TRIAL, parse_plist
from healer.model.set_aside import Manifest, PlistFile, aside_name, parse_manifest, written
from healer.ports import ActFailed, CannotLook

_PLIST: Final = 0o644
"""launchd refuses one that others may write (facts/peers.md §6.2)."""
_PRIVATE: Final = 0o600
_LARGEST: Final = 1 << 20
"""Bytes of a plist or a manifest; both are some 2 KB."""


class PlistFiles:
    """The folders that launchd loads from, and the one where retired plists lie.

    `homes` are the former, the user's own first; `aside` is the latter. `owner` is the user
    and group that what lies in the user's folders shall belong to, None when that is us.
    """

    def __init__(
        self, homes: Sequence[Path], aside: Path, owner: tuple[int, int] | None = None
    ) -> None:
        self._homes = homes
        self._aside = aside
        self._owner = owner

    @property
    def _manifest(self) -> Path:
        return self._aside / "manifest.json"

    def found(self, labels: Collection[str]) -> Iterator[PlistFile]:
        """Plists of these labels, whatever their files are called. Raises CannotLook."""
        for home in self._homes:
            for path in sorted(_listed(home)):
                data = _read(path)
                label = _label(path, data or b"")
                if label not in labels:
                    continue
                if data is None:
                    raise CannotLook(str(path), f"cannot be read; look: ls -l {_quoted(path)}")
                yield PlistFile(label, path, aside_name(label, path, data))

    def manifest(self) -> Manifest:
        """What is noted of what was there. Raises CannotLook."""
        try:
            data = self._manifest.read_bytes()
        except FileNotFoundError:
            return Manifest()
        except OSError as error:
            raise CannotLook(str(self._manifest), f"{error.strerror}") from error
        try:
            return parse_manifest(data[:_LARGEST], self._homes)
        except ValueError as error:
            folder = _quoted(self._aside)
            raise CannotLook(
                str(self._manifest),
                f"not understood: {error}; the retired plists lie beside it: put them back by "
                f"hand and remove it: ls {folder}",
            ) from error

    def asides(self) -> frozenset[str]:
        """Names of what lies aside."""
        return frozenset(path.name for path in _listed(self._aside))

    def has_trial(self) -> bool:
        """Whether the plist of a throw-away job was left behind."""
        return any((home / f"{TRIAL}.plist").exists() for home in self._homes)

    def keep(self, manifest: Manifest) -> None:
        """Write and sync the manifest; one that says nothing goes. Raises ActFailed.

        When no installation is under way any more, the copies of healer's own plists go too.
        """
        with _told(self._manifest):
            if manifest == Manifest():
                self._manifest.unlink(missing_ok=True)
                _sync_folder(self._aside)
                self._remove_empty_folder()
            else:
                self._folder(self._aside)
                self._write(self._manifest, written(manifest), _PRIVATE)
        self._forget_backups(manifest)

    def back_up(self, path: Path) -> None:
        """Copy a plist beside itself, out of launchd's sight; an older copy stays."""
        with _told(path):
            if not os.path.lexists(_backup(path)):
                self._write(_backup(path), path.read_bytes(), _PLIST)

    def revert(self, path: Path) -> None:
        """Put the copy back, if there is one. Raises ActFailed."""
        with _told(path), suppress(FileNotFoundError):
            _backup(path).replace(path)
            _sync_folder(path.parent)

    def _forget_backups(self, manifest: Manifest) -> None:
        if manifest.before is None:
            for home in self._homes:
                with _told(home):
                    _backup(home / f"{LABEL}.plist").unlink(missing_ok=True)

    def set_aside(self, path: Path, aside: str) -> None:
        """Move a plist out of launchd's sight. Raises ActFailed."""
        with _told(path):
            self._folder(self._aside)
            _move(path, self._aside / aside)

    def put_back(self, aside: str, path: Path) -> None:
        """Move it back to where it was. Raises ActFailed."""
        source = self._aside / aside
        with _told(path):
            # Its folder is the user's, and what launchd loads for the system runs as root.
            if path.parent != self._homes[0] and not _is_roots(source):
                raise ActFailed(str(source), "no plain file of root's any more: look at it first")
            self._folder(path.parent)
            _move(source, path)

    def sweep(self) -> None:
        """Remove what runs that were cut off have left half-written. Raises ActFailed."""
        manifest = self.manifest()
        self._forget_backups(manifest)
        names = (f"{LABEL}.plist", f"{TRIAL}.plist", _backup(Path(f"{LABEL}.plist")).name)
        ours = [home / name for home in self._homes for name in names]
        moved = [one.path for one in manifest.kept]
        parts = [*self._aside.glob(".*.part"), *map(_part, (*ours, *moved))]
        for part in parts:
            with _told(part):
                part.unlink(missing_ok=True)
        with _told(self._aside):
            self._remove_empty_folder()

    def write(self, path: Path, data: bytes) -> None:
        """Write a plist, in one piece or not at all. Raises ActFailed."""
        with _told(path):
            self._folder(path.parent)
            self._write(path, data, _PLIST)

    def remove(self, path: Path) -> None:
        """Remove a plist of ours. Raises ActFailed."""
        with _told(path):
            path.unlink(missing_ok=True)
            _sync_folder(path.parent)

    def make_folder(self, path: Path) -> None:
        """Make a folder of the user's: launchd makes none for what it catches."""
        with _told(path):
            self._folder(path)

    def _write(self, path: Path, data: bytes, mode: int) -> None:
        with self._as_owner(path):
            self._written(path, data, mode)

    def _written(self, path: Path, data: bytes, mode: int) -> None:
        part = _part(path)
        part.unlink(missing_ok=True)
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode)
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(descriptor, mode)  # whatever the umask says
            file.write(data)
            file.flush()
            _sync(descriptor)
        part.replace(path)
        _sync_folder(path.parent)

    def _folder(self, path: Path) -> None:
        """Make a folder and those above it, all of them the user's own."""
        if path.is_dir() or path in self._homes[1:]:
            return  # the system's own are there on every Mac
        self._folder(path.parent)
        with self._as_owner(path):
            path.mkdir(mode=0o700)

    @contextmanager
    def _as_owner(self, path: Path) -> Iterator[None]:
        """Under sudo be the user where the path is one's own: settings may lead it anywhere."""
        if not self._owner or os.geteuid() != 0 or path.parent in self._homes[1:]:
            yield
            return
        groups, (uid, gid) = os.getgroups(), self._owner
        os.setgroups([gid])
        os.setegid(gid)
        os.seteuid(uid)
        try:
            yield
        finally:
            os.seteuid(0)
            os.setegid(0)
            os.setgroups(groups)

    def _remove_empty_folder(self) -> None:
        try:
            self._aside.rmdir()
        except OSError as error:
            # Older copies stay; nothing there is ours to throw away.
            if error.errno not in {errno.ENOTEMPTY, errno.EEXIST, errno.ENOENT}:
                raise


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """An error of the system, as one of ours: file, cause and what to look at."""
    try:
        yield
    except OSError as error:
        look = f"ls -ld {_quoted(path.parent)} {_quoted(path)}"
        raise ActFailed(str(path), f"{error.strerror or error}; look: {look}") from error


def _listed(folder: Path) -> list[Path]:
    try:
        return [path for path in folder.iterdir() if path.suffix == ".plist"]
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise CannotLook(str(folder), f"{error.strerror}; look: ls -ld {folder}") from error


def _read(path: Path) -> bytes | None:
    try:
        with path.open("rb") as file:
            return file.read(_LARGEST)
    except OSError:
        return None


def _label(path: Path, data: bytes) -> str:
    """What the plist calls itself; a damaged one goes by its file's name."""
    label = (parse_plist(data) or {}).get("Label")
    return label if isinstance(label, str) else path.stem


def _move(source: Path, target: Path) -> None:
    """Move a file; a target that is there already is the same file, moved by a run cut short."""
    if os.path.lexists(target):
        source.unlink(missing_ok=True)
    else:
        try:
            source.rename(target)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            _copy(source, target)
            source.unlink()
    _sync_folder(target.parent)
    _sync_folder(source.parent)


def _copy(source: Path, target: Path) -> None:
    """To another disk: whole and synced before it gets its name."""
    part = _part(target)
    part.unlink(missing_ok=True)
    shutil.copy2(source, part, follow_symlinks=False)
    owner = source.lstat()
    os.chown(part, owner.st_uid, owner.st_gid, follow_symlinks=False)
    if not part.is_symlink():
        with part.open("rb") as file:
            _sync(file.fileno())
    part.rename(target)


def _part(path: Path) -> Path:
    """Where it is written first: launchd loads what is called `.plist`, half-written or not."""
    return path.with_name(f".{path.name}.part")


def _backup(path: Path) -> Path:
    """Beside it, where who may change the one may change the other; launchd does not load it."""
    return path.with_name(f".{path.name}.before")


def _is_roots(path: Path) -> bool:
    status = path.lstat()
    return stat.S_ISREG(status.st_mode) and status.st_uid == 0


def _sync(descriptor: int) -> None:
    if sys.platform == "darwin":  # there fsync leaves the data in the disk's own cache
        fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)
    os.fsync(descriptor)


def _sync_folder(folder: Path) -> None:
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except FileNotFoundError:
        return
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _quoted(path: Path) -> str:
    return shlex.quote(str(path))

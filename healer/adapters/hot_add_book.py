"""The journal of a hot-add and the copies of the files: a folder each, every line synced.

`healer ports recover` reads it after a kill at any instant: what a step does comes after its
`begun` line is on the disk, and a last line that was torn is a step that had not begun.
"""

import json
import os
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from healer.adapters.backup_files import OWNER_FILE, OWNER_FOLDER, sync_folder, write_new
from healer.model.container import PortBinding
from healer.model.hot_add import Progress, Started, Step
from healer.model.port_edit import WantedPort
from healer.ports import ActFailed, CannotLook

_LINES: Final = "journal.jsonl"
_SCHEMA: Final = 1


class HotAddBook:
    """hotadd.asking.Book in a folder of healer's state. Raises ActFailed and CannotLook."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._folder: Path | None = None

    @property
    def place(self) -> str:
        """Where the copies are."""
        return str(self._folder or self._root)

    def begin(self, started: Started) -> None:
        """A folder of its own, known by its first line."""
        name = time.strftime("%Y%m%d-%H%M%S")
        try:
            self._root.mkdir(mode=OWNER_FOLDER, parents=True, exist_ok=True)
            folder = next(
                one
                for number in range(100)
                if not (one := self._root / f"{name}-{number:02}").exists()
            )
            folder.mkdir(mode=OWNER_FOLDER)
            self._folder = folder
            self._write({"schema_version": _SCHEMA, "started": asdict(started)})
            sync_folder(folder)
            sync_folder(self._root)
        except OSError as error:
            raise ActFailed(str(self._root), error.strerror or "cannot be written") from error

    def step(self, step: Step, *, done: bool) -> None:
        """A step begins, or is done."""
        self._say({"done" if done else "begun": step.value})

    def save(self, copies: dict[str, bytes], hashes: dict[str, tuple[str, str]]) -> None:
        """Keep the files, 0600 from their first byte on: they hold the cluster's keys."""
        folder = self._open()
        try:
            for name, data in copies.items():
                write_new(folder / name, data)
            sync_folder(folder)
        except OSError as error:
            raise ActFailed(str(folder), error.strerror or "cannot be written") from error
        self._say({"hashes": hashes})

    def copy(self, name: str) -> bytes:
        """A file as it was."""
        path = self._open() / name
        try:
            return path.read_bytes()
        except OSError as error:
            raise CannotLook(str(path), error.strerror or "cannot be read") from error

    def rolling_back(self) -> None:
        """From now on there is only the way back."""
        self._say({"rolling_back": True})

    def finish(self, how: str) -> None:
        """It is over; the copies stay."""
        self._say({"finished": how})

    def progress(self) -> Progress | None:
        """Of the newest, when it is open. Raises CannotLook when it cannot be understood."""
        folder = self._folder or self._newest()
        if folder is None:
            return None
        lines = _lines(folder / _LINES)
        if not lines:
            return None  # killed before its first line was whole: nothing had begun
        self._folder = folder
        try:
            found = _progress(lines)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            words = f"is not as this version of healer writes it ({error!r})"
            raise CannotLook(str(folder / _LINES), words) from error
        return None if found.finished else found

    def _newest(self) -> Path | None:
        try:
            return max(one for one in self._root.iterdir() if one.is_dir())
        except (FileNotFoundError, ValueError):
            return None
        except OSError as error:
            raise CannotLook(str(self._root), error.strerror or "cannot be read") from error

    def _open(self) -> Path:
        if self._folder is None:
            raise ActFailed(str(self._root), "no hot-add is open")
        return self._folder

    def _say(self, line: dict[str, Any]) -> None:
        try:
            self._write(line)
        except OSError as error:
            raise ActFailed(self.place, error.strerror or "cannot be written") from error

    def _write(self, line: dict[str, Any]) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
        path = self._open() / _LINES
        with os.fdopen(os.open(path, flags, OWNER_FILE), "wb") as file:
            # Before it, since the line before may have been torn by a kill.
            file.write(b"\n" + json.dumps(line).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())


def _lines(path: Path) -> list[dict[str, Any]]:
    """Whole ones: a torn one is what had not been said yet."""
    try:
        texts = path.read_text(encoding="utf-8", errors="replace").split("\n")
    except FileNotFoundError:
        return []
    except OSError as error:
        raise CannotLook(str(path), error.strerror or "cannot be read") from error
    found = []
    for text in texts:
        try:
            line = json.loads(text)
        except ValueError:
            continue
        if isinstance(line, dict):
            found.append(line)
    return found


def _progress(lines: list[dict[str, Any]]) -> Progress:
    first = lines[0]
    if first["schema_version"] != _SCHEMA:
        raise ValueError(first["schema_version"])
    hashes: dict[str, Any] = next((one["hashes"] for one in reversed(lines) if "hashes" in one), {})
    return Progress(
        _started(first["started"]),
        frozenset(Step(one["begun"]) for one in lines if "begun" in one),
        frozenset(Step(one["done"]) for one in lines if "done" in one),
        any("rolling_back" in one for one in lines),
        next((str(one["finished"]) for one in lines if "finished" in one), ""),
        {name: (str(old), str(new)) for name, (old, new) in hashes.items()},
    )


def _started(raw: dict[str, Any]) -> Started:
    return Started(
        WantedPort(**raw["wanted"]),
        str(raw["container"]),
        str(raw["root"]),
        bool(raw["was_running"]),
        bool(raw["was_ready"]),
        bool(raw["pauses"]),
        tuple(PortBinding(**one) for one in raw["ports"]),
    )

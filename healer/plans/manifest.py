"""What a backup says of itself: each file with size and hash, and what is not in it."""

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Final

SCHEMA: Final = 1
NAME: Final = "manifest.json"
INCOMPLETE: Final = ".incomplete"
_FOLDER: Final = re.compile(r"backup-\d{8}T\d{6}Z(?:-\d+)?(?P<incomplete>\.incomplete)?")


@dataclass(frozen=True, slots=True)
class File:
    """One file of a backup."""

    path: str
    """Relative to the backup's folder, with `/`."""
    size: int
    """Bytes."""
    sha256: str


@dataclass(frozen=True, slots=True)
class Failure:
    """A part that could not be saved; never holds a secret."""

    part: str
    why: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """One backup."""

    made_at: int
    """Epoch seconds, when it was begun: what it holds is not younger."""
    cluster: str
    version: str
    """healer's."""
    files: tuple[File, ...]
    failures: tuple[Failure, ...]

    @property
    def complete(self) -> bool:
        """Whether every part was saved."""
        return not self.failures

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(one.size for one in self.files)


class BadManifest(ValueError):
    """The manifest cannot be read; the message says why."""


def written(manifest: Manifest) -> bytes:
    """The same manifest is the same bytes."""
    told = {"schema_version": SCHEMA, "complete": manifest.complete, **asdict(manifest)}
    return (json.dumps(told, indent=2, sort_keys=True) + "\n").encode()


def read(text: str) -> Manifest:
    """A manifest from its file. Raises BadManifest."""
    try:
        raw = json.loads(text)
        schema, claimed = raw["schema_version"], raw["complete"]
        made = Manifest(
            made_at=int(raw["made_at"]),
            cluster=str(raw["cluster"]),
            version=str(raw["version"]),
            files=tuple(
                File(str(one["path"]), int(one["size"]), str(one["sha256"])) for one in raw["files"]
            ),
            failures=tuple(Failure(str(one["part"]), str(one["why"])) for one in raw["failures"]),
        )
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise BadManifest("it is no manifest of a backup") from error
    if schema != SCHEMA:
        raise BadManifest(f"schema_version is {schema!r}, known is {SCHEMA}")
    if claimed is not made.complete:
        raise BadManifest("it calls itself complete and names failures, or the reverse")
    return made


def folder_name(stamp: str, *, complete: bool, again: int = 0) -> str:
    """The folder's name; a backup that lacks something says so in it."""
    number = f"-{again + 1}" if again else ""
    return f"backup-{stamp}{number}{'' if complete else INCOMPLETE}"


def named_complete(name: str) -> bool | None:
    """Whether a folder's name promises a complete backup; None = it is no backup of ours."""
    found = _FOLDER.fullmatch(name)
    return None if found is None else found["incomplete"] is None


def differences(manifest: Manifest, found: Mapping[str, File]) -> list[str]:
    """What is wrong with the files that are there: missing, changed, or not listed."""
    listed = {one.path: one for one in manifest.files}
    wrong = [f"{path}: is not there" for path in sorted(listed.keys() - found.keys())]
    wrong += [f"{path}: is not in the manifest" for path in sorted(found.keys() - listed.keys())]
    for path in sorted(listed.keys() & found.keys()):
        want, seen = listed[path], found[path]
        if want.size != seen.size:
            wrong.append(f"{path}: has {seen.size} bytes, and had {want.size}")
        elif want.sha256 != seen.sha256:
            wrong.append(f"{path}: its content has changed")
    return wrong

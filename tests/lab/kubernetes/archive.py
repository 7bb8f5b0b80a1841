"""Root file systems as tar archives, made of the machine's own files.

No image registry is needed (facts/lab.md): ``docker import`` and ``ctr images import`` take what
is written here.
"""

from __future__ import annotations

import filecmp
import hashlib
import io
import json
import platform
import re
import subprocess
import tarfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.lab.kubernetes.build import program

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

LIBRARY: Final = re.compile(r"(?:=> )?(/\S+) \(0x")


def libraries(binary: Path) -> list[str]:
    """The shared libraries that a program loads, none for a static one."""
    answer = subprocess.run(
        [program("ldd", "libc-bin"), binary],
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    return LIBRARY.findall(answer.stdout) if answer.returncode == 0 else []


@dataclass(slots=True)
class RootFolder:
    """What a root file system holds, by absolute path."""

    files: dict[str, Path] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)
    folders: set[str] = field(default_factory=set)

    def add_program(self, source: Path, target: str) -> None:
        """Add a program under another path, with the libraries it loads."""
        self.files[target] = source
        for library in libraries(source):
            self.files[library] = Path(library)

    def add_links(self, names: Sequence[str], to: str) -> None:
        """Let each of the names be found in /bin as the one program."""
        self.links.update({f"/bin/{name}": to for name in names})

    def write(self, stream: io.BufferedIOBase | io.BytesIO) -> None:
        """Write everything as one tar archive, the same bytes for the same content."""
        with tarfile.open(fileobj=stream, mode="w", format=tarfile.GNU_FORMAT) as tar:
            for folder in sorted(self._all_folders()):
                entry = tarfile.TarInfo(folder.lstrip("/"))
                entry.type, entry.mode = tarfile.DIRTYPE, 0o755
                tar.addfile(entry)
            for path, target in sorted(self.links.items()):
                entry = tarfile.TarInfo(path.lstrip("/"))
                entry.type, entry.linkname = tarfile.SYMTYPE, target
                tar.addfile(entry)
            for path, text in sorted(self.texts.items()):
                _add_bytes(tar, path, text.encode(), 0o644)
            for path, source in sorted(self.files.items()):
                _add_file(tar, path, source)

    def _all_folders(self) -> set[str]:
        paths = [*self.files, *self.texts, *self.links, *(f"{one}/x" for one in self.folders)]
        return {str(parent) for path in paths for parent in Path(path).parents} - {"/"}


def _add_bytes(tar: tarfile.TarFile, path: str, content: bytes, mode: int) -> None:
    entry = tarfile.TarInfo(path.lstrip("/"))
    entry.size, entry.mode = len(content), mode
    tar.addfile(entry, io.BytesIO(content))


def _add_file(tar: tarfile.TarFile, path: str, source: Path) -> None:
    entry = tarfile.TarInfo(path.lstrip("/"))
    entry.size = source.stat().st_size
    entry.mode = 0o755 if source.stat().st_mode & 0o111 else 0o644
    with source.open("rb") as content:
        tar.addfile(entry, content)


@dataclass(frozen=True, slots=True)
class ContainerImage:
    """One layer under one or more names, as ``docker save`` would write it."""

    names: Sequence[str]
    root: RootFolder
    config: Mapping[str, object]

    def write(self, target: Path) -> None:
        """Write the archive that ``ctr images import`` reads; an equal one is left as it is."""
        unfinished = target.with_suffix(".unfinished")
        self._write(unfinished)
        if target.exists() and filecmp.cmp(unfinished, target, shallow=False):
            unfinished.unlink()
        else:
            unfinished.rename(target)

    def _write(self, target: Path) -> None:
        layer = io.BytesIO()
        self.root.write(layer)
        content = layer.getvalue()
        digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
        described = json.dumps(
            {
                "architecture": _architecture(),
                "os": "linux",
                "config": dict(self.config),
                "rootfs": {"type": "layers", "diff_ids": [digest]},
            }
        ).encode()
        config_name = f"{hashlib.sha256(described).hexdigest()}.json"
        manifest = json.dumps(
            [{"Config": config_name, "RepoTags": list(self.names), "Layers": ["layer.tar"]}]
        ).encode()
        with tarfile.open(target, mode="w") as tar:
            _add_bytes(tar, config_name, described, 0o644)
            _add_bytes(tar, "layer.tar", content, 0o644)
            _add_bytes(tar, "manifest.json", manifest, 0o644)


def _architecture() -> str:
    machine = platform.machine()
    return {"x86_64": "amd64", "aarch64": "arm64"}.get(machine, machine)

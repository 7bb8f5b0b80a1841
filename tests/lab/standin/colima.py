"""`colima`: which command, which profile, and the commands that only look."""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.lab.standin import calls, limactl, words
from tests.lab.standin.colima_guest import Guest
from tests.lab.standin.colima_moves import Moves
from tests.lab.standin.instance import Instance, look, resolve
from tests.lab.standin.settings import Lab
from tests.lab.standin.title import show_as
from tests.lab.standin.words import FatalError

if TYPE_CHECKING:
    from collections.abc import Sequence

PROFILE_BY_WORD: Final = frozenset(
    {"start", "stop", "restart", "delete", "status", "list", "version", "ssh-config"}
)
"""Commands whose first word names a profile (facts/colima.md §1.1); never `ssh`."""
DRIVERS: Final = {"vz": "macOS Virtualization.Framework", "qemu": "QEMU"}
MOUNTS: Final = {"vz": "virtiofs", "qemu": "sshfs"}
HEADER: Final = ("PROFILE", "STATUS", "ARCH", "CPUS", "MEMORY", "DISK", "RUNTIME", "ADDRESS")


def main(root: str, argv: Sequence[str]) -> int:
    """One call of `colima`; its exit code."""
    show_as(argv)
    lab = Lab(Path(root))
    calls.note(lab, argv)
    try:
        return Colima(lab, parse(argv[1:])).run()
    except FatalError as error:
        return words.fatal(str(error))


@dataclass(frozen=True, slots=True)
class Line:
    """A command line, taken apart."""

    verb: str
    profile: str
    flags: frozenset[str]
    command: tuple[str, ...] = ()
    """What follows `--`."""
    named: bool = False
    """The profile was given, not assumed."""


def parse(given: Sequence[str]) -> Line:
    """-p beats the word beats COLIMA_PROFILE (facts/colima.md §1.1)."""
    head, command = list(given), []
    if "--" in head:
        command = head[head.index("--") + 1 :]
        head = head[: head.index("--")]
    by_flag = ""
    for flag in ("-p", "--profile"):
        if flag in head:
            by_flag = head[head.index(flag) + 1]
            del head[head.index(flag) : head.index(flag) + 2]
    flags = frozenset(word for word in head if word.startswith("-"))
    verb, *rest = [word for word in head if word not in flags] or ["help"]
    by_word = rest[0] if rest and verb in PROFILE_BY_WORD else ""
    profile = by_flag or by_word or os.environ.get("COLIMA_PROFILE", "")
    return Line(verb, profile or "default", flags, tuple(command), named=bool(by_flag or by_word))


class Colima:
    """One call."""

    def __init__(self, lab: Lab, line: Line) -> None:
        self._lab = lab
        self._line = line
        self._instance = resolve(os.environ, line.profile)
        self._guest = Guest(lab, self._instance)

    def run(self) -> int:
        """By verb; an unknown one is a fatal line, as all errors are."""
        moves = Moves(self._lab, self._instance, self._guest)
        force = bool({"-f", "--force"} & self._line.flags)
        verbs = {
            "status": self.status,
            "list": self.list_all,
            "version": self.version,
            "ssh": self.ssh,
            "start": moves.start,
            "stop": lambda: moves.stop(force=force),
            "restart": lambda: moves.restart(force=force),
            "delete": self.delete,
        }
        if self._line.verb not in verbs:
            raise FatalError(f'unknown command "{self._line.verb}" for "colima"')
        if not self._instance.root.is_dir():
            self._instance.root.mkdir(parents=True)
        self._need_lima()
        return verbs[self._line.verb]()

    def _need_lima(self) -> None:
        if shutil.which("limactl"):
            return
        missing = 'exec: "limactl": executable file not found in $PATH'
        said = {
            "list": f"error retrieving instances: {missing}",
            "restart": f"error retrieving instance: {missing}",
            "start": f"lima compatibility error: error checking Lima version: {missing}",
        }
        install = "lima not found, run 'brew install lima' to install"
        other = f"Error: dependency check failed for VM: {install}"
        if self._line.verb != "version":
            raise FatalError(said.get(self._line.verb, other))

    @property
    def _json(self) -> bool:
        return bool({"--json", "-j"} & self._line.flags)

    def status(self) -> int:
        """Proves neither docker.sock nor docker (facts/colima.md §1.3)."""
        self._guest.must_run(f"{self._instance.shown} is not running")
        self._guest.runtime()
        settings, prof = self._lab.settings, self._instance.prof
        said = {
            "display_name": self._instance.shown,
            "driver": DRIVERS[settings.driver],
            "arch": self._guest.ask("uname", "-m"),
            "runtime": "docker",
            "mount_type": MOUNTS[settings.driver],
            "docker_socket": f"unix://{prof}/docker.sock",
            "containerd_socket": f"unix://{prof}/containerd.sock",
            "kubernetes": False,
            "cpu": settings.cpus,
            "memory": settings.memory,
            "disk": settings.disk,
        }
        if self._json:
            words.out(f"{json.dumps(said, separators=(',', ':'))}\n")
            return 0
        words.info(f"{said['display_name']} is running using {said['driver']}")
        for key, name in (("arch", "arch"), ("runtime", "runtime"), ("mount_type", "mountType")):
            words.info(f"{name}: {said[key]}")
        words.info(f"docker socket: {said['docker_socket']}")
        words.info(f"containerd socket: {said['containerd_socket']}")
        if {"-e", "--extended"} & self._line.flags:
            words.info(f"cpu: {settings.cpus}")
            words.info(f"mem: {size(settings.memory)}")
            words.info(f"disk: {size(settings.disk)}")
        return 0

    def list_all(self) -> int:
        """Makes no ssh call: answers with a hung guest, too (facts/colima.md §1.4)."""
        names = limactl.names_there(self._instance)
        mine = [one for one in names if one == "colima" or one.startswith("colima-")]
        if self._line.named and self._instance.name not in names:
            raise FatalError("error retrieving instances: exit status 1")
        wanted = [self._instance.name] if self._line.named else mine
        rows = [self._row(limactl.instance_of(name)) for name in wanted]
        if self._json:
            lines = [json.dumps(one, separators=(",", ":")) for one in rows]
            words.out("".join(f"{line}\n" for line in lines))
            return 0
        words.out(table([HEADER, *(cells(one) for one in rows)]))
        if not rows:
            words.warning("No instance found. Run `colima start` to create an instance.")
        return 0

    def _row(self, instance: Instance) -> dict[str, str | int]:
        settings = self._lab.settings
        found: dict[str, str | int] = {
            "name": instance.profile,
            "status": look(instance, settings.info_timeout).status,
            "arch": platform.machine(),
            "cpus": settings.cpus,
            "memory": settings.memory,
            "disk": settings.disk,
            "runtime": "docker",
        }
        return {key: value for key, value in found.items() if value != ""}

    def version(self) -> int:
        """Always 0; on a hung guest it hangs after two lines."""
        shown = self._lab.settings.colima_version
        words.out(f"colima version {'development' if shown == 'main' else shown}\n")
        words.out("git commit: unknown\n")
        if not shutil.which("limactl") or not self._guest.is_running():
            return 0
        try:
            self._guest.runtime()
        except FatalError:
            return 0
        template = "client: v{{.Client.Version}}\nserver: v{{.Server.Version}}"
        host = f"unix://{self._instance.prof}/docker.sock"
        done = subprocess.run(
            [str(self._lab.real_docker), "-H", host, "version", "--format", template],
            capture_output=True,
            text=True,
            check=False,
        )
        words.out(f"\nruntime: docker\narch: {self._guest.ask('uname', '-m')}\n{done.stdout}")
        return 0

    def ssh(self) -> int:
        """The guest's exit code is lost (facts/colima.md §1.7)."""
        self._guest.must_run(f"{self._instance.shown} not running")
        code = limactl.run_ssh(self._instance, list(self._line.command))
        if code != 0:
            raise FatalError(f"exit status {code}")
        return 0

    def delete(self) -> int:
        """Asks, reads no answer, does nothing; the journal has it, and the test fails."""
        words.out(
            f"are you sure you want to delete {self._instance.shown} and all settings? [y/N] "
        )
        sys.stdin.read()
        return 0


def cells(row: dict[str, str | int]) -> tuple[str, ...]:
    """One line of the table."""
    memory, disk = (size(int(row[key])) for key in ("memory", "disk"))
    plain = [str(row.get(key, "")) for key in ("name", "status", "arch", "cpus")]
    return (*plain, memory, disk, str(row["runtime"]), "")


def table(rows: Sequence[Sequence[str]]) -> str:
    """Go's tabwriter with four blanks: each column but the last is padded."""
    widths = [max(map(len, column)) + 4 for column in zip(*rows, strict=True)][:-1]
    lines = [
        "".join(cell.ljust(width) for cell, width in zip(row[:-1], widths, strict=True)) + row[-1]
        for row in rows
    ]
    return "".join(f"{line}\n" for line in lines)


def size(count: int) -> str:
    """Bytes as Colima shows them."""
    return f"{count / (1 << 30):g}GiB"

"""Recorded answers of a real Colima, and what makes two answers of the same state comparable."""

from __future__ import annotations

import json
import re
import stat
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.lab.keyboard import Completed
    from tests.lab.mac import Mac

FOLDER: Final = Path(__file__).resolve().parents[1] / "recordings" / "colima"
HOME: Final = "/Users/joel"
USER: Final = "joel"
LONG_LISTING: Final = 9
"""Columns of `ls -l`."""

OTHER_GUEST: Final = (
    # That guest ran systemd-resolved, and its agent's socket is not played.
    re.compile(r"TCP .*:(53|5355)\b|tcp port 5355"),
    re.compile(r'"guestAddr":"(?!0\.0\.0\.0:22")'),
    re.compile(r"lima-guestagent\.sock"),
    re.compile(r"Not forwarding TCP \[::\]:22"),
    # Its clock was off, the lab's cannot be.
    re.compile(r"guest clock adjusted"),
    re.compile(r"^Builder-Version: "),
)
"""Lines that a guest or its engine says of itself, not Lima or Colima."""
SAME: Final = (
    (re.compile(r'time="[^"]*"'), "time=T"),
    (re.compile(r"\bDate: [^\n]*"), "Date: T"),
    (re.compile(r"(Local Port: |port |-p )\d+"), r"\1PORT"),
    (re.compile(r'("sshLocalPort":|\bPort )\d+'), r"\1PORT"),
    (re.compile(r'("hostAgentPID":|"driverPID":|process )\d+'), r"\1PID"),
    (re.compile(r"(?<![\d.])v?\d+\.\d+\.\d+(?!\.\d)(\+dfsg\d+)?"), "VERSION"),
    (re.compile(r"(Api-Version: )[\d.]+"), r"\1VERSION"),
    (re.compile(r'(arch"?: ?"?|HostArch":")\w+'), r"\1ARCH"),
)


@dataclass(frozen=True, slots=True)
class Recording:
    """One command and all that came of it."""

    command: str
    exit: int
    stdout: str
    stderr: str

    @property
    def words(self) -> str:
        """The command without the remark behind it."""
        return self.command.partition("   #")[0]

    @property
    def answer(self) -> tuple[int, list[str], list[str]]:
        """Comparable."""
        return self.exit, same(self.stdout, HOME), same(self.stderr, HOME)


def recordings(name: str) -> dict[str, Recording]:
    """All of one file, by command with its remark, in the order in which they were run."""
    found = [Recording(**one) for one in json.loads((FOLDER / name).read_text("utf-8"))]
    return {one.command: one for one in found}


def same(text: str, home: str | Path) -> list[str]:
    """Lines with everything taken out that differs from one run to the next."""
    lines = text.replace(str(home), "HOME").replace("\r\n", "\n").splitlines()
    kept = [line for line in lines if not any(one.search(line) for one in OTHER_GUEST)]
    text = "\n".join(kept)
    for pattern, word in SAME:
        text = pattern.sub(word, text)
    return text.splitlines()


def answer(done: Completed, home: Path) -> tuple[int, list[str], list[str]]:
    """The same of an answer of the lab."""
    return done.returncode, same(done.stdout, home), same(done.stderr, home)


def shape(line: str) -> str:
    """A line of facts with its figures and names of devices taken out."""
    line = re.sub(r"/dev/\S+", "DEVICE", line)
    return re.sub(r"\s+", " ", re.sub(r"\d+(\.\d+)*(\+\w+)?", "N", line))


UNUSED: Final = frozenset(
    {
        # Of the VM's making, or of a driver that is not played; nobody looks at them.
        *("_templates", "_store", "cidata.iso", "cloud-config.yaml", "disk", "ga.sock"),
        *("qmp.sock", "serial.log", "serial.sock", "serialv.log", "serialv.sock"),
    }
)


def listing() -> dict[PurePath, str]:
    """The recorded files below HOME, and the kind of each: the first letter of `ls -l`."""
    found, folder = {}, PurePath()
    for line in (FOLDER / "ls.txt").read_text("utf-8").splitlines():
        if line.startswith("/"):
            folder = PurePath(line.rstrip(":")).relative_to(HOME)
        words = line.split()
        if len(words) == len(
            ["mode", "links", "user", "group", "size", "month", "day", "time", "name"]
        ):
            found[folder / words[-1]] = line[0]
    return {path: kind for path, kind in found.items() if path.name not in {".", ".."}}


def kind(path: Path) -> str:
    """The first letter of `ls -l`; empty when it is not there."""
    return stat.filemode(path.lstat().st_mode)[0] if path.exists() else ""


def events(log: Path) -> list[str]:
    """The states that a hostagent told of, without their times."""
    found = [json.loads(line)["status"] for line in log.read_text("utf-8").splitlines()]
    return same("\n".join(json.dumps(one, separators=(",", ":")) for one in found), HOME)


def commands(shown: Iterable[str] = (), mac: Mac | None = None) -> set[str]:
    """Beginnings of the recorded processes' command lines, or of those shown on a Mac."""
    if mac is not None:
        lines = [one.replace(str(mac.lab.bin), "/opt/homebrew/bin") for one in shown]
        home = str(mac.home)
    else:
        text = (FOLDER / "ps.txt").read_text("utf-8").splitlines()[1:]
        lines, home = [line.split(maxsplit=4)[4] for line in text], HOME
    lines = [line.replace(home, "HOME") for line in lines]
    return {" ".join(_telling(line)) for line in lines}


def _telling(line: str) -> list[str]:
    """The words by which a process is recognised: options that vary with the machine go."""
    program, *words = line.split()
    if program.endswith("limactl"):
        cut = words.index("--guestagent") if "--guestagent" in words else 5
        return [program, *words[:cut]]
    return [program] if "qemu" in program else [program, *words]

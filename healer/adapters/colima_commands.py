"""How `colima` and `limactl` are called, and what their answers and words mean."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from healer.adapters.process import Completed, ProcessRunner
from healer.model.machine import ColimaPaths, VmStatus
from healer.outside import cleaned
from healer.ports import CannotLook, HostEyes

# These would change which profile is meant, or what `start` writes (facts/colima.md §1.1, §1.5).
_NOT_PASSED: Final = frozenset({"COLIMA_PROFILE", "COLIMA_SAVE_CONFIG"})

_MSG: Final = re.compile(r'\bmsg=(?:"((?:[^"\\]|\\.)*)"|(\S+))')
_CONTEXT: Final = re.compile(r"\bcontext=(\S+)\s*$")
_BAD_LEVEL: Final = re.compile(r"\blevel=(?:fatal|error)\b")
_LINE: Final = 300
"""Characters of one line that a message quotes."""


@dataclass(frozen=True, slots=True)
class ColimaCommands:
    """The two command-line tools, with the environment that makes them mean our VM.

    `env` is the whole environment for them; it must hold PATH and HOME, since launchd's own
    hides even `limactl` from colima (facts/colima.md §5).
    """

    runner: ProcessRunner
    paths: ColimaPaths
    host: HostEyes
    env: Mapping[str, str]

    def environment(self) -> dict[str, str]:
        """What a child is given: both roots are named, so that nobody resolves them anew."""
        kept = {name: value for name, value in self.env.items() if name not in _NOT_PASSED}
        return {
            **kept,
            "COLIMA_HOME": str(self.paths.root),
            "LIMA_HOME": str(self.paths.lima_home),
        }

    def colima(self, verb: str, *flags: str) -> list[str]:
        """`colima -p PROFILE VERB …`. Raises CannotLook without the tool."""
        return [self._tool("colima"), "-p", self.paths.profile, verb, *flags]

    def listing(self) -> list[str]:
        """`colima list --json`, without a profile: a missing one would be an error.

        Raises CannotLook without the tool.
        """
        return [self._tool("colima"), "list", "--json"]

    def limactl(self, *words: str) -> list[str]:
        """`limactl …`. Raises CannotLook without the tool."""
        return [self._tool("limactl"), *words]

    async def run(self, argv: list[str], deadline: float) -> Completed:
        """Run one of them to its end. Raises CannotLook, TargetSilent."""
        return await self.runner.run(argv, deadline=deadline, env=self.environment())

    def _tool(self, name: str) -> str:
        path = self.host.tool(name)
        if path is None:
            raise CannotLook(name, "not found on PATH")
        return str(path)


def parse_list(text: str, name: str) -> VmStatus:
    """The status of that name in JSON lines; MISSING when there is no such line.

    Raises CannotLook when it is not what `list --json` prints, or the status is a new word.
    """
    rows = [row for line in text.splitlines() if (row := _row(line)) is not None]
    if text.strip() and not rows:
        raise CannotLook("list --json", f"not understood: {text.strip()[:_LINE]!r}")
    for row in rows:
        if row.get("name") == name:
            return _status(row.get("status", ""))
    return VmStatus.MISSING


def _row(line: str) -> dict[str, object] | None:
    try:
        row = json.loads(line)
    except ValueError:
        return None
    return row if isinstance(row, dict) and "name" in row else None


def _status(word: object) -> VmStatus:
    for status in (VmStatus.RUNNING, VmStatus.STOPPED, VmStatus.BROKEN):
        if status.value == word:
            return status
    # An unreadable lima.yaml leaves the key out (facts/colima.md §1.2).
    raise CannotLook("list --json", f"unknown status {word!r}")


def plain(line: str) -> str:
    """A line of logrus without its frame: `vm: starting ...`; any other line as it is."""
    return cleaned(_unframed(line))


def _unframed(line: str) -> str:
    message = _MSG.search(line)
    if message is None:
        return line.strip()[:_LINE]
    quoted, bare = message.groups()
    text = bare if quoted is None else re.sub(r"\\(.)", r"\1", quoted)
    context = _CONTEXT.search(line)
    return (f"{context[1]}: {text}" if context else text)[:_LINE]


def complaint(output: str) -> str:
    """Why it failed: its fatal and error lines in their order, else its last line."""
    lines = [line for line in output.splitlines() if line.strip()]
    bad = [line for line in lines if _BAD_LEVEL.search(line)]
    return "; ".join(plain(line) for line in bad[-3:] or lines[-1:])

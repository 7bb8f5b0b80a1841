"""A notification on the Mac's own screen, by osascript."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from healer.adapters.process import ProcessRunner
from healer.model.notice import Notice
from healer.ports import ActFailed, CannotLook

SECONDS: Final = 15.0
_TOOL: Final = "osascript"
_LONGEST: Final = 400
"""Characters; a notification shows fewer."""
_SCRIPT: Final = (
    "on run argv",
    "display notification (item 3 of argv) with title (item 1 of argv) subtitle (item 2 of argv)",
    "end run",
)
"""The words come as arguments, so that none of them is ever read as script."""


@dataclass(frozen=True, slots=True)
class Desktop:
    """ports.Channel, where somebody is logged in to the screen."""

    runner: ProcessRunner
    environment: Mapping[str, str]
    name: str = "desktop"

    async def send(self, notice: Notice) -> None:
        """Show it."""
        if not self._found():
            raise CannotLook(self.name, f"there is no {_TOOL} here: only macOS has it")
        # The first argument is a plain word, so that osascript takes none after it for a flag.
        words = ("healer", _plain(notice.title), _plain(notice.text))
        argv = (_TOOL, *(one for line in _SCRIPT for one in ("-e", line)), *words)
        done = await self.runner.run(argv, deadline=SECONDS, env=self.environment)
        if done.code:
            said = done.stderr.strip()[:_LONGEST]
            raise ActFailed(self.name, f"{_TOOL} ended with exit code {done.code}: {said}")

    def check(self) -> str:
        """Whether there is an osascript."""
        return "" if self._found() else f"{self.name}: there is no {_TOOL} here"

    def _found(self) -> bool:
        return shutil.which(_TOOL, path=self.environment.get("PATH", "")) is not None


def _plain(words: str) -> str:
    """What can be an argument: no NUL, and nothing that UTF-8 cannot hold."""
    kept = words[:_LONGEST].replace("\x00", "")
    return kept.encode("utf-8", "replace").decode()

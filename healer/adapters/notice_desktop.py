"""A notification on the Mac's own screen, by osascript."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from healer.adapters.process import ProcessRunner
from healer.model.notice import Delivery, Notice
from healer.ports import ActFailed, CannotLook, TargetSilent

AQUA: Final = "Aqua"
SECONDS: Final = 15.0
_ASKED_WITHIN: Final = 5.0
"""Seconds; launchctl answers in milliseconds."""
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
    """ports.Channel, where somebody is logged in to the screen.

    osascript speaks as Script Editor and ends with 0 whether or not macOS lets that notify.
    """

    runner: ProcessRunner
    environment: Mapping[str, str]
    name: str = "desktop"

    @property
    def confirms(self) -> bool:
        """Nobody says whether a notification was shown."""
        return False

    async def send(self, notice: Notice) -> Delivery:
        """Show it, from a session that has the screen."""
        if not self._found():
            raise CannotLook(self.name, f"there is no {_TOOL} here: only macOS has it")
        if await manager_name(self.runner, self.environment) != AQUA:
            return Delivery.UNREACHABLE
        # The first argument is a plain word, so that osascript takes none after it for a flag.
        words = ("healer", _plain(notice.title), _plain(notice.text))
        argv = (_TOOL, *(one for line in _SCRIPT for one in ("-e", line)), *words)
        done = await self.runner.run(argv, deadline=SECONDS, env=self.environment)
        if done.code:
            said = done.stderr.strip()[:_LONGEST]
            raise ActFailed(self.name, f"{_TOOL} ended with exit code {done.code}: {said}")
        return Delivery.HANDED_OVER

    def check(self) -> str:
        """Whether there is an osascript."""
        return "" if self._found() else f"{self.name}: there is no {_TOOL} here"

    def _found(self) -> bool:
        return shutil.which(_TOOL, path=self.environment.get("PATH", "")) is not None


async def manager_name(runner: ProcessRunner, environment: Mapping[str, str]) -> str:
    """The session of this process in launchd's words: `Aqua` has the screen. Raises CannotLook."""
    argv = ("launchctl", "managername")
    try:
        done = await runner.run(argv, deadline=_ASKED_WITHIN, env=environment, limit=_LONGEST)
    except TargetSilent as error:
        raise CannotLook("launchctl managername", "no answer") from error
    if done.code or not done.stdout.strip():
        raise CannotLook("launchctl managername", f"exit code {done.code}")
    return done.stdout.strip()


def _plain(words: str) -> str:
    """What can be an argument: no NUL, and nothing that UTF-8 cannot hold."""
    kept = words[:_LONGEST].replace("\x00", "")
    return kept.encode("utf-8", "replace").decode()

"""A notice as JSON on the stdin of a command of the owner's."""

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from healer.adapters.process import ProcessRunner
from healer.model.notice import Delivery, Notice, document
from healer.ports import ActFailed, CannotLook, PortError, TargetSilent

SECONDS: Final = 30.0
_KEPT: Final = 4096
"""Bytes of its output that are kept, though none is told: it may name a secret."""


@dataclass(frozen=True, slots=True)
class Command:
    """ports.Channel. What the command says is never passed on.

    A `curl` that fails quotes the address that it was given, a token in it included: so a
    broken one leaked, and told nobody (facts/incidents.md, 10).
    """

    argv: tuple[str, ...]
    runner: ProcessRunner
    environment: Mapping[str, str]
    deadline: float = SECONDS
    name: str = "command"

    @property
    def confirms(self) -> bool:
        """Its exit code says so."""
        return True

    async def send(self, notice: Notice) -> Delivery:
        """Run it once; exit code 0 means that it took the notice."""
        failed: PortError | None = None
        body = json.dumps(document(notice), ensure_ascii=False).encode("utf-8", "replace")
        try:
            done = await self.runner.run(
                self.argv,
                deadline=self.deadline,
                env=self.environment,
                stdin=body + b"\n",
                limit=_KEPT,
            )
        except TargetSilent:
            failed = TargetSilent(self._place, f"had not ended after {self.deadline:g} s")
        except CannotLook:
            failed = CannotLook(self._place, "cannot be started")
        else:
            if done.code:
                words = f"ended with exit code {done.code}; run it by hand to see why"
                failed = ActFailed(self._place, words)
        # Raised out here: the runner's own words hold the arguments and what was said.
        if failed is not None:
            raise failed
        return Delivery.SENT

    def check(self) -> str:
        """Whether there is such a program."""
        if shutil.which(self.argv[0], path=self.environment.get("PATH", "")) is not None:
            return ""
        return (
            f"{self._place}: there is no such program, or it is not executable; mend "
            "notices.command, or make it executable with chmod +x"
        )

    @property
    def _place(self) -> str:
        """The program alone: arguments may hold what should not be told."""
        return f"{self.name} {Path(self.argv[0]).name}"

"""What colima asks of the guest: all through Lima's mux, all without a time-out."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.lab.standin.forwards import command as ssh_command
from tests.lab.standin.forwards import host
from tests.lab.standin.instance import Instance, look
from tests.lab.standin.words import FatalError

if TYPE_CHECKING:
    from tests.lab.standin.settings import Lab


@dataclass(frozen=True, slots=True)
class Guest:
    """The guest by way of `limactl shell`."""

    lab: Lab
    instance: Instance

    def is_running(self) -> bool:
        """Colima's one notion of it: `limactl list` says Running."""
        return look(self.instance, self.lab.settings.info_timeout).status == "Running"

    def must_run(self, otherwise: str) -> None:
        """FatalError with those words when it does not."""
        if not self.is_running():
            raise FatalError(otherwise)

    def runtime(self, deadline: float | None = None) -> str:
        """From the guest's own note; FatalError when it cannot be asked.

        A hung guest is waited for, for ever without a deadline; with one TimeoutExpired.
        """
        if self.ask("cat", "/etc/colima/colima.json", deadline=deadline):
            return "docker"
        raise FatalError("error retrieving current runtime: empty value")

    def ask(self, *command: str, deadline: float | None = None) -> str:
        """What it prints; nothing when ssh fails."""
        return self.run(*command, deadline=deadline).stdout.strip()

    def run(self, *command: str, deadline: float | None = None) -> subprocess.CompletedProcess[str]:
        """One command with both its streams; the words need no quotes."""
        return subprocess.run(
            [*ssh_command(self.instance), host(self.instance), *command],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=deadline,
        )

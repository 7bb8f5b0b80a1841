"""What versions of Colima and Lima do differently, as far as healer can see it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Versions:
    """One Colima over one Lima."""

    colima: str = "0.10.3"
    lima: str = "2.2.0"

    def __str__(self) -> str:
        """As a test is named."""
        return f"colima-{self.colima}-lima-{self.lima}"

    @property
    def tells_runtime_of_stopped(self) -> bool:
        """`colima list --json` names the runtime of a VM that does not run."""
        return _number(self.colima) >= (0, 10, 2)

    @property
    def believes_old_pid_files(self) -> bool:
        """A pid file of an earlier boot counts when any process has its number."""
        return _number(self.lima) < (2, 2, 1)

    @property
    def disk_lock_is_fatal(self) -> bool:
        """A data disk whose `in_use_by` is left over by a crash is refused."""
        return _number(self.lima) < (2, 1, 1)

    @property
    def has_autostart(self) -> bool:
        """`limactl autostart enable` exists."""
        return _number(self.lima) >= (2, 2, 0)


MATRIX: Final = (
    Versions("0.10.1", "2.1.0"),
    Versions("0.10.3", "2.2.0"),
    Versions("0.10.3", "2.2.1"),
    Versions("0.10.3", "2.3.0"),
)


def _number(version: str) -> tuple[int, ...]:
    """A development build is newer than every release."""
    parts = version.split("-", maxsplit=1)[0].split(".")
    return tuple(int(one) for one in parts) if all(map(str.isdigit, parts)) else (99,)

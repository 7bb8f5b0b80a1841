"""The journal of calls: which of the stand-in commands was called, by whom."""

from __future__ import annotations

import json
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tests.lab.standin.settings import INNER, MARK

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.lab.standin.settings import Lab

FORBIDDEN: Final = frozenset({"delete", "prune", "factory-reset", "update", "create", "edit"})
"""Verbs that destroy or change the VM (facts/colima.md §6, Never by itself)."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a stand-in command."""

    argv: tuple[str, ...]
    """`colima`, `-p`, `default`, `start`."""
    inner: bool
    """A stand-in called it as part of its own work."""
    pid: int
    ppid: int
    at: float
    """Epoch seconds."""

    @property
    def forbidden(self) -> bool:
        """Whether nobody may call that in a test of healer."""
        tools = {"colima", "limactl"}
        return self.argv[0] in tools and not FORBIDDEN.isdisjoint(self.argv[1:3])


def note(lab: Lab, argv: Sequence[str]) -> None:
    """Take this call down, and let children know that they are inner ones."""
    call = {
        "argv": [Path(argv[0]).name, *argv[1:]],
        "inner": INNER in os.environ,
        "pid": os.getpid(),
        "ppid": os.getppid(),
        "at": time.time(),
    }
    append(lab, call)
    os.environ[INNER] = "1"
    os.environ[MARK] = str(lab.root)


def append(lab: Lab, call: dict[str, Any]) -> None:
    """One write, so that lines of several processes never mix."""
    journal = os.open(lab.calls, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        os.write(journal, f"{json.dumps(call)}\n".encode())
    finally:
        os.close(journal)


def read(lab: Lab) -> list[Call]:
    """All of them, in their order."""
    try:
        lines = lab.calls.read_text("utf-8").splitlines()
    except FileNotFoundError:
        return []
    found = [json.loads(one) for one in lines]
    return [Call(**{**one, "argv": tuple(one["argv"])}) for one in found]

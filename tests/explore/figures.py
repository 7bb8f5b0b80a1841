"""Counts as a record with its origin: level, first seed, commit, machine."""

from __future__ import annotations

import json
import platform
import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.explore.counting import Counts


def written(level: str, first: int, counts: Counts) -> str:
    """The record as JSON."""
    head = {
        "level": level,
        "first_seed": first,
        "commit": _commit(),
        "python": platform.python_version(),
    }
    return json.dumps({**head, **counts.record()}, indent=1) + "\n"


def _commit() -> str:
    said = subprocess.run(
        ["git", "rev-parse", "HEAD"],  # noqa: S607  (a developer's own git)
        check=True,
        capture_output=True,
        text=True,
    )
    return said.stdout.strip()

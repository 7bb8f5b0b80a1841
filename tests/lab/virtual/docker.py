"""`docker` of the Mac: the real client, whose calls are noted."""

from __future__ import annotations

import os
from pathlib import Path

from tests.lab.virtual.layout import Layout


def main(root: str, arguments: list[str]) -> None:
    """Note the call and become the client."""
    layout = Layout(Path(root))
    layout.record("docker", arguments)
    os.execv(layout.settings().docker, ["docker", *arguments])  # noqa: S606  no shell is wanted

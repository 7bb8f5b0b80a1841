"""`docker` of the Mac: the real client, its calls taken down."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from tests.lab.standin import calls
from tests.lab.standin.settings import Lab

if TYPE_CHECKING:
    from collections.abc import Sequence


def main(root: str, argv: Sequence[str]) -> int:
    """Become the real client."""
    lab = Lab(Path(root))
    calls.note(lab, argv)
    client = str(lab.real_docker)
    os.execv(client, ["docker", *argv[1:]])  # noqa: S606  an argument list, no shell

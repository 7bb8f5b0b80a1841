"""Helm releases as the settings write them: `namespace/name`, or `namespace/name=chart`."""

import re
from typing import Final

from healer.toml import shown

_RELEASE: Final = re.compile(r"([a-z0-9][a-z0-9-]*)/([a-z0-9][a-z0-9.-]*)(?:=(\S+))?")


def release_of(text: str) -> tuple[str, str, str]:
    """Namespace, name and chart ('' = not said). Raises ValueError."""
    found = _RELEASE.fullmatch(text)
    if found is None:
        raise ValueError(
            f"{shown(text)} should be namespace/name, or namespace/name=repository/chart"
        )
    return found[1], found[2], found[3] or ""

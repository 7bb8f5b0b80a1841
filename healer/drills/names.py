"""Which scenarios come with healer; imports nothing of them, so that completion is quick."""

from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).parent / "scenarios"


def names() -> tuple[str, ...]:
    """Their names, in the order of the alphabet."""
    return tuple(sorted(one.stem for one in FOLDER.glob("*.toml")))

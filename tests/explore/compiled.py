"""`python -m tests.explore.compiled FOLDER`: a copy of this commit with its core compiled.

Volume is bought with time. mypyc, which comes with mypy, compiles the same lines, and what they
decide is the same to the letter (`test_compiled.py`), in some four fifths of the time. Modules that
define enums stay as written: mypyc cannot compile those that hash as the words they are.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
AS_WRITTEN: Final = frozenset(
    {"__init__", "word", "tower", "reasons", "facts", "observation", "ladders"}
)
_TOWER: Final = ("tower.py", "run.py", "deeds.py")
_SETTINGS: Final = "[mypy]\nexplicit_package_bases = True\nnamespace_packages = True\n"
_PATIENCE: Final = 1800.0
_LEFT_OUT: Final = shutil.ignore_patterns(
    ".*_cache", ".hypothesis", ".venv", "__pycache__", "pyproject.toml"
)
"""What other tests write meanwhile, and the project's build settings, which setuptools, by which
mypyc builds, would take for its own."""


def compiled(folder: Path) -> Path:
    """Make the copy; `CalledProcessError` when mypyc or the C compiler fails."""
    shutil.copytree(ROOT, folder, ignore=_LEFT_OUT)
    settings = folder / "mypy.ini"
    settings.write_text(_SETTINGS, encoding="utf-8")
    words = [sys.executable, "-m", "mypyc", *_modules(folder)]
    subprocess.run(words, cwd=folder, check=True, timeout=_PATIENCE, stdout=sys.stderr)
    shutil.rmtree(folder / "build")
    settings.unlink()
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


def _modules(folder: Path) -> list[str]:
    rules = [*(folder / "healer/core").glob("*.py"), *(folder / "healer/promises").glob("*.py")]
    tower = [folder / "tests/explore/small" / name for name in _TOWER]
    found = [one for one in rules if one.stem not in AS_WRITTEN] + tower
    return sorted(str(one.relative_to(folder)) for one in found)


if __name__ == "__main__":
    made = compiled(Path(sys.argv[1]).absolute())
    print(f"there, with the same Python: python -m tests.explore --schedules N  ({made.name})")

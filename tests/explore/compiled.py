"""`python -m tests.explore.compiled FOLDER`: a copy of this commit with its core compiled.

Volume is bought with time. mypyc, which comes with mypy, compiles the same lines, and what they
decide is the same to the letter (`test_compiled.py`), in some six tenths of the time. Modules that
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


def compiled(folder: Path) -> Path:
    """Make the copy; `CalledProcessError` when git, mypyc or the C compiler fails."""
    _run("git", "clone", "--quiet", str(ROOT), str(folder))
    with (folder / ".git" / "info" / "exclude").open("a", encoding="utf-8") as exclude:
        exclude.write("*.so\n")
    # mypyc builds by setuptools, which would take the project's own build settings for its.
    aside = (folder / "pyproject.toml").rename(folder / ".git" / "pyproject.toml")
    settings = folder / "mypy.ini"
    settings.write_text(_SETTINGS, encoding="utf-8")
    _run(sys.executable, "-m", "mypyc", *_modules(folder), place=folder)
    shutil.rmtree(folder / "build")
    settings.unlink()
    aside.rename(folder / "pyproject.toml")
    return folder


def _modules(folder: Path) -> list[str]:
    rules = [*(folder / "healer/core").glob("*.py"), *(folder / "healer/promises").glob("*.py")]
    tower = [folder / "tests/explore/small" / name for name in _TOWER]
    found = [one for one in rules if one.stem not in AS_WRITTEN] + tower
    return sorted(str(one.relative_to(folder)) for one in found)


def _run(*words: str, place: Path | None = None) -> None:
    subprocess.run(words, cwd=place, check=True, timeout=_PATIENCE, stdout=sys.stderr)


if __name__ == "__main__":
    made = compiled(Path(sys.argv[1]).absolute())
    print(f"there, with the same Python: python -m tests.explore --schedules N  ({made.name})")

"""Drives mutmut over a copy of the repository, and reads its verdicts.

mutmut 3, and not cosmic-ray: it forks each mutant from a process that has pytest and the tests
in memory and runs only the tests that reach the mutated function, where cosmic-ray starts a
process and the whole selection for each; on the core that is minutes against many hours. It
asks mypy first, which refuses two mutants of three: such a mistake could not be committed.
What it leaves alone: tables and constants of a module, dataclass fields, properties.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from tests.mutation.packages import named

ROOT = Path(__file__).parents[2]
_PARTS = ("healer", "tests", "pyproject.toml")
_MUTMUT = (sys.executable, "-c", "from mutmut.__main__ import cli; cli()")
REFUSED_BY_TYPES = "refused by types"
_VERDICTS = {1: "killed", 3: "killed", 0: "survived", 33: "no tests", 37: REFUSED_BY_TYPES}
_TIMEOUTS = frozenset({24, 36, -24, 152, 255})
_DEAD = frozenset({"killed", "timeout", REFUSED_BY_TYPES})


class ToolError(Exception):
    """mutmut did not do its work."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """One small change to the code, and what became of it.

    It is known by its text and not by its line or number, which move with every edit.
    """

    name: str = field(compare=False)
    verdict: str = field(compare=False)
    file: str
    function: str
    was: str = ""
    becomes: str = ""

    @property
    def lived(self) -> bool:
        """Whether no test and no type told it from the code."""
        return self.verdict not in _DEAD

    def as_toml(self) -> str:
        """The entry of `survivors.toml` that would explain it, but for the reason."""
        texts = (self.file, self.function, self.was, self.becomes)
        keys = ("file", "function", "was", "becomes")
        lines = [f"{key} = {json.dumps(text)}" for key, text in zip(keys, texts, strict=True)]
        return "\n".join(["[[survivor]]", *lines, 'why = ""'])


@dataclass(frozen=True, slots=True)
class Tool:
    """mutmut in a folder with a copy of the repository."""

    folder: Path

    @classmethod
    def prepared(cls, folder: Path) -> "Tool":
        """Copy what the tests need, so that the checkout is never touched."""
        for part in _PARTS:
            source, copy = ROOT / part, folder / part
            if source.is_dir():
                skipped = shutil.ignore_patterns("__pycache__")
                shutil.copytree(source, copy, ignore=skipped, dirs_exist_ok=True)
            else:
                shutil.copy2(source, copy)
        return cls(folder)

    def run(self, name: str) -> tuple[list[Mutant], str]:
        """Try every mutant of one module, such as `core.refusing`, and name its file.

        Those that lived come with their text.
        """
        package, module = named(name)
        shutil.rmtree(self.folder / "mutants", ignore_errors=True)
        settings = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
        (self.folder / "pyproject.toml").write_text(f"{settings}\n{package.settings(module)}")
        self._call("run", "--max-children", "1")
        file = package.path(module)
        verdicts = json.loads((self.folder / "mutants" / f"{file}.meta").read_text())
        mutants = [
            Mutant(key, _verdict(code), file, _function(key))
            for key, code in verdicts["exit_code_by_key"].items()
        ]
        return [self._with_text(one) if one.lived else one for one in mutants], file

    def _with_text(self, mutant: Mutant) -> Mutant:
        diff = self._call("show", mutant.name).splitlines()
        was = _changed(diff, "-")
        becomes = _changed(diff, "+")
        return Mutant(mutant.name, mutant.verdict, mutant.file, mutant.function, was, becomes)

    def _call(self, *arguments: str) -> str:
        # mypy and python are those of the interpreter that runs this.
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        done = subprocess.run(
            [*_MUTMUT, *arguments],
            cwd=self.folder,
            env={**os.environ, "PATH": path},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            said = f"{done.stdout[-2000:]}{done.stderr}"
            raise ToolError(f"mutmut {' '.join(arguments)} exited {done.returncode}:\n{said}")
        return done.stdout


def _verdict(code: int | None) -> str:
    if code is None:
        raise ToolError("mutmut ended before it had tried every mutant")
    return "timeout" if code in _TIMEOUTS else _VERDICTS.get(code, f"exit code {code}")


def _function(name: str) -> str:
    """`healer.core.ledger.xǁLedgerǁof__mutmut_3` is `Ledger.of`."""
    mangled = name.rpartition(".")[2].partition("__mutmut_")[0]
    return mangled.removeprefix("x_").removeprefix("xǁ").replace("ǁ", ".")


def _changed(diff: Iterable[str], sign: str) -> str:
    lines = [one[1:] for one in diff if one.startswith(sign) and not one.startswith(sign * 3)]
    return " ".join(" ".join(lines).split())

"""The mutants that live and may live, each with its reason, kept in `survivors.toml`."""

import ast
import tomllib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.mutation.tool import ROOT, Mutant

KEPT = Path(__file__).with_name("survivors.toml")
_FUNCTION = (ast.FunctionDef, ast.AsyncFunctionDef)


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a mutant changes nothing that matters."""

    file: str
    function: str
    was: str
    becomes: str
    why: str

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What names the mutant."""
        return (self.file, self.function, self.was, self.becomes)


def load(path: Path) -> tuple[Explanation, ...]:
    """All explanations; TypeError when an entry lacks a key or has one too many."""
    entries = tomllib.loads(path.read_text(encoding="utf-8"))["survivor"]
    return tuple(Explanation(**entry) for entry in entries)


def compare(
    lived: Collection[Mutant], kept: Collection[Explanation]
) -> tuple[list[Mutant], list[Explanation]]:
    """The mutants that nobody explains, and the explanations that nothing needs."""
    explained = {one.key for one in kept}
    seen = {(one.file, one.function, one.was, one.becomes) for one in lived}
    unexplained = [
        one for one in lived if (one.file, one.function, one.was, one.becomes) not in explained
    ]
    return unexplained, [one for one in kept if one.key not in seen]


def missing_code(one: Explanation, root: Path = ROOT) -> str:
    """What of the code that an explanation speaks of is gone; '' when all is there."""
    path = root / one.file
    if not path.is_file():
        return f"{one.file} is gone"
    source = path.read_text(encoding="utf-8")
    bodies = [body for name, body in _functions(source) if name == one.function]
    if not bodies:
        return f"{one.file} has no function {one.function}"
    if not any(one.was in " ".join(body.split()) for body in bodies):
        return f"{one.function} in {one.file} no longer says `{one.was}`"
    return ""


def _functions(source: str) -> Iterator[tuple[str, str]]:
    for node in ast.parse(source).body:
        if isinstance(node, _FUNCTION):
            yield node.name, ast.get_source_segment(source, node) or ""
        if isinstance(node, ast.ClassDef):
            for method in node.body:
                if isinstance(method, _FUNCTION):
                    yield f"{node.name}.{method.name}", ast.get_source_segment(source, method) or ""

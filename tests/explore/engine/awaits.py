"""The awaits of healer: all that its source has, and those at which its tasks stand just now."""

from __future__ import annotations

import ast
import asyncio
import inspect
from collections.abc import Coroutine
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

import healer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

PARTS: Final = ("engine", "probes", "remedies")
"""What runs on a simulated tower just as it does on a real one, and may be cut off anywhere."""
_ROOT: Final = Path(healer.__file__).parent


@cache
def awaits() -> frozenset[str]:
    """Every await of those parts, `engine/stepping.py:77`."""
    return frozenset(
        f"{_name(path)}:{line}"
        for part in PARTS
        for path in sorted((_ROOT / part).rglob("*.py"))
        for line in set(_lines(path).values())
    )


def standing() -> frozenset[str]:
    """Where the tasks of the loop at hand stand, with all that waits for them."""
    found: set[str] = set()
    for task in asyncio.all_tasks(asyncio.get_running_loop()):
        for frame in _frames(task.get_coro()):
            point = _point(frame.f_code.co_filename, frame.f_lineno)
            if point:
                found.add(point)
    return frozenset(found)


def _frames(awaited: object) -> Iterator[FrameType]:
    while isinstance(awaited, Coroutine):
        if not inspect.iscoroutine(awaited):
            return
        if awaited.cr_frame is not None:
            yield awaited.cr_frame
        awaited = awaited.cr_await


@cache
def _point(file: str, line: int) -> str:
    """'' when it is no await of those parts."""
    path = Path(file)
    if not path.is_relative_to(_ROOT) or path.relative_to(_ROOT).parts[0] not in PARTS:
        return ""
    begins = _lines(path).get(line)
    return "" if begins is None else f"{_name(path)}:{begins}"


@cache
def _lines(path: Path) -> dict[int, int]:
    """Each line of an await, and the line on which that await begins."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    spans = [span for node in ast.walk(tree) for span in _span(node)]
    spans.sort(key=lambda one: one[0] - one[1])
    return {line: first for first, last in spans for line in range(first, last + 1)}


def _span(node: ast.AST) -> Iterator[tuple[int, int]]:
    """The lines of what may wait: of a block only its head."""
    if isinstance(node, ast.Await):
        yield node.lineno, node.end_lineno or node.lineno
    elif isinstance(node, ast.AsyncFor):
        yield node.lineno, node.iter.end_lineno or node.lineno
    elif isinstance(node, ast.AsyncWith):
        head = node.items[-1].context_expr
        yield node.lineno, head.end_lineno or node.lineno


def _name(path: Path) -> str:
    return path.relative_to(_ROOT).as_posix()

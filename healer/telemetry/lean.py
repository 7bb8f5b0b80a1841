"""Leaving out what a library would load only in case somebody wants it."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def without(name: str) -> Iterator[None]:
    """Let what is imported meanwhile find no package of that name; loaded already, it stays."""
    modules: dict[str, Any] = sys.modules
    if name in modules:
        yield
        return
    # None is the language's own word for a module that must not be found.
    modules[name] = None
    try:
        yield
    finally:
        del modules[name]

"""A plugin of pytest for the mutation run: the quickest tests come first.

Most mutants die of the first test that looks, so a run spends its time on those that live.
"""

import json
from pathlib import Path

import pytest

_MEASURED = Path("mutmut-stats.json")
"""Written by mutmut into the folder in which it runs the tests."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Order them by the time that mutmut measured; unmeasured ones keep their place in front."""
    if not _MEASURED.is_file():
        return
    seconds = json.loads(_MEASURED.read_text())["duration_by_test"]
    items.sort(key=lambda item: float(seconds.get(item.nodeid, 0.0)))

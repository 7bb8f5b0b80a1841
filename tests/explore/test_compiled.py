"""The compiled core decides what the written one decides."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.explore.compiled import ROOT, compiled

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(shutil.which("cc") is None, reason="needs a C compiler")
OF_THE_RUN: Final = ("python", "seconds")
"""What two runs of the same schedules may differ in."""


@pytest.mark.timeout(1800)
def test_the_compiled_core_decides_the_same(tmp_path: Path) -> None:
    """The same schedules, counted to the last act, refusal and step."""
    written, other = _explored(ROOT, tmp_path), _explored(compiled(tmp_path / "copy"), tmp_path)

    assert ", core compiled by mypyc" in other["python"]
    assert "compiled" not in written["python"]
    assert _counted(written) == _counted(other)


def _counted(record: dict[str, Any]) -> dict[str, Any]:
    return {name: told for name, told in record.items() if name not in OF_THE_RUN}


def _explored(place: Path, tmp_path: Path) -> dict[str, Any]:
    out = tmp_path / "record.json"
    words = ["-m", "tests.explore", "--schedules", "200", "--seed", "40", "--out", str(out)]
    subprocess.run([sys.executable, *words], cwd=place, check=True, timeout=600)
    told: dict[str, Any] = json.loads(out.read_text(encoding="utf-8"))
    return told

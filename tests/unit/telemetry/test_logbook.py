"""The log: one JSON line a thing, of stable fields, in files of bounded size."""

import json
from pathlib import Path
from typing import Any

import pytest

from healer.core.facts import Decision
from healer.telemetry import logbook as module
from healer.telemetry.logbook import Logbook
from tests.unit.telemetry.decisions import ACT, EVERY, finished, told


def written(path: Path) -> list[dict[str, Any]]:
    """Every line."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_an_act_is_told_from_its_beginning_to_its_end(tmp_path: Path) -> None:
    """With the words of the closed lists, and what was said."""
    log = Logbook(tmp_path / "log" / "healer.log")
    log.told(told(ACT))
    log.told(told(fact=finished()))
    log.close()

    begun, ended = written(tmp_path / "log" / "healer.log")
    assert ("act_begun", "delete_pod", "pods") == (begun["event"], begun["remedy"], begun["layer"])
    assert ("act_ended", "done", "deleted redis-0") == (
        ended["event"],
        ended["outcome"],
        ended["detail"],
    )
    assert begun["timestamp"].endswith("Z")


@pytest.mark.parametrize("decision", [one for one, _ in EVERY.values()], ids=EVERY)
def test_every_decision_is_one_line_or_none(decision: Decision, tmp_path: Path) -> None:
    """JSON in any case; refusals that only say what comes first are left to the journal."""
    log = Logbook(tmp_path / "healer.log")
    log.told(told(decision))
    log.close()

    assert len(written(tmp_path / "healer.log")) <= 1


def test_it_is_rotated_by_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some files of a bounded size, whatever is told."""
    monkeypatch.setattr(module, "_LARGEST", 2000)
    log = Logbook(tmp_path / "healer.log")
    for number in range(200):
        log.note("something", number=number, detail="x" * 100)
    log.close()

    sizes = [one.stat().st_size for one in tmp_path.glob("healer.log*")]
    assert 4 == len(sizes)
    assert max(sizes) <= 2300


def test_a_log_that_cannot_be_written_is_complained_of_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The daemon lives on."""
    log = Logbook(tmp_path / "healer.log")
    assert log._handler.stream is not None
    log._handler.stream.close()
    log.note("one")
    log.note("two")

    assert 1 == capsys.readouterr().err.count("healer: log ")

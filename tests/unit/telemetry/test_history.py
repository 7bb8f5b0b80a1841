"""What happened, as a person reads it and as a program does."""

import time
from collections.abc import Iterator
from typing import Any

import pytest

from healer.telemetry.history import Entry, condensed, history_document, history_text, of_layer

NOON = 1_800_014_400.0
"""A Friday: 15 January 2027, 12:00:00 UTC."""


@pytest.fixture(autouse=True)
def _in_utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Days and hours are local; these are of Greenwich."""
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def entry(past: float, kind: str, layer: str, **fields: Any) -> Entry:  # noqa: ANN401  (as the journal has them)
    """So many seconds after noon."""
    return Entry(NOON + past, kind, layer, fields)


START: dict[str, Any] = {"remedy": "start_container", "target": "", "reason": "talos.stopped"}
REFUSED = {**START, "rule": "human_stopped", "detail": "stopped on purpose", "until": 77.0}
NIGHT = [
    entry(0, "Changed", "talos", was="ok", now="failing", why="exited"),
    entry(0, "IncidentOpened", "talos", incident="i-1", reason="talos.stopped", evidence="exited"),
    entry(1, "Refused", "talos", **REFUSED),
    entry(3, "Refused", "node", **{**START, "rule": "blocked", "detail": "talos is failing"}),
    entry(9, "Refused", "talos", **REFUSED),
    entry(60, "Act", "talos", **START, outcome="failed", took=0.4, verified=0, detail="port taken"),
    entry(61, "NotVerified", "talos", act=START, detail="still exited"),
    entry(62, "Refused", "talos", **REFUSED),
    entry(90, "Act", "talos", **START, outcome="done", took=2.0, verified=1, detail="started"),
    entry(99, "Verified", "talos", act=START, seconds=9.0),
    entry(99, "IncidentResolved", "", incident="i-1", seconds=99.0),
    entry(100, "VmBooted", "", at=3.0),
    entry(86_400, "Paused", "pods", scope="pods", author="joel", reason="moving"),
    entry(86_401, "Resumed", "", pauses=1),
    entry(86_402, "WasReset", "node", holds=2),
    entry(86_403, "Held", "node", reason="node.tainted", detail="3 runs did not help", until=9.0),
    entry(86_404, "GaveUp", "node", reason="node.tainted", detail="3 holds", advice="look"),
    entry(86_405, "Rearmed", "node", detail="well for 600 s"),
    entry(86_406, "Act", "docker", remedy="of_tomorrow", target="x@u", outcome=None, took=None),
    entry(86_407, "Reported", "pods", reason="pods.image_pull", target="a/b@u", evidence="no tag"),
]
TOLD = """\
Friday, 15 January 2027
  12:00:00  talos      incident: stopped: exited
  12:00:01  talos      refused to start the Talos container: human stopped (stopped on purpose; \
2 times, last at 12:00:09)
  12:01:00  talos      start the Talos container: failed in 0.4 s, did not help (port taken)
  12:01:02  talos      refused to start the Talos container: human stopped (stopped on purpose)
  12:01:30  talos      start the Talos container: done in 2.0 s, helped
  12:01:39  talos      incident resolved after 1 min 39 s

Saturday, 16 January 2027
  12:00:00  pods       paused by joel: moving
  12:00:01  -          resumed; 1 pause ended
  12:00:02  node       reset by a human; 2 holds ended
  12:00:03  node       held: 3 runs did not help
  12:00:04  node       gave up: 3 holds. A human should: look
  12:00:05  node       may be acted on again: well for 600 s
  12:00:06  docker     of_tomorrow x: without an end: healer died in the middle
  12:00:07  pods       reported: image_pull a/b: no tag

in the last 2 d: 1 incident opened, 1 resolved; 3 acts, 1 proved to help"""


def test_two_days_as_a_person_reads_them() -> None:
    """Acts with what became of them, refusals condensed, nothing that only repeats another line."""
    assert TOLD == history_text(NIGHT, length=172_800.0)


def test_a_quiet_day_is_one_sentence() -> None:
    """Never nothing at all."""
    assert "no incident and no act in the last 1 d" == history_text([], length=86_400.0)


def test_a_refusal_is_counted_only_while_nothing_else_happened() -> None:
    """An act between two makes them two."""
    times = [one.times for one in condensed(NIGHT) if one.kind == "Refused" and one.times]

    assert [2, 1, 1] == times


def test_one_layer_has_its_incidents_ends_and_what_concerned_all() -> None:
    """And nothing of the others."""
    talos = of_layer(NIGHT, "talos")
    docker = of_layer(NIGHT, "docker")

    assert {"talos", ""} == {one.layer for one in talos}
    assert ["IncidentResolved", "Resumed"] == [one.kind for one in talos if not one.layer]
    assert ["Resumed", "Act"] == [one.kind for one in docker]


def test_the_document_holds_every_line() -> None:
    """Uncondensed; times are epoch seconds, and none is of a boot's own clock."""
    document = history_document(NIGHT, NOON)

    assert (1, NOON, len(NIGHT)) == (
        document["schema_version"],
        document["since"],
        len(document["entries"]),
    )
    assert NOON + 100.0 == document["entries"][11]["at"]
    assert not any("until" in one for one in document["entries"])


def test_what_each_pass_reports_again_is_one_line_a_day() -> None:
    """A pass by hand begins knowing nothing; other evidence, and another day, are news."""
    disk = {"reason": "host.disk_full", "target": "", "evidence": "90 MiB free", "advice": "free"}
    report = [
        entry(0, "Reported", "host", **disk),
        entry(60, "Reported", "host", **disk),
        entry(61, "Act", "talos", **START, outcome="done", took=2.0, verified=1, detail=""),
        entry(120, "Reported", "host", **disk),
        entry(180, "Reported", "host", **{**disk, "evidence": "80 MiB free"}),
        entry(86_400, "Reported", "host", **disk),
    ]
    told = [one for one in history_text(report, length=90_000.0).splitlines() if "reported" in one]

    assert [
        "  12:00:00  host       reported: disk_full: 90 MiB free; 3 times, last at 12:02:00. free",
        "  12:03:00  host       reported: disk_full: 80 MiB free. free",
        "  12:00:00  host       reported: disk_full: 90 MiB free. free",
    ] == told
    assert 6 == len(history_document(report, NOON)["entries"])

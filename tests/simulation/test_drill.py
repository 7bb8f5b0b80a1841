"""`healer drill reboot` from the command line: its document, its order, its end."""

import json
from typing import Any

import pytest

from healer.cli import main
from healer.core.facts import Refused, Rule
from healer.drills.library import packaged
from healer.drills.playing import run

ORDER = [
    "start_vm",
    "load_modules",
    "start_container",
    "set_restart_policy",
    "untaint",
    "delete_flannel_pod",
    "patch_livekit",
]


@pytest.fixture(scope="module", name="document")
def fixture_document() -> dict[str, Any]:
    """The drill's document, played once."""
    with pytest.MonkeyPatch.context() as patch:
        printed: list[str] = []
        patch.setattr("sys.stdout.write", printed.append)
        code = main(["drill", "reboot", "--json"])
    return {"exit": code, **json.loads("".join(printed))}


def test_the_reboot_is_healed(document: dict[str, Any]) -> None:
    """Exit 0, every layer ok, every act proved."""
    assert 0 == document["exit"]
    assert 0 == document["exit_code"]
    assert {"ok"} == {one["state"] for one in document["layers"]}
    assert {True} == {one["verified"] for one in document["acts"]}


def test_the_acts_come_in_the_right_order_each_once(document: dict[str, Any]) -> None:
    """Lowest first (I2), nothing twice (I11), and no pod but flannel's is deleted."""
    assert ORDER == [one["remedy"] for one in document["acts"]]


def test_five_causes_are_one_incident_in_bounded_time(document: dict[str, Any]) -> None:
    """Design §10: a reboot is one incident; I12: the tower is well within a bound."""
    assert [("colima", "stopped")] == [(one["layer"], one["reason"]) for one in document["ill"]]
    assert document["seconds"] < 300.0


def test_nothing_is_left_for_a_human(document: dict[str, Any]) -> None:
    """What healed itself needs nobody."""
    assert [] == document["advice"]


def test_two_drills_are_the_same_to_the_byte(capsys: pytest.CaptureFixture[str]) -> None:
    """No wall time and no chance in it: what is seen once can be seen again (I17)."""
    main(["drill", "reboot"])
    first = capsys.readouterr().out
    main(["drill", "reboot"])

    assert first == capsys.readouterr().out
    assert "the tower is well again" in first


def test_a_healer_that_is_the_first_process_drills_as_any_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """In a container its pid is 1, the parent of every process of the simulated Mac.

    Somebody's `docker restart` there is no child of its own: it is yielded to.
    """
    monkeypatch.setattr("os.getpid", lambda: 1)
    played = run(packaged("docker-restart"))

    decided = [one for moment in played.history.moments for one in moment.decisions]
    assert Rule.YIELDING in {one.rule for one in decided if isinstance(one, Refused)}

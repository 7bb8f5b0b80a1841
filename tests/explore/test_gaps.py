"""What was seen in reality is drawn, or somebody said why not."""

from __future__ import annotations

from typing import Any

from healer.core.facts import Observed, Ticked
from healer.core.observation import Component, Finding, Observation, Sign
from healer.core.reasons import Reason
from healer.core.tower import Layer
from tests.explore.figures import records
from tests.explore.gaps import Gap, Why, drawn_by, explained, gaps, needless
from tests.explore.sightings import Sightings, answer_of

STOPPED = Finding(Reason.COLIMA_STOPPED, "Stopped")
SILENT = Finding(Reason.DOCKER_SILENT, "no answer in 3 s")
SEEN: dict[str, Any] = {"level": "seen", "where": "lab", "drawn": {"a: x": 3, "b: y": 1}}
DREW: dict[str, Any] = {"level": "engine", "drawn": {"a: x": 1}}


def test_what_was_seen_is_drawn_or_explained() -> None:
    """A simulation that cannot draw what happens cannot show that nothing goes wrong then."""
    whys = explained()
    found = gaps(records(), whys)

    assert [] == [one for one in found if not one.why]
    assert [] == needless(found, whys)


def test_a_gap_is_what_no_explorer_drew() -> None:
    """Drawn at any level is drawn."""
    assert [Gap("b: y", 1, "lab", "")] == gaps([SEEN, DREW], ())
    assert [] == gaps([SEEN, DREW, {"level": "core", "drawn": {"b: y": 9}}], ())
    assert {"a: x"} == drawn_by([SEEN, DREW])


def test_an_explanation_covers_by_pattern_and_must_be_needed() -> None:
    """One that no gap needs any more goes."""
    whys = (Why("b: *", "it cannot happen here"), Why("c", "gone"))
    found = gaps([SEEN, DREW], whys)

    assert ["it cannot happen here"] == [one.why for one in found]
    assert [whys[1]] == needless(found, whys)


def test_a_sighting_names_answers_changes_signs_and_orders() -> None:
    """And nothing that differs from one run to the next: no times, numbers or paths."""
    told = Sightings()
    sign = Sign("docker.sock /_ping", frozenset({Component.MUX}), alive=False)
    told.heard(Observed(Observation(Layer.COLIMA)), 0.0)
    told.heard(Ticked(), 1.0)
    told.heard(Observed(Observation(Layer.COLIMA, findings=(STOPPED,))), 2.0)
    told.heard(Observed(Observation(Layer.DOCKER, findings=(SILENT,), signs=(sign,))), 9.0)
    told.heard(Observed(Observation(Layer.COLIMA, unknown="list: no answer in 20 s")), 10.0)

    assert {
        "colima: ok",
        "colima: stopped",
        "colima: ok -> stopped",
        "docker: silent",
        "docker: sign of docker.sock dead",
        "colima fails, then docker",
        "colima: unknown (list)",
        "colima: stopped -> unknown (list)",
    } == set(told.counts)


def test_another_run_follows_nothing() -> None:
    """The last answer of one life of healer is not the first of the next."""
    told = Sightings()
    told.heard(Observed(Observation(Layer.COLIMA)), 0.0)
    told.begin()
    told.heard(Observed(Observation(Layer.COLIMA, findings=(STOPPED,))), 2.0)

    assert "colima: ok -> stopped" not in told.counts


def test_a_blind_look_is_named_without_its_particulars() -> None:
    """Else each number of seconds would be a sighting of its own."""
    told = [
        Observation(Layer.SSH, unknown="ssh 127.0.0.1:60022: banner exchange timed out"),
        Observation(Layer.SSH, unknown="ssh 127.0.0.1:55555 (no answer in 5 s)"),
    ]

    assert 1 == len({answer_of(one) for one in told})

"""What a pass amounts to: as text for a person, and as one document for a program."""

import json
from dataclasses import replace
from typing import Any

from healer.core.facts import (
    GaveUp,
    Held,
    IncidentOpened,
    NotVerified,
    Outcome,
    Rule,
    State,
    Verified,
)
from healer.core.judging import Judgement, Judgements
from healer.core.observation import Finding, ForeignOperation, Observation
from healer.core.reasons import Reason
from healer.core.tower import Layer
from healer.core.world import Foreign, View, World
from healer.telemetry.report import Report, document, report_text
from tests.unit.telemetry.decisions import ACT, EVERY, REFUSED, REPORTED, finished, told

OPENED = IncidentOpened("i-1", Layer.PODS, Reason.POD_UNKNOWN, "redis-0 shows Unknown")
WELL: Judgements = dict.fromkeys(Layer, Judgement(State.OK))
ILL: Judgements = {**WELL, Layer.PODS: Judgement(State.FAILING, "redis-0 shows Unknown")}
WORLD = World(
    views={
        Layer.PODS: View(
            Observation(
                Layer.PODS, findings=(Finding(Reason.POD_UNKNOWN, "Unknown", "ns/redis-0@u"),)
            ),
            100.0,
        )
    }
)


def healed() -> Report:
    """A pod was unknown, was deleted, and that helped."""
    report = Report()
    report.told(told(OPENED, ACT, at=100.0))
    report.told(told(fact=finished(), at=112.0))
    report.told(told(Verified(ACT, 20.0), at=120.0))
    return report


def text(report: Report, judged: Judgements = ILL, *, dry_run: bool = False) -> str:
    """The report as a person reads it."""
    return report_text(report, WORLD, judged, "the verdict", dry_run=dry_run)


def test_somebody_elses_operation_is_named() -> None:
    """A `check` that finds the tower ill in the middle of it says what it waits for."""
    theirs = ForeignOperation(Layer.COLIMA, "colima start", 4242, 3.0)
    world = replace(WORLD, foreign=(Foreign(theirs, 100.0, 97.0),))
    said = report_text(Report(), world, ILL, "the verdict", dry_run=False)

    line = "  - `colima start` (pid 4242): healer waits for it on colima and above"
    assert f"somebody else is at work:\n{line}" in said
    made = document(Report(), world, ILL, exit_code=1, dry_run=True)
    assert [{"command": "colima start", "pid": 4242}] == made["others"]
    assert "somebody else" not in text(Report())


def told_document(report: Report, judged: Judgements = ILL) -> dict[str, Any]:
    """The document, having been through JSON."""
    made = document(report, WORLD, judged, exit_code=1, dry_run=False)
    read: dict[str, Any] = json.loads(json.dumps(made))
    return read


def test_what_was_ill_and_done_is_told() -> None:
    """With its evidence, its length and its proof."""
    said = text(healed())

    assert "the verdict (20 s)" in said
    assert "was ill:\n  - pods: unknown (redis-0 shows Unknown)" in said
    done = "pods: delete the pod joelclaw/redis-0: done in 12 s, verified; deleted redis-0"
    assert f"was done:\n  - {done}" in said


def test_a_rehearsal_tells_what_would_be_done() -> None:
    """And never that it was."""
    said = text(healed(), dry_run=True)

    assert "would be done:\n  - pods: delete the pod joelclaw/redis-0 (because: " in said
    assert "was done" not in said


def test_an_act_that_did_not_help_says_so() -> None:
    """So that nobody trusts it."""
    report = Report()
    report.told(told(ACT, at=100.0))
    report.told(told(NotVerified(ACT, "still there"), fact=finished(Outcome.TIMED_OUT), at=112.0))

    assert "timed out in 12 s, did not help" in text(report)


def test_a_refusal_is_told_once_and_only_if_it_stood() -> None:
    """What was put off and then done was not refused; what only comes later is not told."""
    report = Report()
    report.told(told(REFUSED, REFUSED, replace(REFUSED, rule=Rule.BLOCKED)))

    assert 1 == text(report).count("delete the pod joelclaw/redis-0: cooldown (too soon)")
    assert "blocked" not in text(report)

    report.told(told(ACT))

    assert "was refused" not in text(report)


def test_a_human_is_told_what_to_do_while_it_matters() -> None:
    """Reports, holds and give-ups, with their commands; nothing of a layer that is well again."""
    report = Report()
    held = Held(Layer.PODS, Reason.POD_UNKNOWN, 1900.0, "2 runs did not help")
    gave_up = GaveUp(Layer.PODS, Reason.POD_UNKNOWN, "budget spent", "kubectl describe the pod")
    report.told(told(REPORTED, held, gave_up))

    assert "image_pull joelclaw/pds: ImagePullBackOff\n    mend the image" in text(report)
    assert "held (2 runs did not help); `healer reset pods` re-arms it" in text(report)
    assert "gave up (budget spent)\n    kubectl describe the pod" in text(report)
    assert "held" not in text(report, WELL)
    assert "mend the image" in text(report, WELL)


def test_no_decision_breaks_the_report() -> None:
    """Whatever is decided, both faces of the report come out."""
    report = Report()
    report.told(told(*(one for one, _ in EVERY.values())))

    assert text(report)
    assert told_document(report)


def test_the_document_keeps_its_keys() -> None:
    """Programs rely on them within one schema version."""
    report = healed()
    report.told(told(replace(REFUSED, target="other"), REPORTED, at=120.0))
    made = told_document(report)

    assert {
        "schema_version": 1,
        "exit_code": 1,
        "dry_run": False,
        "seconds": 20.0,
    } == {key: made[key] for key in ("schema_version", "exit_code", "dry_run", "seconds")}
    assert [
        "schema_version",
        "exit_code",
        "dry_run",
        "seconds",
        "layers",
        "others",
        "ill",
        "acts",
        "refused",
        "advice",
    ] == list(made)
    assert [one.value for one in Layer] == [one["layer"] for one in made["layers"]]
    assert {
        "layer": "pods",
        "state": "failing",
        "why": "redis-0 shows Unknown",
        "summary": "",
        "findings": [
            {"reason": "unknown", "gating": True, "target": "ns/redis-0", "evidence": "Unknown"}
        ],
    } == made["layers"][list(Layer).index(Layer.PODS)]
    assert [{"layer": "pods", "reason": "unknown", "evidence": "redis-0 shows Unknown"}] == made[
        "ill"
    ]
    assert {"kind", "layer", "reason", "detail", "advice"} == set(made["advice"][0])
    assert {"layer", "remedy", "reason", "target", "rule", "detail"} == set(made["refused"][0])


def test_an_act_in_the_document() -> None:
    """Its remedy, end, length in seconds and proof."""
    act = told_document(healed())["acts"][0]

    assert {
        "id": "t-1",
        "layer": "pods",
        "remedy": "delete_pod",
        "reason": "unknown",
        "target": "joelclaw/redis-0",
        "outcome": "done",
        "seconds": 12.0,
        "verified": True,
    } == {key: act[key] for key in act if key not in {"began", "detail", "evidence", "after"}}


def test_an_unused_refusal_of_another_target_stands() -> None:
    """An act on one pod answers no refusal of another."""
    report = Report()
    other = replace(REFUSED, target="joelclaw/pds@uid-2")
    report.told(told(other))
    report.told(told(ACT))

    assert [other] == report.refused


def test_the_root_cause_comes_first_and_each_cause_once() -> None:
    """Seven layers that ask one file are one cause; the lowest layer that is not well is named."""
    missing = Judgement(State.UNKNOWN, "kubeconfig: is not there")
    judged = {
        **WELL,
        Layer.SSH: Judgement(State.UNKNOWN, "no route"),
        Layer.KERNEL: Judgement(State.UNKNOWN, "no route"),
        Layer.NODE: missing,
        Layer.FLANNEL: missing,
        Layer.PODS: missing,
    }
    lines = text(Report(), judged).splitlines()

    assert "the root cause is in ssh: no route" == lines[0]
    seen = {line.split()[0]: line.split(maxsplit=2)[2:] for line in lines[1:14]}
    assert (["kubeconfig: is not there"], ["as node"]) == (seen["node"], seen["pods"])
    assert (["no route"], ["as ssh"], []) == (seen["ssh"], seen["kernel"], seen["host"])


def test_a_layer_that_was_not_seen_under_healthy_ones_is_no_root_cause() -> None:
    """What stands on it is well, so it is too."""
    judged = {**ILL, Layer.COLIMA: Judgement(State.UNKNOWN, "colima list: no answer")}

    assert (
        "the root cause is in pods: redis-0 shows Unknown" == text(Report(), judged).split("\n")[0]
    )
    assert "root cause" not in text(Report(), WELL)

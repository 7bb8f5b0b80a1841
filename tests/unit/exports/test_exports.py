"""The shipped alert rules and dashboard: right by Prometheus' own tools, true to healer's page."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families as plain_text

from healer.cli import main
from healer.core.tower import Layer
from healer.exports import DASHBOARD, RULES, text
from healer.telemetry.metrics import Metrics
from tests.unit.telemetry.test_metrics import FixedCost

README = Path(__file__).parents[3] / "README.md"
TESTS = Path(__file__).with_name("alerts_test.yaml")
NAME = re.compile(r"\bhealer_[a-z_]+")


def promtool() -> str:
    """Prometheus' own tool; skipped where it is missing, but in CI."""
    found = shutil.which("promtool")
    if found is None:
        assert "CI" not in os.environ, "promtool is missing"
        pytest.skip("promtool is not installed")
    return found


def rules() -> list[dict[str, Any]]:
    """Every alert."""
    return [one for group in yaml.safe_load(text(RULES))["groups"] for one in group["rules"]]


def served() -> set[str]:
    """Every name on the page of metrics."""
    page, _ = Metrics(FixedCost, lambda: 1.0, lambda: 1.0).render()
    return {sample.name for family in plain_text(page.decode()) for sample in family.samples}


@pytest.mark.parametrize(("what", "name"), [("rules", RULES), ("dashboard", DASHBOARD)])
def test_export_prints_the_file(what: str, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """And nothing else, so that it can be sent into a file."""
    assert 0 == main(["export", what])

    assert text(name) == capsys.readouterr().out


def test_the_rules_pass_every_lint(tmp_path: Path) -> None:
    """`promtool check rules --lint=all --lint-fatal`."""
    (tmp_path / RULES).write_text(text(RULES), encoding="utf-8")
    asked = [promtool(), "check", "rules", "--lint=all", "--lint-fatal", str(tmp_path / RULES)]
    ran = subprocess.run(asked, capture_output=True, text=True, check=False)

    assert 0 == ran.returncode, ran.stdout + ran.stderr


def test_each_alert_fires_when_it_must_and_only_then(tmp_path: Path) -> None:
    """`promtool test rules`, with a healthy healer as the first case."""
    (tmp_path / RULES).write_text(text(RULES), encoding="utf-8")
    shutil.copy(TESTS, tmp_path)
    asked = [promtool(), "test", "rules", str(tmp_path / TESTS.name)]
    ran = subprocess.run(asked, capture_output=True, text=True, check=False)

    assert 0 == ran.returncode, ran.stdout + ran.stderr


def test_every_alert_is_tried_both_ways() -> None:
    """A case in which it fires, and one in which it does not."""
    tried = [
        (case["alertname"], bool(case["exp_alerts"]))
        for group in yaml.safe_load(TESTS.read_text(encoding="utf-8"))["tests"]
        for case in group["alert_rule_test"]
    ]

    assert {(one["alert"], fires) for one in rules() for fires in (True, False)} == set(tried)


def test_every_alert_leads_to_its_entry_in_the_readme() -> None:
    """Its runbook's anchor is a heading there."""
    headings = {
        line.lstrip("# ").lower()
        for line in README.read_text(encoding="utf-8").splitlines()
        if line.startswith("#")
    }

    for one in rules():
        page, _, anchor = one["annotations"]["runbook_url"].partition("#")
        assert ("README.md", one["alert"].lower()) == (page, anchor)
        assert anchor in headings


def test_rules_and_dashboard_ask_only_for_what_is_served() -> None:
    """A name that nobody serves would be an alert that never fires."""
    board = json.loads(text(DASHBOARD))
    asked = [one["expr"] for one in rules()]
    asked += [target["expr"] for panel in board["panels"] for target in panel["targets"]]

    assert set() == {name for expr in asked for name in NAME.findall(expr)} - served()


def test_every_panel_says_what_it_shows() -> None:
    """A title, words and a place of its own."""
    panels = json.loads(text(DASHBOARD))["panels"]

    assert all(one["title"] and one["description"] for one in panels)
    assert f"Of {len(Layer)}." == next(
        one["description"] for one in panels if one["title"] == "Layers that are well"
    )
    assert len(panels) == len({(one["gridPos"]["x"], one["gridPos"]["y"]) for one in panels})

"""One hostile string, said by everybody who is asked, in every view: nothing of it is obeyed.

The text is cleaned where it becomes evidence and nowhere after, so one view that takes its words
from elsewhere shows here.
"""

import codecs
import io
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from rich.console import Console

from healer.adapters.journal import SqliteJournal
from healer.cli.history import entry_of
from healer.cli.talking import _plainly
from healer.core.facts import Act, Pause
from healer.core.judging import judge
from healer.core.ladders import Remedy
from healer.core.observation import Finding, ForeignOperation, Observation
from healer.core.reasons import Reason
from healer.core.tower import Layer
from healer.engine.passing import Ended
from healer.engine.telling import Told
from healer.model.cluster import ServicePort
from healer.model.container import Container
from healer.model.cures import SetUp, cures
from healer.model.path import walk
from healer.model.port_table import port_table
from healer.notices import wording
from healer.notices.scene import Moment, Scene
from healer.ports import ActFailed, CannotLook
from healer.serving.http import _page
from healer.telemetry.drawing import DrawnTower
from healer.telemetry.explaining import told_by_a_daemon
from healer.telemetry.history import history_document, history_text
from healer.telemetry.logbook import Logbook
from healer.telemetry.metrics import Metrics
from healer.telemetry.path_text import path_document, path_lines
from healer.telemetry.plain import PlainLines
from healer.telemetry.report import Report, document, report_text
from healer.telemetry.status import About, status_document
from healer.telemetry.status_text import status_text
from tests.fakes.mac_clock import MacClock
from tests.unit.engine.test_passing import run
from tests.unit.engine.tower import POLICY, Cure, ScriptedProbe, SmallTower
from tests.unit.model.test_cures import WELL
from tests.unit.model.test_path import CUT, HEALTHY
from tests.unit.telemetry.test_metrics import FixedCost
from tests.unit.test_outside import ESCAPES, HOSTILE

OURS = re.compile(r"\x1b\[(?:[0-9;]*m|\?25[lh]|[0-9]*[AGK]|2K|1A)")
"""What rich itself draws with: colours, the cursor, and erased lines."""


@dataclass
class HostileTower(SmallTower):
    """Talos is stopped for good, Docker cannot be seen, and everything is said in HOSTILE."""

    def remedies(self) -> dict[Remedy, Cure]:
        """Each fails."""

        async def fails() -> str:
            raise ActFailed(HOSTILE, HOSTILE)

        return {one: Cure(one, fails) for one in Remedy}

    def _probe(self, layer: Layer) -> ScriptedProbe:
        async def sees() -> Observation:
            if layer is Layer.LAUNCHD:
                raise CannotLook(HOSTILE, HOSTILE)
            return Observation(
                layer,
                tuple(_findings(layer)),
                foreign=(ForeignOperation(Layer.LAUNCHD, HOSTILE, 7, 3.0),),
                summary=HOSTILE,
                uptime=3600.0,
            )

        return ScriptedProbe(layer, sees)


def _findings(layer: Layer) -> list[Finding]:
    reasons = {
        Layer.TALOS: Reason.TALOS_STOPPED,
        Layer.SSH: Reason.VM_DISK,
        Layer.PODS: Reason.POD_IMAGE_PULL,
    }
    reason = reasons.get(layer)
    return [Finding(reason, HOSTILE, ESCAPES, advice=HOSTILE)] if reason else []


@dataclass
class Heard:
    """All that faces were told, and the lines of those that write."""

    faces: list[Callable[[Told], None]]
    lines: list[str] = field(default_factory=list)
    last: Told | None = None

    def told(self, told: Told) -> None:
        """Tell all."""
        self.last = told
        for one in self.faces:
            one(told)


@dataclass
class Night:
    """A pass over the hostile tower, and what was seen of it."""

    heard: Heard
    report: Report
    ended: Ended
    journal: SqliteJournal
    screen: str
    log: str

    @property
    def now(self) -> float:
        """When it ended."""
        assert self.heard.last is not None
        return self.heard.last.at


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Night:
    """One pass, with every face that hears the engine."""
    log = tmp_path_factory.mktemp("log") / "healer.log"
    report, logbook, screen = Report(), Logbook(log), io.StringIO()
    journal = SqliteJournal.in_memory(MacClock())
    heard = Heard([report.told, logbook.told, Metrics(FixedCost, float, float).told])
    heard.faces.append(PlainLines(heard.lines.append).told)
    tower = HostileTower()
    with DrawnTower(Console(file=screen, force_terminal=True, width=200, height=60)) as drawn:
        heard.faces.append(drawn.told)
        ended, _ = run(tower.one_pass(policy=POLICY, journal=journal, listener=heard))
    logbook.close()
    journal.pause(Pause(None, None, "joel", "moving"))
    return Night(heard, report, ended, journal, screen.getvalue(), log.read_text("utf-8"))


def check(shown: str) -> None:
    """It holds the words and nothing of what they tried."""
    assert "(redacted)" in shown
    assert "hunter2" not in shown
    assert "owned" not in shown
    assert "ZXZpbA" not in shown
    bad = [one for one in shown if not one.isprintable() and one != "\n"]
    assert not bad, bad


def test_lines(night: Night) -> None:
    """What a pipe sees, and the log."""
    check("\n".join(night.heard.lines))
    check(night.log)
    for one in night.log.splitlines():
        assert all(str(value).isprintable() for value in json.loads(one).values())


def test_a_drawn_tower(night: Night) -> None:
    """What a terminal sees: rich's own sequences, and no others."""
    check(OURS.sub("", night.screen).replace("\r", ""))


def test_the_report(night: Night) -> None:
    """As text and as JSON."""
    judged = judge(night.ended.world, night.now, POLICY)
    check(report_text(night.report, night.ended.world, judged, "verdict", dry_run=False))
    told = document(night.report, night.ended.world, judged, exit_code=1, dry_run=False)
    check(json.dumps(told, ensure_ascii=False))


def test_the_status(night: Night) -> None:
    """As text, as JSON, and as a page."""
    told = status_document(night.ended.world, night.now, POLICY, About("1", 1, 1.0))
    check(status_text(told))
    check(json.dumps(told, ensure_ascii=False))
    check(_page(told, ""))


@pytest.mark.parametrize("layer", [Layer.TALOS, Layer.PODS, Layer.SSH, Layer.LAUNCHD])
def test_explanations(night: Night, layer: Layer) -> None:
    """Of each layer that says something."""
    check("\n".join(told_by_a_daemon(layer, night.ended.world, night.now, POLICY)))


def test_the_history(night: Night) -> None:
    """What the journal kept, as text and as JSON."""
    entries = [entry_of(one) for one in night.journal.history(0.0)]
    check(history_text(entries, length=60.0))
    check(json.dumps(history_document(entries, 0.0), ensure_ascii=False))
    acts = [one for one in entries if one.kind == Act.__name__]
    assert acts
    check("\n".join(str(one.fields["detail"]) for one in acts))


def test_notices(night: Night) -> None:
    """What a human is sent."""
    (incident,) = night.ended.world.incidents
    trouble = next(
        one for one in night.ended.world.views[Layer.TALOS].gating if one.finding.evidence
    )
    at = Moment(night.now, night.now, 1_800_000_000.0, "2027-01-15", 12)
    notice = wording.opened(Scene(night.ended.world, at, {}), incident, trouble)
    check(f"{notice}")


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_no_view_breaks_on_a_poor_terminal(night: Night, encoding: str, tmp_path: Path) -> None:
    """What cannot be shown is replaced, and never an error."""
    judged = judge(night.ended.world, night.now, POLICY)
    text = report_text(night.report, night.ended.world, judged, "… ✔ → ⚒ 世", dry_run=False)
    codecs.register_error("healer", _plainly)
    with (tmp_path / "out").open("w", encoding=encoding, errors="healer") as out:
        out.write(text)

    assert "... + -> * ?" in (tmp_path / "out").read_text(encoding=encoding)


def test_what_is_looked_up_on_request() -> None:
    """`trace`, `advice` and `ports`, which no probe asks for."""
    said = replace(CUT, words=HOSTILE)
    path = walk(replace(HEALTHY, on_mac=said, in_vm=said, by_api=said))
    check("\n".join(line for line, _ in path_lines(path)))
    check(json.dumps(path_document([path]), ensure_ascii=False))
    cured = cures(
        replace(
            WELL,
            guest=HOSTILE,
            setup=(SetUp("x", (Finding(Reason.VM_DISK, HOSTILE, advice=HOSTILE),)),),
        )
    )
    check(f"{cured}")
    foreign = ServicePort(ESCAPES, ESCAPES, 30_000, 1, "1", 1, 1)
    assert isinstance(WELL.container, Container)
    rows = port_table((), WELL.container, [foreign])
    assert rows
    assert repr(rows).isprintable()
    assert "\\x" not in repr(rows)

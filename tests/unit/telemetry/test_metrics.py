"""The page of metrics: complete from the start, true after each step, and small."""

import os
import shutil
import subprocess
from dataclasses import dataclass, field, replace

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as open_metrics
from prometheus_client.parser import text_string_to_metric_families as plain_text

from healer.core.facts import (
    IncidentOpened,
    IncidentResolved,
    Outcome,
    Pause,
    Refused,
    Rule,
    State,
)
from healer.core.ladders import Remedy
from healer.core.ledger import Incident, Ledger
from healer.core.observation import Finding, Observation
from healer.core.reasons import Reason
from healer.core.tower import Layer
from healer.core.world import Trouble, View, World
from healer.engine.telling import Looked, Told, nothing_awaited
from healer.engine.watching import Look
from healer.telemetry.metrics import Metrics
from tests.patience import PATIENCE
from tests.unit.telemetry.decisions import ACT, finished

LARGEST = 1500
"""Series at default settings; design §7: closed label sets."""


@dataclass(frozen=True)
class FixedCost:
    """A process that never changes."""

    cpu: float = 1.5
    children_cpu: float = 0.25
    rss: int = 60 * 2**20
    descriptors: int = 20


@dataclass
class Page:
    """Metrics and the two clocks they are given."""

    now: float = 100.0
    rendered: int = 0
    metrics: Metrics = field(init=False)

    def __post_init__(self) -> None:
        self.metrics = Metrics(self._cost, lambda: self.now, lambda: 1_700_000_000.0 + self.now)

    def _cost(self) -> FixedCost:
        self.rendered += 1
        return FixedCost()

    def value(self, name: str, **labels: str) -> float:
        """One sample of a page that was made now."""
        self.now += 2.0
        body, _ = self.metrics.render()
        for family in plain_text(body.decode()):
            for sample in family.samples:
                if sample.name == name and sample.labels == labels:
                    return float(sample.value)
        raise AssertionError(f"no sample {name}{labels}")

    def told(self, *decisions: object, **changes: object) -> None:
        """One step of the engine at the present time."""
        told = Told(self.now, None, decisions, World(), nothing_awaited, dry_run=False)  # type: ignore[arg-type]
        self.metrics.told(replace(told, **changes))  # type: ignore[arg-type]


@pytest.fixture
def page() -> Page:
    """A page that nothing was told yet."""
    return Page()


def test_every_series_that_an_alert_may_ask_for_is_there_at_zero(page: Page) -> None:
    """`rate()` must see the first failure."""
    assert 0 == page.value("healer_remedy_attempts_total", remedy="start_vm", outcome="done")
    assert 0 == page.value("healer_remedy_suppressed_total", remedy="start_vm", rule="budget")
    assert 0 == page.value("healer_incidents_total", layer="docker", reason="forward_dead")
    assert 0 == page.value("healer_notifications_total", channel="webhook", outcome="failed")
    assert 0 == page.value("healer_probe_errors_total", probe="pods")
    assert 1 == page.value("healer_layer_state", layer="pods", state="unknown")


def test_the_series_are_few_and_bounded(page: Page) -> None:
    """At most this many, whatever happens to the tower."""
    body, _ = page.metrics.render()
    everything = [one for one in body.decode().splitlines() if not one.startswith("#")]

    assert len(everything) < LARGEST


def test_a_certificates_end_is_shown_once_it_was_read() -> None:
    """Before that there is no series: 0 would read as an end long ago."""
    ends: dict[str, float] = {}
    metrics = Metrics(FixedCost, lambda: 100.0 + 2.0 * len(ends), lambda: 1.0, lambda: ends)
    name = b"healer_certificate_expiry_timestamp_seconds"
    assert name + b"{" not in metrics.render()[0]
    ends["kubeconfig"] = 1_893_456_000.0

    assert name + b'{certificate="kubeconfig"} 1.893456e+09' in metrics.render()[0]


def test_a_layer_is_in_one_state(page: Page) -> None:
    """A set of states of which one is 1."""
    page.told(world=World(states={Layer.TALOS: State.FAILING}))

    assert 1 == page.value("healer_layer_state", layer="talos", state="failing")
    assert 0 == page.value("healer_layer_state", layer="talos", state="unknown")


def test_an_act_is_counted_by_its_end_and_timed(page: Page) -> None:
    """From its beginning to its end."""
    page.told(ACT)
    page.now += 12.0
    page.told(fact=finished(Outcome.FAILED))

    remedy = ACT.remedy.value
    assert 1 == page.value("healer_remedy_attempts_total", remedy=remedy, outcome="failed")
    assert 12 == page.value("healer_remedy_duration_seconds_sum", remedy=remedy)


def test_a_refusal_is_counted_by_its_rule(page: Page) -> None:
    """Also one whose series did not exist before."""
    page.told(Refused(Layer.PODS, Remedy.DELETE_POD, Reason.POD_UNKNOWN, "", Rule.NOT_RIPE, ""))

    assert 1 == page.value("healer_remedy_suppressed_total", remedy="delete_pod", rule="not_ripe")


def test_an_incident_is_timed_from_the_first_bad_look_to_its_proved_end(page: Page) -> None:
    """Detection begins with the first bad look; recovery is the incident's own length."""
    finding = Finding(Reason.TALOS_STOPPED, "exited")
    trouble = Trouble(finding, page.now - 6.0, page.now - 6.0, page.now, 2)
    view = View(Observation(Layer.TALOS, findings=(finding,)), page.now, {trouble.key: trouble})
    opened = IncidentOpened("i1", Layer.TALOS, Reason.TALOS_STOPPED, "exited")
    incident = Incident("i1", page.now, frozenset({Layer.TALOS}))
    page.told(opened, world=World(views={Layer.TALOS: view}, incidents=(incident,)))

    assert 6 == page.value("healer_detection_seconds_sum", layer="talos")
    assert 1 == page.value("healer_incidents_total", layer="talos", reason="stopped")
    assert 1 == page.value("healer_incident_open", layer="talos")

    page.told(IncidentResolved("i1", 33.0))
    assert 33 == page.value("healer_recovery_seconds_sum", layer="talos")
    assert 0 == page.value("healer_incident_open", layer="talos")


def test_a_look_is_counted_timed_and_judged(page: Page) -> None:
    """A probe that broke is an error; one that could not see is no success."""
    page.metrics.looked(Looked(Layer.PODS, 0.3, Look(Observation(Layer.PODS))))
    assert 1 == page.value("healer_probe_success", probe="pods")

    broken = Look(Observation(Layer.PODS, unknown="the probe broke"), broke=True)
    page.metrics.looked(Looked(Layer.PODS, 0.5, broken))
    assert 0 == page.value("healer_probe_success", probe="pods")
    assert 1 == page.value("healer_probe_errors_total", probe="pods")
    assert 0.8 == page.value("healer_probe_duration_seconds_sum", probe="pods")
    assert 1_700_000_000 < page.value("healer_probe_last_run_timestamp_seconds", probe="pods")


def test_a_pause_shows_until_it_ends(page: Page) -> None:
    """By itself, when its time is over."""
    pause = Pause(None, page.now + 10.0, "joel", "demo")
    page.told(world=World(ledger=Ledger(pauses=(pause,))))

    assert 1 == page.value("healer_paused")
    page.now += 10.0
    assert 0 == page.value("healer_paused")


def test_its_own_cost_is_shown(page: Page) -> None:
    """CPU with children, memory, descriptors, lag, heartbeat, build."""
    page.metrics.lagged(0.02)
    page.told()

    assert 1.5 == page.value("healer_cpu_seconds_total", of="self")
    assert 0.25 == page.value("healer_cpu_seconds_total", of="children")
    assert 60 * 2**20 == page.value("healer_resident_memory_bytes")
    assert 20 == page.value("healer_open_fds")
    assert 0.02 == page.value("healer_event_loop_lag_seconds")
    assert 1_700_000_000 < page.value("healer_heartbeat_timestamp_seconds")


def test_the_page_is_made_once_a_second_at_most(page: Page) -> None:
    """However often it is asked for."""
    before = page.rendered
    for _ in range(1000):
        page.metrics.render()
        page.now += 0.001

    assert page.rendered - before <= 2


def test_open_metrics_is_spoken_to_who_asks_for_it(page: Page) -> None:
    """And is what its own parser takes."""
    body, kind = page.metrics.render(openmetrics=True)

    assert kind.startswith("application/openmetrics-text")
    families = open_metrics(body.decode())  # type: ignore[no-untyped-call]
    assert "healer_build_info" in {one.name for one in families}
    assert page.metrics.render()[1].startswith("text/plain")


def test_promtool_finds_nothing_to_complain_about(page: Page) -> None:
    """The lint of Prometheus' own tool, over a page after some life."""
    tool = shutil.which("promtool")
    if tool is None:
        if os.environ.get("CI") == "true":
            pytest.fail("promtool is missing; Debian has it in the package prometheus")
        pytest.skip("promtool is missing; Debian has it in the package prometheus")
    page.told(ACT)
    page.told(fact=finished())
    body, _ = page.metrics.render()

    for more in ([], ["--extended"]):
        done = subprocess.run(
            [tool, "check", "metrics", *more],
            input=body,
            capture_output=True,
            check=False,
            timeout=PATIENCE,
        )
        assert 0 == done.returncode, done.stdout.decode() + done.stderr.decode()

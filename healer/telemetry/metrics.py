"""Metrics of design §7: told by the engine, rendered from memory at most once a second.

All label sets are closed and begin at zero, so that `rate()` sees the first failure. A registry of
our own: the library's global one would carry a process collector that knows Linux only.
"""

import platform
from collections.abc import Callable, Iterator, Mapping
from typing import Final, Protocol

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from healer import __version__
from healer.core.facts import (
    Act,
    Finished,
    IncidentOpened,
    IncidentResolved,
    Outcome,
    Refused,
    Rule,
    State,
)
from healer.core.ladders import LADDERS, Remedy
from healer.core.reasons import Reason
from healer.core.tower import Layer
from healer.core.world import World
from healer.engine.telling import Looked, Told
from healer.model.channels import CHANNELS
from healer.model.notice import OUTCOMES

_LOOK_SECONDS: Final = (0.005, 0.02, 0.1, 0.5, 2.0, 10.0, 20.0)
"""From a stat of a file to a look's deadline."""
_DETECTION_SECONDS: Final = (1, 5, 15, 30, 60, 120, 300)
"""From the first bad look to the incident: confirmation takes 5 to 60 s."""
_RECOVERY_SECONDS: Final = (10, 30, 60, 120, 300, 600, 1200, 3600)
"""From an untaint to a VM's start with its proof, and what a human mended."""
_ACT_SECONDS: Final = (0.1, 1, 5, 30, 120, 300, 780)
"""780 s is the cap of a VM's start."""
_FRESH: Final = 1.0
_PLAIN: Final = choose_encoder("")
_OPEN: Final = choose_encoder("application/openmetrics-text; version=1.0.0")


class Cost(Protocol):
    """What the process costs; see adapters/process_table."""

    @property
    def cpu(self) -> float:
        """Seconds."""
        ...

    @property
    def children_cpu(self) -> float:
        """Seconds."""
        ...

    @property
    def rss(self) -> int:
        """Bytes."""
        ...

    @property
    def descriptors(self) -> int:
        """Open files."""
        ...


class Metrics:
    """Listens to the engine; `render` is the page."""

    def __init__(
        self,
        cost: Callable[[], Cost],
        now: Callable[[], float],
        wall: Callable[[], float],
        expiries: Callable[[], Mapping[str, float]] = dict,
    ) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self._cost, self._now, self._wall = cost, now, wall
        self._expiries = expiries
        self._rendered: dict[bool, tuple[float, bytes]] = {}
        """By whether it is OpenMetrics: two pages, whatever the scrapers ask for."""
        self._begun: dict[str, float] = {}
        self._roots: dict[str, Layer] = {}
        self._world = World()
        self.registry = CollectorRegistry()
        self._make()
        self._zero()

    def told(self, told: Told) -> None:
        """Count one step."""
        self._world = told.world
        self.heartbeat.set(self._wall())
        if isinstance(told.fact, Finished):
            self._ended(told.fact, told.at)
        for decision in told.decisions:
            match decision:
                case Act(id=name):
                    self._begun[name] = told.at
                case Refused(remedy=remedy, rule=rule):
                    self.suppressed.labels(remedy, rule).inc()
                case IncidentOpened():
                    self._opened(decision, told)
                case IncidentResolved(incident=name, seconds=seconds):
                    layer = self._roots.pop(name, None)
                    if layer is not None:
                        self.recovery.labels(layer).observe(seconds)
                case _:
                    pass

    def looked(self, looked: Looked) -> None:
        """Count one look."""
        layer = looked.layer
        self.probe_success.labels(layer).set(0 if looked.look.observation.unknown else 1)
        self.probe_seconds.labels(layer).observe(looked.seconds)
        self.probe_last.labels(layer).set(self._wall())
        if looked.look.broke:
            self.probe_errors.labels(layer).inc()

    def lagged(self, seconds: float) -> None:
        """The event loop came so much later than it should."""
        self.lag.set(seconds)

    def notified(self, channel: str, outcome: str) -> None:
        """A notice went out, or did not."""
        self.notifications.labels(channel, outcome).inc()

    def render(self, *, openmetrics: bool = False) -> tuple[bytes, str]:
        """The page and its content type; made once a second at most."""
        encode, kind = _OPEN if openmetrics else _PLAIN
        kept = self._rendered.get(openmetrics)
        now = self._now()
        if kept is None or now - kept[0] >= _FRESH:
            self._refresh()
            kept = (now, encode(self.registry))
            self._rendered[openmetrics] = kept
        return kept[1], kind

    def _ended(self, finished: Finished, at: float) -> None:
        act = finished.act
        self.attempts.labels(act.remedy, finished.outcome).inc()
        began = self._begun.pop(act.id, None)
        if began is not None:
            self.act_seconds.labels(act.remedy).observe(at - began)

    def _opened(self, opened: IncidentOpened, told: Told) -> None:
        self._roots[opened.incident] = opened.layer
        self.incidents.labels(opened.layer, opened.reason.word).inc()
        view = told.world.views.get(opened.layer)
        since = [one.since for one in view.gating] if view is not None else []
        if since:
            self.detection.labels(opened.layer).observe(told.at - min(since))

    def _refresh(self) -> None:
        """What is read from the world only when somebody asks."""
        for layer in Layer:
            shown = self._world.states.get(layer, State.UNKNOWN)
            for state in State:
                self.layer_state.labels(layer, state).set(state is shown)
            is_open = any(layer in one.layers for one in self._world.incidents)
            self.incident_open.labels(layer).set(is_open)
        now = self._now()
        pauses = self._world.ledger.pauses
        self.paused.set(any(one.until is None or one.until > now for one in pauses))

    def _make(self) -> None:
        self._make_looks()
        self._make_acts()
        self._make_incidents()
        self._make_own()

    def _make_looks(self) -> None:
        one = self.registry
        self.layer_state = Gauge(
            "healer_layer_state", "1 for the state that a layer is shown in", ("layer", "state"),
            registry=one,
        )  # fmt: skip
        self.probe_success = Gauge(
            "healer_probe_success", "Whether the last look could see its layer", ("probe",),
            registry=one,
        )  # fmt: skip
        self.probe_seconds = Histogram(
            "healer_probe_duration_seconds", "How long looks take", ("probe",), registry=one,
            buckets=_LOOK_SECONDS,
        )  # fmt: skip
        self.probe_last = Gauge(
            "healer_probe_last_run_timestamp_seconds", "When the last look ended", ("probe",),
            registry=one,
        )  # fmt: skip
        self.probe_errors = Counter(
            "healer_probe_errors", "Looks that raised or never ended", ("probe",), registry=one
        )

    def _make_acts(self) -> None:
        one = self.registry
        self.attempts = Counter(
            "healer_remedy_attempts", "Acts that ended, by how they ended", ("remedy", "outcome"),
            registry=one,
        )  # fmt: skip
        self.suppressed = Counter(
            "healer_remedy_suppressed", "Acts that a rule refused, once per change",
            ("remedy", "rule"), registry=one,
        )  # fmt: skip
        self.act_seconds = Histogram(
            "healer_remedy_duration_seconds", "How long acts take", ("remedy",), registry=one,
            buckets=_ACT_SECONDS,
        )  # fmt: skip

    def _make_incidents(self) -> None:
        one = self.registry
        self.incidents = Counter(
            "healer_incidents", "Root causes that were confirmed", ("layer", "reason"),
            registry=one,
        )  # fmt: skip
        self.incident_open = Gauge(
            "healer_incident_open", "Whether an incident touches the layer now", ("layer",),
            registry=one,
        )  # fmt: skip
        self.detection = Histogram(
            "healer_detection_seconds", "From the first bad look to the incident", ("layer",),
            registry=one, buckets=_DETECTION_SECONDS,
        )  # fmt: skip
        self.recovery = Histogram(
            "healer_recovery_seconds", "From the incident to its proved end", ("layer",),
            registry=one, buckets=_RECOVERY_SECONDS,
        )  # fmt: skip

    def _make_own(self) -> None:
        one = self.registry
        info = Gauge(
            "healer_build_info", "Always 1; what runs here", ("version", "python"), registry=one
        )
        info.labels(__version__, platform.python_version()).set(1)
        self.paused = Gauge("healer_paused", "Whether anything is paused", registry=one)
        self.heartbeat = Gauge(
            "healer_heartbeat_timestamp_seconds", "When the engine last took a step", registry=one
        )
        self.lag = Gauge(
            "healer_event_loop_lag_seconds", "How late the event loop's last beat was",
            registry=one,
        )  # fmt: skip
        self.notifications = Counter(
            "healer_notifications", "Notices by channel and what became of them",
            ("channel", "outcome"), registry=one,
        )  # fmt: skip
        one.register(_Expiries(self._expiries))
        one.register(_OwnCost(self._cost))

    def _zero(self) -> None:
        """Every series that an alert may ask for exists from the start."""
        for layer in Layer:
            self.probe_success.labels(layer)
            self.probe_seconds.labels(layer)
            self.probe_errors.labels(layer)
            self.detection.labels(layer)
            self.recovery.labels(layer)
        for remedy in Remedy:
            self.act_seconds.labels(remedy)
            for outcome in Outcome:
                self.attempts.labels(remedy, outcome)
            for rule in _LASTING:
                self.suppressed.labels(remedy, rule)
        for reason in Reason:
            if reason.gating and LADDERS[reason].samples:
                self.incidents.labels(reason.layer, reason.word)
        for channel in CHANNELS:
            for sent in OUTCOMES:
                self.notifications.labels(channel, sent)


class _Expiries(Collector):
    """When certificates end; one that was never read has no series, since 0 would be an end."""

    def __init__(self, expiries: Callable[[], Mapping[str, float]]) -> None:
        self._expiries = expiries

    def collect(self) -> Iterator[Metric]:
        """One family; its labels are a set that the settings close."""
        about = "When a certificate ends, as epoch seconds"
        name = "healer_certificate_expiry_timestamp_seconds"
        family = GaugeMetricFamily(name, about, labels=("certificate",))
        for certificate, ends in sorted(self._expiries().items()):
            family.add_metric((certificate,), ends)
        yield family


class _OwnCost(Collector):
    """CPU, memory and descriptors, read when the page is made."""

    def __init__(self, cost: Callable[[], Cost]) -> None:
        self._cost = cost

    def collect(self) -> Iterator[Metric]:
        """Three families."""
        cost = self._cost()
        about = "CPU time since the start, of healer itself and of its ended children"
        cpu = CounterMetricFamily("healer_cpu_seconds", about, labels=("of",))
        cpu.add_metric(("self",), cost.cpu)
        cpu.add_metric(("children",), cost.children_cpu)
        yield cpu
        yield GaugeMetricFamily("healer_resident_memory_bytes", "Resident memory", cost.rss)
        yield GaugeMetricFamily("healer_open_fds", "Open file descriptors", cost.descriptors)


_LASTING: Final = (
    Rule.PAUSED,
    Rule.YIELDING,
    Rule.BUDGET,
    Rule.HELD,
    Rule.GAVE_UP,
    Rule.DISABLED,
    Rule.WITNESS_ALIVE,
)
"""Rules that an alert may ask for; the others appear with their first refusal."""

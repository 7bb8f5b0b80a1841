"""What the daemon serves over HTTP: its metrics listen from here on."""

from collections.abc import Mapping

from healer.adapters.process_table import own_cost
from healer.serving.http import Pages
from healer.telemetry.metrics import Metrics
from healer.wiring.answers import status_of
from healer.wiring.daemon import Household


def pages_of(house: Household) -> Pages:
    """Make the metrics, let them listen, and serve them beside health and status."""
    metrics = Metrics(
        own_cost,
        house.clock.now,
        house.clock.wall,
        lambda: _expiries(house),
    )
    house.ears.listeners.append(metrics)
    house.ears.looked.append(metrics.looked)
    house.ears.lagged.append(metrics.lagged)
    house.ears.notified.append(metrics.notified)
    return Pages(metrics.render, lambda: _health(house), lambda: status_of(house))


def _expiries(house: Household) -> Mapping[str, float]:
    """Asked each time: a reload has other eyes."""
    return house.outside.credentials.expiries()


def _health(house: Household) -> str:
    """Stalled parts first; then the journal; then whether every layer has been looked at."""
    unseen, lost = house.daemon.unseen, house.daemon.journal_error
    waiting = f"not ready: no look yet at {', '.join(unseen)}" if unseen else ""
    return house.watchdog.stalled() or (f"nothing is done: {lost}" if lost else waiting)

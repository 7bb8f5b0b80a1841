"""Times as the simulated servers write them."""

from datetime import UTC, datetime
from functools import lru_cache


@lru_cache(maxsize=4096)
def stamp(epoch: float) -> str:
    """RFC 3339 in whole seconds, as metav1.Time is written."""
    return datetime.fromtimestamp(int(epoch), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

"""Times as the API server writes them."""

from datetime import UTC, datetime


def epoch(text: object) -> float | None:
    """Epoch seconds of an RFC 3339 time; None when there is none.

    Go's zero time and the epoch itself, which containerd and old kubelets write for "never",
    count as none.
    """
    if not isinstance(text, str) or not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    seconds = moment.timestamp()
    return seconds if seconds > 0 else None

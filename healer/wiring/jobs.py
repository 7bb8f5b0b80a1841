"""launchd's jobs, as the settings name them."""

from healer.model.jobs import WatchedJob, parse_local_url
from healer.settings import Settings


def watched_jobs(settings: Settings) -> tuple[WatchedJob, ...]:
    """As the model has them."""
    return tuple(
        WatchedJob(one.label, parse_local_url(one.health), one.every, startable=one.kickstart)
        for one in settings.jobs
    )

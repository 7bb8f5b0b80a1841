"""How the settings want the cluster to be set up."""

from healer.probes.setup_checks import Wanted
from healer.settings import Settings


def setup_wanted(settings: Settings) -> Wanted:
    """As the checks of the set-up are given it."""
    setup, tower = settings.setup, settings.tower
    return Wanted(
        namespaces=tower.namespaces,
        worker=setup.worker,
        privileged=setup.privileged,
        storage_class=setup.storage_class,
        metrics_server=setup.metrics_server,
        redis_policy=setup.redis_policy,
        redis_appendonly=setup.redis_appendonly,
        talos_port=tower.talos_port,
        services=settings.services,
    )

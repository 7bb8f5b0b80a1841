"""How the settings want the cluster to be set up, and the looks that compare."""

from collections.abc import Callable
from dataclasses import dataclass

from healer.probes.named import NamedIllness
from healer.probes.resync import Resync
from healer.probes.setup import SetupLook
from healer.probes.setup_checks import SetupChecks, Wanted
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


@dataclass(frozen=True, slots=True)
class SetupLooks:
    """What the probes of four layers carry beside their own looks."""

    talos: SetupLook
    apiserver: SetupLook
    pods: SetupLook
    services: SetupLook
    named: NamedIllness


def setup_looks(
    checks: SetupChecks, named: NamedIllness, rests: Callable[[], Resync]
) -> SetupLooks:
    """Each with a rest of its own between two times."""
    return SetupLooks(
        SetupLook(checks.of_talos(), rests()),
        SetupLook(checks.of_apiserver(), rests()),
        SetupLook(checks.of_pods(), rests()),
        SetupLook(checks.of_services(), rests()),
        named,
    )

"""Which client configurations and certificates the settings want looked at."""

from pathlib import Path

from healer.adapters.credentials import Credentials, Wanted
from healer.model.client_config import Kind
from healer.model.whereabouts import named_place
from healer.ports import Clock
from healer.settings import Settings
from healer.settings.places import Places


def credentials_of(settings: Settings, places: Places, home: Path, clock: Clock) -> Credentials:
    """Eyes for them."""
    configs = {Kind.KUBECONFIG: places.kubeconfig, Kind.TALOSCONFIG: places.talosconfig}
    named = (named_place(one, home) for one in settings.certificates.files)
    files = tuple(dict.fromkeys(one for one in named if one is not None))
    endpoints = tuple(dict.fromkeys(settings.certificates.endpoints))
    return Credentials(Wanted(configs, settings.tower.cluster, files, endpoints), clock)

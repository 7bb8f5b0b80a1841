"""What should stand in front of the Mac's ports, by the settings."""

from pathlib import Path

from healer.model.front import WantedCaddy, WantedFront, WantedFunnel, Watch
from healer.model.whereabouts import named_place
from healer.settings import Settings


def wanted_front(settings: Settings) -> WantedFront:
    """As the model has it."""
    caddy, funnel = settings.caddy, settings.funnel
    return WantedFront(
        WantedCaddy(
            Watch(caddy.watch),
            caddy.label,
            caddy.config,
            caddy.urls,
            settings.certificates.files,
        ),
        WantedFunnel(Watch(funnel.watch), funnel.port, funnel.target),
    )


def authorities_of(settings: Settings, home: Path) -> Path | None:
    """Who else may vouch for Caddy's certificates."""
    return named_place(settings.caddy.authorities, home)

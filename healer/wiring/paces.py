"""How often a daemon looks, from its settings and the Mac's boot."""

from dataclasses import fields

from healer.core.tower import Layer
from healer.engine.daemon import Paces
from healer.settings import Settings
from healer.wiring.parts import Outside

_JUST_BOOTED = 120.0
"""Seconds after the Mac's boot in which a daemon's start counts as the boot's."""


def paces_of(settings: Settings, outside: Outside) -> Paces:
    """The paces of one set of settings."""
    daemon = settings.daemon
    booted_ago = outside.clock.wall() - outside.host.boot_time()
    return Paces(
        calm={Layer(one.name): getattr(settings.calm, one.name) for one in fields(settings.calm)},
        alert=daemon.alert_every,
        deadline=settings.once.look_deadline,
        wake_grace=daemon.wake_grace,
        boot_grace=daemon.boot_grace if booted_ago < _JUST_BOOTED else 0.0,
    )

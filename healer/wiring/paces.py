"""How often a daemon looks, from its settings and the Mac's boot."""

from contextlib import suppress
from dataclasses import fields
from typing import Final

from healer.core.tower import Layer
from healer.engine.daemon import Paces
from healer.ports import Clock, JournalError, Memory
from healer.settings import Settings
from healer.wiring.parts import Outside

_JUST_BOOTED: Final = 120.0
"""Seconds after the boot, or after the first start of a boot, in which a daemon's start counts as
the boot's."""
_FIRST_START: Final = "first start"
"""In the journal: the boot, and when healer was first started in it."""


def paces_of(settings: Settings, outside: Outside, memory: Memory | None = None) -> Paces:
    """The paces of one set of settings; without a memory the time of the boot alone counts."""
    daemon = settings.daemon
    booted = _just_booted(outside) or (memory is not None and _just_began(outside.clock, memory))
    return Paces(
        calm={Layer(one.name): getattr(settings.calm, one.name) for one in fields(settings.calm)},
        alert=daemon.alert_every,
        deadline=settings.once.look_deadline,
        wake_grace=daemon.wake_grace,
        boot_grace=daemon.boot_grace if booted else 0.0,
    )


def _just_booted(outside: Outside) -> bool:
    return outside.clock.wall() - outside.host.boot_time() < _JUST_BOOTED


def _just_began(clock: Clock, memory: Memory) -> bool:
    """Whether healer was first started in this boot just now.

    launchd starts an agent at login, however long the Mac waited for that; what else the user has
    started then comes up beside healer. The first start of all is an installation, and no login.
    """
    boot, now = clock.boot_id(), clock.now()
    with suppress(JournalError):
        known = memory.known(_FIRST_START)
        before, _, at = (known or "").rpartition(" ")
        if before == boot:
            return now - float(at) < _JUST_BOOTED
        memory.learn(_FIRST_START, f"{boot} {now if known else now - _JUST_BOOTED:.0f}")
        return known is not None
    return False

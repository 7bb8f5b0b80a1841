"""How long ago things happened, on the boot clock.

The outside tells times by a wall clock: a file its last change, Docker the end of a container. A
wall clock can be set, and must not turn a stop of a minute ago into one of an hour ago. So such a
time is compared with the wall clock once, at the first look that finds it; from then on its age
grows with the boot clock.
"""

import json
from dataclasses import dataclass
from typing import Final

from healer.model.machine import older_than_boot
from healer.ports import Clock, JournalError, Memory, PortError

VM_LOG: Final = "age of the VM's log"
VM_PROCESS: Final = "age of the hostagent"
VM_READY: Final = "age of its readiness"
CONTAINER: Final = "age of the container's run or end"
AGES: Final = (VM_LOG, CONTAINER)
"""The names under which the memory keeps them."""

_EVER: Final = float("inf")


@dataclass(frozen=True, slots=True)
class _Known:
    """One thing as it was last seen; times on the boot clock."""

    version: str
    since: float
    """When it came to be so; -inf = before this boot."""
    seen: float


class Ages:
    """Ages that no setting of a wall clock changes, kept across healer's own restarts."""

    def __init__(self, clock: Clock, memory: Memory) -> None:
        self._clock = clock
        self._memory = memory
        self._known: dict[str, _Known] = {}
        self._kept: dict[str, str] = {}
        """The versions that the memory has."""

    def age(self, name: str, version: str, estimate: float, *, keep: bool = True) -> float:
        """Seconds since `name` came to be as `version` says; inf = before this boot.

        `estimate` is its age by the wall clock, believed at the first look only, and never
        beyond the last look that found another version. `keep` = remember it for the next
        healer; a version that changes from look to look is not worth that.
        """
        now = self._clock.now()
        known = self._known.get(name) or self._remembered(name, version)
        if known is not None and known.version == version:
            since = known.since
        else:
            oldest = _EVER if known is None else now - known.seen
            since = now - min(max(0.0, estimate), oldest)
        self._known[name] = _Known(version, since, now)
        if keep and self._kept.get(name) != version:
            self._keep(name, self._known[name])
        return now - since

    def since(self, name: str, told: float, booted: float | None, *, keep: bool = True) -> float:
        """The same of what `told` the wall clock's time (epoch seconds) when it happened.

        `booted` is the Mac's boot by today's wall clock; None = it is not known.
        """
        before = booted is not None and older_than_boot(told, booted)
        estimate = _EVER if before else self._clock.wall() - told
        return self.age(name, repr(told), estimate, keep=keep)

    def _remembered(self, name: str, version: str) -> _Known | None:
        """What an earlier healer saw; of another boot only that it was seen then."""
        try:
            boot, told, since, seen = json.loads(self._memory.known(name) or "")
            if boot == self._clock.boot_id():
                known = _Known(str(told), float(since), float(seen))
                self._kept[name] = known.version
                return known
            return _Known(version, -_EVER, -_EVER) if told == version else None
        except (JournalError, PortError, ValueError, TypeError):
            return None

    def _keep(self, name: str, known: _Known) -> None:
        """A journal that cannot be written costs the memory, not the look."""
        try:
            row = [self._clock.boot_id(), known.version, known.since, known.seen]
            self._memory.learn(name, json.dumps(row))
        except (JournalError, PortError):
            return
        self._kept[name] = known.version

"""The log: one JSON line for each thing worth telling, rotated by size (design §6).

Field names are stable: `event` is the kind of thing, `layer`, `remedy`, `reason`, `rule` are the
words of the closed lists, `detail` is for people.
"""

import logging
import os
import sys
from dataclasses import asdict
from enum import Enum
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any, Final

from healer.core.facts import Act, Decision, Finished, Refused, Rule, VmBooted
from healer.engine.telling import Told
from healer.files import open_regular
from healer.telemetry.lean import without
from healer.telemetry.spelling import short

with without("rich"):
    # For tracebacks in colour, which no log file has: 5 MB that a daemon would hold all day.
    import structlog

_LARGEST: Final = 5 * 2**20
"""Bytes of one file; with three kept, 20 MB in all."""
_KEPT: Final = 3
_PASSING: Final = frozenset({Rule.BLOCKED, Rule.BUSY_LAYER, Rule.BUSY_DISRUPTIVE})
"""Rules that only say what comes first; the journal has them."""


class _Quiet(RotatingFileHandler):
    """A log that cannot be written must not end a healer; launchd's file tells of it once."""

    complained = False

    def _open(self) -> TextIOWrapper:
        """Open it as a file of its owner alone, never through a link, a FIFO or a device."""
        path = Path(self.baseFilename)
        descriptor = open_regular(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW)
        os.fchmod(descriptor, 0o600)
        return open(descriptor, "a", encoding=self.encoding)  # noqa: PTH123  (a descriptor, no path)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  (the library's own name)
        """Say it once on stderr."""
        del record
        if not self.complained:
            self.complained = True
            sys.stderr.write(f"healer: log {self.baseFilename}: {sys.exc_info()[1]}\n")


class Logbook:
    """Listens to the engine and writes; times are UTC."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._handler = _Quiet(path, maxBytes=_LARGEST, backupCount=_KEPT, encoding="utf-8")
        self._handler.setFormatter(logging.Formatter("%(message)s"))
        self._log = structlog.wrap_logger(
            _logger(self._handler),
            processors=[
                structlog.processors.TimeStamper(fmt="iso", utc=True),
                structlog.processors.JSONRenderer(ensure_ascii=False),
            ],
            wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        )

    def told(self, told: Told) -> None:
        """Write what was decided, and how acts ended."""
        if isinstance(told.fact, Finished):
            act = told.fact.act
            self.note("act_ended", outcome=told.fact.outcome, detail=told.fact.detail, **_of(act))
        for decision in told.decisions:
            self._decided(decision)

    def note(self, event: str, **fields: Any) -> None:  # noqa: ANN401  (a log takes what JSON can hold)
        """Write one line of the daemon's own life."""
        self._log.info(event, **{name: _plain(value) for name, value in fields.items()})

    def close(self) -> None:
        """Let go of the file."""
        self._handler.close()

    def _decided(self, decision: Decision) -> None:
        if isinstance(decision, Act):
            self.note("act_begun", evidence=short(decision.evidence), **_of(decision))
        elif isinstance(decision, VmBooted) or (
            isinstance(decision, Refused) and decision.rule in _PASSING
        ):
            return
        else:
            self.note(_word(type(decision).__name__), **_fields(decision))


def _logger(handler: logging.Handler) -> logging.Logger:
    """Apart from the root, so that no library writes into it, nor we into theirs."""
    logger = logging.getLogger(f"healer.logbook.{id(handler)}")
    logger.setLevel(logging.INFO)
    logger.propagate = False
    logger.addHandler(handler)
    return logger


def _word(name: str) -> str:
    """`IncidentOpened` as `incident_opened`."""
    return "".join(f"_{one.lower()}" if one.isupper() else one for one in name).lstrip("_")


def _fields(decision: Decision) -> dict[str, Any]:
    fields = asdict(decision)
    act = fields.pop("act", None)
    if act is not None:
        fields |= {name: act[name] for name in ("id", "layer", "remedy", "reason", "target")}
    return fields


def _of(act: Act) -> dict[str, Any]:
    names = ("id", "layer", "remedy", "reason", "target", "incident")
    return {name: getattr(act, name) for name in names}


def _plain(value: object) -> object:
    if isinstance(value, Enum):
        return str(value.value)
    return short(value) if isinstance(value, str) else value

"""`healer run`: the daemon, until a signal ends it."""

import argparse
import os
import signal
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, Final

import anyio

from healer import __version__
from healer.cli.running import run_async
from healer.cli.talking import load_settings, tell
from healer.core.outlook import exit_code
from healer.core.tower import Layer
from healer.engine.heartbeat import keep_beating
from healer.engine.telling import Told
from healer.files import readable_by_others
from healer.model.launch_agent import LABEL
from healer.model.whereabouts import config_path, named_place
from healer.outside import redact_also
from healer.serving.control import ControlServer
from healer.serving.http import PortTaken, serving
from healer.settings import Settings, SettingsError, load
from healer.telemetry.logbook import Logbook
from healer.telemetry.plain import PlainLines
from healer.telemetry.spelling import VERDICT
from healer.wiring.answers import answers_of
from healer.wiring.daemon import AlreadyRunning, Household, open_house, reload
from healer.wiring.notices import HouseNotices, notices_of
from healer.wiring.proving import proving

_REFUSED: Final = 1
_PORT_AGAIN: Final = 30.0
"""Seconds until a taken port is tried again."""
_AT_NEXT_START: Final = ("files.state", "files.log", "http.enabled", "http.port")
"""Settings that are looked at once."""


def run(arguments: argparse.Namespace) -> int:
    """Run until SIGTERM or SIGINT; SIGHUP reloads the settings."""
    del arguments
    settings = load_settings()
    try:
        house = open_house(settings, os.environ)
    except AlreadyRunning as error:
        tell(f"healer: {error}; `healer status` asks it, `healer --once` hands it a pass")
        return _REFUSED
    # launchd names the job so; it never rotates what it catches, and the log tells it all.
    if os.environ.get("XPC_SERVICE_NAME") != LABEL:
        house.ears.listeners.append(PlainLines(tell))
    tell(f"healer {__version__} (pid {os.getpid()}): watching; `healer status` tells how it is")
    run_async(lambda: _live(house))
    return 0


class _Milestones:
    """Says once that every layer has been looked at, and whenever the journal is lost or back."""

    def __init__(self, house: Household, logbook: Logbook | None) -> None:
        self._house = house
        self._logbook = logbook
        self._said = False
        self._lost = ""

    def told(self, told: Told) -> None:
        """Look whether any layer is still unseen, and at the journal."""
        lost = self._house.daemon.journal_error
        if bool(lost) != bool(self._lost):
            tell(f"healer: {lost or 'the journal can be written again'}")
            event = "problem" if lost else "problem_over"
            _note(self._logbook, event, part="journal", detail=lost)
        self._lost = lost
        if not self._said and all(layer in told.world.views for layer in Layer):
            self._said = True
            verdict = VERDICT[exit_code(told.world, told.at, self._house.daemon.policy)]
            tell(f"healer: every layer was looked at: {verdict}")


async def _live(house: Household) -> None:
    logbook = _logbook(house)
    house.ears.listeners.insert(0, _Milestones(house, logbook))
    _note(logbook, "started", run=house.run, pid=os.getpid(), version=__version__)
    for words in _readable(house.settings):
        tell(f"healer: warning: {words}")
        _note(logbook, "warning", detail=words)
    for part, words in house.problems.items():
        tell(f"healer: {part}: {words}")
        _note(logbook, "problem", part=part, detail=words)
    note = logbook.note if logbook is not None else _unnoted
    notices = notices_of(house, os.environ, outcome=house.ears.heard_notice, note=note)
    house.watchdog.start()
    how = "stopped"
    try:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(_mind_signals, house, logbook, notices, name="signals")
            tasks.start_soon(notices.run, name="notices")
            tasks.start_soon(
                keep_beating, house.watchdog, house.clock, house.ears.heard_lag, name="heartbeat"
            )
            tasks.start_soon(_serve_http, house, logbook, name="http")
            tasks.start_soon(_answer, house, logbook, name="control")
            await house.daemon.run()
            tasks.cancel_scope.cancel()
    except BaseException:
        how = "broke"
        raise
    finally:
        _note(logbook, "ended", how=how)
        with anyio.CancelScope(shield=True), anyio.move_on_after(3.0):
            await house.close(how)
        if logbook is not None:
            logbook.close()


async def _serve_http(house: Household, logbook: Logbook | None) -> None:
    """Metrics, health and status; a taken port is said, tried again, and lived without."""
    if not house.settings.http.enabled:
        return
    from healer.wiring.pages import pages_of  # noqa: PLC0415  (prometheus-client costs 50 ms)

    pages = pages_of(house)
    while True:
        try:
            async with serving(house.settings.http.port, pages):
                house.problems.pop("http", None)
                await anyio.sleep_forever()
        except PortTaken as error:
            if house.problems.get("http") != str(error):
                tell(f"healer: {error}")
                _note(logbook, "problem", part="http", detail=str(error))
            house.problems["http"] = str(error)
        await anyio.sleep(_PORT_AGAIN)


async def _answer(house: Household, logbook: Logbook | None) -> None:
    """Answer over the control socket; the daemon lives on without one, and says so."""

    def said(words: str) -> None:
        if words == house.problems.get("control", ""):
            return
        house.problems.pop("control", None)
        if words:
            house.problems["control"] = words
            tell(f"healer: {words}")
            _note(logbook, "problem", part="control", detail=words)

    def broke(verb: str, error: Exception) -> None:
        _note(logbook, "answer_broke", verb=verb, detail=f"{type(error).__name__}: {error}")

    answers = {**answers_of(house), "prove": proving(house, os.environ)}
    server = ControlServer(
        house.places.control, answers, holds_lock=lambda: house.lock.held, broke=broke
    )
    await server.keep_open(said)


def _readable(settings: Settings) -> Iterator[str]:
    """Files of healer's own that others may read; who may write them was refused before."""
    home, told = Path.home(), settings.notices
    named = (told.webhook_url_file, told.webhook_header_file, told.dead_man_url_file)
    for path in (config_path(os.environ, home), *(named_place(one, home) for one in named)):
        if path is not None and (words := readable_by_others(path)):
            yield words


def _logbook(house: Household) -> Logbook | None:
    """A log that cannot be opened is said, and lived without."""
    try:
        logbook = Logbook(house.places.log)
    except OSError as error:
        house.problems["log"] = f"{house.places.log}: {error.strerror}"
        return None
    house.ears.listeners.append(logbook)
    return logbook


def _note(logbook: Logbook | None, event: str, **words: Any) -> None:  # noqa: ANN401  (as the log)
    if logbook is not None:
        logbook.note(event, **words)


def _unnoted(event: str, **words: Any) -> None:  # noqa: ANN401  (as the log)
    """There is no log."""
    del event, words


async def _mind_signals(house: Household, logbook: Logbook | None, notices: HouseNotices) -> None:
    wanted = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
    with anyio.open_signal_receiver(*wanted) as signals:
        async for one in signals:
            if one is signal.SIGHUP:
                await _reload(house, logbook, notices)
                continue
            tell("healer: ending")
            house.daemon.stop()


async def _reload(house: Household, logbook: Logbook | None, notices: HouseNotices) -> None:
    """All or nothing, and what changed is said."""
    try:
        settings = load().settings
    except SettingsError as error:
        for problem in error.problems:
            tell(problem)
        tell("healer: the old settings stay in force")
        _note(logbook, "reload_refused", problems=list(error.problems))
        return
    changed = list(_changed(house.settings, settings))
    if changed:
        try:
            await reload(house, settings, os.environ)
        except Exception as error:  # noqa: BLE001  (no settings may end a daemon that watches)
            tell(f"healer: settings that cannot be used: {type(error).__name__}: {error}")
            tell("healer: the old settings stay in force")
            _note(logbook, "reload_refused", problems=[f"{type(error).__name__}: {error}"])
            return
        notices.reload()
        redact_also(settings.evidence.redact)
    for key in changed:
        later = " (at the next start)" if key in _AT_NEXT_START else ""
        tell(f"healer: {key} changed{later}")
    if not changed:
        tell("healer: nothing in the settings changed")
    _note(logbook, "reloaded", changed=changed)


def _changed(old: Settings, new: Settings) -> Iterator[str]:
    """Dotted keys whose values differ."""
    for section in fields(old):
        before, after = getattr(old, section.name), getattr(new, section.name)
        if not is_dataclass(before):
            if before != after:
                yield section.name
            continue
        for one in fields(before):
            if getattr(before, one.name) != getattr(after, one.name):
                yield f"{section.name}.{one.name}"

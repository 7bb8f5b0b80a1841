"""Notices wired into a real household: settings, journal, log, channels."""

import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import anyio
import pytest

from healer.adapters.journal import SqliteJournal
from healer.core.facts import IncidentOpened
from healer.core.reasons import Reason
from healer.core.tower import Layer
from healer.engine.telling import Told, nothing_awaited
from healer.settings import Settings, load
from healer.settings.tree import NoticeSettings
from healer.telemetry.logbook import Logbook
from healer.wiring.daemon import Household, open_house
from healer.wiring.notices import (
    HouseNotices,
    beacon_of,
    channels_of,
    notices_of,
    rules_of,
    told_once,
)
from tests.fakes.mac_clock import MacClock
from tests.patience import PATIENCE
from tests.unit.adapters.http_receiver import Receiver, receiver
from tests.unit.notices.test_service import ill_world

MARKER = "s3cr3t-marker"


def some_settings(**notices: Any) -> Settings:  # noqa: ANN401  (whatever a setting is)
    """With these notices, and nothing on the PATH."""
    return Settings(notices=NoticeSettings(**notices))


def names(settings: Settings, **environment: str) -> list[str]:
    """Of the channels that are made."""
    return [one.name for one in channels_of(settings, {"HOME": "/home/joel", **environment})]


@pytest.mark.skipif(sys.platform == "darwin", reason="a Mac has a desktop")
def test_without_settings_there_is_no_channel_here() -> None:
    """The desktop's is macOS's own; nothing else works by itself."""
    assert [] == names(Settings())
    assert beacon_of(Settings(), {"HOME": "/home/joel"}) is None


def test_every_configured_channel_is_made() -> None:
    """In a fixed order; `~/` means the home folder, also for the command."""
    settings = some_settings(
        command=("~/bin/page", "--now"), webhook_url_env="HOOK", dead_man_url_file="~/ping"
    )
    environment = {"HOME": "/home/joel", "HOOK": "https://h/x"}
    command, webhook = channels_of(settings, environment)[:2]
    beacon = beacon_of(settings, environment)

    assert ("command", "webhook") == (command.name, webhook.name)
    assert "" == webhook.check()
    assert beacon is not None
    assert beacon.check().startswith("/home/joel/ping: ")


def test_a_mac_is_known_by_its_osascript(tmp_path: Path) -> None:
    """Where it is there the desktop is a channel, unless it is turned off."""
    (tmp_path / "osascript").write_text("#!/bin/sh\n")
    (tmp_path / "osascript").chmod(0o755)
    toml = tmp_path / "config.toml"
    toml.write_text(f'[files]\npath = ["{tmp_path}"]\n')
    settings = load({}, tmp_path, toml).settings

    assert ["desktop"] == names(settings)


def test_the_defaults_of_settings_and_rules_agree() -> None:
    """The numbers stand in the settings; who makes rules by hand gets the same."""
    assert rules_of(NoticeSettings()) == type(rules_of(NoticeSettings()))()


def test_one_fault_of_a_channel_is_one_impairment() -> None:
    """Its check and its deliveries say the same; another fault of it is still told."""
    problems = {
        "delivery by webhook": "/url: No such file; it is tried again",
        "notices by webhook": "/url: No such file",
        "delivery by command": "ended with exit code 1; it is tried again",
    }

    assert {"notices by webhook", "delivery by command"} == set(told_once(problems))


class Wired:
    """A household in a home of its own, with its notices and its log."""

    def __init__(self, home: Path, **notices: Any) -> None:  # noqa: ANN401  (as above)
        self.environment = {"HOME": str(home)}
        self.house: Household = open_house(some_settings(**notices), self.environment)
        self.logbook = Logbook(self.house.places.log)
        self.outcomes: list[tuple[str, str]] = []
        self._heard = anyio.Event()
        self.notices: HouseNotices = notices_of(
            self.house, self.environment, outcome=self._outcome, note=self.logbook.note
        )

    def _outcome(self, channel: str, how: str) -> None:
        self.outcomes.append((channel, how))
        self._heard.set()

    def fall_ill(self) -> None:
        """As the engine tells it: the VM is missing."""
        opened = IncidentOpened("run-i1", Layer.COLIMA, Reason.COLIMA_MISSING, "no VM")
        self.house.journal.record(opened)
        now = self.house.clock.now()
        (listener,) = self.house.ears.listeners
        world = ill_world("run-i1")
        listener.told(Told(now, None, (opened,), world, nothing_awaited, dry_run=False))

    async def until(self, *outcomes: tuple[str, str]) -> None:
        """Live until all of these were heard."""
        with anyio.fail_after(PATIENCE):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self.notices.run)
                while not set(outcomes) <= set(self.outcomes):
                    self._heard = anyio.Event()
                    await self._heard.wait()
                tasks.cancel_scope.cancel()

    async def close(self) -> None:
        """Let go of all."""
        self.logbook.close()
        await self.house.close("stopped")


@pytest.fixture
async def server() -> AsyncIterator[Receiver]:
    """A receiver that refuses everything, and quotes what it was sent."""
    async with receiver() as made:
        made.answer = f"HTTP/1.1 500 {MARKER}\r\nX: {MARKER}\r\n\r\n{MARKER}".encode()
        yield made


async def test_no_secret_reaches_log_journal_or_status(tmp_path: Path, server: Receiver) -> None:
    """Address, header and the words of whoever was called, while everything fails."""
    for name, value in (("url", server.url(f"/{MARKER}")), ("header", f"X-Token: {MARKER}")):
        (tmp_path / name).write_text(value)
    tool = tmp_path / "page"
    tool.write_text(f"#!/bin/sh\necho {MARKER} >&2\nexit 1\n")
    tool.chmod(0o755)
    wired = Wired(
        tmp_path,
        command=(str(tool), MARKER),
        webhook_url_file="~/url",
        webhook_header_file="~/header",
        dead_man_url_file="~/url",
        reported_after=0.0,
        opened_after=0.0,
    )
    wired.fall_ill()
    await wired.until(("webhook", "failed"), ("command", "failed"), ("dead_man", "failed"))
    problems, places = dict(wired.house.problems), wired.house.places
    await wired.close()

    written = [places.log, *places.state.iterdir()]
    assert places.journal in written
    for one in written:
        assert one.is_dir() or MARKER.encode() not in one.read_bytes(), one
    assert MARKER not in str(problems)
    assert "HTTP 500 Internal Server Error" in problems["delivery by webhook"]
    assert "ended with exit code 1" in problems["delivery by command"]
    assert "others may read it" in problems["notices by webhook"]
    assert "delivery by webhook" in places.log.read_text()


async def test_a_problem_that_is_over_leaves_the_status(tmp_path: Path, server: Receiver) -> None:
    """And the log says both, each once."""
    (tmp_path / "url").write_text(server.url())
    (tmp_path / "url").chmod(0o600)
    wired = Wired(tmp_path, webhook_url_file="~/url", reported_after=0.0, opened_after=0.0)
    wired.fall_ill()
    await wired.until(("webhook", "failed"))
    assert "delivery by webhook" in wired.house.problems
    server.answer = b"HTTP/1.1 204 No Content\r\n\r\n"
    wired.notices.reload()
    await wired.until(("webhook", "sent"))

    assert {} == wired.house.problems
    said = wired.house.places.log.read_text()
    assert 1 == said.count('"event": "problem_over"')
    await wired.close()


KILLED = """
import os, sys
from pathlib import Path
import anyio
from tests.unit.wiring.test_notices import Wired

async def live():
    wired = Wired(
        Path(sys.argv[1]), webhook_url_file="~/url", reported_after=0.0, opened_after=0.0
    )
    wired.fall_ill()
    await wired.notices.run()

anyio.run(live)
"""


async def test_what_a_killed_daemon_had_queued_is_delivered_by_the_next(
    tmp_path: Path, server: Receiver
) -> None:
    """SIGKILL while the receiver holds the notice and has not answered: queued once, sent again.

    At least once on the wire, with the same id, by which the receiver drops the double.
    """
    server.hangs = True
    (tmp_path / "url").write_text(server.url())
    (tmp_path / "url").chmod(0o600)
    root = Path(__file__).parents[3]
    argv = [sys.executable, "-c", KILLED, str(tmp_path)]
    async with await anyio.open_process(argv, cwd=root, stdout=None, stderr=None) as child:
        with anyio.fail_after(PATIENCE):
            await server.came.wait()
        child.send_signal(signal.SIGKILL)
    server.hangs, server.answer = False, b"HTTP/1.1 204 No Content\r\n\r\n"
    wired = Wired(tmp_path, webhook_url_file="~/url", reported_after=0.0, opened_after=0.0)
    wired.fall_ill()
    await wired.until(("webhook", "sent"))
    path = wired.house.places.journal
    await wired.close()

    ids = [headers["X-Healer-Id"] for _, headers, _ in server.requests]
    assert ["run-i1.opened"] * 2 == ids
    journal = SqliteJournal.open(path, MacClock())
    assert 1 == sum(one.kind == "opened" for one in journal.notices().told())
    assert [] == journal.notices().pending()
    journal.close()

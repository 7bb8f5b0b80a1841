"""A real Prometheus that scrapes a real daemon, with the shipped rules."""

import json
import os
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from healer.adapters.clock import SystemClock
from healer.adapters.journal import SqliteJournal
from healer.core.facts import GaveUp
from healer.core.reasons import Reason
from healer.core.tower import Layer
from healer.exports import RULES, text
from tests.patience import PATIENCE
from tests.unit.cli.daemon_process import DaemonProcess

TOOLS = ("colima", "limactl", "docker")


def prometheus() -> str:
    """The server; skipped where it is missing, but in CI."""
    found = shutil.which("prometheus")
    if found is None:
        assert "CI" not in os.environ, "prometheus is missing"
        pytest.skip("prometheus is not installed")
    return found


def free_port() -> int:
    """One that nobody listens on now."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@pytest.fixture(name="short_folder")
def fixture_short_folder() -> Iterator[Path]:
    """A home whose path leaves room for a socket's name (104 bytes on macOS)."""
    with tempfile.TemporaryDirectory(prefix="hp", dir="/tmp") as folder:
        yield Path(folder).resolve()


@contextmanager
def scraping(folder: Path, target: int) -> Iterator[int]:
    """A Prometheus that scrapes each second; yields its port."""
    (folder / RULES).write_text(text(RULES), encoding="utf-8")
    config = {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": [str(folder / RULES)],
        "scrape_configs": [
            {"job_name": "healer", "static_configs": [{"targets": [f"127.0.0.1:{target}"]}]}
        ],
    }
    (folder / "prometheus.yml").write_text(json.dumps(config), encoding="utf-8")
    port = free_port()
    with (folder / "prometheus.log").open("wb") as log:
        process = subprocess.Popen(
            [
                prometheus(),
                f"--config.file={folder / 'prometheus.yml'}",
                f"--storage.tsdb.path={folder / 'tsdb'}",
                f"--web.listen-address=127.0.0.1:{port}",
            ],
            stdout=log,
            stderr=log,
        )
    try:
        yield port
    finally:
        process.terminate()
        process.wait(timeout=PATIENCE)


def asked(port: int, path: str) -> Any:  # noqa: ANN401  (whatever JSON Prometheus answers)
    """What its API says; None while it does not."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/{path}", timeout=5) as said:
            return json.load(said)["data"]
    except OSError:
        return None


def wait(what: str, look: Callable[[], object]) -> None:
    """Until a look finds it so."""
    until = time.monotonic() + PATIENCE
    while not look():
        assert time.monotonic() < until, f"never came: {what}"
        time.sleep(0.2)


def bare_tools(folder: Path) -> str:
    """Tools that are there and know of no VM; where to look for them."""
    tools = folder / "bin"
    tools.mkdir()
    for name in TOOLS:
        (tools / name).write_text("#!/bin/sh\nexit 0\n", encoding="utf-8")
        (tools / name).chmod(0o755)
    return f"{tools}:/usr/bin:/bin"


def test_a_layer_that_was_given_up_alerts_from_a_real_scrape(short_folder: Path) -> None:
    """HealerGaveUp fires for that layer, and no other alert does."""
    home = short_folder / "home"
    path = home / ".local/state/healer/journal.sqlite"
    path.parent.mkdir(parents=True, mode=0o700)
    journal = SqliteJournal.open(path, SystemClock())
    journal.record(GaveUp(Layer.COLIMA, Reason.COLIMA_MISSING, "no VM", "colima start"))
    journal.close()
    port = free_port()
    more = {"HEALER_FILES_PATH": bare_tools(short_folder), "HEALER_HTTP_PORT": str(port)}
    daemon = DaemonProcess(home, more).start()
    try:
        with scraping(short_folder, port) as server:
            wait("an alert", lambda: firing(server))
            alerts = firing(server)
            targets = asked(server, "targets")["activeTargets"]
    finally:
        daemon.end()

    assert [("HealerGaveUp", "colima")] == alerts
    assert ["up"] == [one["health"] for one in targets]


def firing(port: int) -> list[tuple[str, str]]:
    """Each alert that fires, with its layer."""
    found = (asked(port, "alerts") or {}).get("alerts", [])
    return [
        (one["labels"]["alertname"], one["labels"].get("layer", ""))
        for one in found
        if one["state"] == "firing"
    ]

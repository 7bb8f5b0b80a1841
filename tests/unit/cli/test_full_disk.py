"""A real daemon whose state folder lies on a real disk that is full."""

import json
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from http.client import HTTPConnection
from pathlib import Path

import pytest

from healer.adapters.lock import holder
from tests.patience import PATIENCE
from tests.unit.cli.daemon_process import DaemonProcess


def run(program: str, *arguments: str) -> None:
    """Run a program of the system to its end."""
    found = shutil.which(program)
    assert found is not None
    subprocess.run([found, *arguments], check=True)


@pytest.fixture
def full_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 400 KiB on which not a byte is left, with an empty state folder."""
    folder = tmp_path / "disk"
    folder.mkdir()
    run("mount", "-t", "tmpfs", "-o", "size=400k", "tmpfs", str(folder))
    (folder / "state").mkdir(mode=0o700)
    with (folder / "ballast").open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(b"x" * 512)
    yield folder
    run("umount", "--lazy", str(folder))


def free_port() -> int:
    """One that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def get(port: int, path: str) -> tuple[int, str]:
    """Status and body."""
    connection = HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


@pytest.mark.skipif(os.geteuid() != 0, reason="mounts a file system: needs root")
def test_a_daemon_that_starts_on_a_full_disk_recovers(full_disk: Path, short_folder: Path) -> None:
    """It never takes its own lock for another healer's, and is not healthy meanwhile."""
    port, state = free_port(), full_disk / "state"
    daemon = DaemonProcess(
        short_folder, {"HEALER_FILES_STATE": str(state), "HEALER_HTTP_PORT": str(port)}
    )
    try:
        daemon.start()
        lost = [one for one in daemon.heard if "free space on its disk" in one]
        assert [f"healer: lock {state}/lock: No space left on device"] == [
            one.partition(";")[0] for one in lost
        ]
        status, words = get(port, "/healthz")
        assert 503 == status
        assert "No space left on device" in words

        (full_disk / "ballast").unlink()
        daemon.hear("the journal can be written again")
        assert (200, "ok\n") == get(port, "/healthz")
        assert daemon.process is not None
        assert daemon.process.pid == holder(state / "lock")
        assert not any("another healer" in one for one in daemon.heard)
        assert "journal" not in json.loads(get(port, "/api/status")[1])["problems"]
        assert 0 == daemon.end()
    finally:
        if daemon.process is not None:
            daemon.process.kill()
            daemon.process.communicate()

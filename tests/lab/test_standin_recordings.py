"""The stand-in says word for word what a real Colima was recorded to say in the same state."""

from __future__ import annotations

import json
import shlex
import signal
from typing import TYPE_CHECKING, Final

import pytest

from tests.lab import recorded
from tests.lab.mac import Mac
from tests.lab.machine import eventually, send
from tests.lab.recorded import FOLDER, HOME, USER, Recording, recordings, same
from tests.lab.standin.settings import LabSettings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.lab.keyboard import Completed

pytestmark = [pytest.mark.lab]

SHAPE: Final = LabSettings(
    colima_version="main", driver="qemu", cpus=2, memory=3 << 30, disk=20 << 30
)
"""The VM that the recordings are of."""
VERSION: Final = "GET /version on docker.sock"
ROUND_TRIP: Final = "one ssh round trip: "


@pytest.fixture(scope="module")
def qemu_mac(lab_machine: None) -> Iterator[Mac]:
    """A Mac like the recorded one; it was used before, so there is an ssh.config."""
    del lab_machine
    with Mac(SHAPE) as mac:
        mac.start_vm()
        mac.stop_vm()
        yield mac


@pytest.fixture
def stopped(qemu_mac: Mac) -> Mac:
    """Its VM was stopped cleanly."""
    if qemu_mac.status() != "Stopped":
        qemu_mac.stop_vm()
    return qemu_mac


@pytest.fixture
def running(qemu_mac: Mac) -> Mac:
    """Its VM runs, its engine answers."""
    if not qemu_mac.is_healthy():
        qemu_mac.start_vm()
    return qemu_mac


def run(mac: Mac, known: Recording) -> Completed:
    """A recorded command on the lab's Mac: the recorder had notations of its own."""
    inst, prof, words = mac.instance.inst, mac.instance.prof, known.words
    if words.startswith("GET "):
        path, _, name = words.removeprefix("GET ").partition(" on ")
        door = {"ha.sock": inst / "ha.sock", "docker.sock": prof / "docker.sock"}[name]
        # The head of an answer was kept for some of them only.
        head = ["--include"] if known.stdout.startswith("HTTP/") else []
        return mac.run("curl", "-sS", *head, "--unix-socket", str(door), f"http://lima{path}")
    if words.startswith(ROUND_TRIP):
        there = words.removeprefix(ROUND_TRIP)
        return mac.run("ssh", "-F", str(mac.instance.ssh_config), "lima-colima", there)
    return mac.run(*shlex.split(words.replace("INST", str(inst))))


def replay(mac: Mac, name: str, *commands: str) -> None:
    """Each command, or all of the file's, answers as recorded."""
    known = recordings(name)
    for command in commands or known:
        done = run(mac, known[command])

        assert known[command].answer == recorded.answer(done, mac.home), command


def test_stopped(stopped: Mac) -> None:
    """A VM that was stopped cleanly."""
    replay(stopped, "stopped.json")


def test_boot(stopped: Mac) -> None:
    """What all commands say while `colima start` waits for ssh, and what that start says."""
    known = recordings("boot.json")
    first, *during = known
    stopped.configure(start_fault="stuck_ssh")
    start = stopped.background("colima", "start")
    eventually("the VM is on", lambda: stopped.status() == "Running")
    replay(stopped, "boot.json", *during)
    stopped.configure(start_fault="")

    assert known[first].answer == recorded.answer(start.finish(), stopped.home)


def test_running(running: Mac) -> None:
    """A VM in health, but for what only its real engine and its kernel say."""
    known = recordings("running.json")
    others = [one for one in known if one != VERSION and not one.startswith(ROUND_TRIP)]

    replay(running, "running.json", *others)


def test_engine_version(running: Mac) -> None:
    """The engine behind docker.sock tells the same things of itself, whatever its version."""
    known = recordings("running.json")[VERSION]
    done = run(running, known)

    assert json.loads(known.stdout).keys() == json.loads(done.stdout).keys()


def test_guest_facts(running: Mac) -> None:
    """One ssh round trip brings the same lines in the same form, whatever their figures."""
    known = next(
        one for key, one in recordings("running.json").items() if key.startswith(ROUND_TRIP)
    )
    running.load_module()
    (running.modules_load / "modules.conf").touch()
    done = run(running, known)

    assert known.exit == done.returncode
    assert [recorded.shape(line) for line in known.stdout.splitlines()] == [
        recorded.shape(line) for line in done.stdout.splitlines()
    ]


def test_engine_down(running: Mac) -> None:
    """dockerd and its socket unit stopped in the guest, and started again."""
    *down, up = recordings("engine-down.json")
    running.stop_engine()
    replay(running, "engine-down.json", *down)
    running.start_engine()
    replay(running, "engine-down.json", up)


def test_files(running: Mac) -> None:
    """Every file that healer may look at is there while a VM runs, and of the same kind."""
    inst = running.instance.inst
    wanted = {
        path: kind for path, kind in recorded.listing().items() if path.name not in recorded.UNUSED
    }
    there = {path: recorded.kind(running.home / path) for path in wanted}

    assert wanted == there
    assert same((FOLDER / "ssh.config").read_text("utf-8"), HOME) == [
        line.replace("User root", f"User {USER}")
        for line in same((inst / "ssh.config").read_text("utf-8"), running.home)
    ]


def test_events(running: Mac) -> None:
    """ha.stdout.log tells of the port first and of READY last, in the same words."""
    running.stop_vm()
    running.start_vm()
    log = running.instance.inst / "ha.stdout.log"

    assert recorded.events(FOLDER / "ha.stdout.log") == recorded.events(log)


def test_processes(running: Mac) -> None:
    """`ps` shows usernet, hostagent, driver and master as a Mac does."""
    shown = [one.command for one in running.processes]
    known = recorded.commands()

    assert known == known & recorded.commands(shown, running)


def test_driver_killed(running: Mac) -> None:
    """SIGKILL of the VM's process, and a start after it."""
    pid = int((running.instance.inst / "qemu.pid").read_text("utf-8"))
    send([pid], signal.SIGKILL)
    eventually("the hostagent has noticed", lambda: running.hostagent() is None)

    replay(running, "driver-killed.json")


def test_stop(running: Mac) -> None:
    """A whole `colima stop`."""
    replay(running, "stop.json")

    assert "Stopped" == running.status()

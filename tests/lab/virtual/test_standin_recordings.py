"""The stand-ins say what a real Colima said, recording by recording."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.lab.virtual import lima

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.lab.virtual.mac import Mac

pytestmark = pytest.mark.lab

RECORDINGS: Final = Path(__file__).parents[2] / "recordings" / "colima"
RESET: Final = 56
RESET_AT_ONCE: Final = 7
"""curl's word when the other end hangs up before curl has seen that it was connected."""
NOT_OURS: Final = ("GET /version on docker.sock", "one ssh round trip")
"""Answers of the kernel and of Docker, which are real in the lab, too."""
QEMU_ONLY: Final = re.compile(
    r"system firmware|Time sync|orwarding TCP|set up forwarding|QMP|binfmt"
)
"""What only that driver, its guest's resolver and its slowness say."""
AS_RECORDED: Final = {
    "arch": "x86_64",
    "cpus": 2,
    "memory": 3 << 30,
    "disk": 21474836480,
    "mount_type": "sshfs",
    "driver_text": "QEMU",
    "colima_version": "development",
}
VOLATILE: Final = ("sshLocalPort", "hostAgentPID", "driverPID", "config")
WORDS: Final = (
    (r"/Users/joel", "HOME"),
    (r"time=\"[^\"]*\"", "time=T"),
    (r"driver `qemu`", "driver `vz`"),
    (r"Shutting down QEMU with the power button", "Shutting down VZ"),
    (r"QEMU has exited", "VZ has exited"),
    (r"Starting QEMU", "Starting VZ"),
    (r"(Port:|process|port) \d+", r"\1 N"),
    (r": v\d\S+", ": vN"),
)


def normal(text: str, home: str) -> list[str]:
    """Lines without times, numbers of one run, and what only QEMU says."""
    text = text.replace(home, "HOME")
    for pattern, replacement in WORDS:
        text = re.sub(pattern, replacement, text)
    return [line for line in text.splitlines() if not QEMU_ONLY.search(line)]


def row(text: str) -> dict[str, Any]:
    """A row of `limactl list`, with its numbers of one run only as being there."""
    found: dict[str, Any] = json.loads(text)
    same = {"vmType": "vz", "HostOS": "darwin"}
    return {**found, **same, **{name: "there" for name in VOLATILE if name in found}}


def recorded(name: str) -> list[dict[str, Any]]:
    """The entries of one recording whose answers are the stand-ins'."""
    entries: list[dict[str, Any]] = json.loads((RECORDINGS / f"{name}.json").read_text("utf-8"))
    return [one for one in entries if not one["command"].startswith(NOT_OURS)]


def replay(mac: Mac, entry: dict[str, Any]) -> None:
    """Run the entry's command and compare all three of its answers."""
    words = shlex.split(entry["command"], comments=True)
    if words[0] == "GET":
        replay_get(mac, entry, words[1], words[3])
        return
    words = [word.replace("INST", str(mac.layout.instance)) for word in words]
    done = mac.run(*words)
    home = str(mac.home)
    if words[:2] == ["limactl", "list"]:
        actual = json.dumps(row(done.stdout)).replace(home, "HOME")
        wanted = json.dumps(row(entry["stdout"])).replace("/Users/joel", "HOME")
        assert json.loads(wanted) == json.loads(actual)
    else:
        assert normal(entry["stdout"], home) == normal(done.stdout, home)
    assert normal(entry["stderr"], home) == normal(done.stderr, home)
    assert entry["exit"] == done.returncode


def replay_get(mac: Mac, entry: dict[str, Any], target: str, name: str) -> None:
    """Compare status of curl and body; the headers are Docker's own."""
    socket = mac.docker_socket if name == "docker.sock" else mac.layout.instance / name
    argv = ["curl", "--silent", "--show-error", "--unix-socket", str(socket), f"http://l{target}"]
    done = subprocess.run(argv, check=False, capture_output=True, text=True, timeout=10)
    body = entry["stdout"].rpartition("\n\n")[2]
    assert re.sub(r"\d+", "N", body) == re.sub(r"\d+", "N", done.stdout)
    if entry["exit"] == RESET:
        assert done.returncode in {RESET, RESET_AT_ONCE}
        return
    assert (entry["exit"], entry["stderr"]) == (done.returncode, done.stderr)


def test_stopped(mac: Mac) -> None:
    """A VM that was stopped cleanly answers as recorded."""
    mac.stop_vm()
    mac.pretend(**AS_RECORDED)
    for entry in recorded("stopped"):
        replay(mac, entry)


def test_boot(mac: Mac) -> None:
    """During a start, before sshd answers, everything says what was recorded nine seconds in."""
    mac.stop_vm()
    mac.pretend(**AS_RECORDED)
    whole, *meanwhile = recorded("boot")
    replay(mac, whole)
    mac.stop_vm()
    mac.pretend(never_ssh=True)
    start = mac.begin("colima", "start")
    try:
        mac.wait("Running", lambda: lima.look(mac.layout).status == "Running")
        for entry in meanwhile:
            replay(mac, entry)
    finally:
        start.kill()
        start.wait()


def test_running(mac: Mac) -> None:
    """A healthy VM answers as recorded."""
    mac.pretend(**AS_RECORDED)
    for entry in recorded("running"):
        replay(mac, entry)


def test_engine_down(mac: Mac) -> None:
    """Without the engine docker.sock resets while Colima says that all is well."""
    mac.pretend(**AS_RECORDED)
    *down, again = recorded("engine-down")
    mac.stop_engine()
    for entry in down:
        replay(mac, entry)
    mac.start_engine()
    replay(mac, again)


def test_driver_killed(mac: Mac) -> None:
    """After the VM's process was killed Lima says Stopped, and a start works."""
    mac.pretend(**AS_RECORDED)
    mac.cut_power()
    for entry in recorded("driver-killed"):
        replay(mac, entry)


def test_stop(mac: Mac) -> None:
    """A whole stop speaks as recorded."""
    mac.pretend(**AS_RECORDED)
    for entry in recorded("stop"):
        replay(mac, entry)


@pytest.mark.parametrize("name", ["ssh.config", "ps.txt", "ls.txt"])
def test_files(mac: Mac, name: str) -> None:
    """ssh.config is the real one's, and every process and file that healer asks for is there."""
    checks: dict[str, Callable[[Mac, str], None]] = {
        "ssh.config": _same_config,
        "ps.txt": _same_processes,
        "ls.txt": _same_sockets,
    }
    checks[name](mac, (RECORDINGS / name).read_text("utf-8"))


def _same_config(mac: Mac, text: str) -> None:
    actual = mac.layout.ssh_config.read_text("utf-8").replace("User root", "User joel")
    numbers = [re.sub(r"Port \d+", "Port N", one) for one in (text, actual)]
    assert normal(numbers[0], str(mac.home)) == normal(numbers[1], str(mac.home))


def _same_processes(mac: Mac, text: str) -> None:
    home = str(mac.home)
    title = next(line.split(None, 4)[4] for line in text.splitlines() if line.endswith("[mux]"))
    assert normal(title, home) == normal(mac.processes()[mac.muxes()[0]], home)
    agent = next(line.split(None, 4)[4] for line in text.splitlines() if "hostagent" in line)
    wanted, actual = normal(agent, home)[0].split(), mac.processes()[mac.hostagent].split()
    assert [one for one in wanted if one.startswith("--")] == [
        one for one in actual if one.startswith("--")
    ]
    assert (wanted[1], wanted[-1]) == (actual[1], actual[-1])


def _same_sockets(mac: Mac, text: str) -> None:
    named = {line.split()[-1] for line in text.splitlines() if line.startswith("s")}
    ours = {one.name for one in mac.layout.colima.rglob("*.sock") if one.is_socket()}
    qemu = {"qmp.sock", "serial.sock", "serialv.sock"}
    assert named - qemu == ours

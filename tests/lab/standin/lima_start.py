"""`limactl start`: usernet, the hostagent, and waiting for what it says."""

from __future__ import annotations

import json
import subprocess
import time
from typing import TYPE_CHECKING, Any, Final

from tests.lab.standin import words
from tests.lab.standin.instance import Instance, Seen, alive, look
from tests.lab.standin.words import FatalError

if TYPE_CHECKING:
    from tests.lab.standin.settings import Lab

LOOK: Final = 0.02
AFTER_PORT: Final = ("[VZ] - ", "Waiting for the essential requirement 1 ")
"""Beginnings of what the hostagent says once it has told its port."""


def start(lab: Lab, instance: Instance) -> int:
    """Start the instance and wait until its hostagent says READY."""
    words.info(f"Using the existing instance `{instance.name}`")
    seen = look(instance, lab.settings.info_timeout)
    if seen.status == "Running":
        words.info(f"The instance `{instance.name}` is already running.")
        return 0
    _refuse(instance, seen)
    words.info(
        f"Starting the instance `{instance.name}` with internal VM driver `{lab.settings.driver}`"
    )
    start_usernet(lab, instance)
    return Starting(lab, instance).run()


def _refuse(instance: Instance, seen: Seen) -> None:
    if seen.errors:
        raise FatalError(f"errors inspecting instance: [{'; '.join(seen.errors)}]")
    if alive(instance.inst / "ha.pid"):
        file = instance.inst / "ha.pid"
        raise FatalError(f"instance `{instance.name}` seems running (hint: remove `{file}` …)")


def start_usernet(lab: Lab, instance: Instance) -> None:
    """Unless its pid file names a living one."""
    folder = instance.networks
    folder.mkdir(parents=True, exist_ok=True)
    if alive(instance.usernet_pid):
        return
    with (
        (folder / "usernet.user-v2.stdout.log").open("wb") as out,
        (folder / "usernet.user-v2.stderr.log").open("wb") as err,
    ):
        subprocess.Popen(
            [
                *(str(lab.bin / "limactl"), "usernet", "-p", str(instance.usernet_pid)),
                *("-e", str(folder / "user-v2_ep.sock")),
                *("--listen-qemu", str(folder / "user-v2_qemu.sock")),
                *("--listen", str(folder / "user-v2_fd.sock")),
            ],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            start_new_session=True,
        )
    while not (folder / "user-v2_fd.sock").is_socket():
        time.sleep(LOOK)


class Starting:
    """One wait for the hostagent's events."""

    def __init__(self, lab: Lab, instance: Instance) -> None:
        self._lab = lab
        self._instance = instance
        self._port = 0
        self._read = {"ha.stdout.log": 0, "ha.stderr.log": 0}

    def run(self) -> int:
        """0 at READY; raises FatalError with Lima's words for every other end."""
        agent = self._spawn()
        until = time.monotonic() + self._lab.settings.start_timeout
        while time.monotonic() < until:
            # Events first: what was logged before an event is in the log by then.
            events = self._events()
            self._show_log(events)
            for status in events:
                if self._is_over(status):
                    return 0
            if agent.poll() is not None:
                raise FatalError(f"host agent process has exited: exit status {agent.returncode}")
            time.sleep(LOOK)
        raise FatalError("did not receive an event with the running status")

    def _spawn(self) -> subprocess.Popen[bytes]:
        inst = self._instance.inst
        with (inst / "ha.stdout.log").open("wb") as out, (inst / "ha.stderr.log").open("wb") as err:
            return subprocess.Popen(
                [
                    *(str(self._lab.bin / "limactl"), "hostagent"),
                    *("--pidfile", str(inst / "ha.pid"), "--socket", str(inst / "ha.sock")),
                    *("--guestagent", "/opt/homebrew/share/lima/lima-guestagent.Linux-aarch64.gz"),
                    self._instance.name,
                ],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                start_new_session=True,
            )

    def _lines(self, name: str) -> list[dict[str, Any]]:
        with (self._instance.inst / name).open("rb") as file:
            file.seek(self._read[name])
            whole = file.read().rpartition(b"\n")[0]
        if not whole:
            return []
        self._read[name] += len(whole) + 1
        return [json.loads(line) for line in whole.splitlines() if line.startswith(b"{")]

    def _show_log(self, events: list[dict[str, Any]]) -> None:
        for entry in self._lines("ha.stderr.log"):
            if entry["level"] == "debug":
                continue
            if not self._port and entry["msg"].startswith(AFTER_PORT):
                events += self._events()
                self._show_port(events[0])
            more = {"error": entry["error"]} if "error" in entry else {}
            words.err(words.line(entry["level"], f"[hostagent] {entry['msg']}", **more))

    def _events(self) -> list[dict[str, Any]]:
        return [line["status"] for line in self._lines("ha.stdout.log")]

    def _show_port(self, status: dict[str, Any]) -> None:
        self._port = status["sshLocalPort"]
        words.info(f"SSH Local Port: {self._port}")

    def _is_over(self, status: dict[str, Any]) -> bool:
        if not self._port:
            self._show_port(status)
        if status.get("exiting"):
            log = self._instance.inst / "ha.stderr.log"
            raise FatalError(f'exiting, status={_shown(status)} (hint: see "{log}")')
        if status.get("degraded"):
            raise FatalError(f"degraded, status={_shown(status)}")
        if status.get("running"):
            words.info(f"READY. Run `limactl shell {self._instance.name}` to open the shell.")
        return bool(status.get("running"))


def _shown(status: dict[str, Any]) -> str:
    flags = {name: bool(status.get(name.lower())) for name in ("Running", "Degraded", "Exiting")}
    said = " ".join(f"{name}:{str(flag).lower()}" for name, flag in flags.items())
    errors = " ".join(status.get("errors", []))
    port = 0 if status.get("exiting") else status["sshLocalPort"]
    return f"{{{said} Errors:[{errors}] SSHLocalPort:{port}}}"

"""The guest's init: it reaps, starts sshd and the engine, and answers `systemctl` and modprobe.

It runs as PID 1 of the guest's namespaces, by the plain interpreter, with nothing but the
standard library.
"""

from __future__ import annotations

import contextlib
import ctypes
import http.client
import json
import os
import select
import shutil
import signal
import socket
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable

PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
CONTROL: Final = "/run/guest/init.sock"
ENGINE: Final = "/run/docker.sock"
CONTAINERD: Final = "/run/containerd/containerd.sock"
BRIDGE: Final = "/proc/sys/net/bridge"
START_PATIENCE: Final = 60.0
STOP_PATIENCE: Final = 60.0
LOOK_EVERY: Final = 0.02
RESTART_AFTER: Final = 2.0
"""RestartSec of Docker's unit."""
STAMPS: Final = (
    "InactiveEnterTimestampMonotonic",
    "ActiveEnterTimestampMonotonic",
    "ExecMainStartTimestampMonotonic",
)
LIBC: Final = ctypes.CDLL(None, use_errno=True)
"""A child `mount` would not do: its end would be collected by another thread."""
MS_RDONLY: Final = 1


def uptime() -> float:
    """Seconds since the guest's boot."""
    return float(Path("/proc/uptime").read_text(encoding="ascii").split()[0])


class Children:
    """Every child's end, which only the main thread collects."""

    def __init__(self) -> None:
        self._ends: dict[int, int] = {}
        self._changed = threading.Condition()

    def spawn(self, argv: list[str], log: Path, listener: int | None = None) -> int:
        """Start one in a session of its own, with its words in a file.

        It inherits a listener as systemd hands one over: as descriptor 3, told by variables of
        which one is its own pid.
        """
        program = shutil.which(argv[0], path=PATH) or argv[0]
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        actions: Any = [
            (os.POSIX_SPAWN_OPEN, 1, str(log), flags, 0o644),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ]
        environment = {"PATH": PATH, "HOME": "/root"}
        if listener is not None:
            actions.append((os.POSIX_SPAWN_DUP2, listener, 3))
            take = 'export LISTEN_PID=$$ LISTEN_FDS=1; exec "$@"'
            program, argv = "/bin/sh", ["sh", "-c", take, "sh", program, *argv[1:]]
        return os.posix_spawn(
            program, argv, environment, file_actions=actions, setsid=True, setsigmask=[]
        )

    def collect(self) -> None:
        """Reap for ever."""
        while True:
            try:
                pid, status = os.waitpid(-1, 0)
            except ChildProcessError:
                time.sleep(LOOK_EVERY)
                continue
            with self._changed:
                self._ends[pid] = os.waitstatus_to_exitcode(status)
                self._changed.notify_all()

    def ended(self, pid: int) -> int | None:
        """Its exit code, negative for a signal; None while it lives."""
        with self._changed:
            return self._ends.get(pid)

    def wait(self, pid: int, seconds: float) -> bool:
        """Whether it ended in time."""
        with self._changed:
            return self._changed.wait_for(lambda: pid in self._ends, seconds)


class Guest:
    """The services of the guest."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._children = Children()
        self._engine = 0
        self._containerd = 0
        self._state = "inactive"
        self._stamps = dict.fromkeys(STAMPS, 0.0)
        self._activation: socket.socket | None = None
        """docker.socket: systemd's own listener, which dockerd inherits."""
        self._lock = threading.RLock()

    def run(self) -> None:
        """Boot and serve for ever."""
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        self._load_persisted()
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(CONTROL)
        listener.listen()
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()
        threading.Thread(target=self._boot, daemon=True).start()
        threading.Thread(target=self._activate, daemon=True).start()
        self._children.collect()

    def _boot(self) -> None:
        settings = json.loads((self._root / "settings.json").read_text(encoding="utf-8"))
        threading.Thread(target=self._boot_engine, daemon=True).start()
        if not settings["never_ssh"]:
            time.sleep(settings["ssh_delay"])
            sshd = shutil.which("sshd", path=PATH) or "sshd"
            argv = [sshd, "-D", "-e", "-f", str(self._root / "sshd_config")]
            self._children.spawn(argv, self._root / "sshd.log")

    def _boot_engine(self) -> None:
        self._start_engine()
        Path("/run/guest/booted").touch()

    def _activate(self) -> None:
        """Start the engine at the first connect while docker.socket waits for it, as systemd does.

        What connected while the engine was on its way down is still there afterwards.
        """
        while True:
            listener, state = self._activation, self._state
            if listener is None or state != "inactive":
                time.sleep(5 * LOOK_EVERY)
                continue
            with contextlib.suppress(OSError, ValueError):
                if not select.select([listener], [], [], LOOK_EVERY)[0]:
                    continue
                with self._lock:
                    if self._state == "inactive" and self._activation is not None:
                        self._start_engine()

    def _load_persisted(self) -> None:
        for file in sorted(Path("/etc/modules-load.d").glob("*.conf")):
            for name in file.read_text(encoding="utf-8").split():
                self.load(name)

    def load(self, name: str) -> None:
        """Load a module."""
        flag = Path("/run/guest") / name
        if flag.exists():
            return
        if name == "br_netfilter":
            _check(LIBC.umount2(BRIDGE.encode(), 0))
        flag.touch()
        self._list_modules()

    def unload(self, name: str) -> None:
        """Unload it again."""
        flag = Path("/run/guest") / name
        if not flag.exists():
            return
        if name == "br_netfilter":
            _check(LIBC.mount(b"tmpfs", BRIDGE.encode(), b"tmpfs", MS_RDONLY, b"size=4k"))
        flag.unlink()
        self._list_modules()

    def _list_modules(self) -> None:
        listing = Path("/run/guest/modules")
        if listing.exists():
            names = [one for one in ("br_netfilter", "vxlan") if (listing.parent / one).exists()]
            listing.write_text("".join(f"{one} 36864 0 - Live 0x0\n" for one in names))

    def _accept(self, listener: socket.socket) -> None:
        while True:
            asked, _ = listener.accept()
            threading.Thread(target=self._answer, args=(asked,), daemon=True).start()

    def _answer(self, asked: socket.socket) -> None:
        with asked, contextlib.suppress(OSError):
            words = json.loads(asked.recv(65536))
            try:
                answer = self._do(*words)
            except (OSError, ValueError) as error:
                answer = {"code": 1, "text": f"{error}\n"}
            asked.sendall(json.dumps(answer).encode())

    def _do(self, verb: str, *words: str) -> dict[str, Any]:
        verbs: dict[str, Callable[..., None]] = {
            "load": self.load,
            "unload": self.unload,
            "start": self._start,
            "stop": self._stop,
            "restart": self._restart,
            "crash": self._crash_engine,
            "crash-once": self._crash_once,
            "poweroff": threading.Thread(target=self._power_off, daemon=True).start,
            "show": _nothing,
        }
        if verb not in verbs:
            raise ValueError(f"unknown verb {verb}")
        verbs[verb](*words)
        socket_state = "inactive" if self._activation is None else "active"
        return {"code": 0, "text": "", "unit": self._unit(), "socket": socket_state}

    def _unit(self) -> dict[str, str]:
        """docker.service as `systemctl show` tells it."""
        end = self._children.ended(self._engine) if self._engine else 0
        state = self._state
        if state == "active" and end is not None:
            state = "failed"
        failed = ("signal" if end and end < 0 else "exit-code") if state == "failed" else "success"
        stamps = {name: str(int(at * 1e6)) for name, at in self._stamps.items()}
        return {"Result": failed, "ActiveState": state, **stamps}

    def _enter(self, state: str) -> None:
        self._state = state
        if state in {"active", "inactive", "failed"}:
            name = "ActiveEnter" if state == "active" else "InactiveEnter"
            self._stamps[f"{name}TimestampMonotonic"] = uptime()

    def _listen(self) -> None:
        """`systemctl start docker.socket`, which docker.service requires."""
        if self._activation is None:
            Path(ENGINE).unlink(missing_ok=True)
            self._activation = socket.socket(socket.AF_UNIX)
            self._activation.bind(ENGINE)
            self._activation.listen()

    def _cease_listening(self) -> None:
        listener, self._activation = self._activation, None
        if listener is not None:
            listener.close()
            Path(ENGINE).unlink(missing_ok=True)

    def _start_engine(self) -> None:
        with self._lock:
            if self._engine and self._children.ended(self._engine) is None:
                return
            self._enter("activating")
            self._start_containerd()
            self._listen()
            Path("/run/docker.pid").unlink(missing_ok=True)
            disk = self._root / "disk"
            argv = ["dockerd", "--data-root", str(disk / "docker"), "--exec-root", "/run/docker"]
            argv += ["--pidfile", "/run/docker.pid", "--containerd", CONTAINERD, "--host", "fd://"]
            self._stamps["ExecMainStartTimestampMonotonic"] = uptime()
            assert self._activation is not None
            self._engine = self._children.spawn(
                argv, self._root / "dockerd.log", self._activation.fileno()
            )
            until = time.monotonic() + START_PATIENCE
            while not _answers() and time.monotonic() < until:
                if self._children.ended(self._engine) is not None:
                    self._enter("failed")
                    self._cease_listening()
                    raise OSError("Job for docker.service failed.")
                time.sleep(LOOK_EVERY)
            self._enter("active")

    def _start_containerd(self) -> None:
        if self._containerd and self._children.ended(self._containerd) is None:
            return
        argv = ["containerd", "--root", str(self._root / "disk" / "containerd")]
        argv += ["--state", "/run/containerd", "--address", CONTAINERD, "--log-level", "warn"]
        self._containerd = self._children.spawn(argv, self._root / "containerd.log")
        until = time.monotonic() + START_PATIENCE
        while not Path(CONTAINERD).exists() and time.monotonic() < until:
            time.sleep(LOOK_EVERY)

    def _start(self, *units: str) -> None:
        if units == ("docker.socket",):
            self._listen()
        else:
            self._start_engine()

    def _restart(self, *units: str) -> None:
        del units
        self._stop_engine()
        self._start_engine()

    def _stop(self, *units: str) -> None:
        """The socket first, as systemd orders it; a service alone leaves its socket waiting."""
        if "docker.socket" in units:
            self._cease_listening()
        if {"docker", "docker.service"} & set(units):
            self._stop_engine()

    def _stop_engine(self) -> None:
        with self._lock:
            if self._engine and self._children.ended(self._engine) is None:
                self._enter("deactivating")
                os.kill(self._engine, signal.SIGTERM)
                if not self._children.wait(self._engine, STOP_PATIENCE):
                    os.kill(self._engine, signal.SIGKILL)
                self._enter("inactive")

    def _crash_once(self, *units: str) -> None:
        """SIGKILL of dockerd alone; systemd starts it anew while its containers run on."""
        del units
        with self._lock:
            self._enter("activating")
            os.kill(self._engine, signal.SIGKILL)
            self._children.wait(self._engine, STOP_PATIENCE)
            time.sleep(RESTART_AFTER)
            self._start_engine()

    def _crash_engine(self, *units: str) -> None:
        """systemd has given up on it, and so on its socket.

        Its shims go with it: without them containers would live on as ghosts.
        """
        del units
        with self._lock:
            os.kill(self._engine, signal.SIGKILL)
            self._children.wait(self._engine, STOP_PATIENCE)
            for command in Path("/proc").glob("[0-9]*/comm"):
                with contextlib.suppress(OSError):
                    if command.read_text().startswith("containerd-shim"):
                        os.kill(int(command.parent.name), signal.SIGKILL)
            self._enter("failed")
            self._cease_listening()

    def _power_off(self) -> None:
        self._cease_listening()
        self._stop_engine()
        os._exit(0)


def _nothing(*units: str) -> None:
    del units


def _check(result: int) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def _answers() -> bool:
    connection = http.client.HTTPConnection("localhost", timeout=2)
    with contextlib.suppress(OSError, http.client.HTTPException):
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.settimeout(2)
        connection.sock.connect(ENGINE)
        connection.request("GET", "/_ping")
        answer = connection.getresponse().read()
        connection.close()
        return answer == b"OK"
    connection.close()
    return False


if __name__ == "__main__":
    Guest(Path(sys.argv[1])).run()

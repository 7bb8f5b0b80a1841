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
import shutil
import signal
import socket
import sys
import threading
import time
from pathlib import Path
from typing import Any, Final

PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
CONTROL: Final = "/run/guest/init.sock"
ENGINE: Final = "/run/docker.sock"
CONTAINERD: Final = "/run/containerd/containerd.sock"
BRIDGE: Final = "/proc/sys/net/bridge"
START_PATIENCE: Final = 60.0
STOP_PATIENCE: Final = 60.0
LOOK_EVERY: Final = 0.02
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

    def spawn(self, argv: list[str], log: Path) -> int:
        """Start one in a session of its own, with its words in a file."""
        program = shutil.which(argv[0], path=PATH) or argv[0]
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        actions: Any = [
            (os.POSIX_SPAWN_OPEN, 1, str(log), flags, 0o644),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ]
        environment = {"PATH": PATH, "HOME": "/root"}
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
        self._wanted = False
        self._left = 0.0
        self._lock = threading.Lock()

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
        self._children.collect()

    def _boot(self) -> None:
        settings = json.loads((self._root / "settings.json").read_text(encoding="utf-8"))
        threading.Thread(target=self._start_engine, daemon=True).start()
        if not settings["never_ssh"]:
            time.sleep(settings["ssh_delay"])
            sshd = shutil.which("sshd", path=PATH) or "sshd"
            argv = [sshd, "-D", "-e", "-f", str(self._root / "sshd_config")]
            self._children.spawn(argv, self._root / "sshd.log")

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
        if verb == "load":
            self.load(words[0])
        elif verb == "unload":
            self.unload(words[0])
        elif verb == "start":
            self._start_engine()
        elif verb == "stop":
            self._stop_engine()
        elif verb == "restart":
            self._stop_engine()
            self._start_engine()
        elif verb == "crash":
            self._crash_engine()
        elif verb == "poweroff":
            threading.Thread(target=self._power_off, daemon=True).start()
        elif verb != "show":
            raise ValueError(f"unknown verb {verb}")
        return {"code": 0, "text": "", "unit": self._unit()}

    def _unit(self) -> dict[str, str]:
        """The engine's unit; without its own words for what is under way."""
        end = self._children.ended(self._engine) if self._engine else 0
        up = self._engine and end is None
        failed = self._engine and self._wanted and not up
        return {
            "Result": ("signal" if end and end < 0 else "exit-code") if failed else "success",
            "ActiveState": "failed" if failed else "active" if up else "inactive",
            "InactiveEnterTimestampMonotonic": str(int(self._left * 1e6)),
        }

    def _start_engine(self) -> None:
        with self._lock:
            if self._engine and self._children.ended(self._engine) is None:
                return
            self._start_containerd()
            for name in (ENGINE, "/run/docker.pid"):
                Path(name).unlink(missing_ok=True)
            disk = self._root / "disk"
            argv = ["dockerd", "--data-root", str(disk / "docker"), "--exec-root", "/run/docker"]
            argv += ["--pidfile", "/run/docker.pid", "--containerd", CONTAINERD]
            argv += ["--host", "unix:///var/run/docker.sock"]
            self._engine = self._children.spawn(argv, self._root / "dockerd.log")
            self._wanted = True
            until = time.monotonic() + START_PATIENCE
            while not _answers() and time.monotonic() < until:
                if self._children.ended(self._engine) is not None:
                    self._left = uptime()
                    raise OSError("Job for docker.service failed.")
                time.sleep(LOOK_EVERY)

    def _start_containerd(self) -> None:
        if self._containerd and self._children.ended(self._containerd) is None:
            return
        argv = ["containerd", "--root", str(self._root / "disk" / "containerd")]
        argv += ["--state", "/run/containerd", "--address", CONTAINERD, "--log-level", "warn"]
        self._containerd = self._children.spawn(argv, self._root / "containerd.log")
        until = time.monotonic() + START_PATIENCE
        while not Path(CONTAINERD).exists() and time.monotonic() < until:
            time.sleep(LOOK_EVERY)

    def _stop_engine(self) -> None:
        with self._lock:
            self._wanted = False
            if self._engine and self._children.ended(self._engine) is None:
                os.kill(self._engine, signal.SIGTERM)
                if not self._children.wait(self._engine, STOP_PATIENCE):
                    os.kill(self._engine, signal.SIGKILL)
                self._left = uptime()
            Path(ENGINE).unlink(missing_ok=True)

    def _crash_engine(self) -> None:
        """Its shims go with it: without them containers would live on as ghosts."""
        with self._lock:
            os.kill(self._engine, signal.SIGKILL)
            self._children.wait(self._engine, STOP_PATIENCE)
            for command in Path("/proc").glob("[0-9]*/comm"):
                with contextlib.suppress(OSError):
                    if command.read_text().startswith("containerd-shim"):
                        os.kill(int(command.parent.name), signal.SIGKILL)
            self._left = uptime()

    def _power_off(self) -> None:
        self._stop_engine()
        os._exit(0)


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

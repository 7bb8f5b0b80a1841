"""A Docker engine for the node's own tests, where no virtual Mac is needed around it.

It lives in namespaces of its own; its published ports reach this side through relays, as a VM's
reach a Mac through Lima.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import shutil
import signal
import socket
import subprocess
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.lab.kubernetes.build import MissingPartError, program
from tests.lab.kubernetes.node import GUEST_FLAGS, eventually

if TYPE_CHECKING:
    from collections.abc import Sequence

SCRIPT: Final = Path(__file__).with_name("engine.sh")
CGROUPS: Final = Path("/sys/fs/cgroup")
CLONE_NEWNET: Final = 0x40000000
NEEDED: Final = {
    "dockerd": "docker.io",
    "containerd": "containerd",
    "unshare": "util-linux",
    "busybox": "busybox-static",
    "iptables": "iptables",
}
START_DEADLINE: Final = 60.0
"""Seconds; 1 to 5 s were seen."""


@dataclass(slots=True)
class Engine:
    """One engine, its disk in a folder that must be empty; sockets need a short path."""

    disk: Path
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)
    init: int = field(default=0, init=False)
    _relays: list[socket.socket] = field(default_factory=list, init=False)

    @property
    def docker(self) -> Sequence[str]:
        """The command that reaches the engine."""
        return [str(program("docker", "docker.io")), "--host", f"unix://{self.disk}/docker.sock"]

    @property
    def guest_flags(self) -> Path:
        """The guest's folder of that name, by a path of this side."""
        return Path(f"/proc/{self.init}/root{GUEST_FLAGS}")

    @property
    def group(self) -> str:
        """The name of its cgroups, which says whose they are."""
        return f"healer-lab-engine-{os.getpid()}"

    def start(self, ports: Sequence[int]) -> None:
        """Start it and relay the ports; MissingPartError names what the machine lacks."""
        for name, package in NEEDED.items():
            program(name, package)
        if not (CGROUPS / "memory").is_dir():
            raise MissingPartError("the engine needs the controllers of cgroup v1")
        self.disk.mkdir(parents=True, exist_ok=True)
        command = ["/bin/sh", str(SCRIPT), "start", self.group, str(self.disk)]
        self.process = subprocess.Popen(command, start_new_session=True)
        eventually("the engine answers", self._answers, START_DEADLINE)
        for port in ports:
            self._relay(port)

    def _answers(self) -> bool:
        assert self.process is not None
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        self.init = int(children.read_text().split()[0])
        subprocess.run([*self.docker, "version"], check=True, capture_output=True, timeout=10)
        return True

    def stop(self) -> None:
        """Cut its power and remove what it leaves: cgroups, disk, relays."""
        for listener in self._relays:
            # Only shutdown wakes the thread that waits in accept.
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()
        if self.process is not None:
            os.kill(self.process.pid, signal.SIGKILL)
            self.process.wait()
            eventually("it is gone", lambda: not Path(f"/proc/{self.init}").exists(), 30)
        for group in CGROUPS.glob(f"*/{self.group}"):
            for folder, _, _ in os.walk(group, topdown=False):
                with contextlib.suppress(OSError):
                    Path(folder).rmdir()
        shutil.rmtree(self.disk, ignore_errors=True)

    def _relay(self, port: int) -> None:
        listener = socket.create_server(("127.0.0.1", port))
        self._relays.append(listener)
        threading.Thread(target=self._accept, args=(listener, port), daemon=True).start()

    def _accept(self, listener: socket.socket, port: int) -> None:
        while True:
            try:
                near, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._carry, args=(near, port), daemon=True).start()

    def _carry(self, near: socket.socket, port: int) -> None:
        with near, contextlib.suppress(OSError):
            enter_network(self.init)
            with socket.create_connection(("127.0.0.1", port)) as far:
                back = threading.Thread(target=copy, args=(far, near), daemon=True)
                back.start()
                copy(near, far)
                back.join()


def enter_network(pid: int) -> None:
    """Move the calling thread, and no other, into the network of a process; OSError if gone."""
    libc = ctypes.CDLL(None, use_errno=True)
    with Path(f"/proc/{pid}/ns/net").open("rb") as namespace:
        if libc.setns(namespace.fileno(), CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), "setns")


def copy(source: socket.socket, target: socket.socket) -> None:
    """Carry bytes until the source ends, then say so to the target."""
    with contextlib.suppress(OSError):
        while chunk := source.recv(65536):
            target.sendall(chunk)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)

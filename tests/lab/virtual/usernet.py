"""Lima's `usernet`: it listens on the Mac's side and leads into the guest's network.

It accepts whatever the guest does: of a dead or frozen one nothing comes back.
"""

from __future__ import annotations

import ctypes
import json
import os
import socket
import threading
from contextlib import suppress
from pathlib import Path
from typing import Final

from tests.lab.virtual.layout import Layout, write

CLONE_NEWNET: Final = 0x40000000
SSH_PORT: Final = 22
LEASES: Final = (
    b"HTTP/1.0 200 OK\r\nContent-Type: application/json\r\nContent-Length: 37\r\n\r\n"
    b'{"192.168.5.1":"5a:94:ef:e4:0c:dd"}\n '
)
"""What usernet says of itself, whatever the guest does."""


def enter_network(pid: int) -> None:
    """Move the calling thread, and no other, into a process's network; OSError if it is gone."""
    libc = ctypes.CDLL(None, use_errno=True)
    with Path(f"/proc/{pid}/ns/net").open("rb") as namespace:
        if libc.setns(namespace.fileno(), CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), "setns")


def carry(source: socket.socket, target: socket.socket) -> None:
    """Carry bytes until the source ends, then say so to the target."""
    with suppress(OSError):
        while chunk := source.recv(65536):
            target.sendall(chunk)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)


def _serve(near: socket.socket, pid: int) -> None:
    try:
        enter_network(pid)
        far = socket.create_connection(("127.0.0.1", SSH_PORT), timeout=5)
    except OSError:
        # A dead guest is silent: only the caller's own patience ends this.
        with suppress(OSError):
            while near.recv(65536):
                pass
        near.close()
        return
    far.settimeout(None)
    with near, far:
        back = threading.Thread(target=carry, args=(far, near), daemon=True)
        back.start()
        carry(near, far)
        back.join()


def _listen(port: int, pid: int) -> None:
    listener = socket.create_server(("127.0.0.1", port))

    def accept() -> None:
        while True:
            near, _ = listener.accept()
            threading.Thread(target=_serve, args=(near, pid), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()


def expose(layout: Layout, port: int, pid: int) -> None:
    """Ask the running usernet to lead that port into the guest of that pid."""
    with socket.socket(socket.AF_UNIX) as asked:
        asked.settimeout(5)
        asked.connect(str(layout.networks / "user-v2" / "user-v2_ep.sock"))
        asked.sendall(json.dumps({"port": port, "pid": pid}).encode())
        asked.recv(2)


def main(root: str) -> None:
    """Take requests for ever."""
    layout = Layout(Path(root))
    folder = layout.usernet_pid.parent
    for name in ("user-v2_ep.sock", "user-v2_fd.sock", "user-v2_qemu.sock"):
        (folder / name).unlink(missing_ok=True)
    others = [socket.socket(socket.AF_UNIX) for _ in range(2)]
    for listener, name in zip(others, ("user-v2_fd.sock", "user-v2_qemu.sock"), strict=True):
        listener.bind(str(folder / name))
        listener.listen()
    endpoint = socket.socket(socket.AF_UNIX)
    endpoint.bind(str(folder / "user-v2_ep.sock"))
    endpoint.listen()
    write(layout.usernet_pid, f"{os.getpid()}\n")
    while True:
        asked, _ = endpoint.accept()
        with asked:
            said = asked.recv(4096)
            if said.startswith(b"GET "):
                with suppress(OSError):
                    asked.sendall(LEASES)
            elif said:
                request = json.loads(said)
                _listen(request["port"], request["pid"])
                asked.sendall(b"ok")

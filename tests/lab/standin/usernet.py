"""`limactl usernet`: the VM's network card, and the Mac's listener of its ssh port.

Told by the hostagent which port leads into which network namespace; it enters that namespace
for each connection, so the VM needs no route and no address on the Mac.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import signal
import socket
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

_CLONE_NEWNET: Final = 0x40000000
_SSH: Final = 22


def run(words: Sequence[str]) -> int:
    """`usernet -p PIDFILE -e EP.sock --listen-qemu QEMU.sock --listen FD.sock`, for ever."""
    options = dict(zip(words[::2], words[1::2], strict=True))
    pid_file = Path(options["-p"])
    pid_file.write_text(f"{os.getpid()}\n", "utf-8")
    doors = [options["-e"], options["--listen-qemu"], options["--listen"]]
    orders, *_ = [_listen(Path(door)) for door in doors]
    signal.signal(signal.SIGTERM, lambda *_: _end(pid_file, doors))
    while True:
        client, _ = orders.accept()
        with client, client.makefile("rw", encoding="utf-8") as stream:
            order = json.loads(stream.readline())
            stream.write(_expose(order["port"], order["pid"]))


def _listen(path: Path) -> socket.socket:
    path.unlink(missing_ok=True)
    door = socket.socket(socket.AF_UNIX)
    door.bind(str(path))
    door.listen()
    return door


def _end(pid_file: Path, doors: Sequence[str]) -> None:
    for file in (pid_file, *map(Path, doors)):
        file.unlink(missing_ok=True)
    os._exit(0)


def _expose(port: int, pid: int) -> str:
    try:
        namespace = os.open(f"/proc/{pid}/ns/net", os.O_RDONLY)
        listener = socket.create_server(("127.0.0.1", port))
    except OSError as error:
        return str(error)
    threading.Thread(target=_accept, args=(listener, namespace), daemon=True).start()
    return "ok"


def _accept(listener: socket.socket, namespace: int) -> None:
    while True:
        near, _ = listener.accept()
        threading.Thread(target=_carry, args=(near, namespace), daemon=True).start()


def _carry(near: socket.socket, namespace: int) -> None:
    """Between the Mac and the guest; only a guest that lives can refuse, a dead one is silent."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.setns(namespace, _CLONE_NEWNET)
    try:
        far = socket.create_connection(("127.0.0.1", _SSH))
    except ConnectionRefusedError:
        near.close()
        return
    except OSError:
        threading.Event().wait()
        return
    back = threading.Thread(target=_copy, args=(far, near), daemon=True)
    back.start()
    _copy(near, far)
    back.join()
    near.close()
    far.close()


def _copy(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while chunk := source.recv(65536):
            target.sendall(chunk)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)

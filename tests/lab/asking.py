"""Small questions that tests ask of a virtual Mac from the outside."""

from __future__ import annotations

import socket
import subprocess
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from tests.lab.standin.instance import ask_info

if TYPE_CHECKING:
    from pathlib import Path

    from tests.lab.keyboard import Completed
    from tests.lab.mac import Mac

SILENT: Final = 1.0
"""Seconds after which what was accepted and not answered counts as silent."""
DIRECT: Final = ("-o", "ControlMaster=no", "-o", "ControlPath=none", "-o", "ConnectTimeout=3")


def ssh(mac: Mac, *words: str, deadline: float = 20.0) -> Completed:
    """ssh with Lima's own configuration, so by default through the mux."""
    return mac.run("ssh", "-F", str(mac.instance.ssh_config), *words, deadline=deadline)


def direct(mac: Mac, *command: str) -> Completed:
    """One command past the mux (facts/colima.md §3, Rules)."""
    return ssh(mac, *DIRECT, "lima-colima", *command)


def control(mac: Mac, *words: str) -> Completed:
    """`ssh -O WORDS` on Lima's master."""
    return ssh(mac, "-O", *words, "lima-colima")


def way(mac: Mac) -> str:
    """docker.sock as `-L` takes it."""
    return f"{mac.docker_socket}:/var/run/docker.sock"


def unix(path: Path) -> str:
    """How a Docker socket behaves: `OK`, `refused`, `missing`, `silent` or `reset`."""
    with socket.socket(socket.AF_UNIX) as door:
        return _behaviour(door, str(path))


def tcp(port: int) -> str:
    """How a port of the Mac behaves, in the same words."""
    with socket.socket(socket.AF_INET) as door:
        return _behaviour(door, ("127.0.0.1", port))


def _behaviour(door: socket.socket, address: str | tuple[str, int]) -> str:
    door.settimeout(SILENT)
    try:
        door.connect(address)
        door.sendall(b"GET /_ping HTTP/1.0\r\n\r\n")
        answer = b""
        while chunk := door.recv(4096):
            answer += chunk
    except FileNotFoundError:
        return "missing"
    except ConnectionRefusedError:
        return "refused"
    except TimeoutError:
        return "silent"
    except OSError:
        return "reset"
    return answer.partition(b"\r\n\r\n")[2].decode("utf-8", "replace").strip() or "reset"


def hangs(mac: Mac, *argv: str, deadline: float = 1.5) -> bool:
    """Whether a command says nothing more and does not end."""
    with suppress(subprocess.TimeoutExpired):
        mac.run(*argv, deadline=deadline)
        return False
    return True


def info(mac: Mac) -> int:
    """The ssh port by `/v1/info`."""
    return ask_info(mac.instance.inst / "ha.sock", 3.0)


def messages(text: str) -> list[str]:
    """The words of logrus lines, each with its context behind it."""
    found = []
    for line in text.splitlines():
        level, _, rest = line.partition(" level=")[2].partition(" msg=")
        msg, _, context = rest.partition(" context=")
        said = msg[1:-1].replace('\\"', '"') if msg.startswith('"') else msg
        said = f"{said} ({context})" if context else said
        found.append(said if level == "info" else f"{level}: {said}")
    return found


def answer(done: Completed) -> tuple[int, str, list[str]]:
    """Exit code, stdout, and the messages on stderr."""
    return done.returncode, done.stdout, messages(done.stderr)

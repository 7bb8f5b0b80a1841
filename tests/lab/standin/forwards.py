"""Lima's ssh master and what it carries (facts/colima.md §3, §4): all by the real ssh."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tests.lab.standin.instance import Instance

CALL_DEADLINE: Final = 10.0
_LISTENING: Final = "0A"
_ADDRESSES: Final = {"00000000": "0.0.0.0", "0100007F": "127.0.0.1"}
_NEVER: Final = frozenset({22})
"""Guest ports that Lima does not forward."""
OWN: Final = ("-o", "ControlMaster=no", "-o", "ControlPath=none", "-o", "ConnectTimeout=3")

Completed = subprocess.CompletedProcess[str]


def command(instance: Instance) -> list[str]:
    """The real ssh with the instance's own configuration, which shares Lima's master."""
    return [shutil.which("ssh") or "ssh", "-F", str(instance.ssh_config)]


def ssh(instance: Instance, *words: str, deadline: float | None = CALL_DEADLINE) -> Completed:
    """One call with the instance's own configuration; TimeoutExpired when it hangs."""
    return subprocess.run(
        [*command(instance), *words],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=deadline,
    )


def host(instance: Instance) -> str:
    """How ssh.config names the VM."""
    return f"lima-{instance.name}"


@dataclass(slots=True)
class Forwards:
    """What the hostagent has made of forwards; it makes each once and never looks again."""

    instance: Instance
    log: Callable[..., None]
    tell: Callable[[dict[str, str]], None]
    _ports: set[tuple[str, int]] = field(default_factory=set)
    _seen: set[tuple[str, int]] = field(default_factory=set)

    def start_master(self) -> bool:
        """Become the master in the background; a dead one's socket is in nobody's way."""
        (self.instance.inst / "ssh.sock").unlink(missing_ok=True)
        return ssh(self.instance, host(self.instance), "true").returncode == 0

    def forward_sockets(self) -> None:
        """docker.sock and containerd.sock, in place of what a crash has left."""
        for path, guest in self.instance.sockets.items():
            self.log("info", f"Forwarding `{guest}` (guest) to `{path}` (host)")
            path.unlink(missing_ok=True)
            self._control("forward", f"{path}:{guest}")

    def cancel_sockets(self) -> None:
        """The clean end of the same."""
        for path, guest in self.instance.sockets.items():
            self.log("info", f"Stopping forwarding `{guest}` (guest) to `{path}` (host)")
            self._control("cancel", f"{path}:{guest}")
            path.unlink(missing_ok=True)

    def end_master(self) -> None:
        """Ask it to go."""
        self._call("-O", "exit", host(self.instance))
        (self.instance.inst / "ssh.sock").unlink(missing_ok=True)

    def follow(self, listening: Iterable[tuple[str, int]]) -> None:
        """Forward ports that are new, cancel those that are gone; changes only."""
        now = set(listening)
        for address, port in sorted(now - self._seen):
            self._open(address, port)
        for address, port in sorted(self._seen - now):
            self._close(address, port)
        self._seen = now

    def _open(self, address: str, port: int) -> None:
        guest = f"{address}:{port}"
        if port in _NEVER:
            self.log("info", f"Not forwarding TCP {guest}")
            self._event("not-forwarding", guest)
            return
        self.log("info", f"Forwarding TCP from {guest} to {guest}")
        self._event("forwarding", guest, hostAddr=guest)
        done = self._control("forward", f"{guest}:{guest}")
        if done is None or done.returncode != 0:
            why = "timed out" if done is None else f"exit status {done.returncode}"
            words = f"failed to set up forwarding tcp port {port} (negligible if already forwarded)"
            self.log("warning", words, error=f"failed to run [ssh -O forward -L {guest}]: {why}")
            return
        self._ports.add((address, port))

    def _close(self, address: str, port: int) -> None:
        if (address, port) in self._ports:
            guest = f"{address}:{port}"
            self.log("info", f"Stopping forwarding TCP from {guest} to {guest}")
            self._control("cancel", f"{guest}:{guest}")
            self._ports.discard((address, port))

    def _event(self, kind: str, guest: str, **more: str) -> None:
        self.tell({"type": kind, "protocol": "tcp", "guestAddr": guest, **more})

    def _control(self, verb: str, way: str) -> Completed | None:
        return self._call("-O", verb, "-L", way, host(self.instance))

    def _call(self, *words: str) -> Completed | None:
        try:
            return ssh(self.instance, *words)
        except subprocess.TimeoutExpired:
            return None


def listening(init: int) -> set[tuple[str, int]]:
    """The guest's listening TCP sockets, as its agent would report them; none if it is gone."""
    try:
        lines = Path(f"/proc/{init}/net/tcp").read_text("utf-8").splitlines()[1:]
    except OSError:
        return set()
    rows = [line.split() for line in lines]
    local = [row[1].split(":") for row in rows if row[3] == _LISTENING]
    return {(_ADDRESSES[one], int(port, 16)) for one, port in local if one in _ADDRESSES}

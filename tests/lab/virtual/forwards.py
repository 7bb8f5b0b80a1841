"""What the hostagent forwards through ssh's master: made once, never again (facts/colima.md §4)."""

from __future__ import annotations

import subprocess
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.lab.virtual.usernet import SSH_PORT

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.lab.virtual.layout import Layout

LISTEN: Final = "0A"
ADDRESSES: Final = {"0100007F": "127.0.0.1", "00000000": "0.0.0.0"}
CALL_PATIENCE: Final = 5.0


@dataclass(slots=True)
class Forwards:
    """The master and its forwards; ``say`` takes the hostagent's log lines."""

    layout: Layout
    say: Callable[[str], None]
    _ports: set[tuple[str, int]] = field(default_factory=set, init=False)

    @property
    def _sockets(self) -> dict[Path, str]:
        profile = self.layout.profile
        return {
            profile / "docker.sock": "/var/run/docker.sock",
            profile / "containerd.sock": "/var/run/containerd/containerd.sock",
            self.layout.colima / "docker.sock": "/var/run/docker.sock",
            self.layout.instance / "ga.sock": "/run/lima-guestagent.sock",
        }

    def start_master(self) -> bool:
        """An ssh that finds no master becomes it, in the background."""
        return self._ssh("lima-colima", "true")

    def forward_sockets(self) -> None:
        """Make them over stale files, as the real one does."""
        for mac, guest in self._sockets.items():
            if mac.name == "ga.sock":
                self.say(f"Stopping forwarding `{guest}` (guest) to `{mac}` (host)")
            self.say(f"Forwarding `{guest}` (guest) to `{mac}` (host)")
            mac.unlink(missing_ok=True)
            self._control("forward", f"{mac}:{guest}")

    def follow(self, init: int) -> None:
        """Forward what began to listen in the guest, cancel what ceased to.

        Only changes count: what is lost with the master is not made again.
        """
        now = listening(init)
        if now is None:
            return
        for address, port in sorted(self._ports - now):
            self.say(f"Stopping forwarding TCP from {address}:{port} to {address}:{port}")
            self._control("cancel", f"{address}:{port}:127.0.0.1:{port}")
        for address, port in sorted(now - self._ports):
            self.say(f"Forwarding TCP from {address}:{port} to {address}:{port}")
            if not self._control("forward", f"{address}:{port}:127.0.0.1:{port}"):
                self.say(f"failed to set up forwarding tcp port {port}")
        self._ports = now

    def end(self) -> None:
        """Unlink the sockets and end the master."""
        for mac, guest in self._sockets.items():
            self.say(f"Stopping forwarding `{guest}` (guest) to `{mac}` (host)")
            self._control("cancel", f"{mac}:{guest}")
            mac.unlink(missing_ok=True)
        self._ssh("-O", "exit", "lima-colima")

    def _control(self, verb: str, way: str) -> bool:
        return self._ssh("-O", verb, "-L", way, "lima-colima")

    def _ssh(self, *words: str) -> bool:
        argv = ["ssh", "-F", str(self.layout.ssh_config), *words]
        with suppress(subprocess.TimeoutExpired):
            done = subprocess.run(
                argv,
                check=False,
                capture_output=True,
                stdin=subprocess.DEVNULL,
                timeout=CALL_PATIENCE,
                start_new_session=True,
            )
            return done.returncode == 0
        return False


def listening(init: int) -> set[tuple[str, int]] | None:
    """Addresses and ports on which the guest listens, but ssh's; None when it has ended."""
    try:
        lines = Path(f"/proc/{init}/net/tcp").read_text(encoding="ascii").splitlines()[1:]
    except OSError:
        return None
    found = set()
    for address, state in ((line.split()[1], line.split()[3]) for line in lines):
        host, _, port = address.partition(":")
        if state == LISTEN and host in ADDRESSES and int(port, 16) != SSH_PORT:
            found.add((ADDRESSES[host], int(port, 16)))
    return found

"""`systemctl` of the guest, and the manager that it talks to."""

from __future__ import annotations

import json
import socket
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tests.lab.guest.units import Unit

DOOR: Final = Path("/run/systemd/private")
NOT_ACTIVE: Final = 3
UNKNOWN: Final = 5


class Manager:
    """Answers `systemctl`. `docker.socket` is a word only: nothing is activated by it."""

    def __init__(self, units: Mapping[str, Unit], power_off: Callable[[], None]) -> None:
        self._units = units
        self._power_off = power_off
        self._docker_socket = "active"

    def serve(self) -> None:
        """Answer for ever, each command in a thread of its own."""
        DOOR.parent.mkdir(parents=True, exist_ok=True)
        with socket.socket(socket.AF_UNIX) as door:
            door.bind(str(DOOR))
            door.listen()
            while True:
                client, _ = door.accept()
                threading.Thread(target=self._answer, args=(client,), daemon=True).start()

    def _answer(self, client: socket.socket) -> None:
        with client, client.makefile("rw", encoding="utf-8") as stream:
            code, text, complaint = self.run(json.loads(stream.readline()))
            stream.write(json.dumps([code, text, complaint]))

    def run(self, words: Sequence[str]) -> tuple[int, str, str]:
        """Exit code, stdout and stderr of `systemctl WORDS`."""
        options = [word for word in words if word.startswith("-") or "=" in word or "," in word]
        verb, *names = [word for word in words if word not in options] or ["status"]
        if verb == "poweroff":
            threading.Thread(target=self._power_off, daemon=True).start()
            return 0, "", ""
        if verb == "show":
            return self._show(words[1:])
        names = [name if "." in name else f"{name}.service" for name in names]
        unknown = [name for name in names if self._state(name) is None]
        if unknown and verb != "is-active":
            return UNKNOWN, "", f"Failed to {verb} {unknown[0]}: Unit {unknown[0]} not found.\n"
        if verb == "is-active":
            states = [self._state(name) or "inactive" for name in names]
            return (0 if "active" in states else NOT_ACTIVE), "".join(f"{s}\n" for s in states), ""
        return self._change(verb, names)

    def _state(self, name: str) -> str | None:
        if name == "docker.socket":
            return self._docker_socket
        unit = self._units.get(name.removesuffix(".service"))
        return unit.state if unit else None

    def _change(self, verb: str, names: Sequence[str]) -> tuple[int, str, str]:
        said = ""
        for name in names:
            if name == "docker.socket":
                self._docker_socket = "inactive" if verb == "stop" else "active"
                continue
            unit = self._units[name.removesuffix(".service")]
            acts = {"start": unit.start, "restart": unit.restart}
            if verb == "stop":
                unit.stop()
            elif verb == "kill":
                unit.kill()
            elif verb not in acts:
                return 1, "", f"Unknown command verb {verb}.\n"
            elif not acts[verb]():
                return 1, "", f"Job for {name} failed. See `journalctl -xe` for details.\n"
        if verb == "stop" and "docker.service" in names and self._docker_socket == "active":
            said = (
                "Warning: Stopping docker.service, but it can still be activated by:\n"
                "  docker.socket\n"
            )
        return 0, "", said

    def _show(self, words: Sequence[str]) -> tuple[int, str, str]:
        wanted: list[str] = []
        names: list[str] = []
        rest = iter(words)
        for word in rest:
            if word in {"-p", "--property"}:
                wanted += next(rest).split(",")
            elif word.startswith(("-p", "--property=")):
                wanted += word.removeprefix("--property=").removeprefix("-p").split(",")
            elif not word.startswith("-"):
                names.append(word)
        lines = [line for name in names for line in self._properties(name, wanted)]
        return 0, "".join(f"{line}\n" for line in lines), ""

    def _properties(self, name: str, wanted: Sequence[str]) -> list[str]:
        unit = self._units.get(name.removesuffix(".service"))
        found = {
            "ActiveState": self._state(name) or "inactive",
            "Result": unit.result if unit else "success",
            "MainPID": str(unit.pid if unit else 0),
            "InactiveEnterTimestampMonotonic": f"{unit.inactive_since if unit else 0:.0f}",
        }
        return [f"{key}={value}" for key, value in found.items() if not wanted or key in wanted]


def main(argv: Sequence[str]) -> int:
    """The command `systemctl`."""
    with socket.socket(socket.AF_UNIX) as door:
        try:
            door.connect(str(DOOR))
        except OSError as error:
            sys.stderr.write(f"Failed to connect to bus: {error.strerror}\n")
            return 1
        with door.makefile("rw", encoding="utf-8") as stream:
            stream.write(f"{json.dumps(argv[1:])}\n")
            stream.flush()
            code, text, complaint = json.loads(stream.readline())
    sys.stderr.write(complaint)
    sys.stdout.write(text)
    return int(code)

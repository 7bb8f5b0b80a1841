"""Whose process is this: told by its user and its command line, word by word."""

from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Final

from healer.model.machine import ColimaPaths, ProcessInfo

USERNET_PID: Final = PurePath("_networks", "user-v2", "usernet_user-v2.pid")
"""Below Lima's root: where Lima notes the process of its user-v2 network."""


@dataclass(frozen=True, slots=True)
class Ours:
    """Tells the processes of our VM from those of other users, profiles and Lima roots."""

    uid: int
    """The user to whom Colima's folder belongs."""
    paths: ColimaPaths
    lima_homes: frozenset[Path]
    """Both names of Lima's root: as configured, and with its links resolved, as Lima says it."""

    @property
    def instances(self) -> frozenset[Path]:
        """Both names of the instance folder."""
        return frozenset(home / self.paths.instance_name for home in self.lima_homes)

    def is_hostagent(self, one: ProcessInfo) -> bool:
        """Whether it is the instance's `limactl hostagent`; for vz that process is the VM too.

        Its pid file tells it from an instance of the same name in another Lima root.
        """
        words = one.command.split()
        return (
            one.uid == self.uid
            and _is_limactl(words, "hostagent")
            and self.paths.instance_name in words[2:]
            and any(f"--pidfile {folder}/ha.pid " in one.command for folder in self.instances)
        )

    def is_usernet(self, one: ProcessInfo) -> bool:
        """Whether it is a `limactl usernet` of our Lima root: network card, NAT and ssh port.

        One serves every instance of that root.
        """
        return (
            one.uid == self.uid
            and _is_limactl(one.command.split(), "usernet")
            and any(f" -p {home / USERNET_PID} " in f"{one.command} " for home in self.lima_homes)
        )

    def is_mux(self, one: ProcessInfo) -> bool:
        """Whether it is the instance's ssh master, by the title that ssh gives itself."""
        titles = {f"ssh: {folder}/ssh.sock [mux]" for folder in self.instances}
        return one.uid == self.uid and one.command.strip() in titles

    def is_driver(self, one: ProcessInfo) -> bool:
        """Whether it is the instance's VM process: only drivers other than vz have their own."""
        words = one.command.split()
        program = PurePath(words[0]).name if words else ""
        return (
            one.uid == self.uid
            and program.startswith(("qemu-system-", "krunkit"))
            and any(f"{folder}/" in one.command for folder in self.instances)
        )

    def listens_for_vm(self, one: ProcessInfo) -> bool:
        """Whether it is one of those that carry ports into the VM."""
        return self.is_hostagent(one) or self.is_usernet(one) or self.is_mux(one)


def is_caddy(command: str) -> bool:
    """Whether it is Caddy's server; `caddy start` runs one as well.

    Of another user's process macOS shows the name alone, as `[caddy]`.
    """
    words = command.split()
    if words == ["[caddy]"]:
        return True
    return words[1:2] == ["run"] and PurePath(words[0]).name == "caddy"


def _is_limactl(words: list[str], verb: str) -> bool:
    return words[1:2] == [verb] and PurePath(words[0]).name == "limactl"

"""Whose process is this: told by its command line, word by word, never by a substring."""

from pathlib import Path, PurePath


def is_hostagent(command: str, instance: Path) -> bool:
    """Whether it is the `limactl hostagent … NAME` of that instance folder.

    For vz that process is the VM too. Its pid file tells it from the instance of the same
    name in another Lima root, which another user of the Mac may well have.
    """
    words = command.split()
    if not is_some_hostagent(command) or instance.name not in words[2:]:
        return False
    return "--pidfile" not in words or f"--pidfile {instance}/ha.pid " in command


def is_some_hostagent(command: str) -> bool:
    """Whether it is the hostagent of any instance."""
    return _is_lima(command.split(), "hostagent")


def is_usernet(command: str) -> bool:
    """Whether it is a `limactl usernet …`: the VM's network card, NAT and ssh port."""
    return _is_lima(command.split(), "usernet")


def is_caddy(command: str) -> bool:
    """Whether it is Caddy's server; `caddy start` runs one as well."""
    words = command.split()
    return words[1:2] == ["run"] and PurePath(words[0]).name == "caddy"


def is_driver(command: str, instance_folder: Path) -> bool:
    """Whether it is a VM process of that instance: only drivers other than vz have their own."""
    words = command.split()
    program = PurePath(words[0]).name if words else ""
    return program.startswith(("qemu-system-", "krunkit")) and f"{instance_folder}/" in command


def _is_lima(words: list[str], verb: str) -> bool:
    return words[1:2] == [verb] and PurePath(words[0]).name == "limactl"

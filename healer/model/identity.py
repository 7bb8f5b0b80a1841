"""Whose process is this: told by its command line, word by word, never by a substring."""

from pathlib import Path, PurePath


def is_hostagent(command: str, instance: str) -> bool:
    """Whether it is `limactl hostagent … INSTANCE`; for vz that process is the VM too."""
    words = command.split()
    return _is_lima(words, "hostagent") and instance in words[2:]


def is_usernet(command: str) -> bool:
    """Whether it is a `limactl usernet …`: the VM's network card, NAT and ssh port."""
    return _is_lima(command.split(), "usernet")


def is_driver(command: str, instance_folder: Path) -> bool:
    """Whether it is a VM process of that instance: only drivers other than vz have their own."""
    words = command.split()
    program = PurePath(words[0]).name if words else ""
    return program.startswith(("qemu-system-", "krunkit")) and f"{instance_folder}/" in command


def _is_lima(words: list[str], verb: str) -> bool:
    return words[1:2] == [verb] and PurePath(words[0]).name == "limactl"

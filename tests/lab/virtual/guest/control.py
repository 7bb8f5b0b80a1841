"""`systemctl`, `modprobe` and `lsmod` of the guest, told apart by the first argument."""

from __future__ import annotations

import itertools
import json
import socket
import sys
from pathlib import Path
from typing import Any, Final

CONTROL: Final = "/run/guest/init.sock"
MODULES: Final = ("br_netfilter", "vxlan")
OURS: Final = frozenset({"docker", "docker.service"})


def ask(*words: str) -> dict[str, Any]:
    """What the guest's init answers."""
    with socket.socket(socket.AF_UNIX) as asked:
        asked.connect(CONTROL)
        asked.sendall(json.dumps(words).encode())
        answer: dict[str, Any] = json.loads(asked.recv(65536))
        return answer


def systemctl(arguments: list[str]) -> int:
    """The few verbs that Colima and healer use."""
    verb = next((one for one in arguments if not one.startswith("-")), "")
    units = [one for one in arguments[arguments.index(verb) + 1 :] if not one.startswith("-")]
    if verb == "show":
        return _show(arguments)
    if verb == "is-active":
        return _is_active(units)
    if not {*OURS, "docker.socket"} & set(units):
        return 0
    if verb == "stop" and "docker.socket" not in units:
        sys.stderr.write("Warning: Stopping docker.service, but it can still be activated by:\n")
        sys.stderr.write("  docker.socket\n")
    answer = ask("crash" if verb == "kill" else verb, *units)
    sys.stderr.write(answer["text"])
    return int(answer["code"])


def _show(arguments: list[str]) -> int:
    """A block for each unit, with an empty line between two."""
    pairs = list(itertools.pairwise(arguments))
    wanted = [value for flag, value in pairs if flag in {"-p", "--property"}]
    said = ask("show")
    blocks = []
    for unit in (one for one in arguments if one in {*OURS, "docker.socket"}):
        found = {"Result": "success", "ActiveState": said["socket"]}
        values = found if unit == "docker.socket" else said["unit"]
        lines = (f"{name}={value}\n" for name, value in values.items())
        blocks.append("".join(one for one in lines if not wanted or one.split("=")[0] in wanted))
    sys.stdout.write("\n".join(blocks))
    return 0


def _is_active(units: list[str]) -> int:
    said = ask("show")
    known = {**dict.fromkeys(OURS, said["unit"]["ActiveState"]), "docker.socket": said["socket"]}
    states = [known.get(one, "inactive") for one in units]
    sys.stdout.write("".join(f"{one}\n" for one in states))
    return 0 if "active" in states else 3


def modprobe(arguments: list[str]) -> int:
    """Load or, with -r, unload; of any other module the real one says that it is not found."""
    code = 0
    for name in (one for one in arguments if not one.startswith("-")):
        if name not in MODULES:
            sys.stderr.write(
                f"modprobe: FATAL: Module {name} not found in directory /lib/modules\n"
            )
            code = 1
            continue
        answer = ask("unload" if "-r" in arguments else "load", name)
        sys.stderr.write(answer["text"])
        code = code or int(answer["code"])
    return code


def lsmod() -> int:
    """What is loaded."""
    sys.stdout.write("Module                  Size  Used by\n")
    for name in MODULES:
        if (Path(CONTROL).parent / name).exists():
            sys.stdout.write(f"{name:<19} {36864:>8}  0\n")
    return 0


def main() -> int:
    """Be the tool that is named first."""
    tool, *arguments = sys.argv[1:]
    if tool == "systemctl":
        return systemctl(arguments)
    return modprobe(arguments) if tool == "modprobe" else lsmod()


if __name__ == "__main__":
    sys.exit(main())

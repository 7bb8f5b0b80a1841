"""`limactl`: what Colima calls, what healer falls back to, and the processes of a VM."""

from __future__ import annotations

import json
import os
import platform
import shlex
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.lab.standin import calls, lima_start, lima_stop, usernet, words
from tests.lab.standin.forwards import command as ssh_command
from tests.lab.standin.forwards import host
from tests.lab.standin.hostagent import Hostagent, free_port
from tests.lab.standin.instance import Instance, Seen, configured_port, look, resolve
from tests.lab.standin.settings import Lab
from tests.lab.standin.title import show_as
from tests.lab.standin.words import FatalError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


def main(root: str, argv: Sequence[str]) -> int:
    """One call of `limactl`; its exit code."""
    show_as(argv)
    lab = Lab(Path(root))
    if argv[1:2] not in (["hostagent"], ["usernet"]):
        calls.note(lab, argv)
    try:
        return dispatch(lab, list(argv[1:]))
    except FatalError as error:
        return words.fatal(str(error))


def dispatch(lab: Lab, given: list[str]) -> int:
    """By verb."""
    verb, *rest = given or ["help"]
    flags = {word for word in rest if word.startswith("-")}
    names = [word for word in rest if word not in flags]
    verbs: dict[str, Callable[[], int]] = {
        "usernet": lambda: usernet.run(rest),
        "hostagent": lambda: hostagent(lab, names[-1]),
        "list": lambda: list_all(lab, names, as_json="--json" in flags),
        "start": lambda: lima_start.start(lab, instance_of(names[0])),
        "stop": lambda: stop(lab, names[0], force=bool({"--force", "-f"} & flags)),
        "shell": lambda: shell(lab, names[0], rest[rest.index(names[0]) + 1 :]),
        "disk": lambda: unlock(lab, instance_of(names[1])),
        "--version": lambda: show_version(lab),
    }
    if verb not in verbs or (verb == "disk" and names[:1] != ["unlock"]):
        raise FatalError(f'unknown command "{verb}" for "limactl"')
    return verbs[verb]()


def hostagent(lab: Lab, name: str) -> int:
    """On another port than last time."""
    instance = instance_of(name)
    return Hostagent(lab, instance, free_port(instance)).run()


def stop(lab: Lab, name: str, *, force: bool) -> int:
    """Gently, or as a power cut."""
    return (lima_stop.force_stop if force else lima_stop.stop)(lab, instance_of(name))


def show_version(lab: Lab) -> int:
    """`limactl --version`."""
    words.out(f"limactl version {lab.settings.lima_version}\n")
    return 0


def instance_of(name: str) -> Instance:
    """By Lima's name of it."""
    profile = "default" if name == "colima" else name.removeprefix("colima-")
    return resolve(os.environ, profile)


def names_there(instance: Instance) -> list[str]:
    """Every instance of that Lima root."""
    if not instance.lima_home.is_dir():
        return []
    folders = [one for one in instance.lima_home.iterdir() if one.is_dir()]
    return sorted(one.name for one in folders if one.name[0] not in "._")


def list_all(lab: Lab, wanted: list[str], *, as_json: bool) -> int:
    """Those that were named, or all; a name that nobody has is an error."""
    there = names_there(instance_of("colima"))
    missing = [name for name in wanted if name not in there]
    for name in missing:
        words.warning(f"No instance matching {name} found.")
    rows = [row(lab, instance_of(name)) for name in wanted or there if name in there]
    if as_json:
        words.out("".join(f"{json.dumps(one, separators=(',', ':'))}\n" for one in rows))
    else:
        words.out("NAME    STATUS    SSH\n")
        for one in rows:
            words.out(f"{one['name']}    {one.get('status', '')}    127.0.0.1\n")
    if missing:
        raise FatalError("unmatched instances")
    return 0


def row(lab: Lab, instance: Instance) -> dict[str, Any]:
    """One instance as `limactl list --json` prints it."""
    settings = lab.settings
    seen = look(instance, settings.info_timeout)
    found = {
        "name": instance.name,
        "hostname": host(instance),
        "status": seen.status,
        "dir": str(instance.inst),
        "vmType": settings.driver,
        "arch": platform.machine(),
        "cpus": settings.cpus,
        "memory": settings.memory,
        "disk": settings.disk,
        "additionalDisks": [{"name": instance.name, "format": False, "fsType": "ext4"}],
        "network": [
            {
                "lima": "user-v2",
                "macAddress": "52:55:55:df:24:90",
                "interface": "lima0",
                "metric": 100,
            }
        ],
        # A stopped VM shows the port of its last life, or any other (facts/colima.md §8).
        "sshLocalPort": seen.ssh_port or configured_port(instance),
        "sshConfigFile": str(instance.ssh_config),
        **pids(seen),
        "config": "(left out)",
        "sshAddress": "127.0.0.1",
        "protected": False,
        "limaVersion": settings.lima_version,
        "HostOS": sys.platform,
        "HostArch": platform.machine(),
        "LimaHome": str(instance.lima_home),
        "IdentityFile": str(instance.lima_home / "_config" / "user"),
    }
    return {key: value for key, value in found.items() if value != ""}


def pids(seen: Seen) -> dict[str, Any]:
    """What only an instance with processes shows."""
    found: dict[str, Any] = {}
    if seen.ha_pid:
        found["hostAgentPID"] = seen.ha_pid
    if seen.driver_pid:
        found["driverPID"] = seen.driver_pid
    if seen.errors:
        found["errors"] = [{} for _ in seen.errors]
    return found


def shell(lab: Lab, name: str, command: list[str]) -> int:
    """`limactl shell NAME COMMAND…` through the mux, which it makes anew if it must."""
    instance = instance_of(name)
    if look(instance, lab.settings.info_timeout).status != "Running":
        raise FatalError(f"instance `{name}` is stopped, run `limactl start {name}`")
    command = command[1:] if command[:1] == ["--"] else command
    return run_ssh(instance, command)


def run_ssh(instance: Instance, command: list[str]) -> int:
    """The guest's exit code, or ssh's own 255; hangs with a hung guest."""
    there = [host(instance), shlex.join(command)]
    return subprocess.run([*ssh_command(instance), *there], check=False).returncode


def unlock(lab: Lab, instance: Instance) -> int:
    """`limactl disk unlock NAME`."""
    if look(instance, lab.settings.info_timeout).status == "Running":
        raise FatalError(f"Cannot unlock disk `{instance.name}` used by running instance")
    disk = instance.in_use_by.parent
    if not disk.is_dir():
        raise FatalError(f"disk `{instance.name}` does not exist")
    instance.in_use_by.unlink(missing_ok=True)
    words.info(f"Unlocked disk `{instance.name}` (`{disk}`)")
    return 0

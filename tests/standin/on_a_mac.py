"""Runs `healer …` as on a Mac of the test's own: `on_a_mac.py SETTINGS.json ARGUMENT…`.

Only what no test may touch or wait for is replaced: the system's two folders, the list of users,
where temporary files lie, and how long a second is. `kill_at` ends the process by SIGKILL just
before its n-th change of anything.
"""

import json
import os
import pwd
import signal
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

import healer.cli
from healer.adapters import launchctl
from healer.cli import household, install
from healer.model import launch_agent

CHANGES = frozenset({"os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.chown"})
VERBS = frozenset({"bootout", "bootstrap", "enable"})


def replace(settings: dict[str, Any]) -> None:
    """Make this process live on that Mac."""
    library = Path(settings["library"])
    here: list[tuple[Any, str, Any]] = [
        (launch_agent, "DAEMONS", library / "LaunchDaemons"),
        (launch_agent, "AGENTS", library / "LaunchAgents"),
        (launchctl, "LOOK", 0.01),
        (launchctl, "PAUSES", (0.01,) * 4),
        (install, "STEADY", 0.01),
        (install, "COMES_UP", settings.get("comes_up", 10.0)),
        (household, "Launchctl", partial(launchctl.Launchctl, deadline=settings["deadline"])),
        (sys, "executable", settings["python"]),
    ]
    if not settings.get("temporary"):
        here += [(launch_agent, "TEMPORARY", ()), (tempfile, "tempdir", "/nonexistent")]
    user = settings.get("user")
    if user:
        names = (user["name"], "x", user["uid"], user["gid"], "", user["home"], "")
        here.append((pwd, "getpwnam", {user["name"]: pwd.struct_passwd(names)}.__getitem__))
    for module, name, value in here:
        setattr(module, name, value)


def die_at(wanted: int) -> None:
    """Count what changes anything; die before the n-th."""
    seen = 0

    def hear(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal seen
        if event == "subprocess.Popen":
            changes = len(arguments[1]) > 1 and arguments[1][1] in VERBS
        else:
            changes = event in CHANGES
        seen += changes
        if changes and seen == wanted:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hear)


if __name__ == "__main__":
    told = json.loads(Path(sys.argv[1]).read_text())
    replace(told)
    if told.get("kill_at"):
        die_at(told["kill_at"])
    sys.exit(healer.cli.main(sys.argv[2:]))

"""Runs `healer …` as on a Mac of the test's own: `on_a_mac.py SETTINGS.json ARGUMENT…`.

Only what no test may touch or wait for is replaced: the system's two folders, the list of users,
where temporary files lie, and how long a second is. `kill_at` ends the process by SIGKILL (or by
`kill_by`) just before its n-th change of anything.

Without arguments it runs one command after the other, each in a fork of its own, as the lines of
its stdin say; `launchctl` is then no process either. A test that needs hundreds of runs can so
have them in the time of a few.
"""

import json
import os
import pwd
import signal
import sys
import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

import healer.cli
from healer.adapters import launchctl
from healer.adapters.process import Completed, ProcessRunner
from healer.cli import household, install
from healer.model import launch_agent
from tests.standin.launchctl import answer

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
        (install, "LOOK", 0.01),
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


class AtHand(ProcessRunner):
    """Answers for the stand-in of launchctl without a process."""

    def __init__(self, state: str, change: "Changes") -> None:
        super().__init__()
        self._state = state
        self._change = change

    async def run(self, argv: Sequence[str], **_: Any) -> Completed:  # noqa: ANN401  (deadline, environment)
        """One call."""
        if argv[1] in VERBS:
            self._change.one()
        given = answer(self._state, list(argv[1:]))
        said = given.err + "\n" if given.err else ""
        return Completed(tuple(argv), given.code, given.out, said, truncated=False, duration=0.0)


class Changes:
    """Counts what changes anything; ends the process before the n-th."""

    def __init__(self, wanted: int, by: int) -> None:
        self._wanted = wanted
        self._by = by
        self._seen = 0
        sys.addaudithook(self._hear)

    def one(self) -> None:
        """A change is about to be made."""
        self._seen += 1
        if self._seen == self._wanted:
            os.kill(os.getpid(), self._by)

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event == "subprocess.Popen":
            changes = len(arguments[1]) > 1 and arguments[1][1] in VERBS
        else:
            changes = event in CHANGES
        if changes:
            self.one()


def one_command(settings: dict[str, Any], arguments: list[str]) -> int:
    """Run it here."""
    replace(settings)
    changes = Changes(settings.get("kill_at", 0), settings.get("kill_by", signal.SIGKILL))
    if settings.get("state"):
        # No test cuts the power, and a busy disk takes its time.
        at_hand = partial(AtHand, settings["state"], changes)
        for module, name, value in ((os, "fsync", id), (household, "ProcessRunner", at_hand)):
            setattr(module, name, value)
    return healer.cli.main(arguments)


def serve() -> None:
    """One command a line, each in a fork; its words go where the line says."""
    for line in sys.stdin:
        told = json.loads(line)
        child = os.fork()
        if child == 0:
            # What a shell starts in the background ignores Ctrl-C, and so would every command.
            signal.signal(signal.SIGINT, signal.default_int_handler)
            os.environ.clear()
            os.environ.update(told["environment"])
            os.chdir(told["cwd"])
            for number, name in ((1, "out"), (2, "err")):
                os.dup2(os.open(told[name], os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
            code = one_command(told["settings"], told["arguments"])
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
        _, status = os.waitpid(child, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    if len(sys.argv) == 1:
        serve()
    else:
        sys.exit(one_command(json.loads(Path(sys.argv[1]).read_text()), sys.argv[2:]))

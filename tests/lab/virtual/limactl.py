"""`limactl`: start, stop, list and disk unlock of the one instance."""

from __future__ import annotations

import json
import os
import plistlib
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn

from tests.lab.virtual import lima, logrus
from tests.lab.virtual.layout import BY, Layout, alive, read_pid, write
from tests.lab.virtual.lima import eventually

if TYPE_CHECKING:
    from typing import TextIO

LOOK_EVERY: Final = 0.05
USERNET_PATIENCE: Final = 5.0
STOP_PATIENCE: Final = 60.0
AT_LOGIN: Final = ("autostart", "LaunchAgents")


class LimaFailed(Exception):
    """The exit with its fatal line already said."""


class Limactl:
    """The commands; they speak on ``out``, which is stdout where Colima runs them."""

    def __init__(self, layout: Layout, out: TextIO) -> None:
        self._layout = layout
        self._out = out

    def info(self, message: str) -> None:
        """One of its own lines."""
        logrus.say(self._out, "info", message)

    def fatal(self, message: str) -> NoReturn:
        """Its last one."""
        logrus.say(self._out, "fatal", message)
        raise LimaFailed

    def forbid(self, words: list[str]) -> NoReturn:
        """Whatever else is asked of it may destroy a VM."""
        self._layout.forbid(f"limactl {' '.join(words)}")

    def listing(self, names: list[str], *, as_json: bool) -> None:
        """`limactl list`; LimaFailed when it has no such instance."""
        found = lima.look(self._layout)
        unknown = [one for one in names if one != "colima" or not found.status]
        if unknown:
            logrus.say(sys.stderr, "warning", f"No instance matching {unknown[0]} found.")
            logrus.say(sys.stderr, "fatal", "unmatched instances")
            raise LimaFailed
        if not found.status:
            return
        if as_json:
            self._out.write(json.dumps(lima.row(self._layout, found), separators=(",", ":")) + "\n")
        else:
            self._out.write(f"NAME    STATUS    SSH\ncolima  {found.status}  127.0.0.1\n")

    def start(self) -> None:
        """Start usernet and the hostagent, and wait for READY; LimaFailed."""
        found = lima.look(self._layout)
        if found.status == "Running":
            self.info("The instance `colima` is already running. Run `limactl shell colima`.")
            return
        self.info("Using the existing instance `colima`")
        if found.errors:
            self.fatal(f"errors inspecting instance: [{' '.join(found.errors)}]")
        self._start_usernet()
        vm_type = self._layout.settings().vm_type
        self.info(f"Starting the instance `colima` with internal VM driver `{vm_type}`")
        self._await_running(self._start_hostagent())

    def _spawn(self, program: str, arguments: list[str], logs: tuple[Path, Path]) -> int:
        """A program of our own under a command line of Lima's, in a session of its own.

        The interpreter takes its second word for a script, which is why the folder of work
        holds one of that name.
        """
        settings = self._layout.settings()
        argv = [f"{self._layout.binaries}/limactl", program, *arguments]
        environment = {**self._layout.environment(), "PYTHONHOME": sys.base_prefix}
        with logs[0].open("wb") as out, logs[1].open("wb") as err:
            process = subprocess.Popen(
                argv,
                executable=settings.python,
                cwd=self._layout.libexec,
                env={**environment, "PYTHONDONTWRITEBYTECODE": "1"},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                start_new_session=True,
            )
        return process.pid

    def _start_usernet(self) -> None:
        pid = read_pid(self._layout.usernet_pid)
        if pid and alive(pid):
            return
        self._layout.usernet_pid.unlink(missing_ok=True)
        folder = self._layout.usernet_pid.parent
        folder.mkdir(parents=True, exist_ok=True)
        sockets = [str(folder / f"user-v2_{one}.sock") for one in ("ep", "qemu", "fd")]
        arguments = ["-p", str(self._layout.usernet_pid), "-e", sockets[0]]
        arguments += ["--listen-qemu", sockets[1], "--listen", sockets[2]]
        arguments += ["--subnet", "192.168.5.0/24"]
        logs = (folder / "usernet.user-v2.stdout.log", folder / "usernet.user-v2.stderr.log")
        self._spawn("usernet", arguments, logs)
        if not eventually(self._layout.usernet_pid.exists, USERNET_PATIENCE):
            self.fatal("usernet did not start")

    def _start_hostagent(self) -> int:
        instance = self._layout.instance
        arguments = ["--pidfile", f"{instance}/ha.pid", "--socket", f"{instance}/ha.sock"]
        arguments += ["--guestagent", "/opt/homebrew/share/lima/lima-guestagent.Linux", "colima"]
        logs = (instance / "ha.stdout.log", instance / "ha.stderr.log")
        pid = self._spawn("hostagent", arguments, logs)
        patience = self._layout.settings().hostagent_patience
        if not eventually(lambda: (instance / "ha.pid").exists() or not alive(pid), patience):
            self.fatal(f"hostagent ({instance}/ha.pid) did not start up in {patience:g}s")
        return pid

    def _await_running(self, pid: int) -> None:
        logs = Logs(self._layout.instance)
        until = time.monotonic() + self._layout.settings().start_patience
        while time.monotonic() < until:
            lives = alive(pid)
            for kind, entry in logs.fresh():
                if kind == "words":
                    logrus.say(self._out, entry["level"], f"[hostagent] {entry['msg']}")
                elif self._judge(entry["status"]):
                    return
            if not lives:
                self.fatal("host agent process has exited: exit status 1")
            time.sleep(LOOK_EVERY)
        self.fatal("did not receive an event with the running status")

    def _judge(self, status: dict[str, object]) -> bool:
        """Whether it is READY; an end or a degraded state fails the start."""
        told = (
            f"{{Running:{_flag(status, 'running')} Degraded:{_flag(status, 'degraded')} "
            f"Exiting:{_flag(status, 'exiting')} Errors:{_list(status)} "
            f"SSHLocalPort:{status.get('sshLocalPort', 0)}}}"
        )
        hint = f'(hint: see "{self._layout.instance}/ha.stderr.log")'
        if status.get("exiting"):
            self.fatal(f"exiting, status={told} {hint}")
        if status.get("degraded"):
            self.fatal(f"degraded, status={told} {hint}")
        if status.get("running"):
            self.info("READY. Run `limactl shell colima` to open the shell.")
            return True
        self.info(f"SSH Local Port: {status['sshLocalPort']}")
        return False

    def stop(self, *, force: bool) -> None:
        """`limactl stop [--force] colima`; LimaFailed."""
        found = lima.look(self._layout)
        if not found.status:
            self.fatal('instance "colima" does not exist')
        if force:
            lima.stop_forcibly(self._layout, self.info)
            return
        if found.status != "Running":
            self.fatal(f'expected status "Running", got "{found.status}"')
        self._stop_cleanly(found.hostagent)

    def _stop_cleanly(self, pid: int) -> None:
        self.info(f"Sending SIGINT to hostagent process {pid}")
        logs = Logs(self._layout.instance)
        list(logs.fresh())
        os.kill(pid, signal.SIGINT)
        self.info("Waiting for the host agent and the driver processes to shut down")
        eventually(lambda: not alive(pid), STOP_PATIENCE)
        for kind, entry in logs.fresh():
            if kind == "words":
                logrus.say(self._out, entry["level"], f"[hostagent] {entry['msg']}")
        if alive(pid):
            self.fatal("did not receive an event with the exiting status")
        self._stop_usernet()
        self.info("Waiting for the instance to shut down")
        self.info("The instance colima has shut down")

    def unlock(self) -> None:
        """`limactl disk unlock colima`."""
        if not self._layout.in_use_by.is_symlink():
            return
        if lima.look(self._layout).status == "Running":
            logrus.say(
                sys.stderr, "warning", "Cannot unlock disk `colima` used by running instance"
            )
            return
        self._layout.in_use_by.unlink()
        self.info("Unlocked disk `colima`")

    def autostart(self, verb: str, condition: str) -> None:
        """`limactl autostart enable|disable colima --condition=login|boot`: a plist of launchd's.

        Only a human calls it: it makes another owner of the VM.
        """
        if not self._layout.settings().versions.has_autostart or not os.environ.get(BY):
            self.forbid(["autostart", verb])
        kind, folder = ("daemon", "LaunchDaemons") if condition == "boot" else AT_LOGIN
        label = f"io.lima-vm.{kind}.colima"
        plist = self._layout.home / "Library" / folder / f"{label}.plist"
        if verb == "enable":
            words = [f"{self._layout.binaries}/limactl", "start", "colima", "--foreground"]
            write(plist, plistlib.dumps({"Label": label, "ProgramArguments": words}).decode())
        else:
            plist.unlink(missing_ok=True)
        self.info(f"The autostart entry of the instance colima is {verb}d")

    def _stop_usernet(self) -> None:
        pid = read_pid(self._layout.usernet_pid)
        if pid and alive(pid):
            os.kill(pid, signal.SIGTERM)
            eventually(lambda: not alive(pid), USERNET_PATIENCE)
        folder = self._layout.usernet_pid.parent
        for file in [*folder.glob("*.sock"), self._layout.usernet_pid]:
            file.unlink(missing_ok=True)


class Logs:
    """Both logs of the hostagent, followed."""

    def __init__(self, instance: Path) -> None:
        self._files = {"words": instance / "ha.stderr.log", "event": instance / "ha.stdout.log"}
        self._seen = dict.fromkeys(self._files, 0)

    def fresh(self) -> list[tuple[str, dict[str, Any]]]:
        """Whole lines that are new, in the order of their times."""
        found = []
        for kind, file in self._files.items():
            data = file.read_bytes()[self._seen[kind] :]
            whole = data[: data.rfind(b"\n") + 1]
            self._seen[kind] += len(whole)
            found += [(kind, json.loads(line)) for line in whole.splitlines() if line[:1] == b"{"]
        return sorted(found, key=lambda one: str(one[1]["time"]))


def _flag(status: dict[str, object], name: str) -> str:
    return "true" if status.get(name) else "false"


def _list(status: dict[str, object]) -> str:
    errors = status.get("errors", [])
    return f"[{' '.join(errors)}]" if isinstance(errors, list) else "[]"


def main(root: str, arguments: list[str]) -> int:
    """Run one command line."""
    layout = Layout(Path(root))
    layout.record("limactl", arguments)
    words = [one for one in arguments if not one.startswith("-")]
    flags = set(arguments) - set(words)
    command = Limactl(layout, sys.stdout)
    try:
        _dispatch(command, words, flags)
    except LimaFailed:
        return 1
    return 0


def _dispatch(command: Limactl, words: list[str], flags: set[str]) -> None:
    match words:
        case ["list" | "ls", *names]:
            command.listing(names, as_json="--json" in flags)
        case ["start", "colima"]:
            command.start()
        case ["stop", "colima"]:
            command.stop(force=bool({"-f", "--force"} & flags))
        case ["autostart", "enable" | "disable" as verb, "colima"]:
            command.autostart(verb, "boot" if "--condition=boot" in flags else "login")
        case ["disk", "unlock", "colima"]:
            command.unlock()
        case _:
            command.forbid(words)

"""A virtual Mac as somebody at its keyboard has it: folders, commands, and who was called."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from tests.lab.machine import SYSTEM_PATH, LabError, Process, processes, tool
from tests.lab.standin import calls
from tests.lab.standin.instance import Instance
from tests.lab.standin.settings import INNER, MARK, Lab, LabSettings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

COMMAND_DEADLINE: Final = 60.0

Completed = subprocess.CompletedProcess[str]


@dataclass(frozen=True, slots=True)
class Background:
    """A program that runs meanwhile."""

    argv: Sequence[str]
    process: subprocess.Popen[str]

    def finish(self, deadline: float = COMMAND_DEADLINE) -> Completed:
        """Wait for its end; TimeoutExpired, its whole session killed, if it hangs."""
        with self.process as child:
            try:
                out, err = child.communicate(timeout=deadline)
            except subprocess.TimeoutExpired:
                os.killpg(child.pid, signal.SIGKILL)
                raise
        return subprocess.CompletedProcess(list(self.argv), child.returncode, out, err)


class Keyboard:
    """What can be typed and read on a Mac, with nothing broken by it."""

    def __init__(self, lab: Lab, settings: LabSettings) -> None:
        self.lab = lab
        self.settings = settings

    @property
    def home(self) -> Path:
        """HOME, with `.colima` in it."""
        return self.lab.home

    @property
    def instance(self) -> Instance:
        """The paths of the default profile."""
        root = self.home / ".colima"
        return Instance(root, root / "_lima")

    @property
    def docker_socket(self) -> Path:
        """The Mac's docker.sock, which the mux carries."""
        return self.instance.prof / "docker.sock"

    @property
    def environment(self) -> dict[str, str]:
        """The whole environment for a program on this Mac."""
        return {
            "HOME": str(self.home),
            "PATH": f"{self.lab.bin}:{SYSTEM_PATH}",
            "USER": "root",
            "LANG": "C.UTF-8",
            MARK: str(self.lab.root),
        }

    @property
    def calls(self) -> list[calls.Call]:
        """Every call of colima, limactl and docker that no stand-in made itself."""
        return [call for call in calls.read(self.lab) if not call.inner]

    @property
    def processes(self) -> list[Process]:
        """Everything that runs on this Mac, the VM's processes included."""
        return processes(self.lab.root, self.lab.group)

    def forget_calls(self) -> None:
        """Begin the journal of calls anew."""
        self.lab.calls.unlink(missing_ok=True)

    def check_calls(self) -> None:
        """AssertionError if anybody called what nobody may ever call."""
        forbidden = [" ".join(call.argv) for call in self.calls if call.forbidden]
        if forbidden:
            raise AssertionError(f"somebody called: {'; '.join(forbidden)}")

    def configure(self, **changes: Any) -> None:  # noqa: ANN401  any field of LabSettings
        """Change how the stand-ins behave from their next start on."""
        self.settings = replace(self.settings, **changes)
        self.lab.write(self.settings)

    def run(
        self,
        *argv: str,
        deadline: float = COMMAND_DEADLINE,
        environment: Mapping[str, str] | None = None,
    ) -> Completed:
        """Run a program on this Mac; TimeoutExpired, its whole session killed, if it hangs."""
        return self.background(*argv, environment=environment).finish(deadline)

    def background(self, *argv: str, environment: Mapping[str, str] | None = None) -> Background:
        """Start a program in a session of its own."""
        child = subprocess.Popen(
            [shutil.which(argv[0], path=self.environment["PATH"]) or argv[0], *argv[1:]],
            env={**self.environment, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        return Background(argv, child)

    @property
    def docker_command(self) -> list[str]:
        """The command that reaches the guest's engine past every mux, also after a power cut."""
        return [str(self.lab.real_docker), "--host", f"unix://{self.lab.engine}"]

    def docker(self, *argv: str, stdin: bytes = b"", deadline: float = COMMAND_DEADLINE) -> str:
        """Run docker on the guest's engine; LabError with its words if it fails."""
        done = subprocess.run(
            [*self.docker_command, *argv],
            input=stdin,
            capture_output=True,
            check=False,
            timeout=deadline,
            env={**self.environment, "PATH": SYSTEM_PATH},
        )
        if done.returncode != 0:
            raise LabError(f"docker {' '.join(argv)}: {done.stderr.decode('utf-8', 'replace')}")
        return done.stdout.decode("utf-8").strip()

    def guest(self, *argv: str, deadline: float = COMMAND_DEADLINE) -> Completed:
        """Run a program in the VM, past ssh, with the PATH that ssh would give."""
        init = self.lab.vm_pids().get("init")
        if init is None:
            raise LabError("the VM is off")
        path = f"{self.lab.guest}/bin:{SYSTEM_PATH}"
        return subprocess.run(
            [tool("nsenter"), "--all", f"--target={init}", "--", "env", f"PATH={path}", *argv],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=deadline,
        )

    def load_image(self, archive: Path, name: str, *changes: str) -> None:
        """`docker import` of a root file system, as NAME, with Dockerfile words."""
        options = [f"--change={change}" for change in changes]
        self.docker("import", *options, "-", name, stdin=archive.read_bytes())

    def colima(self, *words: str, deadline: float = COMMAND_DEADLINE) -> Completed:
        """Colima as a human types it; its calls do not count as somebody's acts."""
        return self.run("colima", *words, deadline=deadline, environment={INNER: "1"})

    def status(self) -> str:
        """What `colima list` says."""
        done = self.colima("list", "--json")
        if done.returncode != 0:
            raise LabError(f"colima list: {done.stderr}")
        return str(json.loads(done.stdout).get("status", "")) if done.stdout else "missing"

    def console(self) -> str:
        """What the VM and its hostagent said last, for a message."""
        files = [self.lab.root / "console.log", self.instance.inst / "ha.stderr.log"]
        files += sorted((self.lab.disk / "log").glob("*.log"))
        texts = [(file.name, file.read_text("utf-8", "replace")) for file in files if file.exists()]
        return "".join(f"\n--- {name}\n{text[-2000:]}" for name, text in texts)

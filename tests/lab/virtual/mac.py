"""The virtual Mac: a home with Colima's files, its tools, and one VM that can lose its power."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tests.lab.virtual import census, lima
from tests.lab.virtual.furnish import furnish
from tests.lab.virtual.layout import (
    BY,
    SYSTEM_PATH,
    Layout,
    Settings,
    alive,
    read_pid,
    write,
)
from tests.lab.virtual.parts import require

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

COMMAND_DEADLINE: Final = 120.0
GONE_DEADLINE: Final = 30.0
LOOK_EVERY: Final = 0.05
BEFORE_BOOT: Final = 60.0
"""Seconds by which files of the last boot are older than this one."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a stand-in by somebody other than the lab."""

    tool: str
    argv: tuple[str, ...]
    pid: int
    at: float


class Mac:
    """One Mac with a VM that was created once and is stopped.

    Raises MissingPartError naming what the machine lacks. Close it, or it leaves processes.
    """

    def __init__(self, vm_type: str = "vz") -> None:
        self.tools: Mapping[str, str] = require()
        self.root = Path(tempfile.mkdtemp(prefix="hl-", dir="/tmp"))
        self.layout = Layout(self.root)
        self.home = self.layout.home
        self._begun: list[subprocess.Popen[bytes]] = []
        furnish(self.layout, self.tools, vm_type)

    @property
    def environment(self) -> dict[str, str]:
        """For a subprocess that is to believe that it runs on this Mac."""
        path = f"{self.layout.binaries}:{SYSTEM_PATH}"
        return {**self.layout.environment(), "PATH": path, "HEALER_FILES_PATH": path}

    @property
    def docker_socket(self) -> Path:
        """The Mac's end of the engine's socket."""
        return self.layout.profile / "docker.sock"

    @property
    def calls(self) -> list[Call]:
        """Every call of a stand-in but the lab's own, in their order; fails if one is forbidden."""
        self.check()
        file = self.root / "calls.jsonl"
        lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
        found = [json.loads(line) for line in lines]
        return [
            Call(one["tool"], tuple(one["argv"]), one["pid"], one["at"])
            for one in found
            if one["by"] != "human"
        ]

    def check(self) -> None:
        """AssertionError if anyone called what may destroy the VM."""
        if self.layout.forbidden.exists():
            raise AssertionError(f"forbidden: {self.layout.forbidden.read_text(encoding='utf-8')}")

    def forget_calls(self) -> None:
        """Let `calls` begin anew."""
        (self.root / "calls.jsonl").unlink(missing_ok=True)

    def pretend(self, **changes: Any) -> None:  # noqa: ANN401  the fields of Settings
        """Change what the stand-ins pretend, from the next look on."""
        self.layout.write_settings(replace(self.layout.settings(), **changes))

    def pretend_nothing(self) -> None:
        """Back to a healthy lab of default times."""
        now = self.layout.settings()
        self.layout.write_settings(Settings(now.python, now.docker, now.repository, now.vm_type))

    def run(
        self, *argv: str, deadline: float = COMMAND_DEADLINE
    ) -> subprocess.CompletedProcess[str]:
        """Run a command as a human at this Mac would; it is not among `calls`."""
        return subprocess.run(
            argv,
            check=False,
            capture_output=True,
            text=True,
            timeout=deadline,
            stdin=subprocess.DEVNULL,
            env={**self.environment, BY: "human"},
            executable=shutil.which(argv[0], path=self.environment["PATH"]),
        )

    def begin(self, *argv: str) -> subprocess.Popen[bytes]:
        """The same without waiting, as in another window; its words are dropped."""
        process = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**self.environment, BY: "human"},
            executable=shutil.which(argv[0], path=self.environment["PATH"]),
            start_new_session=True,
        )
        self._begun.append(process)
        return process

    def start_vm(self) -> None:
        """`colima start`, with which a human begins the day; RuntimeError with its words."""
        done = self.run("colima", "start")
        if done.returncode != 0:
            raise RuntimeError(f"colima start: {done.stdout}{done.stderr}")
        self.wait("the engine answers", self.engine_answers)

    def stop_vm(self) -> None:
        """`colima stop`, cleanly."""
        self.run("colima", "stop")
        self.wait("the VM is gone", lambda: not census.inside_vm(self.layout))

    def cut_power(self, *, mux_survives: bool = False) -> None:
        """SIGKILL the VM; its files stay, younger than the boot.

        A mux notices by itself unless the guest's network is taken down first.
        """
        if mux_survives:
            self.guest(["busybox", "ip", "link", "set", "lo", "down"])
        owners = {self.hostagent, self.driver}
        for pid in owners:
            census.send(pid, signal.SIGKILL)
        self.wait(
            "the VM is gone",
            lambda: not any(map(alive, owners)) and not census.inside_vm(self.layout),
        )

    def kill_hostagent(self) -> None:
        """SIGKILL it alone: with vz this is a power cut, with qemu the VM lives on."""
        pid = self.hostagent
        census.send(pid, signal.SIGKILL)
        self.wait("the hostagent is gone", lambda: not alive(pid))

    def crash(self) -> None:
        """End the VM alone: its hostagent notices, writes it down and cleans up."""
        agent = self.hostagent
        census.send(self.init, signal.SIGKILL)
        self.wait("the hostagent has ended", lambda: not alive(agent))

    def reboot(self) -> None:
        """As after the Mac's own reboot: no process lives, each file is older than the boot."""
        self.kill_everything()
        boot = lima.boot_time() - BEFORE_BOOT
        for folder, folders, files in os.walk(self.layout.colima):
            for name in (*folders, *files):
                os.utime(Path(folder) / name, (boot, boot), follow_symlinks=False)

    def kill_everything(self) -> None:
        """SIGKILL each process of the lab and wait until they are gone."""
        lima.thaw(self.layout)

        def gone() -> bool:
            left = self.processes()
            for pid in left:
                census.send(pid, signal.SIGKILL)
            return not left and not census.inside_vm(self.layout)

        self.wait("no process is left", gone)
        while self._begun:
            self._begun.pop().wait()

    def freeze_guest(self) -> None:
        """Hang the guest: ssh accepts and is silent, the mux says that all is well."""
        lima.freeze(self.layout)

    def thaw_guest(self) -> None:
        """Let it go on."""
        lima.thaw(self.layout)

    def kill_mux(self) -> None:
        """SIGKILL Lima's ssh master: the split brain."""
        self._signal_mux(signal.SIGKILL)
        self.wait("the mux is gone", lambda: not self.muxes())

    def stop_mux(self) -> None:
        """SIGSTOP it: its sockets accept and are silent."""
        self._signal_mux(signal.SIGSTOP)

    def cont_mux(self) -> None:
        """SIGCONT it."""
        self._signal_mux(signal.SIGCONT)

    def kill_usernet(self) -> None:
        """SIGKILL the VM's network card: its ssh port refuses."""
        pid = read_pid(self.layout.usernet_pid)
        census.send(pid, signal.SIGKILL)
        self.wait("usernet is gone", lambda: not alive(pid))

    def drop_module(self) -> None:
        """Unload br_netfilter, until somebody loads it."""
        self.guest(["modprobe", "-r", "br_netfilter"])

    def stop_engine(self) -> None:
        """Stop docker and its socket unit."""
        self.guest(["systemctl", "stop", "docker.socket", "docker.service"])

    def stop_engine_alone(self) -> None:
        """`systemctl stop docker.service`: docker.socket goes on, and starts it when touched."""
        self.guest(["systemctl", "stop", "docker.service"])

    def crash_engine(self) -> None:
        """SIGKILL dockerd; systemd starts it anew, and that one ends what runs on without it."""
        self.guest(["systemctl", "crash-once", "docker.service"])

    def unit(self) -> str:
        """What systemd says of docker.service."""
        return self.guest(["systemctl", "is-active", "docker.service"]).stdout.strip()

    def start_engine(self) -> None:
        """Start it again and wait for its answer."""
        self.guest(["systemctl", "start", "docker.service"])

    def kill_engine(self) -> None:
        """SIGKILL dockerd; its unit is failed until somebody starts it."""
        self.guest(["systemctl", "kill", "docker.service"])

    def reuse_pid(self, pid: int) -> None:
        """Let ha.pid and the driver's, older than the boot, name a stranger's process."""
        boot = lima.boot_time() - BEFORE_BOOT
        for file in (self.layout.instance / "ha.pid", self.layout.driver_pid):
            write(file, f"{pid}\n")
            os.utime(file, (boot, boot))

    def lock_disk(self) -> None:
        """Leave the data disk's lock behind, as a crash does."""
        self.layout.in_use_by.unlink(missing_ok=True)
        self.layout.in_use_by.parent.mkdir(parents=True, exist_ok=True)
        self.layout.in_use_by.symlink_to(self.layout.instance)

    @property
    def hostagent(self) -> int:
        """The pid of the living hostagent, 0 without one."""
        pid = read_pid(self.layout.instance / "ha.pid")
        return pid if pid in self.processes() else 0

    @property
    def driver(self) -> int:
        """The pid of the process that is the VM, 0 without one."""
        pid = read_pid(self.layout.driver_pid)
        return pid if pid in self.processes() else 0

    @property
    def init(self) -> int:
        """The pid of the guest's init; RuntimeError without a guest."""
        pid = read_pid(self.layout.guest_pid)
        if not alive(pid):
            raise RuntimeError("there is no guest")
        return pid

    @property
    def guest_flags(self) -> Path:
        """The guest's /run/guest by a path of this side, the same over all boots."""
        return self.layout.guest_flags

    def guest(
        self, argv: Sequence[str], deadline: float = COMMAND_DEADLINE
    ) -> subprocess.CompletedProcess[str]:
        """Run a command in the guest, past ssh."""
        path = f"PATH={self.layout.guest_binaries}:{SYSTEM_PATH}"
        enter = ["nsenter", "--all", f"--target={self.init}", "env", "-i", path, "HOME=/root"]
        return subprocess.run(
            [*enter, *argv], check=False, capture_output=True, text=True, timeout=deadline
        )

    def mend(self) -> None:
        """Back to a healthy VM without containers, calls, module or anything pretended."""
        self.pretend_nothing()
        self.thaw_guest()
        self.cont_mux()
        if any(process.poll() is None for process in self._begun) or not self._is_well():
            self.kill_everything()
            for file in (*self.layout.instance.glob("*.pid"), *self.layout.instance.glob("*.sock")):
                file.unlink()
            self.start_vm()
        containers = self.docker(["ps", "--all", "--quiet"]).split()
        if containers:
            self.docker(["rm", "--force", "--volumes", *containers])
        for file in (self.layout.disk / "modules-load.d").iterdir():
            file.unlink()
        self.guest(["modprobe", "-r", "br_netfilter", "vxlan"])
        self.layout.forbidden.unlink(missing_ok=True)
        self.forget_calls()

    def _is_well(self) -> bool:
        one_each = len(self.muxes()) == 1 and len(self.usernets()) == 1 and self.hostagent
        whole = self.layout.in_use_by.is_symlink() and self.driver
        return bool(one_each and whole and self.engine_answers() and self._has_ssh())

    def _has_ssh(self) -> bool:
        argv = ["ssh", "-F", str(self.layout.ssh_config), "-o", "ControlPath=none"]
        options = ["-o", "ControlMaster=no", "-o", "ConnectTimeout=2"]
        return self.run(*argv, *options, "lima-colima", "true").returncode == 0

    @property
    def docker_command(self) -> list[str]:
        """The command that reaches the guest's engine past every forward, over all boots."""
        return [self.tools["docker"], "--host", f"unix://{self.layout.guest_engine}"]

    def docker(self, argv: Sequence[str], deadline: float = COMMAND_DEADLINE) -> str:
        """Run docker on the guest's own socket; CalledProcessError if it fails."""
        done = subprocess.run(
            [*self.docker_command, *argv],
            check=False,
            capture_output=True,
            text=True,
            timeout=deadline,
            env=self.layout.environment(),
        )
        if done.returncode != 0:
            raise subprocess.CalledProcessError(done.returncode, argv, done.stdout, done.stderr)
        return done.stdout

    def load_image(self, tar: Path) -> None:
        """`docker load` of an archive that `docker save` wrote."""
        self.docker(["load", "--input", str(tar)])

    def import_image(self, folder: Path, name: str, *changes: str) -> None:
        """`docker import` of a root file system; the changes are lines of a Dockerfile."""
        pack = [self.tools["tar"], "-C", str(folder), "-c", "."]
        tar = subprocess.run(pack, check=True, capture_output=True)
        given = [word for change in changes for word in ("--change", change)]
        command = [*self.docker_command, "import", *given, "-", name]
        subprocess.run(
            command, input=tar.stdout, check=True, capture_output=True, timeout=COMMAND_DEADLINE
        )

    def engine_answers(self) -> bool:
        """Whether the engine answers through the Mac's socket."""
        try:
            return lima.get(self.docker_socket, "/_ping", 2) == b"OK"
        except OSError:
            return False

    def processes(self) -> dict[int, str]:
        """Every living process of this lab, with its command line."""
        return census.processes(self.layout)

    def muxes(self) -> list[int]:
        """Pids of ssh's masters, orphans too."""
        return census.beginning(self.layout, f"ssh: {self.layout.instance}/ssh.sock [mux]")

    def usernets(self) -> list[int]:
        """Pids of every usernet, orphans too."""
        return census.beginning(self.layout, f"{self.layout.binaries}/limactl usernet ")

    def wait(self, what: str, look: Callable[[], bool], seconds: float = GONE_DEADLINE) -> None:
        """Wait for an event; TimeoutError names it."""
        until = time.monotonic() + seconds
        while not look():
            if time.monotonic() > until:
                raise TimeoutError(f"not within {seconds:g} s: {what}")
            time.sleep(LOOK_EVERY)

    def close(self) -> None:
        """Leave no process, mount, cgroup or file; AssertionError if anything was forbidden."""
        self.kill_everything()
        self.wait("the cgroups are gone", lambda: lima.remove_cgroups(self.layout))
        try:
            self.check()
        finally:
            shutil.rmtree(self.root, ignore_errors=True)

    def _signal_mux(self, number: signal.Signals) -> None:
        for pid in self.muxes():
            census.send(pid, number)

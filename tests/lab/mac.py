"""A virtual Mac: Colima, Lima and a VM with a real Docker engine, to be broken at will.

`Mac` is what tests drive. healer is pointed at it by `Mac.environment` alone: HOME and PATH.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import uuid
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

from tests.lab import building
from tests.lab.keyboard import Keyboard
from tests.lab.machine import (
    LabError,
    Process,
    eventually,
    kill,
    missing_parts,
    processes,
    send,
    tool,
)
from tests.lab.standin import vm
from tests.lab.standin.instance import driver_files, state
from tests.lab.standin.settings import Lab, LabSettings

if TYPE_CHECKING:
    from collections.abc import Sequence

PREFIX: Final = "mac-"
BEFORE_BOOT: Final = 3600.0
"""Seconds by which leftovers of an earlier boot are older than this one."""
DEFAULTS: Final = LabSettings()
BRIDGE: Final = "br_netfilter"


class Mac(Keyboard):
    """One Mac in a folder of its own. Its VM was created once and is stopped.

    `settings` says how its Colima behaves; `configure` changes that later. The folder is
    short, since sockets live below it. Raises LabError when the machine lacks a part.
    """

    def __init__(self, settings: LabSettings = DEFAULTS, folder: Path = Path("/tmp")) -> None:
        if why := missing_parts():
            raise LabError(why)
        sweep(folder)
        lab = Lab(Path(tempfile.mkdtemp(prefix=PREFIX, dir=folder)))
        super().__init__(lab, settings)
        lab.root.chmod(0o755)
        (lab.root / "owner").write_text(str(os.getpid()), "utf-8")
        self._strangers: list[subprocess.Popen[bytes]] = []
        building.build(lab, settings)
        self._new_boot()

    def __enter__(self) -> Self:
        """It is there already."""
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing of it may stay."""
        self.close()

    def start_vm(self) -> None:
        """`colima start` by a human; LabError with all its words if it fails."""
        done = self.colima("start")
        if done.returncode != 0:
            raise LabError(f"colima start: {done.stdout}{done.stderr}{self.console()}")

    def stop_vm(self) -> None:
        """`colima stop` by a human."""
        done = self.colima("stop")
        if done.returncode != 0 or self.status() != "Stopped":
            raise LabError(f"colima stop: {done.stdout}{done.stderr}")

    def cut_power(self) -> None:
        """SIGKILL of the hostagent, and the VM with it; every file stays, orphans live on."""
        driver = self.lab.vm_pids().get("driver")
        victims = [pid for pid in (self.hostagent(), driver) if pid is not None]
        send(victims[:1], signal.SIGKILL)
        if self.settings.driver == "qemu":
            send(victims[1:], signal.SIGTERM)
        eventually("the VM is gone", lambda: not any(Process(pid, "").is_alive for pid in victims))

    def crash_guest(self) -> None:
        """The guest ends by itself: the hostagent notices, tidies up and ends, too."""
        agent = self.hostagent()
        kill([self.lab.vm_pids()["init"]])
        eventually("the hostagent ends", lambda: agent is None or not Process(agent, "").is_alive)

    def reboot(self) -> None:
        """The Mac reboots: all dies at once, all files stay, older than the new boot."""
        vm.thaw(self.lab)
        inside = set(self._vm_processes())
        driver = self.lab.vm_pids().get("driver")
        kill(one.pid for one in self.processes if one.pid not in {*inside, driver})
        if driver is not None:
            # The driver alone knows how to cut the power so that nobody hears of it.
            send([driver], signal.SIGTERM)
            eventually("the VM is gone", lambda: not Process(driver, "").is_alive)
        self._age_leftovers()
        self._new_boot()

    def _vm_processes(self) -> list[int]:
        tasks = vm.CGROUPS / "freezer" / self.lab.group
        files = [Path(folder) / "cgroup.procs" for folder, _, _ in os.walk(tasks)]
        return [int(pid) for file in files for pid in file.read_text("utf-8").split()]

    def _age_leftovers(self) -> None:
        old = self.boot_time() - BEFORE_BOOT
        for folder, _, names in os.walk(self.instance.root):
            for name in names:
                os.utime(Path(folder) / name, (old, old), follow_symlinks=False)

    def _new_boot(self) -> None:
        (self.lab.root / "boot_id").write_text(f"{uuid.uuid4()}\n", "utf-8")

    def boot_time(self) -> float:
        """When this Mac booted, epoch seconds: the true boot of this machine.

        `reboot` moves the leftovers before it rather than the boot after them.
        """
        lines = Path("/proc/stat").read_text("utf-8").splitlines()
        return next(float(line.split()[1]) for line in lines if line.startswith("btime "))

    def in_this_boot(self, *argv: str) -> list[str]:
        """The command that runs ARGV where the kernel's boot id is that of this Mac's boot."""
        script = 'mount --bind "$1" /proc/sys/kernel/random/boot_id; shift; exec "$@"'
        boot_id = str(self.lab.root / "boot_id")
        return [tool("unshare"), "--mount", "--", "/bin/sh", "-ec", script, "sh", boot_id, *argv]

    # Faults

    def hostagent(self) -> int | None:
        """The pid of the hostagent that runs."""
        return self._pid_of(f"{self.lab.bin}/limactl hostagent ")

    def mux(self) -> int | None:
        """The pid of the youngest of Lima's ssh masters: orphans of earlier lives may be there."""
        return self._pid_of(f"ssh: {self.instance.inst}/ssh.sock [mux]")

    def usernet(self) -> int | None:
        """The pid of the usernet whose pid file is there."""
        with suppress(FileNotFoundError):
            return int(self.instance.usernet_pid.read_text("utf-8"))
        return None

    def _pid_of(self, beginning: str) -> int | None:
        found = [one.pid for one in self.processes if one.command.startswith(beginning)]
        return found[-1] if found else None

    def freeze_guest(self) -> None:
        """The VM hangs: it accepts everything and answers nothing."""
        vm.freeze(self.lab)

    def thaw_guest(self) -> None:
        """It goes on."""
        vm.thaw(self.lab)

    def kill_mux(self) -> None:
        """SIGKILL of Lima's master: the split brain."""
        kill(_there(self.mux()))

    def stop_mux(self) -> None:
        """SIGSTOP of Lima's master: a wedged mux."""
        send(_there(self.mux()), signal.SIGSTOP)

    def cont_mux(self) -> None:
        """Let it go on."""
        send(_there(self.mux()), signal.SIGCONT)

    def stop_hostagent(self) -> None:
        """SIGSTOP of the hostagent: `list` says Broken while everything goes on serving."""
        send(_there(self.hostagent()), signal.SIGSTOP)

    def cont_hostagent(self) -> None:
        """Let it go on."""
        send(_there(self.hostagent()), signal.SIGCONT)

    def kill_usernet(self) -> None:
        """The VM's network is gone while its process lives; only a new boot mends it."""
        kill(_there(self.usernet()))

    def stop_sshd(self) -> None:
        """SIGSTOP of every sshd of the guest: ssh is accepted and silent, Docker lives."""
        send(self._sshds(), signal.SIGSTOP)

    def cont_sshd(self) -> None:
        """Let them go on."""
        send(self._sshds(), signal.SIGCONT)

    def _sshds(self) -> list[int]:
        inside = set(self._vm_processes())
        return [one.pid for one in self.processes if one.pid in inside and "sshd" in one.command]

    def drop_module(self) -> None:
        """The VM lacks br_netfilter, as after any boot that was not told to load it."""
        self._modprobe("--remove", BRIDGE)

    def load_module(self) -> None:
        """The VM has br_netfilter."""
        self._modprobe(BRIDGE)

    def _modprobe(self, *words: str) -> None:
        done = self.guest("modprobe", *words)
        if done.returncode != 0:
            raise LabError(f"modprobe {' '.join(words)}: {done.stderr}")

    @property
    def modules_load(self) -> Path:
        """/etc/modules-load.d of the VM's disk, by a path of the Mac; on or off.

        While the VM is off only what its disk has of its own is there.
        """
        init = self.lab.vm_pids().get("init")
        top = Path(f"/proc/{init}/root/etc") if init else self.lab.disk / "etc" / "upper"
        return top / "modules-load.d"

    def stop_engine(self) -> None:
        """A human stops Docker in the VM: `inactive`, Result=success."""
        self.guest("systemctl", "stop", "docker.socket", "docker.service")

    def start_engine(self) -> None:
        """And starts it again."""
        self.guest("systemctl", "start", "docker.socket", "docker.service")

    def kill_engine(self) -> None:
        """dockerd dies and stays dead: `failed`, Result=signal."""
        pid = self.guest("systemctl", "show", "docker", "--property=MainPID").stdout
        self.guest("kill", "-KILL", pid.strip().partition("=")[2])
        failed = "ActiveState=failed\n"
        show = ("systemctl", "show", "docker", "--property=ActiveState")
        eventually("docker has failed", lambda: self.guest(*show).stdout == failed)

    def reuse_pids(self) -> int:
        """Leftover pid files name a stranger's process now; its pid. The VM must be off."""
        stranger = subprocess.Popen([tool("sleep"), "86400"], start_new_session=True)
        self._strangers.append(stranger)
        old = self.boot_time() - BEFORE_BOOT
        for name in ("ha.pid", f"{self.settings.driver}.pid"):
            file = self.instance.inst / name
            file.write_text(f"{stranger.pid}\n", "utf-8")
            os.utime(file, (old, old))
        return stranger.pid

    def end_strangers(self) -> None:
        """The strangers end by themselves."""
        for stranger in self._strangers:
            stranger.kill()
            stranger.wait()
        self._strangers.clear()

    # Back to health, and the end

    def is_healthy(self) -> bool:
        """Running, ready, one mux, and an engine that answers through it."""
        return self.status() == "Running" and ping(self.docker_socket) == b"OK"

    def mend(self) -> None:
        """Whatever was done to it: default settings, a running VM, no containers, no calls."""
        self.configure(**asdict(DEFAULTS))
        vm.thaw(self.lab)
        self.cont_mux()
        self.cont_hostagent()
        self.end_strangers()
        if not self.is_healthy() or len(self._muxes()) != 1:
            self.power_off()
            self.start_vm()
        self.cont_sshd()
        containers = self.docker("ps", "--all", "--quiet").split()
        if containers:
            self.docker("rm", "--force", "--volumes", *containers)
        self.forget_calls()

    def _muxes(self) -> list[Process]:
        return [one for one in self.processes if one.command.startswith("ssh: ")]

    def power_off(self) -> None:
        """Kill all that runs and remove what it leaves: a VM that is off, and nothing else."""
        self.reboot()
        for file in [*driver_files(self.instance), self.instance.inst / "ha.pid"]:
            file.unlink(missing_ok=True)
        self.instance.in_use_by.unlink(missing_ok=True)

    def close(self) -> None:
        """End it. LabError: a process, mount or control group stays.

        AssertionError: somebody called what nobody may call.
        """
        self.end_strangers()
        self.reboot()
        left = [one.command for one in processes(self.lab.root, self.lab.group)]
        left += [str(folder) for folder in vm.groups(self.lab)]
        mounts = Path("/proc/self/mounts").read_text("utf-8").splitlines()
        left += [line for line in mounts if f"{self.lab.root}/" in line]
        if left:
            raise LabError(f"left behind: {left}")
        try:
            self.check_calls()
        finally:
            shutil.rmtree(self.lab.root)


def _there(pid: int | None) -> Sequence[int]:
    return [] if pid is None else [pid]


def ping(path: Path, deadline: float = 3.0) -> bytes:
    """What `GET /_ping` on a Docker socket answers; raises nothing: empty if it does not."""
    with socket.socket(socket.AF_UNIX) as door, suppress(OSError):
        door.settimeout(deadline)
        door.connect(str(path))
        door.sendall(b"GET /_ping HTTP/1.0\r\n\r\n")
        answer = b""
        while chunk := door.recv(4096):
            answer += chunk
        return answer.partition(b"\r\n\r\n")[2]
    return b""


def sweep(folder: Path) -> None:
    """End the Macs of test runs that were killed before they could."""
    for root in folder.glob(f"{PREFIX}*"):
        with suppress(FileNotFoundError, ValueError):
            owner = int((root / "owner").read_text("utf-8"))
            if state(owner) not in {"", "Z"}:
                continue
            lab = Lab(root)
            vm.thaw(lab)
            kill(one.pid for one in processes(root, lab.group))
            vm.remove_groups(lab)
            shutil.rmtree(root, ignore_errors=True)

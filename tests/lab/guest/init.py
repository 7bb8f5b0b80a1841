"""PID 1 of the VM: mounts, modules, services, and a clean end when asked for it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.lab.guest.system import Manager
from tests.lab.guest.units import Unit

if TYPE_CHECKING:
    from collections.abc import Sequence

SYSTEM_PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
HOSTNAME: Final = "lima-colima"
ROOT: Final = "root:x:0:0:root:/run/root:/bin/sh"
ENGINE: Final = Path("/run/docker.sock")
CONTAINERD: Final = Path("/run/containerd/containerd.sock")


def main(argv: Sequence[str]) -> int:
    """`init ROOT`: never returns but to end the VM."""
    root = Path(argv[1])
    # The engine must not find the stand-in modprobe: since 27.3 it loads no br_netfilter
    # (facts/colima.md §8, br_netfilter), and the module's absence is what healer is about.
    os.environ.clear()
    os.environ.update(PATH=SYSTEM_PATH, HOME="/root", LANG="C.UTF-8")
    mount_all(root / "disk")
    prepare(root)
    units = services(root)
    ending = Ending(units)
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=ending.run).start())
    threading.Thread(target=Manager(units, ending.run).serve, daemon=True).start()
    threading.Thread(target=boot, args=(units,), daemon=True).start()
    return reap(units)


def tool(name: str) -> str:
    """By PATH, since it is not the same folder everywhere."""
    return shutil.which(name) or name


def mount(*words: str) -> None:
    """One mount; CalledProcessError ends the VM, and its console says why."""
    subprocess.run([tool("mount"), *words], check=True)


def mount_all(disk: Path) -> None:
    """Fresh kernel file systems, and the VM's own /etc and engine folders from its disk."""
    mount("--make-rprivate", "/")
    controllers = [
        (Path(fields[1]).name, fields[3])
        for fields in map(str.split, Path("/proc/self/mounts").read_text("utf-8").splitlines())
        if fields[2] == "cgroup"
    ]
    mount("-t", "proc", "proc", "/proc")
    mount("-t", "sysfs", "sysfs", "/sys")
    mount("-t", "tmpfs", "-o", "mode=755", "cgroups", "/sys/fs/cgroup")
    for name, options in controllers:
        folder = Path("/sys/fs/cgroup") / name
        folder.mkdir()
        kind = f"none,name={name}" if "name=" in options else name
        mount("-t", "cgroup", "-o", kind, name, str(folder))
    mount("-t", "tmpfs", "-o", "mode=755", "run", "/run")
    etc = disk / "etc"
    layers = f"lowerdir=/etc,upperdir={etc}/upper,workdir={etc}/work"
    mount("-t", "overlay", "-o", layers, "etc", "/etc")
    for name in ("docker", "containerd"):
        (Path("/var/lib") / name).mkdir(exist_ok=True)
        mount("--bind", str(disk / name), f"/var/lib/{name}")
    mount("-t", "tmpfs", "-o", "ro,size=4k", "tmpfs", "/proc/sys/net/bridge")


def prepare(root: Path) -> None:
    """Names, users, network and the modules that the disk asks for."""
    for folder in ("guest", "sshd", "containerd", "lock", "root"):
        Path("/run", folder).mkdir(parents=True, exist_ok=True)
    Path("/proc/sys/kernel/hostname").write_text(HOSTNAME, "utf-8")
    subprocess.run([tool("ip"), "link", "set", "lo", "up"], check=True)
    # A home of its own: this machine's root may have a shell set up for people.
    users = Path("/etc/passwd").read_text("utf-8").splitlines()
    others = [line for line in users if not line.startswith("root:")]
    Path("/etc/passwd").write_text("\n".join([ROOT, *others, ""]), "utf-8")
    # `*` forbids a password; `!` would lock the account for keys, too.
    Path("/etc/shadow").write_text("root:*:19000:0:99999:7:::\n", "utf-8")
    Path("/etc/docker").mkdir(exist_ok=True)
    Path("/etc/docker/daemon.json").write_text("{}\n", "utf-8")
    for file in sorted(Path("/etc/modules-load.d").glob("*.conf")):
        for line in file.read_text("utf-8").splitlines():
            name = line.strip()
            if name and name[0] not in "#;":
                subprocess.run([f"{root}/guest/bin/modprobe", name], check=False)


def services(root: Path) -> dict[str, Unit]:
    """The VM's services by name, in the order in which they start."""
    disk, log = root / "disk", root / "disk" / "log"
    containerd = Path("/run/containerd.toml")
    # The CRI plugin would listen on a port of its own, which Lima would forward.
    containerd.write_text(
        'version = 2\ndisabled_plugins = ["io.containerd.grpc.v1.cri"]\n', "utf-8"
    )
    sshd = Path("/run/sshd_config")
    sshd.write_text(sshd_config(root), "utf-8")
    return {
        "ssh": Unit("ssh", ["/usr/sbin/sshd", "-D", "-e", "-f", str(sshd)], log / "sshd.log"),
        "containerd": Unit(
            "containerd",
            ["/usr/bin/containerd", f"--config={containerd}", "--root=/var/lib/containerd"],
            log / "containerd.log",
            (CONTAINERD,),
        ),
        "docker": Unit(
            "docker",
            ["/usr/sbin/dockerd", "-H", f"unix://{ENGINE}", f"--containerd={CONTAINERD}"],
            disk / "log" / "dockerd.log",
            (ENGINE,),
        ),
    }


def sshd_config(root: Path) -> str:
    """The guest's sshd: keys only, and the stand-in commands first in the PATH."""
    path = f"{root}/guest/bin:{SYSTEM_PATH}"
    return f"""Port 22
ListenAddress 0.0.0.0
HostKey {root}/disk/ssh/host_key
AuthorizedKeysFile {root}/disk/ssh/authorized_keys
StrictModes no
UsePAM no
UseDNS no
PasswordAuthentication no
PermitRootLogin prohibit-password
PidFile none
MaxStartups 100
MaxSessions 200
SetEnv PATH={path}
"""


def boot(units: dict[str, Unit]) -> None:
    """Start what starts by itself; a service that fails stays failed."""
    for unit in units.values():
        unit.start()


class Ending:
    """The clean end of the VM: containers get their TERM before the power goes."""

    def __init__(self, units: dict[str, Unit]) -> None:
        self._units = units
        self._once = threading.Lock()

    def run(self) -> None:
        """Stop the services in reverse order, then end PID 1 and with it all."""
        if not self._once.acquire(blocking=False):
            return
        for unit in reversed(self._units.values()):
            unit.stop()
        os._exit(0)


def reap(units: dict[str, Unit]) -> int:
    """Wait for the dead, for ever: PID 1 inherits every orphan."""
    while True:
        try:
            pid, status = os.wait()
        except ChildProcessError:
            signal.pause()
            continue
        for unit in units.values():
            if unit.pid == pid:
                unit.ended(status)

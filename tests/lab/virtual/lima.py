"""Lima's view of its one instance: status, rows, and what ends it (facts/colima.md §1.2, §1.6)."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tests.lab.virtual.layout import alive, read_pid

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.lab.virtual.layout import Layout

INFO_PATIENCE: Final = 3.0
LOOK_EVERY: Final = 0.05
CGROUPS: Final = Path("/sys/fs/cgroup")


class UnixConnection(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: Path, timeout: float = INFO_PATIENCE) -> None:
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        """Connect to the path instead of the host."""
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


def get(path: Path, target: str, timeout: float = INFO_PATIENCE) -> bytes:
    """The body of an answer; OSError or HTTPException without one."""
    connection = UnixConnection(path, timeout)
    try:
        connection.request("GET", target)
        return connection.getresponse().read()
    finally:
        connection.close()


@dataclass(frozen=True, slots=True)
class Instance:
    """What a look finds; ``status`` is empty where Lima has no such instance."""

    status: str
    errors: tuple[str, ...] = ()
    port: int = 0
    hostagent: int = 0
    driver: int = 0


def look(layout: Layout) -> Instance:
    """Look at the instance as `limactl list` does, which deletes pid files of the dead."""
    if not (layout.instance / "lima.yaml").exists():
        return Instance("")
    old = layout.settings().versions.believes_old_pid_files
    hostagent = _living(layout.instance / "ha.pid", believes_old=old)
    driver = _living(layout.driver_pid, believes_old=old)
    port, errors = 0, list[str]()
    if hostagent:
        try:
            port = json.loads(get(layout.instance / "ha.sock", "/v1/info"))["sshLocalPort"]
        except (OSError, http.client.HTTPException, ValueError) as error:
            errors.append(_info_error(layout, error))
    if hostagent and not driver:
        errors.append("host agent is running but driver is not")
    if driver and not hostagent:
        errors.append(f"{layout.settings().vm_type} driver is running but host agent is not")
    status = "Broken" if errors else "Running" if hostagent else "Stopped"
    return Instance(status, tuple(errors), port or old_port(layout), hostagent, driver)


def boot_time() -> float:
    """Epoch seconds of the machine's boot, which is this Mac's."""
    text = Path("/proc/stat").read_text(encoding="ascii")
    return float(text.partition("\nbtime ")[2].split()[0])


def _living(file: Path, *, believes_old: bool) -> int:
    pid = read_pid(file)
    if pid and alive(pid) and (believes_old or file.stat().st_mtime >= boot_time()):
        return pid
    file.unlink(missing_ok=True)
    return 0


def _info_error(layout: Layout, error: Exception) -> str:
    place = layout.instance / "ha.sock"
    if isinstance(error, FileNotFoundError):
        return f'failed to get Info from "{place}": stat {place}: no such file or directory'
    reason = "connection refused" if isinstance(error, ConnectionRefusedError) else "i/o timeout"
    return (
        f'failed to get Info from "{place}": Get "http://lima-hostagent/v1/info": '
        f"dial unix {place}: connect: {reason}"
    )


def old_port(layout: Layout) -> int:
    """The port in the ssh.config of the last start, stale for a stopped VM."""
    with suppress(OSError):
        for line in layout.ssh_config.read_text(encoding="utf-8").splitlines():
            if line.split()[:1] == ["Port"]:
                return int(line.split()[1])
    return 0


def row(layout: Layout, found: Instance) -> dict[str, Any]:
    """One object of `limactl list --json`."""
    settings = layout.settings()
    pids = {"hostAgentPID": found.hostagent, "driverPID": found.driver}
    return {
        "name": "colima",
        "hostname": "lima-colima",
        "status": found.status,
        "dir": str(layout.instance),
        "vmType": settings.vm_type,
        "arch": settings.arch,
        "cpus": settings.cpus,
        "memory": settings.memory,
        "disk": settings.disk,
        "additionalDisks": [{"name": "colima", "format": False, "fsType": "ext4"}],
        "network": [
            {
                "lima": "user-v2",
                "macAddress": "52:55:55:df:24:90",
                "interface": "lima0",
                "metric": 100,
            }
        ],
        "sshLocalPort": found.port,
        "sshConfigFile": str(layout.ssh_config),
        **({name: pid for name, pid in pids.items() if pid}),
        **({"errors": list(found.errors)} if found.errors else {}),
        "config": {},
        "sshAddress": "127.0.0.1",
        "protected": False,
        "limaVersion": settings.lima_version,
        "HostOS": "darwin",
        "HostArch": settings.arch,
        "LimaHome": str(layout.lima),
        "IdentityFile": str(layout.key),
    }


def stop_forcibly(layout: Layout, say: Callable[[str], None]) -> None:
    """SIGKILL whoever owns the recorded pids, then remove the files, as the real one does."""
    for file, what in (
        (layout.driver_pid, "driver"),
        (layout.instance / "ha.pid", "host agent"),
    ):
        pid = read_pid(file)
        # The real one would try even this.
        if pid > 1 and alive(pid):
            say(f"Sending SIGKILL to the {what} process {pid}")
            os.kill(pid, signal.SIGKILL)
            eventually(lambda pid=pid: not alive(pid), 5.0)  # type: ignore[misc]
        else:
            say(f"The {what} process seems already stopped")
        if what == "driver":
            layout.in_use_by.unlink(missing_ok=True)
    say(f"Removing *.pid *.sock *.tmp under {json.dumps(str(layout.instance))}")
    for file in layout.instance.iterdir():
        if file.suffix in {".pid", ".sock", ".tmp"}:
            file.unlink()
    thaw(layout)


def eventually(look: Callable[[], bool], seconds: float) -> bool:
    """Whether it came true in time."""
    until = time.monotonic() + seconds
    while not (found := look()) and time.monotonic() < until:
        time.sleep(LOOK_EVERY)
    return found


def freeze(layout: Layout) -> None:
    """Hang the guest."""
    _freezer(layout).write_text("FROZEN", encoding="ascii")


def thaw(layout: Layout) -> None:
    """Let it go on; a SIGKILL of a frozen process waits for this."""
    with suppress(OSError):
        _freezer(layout).write_text("THAWED", encoding="ascii")


def _freezer(layout: Layout) -> Path:
    return CGROUPS / "freezer" / layout.cgroup / "freezer.state"


def remove_cgroups(layout: Layout) -> bool:
    """Remove what the last VM left; False while one of its processes lives."""
    thaw(layout)
    for top in CGROUPS.glob(f"*/{layout.cgroup}"):
        for folder, _, _ in os.walk(top, topdown=False):
            with suppress(OSError):
                Path(folder).rmdir()
    return not any(CGROUPS.glob(f"*/{layout.cgroup}"))

"""Lima's instance on disk, and its status by Lima's own rules (facts/colima.md §1.2, §2)."""

from __future__ import annotations

import http.client
import json
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.lab.standin.words import FatalError

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Instance:
    """One profile of Colima and the Lima instance behind it."""

    root: Path
    lima_home: Path
    profile: str = "default"

    @property
    def name(self) -> str:
        """Lima's name of it."""
        return "colima" if self.profile == "default" else f"colima-{self.profile}"

    @property
    def shown(self) -> str:
        """Colima's name of it in its own words."""
        return "colima" if self.profile == "default" else f"colima [profile={self.profile}]"

    @property
    def prof(self) -> Path:
        """PROF of the facts."""
        return self.root / self.profile

    @property
    def inst(self) -> Path:
        """INST of the facts."""
        return self.lima_home / self.name

    @property
    def ssh_config(self) -> Path:
        """Rewritten at each start of the hostagent."""
        return self.inst / "ssh.config"

    @property
    def networks(self) -> Path:
        """Where the user-v2 network keeps its files."""
        return self.lima_home / "_networks" / "user-v2"

    @property
    def usernet_pid(self) -> Path:
        """The pid file of `limactl usernet`."""
        return self.networks / "usernet_user-v2.pid"

    @property
    def in_use_by(self) -> Path:
        """The data disk's lock, which knows nothing of liveness."""
        return self.lima_home / "_disks" / self.name / "in_use_by"

    @property
    def sockets(self) -> dict[Path, str]:
        """The guest's sockets that the mux carries, by their path on the Mac."""
        engine = "/var/run/docker.sock"
        found = {self.prof / "docker.sock": engine}
        found[self.prof / "containerd.sock"] = "/var/run/containerd/containerd.sock"
        if self.profile == "default":
            found[self.root / "docker.sock"] = engine
        return found


def resolve(environment: Mapping[str, str], profile: str) -> Instance:
    """By HOME, COLIMA_HOME, XDG_CONFIG_HOME and LIMA_HOME (facts/colima.md §2, Roots)."""
    home = environment.get("HOME")
    if not home:
        raise FatalError("cannot fetch required directory: $HOME is not defined")
    root = _root(environment, Path(home))
    lima = environment.get("LIMA_HOME")
    return Instance(root, Path(lima) if lima else root / "_lima", profile)


def _root(environment: Mapping[str, str], home: Path) -> Path:
    given, xdg = environment.get("COLIMA_HOME"), environment.get("XDG_CONFIG_HOME")
    if given and Path(given).is_dir():
        return Path(given)
    if xdg and not (home / ".colima").is_dir():
        return Path(xdg) / "colima"
    return home / ".colima"


@dataclass(frozen=True, slots=True)
class Seen:
    """What `limactl list` would say."""

    status: str
    """Running, Stopped, Broken; `missing` when there is none; empty for a bad lima.yaml."""
    errors: tuple[str, ...] = ()
    ha_pid: int | None = None
    driver_pid: int | None = None
    ssh_port: int | None = None


def look(instance: Instance, info_timeout: float) -> Seen:
    """By the pid files and ha.sock; deletes pid files of the dead, as the real look does."""
    if not instance.inst.is_dir():
        return Seen("missing")
    if not (instance.inst / "lima.yaml").exists():
        return Seen("Broken", (f"open {instance.inst}/lima.yaml: no such file or directory",))
    if not (instance.inst / "lima.yaml").read_text("utf-8").startswith("vmType:"):
        return Seen("")
    agent = alive(instance.inst / "ha.pid")
    driver = next((pid for file in driver_files(instance) if (pid := alive(file))), None)
    port, errors = None, []
    if agent is not None:
        try:
            port = ask_info(instance.inst / "ha.sock", info_timeout)
        except (OSError, ValueError, http.client.HTTPException) as error:
            errors.append(_no_info(instance.inst / "ha.sock", error))
    errors += _one_alone(instance, agent, driver)
    status = "Broken" if errors else "Running" if agent else "Stopped"
    return Seen(status, tuple(errors), agent, driver, port)


def _one_alone(instance: Instance, agent: int | None, driver: int | None) -> list[str]:
    if agent and not driver:
        return ["host agent is running but driver is not"]
    if driver and not agent:
        kind = next(file.stem for file in driver_files(instance))
        return [f"{kind} driver is running but host agent is not"]
    return []


def driver_files(instance: Instance) -> list[Path]:
    """`vz.pid` or `qemu.pid`, whichever is there."""
    return [one for one in sorted(instance.inst.glob("*.pid")) if one.name != "ha.pid"]


def alive(file: Path) -> int | None:
    """The pid in a file if any process has it, whoever that is; else the file is removed."""
    try:
        pid = int(file.read_text("utf-8"))
    except (FileNotFoundError, ValueError):
        return None
    # A Mac's launchd reaps at once; another PID 1 may take its time.
    if state(pid) in {"", "Z"}:
        file.unlink(missing_ok=True)
        return None
    return pid


def state(pid: int) -> str:
    """The letter of proc(5); empty when there is no such process."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace")
    except (FileNotFoundError, ProcessLookupError):
        return ""
    return text.rpartition(")")[2].split()[0]


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path, timeout: float) -> None:
        super().__init__("lima-hostagent", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        self._path.stat()
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


def ask_info(path: Path, timeout: float) -> int:
    """The ssh port by `GET /v1/info`; raises OSError, ValueError or HTTPException."""
    connection = _UnixConnection(path, timeout)
    try:
        connection.request("GET", "/v1/info")
        return int(json.loads(connection.getresponse().read())["sshLocalPort"])
    finally:
        connection.close()


def _no_info(path: Path, error: Exception) -> str:
    if isinstance(error, FileNotFoundError):
        return f"stat {path}: no such file or directory"
    why = "connection refused" if isinstance(error, ConnectionRefusedError) else "i/o timeout"
    return (
        f'failed to get Info from "{path}": Get "http://lima-hostagent/v1/info": '
        f"dial unix {path}: connect: {why}"
    )


def configured_port(instance: Instance) -> int:
    """The port in ssh.config, which for a stopped VM leads nowhere; 0 without one."""
    try:
        words = instance.ssh_config.read_text("utf-8").split()
    except FileNotFoundError:
        return 0
    return int(words[words.index("Port") + 1])

"""`colima`: its command line in every state of the VM (facts/colima.md §1, §7)."""

from __future__ import annotations

import argparse
import json
import os
import shlex
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

from tests.lab.virtual import lima, logrus
from tests.lab.virtual.layout import Layout, write
from tests.lab.virtual.limactl import Limactl, LimaFailed

PROVISION_PATIENCE: Final = 60.0
GIB: Final = 1 << 30
PROFILE_YAML: Final = """\
cpu: {cpus}
disk: {disk}
memory: {memory}
arch: {arch}
runtime: docker
autoActivate: true
network:
  address: false
portForwarder: ssh
vmType: {vm_type}
mountType: virtiofs
sshPort: 0
sshConfig: true
"""


class Colima:
    """One command of a profile."""

    def __init__(self, layout: Layout, profile: str) -> None:
        self._layout = layout
        self._settings = layout.settings()
        self._ours = profile == "default"
        self._name = "colima" if self._ours else f"colima [profile={profile}]"
        self._lima = Limactl(layout, sys.stdout)

    def _status(self) -> str:
        """Lima's word; every failure to ask is the same as not running (§1.1)."""
        return lima.look(self._layout).status if self._ours else ""

    def _ssh(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Through the mux and without any time-out, as Colima asks."""
        argv = ["ssh", "-F", str(self._layout.ssh_config), "lima-colima", shlex.join(command)]
        return subprocess.run(
            argv, check=False, capture_output=True, text=True, stdin=subprocess.DEVNULL
        )

    def _docker(self, *words: str) -> bool:
        sys.stdout.flush()
        done = subprocess.run(
            [self._settings.docker, *words],
            check=False,
            capture_output=True,
            text=True,
            env=self._layout.environment(),
        )
        if done.returncode == 0 and words[1] != "inspect":
            sys.stdout.write(done.stdout + done.stderr)
            sys.stdout.flush()
        return done.returncode == 0

    def status(self, *, as_json: bool, extended: bool) -> None:
        """It looks neither at docker.sock nor at the engine."""
        if self._status() != "Running":
            logrus.fatal(f"{self._name} is not running")
        if self._ssh("true").returncode != 0:
            logrus.fatal("error retrieving current runtime: empty value")
        one, sockets = self._settings, self._sockets()
        if as_json:
            facts = {
                "display_name": self._name,
                "driver": one.driver_text,
                "arch": one.arch,
                "runtime": "docker",
                "mount_type": one.mount_type,
                "docker_socket": sockets[0],
                "containerd_socket": sockets[1],
                "kubernetes": False,
                "cpu": one.cpus,
                "memory": one.memory,
                "disk": one.disk,
            }
            sys.stdout.write(_json(facts))
            return
        logrus.info(f"{self._name} is running using {one.driver_text}")
        for name, value in (("arch", one.arch), ("runtime", "docker")):
            logrus.info(f"{name}: {value}")
        logrus.info(f"mountType: {one.mount_type}")
        logrus.info(f"docker socket: {sockets[0]}")
        logrus.info(f"containerd socket: {sockets[1]}")
        if extended:
            logrus.info(f"cpu: {one.cpus}")
            logrus.info(f"mem: {one.memory // GIB}GiB")
            logrus.info(f"disk: {one.disk // GIB}GiB")

    def _sockets(self) -> tuple[str, str]:
        folder = self._layout.profile
        return f"unix://{folder}/docker.sock", f"unix://{folder}/containerd.sock"

    def listing(self, *, as_json: bool) -> None:
        """The only command that tells Stopped, Broken and missing apart."""
        status = lima.look(self._layout).status
        if not self._ours:
            logrus.fatal("error retrieving instances: exit status 1")
        one = self._settings
        told = status == "Running" or one.versions.tells_runtime_of_stopped
        if as_json and status:
            sys.stdout.write(
                _json(
                    {
                        "name": "default",
                        "status": status,
                        "arch": one.arch,
                        "cpus": one.cpus,
                        "memory": one.memory,
                        "disk": one.disk,
                        **({"runtime": "docker"} if told else {}),
                    }
                )
            )
        if as_json:
            return
        rows = [["PROFILE", "STATUS", "ARCH", "CPUS", "MEMORY", "DISK", "RUNTIME", "ADDRESS"]]
        if status:
            sizes = [f"{one.memory // GIB}GiB", f"{one.disk // GIB}GiB"]
            runtime = "docker" if told else ""
            rows.append(["default", status, one.arch, str(one.cpus), *sizes, runtime, ""])
        else:
            logrus.warn("No instance found. Run `colima start` to create an instance.")
        sys.stdout.write(_table(rows))

    def start(self) -> None:
        """Save the configuration, then start what Lima calls not Running."""
        self._save_config()
        status = self._status()
        if status == "Running":
            logrus.warn("already running, ignoring")
            return
        logrus.info(f"starting {self._name}")
        logrus.info("runtime: docker")
        if not self._ours or not status:
            # The real one would begin a download of minutes: nobody but a human may cause it.
            self._layout.forbid("start of a VM that was never created")
        shutil.rmtree(self._layout.networks, ignore_errors=True)
        write(self._layout.lima / "_config" / "networks.yaml", "paths: {}\n")
        logrus.info("starting ...", context="vm")
        try:
            self._lima.start()
        except LimaFailed:
            logrus.fatal("error starting vm: error at 'starting': exit status 1")
        self._provision()
        logrus.info("done")

    def _save_config(self) -> None:
        file, one = self._layout.profile / "colima.yaml", self._settings
        if file.exists():
            write(file, file.read_text(encoding="utf-8"))
            return
        sizes = {"memory": one.memory // GIB, "disk": one.disk // GIB}
        write(file, PROFILE_YAML.format(cpus=one.cpus, arch=one.arch, vm_type=one.vm_type, **sizes))

    def _provision(self) -> None:
        """Where Colima restarts the engine, which answers and is gone again (§8)."""
        write(self._layout.instance / "colima.yaml", "runtime: docker\n")
        logrus.info("provisioning ...", context="docker")
        if self._settings.engine_gap:
            self._guest("systemctl", "stop", "docker.service", "docker.socket")
            time.sleep(self._settings.engine_gap)
        self._use_context()
        logrus.info("starting ...", context="docker")
        self._guest("systemctl", "start", "docker.service")
        write(self._layout.colima / "ssh_config", self._layout.ssh_config.read_text("utf-8"))

    def _guest(self, *command: str) -> None:
        if self._ssh("sudo", *command).returncode != 0:
            words = f"error running [lima sudo {' '.join(command)}]"
            logrus.fatal(f"error starting docker: {words}")

    def _use_context(self) -> None:
        if not self._docker("context", "inspect", "colima"):
            socket = f"host={self._sockets()[0]}"
            words = ["--description", "colima", "--docker", socket]
            self._docker("context", "create", "colima", *words)
        self._docker("context", "use", "colima")

    def stop(self, *, force: bool) -> None:
        """Without --force it does nothing to a VM that is not Running, and says 0 (§1.6)."""
        logrus.info(f"stopping {self._name}")
        status = self._status()
        if not force and status != "Running":
            logrus.info("not running", context="vm")
            logrus.info("done")
            return
        if status == "Running" and self._guest_is_asked(force=force):
            self._stop_runtime()
        logrus.info("stopping ...", context="vm")
        try:
            self._lima.stop(force=force)
        except LimaFailed:
            logrus.fatal("error stopping vm: error at 'stopping': exit status 1")
        logrus.info("done")

    def _guest_is_asked(self, *, force: bool) -> bool:
        """The trap: which version asks the guest before it forces."""
        version = self._settings.colima_version
        if version == "0.10.1" and force:
            return False
        if version == "main" and not self._guest_responds():
            logrus.warn("vm not responsive, skipping runtime shutdown")
            return False
        if self._ssh("true").returncode == 0:
            return True
        empty = "error retrieving current runtime: empty value"
        logrus.warn(f"error retrieving runtimes: {empty}")
        return False

    def _guest_responds(self) -> bool:
        argv = ["ssh", "-F", str(self._layout.ssh_config), "-o", "ControlPath=none"]
        argv += ["-o", "ControlMaster=no", "lima-colima", "true"]
        try:
            subprocess.run(
                argv, check=False, capture_output=True, timeout=self._settings.main_patience
            )
        except subprocess.TimeoutExpired:
            return False
        return True

    def _stop_runtime(self) -> None:
        logrus.info("stopping ...", context="docker")
        done = self._ssh("sudo", "systemctl", "stop", "docker.service")
        sys.stdout.write(done.stdout + done.stderr)
        self._docker("context", "rm", "--force", "colima")

    def restart(self, *, force: bool) -> None:
        """A Broken VM is not mended by it unless forced."""
        if not self._status():
            logrus.fatal("error retrieving instance: exit status 1")
        if force or self._status() != "Stopped":
            self.stop(force=force)
            time.sleep(self._settings.restart_pause)
        self.start()

    def ssh(self, command: list[str]) -> None:
        """The guest's exit code is lost (§1.7)."""
        if self._status() != "Running":
            logrus.fatal("colima not running")
        argv = ["ssh", "-F", str(self._layout.ssh_config), "lima-colima", shlex.join(command)]
        code = subprocess.run(argv, check=False).returncode
        if code != 0:
            logrus.fatal(f"exit status {code}")

    def version(self) -> None:
        """Two lines always; the rest asks the guest."""
        sys.stdout.write(f"colima version {self._settings.colima_version}\ngit commit: unknown\n")
        sys.stdout.flush()
        if self._status() != "Running" or self._ssh("true").returncode != 0:
            return
        server = self._ssh("docker", "version", "--format", "v{{.Server.Version}}").stdout.strip()
        argv = [self._settings.docker, "version", "--format", "v{{.Client.Version}}"]
        done = subprocess.run(
            argv, check=False, capture_output=True, text=True, env=self._layout.environment()
        )
        client = done.stdout.strip()
        about = f"runtime: docker\narch: {self._settings.arch}\n"
        sys.stdout.write(f"\n{about}client: {client}\nserver: {server}\n")


def _json(value: object) -> str:
    return json.dumps(value, separators=(",", ":")) + "\n"


def _table(rows: list[list[str]]) -> str:
    widths = [max(len(row[column]) for row in rows) + 4 for column in range(len(rows[0]))]
    widths[-1] = 0
    lines = ("".join(map(str.ljust, row, widths)) for row in rows)
    return "".join(f"{line}\n" for line in lines)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("colima")
    parser.add_argument("-p", "--profile")
    parser.add_argument("verb")
    parser.add_argument("name", nargs="?")
    parser.add_argument("-j", "--json", action="store_true")
    parser.add_argument("-e", "--extended", action="store_true")
    parser.add_argument("-f", "--force", action="store_true")
    return parser


def main(root: str, arguments: list[str]) -> None:
    """Run one command line; every failure is code 1."""
    layout = Layout(Path(root))
    layout.record("colima", arguments)
    if "--" in arguments:
        cut = arguments.index("--")
        arguments, command = arguments[:cut], arguments[cut + 1 :]
    else:
        command = []
    given, unknown = _parser().parse_known_args(arguments)
    if unknown:
        layout.forbid(f"colima with {' '.join(unknown)}")
    profile = given.profile or given.name or os.environ.get("COLIMA_PROFILE") or "default"
    colima = Colima(layout, profile)
    _dispatch(layout, colima, given, command)


def _dispatch(
    layout: Layout, colima: Colima, given: argparse.Namespace, command: list[str]
) -> None:
    match given.verb:
        case "status":
            colima.status(as_json=given.json, extended=given.extended)
        case "list" | "ls":
            colima.listing(as_json=given.json)
        case "start":
            colima.start()
        case "stop":
            colima.stop(force=given.force)
        case "restart":
            colima.restart(force=given.force)
        case "ssh":
            colima.ssh(command)
        case "version":
            colima.version()
        case _:
            layout.forbid(f"colima {given.verb}")

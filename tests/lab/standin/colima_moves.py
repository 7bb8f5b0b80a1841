"""`colima start`, `stop` and `restart`, step by step (facts/colima.md §1.5, §1.6)."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.lab.standin import limactl, words
from tests.lab.standin.instance import Instance, look
from tests.lab.standin.settings import replace, version
from tests.lab.standin.words import FatalError

if TYPE_CHECKING:
    from tests.lab.standin.colima_guest import Guest
    from tests.lab.standin.settings import Lab

CONFIG: Final = """\
# Number of CPUs to be allocated to the virtual machine.
cpu: {cpus}
disk: {disk}
memory: {memory}
arch: host
runtime: docker
vmType: {driver}
mountInotify: false
portForwarder: ssh
sshPort: 0
sshConfig: true
autoActivate: true
network:
  address: false
"""
ASKS_GUEST_FIRST: Final = (0, 10, 2)
"""Since then `stop --force` talks to the guest (facts/colima.md §1.6, Version trap)."""
NOTE: Final = """mkdir -p /etc/colima; echo '{"runtime":"docker"}' > /etc/colima/colima.json"""
TRIES: Final = 61
BINFMT: Final = (
    "unable to enable qemu x86_64 emulation: binfmt not found: error running "
    '[lima command -v binfmt], output: "", err: "exit status 1"'
)


class Moves:
    """The commands that change the VM."""

    def __init__(self, lab: Lab, instance: Instance, guest: Guest) -> None:
        self._lab = lab
        self._instance = instance
        self._guest = guest

    @property
    def _main(self) -> bool:
        return self._lab.settings.colima_version == "main"

    def start(self) -> int:
        """From any state; a running VM is left as it is, even a dead one."""
        self._save_config()
        if self._guest.is_running():
            words.warning("already running, ignoring")
            return 0
        words.info("starting colima")
        words.info("runtime: docker")
        if not shutil.which("docker"):
            missing = "docker not found, run 'brew install docker' to install"
            raise FatalError(f"dependency check failed for docker: {missing}")
        self._start_vm()
        self._provision()
        self._await_docker()
        self._guest.run("sudo", "sh", "-c", shlex.quote(NOTE))
        words.info("done")
        self._write_ssh_config()
        return 0

    def _save_config(self) -> None:
        if os.environ.get("COLIMA_SAVE_CONFIG") == "0":
            return
        settings = self._lab.settings
        gib = {"disk": settings.disk >> 30, "memory": settings.memory >> 30}
        self._instance.prof.mkdir(parents=True, exist_ok=True)
        text = CONFIG.format(cpus=settings.cpus, driver=settings.driver, **gib)
        replace(self._instance.prof / "colima.yaml", text)

    def _start_vm(self) -> None:
        wait = self._lab.settings.info_timeout
        names = limactl.names_there(self._instance)
        if all(look(limactl.instance_of(name), wait).status != "Running" for name in names):
            # Whoever is just booting loses its network by it (facts/colima.md §1.5).
            shutil.rmtree(self._instance.lima_home / "_networks", ignore_errors=True)
        config = self._instance.lima_home / "_config"
        config.mkdir(parents=True, exist_ok=True)
        (config / "networks.yaml").write_text("networks:\n  user-v2:\n    mode: user-v2\n", "utf-8")
        if not (self._instance.inst / "lima.yaml").exists():
            words.info("creating and starting ...", context="vm")
            # The lab cannot download a disk image; healer must never come here anyway.
            raise FatalError("error starting vm: error at 'creating and starting': exit status 1")
        words.info("starting ...", context="vm")
        self._lima("starting", "start")

    def _lima(self, step: str, *given: str) -> None:
        """A child's words, on both its streams, come out on our stdout."""
        if self._child("limactl", *given, self._instance.name) != 0:
            verb = "starting" if step == "starting" else "stopping"
            raise FatalError(f"error {verb} vm: error at '{step}': exit status 1")

    def _child(self, *argv: str) -> int:
        return subprocess.run(
            argv, stdin=subprocess.DEVNULL, stderr=subprocess.STDOUT, check=False
        ).returncode

    def _provision(self) -> None:
        shutil.copy(self._instance.prof / "colima.yaml", self._instance.inst / "colima.yaml")
        if self._lab.settings.driver == "qemu":
            words.warning(BINFMT)
        words.info("provisioning ...", context="docker")
        if self._lab.settings.engine_gap:
            # Seen for 48 s (facts/colima.md §8): an engine that answered is gone again.
            self._guest.run("sudo", "systemctl", "stop", "docker.socket", "docker.service")
            time.sleep(self._lab.settings.engine_gap)
        host = f"host=unix://{self._instance.prof}/docker.sock"
        docker = shutil.which("docker") or "docker"
        name = self._instance.name
        known = [docker, "context", "inspect", name]
        if subprocess.run(known, capture_output=True, check=False).returncode != 0:
            words_there = ("--description", self._instance.shown, "--docker", host)
            self._child("docker", "context", "create", name, *words_there)
        self._child("docker", "context", "use", name)

    def _await_docker(self) -> None:
        words.info("starting ...", context="docker")
        for verb in ("systemctl start docker.socket docker.service", "docker info"):
            for _ in range(TRIES):
                if self._guest.run("sudo", *verb.split()).returncode == 0:
                    break
                time.sleep(0.1)

    def _write_ssh_config(self) -> None:
        text = self._instance.ssh_config.read_text("utf-8").replace("Host lima-", "Host ")
        replace(self._instance.root / "ssh_config", text)
        ours = Path(os.environ["HOME"]) / ".ssh" / "config"
        ours.parent.mkdir(exist_ok=True)
        include = f"Include {self._instance.root}/ssh_config\n"
        text = ours.read_text("utf-8") if ours.exists() else ""
        if include not in text:
            ours.write_text(include + text, "utf-8")

    def stop(self, *, force: bool) -> int:
        """Its 0 proves nothing: Broken stays Broken without --force."""
        words.info(f"stopping {self._instance.shown}")
        running = self._guest.is_running()
        if not running and not force:
            words.info("not running", context="vm")
            words.info("done")
            return 0
        if running:
            self._stop_runtime(force=force)
        words.info("stopping ...", context="vm")
        self._lima("stopping", "stop", *(["--force"] if force else []))
        words.info("done")
        replace(self._instance.root / "ssh_config", "")
        return 0

    def _stop_runtime(self, *, force: bool) -> None:
        if force and version(self._lab.settings.colima_version) < ASKS_GUEST_FIRST:
            return
        try:
            self._guest.runtime(self._lab.settings.responsive_timeout if self._main else None)
        except FatalError as error:
            words.warning(f"error retrieving runtimes: {error}")
            return
        except subprocess.TimeoutExpired:
            words.warning("vm not responsive, skipping runtime shutdown")
            return
        words.info("stopping ...", context="docker")
        verb = "kill" if force else "stop"
        words.out(self._both(self._guest.run("sudo", "systemctl", verb, "docker.service")))
        self._child("docker", "context", "rm", "--force", self._instance.name)

    @staticmethod
    def _both(done: subprocess.CompletedProcess[str]) -> str:
        return done.stdout + done.stderr

    def restart(self, *, force: bool) -> int:
        """Stop, a pause, start; with a Broken VM only --force helps."""
        status = look(self._instance, self._lab.settings.info_timeout).status
        if status == "missing":
            raise FatalError("error retrieving instance: exit status 1")
        if status != "Stopped":
            self.stop(force=force)
            time.sleep(self._lab.settings.restart_pause)
        return self.start()

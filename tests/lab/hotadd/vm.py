"""A "VM" for one test: namespaces with a real dockerd and a container that keeps data."""

from __future__ import annotations

import os
import platform
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import Final

from healer.adapters.process import Completed, ProcessRunner

HERE: Final = Path(__file__).parent
NEEDED: Final = (
    "dockerd",
    "containerd",
    "docker",
    "busybox",
    "unshare",
    "nsenter",
    "iptables",
    "curl",
)
APPLETS: Final = ("sh", "sleep", "httpd", "cat")
NAME: Final = "talos-1"
SERVES: Final = (
    "trap 'exit 0' TERM; httpd -p 8000 -h /data; httpd -p 3000 -h /data; "
    "while :; do sleep 1 & wait $!; done"
)
PATIENCE: Final = 60.0


def missing() -> str:
    """What this machine lacks; '' = nothing."""
    if platform.system() != "Linux" or os.geteuid() != 0:
        return "a dockerd of its own needs root on Linux"
    lacks = [one for one in NEEDED if shutil.which(one) is None]
    return f"a dockerd of its own needs {', '.join(lacks)}" if lacks else ""


class Vm:
    """Implements guest_ports.Shell; `folder` must be short, for the socket's name."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.place = "ssh lima-lab"
        self.socket = folder / "docker.sock"
        tools = folder / "bin"
        tools.mkdir()
        tool = tools / "systemctl"
        tool.write_text(f'#!/bin/sh\nexec sh {HERE / "systemctl.sh"} {folder} "$@"\n')
        tool.chmod(0o755)
        words = ["unshare", "-n", "-m", "-p", "-f", "--kill-child=KILL"]
        words += ["sh", str(HERE / "init.sh"), str(folder)]
        with (folder / "init.log").open("wb") as log:
            self._unshare = subprocess.Popen(
                words, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        self._wait_for(folder / "up")
        pid = self._unshare.pid
        children = Path(f"/proc/{pid}/task/{pid}/children")
        self._enter = ("nsenter", "-t", children.read_text().split()[0], "-n", "-m", "-p")
        self.systemctl("start", "docker.socket")
        self.systemctl("start", "docker.service")

    def _wait_for(self, path: Path) -> None:
        ends = time.monotonic() + PATIENCE
        while not path.exists():
            assert time.monotonic() < ends, (self.folder / "init.log").read_text()
            assert self._unshare.poll() is None, (self.folder / "init.log").read_text()
            time.sleep(0.02)

    def close(self) -> None:
        """Pull the plug, and leave nothing behind."""
        self._unshare.send_signal(signal.SIGKILL)
        self._unshare.wait()
        for group in Path("/sys/fs/cgroup").glob(f"*/{self.folder.name}"):
            self._forget(group)

    def _forget(self, group: Path) -> None:
        """What was killed in it takes a moment to go."""
        ends = time.monotonic() + PATIENCE
        while group.exists() and time.monotonic() < ends:
            for one in (*group.glob("*/"), group):
                if one.is_dir():
                    try:
                        one.rmdir()
                    except OSError:
                        time.sleep(0.02)

    def inside(self, *words: str) -> str:
        """Run it there."""
        done = subprocess.run(
            [*self._enter, *words],
            env=self._environment(),
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert not done.returncode, done.stderr
        return done.stdout

    def systemctl(self, *words: str) -> None:
        """As a human would."""
        self.inside(str(self.folder / "bin" / "systemctl"), *words)

    def docker(self, *words: str) -> str:
        """The real client."""
        return self.inside("docker", "--host", f"unix://{self.socket}", *words)

    def furnish(self) -> None:
        """A container like Talos' in what matters: a port, a volume with data, no restarts."""
        layer = self.folder / "layer"
        (layer / "bin").mkdir(parents=True)
        shutil.copy(str(shutil.which("busybox")), layer / "bin" / "busybox")
        for name in APPLETS:
            (layer / "bin" / name).symlink_to("busybox")
        archive = self.folder / "layer.tar"
        subprocess.run(["tar", "-C", str(layer), "-cf", str(archive), "."], check=True)  # noqa: S607  (any tar will do)
        self.docker("import", str(archive), "lab/serves:1")
        words = ["run", "--detach", "--name", NAME, "--volume", "data:/data"]
        words += ["--label", "talos.owned=true", "--label", "talos.cluster.name=joel"]
        words += ["--env", "USERDATA=U0VDUkVU", "--publish", "6379:8000"]
        self.docker(*words, "lab/serves:1", "/bin/sh", "-c", SERVES)
        self.docker("exec", NAME, "/bin/sh", "-c", "echo precious > /data/kept")

    def fetched(self, port: int) -> str:
        """What comes back through a published port, over docker-proxy or iptables; '' = nothing."""
        url = f"http://127.0.0.1:{port}/kept"
        return self.inside("sh", "-c", f"curl -s -m 5 {url} || :").strip()

    def _environment(self) -> dict[str, str]:
        path = f"{self.folder / 'bin'}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        return {"PATH": path, "HOME": str(self.folder)}

    async def run(self, command: str, *, stdin: bytes = b"", deadline: float) -> Completed:
        """As sshd would, by a login shell."""
        words = (*self._enter, "sh", "-c", command)
        return await ProcessRunner().run(
            words, deadline=deadline, env=self._environment(), stdin=stdin
        )

"""A real sshd of our own as the VM's door, with Lima's configuration before it.

The paths that healer's scripts name are moved into a folder by a stand-in `sh`, so that
nothing of the machine is read or written; everything else that is said is the real ssh.
"""

import getpass
import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from healer.adapters.guest_script import MODULES_FILE, SYSCTL, Question
from healer.adapters.process import ProcessRunner
from healer.adapters.ssh import DirectSsh, SshGuest
from healer.model.machine import ColimaPaths
from tests.unit.adapters.helpers import write_tool

SYSTEM = "/usr/bin:/bin:/usr/sbin:/sbin"
_SSHD = """ListenAddress 127.0.0.1
Port {port}
HostKey {folder}/host
AuthorizedKeysFile {folder}/user.pub
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PidFile none
SetEnv PATH={folder}/bin:{system} HOME={folder}
"""
_CONFIG = """# This SSH config file can be passed to 'ssh -F'.
Host lima-colima
  IdentityFile "{folder}/user"
  StrictHostKeyChecking no
  UserKnownHostsFile /dev/null
  NoHostAuthenticationForLocalhost yes
  PreferredAuthentications publickey
  BatchMode yes
  IdentitiesOnly yes
  User {user}
  ControlMaster auto
  ControlPath "{control}"
  ControlPersist yes
  Hostname 127.0.0.1
  Port {port}
"""


def require_sshd() -> str:
    """Where sshd is; skips the test where there is none, which CI must never do."""
    found = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:{SYSTEM}")
    if found is None and os.environ.get("CI") == "true":
        pytest.fail("sshd is missing: CI must install openssh-server")
    if found is None:
        pytest.skip("needs sshd (Debian: openssh-server)")
    return found


def free_port() -> int:
    """A port on which nobody listens just now."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def answering(port: int | None) -> Callable[[], Awaitable[int | None]]:
    """A hostagent that names that port."""

    async def port_of() -> int | None:
        return port

    return port_of


class Door:
    """The sshd, the keys, the guest's folder of played programs, and Lima's ssh.config."""

    def __init__(self, folder: Path) -> None:
        sshd = require_sshd()
        self.folder = folder
        self.tools = folder / "bin"
        self.guest = folder / "guest"
        self.port = free_port()
        self.paths = ColimaPaths(folder / "colima")
        self.paths.instance.mkdir(parents=True)
        self.paths.profile_folder.mkdir(parents=True)
        if os.getuid() == 0:
            Path("/run/sshd").mkdir(exist_ok=True)
        for name in ("host", "user"):
            argv = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)]
            subprocess.run(argv, check=True)
        config = folder / "sshd_config"
        config.write_text(_SSHD.format(port=self.port, folder=folder, system=SYSTEM), "utf-8")
        self.heal()
        self._sshd = subprocess.Popen(
            [sshd, "-D", "-e", "-f", str(config)], stderr=subprocess.PIPE, text=True
        )
        self._await_listening()

    @property
    def sshd_pid(self) -> int:
        """Below it is everything that runs in this VM."""
        return self._sshd.pid

    def _await_listening(self) -> None:
        assert self._sshd.stderr is not None
        for line in self._sshd.stderr:
            if "Server listening" in line:
                return
        pytest.fail("sshd did not start")

    def heal(self) -> None:
        """Make everything as in a healthy VM."""
        for one in (self.guest, self.tools):
            shutil.rmtree(one, ignore_errors=True)
            one.mkdir()
        self.configure(self.port)
        (self.guest / "bridge").touch()
        self.play(
            "sh",
            f"there='s#{MODULES_FILE}#{self.guest}/modules#g; s#{SYSCTL}#{self.guest}/bridge#g'\n"
            'if [ "$1" = -c ]; then\n'
            '  script=$(printf %s "$2" | sed "$there"); shift 2; exec /bin/sh -c "$script" "$@"\n'
            "fi\n"
            'sed "$there" | /bin/sh "$@"',
        )
        for name in ("modprobe", "systemctl"):
            self.play(name, f'echo {name} "$@" >> {self.guest}/called')
        self.play("sudo", '[ "$1" = -n ] || exit 9; shift; exec "$@"')
        self.play("docker", "echo running 55001 10.5.0.2")
        self.play("curl", 'case "$*" in *_ping*) echo OK ;; *) printf 401 ;; esac')

    def play(self, name: str, script: str) -> None:
        """Put a stand-in first into the VM's PATH."""
        write_tool(self.tools, name, script)

    def before_shell(self, script: str) -> None:
        """Let every shell of the VM do this first, as a user's rc file may."""
        shell = self.tools / "sh"
        first, _, rest = shell.read_text("utf-8").partition("\n")
        shell.write_text(f"{first}\n{script}\n{rest}", "utf-8")

    def called(self) -> list[str]:
        """What the stand-ins were told, in order."""
        return (self.guest / "called").read_text("utf-8").splitlines()

    def configure(self, port: int, *, key: str = "user") -> None:
        """Write Lima's ssh.config (facts/colima.md §3)."""
        text = _CONFIG.format(
            folder=self.folder,
            user=getpass.getuser(),
            control=self.paths.instance / "ssh.sock",
            port=port,
        ).replace(f'{self.folder}/user"', f'{self.folder}/{key}"')
        self.paths.ssh_config.write_text(text, "utf-8")
        self.paths.ssh_config.chmod(0o600)

    def environment(self) -> dict[str, str]:
        """What the Mac's ssh is given."""
        return {"PATH": SYSTEM, "HOME": str(self.folder), "LC_ALL": "C"}

    def ssh(self, port: int | None) -> DirectSsh:
        """Our direct way, to that port."""
        return DirectSsh(ProcessRunner(), self.paths, self.environment(), answering(port))

    def vm(self, container: str = "talos", ports: tuple[int, ...] = ()) -> SshGuest:
        """The VM as the hostagent knows it."""
        return SshGuest(self.ssh(self.port), Question(container, 6443, ports))

    def at(self, port: int | None) -> SshGuest:
        """The VM where the hostagent names that port."""
        return SshGuest(self.ssh(port), Question("talos"))

    def close(self) -> None:
        """End sshd; its sessions end with their clients."""
        self._sshd.send_signal(signal.SIGTERM)
        self._sshd.communicate()

"""`limactl hostagent`: for vz it is the VM's process, too; that of qemu outlives it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tests.lab.virtual import lima
from tests.lab.virtual.forwards import Forwards
from tests.lab.virtual.layout import Layout, alive, link, read_pid, write
from tests.lab.virtual.usernet import SSH_PORT, enter_network, expose

if TYPE_CHECKING:
    from collections.abc import Callable

START: Final = Path(__file__).parent / "guest" / "start.sh"
LOOK_EVERY: Final = 0.05
QEMU_SOCKETS: Final = ("qmp.sock", "serial.sock", "serialv.sock")
"""What its driver makes, and leaves behind in a crash."""
CONFIG: Final = """\
# This SSH config file can be passed to 'ssh -F'.
# This file is created by Lima, but not used by Lima itself currently.
# Modifications to this file will be lost on restarting the Lima instance.
Host lima-colima
  IdentityFile "{key}"
  StrictHostKeyChecking no
  UserKnownHostsFile /dev/null
  NoHostAuthenticationForLocalhost yes
  PreferredAuthentications publickey
  Compression no
  BatchMode yes
  IdentitiesOnly yes
  GSSAPIAuthentication no
  Ciphers "^aes128-gcm@openssh.com,aes256-gcm@openssh.com"
  User root
  ControlMaster auto
  ControlPath "{instance}/ssh.sock"
  ControlPersist yes
  Hostname 127.0.0.1
  Port {port}
"""


class Hostagent:
    """One life of the VM."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._settings = layout.settings()
        self._stop = threading.Event()
        self._is_driver = self._settings.vm_type == "vz"
        self._driver = self._settings.vm_type.upper()
        self._port = 0
        self._machine: subprocess.Popen[bytes] | None = None
        self._init = 0
        self._forwards = Forwards(layout, self._log)

    def run(self) -> int:
        """Boot, serve until told to stop or until the guest ends, and clean up."""
        signal.signal(signal.SIGINT, lambda *_: self._stop.set())
        signal.signal(signal.SIGTERM, lambda *_: self._stop.set())
        refusal = self._refusal()
        if refusal:
            return self._refuse(refusal)
        self._open()
        if self._disk_refused():
            return self._refuse('failed to run attach disk "colima", in use by instance "colima"')
        self._power_on()
        if self._boot():
            self._serve()
        self._shut_down()
        return 0

    def _log(self, message: str, level: str = "info") -> None:
        entry = {"level": level, "msg": message, "time": _now()}
        sys.stderr.write(json.dumps(entry, ensure_ascii=False) + "\n")
        sys.stderr.flush()

    def _event(self, **status: Any) -> None:  # noqa: ANN401  an event's own fields
        entry = {"time": _now(), "status": {**status, "sshLocalPort": self._port}}
        sys.stdout.write(json.dumps(entry, separators=(",", ":")) + "\n")
        sys.stdout.flush()

    def _refusal(self) -> str:
        other = read_pid(self._layout.instance / "ha.pid")
        return f"another hostagent may already be running with pid {other}" if alive(other) else ""

    def _refuse(self, message: str) -> int:
        self._log(message, "fatal")
        self._event(exiting=True)
        if read_pid(self._layout.instance / "ha.pid") == os.getpid():
            self._remove("ha.pid", "ha.sock")
        return 1

    def _open(self) -> None:
        """The port is new at each start, and in the file before sshd answers."""
        instance = self._layout.instance
        write(instance / "ha.pid", f"{os.getpid()}\n")
        with socket.create_server(("127.0.0.1", 0)) as free:
            self._port = free.getsockname()[1]
        config = CONFIG.format(key=self._layout.key, instance=instance, port=self._port)
        write(self._layout.ssh_config, config, 0o600)
        self._remove("ha.sock")
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(instance / "ha.sock"))
        listener.listen()
        threading.Thread(target=self._inform, args=(listener,), daemon=True).start()
        self._log(f"hostagent socket created at {instance}/ha.sock")

    def _inform(self, listener: socket.socket) -> None:
        body = json.dumps({"sshLocalPort": self._port}, separators=(",", ":"))
        head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n"
        answer = f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode()
        while True:
            asked, _ = listener.accept()
            with asked, suppress(OSError):
                asked.settimeout(1)
                asked.recv(65536)
                asked.sendall(answer)

    def _disk_refused(self) -> bool:
        lock = self._layout.in_use_by
        if lock.is_symlink():
            if self._settings.versions.disk_lock_is_fatal:
                return True
            lock.unlink()
        lock.parent.mkdir(parents=True, exist_ok=True)
        lock.symlink_to(self._layout.instance)
        self._log("Mounting disk `colima` on `/mnt/lima-colima`")
        return False

    def _power_on(self) -> None:
        """Two VMs on one disk never come up: wait until the last one is gone."""
        layout = self._layout
        lima.eventually(lambda: lima.remove_cgroups(layout), 30)
        logs = f"{layout.instance}/serial*.log"
        self._log(f"Starting {self._driver} (hint: to watch the boot progress, see `{logs}`)")
        argv = ["/bin/sh", str(START), "start", layout.cgroup, str(layout.root)]
        argv += [self._settings.python, str(layout.instance / "disk")]
        if self._is_driver:
            argv = ["setpriv", "--pdeathsig", "KILL", *argv, "unshare"]
        else:
            argv.append(f"/opt/homebrew/bin/qemu-system-{self._settings.arch}")
        with (layout.instance / "serialv.log").open("wb") as console:
            self._machine = subprocess.Popen(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=console,
                start_new_session=not self._is_driver,
            )
        driver = os.getpid() if self._is_driver else self._machine.pid
        write(layout.driver_pid, f"{driver}\n")
        for name in () if self._is_driver else QEMU_SOCKETS:
            self._remove(name)
            with socket.socket(socket.AF_UNIX) as left:
                left.bind(str(layout.instance / name))
        self._event()

    def _boot(self) -> bool:
        """Whether READY was reached; the essential requirements are Lima's."""
        if not self._require(1, "ssh", self._has_ssh):
            return False
        if not self._require(2, "user session is ready for ssh", lambda: True):
            return False
        if not self._require(3, "Explicitly start ssh ControlMaster", self._forwards.start_master):
            return False
        self._log("Waiting for the guest agent to be running")
        self._forwards.forward_sockets()
        self._log("Guest agent is running")
        self._log("Waiting for the final requirement 1 of 1: `boot scripts must have finished`")
        if not self._until(self._ran_boot_scripts):
            return False
        self._log("The final requirement 1 of 1 is satisfied")
        if self._settings.degraded:
            self._event(running=True, degraded=True, errors=["guest agent does not seem to run"])
        else:
            self._event(running=True)
        return True

    def _require(self, number: int, name: str, look: Callable[[], bool]) -> bool:
        self._log(f"Waiting for the essential requirement {number} of 3: `{name}`")
        if not self._until(look):
            return False
        self._log(f"The essential requirement {number} of 3 is satisfied")
        return True

    def _until(self, look: Callable[[], bool]) -> bool:
        while not self._is_over():
            if look():
                return True
            self._stop.wait(LOOK_EVERY)
        return False

    def _is_over(self) -> bool:
        assert self._machine is not None
        return self._stop.is_set() or self._machine.poll() is not None

    def _has_ssh(self) -> bool:
        if not self._find_init():
            return False
        found: list[bytes] = []

        def knock() -> None:
            with suppress(OSError):
                enter_network(self._init)
                with socket.create_connection(("127.0.0.1", SSH_PORT), timeout=1) as door:
                    found.append(door.recv(4))

        thread = threading.Thread(target=knock)
        thread.start()
        thread.join()
        if found != [b"SSH-"]:
            return False
        expose(self._layout, self._port, self._init)
        return True

    def _find_init(self) -> bool:
        assert self._machine is not None
        pid = self._machine.pid
        with suppress(OSError):
            children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
            self._init = int((children.split() or ["0"])[0])
        if not self._init or not Path(f"/proc/{self._init}/root/run/guest/init.sock").exists():
            return False
        root = f"/proc/{self._init}/root"
        link(self._layout.guest_engine, f"{root}/run/docker.sock")
        link(self._layout.guest_flags, f"{root}/run/guest")
        write(self._layout.guest_pid, f"{self._init}\n")
        return True

    def _ran_boot_scripts(self) -> bool:
        return Path(f"/proc/{self._init}/root/run/guest/booted").exists()

    def _serve(self) -> None:
        while not self._is_over():
            self._forwards.follow(self._init)
            self._stop.wait(self._settings.port_poll)

    def _shut_down(self) -> None:
        """The same for a stop and for a VM that ended by itself, but for the first word."""
        told = self._stop.is_set()
        if told:
            self._log("Received SIGINT, shutting down the host agent")
        else:
            reason = "vz driver state stopped" if self._is_driver else "signal: killed"
            self._log(f"Driver stopped due to error: `{reason}`")
        self._log("Shutting down the host agent")
        self._event(exiting=True)
        self._forwards.end()
        self._log("Unmounting disk `colima`")
        self._log(f"Shutting down {self._driver}")
        self._power_off()
        lima.eventually(lambda: lima.remove_cgroups(self._layout), 30)
        self._layout.in_use_by.unlink(missing_ok=True)
        self._remove("ha.pid", self._layout.driver_pid.name, "ha.sock", "ga.sock")
        if told:
            self._remove(*QEMU_SOCKETS)
        self._log(f"{self._driver} has exited")

    def _power_off(self) -> None:
        """The guest is asked, but not for ever."""
        assert self._machine is not None
        with suppress(OSError), socket.socket(socket.AF_UNIX) as asked:
            asked.settimeout(2)
            asked.connect(f"/proc/{self._init}/root/run/guest/init.sock")
            asked.sendall(b'["poweroff"]')
        try:
            self._machine.wait(self._settings.poweroff_patience)
        except subprocess.TimeoutExpired:
            self._machine.kill()
            lima.thaw(self._layout)
            self._machine.wait()

    def _remove(self, *names: str) -> None:
        for name in names:
            (self._layout.instance / name).unlink(missing_ok=True)


def _now() -> str:
    now = datetime.fromtimestamp(time.time(), tz=UTC)
    return now.isoformat().replace("+00:00", "Z")


def main(root: str) -> int:
    """Live as the VM of that lab."""
    return Hostagent(Layout(Path(root))).run()

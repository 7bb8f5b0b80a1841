"""`limactl hostagent`: the process that is the VM for all that Lima knows."""

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
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import formatdate
from typing import TYPE_CHECKING, Any, Final

from tests.lab.standin import forwards as ssh_forwards
from tests.lab.standin.forwards import Forwards, host, listening, ssh
from tests.lab.standin.instance import Instance, configured_port
from tests.lab.standin.settings import Lab, version
from tests.lab.standin.vm import cut

if TYPE_CHECKING:
    from pathlib import Path


LOOK: Final = 0.05
DISK_LOCK_FIXED: Final = (2, 1, 1)
GUEST_SSH: Final = 22
SSH_TRIES: Final = 0.1
SSH_CONFIG: Final = """\
# This SSH config file can be passed to 'ssh -F'.
# This file is created by Lima, but not used by Lima itself currently.
# Modifications to this file will be lost on restarting the Lima instance.
Host {host}
  IdentityFile "{lima_home}/_config/user"
  StrictHostKeyChecking no
  UserKnownHostsFile /dev/null
  NoHostAuthenticationForLocalhost yes
  PreferredAuthentications publickey
  Compression no
  BatchMode yes
  IdentitiesOnly yes
  GSSAPIAuthentication no
  Ciphers "^aes128-gcm@openssh.com,aes256-gcm@openssh.com"
  User {user}
  ControlMaster auto
  ControlPath "{inst}/ssh.sock"
  ControlPersist yes
  Hostname 127.0.0.1
  Port {port}
"""
QEMU_TITLE: Final = "/usr/bin/qemu-system-x86_64"
VZ_TITLE: Final = "/System/Library/Frameworks/Virtualization.framework/VirtualMachine"


def log(level: str, msg: str, **fields: str) -> None:
    """One line of ha.stderr.log, which `limactl start` shows as its own."""
    at = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    sys.stderr.write(f"{json.dumps({'level': level, 'msg': msg, 'time': at, **fields})}\n")
    sys.stderr.flush()


@dataclass(slots=True)
class Hostagent:
    """One life of the hostagent, from its pid file to the removal of it."""

    lab: Lab
    instance: Instance
    port: int
    forwards: Forwards = field(init=False)
    driver: subprocess.Popen[bytes] | None = field(default=None, init=False)
    ending: threading.Event = field(default_factory=threading.Event, init=False)

    def __post_init__(self) -> None:
        """The mux is told of ports by this hostagent's events."""
        self.forwards = Forwards(self.instance, log, lambda one: self.event(portForward=one))

    def run(self) -> int:
        """Boot, serve, and end on SIGINT or when the VM is gone."""
        inst = self.instance.inst
        write_pid(inst / "ha.pid", os.getpid())
        self.write_ssh_config()
        threading.Thread(target=self.serve_info, daemon=True).start()
        signal.signal(signal.SIGINT, lambda *_: self.ending.set())
        threading.Thread(target=self.boot, daemon=True).start()
        while not self.ending.wait(LOOK):
            if self.driver is not None and self.driver.poll() is not None:
                log("info", "Driver has exited")
                self.forwards.cancel_sockets()
                self.leave()
                return 1
        log("info", "Received SIGINT, shutting down the host agent")
        self.shut_down()
        self.leave()
        return 0

    def write_ssh_config(self) -> None:
        """Written before anybody listens there (facts/colima.md §7)."""
        text = SSH_CONFIG.format(
            host=host(self.instance),
            lima_home=self.instance.lima_home,
            inst=self.instance.inst,
            user="root",
            port=self.port,
        )
        self.instance.ssh_config.unlink(missing_ok=True)
        self.instance.ssh_config.touch(0o600)
        self.instance.ssh_config.write_text(text, "utf-8")

    def event(self, **status: Any) -> None:  # noqa: ANN401  an event's own fields
        """One line of ha.stdout.log."""
        at = datetime.now(UTC).isoformat().replace("+00:00", "Z")
        # Lima tells the state first, the port next and details last.
        detail = {key: status.pop(key) for key in ("portForward",) if key in status}
        body = {**status, "sshLocalPort": self.port, **detail}
        line = json.dumps({"time": at, "status": body}, separators=(",", ":"))
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()

    def serve_info(self) -> None:
        """`GET /v1/info` on ha.sock."""
        path = self.instance.inst / "ha.sock"
        path.unlink(missing_ok=True)
        with socket.socket(socket.AF_UNIX) as door:
            door.bind(str(path))
            door.listen()
            log("info", f"hostagent socket created at {path}")
            while True:
                client, _ = door.accept()
                threading.Thread(target=self._answer, args=(client,), daemon=True).start()

    def _answer(self, client: socket.socket) -> None:
        with client, suppress(OSError):
            asked = client.recv(4096)
            known = asked.startswith(b"GET /v1/info ")
            body = f'{{"sshLocalPort":{self.port}}}' if known else ""
            status = "200 OK" if known else "404 Not Found"
            head = (
                f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\n"
                f"Date: {formatdate(usegmt=True)}\r\nContent-Length: {len(body)}\r\n\r\n"
            )
            client.sendall((head + body).encode())

    def boot(self) -> None:
        """The whole boot; whatever goes wrong here leaves the start waiting, as in Lima."""
        settings, inst = self.lab.settings, self.instance.inst
        while not (inst / "ha.sock").is_socket():
            time.sleep(0.01)
        for line in starting_lines(settings.driver, inst):
            log("info", line)
        if disk_is_locked(self.lab, self.instance):
            log("fatal", f'failed to run attach disk "{self.instance.name}", in use by instance')
            self.event(exiting=True)
            self.leave(unlock=False)
            os._exit(1)
        self.event()
        self.hold_disk()
        self.driver = self.power_on()
        time.sleep(settings.driver_delay)
        self.held_by("stuck_driver")
        pid = os.getpid() if settings.driver == "vz" else self.driver.pid
        write_pid(inst / f"{settings.driver}.pid", pid, 0o600)
        if settings.driver == "vz":
            log("info", "[VZ] - vm state change: running")
        log("info", "Waiting for the essential requirement 1 of 3: `ssh`")
        time.sleep(settings.ssh_delay)
        self.held_by("stuck_ssh")
        try:
            self.expose_ssh()
        except OSError as error:
            log("error", f"no route to the guest: {error}")
            return
        self.await_ssh()
        log("info", "The essential requirement 1 of 3 is satisfied")
        self.finish_boot()

    def held_by(self, fault: str) -> None:
        """Go no further while the lab's settings name that fault."""
        while Lab(self.lab.root).settings.start_fault == fault:
            time.sleep(LOOK)

    def finish_boot(self) -> None:
        """From the first answer of ssh to READY."""
        log("info", "Waiting for the essential requirement 2 of 3: `user session is ready for ssh`")
        log("info", "The essential requirement 2 of 3 is satisfied")
        third = "Waiting for the essential requirement 3 of 3: `Explicitly start ssh ControlMaster`"
        log("info", third)
        self.forwards.start_master()
        log("info", "The essential requirement 3 of 3 is satisfied")
        log("info", "Waiting for the guest agent to be running")
        self.forwards.forward_sockets()
        log("info", "Guest agent is running")
        final = "Waiting for the final requirement 1 of 1: `boot scripts must have finished`"
        log("info", final)
        log("info", "Time sync: guest agent is alive, starting time synchronization")
        self.look_at_ports()
        threading.Thread(target=self.watch_ports, daemon=True).start()
        ssh(self.instance, *ssh_forwards.OWN, host(self.instance), BOOT_SCRIPT, deadline=None)
        time.sleep(self.lab.settings.ready_delay)
        if self.lab.settings.start_fault == "degraded":
            why = "boot scripts must have finished: timed out"
            self.event(running=True, degraded=True, errors=[why])
            return
        log("info", "The final requirement 1 of 1 is satisfied")
        self.event(running=True)

    def hold_disk(self) -> None:
        """The lock that knows nothing of liveness."""
        link = self.instance.in_use_by
        link.unlink(missing_ok=True)
        link.symlink_to(self.instance.inst)

    def power_on(self) -> subprocess.Popen[bytes]:
        """Start the driver; for vz it dies with us, as one process would."""
        settings = self.lab.settings
        title = QEMU_TITLE if settings.driver == "qemu" else VZ_TITLE
        disk = f"file={self.instance.inst}/disk"
        return subprocess.Popen(
            [str(self.lab.guest / "vm"), title, "-drive", disk],
            stdin=subprocess.PIPE,
            start_new_session=True,
        )

    def expose_ssh(self) -> None:
        """Let usernet listen: until the guest has an address the port is closed."""
        # Before it has an address nothing of the guest can even refuse.
        while ("0.0.0.0", GUEST_SSH) not in listening(self.lab.vm_pids().get("init", 0)):
            time.sleep(LOOK)
        order = {"port": self.port, "pid": self.lab.vm_pids()["init"]}
        with socket.socket(socket.AF_UNIX) as door:
            door.connect(str(self.instance.networks / "user-v2_ep.sock"))
            with door.makefile("rw", encoding="utf-8") as stream:
                stream.write(f"{json.dumps(order)}\n")
                stream.flush()
                log("debug", f"usernet: {stream.readline()}")

    def await_ssh(self) -> None:
        """Past the mux: Lima makes it only in the third requirement."""
        words = (*ssh_forwards.OWN, host(self.instance), "true")
        while ssh(self.instance, *words).returncode != 0:
            time.sleep(SSH_TRIES)

    def watch_ports(self) -> None:
        """What the guest agent reports."""
        while True:
            time.sleep(self.lab.settings.port_poll)
            self.look_at_ports()

    def look_at_ports(self) -> None:
        """What is listening now."""
        self.forwards.follow(listening(self.lab.vm_pids().get("init", 0)))

    def shut_down(self) -> None:
        """The clean end: forwards, power button, and the plug if the guest is deaf."""
        settings = self.lab.settings
        log("info", "Shutting down the host agent")
        self.forwards.cancel_sockets()
        log("info", f"Unmounting disk `{self.instance.name}`")
        for line in stopping_lines(settings.driver):
            log("info", line)
        init = self.lab.vm_pids().get("init")
        if self.driver is None or init is None:
            return
        with suppress(ProcessLookupError):
            os.kill(init, signal.SIGTERM)
        try:
            self.driver.wait(settings.poweroff_timeout)
        except subprocess.TimeoutExpired:
            cut(self.lab)
            self.driver.wait()
        log("info", "QEMU has exited" if settings.driver == "qemu" else "[VZ] - vm state: stopped")

    def leave(self, *, unlock: bool = True) -> None:
        """Remove what a clean end removes (facts/colima.md §2)."""
        self.forwards.end_master()
        inst = self.instance.inst
        for name in ("ha.pid", "ha.sock", f"{self.lab.settings.driver}.pid", "ssh.sock"):
            (inst / name).unlink(missing_ok=True)
        if unlock:
            self.instance.in_use_by.unlink(missing_ok=True)


BOOT_SCRIPT: Final = "until docker version >/dev/null 2>&1; do sleep 0.1; done"


def disk_is_locked(lab: Lab, instance: Instance) -> bool:
    """Whether this Lima stumbles over a lock that a crash has left (facts/colima.md §5)."""
    return instance.in_use_by.is_symlink() and version(lab.settings.lima_version) < DISK_LOCK_FIXED


def starting_lines(driver: str, inst: Path) -> list[str]:
    """What it says before power-on."""
    hint = f"(hint: to watch the boot progress, see `{inst}/serial*.log`)"
    if driver == "qemu":
        firmware = "Using system firmware (`/usr/share/OVMF/OVMF_CODE.fd`)"
        return [firmware, "Mounting disk `colima` on `/mnt/lima-colima`", f"Starting QEMU {hint}"]
    return ["Mounting disk `colima` on `/mnt/lima-colima`", f"Starting VZ {hint}"]


def stopping_lines(driver: str) -> list[str]:
    """What it says when it presses the power button."""
    if driver == "qemu":
        return ["Shutting down QEMU with the power button", "Sending QMP system_powerdown command"]
    return ["Shutting down VZ"]


def write_pid(path: Path, pid: int, mode: int = 0o644) -> None:
    """Decimal and a newline."""
    path.touch(mode)
    path.write_text(f"{pid}\n", "utf-8")


def free_port(instance: Instance) -> int:
    """Another one than last time (facts/colima.md §8, ssh port)."""
    while True:
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = int(probe.getsockname()[1])
        if port != configured_port(instance):
            return port

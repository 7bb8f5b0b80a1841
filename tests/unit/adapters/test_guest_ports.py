"""The VM's side of a hot-add: the real script on real files, and answers that make no sense."""

import asyncio
import hashlib
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from healer.adapters.guest_ports import GuestPorts
from healer.adapters.process import Completed, ProcessRunner
from healer.model.hot_add import Units
from healer.ports import ActFailed, CannotLook, TargetSilent
from tests.unit.cli.command import fake_tool

SYSTEMCTL = """
state="$HOME/$(basename "$2" 2>/dev/null)"
case $1 in
  show) if [ -e "$state" ]; then echo LoadState=loaded; echo "ActiveState=$(cat "$state")"
        else echo LoadState=not-found; echo ActiveState=inactive; fi ;;
  stop) echo "stop $2" >> "$HOME/calls"; echo inactive > "$state" ;;
  start) echo "start $2" >> "$HOME/calls"; echo active > "$state" ;;
  reset-failed) exit 1 ;;
esac
"""


@dataclass
class Vm:
    """A shell on this machine with a systemctl of its own; implements Shell."""

    home: Path
    place: str = "ssh lima-colima"

    async def run(self, command: str, *, stdin: bytes = b"", deadline: float) -> Completed:
        """As sshd runs it: by the login shell, whose rc file may have said anything."""
        path = f"{self.home}/bin:/usr/bin:/bin"
        environment = {"PATH": path, "HOME": str(self.home)}
        words = ("sh", "-c", f"echo socket=lies; {command}")
        return await ProcessRunner().run(words, deadline=deadline, env=environment, stdin=stdin)

    def unit(self, name: str, state: str) -> None:
        """Have it in that state."""
        (self.home / name).write_text(f"{state}\n")


@pytest.fixture(name="vm")
def fixture_vm(tmp_path: Path) -> Vm:
    """Docker is down there; whoever we are, sudo lets us."""
    fake_tool(tmp_path / "bin", "systemctl", SYSTEMCTL)
    fake_tool(tmp_path / "bin", "sudo", 'shift; exec "$@"')
    vm = Vm(tmp_path)
    vm.unit("docker.socket", "inactive")
    vm.unit("docker.service", "inactive")
    return vm


def sha(data: bytes) -> str:
    """Its SHA-256."""
    return hashlib.sha256(data).hexdigest()


async def test_a_file_is_replaced_whole_with_its_owner_and_mode(vm: Vm) -> None:
    """Any bytes; nothing is left beside it."""
    file, new = vm.home / "it's.json", bytes(range(256)) * 400
    file.write_bytes(b"old")
    file.chmod(0o640)
    if os.geteuid() == 0:
        os.chown(file, 12345, 23456)
    owner = (file.stat().st_uid, file.stat().st_gid)
    guest = GuestPorts(vm)
    await guest.replace(str(file), new, sha(b"old"))
    assert new == file.read_bytes() == await guest.read(str(file))
    assert sha(new) == await guest.digest(str(file))
    assert (0o640, owner) == (
        file.stat().st_mode & 0o777,
        (file.stat().st_uid, file.stat().st_gid),
    )
    assert not list(vm.home.glob("*.healer"))


@pytest.mark.parametrize("unit", ["docker.socket", "docker.service"])
async def test_nothing_is_written_while_docker_is_up(vm: Vm, unit: str) -> None:
    """It would be lost: dockerd writes both files from memory (facts §9)."""
    file = vm.home / "hostconfig.json"
    file.write_bytes(b"old")
    vm.unit(unit, "active")
    with pytest.raises(ActFailed, match=f"{unit} is not down"):
        await GuestPorts(vm).replace(str(file), b"new", sha(b"old"))
    assert b"old" == file.read_bytes()


async def test_a_file_that_somebody_changed_is_left(vm: Vm) -> None:
    """As are a link and a file that is not there."""
    file = vm.home / "hostconfig.json"
    file.write_bytes(b"theirs")
    guest = GuestPorts(vm)
    with pytest.raises(ActFailed, match="changed by somebody else"):
        await guest.replace(str(file), b"new", sha(b"old"))
    link = vm.home / "link"
    link.symlink_to(file)
    for odd in (link, vm.home / "gone"):
        with pytest.raises(ActFailed, match="no regular file"):
            await guest.replace(str(odd), b"new", sha(b"theirs"))
    assert b"theirs" == file.read_bytes()


async def test_a_full_disk_leaves_the_old_file(vm: Vm) -> None:
    """What could not be written whole is not renamed."""
    file = vm.home / "hostconfig.json"
    file.write_bytes(b"old")
    fake_tool(vm.home / "bin", "dd", 'exec head -c 2 > "${1#of=}"')
    with pytest.raises(ActFailed, match="not written whole"):
        await GuestPorts(vm).replace(str(file), b"new", sha(b"old"))
    assert b"old" == file.read_bytes()
    assert not list(vm.home.glob("*.healer"))


async def test_the_socket_is_stopped_before_the_service(vm: Vm) -> None:
    """And started before it; a start limit of systemd is lifted, or its lack ignored."""
    guest = GuestPorts(vm)
    await guest.start_docker()
    assert Units("active", "active") == await guest.units()
    await guest.stop_docker()
    assert Units("inactive", "inactive") == await guest.units()
    expected = ["start docker.socket", "start docker.service"]
    expected += ["stop docker.socket", "stop docker.service"]
    assert expected == (vm.home / "calls").read_text().splitlines()


async def test_a_vm_without_a_socket_unit_has_only_the_service(vm: Vm) -> None:
    """Nothing wakes dockerd there; a VM without the service says so with ''."""
    (vm.home / "docker.socket").unlink()
    await GuestPorts(vm).stop_docker()
    assert ["stop docker.service"] == (vm.home / "calls").read_text().splitlines()
    (vm.home / "docker.service").unlink()
    assert Units("inactive", "") == await GuestPorts(vm).units()


async def test_listeners_are_seen_in_the_kernel_s_tables(vm: Vm) -> None:
    """A tcp listener and a udp socket, and neither of the other protocol."""
    loop, guest = asyncio.get_running_loop(), GuestPorts(vm)
    server = await asyncio.start_server(lambda _, __: None, "127.0.0.1", 0)
    transport, _ = await loop.create_datagram_endpoint(
        asyncio.DatagramProtocol, local_addr=("127.0.0.1", 0)
    )
    tcp, udp = server.sockets[0].getsockname()[1], transport.get_extra_info("sockname")[1]
    try:
        seen = [await guest.listens(port, name) for port in (tcp, udp) for name in ("tcp", "udp")]
    finally:
        server.close()
        transport.close()
        await server.wait_closed()
    assert [True, False, False, True] == seen
    assert not await guest.listens(tcp, "tcp")


@dataclass
class Odd:
    """A shell that answers as it is told; implements Shell."""

    stdout: str = ""
    code: int = 0
    stderr: str = ""
    truncated: bool = False
    place: str = "ssh lima-colima"

    async def run(self, command: str, *, stdin: bytes = b"", deadline: float) -> Completed:
        """The one answer."""
        del command, stdin, deadline
        return Completed((), self.code, self.stdout, self.stderr, self.truncated, 0.0)


@pytest.mark.parametrize(
    ("shell", "expected"),
    [
        (Odd(""), CannotLook),
        (Odd("SECRET" * 1000), CannotLook),
        (Odd("\nanswer=1\ndigest=SECRET\ndata=SECRET!\nended=1\n"), CannotLook),
        (Odd("\nanswer=1\ndigest=00\ndata=U0VDUkVU\nended=1\n"), CannotLook),
        (Odd("\nanswer=1\ndigest=00\ndata=U0VDUkVU\n"), CannotLook),
        (Odd("\nanswer=1\ndata=U0VDUkVU\nended=1\n", truncated=True), CannotLook),
        (Odd("SECRET", 1, "sudo: a password is required"), ActFailed),
    ],
)
async def test_an_answer_that_makes_no_sense_is_none(shell: Odd, expected: type[Exception]) -> None:
    """Cut, garbled, too long or refused; and no byte of a file is repeated in the error."""
    with pytest.raises(expected) as failed:
        await GuestPorts(shell).read("/x")
    assert "SECRET" not in str(failed.value)


async def test_a_vm_that_hangs_is_left_in_time(vm: Vm) -> None:
    """Silence is an error with its deadline, and the children are gone."""
    fake_tool(vm.home / "bin", "sha256sum", f"exec {shutil.which('sleep')} 600")
    (vm.home / "file").write_text("x")

    class Impatient(Vm):
        async def run(self, command: str, *, stdin: bytes = b"", deadline: float) -> Completed:
            return await Vm.run(self, command, stdin=stdin, deadline=min(deadline, 0.3))

    with pytest.raises(TargetSilent):
        await GuestPorts(Impatient(vm.home)).digest(str(vm.home / "file"))

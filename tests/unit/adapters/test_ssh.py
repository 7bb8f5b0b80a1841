"""The VM's own door, against a real sshd: looks, acts, and each way in which it can be shut."""

import asyncio
import getpass
import os
import shlex
import signal
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from healer.adapters import ssh as adapter
from healer.adapters.ssh import SshGuest
from healer.ports import ActFailed, CannotLook, Denied, PortError, TargetIll, TargetSilent
from tests.unit.adapters.helpers import write_tool
from tests.unit.adapters.ssh_door import Door, free_port

LOOKS: list[Callable[[SshGuest], Awaitable[object]]] = [SshGuest.banner, SshGuest.facts]


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    """One sshd for all tests of this file: a start costs half a second."""
    one = Door(tmp_path_factory.mktemp("door"))
    yield one
    one.close()


@pytest.fixture
def door(shared: Door) -> Door:
    """The door with a healthy VM behind it."""
    shared.heal()
    return shared


async def failure(call: Awaitable[object]) -> PortError:
    """What it raised."""
    with pytest.raises(PortError) as caught:
        await call
    return caught.value


@asynccontextmanager
async def stranger(says: bytes, *, stays: bool = False) -> AsyncIterator[int]:
    """A server that says so to everybody, and closes or stays."""
    done = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        del reader
        writer.write(says)
        if stays:
            await done.wait()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        try:
            yield int(server.sockets[0].getsockname()[1])
        finally:
            done.set()


async def test_the_banner_is_read(door: Door) -> None:
    """A living sshd introduces itself."""
    assert (await door.vm().banner()).startswith("SSH-2.0-OpenSSH")


async def test_one_round_trip_tells_everything(door: Door) -> None:
    """Engine, container, API, kernel and ports come in one answer."""
    before = time.time()
    closed = free_port()
    facts = await door.vm(ports=(door.port, closed)).facts()
    assert facts.engine_answers
    assert facts.bridge_netfilter
    assert not facts.persisted
    assert facts.api_answers is True
    assert "running" == facts.container_status
    assert frozenset({door.port}) == facts.open_ports
    assert before - 1 <= facts.clock <= time.time() + 1
    assert before <= facts.asked_at <= time.time()
    assert facts.uptime > 0
    assert "/" in facts.disks[0].paths
    assert 0 < facts.disks[0].used <= 1


async def test_a_hung_inspect_leaves_the_engine_alive(door: Door) -> None:
    """A container's lock that hangs `inspect` for everyone must not silence the whole VM."""
    door.play("timeout", 'shift; [ "$1" = docker ] && exit 124; exec "$@"')
    door.play("docker", "exec tail -f /dev/null")
    facts = await door.vm().facts()
    assert facts.engine_answers
    assert "" == facts.container_status
    assert facts.api_answers is None


async def test_a_whole_answer_counts_though_the_session_does_not_end(door: Door) -> None:
    """A process in the VM that holds the session open is no reason to call the VM silent."""
    held = door.guest / "held"
    door.play("curl", f"sleep 60 >/dev/null & echo $! >> {held}; echo OK")
    began = time.monotonic()
    try:
        facts = await door.vm().facts()
    finally:
        for pid in held.read_text(encoding="utf-8").split():
            os.kill(int(pid), signal.SIGKILL)

    assert facts.engine_answers
    assert facts.uptime > 0
    assert time.monotonic() - began < adapter.OUTER_SECONDS


async def test_an_engine_that_refuses_is_asked_as_root(door: Door) -> None:
    """A user outside of the docker group sees a refusal where root gets an answer."""
    door.play("id", "echo 501")
    door.play("sudo", 'shift; export AS_ROOT=1; exec "$@"')
    door.play("curl", '[ "$AS_ROOT" ] && echo OK || exit 7')
    assert (await door.vm().facts()).engine_answers


async def test_a_silent_engine_is_not_asked_twice(door: Door) -> None:
    """Two silences would take the time that the answer has."""
    door.play("curl", f"echo curl >> {door.guest}/called; exit 28")
    assert not (await door.vm().facts()).engine_answers
    assert ["curl"] == [one for one in door.called() if one == "curl"]


async def test_a_cut_answer_is_no_dead_engine(door: Door) -> None:
    """A shell that dies half-way has told nothing about the engine."""
    door.play("sh", r"printf 'uptime=5\nclock=7\nbridge=1\nvxlan=1\n'; exit 137")
    said = await failure(door.vm().facts())
    assert TargetIll is type(said)
    assert "answered nonsense" in said.detail


async def test_a_vm_without_a_shell_cannot_be_looked_into(door: Door) -> None:
    """What runs nothing says nothing of the engine."""
    door.play("sh", "echo no such program >&2; exit 127")
    assert CannotLook is type(await failure(door.vm().facts()))


async def test_a_hostile_name_is_a_name(door: Door) -> None:
    """The far end's shell parses the command line: a name must not become a command."""
    name = f"x; touch {door.guest}/owned $(touch {door.guest}/owned) 'y"
    door.play("docker", f'for last; do :; done; printf %s "$last" > {door.guest}/name')
    await door.vm(name).facts()
    assert name == (door.guest / "name").read_text("utf-8")
    assert not (door.guest / "owned").exists()


async def test_modules_are_loaded_and_kept(door: Door) -> None:
    """Twice is as good as once, and the file is whole."""
    for _ in range(2):
        await door.vm().load_modules()
        assert "br_netfilter\nvxlan\n" == (door.guest / "modules").read_text("utf-8")
    assert ["modprobe br_netfilter", "modprobe vxlan"] * 2 == door.called()
    assert not (door.guest / "modules.new").exists()
    assert (await door.vm().facts()).persisted


async def test_modprobe_s_own_words_come_back(door: Door) -> None:
    """A kernel without the module says so itself."""
    door.play("modprobe", "echo 'FATAL: Module br_netfilter not found' >&2; exit 1")
    said = await failure(door.vm().load_modules())
    assert ActFailed is type(said)
    assert "FATAL: Module br_netfilter not found" in said.detail


async def test_a_module_without_its_sysctl_is_no_success(door: Door) -> None:
    """What flannel needs is the sysctl; modprobe's word is not enough."""
    (door.guest / "bridge").unlink()
    assert ActFailed is type(await failure(door.vm().load_modules()))


async def test_the_engine_is_restarted_by_systemd(door: Door) -> None:
    """The engine's unit, and nothing else."""
    await door.vm().restart_engine()
    assert ["systemctl restart docker"] == door.called()


async def test_a_failed_restart_says_why(door: Door) -> None:
    """systemd's words reach the human."""
    door.play("systemctl", "echo 'Job for docker.service failed' >&2; exit 1")
    said = await failure(door.vm().restart_engine())
    assert ActFailed is type(said)
    assert "exit 1" in said.detail
    assert "Job for docker.service failed" in said.detail


@pytest.mark.parametrize("look", LOOKS)
async def test_a_closed_port_refuses(
    door: Door, look: Callable[[SshGuest], Awaitable[object]]
) -> None:
    """Nobody listens: ill, and in the kernel's words."""
    said = await failure(look(door.at(free_port())))
    assert TargetIll is type(said)
    assert "refused" in said.detail


async def test_a_silent_port_has_no_banner(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    """usernet accepts for a dead guest: that is silence."""
    monkeypatch.setattr(adapter, "CONNECT_SECONDS", 1)
    async with stranger(b"", stays=True) as port:
        assert TargetSilent is type(await failure(door.at(port).banner()))


async def test_a_silent_port_answers_no_question(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A frozen guest ends the round trip by ssh's own bound, as evidence against the VM."""
    monkeypatch.setattr(adapter, "CONNECT_SECONDS", 1)
    async with stranger(b"", stays=True) as port:
        said = await failure(door.at(port).facts())
    assert isinstance(said, TargetIll)
    assert "timed out" in said.detail


@pytest.mark.parametrize("says", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\xff" * 4096, b""])
@pytest.mark.parametrize("look", LOOKS)
async def test_a_stranger_is_no_vm(
    door: Door, says: bytes, look: Callable[[SshGuest], Awaitable[object]]
) -> None:
    """The port of a stopped VM may be anybody's by now."""
    async with stranger(says) as port:
        assert isinstance(await failure(look(door.at(port))), TargetIll)


async def test_a_reset_before_the_banner_is_ill(door: Door) -> None:
    """A forward to nobody resets."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = int(server.getsockname()[1])

        def reset() -> None:
            client, _ = server.accept()
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            client.close()

        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(asyncio.to_thread(reset))
            said = await failure(door.at(port).banner())
    assert TargetIll is type(said)


async def test_a_refused_key_is_no_dead_vm(door: Door) -> None:
    """Somebody alive refused us: authentication is not life."""
    door.configure(door.port, key="host")
    assert Denied is type(await failure(door.vm().facts()))


@pytest.mark.parametrize("look", LOOKS)
async def test_without_a_vm_nothing_is_ill(
    door: Door, look: Callable[[SshGuest], Awaitable[object]]
) -> None:
    """No ssh.config: the VM was never made, which is not its illness."""
    door.paths.ssh_config.unlink()
    said = await failure(look(door.vm()))
    assert CannotLook is type(said)
    assert str(door.paths.ssh_config) in said.detail


async def test_a_broken_configuration_is_ours(door: Door) -> None:
    """An ssh that never set out says nothing about the VM."""
    door.paths.ssh_config.write_text("Nonsense yes\n", "utf-8")
    assert CannotLook is type(await failure(door.vm().facts()))


async def test_a_port_that_nobody_knows_is_not_asked(door: Door) -> None:
    """A cached port could be a stranger's: who was not asked is not dead."""
    said = await failure(door.at(None).facts())
    assert CannotLook is type(said)
    assert "names no ssh port" in said.detail


async def test_a_probe_never_becomes_the_master(door: Door) -> None:
    """Becoming Lima's master by looking would take every forward along at the end (§3)."""
    await door.vm().facts()
    assert not (door.paths.instance / "ssh.sock").exists()


async def test_a_missing_ssh_is_ours(door: Door, tmp_path: Path) -> None:
    """The Mac without ssh cannot look."""
    write_tool(tmp_path, "other", "exit 0")
    ssh = door.ssh(door.port)
    poor = type(ssh)(ssh.runner, ssh.paths, {"PATH": str(tmp_path)}, ssh.port_of)
    said = await failure(poor.run(shlex.join(("id", getpass.getuser())), deadline=5.0))
    assert CannotLook is type(said)

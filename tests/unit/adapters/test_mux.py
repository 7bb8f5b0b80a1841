"""Lima's mux against a real master of a real sshd: live, killed, frozen, and mended."""

import asyncio
import os
import signal
import socket
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from healer.adapters import mux as adapter
from healer.adapters.host import HostAdapter
from healer.adapters.mux import LimaForward
from healer.adapters.process import ProcessRunner
from healer.model.machine import Mux, MuxState, ProcessInfo
from healer.ports import ActFailed
from tests.fakes.door import FakeDoor
from tests.fakes.host import FakeHost
from tests.unit.adapters.helpers import until
from tests.unit.adapters.ssh_door import SYSTEM, Door, free_port

SOCKET = "docker.sock"


class Shifting(FakeHost):
    """A host whose process list is another one at each look; the last one stays."""

    def __init__(self, *tables: Sequence[ProcessInfo]) -> None:
        super().__init__()
        self.tables = [list(one) for one in tables]

    async def processes(self) -> Sequence[ProcessInfo]:
        """The next list."""
        return self.tables.pop(0) if len(self.tables) > 1 else self.tables[0]


@pytest.fixture
def door(short_folder: Path) -> Iterator[Door]:
    """An sshd in a folder whose name leaves room for sockets."""
    one = Door(short_folder)
    yield one
    one.close()


@pytest.fixture
async def engine(door: Door) -> AsyncIterator[Path]:
    """The VM's own docker.sock, which answers a ping."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nOK")
        await writer.drain()
        writer.close()

    path = door.guest / SOCKET
    server = await asyncio.start_unix_server(serve, path)
    async with server:
        yield path


@pytest.fixture
async def forward(door: Door, engine: Path) -> AsyncIterator[LimaForward]:
    """The adapter; its master is ended afterwards."""
    host = HostAdapter(ProcessRunner(), door.folder, path=SYSTEM)
    one = LimaForward(
        ProcessRunner(),
        door.paths,
        door.environment(),
        host,
        FakeDoor(),
        ((SOCKET, str(engine)),),
    )
    yield one
    for process in await masters(one):
        os.kill(process.pid, signal.SIGKILL)


async def masters(forward: LimaForward) -> list[ProcessInfo]:
    """Every master of that instance."""
    title = f"ssh: {forward.paths.instance}/ssh.sock [mux]"
    return [one for one in await forward.host.processes() if one.command == title]


async def master(forward: LimaForward) -> int:
    """The one master's pid."""
    (one,) = await masters(forward)
    return one.pid


async def ping(path: Path) -> bytes:
    """What docker.sock says to a ping."""
    reader, writer = await asyncio.open_unix_connection(path)
    writer.write(b"GET /_ping HTTP/1.0\r\n\r\n")
    said = await reader.read()
    writer.close()
    await writer.wait_closed()
    return said[-2:]


async def kill(forward: LimaForward) -> None:
    """End the master as a crash does, and wait until it is gone."""
    pid = await master(forward)
    os.kill(pid, signal.SIGKILL)
    await until(lambda: not _command_of(pid))


def _command_of(pid: int) -> bytes:
    """A zombie has none, and neither has what nobody knows any more."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


async def test_without_a_master_it_is_dead(forward: LimaForward) -> None:
    """No ssh.sock, no master."""
    assert Mux(MuxState.DEAD) == await forward.mux()


async def test_the_recipe_makes_docker_answer(forward: LimaForward) -> None:
    """The recipe makes master and forward where there are none, and looking finds both."""
    await forward.reforward(())
    assert b"OK" == await ping(forward.paths.docker_socket)
    assert Mux(MuxState.LIVE, await master(forward)) == await forward.mux()


async def test_looking_makes_no_master(forward: LimaForward) -> None:
    """A look that became the master would take the forwards along at its end (§3)."""
    await forward.mux()
    assert [] == await masters(forward)


async def test_a_killed_master_is_replaced(forward: LimaForward) -> None:
    """The split brain of §4: dead files stay, and the recipe mends them."""
    await forward.reforward(())
    await kill(forward)
    assert forward.paths.docker_socket.is_socket()
    assert Mux(MuxState.DEAD) == await forward.mux()
    await forward.reforward(())
    assert b"OK" == await ping(forward.paths.docker_socket)


async def test_the_recipe_may_be_repeated(forward: LimaForward) -> None:
    """Repeating keeps the master and the forward."""
    await forward.reforward(())
    first = await master(forward)
    await forward.reforward(())
    assert first == await master(forward)
    assert b"OK" == await ping(forward.paths.docker_socket)


async def test_a_lost_file_comes_back(forward: LimaForward) -> None:
    """A live forward whose file is gone needs its cancel first (§3)."""
    await forward.reforward(())
    forward.paths.docker_socket.unlink()
    await forward.reforward(())
    assert b"OK" == await ping(forward.paths.docker_socket)


async def test_the_legacy_socket_is_made_anew_where_it_was(forward: LimaForward) -> None:
    """`~/.colima/docker.sock` belongs to the default profile of older Colimas only."""
    legacy = forward.paths.root / SOCKET
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(legacy))
    await forward.reforward(())
    assert b"OK" == await ping(legacy)


async def test_no_legacy_socket_is_invented(forward: LimaForward) -> None:
    """Where there was none, none is made."""
    await forward.reforward(())
    assert not (forward.paths.root / SOCKET).exists()


async def test_ports_are_forwarded(forward: LimaForward) -> None:
    """A published port gets its listener on the Mac; a second time changes nothing."""
    port = free_port()
    for _ in range(2):
        assert "forwarded docker.sock and 1 port anew" == await forward.reforward(
            [("127.0.0.1", port)]
        )
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    del reader
    writer.close()
    await writer.wait_closed()


async def test_a_taken_port_is_named(forward: LimaForward, door: Door) -> None:
    """A stranger's listener is left alone and named, after docker.sock was mended."""
    with pytest.raises(ActFailed, match=f"refused: {door.port}"):
        await forward.reforward([("127.0.0.1", door.port)])
    assert b"OK" == await ping(forward.paths.docker_socket)


async def test_a_regular_file_is_not_ours_to_take(forward: LimaForward) -> None:
    """What is no socket was put there by a human, and stays."""
    path = forward.paths.docker_socket
    path.write_text("mine", "utf-8")
    with pytest.raises(ActFailed, match="no socket"):
        await forward.reforward(())
    assert "mine" == path.read_text("utf-8")


async def test_a_living_stranger_keeps_its_socket(forward: LimaForward, engine: Path) -> None:
    """Only a refused socket is unlinked; another's live listener makes the act fail."""
    path = forward.paths.docker_socket
    os.link(engine, path)
    before = path.stat().st_ino
    with pytest.raises(ActFailed, match="ssh -O forward"):
        await forward.reforward(())
    assert before == path.stat().st_ino


async def test_no_way_into_the_vm_makes_no_master(forward: LimaForward, door: Door) -> None:
    """A dead sshd is said in ssh's words."""
    door.configure(free_port())
    with pytest.raises(ActFailed, match="no master could be made"):
        await forward.reforward(())


async def test_a_frozen_master_is_wedged(
    forward: LimaForward, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stopped master takes the check and never answers it; TERM ends it all the same."""
    monkeypatch.setattr(adapter, "CHECK_SECONDS", 1.0)
    await forward.reforward(())
    pid = await master(forward)
    os.kill(pid, signal.SIGSTOP)
    assert Mux(MuxState.WEDGED, pid) == await forward.mux()
    assert f"pid {pid} ended" == await forward.term_mux()
    assert [] == await masters(forward)


async def test_a_master_that_passes_nothing_on_is_wedged(
    forward: LimaForward, door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The check says all is well, and docker.sock accepts and is silent."""
    monkeypatch.setattr(adapter, "CONNECT_SECONDS", 0.5)
    silent = asyncio.Event()

    async def hold(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        del reader
        await silent.wait()
        writer.close()

    path = door.guest / "silent.sock"
    server = await asyncio.start_unix_server(hold, path)
    async with server:
        mute = replace(forward, guest_sockets=((SOCKET, str(path)),))
        await mute.reforward(())
        assert Mux(MuxState.WEDGED, await master(forward)) == await mute.mux()
        silent.set()


async def test_nobody_to_term_is_success(forward: LimaForward) -> None:
    """The master went by itself."""
    assert "there was no master any more" == await forward.term_mux()


def seen(
    forward: LimaForward, pid: int, *, age: float = 50.0, uid: int | None = None
) -> ProcessInfo:
    """A process with the master's title."""
    title = f"ssh: {forward.paths.instance}/ssh.sock [mux]"
    return ProcessInfo(pid, 1, os.getuid() if uid is None else uid, age, title)


@pytest.mark.parametrize("change", ["pid", "age", "user", "gone"])
async def test_another_process_is_never_ended(forward: LimaForward, change: str) -> None:
    """Between two looks the pid may have become a stranger's; a foreign user's is not ours."""
    sleeper = await asyncio.create_subprocess_exec("/bin/sleep", "600")
    first = seen(forward, sleeper.pid)
    again = {
        "pid": [seen(forward, sleeper.pid + 1)],
        "age": [seen(forward, sleeper.pid, age=1.0)],
        "user": [seen(forward, sleeper.pid, uid=os.getuid() + 1)],
        "gone": [],
    }[change]
    shifting = replace(forward, host=Shifting([first], again))
    with pytest.raises(ActFailed, match="not the same process"):
        await shifting.term_mux()
    assert None is sleeper.returncode
    sleeper.kill()
    await sleeper.wait()


async def test_only_the_exact_title_is_the_master(forward: LimaForward) -> None:
    """Another instance's master, and a longer command line, are strangers."""
    title = f"ssh: {forward.paths.instance}/ssh.sock [mux]"
    near = [f"ssh: {forward.paths.lima_home}/other/ssh.sock [mux]", f"vi {title}", f"{title} x"]
    table = [replace(seen(forward, 1), command=one) for one in near]
    assert "there was no master any more" == await replace(forward, host=Shifting(table)).term_mux()


async def test_a_master_that_stays_is_said(
    forward: LimaForward, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is never killed harder than by TERM."""
    monkeypatch.setattr(adapter, "GONE_SECONDS", 0.1)
    deaf = await asyncio.create_subprocess_exec(
        "/bin/sh", "-c", "trap '' TERM; echo; read x", stdin=-1, stdout=-1
    )
    assert deaf.stdout is not None
    await deaf.stdout.readline()
    with pytest.raises(ActFailed, match="still there"):
        await replace(forward, host=Shifting([seen(forward, deaf.pid)])).term_mux()
    assert None is deaf.returncode
    deaf.kill()
    await deaf.communicate()

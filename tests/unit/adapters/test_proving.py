"""Checks that any process can run: each is seen to prove, to fail, and to prove nothing."""

import os
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from healer.adapters import proving
from healer.adapters.launchctl import Launchctl
from healer.adapters.process import ProcessRunner
from healer.adapters.process_hold import Hold, hold
from healer.adapters.proving import (
    TRIAL,
    interpreter,
    killed_child,
    mux,
    processes,
    stranger,
    throwaway_job,
)
from healer.model.launchd import Domain, DomainKind
from healer.model.machine import ColimaPaths
from healer.model.proof import Verdict
from tests.unit.adapters.helpers import alive, write_tool
from tests.unit.cli.mac import Mac

PROVED, FAILED, NOT_PROVEN = Verdict.PROVED, Verdict.FAILED, Verdict.NOT_PROVEN
ENDS = {"pid": None, "last_exit": "0"}


def the_launchctl(mac: Mac) -> Launchctl:
    """The stand-in."""
    return Launchctl(ProcessRunner(), mac.bin / "launchctl", "/usr/bin:/bin")


async def test_a_throwaway_job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It leaves nothing behind, whatever came of it."""
    monkeypatch.setattr("healer.adapters.launchctl.PAUSES", (0.01,))
    monkeypatch.setattr(proving, "LOOK", 0.01)
    mac = Mac(tmp_path / "mac")
    gui = Domain(DomainKind.GUI, mac.uid)

    assert NOT_PROVEN is (await throwaway_job(None, gui)).verdict
    mac.say(comes_up={TRIAL: ENDS})
    assert PROVED is (await throwaway_job(the_launchctl(mac), gui)).verdict
    mac.say(comes_up={TRIAL: {**ENDS, "last_exit": "78: EX_CONFIG"}})
    said = await throwaway_job(the_launchctl(mac), gui)
    assert (FAILED, f"{gui}/{TRIAL} ended with 78: EX_CONFIG") == (said.verdict, said.evidence)
    mac.say(faults=[{"verb": "bootstrap", "how": "5", "left": 9}])
    said = await throwaway_job(the_launchctl(mac), gui)
    assert (FAILED, True) == (said.verdict, "Input/output error" in said.evidence)
    mac.say(faults=[], domains=["system"])
    assert NOT_PROVEN is (await throwaway_job(the_launchctl(mac), gui)).verdict
    assert {} == mac.loaded


@contextmanager
def program(title: str) -> Iterator[int]:
    """A real process that shows this title, until the end of the block."""
    cat = subprocess.Popen(
        [title], executable="/bin/cat", stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert cat.stdin is not None
    assert cat.stdout is not None
    cat.stdin.write(b"it runs\n")
    cat.stdin.flush()
    cat.stdout.readline()
    try:
        yield cat.pid
    finally:
        cat.communicate()


@pytest.fixture(name="paths")
def fixture_paths(tmp_path: Path) -> ColimaPaths:
    """Colima's files, with an instance folder that has only its ssh.config."""
    paths = ColimaPaths(tmp_path)
    paths.instance.mkdir(parents=True)
    paths.ssh_config.touch()
    return paths


async def test_processes(paths: ColimaPaths, monkeypatch: pytest.MonkeyPatch) -> None:
    """By their real entries in the process table."""
    note = paths.instance / "ha.pid"

    async def said() -> tuple[Verdict, str]:
        proof = await processes(paths)
        return proof.verdict, proof.evidence

    assert NOT_PROVEN is (await said())[0]
    hostagent = f"limactl hostagent --pidfile {note} colima"
    with program(hostagent) as agent, program("something else") as other:
        note.write_text(f"{agent}\n")
        assert NOT_PROVEN is (await said())[0]
        with program(f"ssh: {paths.instance}/ssh.sock [mux]") as master:
            words = f"our own listener, hostagent {agent} and mux {master} are seen"
            assert (PROVED, words) == await said()
            note.write_text(f"{other}\n")
            words = f"pid {other} of ha.pid shows something, not our hostagent"
            assert (FAILED, words) == await said()
        note.write_text(f"{agent}\n")
    assert NOT_PROVEN is (await said())[0]

    async def blind(pids: object) -> frozenset[int]:
        del pids
        return frozenset()

    monkeypatch.setattr(proving, "listening_ports", blind)
    assert FAILED is (await said())[0]


async def test_mux(paths: ColimaPaths, tmp_path: Path) -> None:
    """The pid that ssh names and the one that has the title, both of real processes."""
    environment = {"PATH": f"{tmp_path / 'bin'}:/usr/bin:/bin"}

    async def verdict(script: str) -> Verdict:
        write_tool(tmp_path / "bin", "ssh", script)
        return (await mux(ProcessRunner(), paths, environment)).verdict

    with program(f"ssh: {paths.instance}/ssh.sock [mux]") as master:
        assert PROVED is await verdict(f"echo 'Master running (pid={master})' >&2")
        assert FAILED is await verdict(f"echo 'Master running (pid={os.getpid()})' >&2")
        assert NOT_PROVEN is await verdict("echo 'Control socket connect: refused' >&2; exit 255")
    assert FAILED is await verdict(f"echo 'Master running (pid={os.getpid()})' >&2")
    paths.ssh_config.unlink()
    assert NOT_PROVEN is await verdict("exit 1")


class Deaf:
    """Holds a process and never hears of its end."""

    def __init__(self, pid: int, *, lived: bool = True) -> None:
        self.pid = pid
        self.lived = lived

    def lives(self) -> bool:
        """So it says."""
        return self.lived


def test_a_killed_child() -> None:
    """By the real adapter of this system, by one that is deaf, and where there is none."""
    children: list[int] = []

    def watch(pid: int) -> Hold | None:
        children.append(pid)
        return hold(pid)

    assert PROVED is killed_child(watch).verdict
    assert FAILED is killed_child(Deaf).verdict
    assert FAILED is killed_child(lambda pid: Deaf(pid, lived=False)).verdict
    assert FAILED is killed_child(lambda _: None).verdict
    assert NOT_PROVEN is killed_child(None).verdict
    assert not alive(children[0])


@contextmanager
def listener(folder: Path, answer: bytes) -> Iterator[Path]:
    """A real unix socket at 0600 in an open folder; a child answers whoever comes."""
    path = folder / "c.sock"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        path.chmod(0o600)
        server.listen()
        child = os.fork()
        if child == 0:
            while True:
                connection, _ = server.accept()
                connection.recv(100)
                connection.sendall(answer)
                connection.close()
        try:
            yield path
        finally:
            os.kill(child, 9)
            os.waitpid(child, 0)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_a_stranger_is_really_refused(short_folder: Path) -> None:
    """By the file's mode; by the daemon's own word; and one that answers has failed."""
    short_folder.chmod(0o755)
    with listener(short_folder, b'{"answer":{}}\n') as path:
        said = stranger(path, b"{}\n")
        assert PROVED is said.verdict, said
        path.chmod(0o666)
        assert FAILED is stranger(path, b"{}\n").verdict
        assert proving._Said.ANSWERED is proving._asked_by(65_534, path, b"{}\n")
    # The socket that a killed daemon leaves behind: open to all here, and nobody listens.
    assert proving._Said.NOTHING is proving._asked_by(65_534, path, b"{}\n")
    for answer, word in ((b'{"error":{"code":"forbidden"}}\n', "REFUSED"), (b"", "NOTHING")):
        path.unlink()
        with listener(short_folder, answer) as path:
            path.chmod(0o666)
            assert proving._Said[word] is proving._asked_by(65_534, path, b"{}\n")


def test_a_stranger_whom_nobody_can_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without root, without a socket, without such a user: not proven."""
    path = tmp_path / "c.sock"
    assert NOT_PROVEN is stranger(path, b"").verdict
    path.touch(0o600)
    assert NOT_PROVEN is stranger(path, b"", "no such user").verdict
    monkeypatch.setattr(os, "geteuid", lambda: 501)
    said = stranger(path, b"")
    assert (NOT_PROVEN, "sudo healer doctor --prove") == (said.verdict, said.todo)


async def test_the_interpreter(tmp_path: Path) -> None:
    """Links as Homebrew and a virtual environment make them; codesign's word."""
    brew = tmp_path / "brew"
    real = brew / "Cellar/python@3.13/3.13.1/bin/python3.13"
    real.parent.mkdir(parents=True)
    real.touch()
    (brew / "opt").mkdir()
    (brew / "opt/python@3.13").symlink_to("../Cellar/python@3.13/3.13.1")
    (brew / "bin").mkdir()
    (brew / "bin/python3").symlink_to("../Cellar/python@3.13/3.13.1/bin/python3.13")
    venv = tmp_path / "venv"
    venv.mkdir()
    for name, target in (("bad", real), ("bin", brew / "bin/python3"), ("gone", tmp_path / "x")):
        (venv / name).symlink_to(target)
    (venv / "opt").symlink_to(brew / "opt/python@3.13/bin/python3.13")
    environment = {"PATH": str(tmp_path / "tools")}

    async def verdict(program: Path, script: str = "exit 0", *, mac: bool = True) -> Verdict:
        write_tool(tmp_path / "tools", "codesign", script)
        return (await interpreter(program, ProcessRunner(), environment, mac=mac)).verdict

    assert [PROVED, PROVED] == [await verdict(venv / "bin"), await verdict(venv / "opt")]
    for bad in (venv / "bad", venv / "gone", real):
        assert FAILED is await verdict(bad)
    assert FAILED is await verdict(venv / "bin", "echo 'a sealed resource is missing' >&2; exit 1")
    assert NOT_PROVEN is await verdict(venv / "bin", mac=False)
    (tmp_path / "tools/codesign").unlink()
    said = await interpreter(venv / "bin", ProcessRunner(), environment, mac=True)
    assert NOT_PROVEN is said.verdict

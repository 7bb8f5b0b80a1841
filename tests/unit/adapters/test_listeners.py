"""Which ports are carried by our VM's processes: one look serves a round of questions."""

import asyncio
import os
import socket
import subprocess
import sys
from collections.abc import Collection, Iterator, Sequence

import pytest

from healer.adapters import listeners as adapter
from healer.adapters.listeners import Listeners
from healer.adapters.process_table import listening_ports
from healer.model.machine import ProcessInfo
from healer.ports import CannotLook
from tests.fakes.host import HOSTAGENT, MUX, OURS, USERNET, FakeHost, process

LISTEN = (
    "import socket, sys; one = socket.create_server(('127.0.0.1', 0));"
    "print(one.getsockname()[1], flush=True); sys.stdin.read()"
)


class Counting(FakeHost):
    """Counts how often the process list is asked for."""

    def __init__(self, command: str = HOSTAGENT) -> None:
        super().__init__()
        self.asked = 0
        self.table = [process(os.getpid(), command)]

    async def processes(self) -> Sequence[ProcessInfo]:
        """The table."""
        self.asked += 1
        return await super().processes()


@pytest.fixture
def stranger() -> Iterator[tuple[int, int]]:
    """Pid and port of another process that listens."""
    argv = [sys.executable, "-c", LISTEN]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as one:
        assert one.stdout is not None
        yield one.pid, int(one.stdout.readline())
        one.communicate()


async def test_a_round_of_questions_is_one_look() -> None:
    """Seven ports at once, and each is told rightly."""
    host = Counting()
    listeners = Listeners(host, OURS)
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("", 0)) as two:
        ports = [one.getsockname()[1], two.getsockname()[1]]
        asked = await asyncio.gather(*(listeners.is_ours(port) for port in [*ports, 1] * 3))

    assert [True, True, False] * 3 == asked
    assert 1 == host.asked


@pytest.mark.parametrize(
    ("command", "ours"),
    [
        (MUX, True),
        (USERNET, True),
        ("ssh -L 6379:127.0.0.1:6379 other", False),
        ("ssh: /Users/joel/.ssh/other [mux]", False),
        (HOSTAGENT.replace("/.colima/", "/.other/"), False),
        ("", False),
    ],
)
async def test_lima_is_known_by_its_command(command: str, ours: bool) -> None:  # noqa: FBT001  (a table's column)
    """A human's own tunnel, and another tower's hostagent, are strangers."""
    with socket.create_server(("127.0.0.1", 0)) as one:
        assert ours is await Listeners(Counting(command), OURS).is_ours(one.getsockname()[1])


async def test_only_the_processes_that_matter_are_inspected(
    stranger: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A look into every process of a Mac can take minutes."""
    pid, port = stranger
    looked: list[Collection[int]] = []

    async def counted(pids: Collection[int]) -> frozenset[int]:
        looked.append(pids)
        return await listening_ports(pids)

    monkeypatch.setattr(adapter, "listening_ports", counted)
    host = Counting()
    host.table += [process(pid, "python3 -m http.server"), process(1, "launchd")]

    assert not await Listeners(host, OURS).is_ours(port)
    assert [[os.getpid()]] == looked


async def test_a_later_question_is_a_new_look(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who takes a port afterwards is seen."""
    monkeypatch.setattr(adapter, "TOGETHER", -1.0)
    listeners = Listeners(Counting(), OURS)
    with socket.create_server(("127.0.0.1", 0)) as one:
        port = one.getsockname()[1]
        assert await listeners.is_ours(port)
    assert not await listeners.is_ours(port)


async def test_a_process_list_that_cannot_be_read_tells_nothing() -> None:
    """Neither ours nor somebody else's."""
    host = FakeHost()
    host.faults["processes"] = CannotLook("process table", "denied")
    with pytest.raises(CannotLook):
        await Listeners(host, OURS).is_ours(6379)

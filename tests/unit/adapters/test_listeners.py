"""Who listens: one look serves a round of questions."""

import asyncio
import os
import socket
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from healer.adapters import listeners as adapter
from healer.adapters.listeners import Listeners, parse_lsof
from healer.adapters.process import ProcessRunner
from healer.model.machine import ProcessInfo
from tests.fakes.host import FakeHost, process
from tests.unit.adapters.helpers import write_tool


class Counting(FakeHost):
    """Counts how often the process list is asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = 0
        self.table = [process(os.getpid(), "pytest"), process(4711, "limactl hostagent colima")]

    async def processes(self) -> Sequence[ProcessInfo]:
        """The table."""
        self.asked += 1
        return await super().processes()


def test_lsof_s_lines_are_read_for_each_process() -> None:
    """A port on two addresses, and one that two processes share."""
    text = "p12\nf10\nn127.0.0.1:6379\nf11\nn[::1]:6379\nf12\nn*:80\np13\nf4\nn*:80\nx\n"

    assert {6379: {12}, 80: {12, 13}} == parse_lsof(text)
    assert {} == parse_lsof("p1\nf2\nnlocalhost:http\n")


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
async def test_a_round_of_questions_is_one_look() -> None:
    """Seven ports at once, and each is told rightly."""
    host = Counting()
    listeners = Listeners(ProcessRunner(), host, {})
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("", 0)) as two:
        ports = [one.getsockname()[1], two.getsockname()[1]]
        asked = await asyncio.gather(*(listeners.commands(port) for port in [*ports, 1] * 3))

    assert [["pytest"], ["pytest"], []] * 3 == [list(found) for found in asked]
    assert 1 == host.asked


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
async def test_a_later_question_is_a_new_look(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who takes a port afterwards is seen."""
    monkeypatch.setattr(adapter, "TOGETHER", -1.0)
    listeners = Listeners(ProcessRunner(), Counting(), {})
    with socket.create_server(("127.0.0.1", 0)) as one:
        port = one.getsockname()[1]
        assert ["pytest"] == await listeners.commands(port)
    assert [] == list(await listeners.commands(port))


async def test_a_mac_is_asked_once_by_lsof(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One call for all ports: each costs tens of milliseconds there."""
    monkeypatch.setattr(sys, "platform", "darwin")
    write_tool(
        tmp_path,
        "lsof",
        f"echo called >> {tmp_path}/calls; printf 'p4711\\nf1\\nn*:6379\\nf2\\nn*:7880\\n'",
    )
    path = f"{tmp_path}:/usr/bin:/bin"
    listeners = Listeners(ProcessRunner(), Counting(), {"PATH": path})

    found = await asyncio.gather(*(listeners.commands(port) for port in (6379, 7880, 1)))

    assert [["limactl hostagent colima"]] * 2 + [[]] == [list(one) for one in found]
    assert "called\n" == (tmp_path / "calls").read_text("utf-8")

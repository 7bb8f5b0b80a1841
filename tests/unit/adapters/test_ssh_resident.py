"""The long ssh against a real sshd: the same verdicts as a fresh one, and nothing left behind."""

import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import anyio
import pytest

from healer.adapters import ssh_resident
from healer.adapters.guest_script import Question
from healer.adapters.ssh_resident import ResidentGuest, ResidentNews
from healer.core.tower import Layer
from healer.ports import CannotLook, Denied, TargetIll
from tests.patience import PATIENCE
from tests.unit.adapters.ssh_door import Door, free_port


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    """One sshd for all tests of this file."""
    one = Door(tmp_path_factory.mktemp("door"))
    yield one
    one.close()


@pytest.fixture
def door(shared: Door) -> Door:
    """The door with a healthy VM behind it."""
    shared.heal()
    return shared


@asynccontextmanager
async def resident(door: Door, port: int | None = None) -> AsyncIterator[ResidentGuest]:
    """A resident that is ended with its test."""
    one = ResidentGuest(door.ssh(port or door.port), Question("talos"))
    try:
        with anyio.fail_after(PATIENCE):
            yield one
    finally:
        await one.close()


def pid_of(one: ResidentGuest) -> int:
    """The long ssh."""
    assert one._one is not None
    return one._one.pid


def lives(pid: int) -> bool:
    """Whether there is such a process."""
    return Path(f"/proc/{pid}").exists()


def descriptors() -> int:
    """How many are open here."""
    return len(list(Path("/proc/self/fd").iterdir()))


async def test_many_questions_are_one_ssh(door: Door) -> None:
    """The same process answers each of them, with what is true then."""
    async with resident(door) as one:
        first = await one.facts()
        pid = pid_of(one)
        door.play("docker", "echo exited - 10.5.0.2")
        second = await one.facts()

        assert ("running", 55_001) == (first.container_status, first.api_port)
        assert ("exited", None) == (second.container_status, second.api_port)
        assert pid == pid_of(one)


async def test_fifty_questions_leave_nothing_behind(door: Door) -> None:
    """Descriptors and processes are as many as after the first."""
    async with resident(door) as one:
        await one.facts()
        before = descriptors()
        for _ in range(50):
            await one.facts()

        assert before == descriptors()


async def test_a_killed_ssh_costs_no_answer(door: Door) -> None:
    """The question is put directly, and the next long ssh comes a while later."""
    async with resident(door) as one:
        await one.facts()
        os.kill(pid_of(one), signal.SIGKILL)

        assert (await one.facts()).engine_answers
        assert one._one is None
        assert (await one.facts()).engine_answers


async def test_a_silent_shell_is_not_waited_for_for_ever(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stopped ssh says nothing: it is ended, with its group, and the VM asked directly."""
    async with resident(door) as one:
        await one.facts()
        pid = pid_of(one)
        monkeypatch.setattr(ssh_resident, "ANSWER_SECONDS", 0.3)
        os.kill(pid, signal.SIGSTOP)

        assert (await one.facts()).engine_answers
        assert not lives(pid)


async def test_words_before_the_answer_are_no_answer(door: Door) -> None:
    """Garbage of the far end is nonsense to the reader, and asked once more directly."""
    async with resident(door) as one:
        await one.facts()
        door.play("docker", "head -c 200000 /dev/zero | tr '\\0' x")

        assert (await one.facts()).engine_answers


async def test_a_dead_vm_is_as_ill_as_by_a_fresh_ssh(door: Door) -> None:
    """Refused is refused."""
    async with resident(door, free_port()) as one:
        with pytest.raises(TargetIll, match="Connection refused"):
            await one.facts()


async def test_a_vm_that_was_never_made_cannot_be_asked(door: Door) -> None:
    """No ssh.config: nothing is started."""
    door.paths.ssh_config.unlink()
    async with resident(door) as one:
        with pytest.raises(CannotLook):
            await one.facts()
        assert one._one is None


async def test_a_question_that_is_left_ends_its_ssh(door: Door) -> None:
    """Its late answer must never be taken for that of the next question."""
    async with resident(door) as one:
        await one.facts()
        door.play("docker", "sleep 2; echo running 55001 10.5.0.2")
        pid = pid_of(one)
        with anyio.move_on_after(0.3):
            await one.facts()

        assert one._one is None
        assert not lives(pid)


async def test_closing_ends_it(door: Door) -> None:
    """No process is left, however it was used."""
    async with resident(door) as one:
        await one.facts()
        pid = pid_of(one)

    assert not lives(pid)


async def test_a_fresh_refusal_is_not_asked_for_twice(door: Door) -> None:
    """The same ssh would be refused again: one login, and the same verdict."""
    door.configure(door.port, key="host")
    logins: list[int] = []

    async def port() -> int:
        logins.append(door.port)
        return door.port

    one = ResidentGuest(replace(door.ssh(door.port), port_of=port), Question("talos"))
    with pytest.raises(Denied):
        await one.facts()

    assert [door.port] == logins
    assert one._one is None


def loop_in_the_vm(door: Door) -> int:
    """The far end's shell: below our own sshd, and nobody else's."""
    waiting = [door.sshd_pid]
    while waiting:
        pid = waiting.pop()
        argv = Path(f"/proc/{pid}/cmdline").read_bytes()
        if argv.startswith(b"/bin/sh\0-c\0") and b"read -r mark" in argv:
            return pid
        for task in Path(f"/proc/{pid}/task").iterdir():
            waiting += [int(one) for one in (task / "children").read_text("ascii").split()]
    pytest.fail("no such shell")


async def test_a_shell_that_dies_in_the_vm_costs_no_answer(door: Door) -> None:
    """ssh says 255 of it as of a refusal; an ssh that has answered before is no refused one."""
    async with resident(door) as one:
        await one.facts()
        os.kill(loop_in_the_vm(door), signal.SIGKILL)

        assert (await one.facts()).engine_answers
        assert one._one is None


async def test_a_frozen_shell_in_the_vm_costs_no_answer(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its ssh lives and its sshd answers keepalives: only the deadline tells."""
    async with resident(door) as one:
        await one.facts()
        monkeypatch.setattr(ssh_resident, "ANSWER_SECONDS", 0.3)
        frozen = loop_in_the_vm(door)
        os.kill(frozen, signal.SIGSTOP)
        try:
            assert (await one.facts()).engine_answers
            assert one._one is None
        finally:
            os.kill(frozen, signal.SIGKILL)


async def test_its_end_is_news(door: Door) -> None:
    """A VM that is gone takes its ssh along: nobody has to wait for the next look."""
    woken: list[frozenset[Layer]] = []
    heard = anyio.Event()

    def wake(layers: frozenset[Layer]) -> None:
        woken.append(layers)
        heard.set()

    async with resident(door) as one, anyio.create_task_group() as tasks:
        tasks.start_soon(ResidentNews(one).listen, wake)
        await anyio.wait_all_tasks_blocked()
        await one.facts()
        os.kill(pid_of(one), signal.SIGKILL)
        await heard.wait()
        tasks.cancel_scope.cancel()

    assert [frozenset({Layer.COLIMA, Layer.SSH})] == woken


async def test_an_end_by_our_own_hand_is_no_news(door: Door) -> None:
    """A renewal or a close must not wake anybody."""
    woken: list[frozenset[Layer]] = []
    async with resident(door) as one, anyio.create_task_group() as tasks:
        tasks.start_soon(ResidentNews(one).listen, woken.append)
        await anyio.wait_all_tasks_blocked()
        await one.facts()
        await one.close()
        tasks.cancel_scope.cancel()

    assert [] == woken


async def test_an_old_one_is_made_anew(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    """A session outlives an sshd that takes no more logins, so it must not be believed for ever."""
    monkeypatch.setattr(ssh_resident, "_OLDEST", 0.0)
    monkeypatch.setattr(ssh_resident, "_AGAIN", 0.0)
    async with resident(door) as one:
        await one.facts()
        first = pid_of(one)
        await one.facts()

        assert first != pid_of(one)
        assert not lives(first)


async def test_another_port_is_another_vm(door: Door) -> None:
    """Lima draws a new port at each start: an ssh to the old one is a stranger's."""
    ports = [door.port]

    async def port() -> int:
        return ports[-1]

    one = ResidentGuest(replace(door.ssh(door.port), port_of=port), Question("talos"))
    try:
        await one.facts()
        pid = pid_of(one)
        ports.append(free_port())
        with pytest.raises(TargetIll, match="Connection refused"):
            await one.facts()
        assert not lives(pid)
    finally:
        await one.close()

"""The long ssh against a real sshd: the same verdicts as a fresh one, and nothing left behind."""

import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest

from healer.adapters import ssh_resident
from healer.adapters.guest_script import Question
from healer.adapters.ssh_resident import ResidentGuest
from healer.ports import CannotLook, TargetIll
from tests.unit.adapters.ssh_door import Door, free_port

PATIENCE = 60.0


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
        monkeypatch.setattr(ssh_resident, "OUTER_SECONDS", 0.3)
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

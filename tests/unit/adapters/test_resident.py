"""A program that is asked again and again: real processes, and nothing left of them."""

import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest

from healer.adapters.process_hold import hold
from healer.adapters.resident import Gone, Program, Resident
from healer.ports import CannotLook
from tests.patience import PATIENCE

ECHO = 'while read -r mark; do printf "%s is heard\\n%s\\n" "$mark" "$mark"; done'


def unheard(one: Resident) -> None:
    """Nobody listens."""
    del one


@asynccontextmanager
async def running(script: str, limit: int = 4096) -> AsyncIterator[Resident]:
    """A shell with that script, ended with its test."""
    one = Resident(Program(("sh", "-c", script), dict(os.environ), limit), unheard)
    try:
        with anyio.fail_after(PATIENCE):
            yield one
    finally:
        await one.close()


def descriptors() -> int:
    """How many are open here."""
    return len(list(Path("/proc/self/fd").iterdir()))


def threads() -> int:
    """How many run here."""
    return len(list(Path("/proc/self/task").iterdir()))


def lives(pid: int) -> bool:
    """Whether there is such a process, and not only its zombie."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text("utf-8")
    except FileNotFoundError:
        return False
    return stat.rpartition(") ")[2][0] != "Z"


async def test_a_thousand_questions_leave_nothing_behind() -> None:
    """One process, as many descriptors and threads as after the first, every answer its own."""
    async with running(ECHO) as one:
        await one.ask(b"0", b"0")
        before = descriptors(), threads()
        for number in range(1, 1001):
            word = f"q{number}".encode()
            assert word + b" is heard" == await one.ask(word, word)

        assert before == (descriptors(), threads())


async def test_an_answer_in_pieces_is_one() -> None:
    """However the pipe cuts it."""
    script = (
        "read -r mark; for one in a b c; do printf $one; sleep 0.01; done; printf '\\n%s\\n' $mark"
    )
    async with running(script) as one:
        assert b"abc" == await one.ask(b"m", b"m")


async def test_its_end_tells_its_code_and_its_words() -> None:
    """What a failing ssh said reaches whoever asks."""
    async with running("echo refused >&2; exit 255") as one:
        with pytest.raises(Gone) as caught:
            await one.ask(b"m", b"m")

    assert (255, "refused\n") == (caught.value.code, caught.value.stderr)


async def test_a_flood_is_cut() -> None:
    """Memory is bounded, whatever the far end says."""
    async with running("yes", limit=100_000) as one:
        with pytest.raises(Gone, match="more than 100000 bytes"):
            await one.ask(b"m", b"m")


async def test_the_whole_group_ends_with_it() -> None:
    """A grandchild that ignores a TERM is not left behind."""
    script = "trap '' TERM; sleep 600 & echo $!; read -r mark; echo; echo $mark; wait"
    async with running(script) as one:
        grandchild = hold(int(await one.ask(b"m", b"m")))
    assert grandchild is not None
    with anyio.fail_after(PATIENCE):
        while grandchild.lives():  # noqa: ASYNC110  (a process that is not ours sends no event)
            await anyio.sleep(0.01)


async def test_a_stopped_program_is_ended_soon() -> None:
    """SIGSTOP holds a TERM back; KILL comes within a second."""
    async with running(ECHO) as one:
        await one.ask(b"m", b"m")
        os.kill(one.pid, signal.SIGSTOP)
        with anyio.fail_after(PATIENCE):
            await one.close()

        assert not lives(one.pid)


async def test_its_end_is_told_once() -> None:
    """Whoever ended it, and with which one it was."""
    heard = anyio.Event()
    told: list[Resident] = []

    def hear(one: Resident) -> None:
        told.append(one)
        heard.set()

    one = Resident(Program(("sh", "-c", ECHO), dict(os.environ), 4096), hear)
    os.kill(one.pid, signal.SIGKILL)
    with anyio.fail_after(PATIENCE):
        await heard.wait()
    await one.close()

    assert [one] == told


async def test_a_missing_program_is_ours() -> None:
    """Nothing was started, and no descriptor is left."""
    before = descriptors()
    with pytest.raises(CannotLook, match="cannot start healer-has-no-such-tool"):
        Resident(Program(("healer-has-no-such-tool",), {"PATH": "/usr/bin:/bin"}, 1), unheard)

    assert before == descriptors()

"""The process runner, with real programs of every bad kind."""

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import Any

import anyio
import pytest

from healer.adapters.process import ProcessRunner
from healer.ports import CannotLook, TargetSilent
from tests.unit.adapters.helpers import (
    alive,
    children,
    fifo,
    open_files,
    python,
    told,
    until,
    write_tool,
)

ENOUGH = 60.0
"""A deadline that is not meant to be met."""

HANG = """
import os, sys, time
open(sys.argv[1], "w").write(str(os.getpid()))
time.sleep(600)
"""

DEAF = """
import os, signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
open(sys.argv[1], "w").write(str(os.getpid()))
time.sleep(600)
"""

LEADER_OF_DEAF = """
import os, signal, sys, time
if os.fork() == 0:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    open(sys.argv[1], "w").write(str(os.getpid()))
time.sleep(600)
"""

HOLDER = """
import os, sys, time
print("mine", flush=True)
if os.fork() == 0:
    open(sys.argv[1], "w").write(str(os.getpid()))
    time.sleep(600)
"""


@pytest.fixture
def runner() -> ProcessRunner:
    """A runner that does not give long graces."""
    return ProcessRunner(term_grace=0.2, drain=0.05)


async def test_gives_both_streams_and_the_exit_code(runner: ProcessRunner) -> None:
    """What was said on each stream, and how it ended, come back."""
    code = "import sys; print('out'); print('err', file=sys.stderr); sys.exit(42)"

    done = await runner.run(python(code), deadline=ENOUGH)

    assert ("out\n", "err\n", 42, False) == (done.stdout, done.stderr, done.code, done.truncated)
    assert tuple(python(code)) == done.argv
    assert done.duration > 0


async def test_tells_the_signal_that_ended_it(runner: ProcessRunner) -> None:
    """A death by signal is a negative code."""
    done = await runner.run(python("import os; os.kill(os.getpid(), 9)"), deadline=ENOUGH)

    assert -signal.SIGKILL == done.code


async def test_undecodable_output_is_replaced(runner: ProcessRunner) -> None:
    """Bytes that are no UTF-8 do not break the reader."""
    code = r"import os; os.write(1, b'a\xff\x00b')"

    done = await runner.run(python(code), deadline=ENOUGH)

    assert "a\ufffd\x00b" == done.stdout


@pytest.mark.parametrize("stream", [1, 2])
async def test_a_hundred_megabytes_are_read_and_dropped(stream: int, runner: ProcessRunner) -> None:
    """A huge stream neither blocks its writer nor fills our memory; its beginning is kept."""
    code = f"import os\nfor _ in range(1600): os.write({stream}, b'x' * 65536)"

    done = await runner.run(python(code), deadline=ENOUGH, limit=1000)

    kept, other = (done.stdout, done.stderr) if stream == 1 else (done.stderr, done.stdout)
    assert ("x" * 1000, "", 0, True) == (kept, other, done.code, done.truncated)


async def test_an_endless_writer_is_ended_and_the_loop_lives_on(runner: ProcessRunner) -> None:
    """Output without end is no way round the deadline, and others run meanwhile."""
    code = "import os\nwhile True: os.write(1, b'y\\n' * 30000)"
    beats = 0

    async def beat() -> None:
        nonlocal beats
        while True:
            beats += 1
            await anyio.lowlevel.checkpoint()

    async with anyio.create_task_group() as group:
        group.start_soon(beat)
        with pytest.raises(TargetSilent):
            await runner.run(python(code), deadline=0.5, limit=1000)
        group.cancel_scope.cancel()

    assert beats > 1


async def test_a_hanging_program_is_ended_at_its_deadline(
    runner: ProcessRunner, tmp_path: Path
) -> None:
    """It is silent, says the error, and it is gone and reaped when the error comes."""
    pipe = fifo(tmp_path)
    pids: list[int] = []

    async def note() -> None:
        pids.append(int(await told(pipe)))

    async with anyio.create_task_group() as group:
        group.start_soon(note)
        with pytest.raises(TargetSilent, match=r"had not ended after 2 s") as caught:
            await runner.run(python(HANG, pipe), deadline=2.0)

    assert not alive(pids[0])
    assert caught.value.place.startswith(Path(sys.executable).name)


async def test_the_error_tells_the_last_words(runner: ProcessRunner) -> None:
    """What a program said last before it hung is the best hint there is."""
    code = (
        "import sys, time; print('waiting for ssh', file=sys.stderr, flush=True); time.sleep(600)"
    )

    with pytest.raises(TargetSilent, match="last words: waiting for ssh"):
        await runner.run(python(code), deadline=2.0)


@pytest.mark.parametrize("program", [HANG, DEAF, LEADER_OF_DEAF])
async def test_cancelling_ends_the_whole_group(
    program: str, runner: ProcessRunner, tmp_path: Path
) -> None:
    """After a cancellation nothing of the group is left, deaf to TERM or not."""
    pipe = fifo(tmp_path)
    async with anyio.create_task_group() as group:

        async def run() -> None:
            await runner.run(python(program, pipe), deadline=ENOUGH)

        group.start_soon(run)
        pid = int(await told(pipe))
        group.cancel_scope.cancel()

    # A grandchild's zombie is for init to reap, which takes a moment.
    await until(lambda: not alive(pid))


async def test_a_grandchild_that_holds_the_pipe_is_not_waited_for(
    runner: ProcessRunner, tmp_path: Path
) -> None:
    """The child's own words come back at its end, whoever still holds its pipes."""
    pipe = fifo(tmp_path)
    pids: list[int] = []
    await runner.run(python("pass"), deadline=ENOUGH)
    before = open_files()

    async def note() -> None:
        pids.append(int(await told(pipe)))

    async with anyio.create_task_group() as group:
        group.start_soon(note)
        done = await runner.run(python(HOLDER, pipe), deadline=ENOUGH)

    assert before == open_files()
    os.kill(pids[0], signal.SIGKILL)
    assert ("mine\n", 0) == (done.stdout, done.code)
    assert done.duration < ENOUGH / 2


async def test_stdin_is_given_and_closed(runner: ProcessRunner) -> None:
    """The child reads all of it, and then the end."""
    data = os.urandom(300_000)
    code = "import sys, hashlib; print(hashlib.sha256(sys.stdin.buffer.read()).hexdigest())"

    done = await runner.run(python(code), deadline=ENOUGH, stdin=data)
    twin = await runner.run(python(code), deadline=ENOUGH, stdin=data)

    assert done.stdout == twin.stdout
    assert len("d" * 64 + "\n") == len(done.stdout)


async def test_a_child_that_closes_stdin_is_no_error(runner: ProcessRunner) -> None:
    """Nobody has to read what we offer, and the loop is not troubled by it."""
    code = "import os; os.read(0, 1); os.close(0); print('no thanks')"
    troubles: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, trouble: troubles.append(trouble))

    done = await runner.run(python(code), deadline=ENOUGH, stdin=b"x" * 5_000_000)

    assert ("no thanks\n", 0) == (done.stdout, done.code)
    assert [] == troubles


async def test_without_stdin_it_reads_the_end_at_once(runner: ProcessRunner) -> None:
    """A program that asks a question gets no terminal to ask it on."""
    done = await runner.run(python("import sys; print(repr(sys.stdin.read()))"), deadline=ENOUGH)

    assert "''\n" == done.stdout


async def test_a_missing_tool_is_no_evidence(runner: ProcessRunner) -> None:
    """A tool that is not there says nothing of its target."""
    with pytest.raises(CannotLook, match="No such file") as caught:
        await runner.run(["/nowhere/colima", "list"], deadline=ENOUGH)

    assert "colima list" == caught.value.place
    assert isinstance(caught.value.__cause__, FileNotFoundError)


async def test_a_file_that_cannot_be_run_is_no_evidence(
    runner: ProcessRunner, tmp_path: Path
) -> None:
    """Neither does a file that is no program, or that we may not run."""
    plain = tmp_path / "colima"
    plain.write_text("colima", encoding="utf-8")
    nonsense = tmp_path / "limactl"
    nonsense.write_bytes(b"\x7fELF nonsense")
    nonsense.chmod(0o755)

    with pytest.raises(CannotLook, match="Permission denied"):
        await runner.run([str(plain)], deadline=ENOUGH)
    with pytest.raises(CannotLook, match="Exec format error"):
        await runner.run([str(nonsense)], deadline=ENOUGH)


async def test_the_environment_is_the_given_one(runner: ProcessRunner, tmp_path: Path) -> None:
    """PATH finds the program and HOME reaches it; nothing of ours leaks in."""
    tool = tmp_path / "say"
    tool.write_text('#!/bin/sh\necho "$HOME:${USER-none}"\n', encoding="utf-8")
    tool.chmod(0o755)

    done = await runner.run(
        ["say"], deadline=ENOUGH, env={"PATH": f"{tmp_path}:/bin:/usr/bin", "HOME": "/Users/joel"}
    )

    assert "/Users/joel:none\n" == done.stdout


async def test_leaves_nothing_open_and_no_zombie(runner: ProcessRunner) -> None:
    """However a run ends, no descriptor and no child of it remains."""
    await runner.run(python("pass"), deadline=ENOUGH)
    before, kin = open_files(), children()

    for _ in range(5):
        await runner.run(python("pass"), deadline=ENOUGH, stdin=b"x")
        with pytest.raises(TargetSilent):
            await runner.run(python("import time; time.sleep(600)"), deadline=0.05)
        with pytest.raises(CannotLook):
            await runner.run(["/nowhere/tool"], deadline=ENOUGH)
        with anyio.move_on_after(0.05):
            await runner.run(python("import time; time.sleep(600)"), deadline=ENOUGH)

    assert before == open_files()
    assert kin == children()


async def test_many_at_once(runner: ProcessRunner) -> None:
    """Runs do not disturb each other."""
    said: dict[int, str] = {}

    async def run(number: int) -> None:
        done = await runner.run(python(f"print({number})"), deadline=ENOUGH)
        said[number] = done.stdout

    async with anyio.create_task_group() as group:
        for number in range(20):
            group.start_soon(run, number)

    assert {number: f"{number}\n" for number in range(20)} == said


def said_all(said: bytes) -> bool:
    """Whether it has said it."""
    return said == b"all\n"


async def test_who_goes_on_after_a_whole_answer_is_ended(tmp_path: Path) -> None:
    """With 0: it said all that was asked, and nobody waits for its end."""
    tool = write_tool(tmp_path, "tool", "echo all; exec sleep 600")
    began = anyio.current_time()

    done = await ProcessRunner().run([str(tool)], deadline=60.0, whole=said_all)

    assert (0, "all\n") == (done.code, done.stdout)
    assert anyio.current_time() - began < 60.0


async def test_who_ends_after_a_whole_answer_keeps_its_code(tmp_path: Path) -> None:
    """An ssh that has heard all may still say that it failed."""
    tool = write_tool(tmp_path, "tool", "echo all; exit 3")

    done = await ProcessRunner().run([str(tool)], deadline=60.0, whole=said_all)

    assert (3, "all\n") == (done.code, done.stdout)

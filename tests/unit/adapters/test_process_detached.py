"""Detached children: watched while we are there, never ended by us."""

import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import anyio
import pytest

import healer
from healer.adapters.process import Completed, ProcessRunner, Watch
from healer.adapters.process_output import LOG_LIMIT
from healer.ports import CannotLook, TargetSilent
from tests.unit.adapters.helpers import alive, fifo, open_files, python, told, until

ENOUGH = 60.0
PROJECT = str(Path(healer.__file__).parents[1])

TALK_AND_HANG = """
import os, sys, time
print("starting colima", flush=True)
open(sys.argv[1], "w").write(str(os.getpid()))
open(sys.argv[2]).read()
print("done", flush=True)
"""

HEALER = """
import sys
from pathlib import Path
import anyio
from healer.adapters.process import ProcessRunner, Watch

async def main():
    watch = Watch(600, 600, lambda line: None, lambda pid, started: None)
    await ProcessRunner().run_detached(sys.argv[2:], log=Path(sys.argv[1]), watch=watch)

anyio.run(main)
"""


class Witness:
    """Takes down what a watched child says and which process it is."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.pids: list[int] = []
        self.started: list[float] = []

    def spawned(self, pid: int, started: float) -> None:
        """Remember the process."""
        self.pids.append(pid)
        self.started.append(started)

    def watch(self, deadline: float = ENOUGH, silence: float = ENOUGH) -> Watch:
        """Watch with these limits."""
        return Watch(deadline, silence, self.lines.append, self.spawned)


@pytest.fixture
def witness() -> Witness:
    """One that has seen nothing yet."""
    return Witness()


async def detached(argv: list[str], log: Path, watch: Watch) -> Completed:
    """Run it detached."""
    return await ProcessRunner().run_detached(argv, log=log, watch=watch)


async def test_both_streams_come_line_by_line_in_order(witness: Witness, tmp_path: Path) -> None:
    """The watcher hears each line, and the whole comes back with the exit code."""
    code = (
        "import os\n"
        "for fd, text in ((1, b'one\\n'), (2, b'two\\n'), (1, b'three')): os.write(fd, text)\n"
        "raise SystemExit(1)"
    )
    before = time.time()

    done = await detached(python(code), tmp_path / "start.log", witness.watch())

    assert ["one", "two", "three"] == witness.lines
    assert ("one\ntwo\nthree", "", 1) == (done.stdout, done.stderr, done.code)
    assert before <= witness.started[0] <= time.time()


async def test_lines_are_heard_while_it_runs(witness: Witness, tmp_path: Path) -> None:
    """A person sees what is awaited, not only how it ended."""
    up, go = fifo(tmp_path, "up"), fifo(tmp_path, "go")
    async with anyio.create_task_group() as group:
        argv = python(TALK_AND_HANG, up, go)
        group.start_soon(detached, argv, tmp_path / "start.log", witness.watch())
        await told(up)
        await until(lambda: witness.lines == ["starting colima"])
        go.write_text("", encoding="utf-8")

    assert ["starting colima", "done"] == witness.lines


async def test_silence_is_given_up_on_and_the_child_lives(witness: Witness, tmp_path: Path) -> None:
    """No new line for so long: we stop waiting, and it goes on by itself."""
    up, go = fifo(tmp_path, "up"), fifo(tmp_path, "go")
    argv = python(TALK_AND_HANG, up, go)
    async with anyio.create_task_group() as group:
        group.start_soon(told, up)
        with pytest.raises(TargetSilent, match="no new line for 2 s, left running as pid") as error:
            await detached(argv, tmp_path / "start.log", witness.watch(silence=2.0))

    assert "last words: starting colima" in error.value.detail
    assert alive(witness.pids[0])
    go.write_text("", encoding="utf-8")
    await until(lambda: not alive(witness.pids[0]))
    assert "starting colima\ndone\n" == (tmp_path / "start.log").read_text(encoding="utf-8")


async def test_the_deadline_leaves_the_child_alone(witness: Witness, tmp_path: Path) -> None:
    """A child that goes on talking past the deadline is left running too."""
    code = "import time\nwhile True: print('still', flush=True); time.sleep(0.05)"

    with pytest.raises(TargetSilent, match=r"had not ended after 0\.5 s, left running as pid"):
        await detached(python(code), tmp_path / "start.log", witness.watch(deadline=0.5))

    assert alive(witness.pids[0])
    os.killpg(witness.pids[0], signal.SIGKILL)
    await until(lambda: not alive(witness.pids[0]))


async def test_a_cancellation_leaves_the_child_alone(witness: Witness, tmp_path: Path) -> None:
    """Ctrl-C does not end a `colima start`; a thread reaps it when it ends by itself."""
    up, go = fifo(tmp_path, "up"), fifo(tmp_path, "go")
    before = open_files()
    async with anyio.create_task_group() as group:
        argv = python(TALK_AND_HANG, up, go)
        group.start_soon(detached, argv, tmp_path / "start.log", witness.watch())
        await told(up)
        group.cancel_scope.cancel()

    assert alive(witness.pids[0])
    assert before == open_files()
    go.write_text("", encoding="utf-8")
    await until(lambda: not alive(witness.pids[0]))
    assert (tmp_path / "start.log").read_text(encoding="utf-8").endswith("done\n")


async def test_it_outlives_a_killed_healer(tmp_path: Path) -> None:
    """SIGKILL of healer leaves its `colima start` running, able to speak on."""
    up, go = fifo(tmp_path, "up"), fifo(tmp_path, "go")
    log = tmp_path / "start.log"
    argv = python(HEALER, log, *python(TALK_AND_HANG, up, go))
    parent = await anyio.open_process(argv, env={**os.environ, "PYTHONPATH": PROJECT})
    child = int(await told(up))
    parent.kill()
    await parent.aclose()
    assert alive(child)

    go.write_text("", encoding="utf-8")

    await until(lambda: not alive(child))
    assert "starting colima\ndone\n" == log.read_text(encoding="utf-8")


async def test_it_has_a_session_of_its_own(witness: Witness, tmp_path: Path) -> None:
    """A terminal's Ctrl-C or hang-up does not reach it."""
    code = "import os; print(os.getsid(0) == os.getpid(), os.isatty(0))"

    await detached(python(code), tmp_path / "start.log", witness.watch())

    assert ["True False"] == witness.lines


async def test_the_log_is_private_and_starts_empty(witness: Witness, tmp_path: Path) -> None:
    """Each run has the log for itself, and nobody else may read it."""
    log = tmp_path / "state" / "start.log"
    for word in ("first", "second"):
        await detached(python(f"print('{word}')"), log, witness.watch())

    assert "second\n" == log.read_text(encoding="utf-8")
    assert 0o600 == stat.S_IMODE(log.stat().st_mode)


async def test_a_log_without_end_is_emptied(witness: Witness, tmp_path: Path) -> None:
    """A child gone mad does not fill the disk while it is watched."""
    size = 4 * LOG_LIMIT
    code = f"import os\nfor _ in range({size} // 65536): os.write(1, b'x' * 65535 + b'\\n')"
    log = tmp_path / "start.log"

    done = await detached(python(code + "\nprint('end')"), log, witness.watch())

    assert log.stat().st_size <= LOG_LIMIT
    assert (True, 0) == (done.truncated, done.code)
    assert "end" == witness.lines[-1]
    assert 4096 == max(len(line) for line in witness.lines)


async def test_a_log_that_cannot_be_written_starts_nothing(
    witness: Witness, tmp_path: Path
) -> None:
    """Without a place to speak into, nothing is started."""
    (tmp_path / "file").write_text("", encoding="utf-8")

    with pytest.raises(CannotLook, match="cannot write"):
        await detached(python("pass"), tmp_path / "file" / "start.log", witness.watch())

    assert [] == witness.pids


async def test_a_missing_tool_leaves_nothing_open(witness: Witness, tmp_path: Path) -> None:
    """A failed start closes what it had opened."""
    before = open_files()

    with pytest.raises(CannotLook, match="No such file"):
        await detached(["/nowhere/colima"], tmp_path / "start.log", witness.watch())

    assert before == open_files()


def test_the_interpreter_is_not_kept_from_exiting(tmp_path: Path) -> None:
    """healer can end while a detached child runs on: the waiting thread is a daemon."""
    argv = python(
        HEALER.replace(
            "    await ProcessRunner()", "    with anyio.move_on_after(0.3): await ProcessRunner()"
        ),
        tmp_path / "start.log",
        *python("import os, time; print(os.getpid(), flush=True); time.sleep(600)"),
    )

    done = subprocess.run(
        argv,
        env={**os.environ, "PYTHONPATH": PROJECT, "PYTHONWARNINGS": "error"},
        capture_output=True,
        check=True,
        text=True,
        timeout=ENOUGH,
    )

    os.kill(int((tmp_path / "start.log").read_text(encoding="utf-8")), signal.SIGKILL)
    assert "" == done.stderr
    assert sys.executable == argv[0]

"""Run another program so that nothing it does can hang, fill or outlive us unasked.

A child gets a session of its own, so that its whole group can be ended. What it says is
bounded while it is read, and a pipe that a grandchild holds is never waited for: a runner
that did both wrong froze a watchdog for good (facts/incidents.md §4, T9 and P3).
"""

import os
import shlex
import signal
import subprocess
import time
from asyncio import AbstractEventLoop, get_running_loop
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import Final

import anyio

from healer.adapters.process_output import LogTail, Pipes, open_log
from healer.ports import CannotLook, TargetSilent

MIB: Final = 1 << 20
TERM_GRACE: Final = 2.0
"""Seconds between TERM and KILL of a group."""
KILL_GRACE: Final = 2.0
"""Seconds after KILL; only a process that is stuck in the kernel is still there then."""
DRAIN: Final = 0.25
"""Seconds for which the pipes of an ended child may stay open."""
ANSWERED: Final = 1.0
"""Seconds that a program may take to end by itself after its answer was whole."""
LOOK: Final = 0.2
"""Seconds between two looks into the log of a detached child."""


@dataclass(frozen=True, slots=True)
class Completed:
    """How a program ended and what it said, decoded as UTF-8 with replacements."""

    argv: tuple[str, ...]
    code: int
    """Exit code; negative when that signal ended it."""
    stdout: str
    """For a detached run both streams, in the order in which they were written."""
    stderr: str
    truncated: bool
    """Some output was dropped, of the end (`run`) or of the beginning (`run_detached`)."""
    duration: float


@dataclass(frozen=True, slots=True)
class Watch:
    """How a detached child is waited for. Times in seconds."""

    deadline: float
    """Longest wait for its end."""
    silence: float
    """Longest wait for its next line."""
    on_line: Callable[[str], None]
    """Given each line it says, at most 4 KiB of it."""
    on_spawn: Callable[[int, float], None]
    """Given its pid and its start in epoch seconds, as soon as it runs."""


class ProcessRunner:
    """Runs programs from argument lists; never a shell.

    `term_grace` and `drain` are seconds; see the constants of this file.
    """

    def __init__(self, *, term_grace: float = TERM_GRACE, drain: float = DRAIN) -> None:
        self._term_grace = term_grace
        self._drain = drain

    async def run(
        self,
        argv: Sequence[str],
        *,
        deadline: float,
        env: Mapping[str, str] | None = None,
        stdin: bytes = b"",
        limit: int = MIB,
        whole: Callable[[bytes], bool] | None = None,
    ) -> Completed:
        """Run it to its end, or end it and all of its group after `deadline` seconds.

        At most `limit` bytes of each stream are kept, the first ones; the rest is read and
        dropped. `env` is the whole environment (None: ours), and its PATH finds the program.
        Cancelling ends the group too. A program that goes on after its stdout is `whole` is
        ended soon, with code 0: nobody waits for more. Raises CannotLook when it cannot be
        started, and TargetSilent when it had to be ended.
        """
        begun = anyio.current_time()
        feed = subprocess.PIPE if stdin else subprocess.DEVNULL
        child = Child(_spawn(argv, env, feed, subprocess.PIPE, subprocess.PIPE))
        pipes = Pipes(child.popen, stdin, limit, whole)
        try:
            with anyio.move_on_after(deadline):
                await _end_or_answer(child, pipes)
                await pipes.finish(self._drain)
            in_time = child.exited.is_set()
        finally:
            # A shield, since cancelling us must not leave the child behind; it is short.
            with anyio.CancelScope(shield=True):
                await child.end(self._term_grace)
            pipes.close()
        answered = pipes.stdout.answered.is_set()
        if not in_time and not answered:
            said = tail_of(pipes.stderr.text() or pipes.stdout.text())
            raise TargetSilent(place_of(argv), f"had not ended after {deadline:g} s{said}")
        return Completed(
            tuple(argv),
            child.popen.returncode if in_time else 0,
            pipes.stdout.text(),
            pipes.stderr.text(),
            pipes.stdout.truncated or pipes.stderr.truncated,
            anyio.current_time() - begun,
        )

    async def run_detached(
        self,
        argv: Sequence[str],
        *,
        log: Path,
        watch: Watch,
        env: Mapping[str, str] | None = None,
    ) -> Completed:
        """Start something that must live on whatever becomes of us, and watch it.

        It is never ended from here: not by a deadline, not by a cancellation, not by our
        exit, since a `colima start` that is killed half-way leaves a VM that boots on
        without its last steps (facts/colima.md §1.5). So it speaks into the file `log`,
        emptied first, and not into a pipe that would break when we go. Raises CannotLook
        when it cannot be started, and TargetSilent when it is left running unwatched.
        """
        begun = anyio.current_time()
        out = _log_file(log, argv)
        try:
            child = Child(_spawn(argv, env, subprocess.DEVNULL, out, out))
            watch.on_spawn(child.popen.pid, time.time())
            tail = LogTail(out)
            await _follow(child, tail, watch, place_of(argv))
            return Completed(
                tuple(argv),
                child.popen.returncode,
                tail.last(MIB),
                "",
                tail.truncated,
                anyio.current_time() - begun,
            )
        finally:
            os.close(out)


class Child:
    """A child in a group of its own, with a thread that waits for it.

    The thread is a daemon: it reaps a detached child that nobody watches any more, and
    does not keep us from exiting meanwhile. asyncio's own transports will not do: before
    Python 3.12.4 they wait for the pipes too, and they kill what is garbage collected.
    """

    def __init__(
        self, popen: subprocess.Popen[bytes], on_exit: Callable[[], None] | None = None
    ) -> None:
        """`on_exit` is called in the loop when it has ended, whoever ended it."""
        self.popen = popen
        self.exited = anyio.Event()
        self._on_exit = on_exit
        name = f"wait for {popen.pid}"
        Thread(target=self._reap, args=(get_running_loop(),), name=name, daemon=True).start()

    def _reap(self, loop: AbstractEventLoop) -> None:
        self.popen.wait()
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(self._note_exit)

    def _note_exit(self) -> None:
        self.exited.set()
        if self._on_exit is not None:
            self._on_exit()

    async def end(self, grace: float) -> None:
        """End the whole group, unless the child has ended by itself."""
        if self.exited.is_set():
            return
        self._signal(signal.SIGTERM)
        with anyio.move_on_after(grace):
            await self.exited.wait()
        # Also when the leader has gone: others of the group may have ignored the TERM. The
        # group's number cannot belong to anybody else while one of them lives.
        self._signal(signal.SIGKILL)
        with anyio.move_on_after(KILL_GRACE):
            await self.exited.wait()

    def _signal(self, number: signal.Signals) -> None:
        # macOS says EPERM, not ESRCH, of a group that has only zombies left.
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.popen.pid, number)


async def _end_or_answer(child: Child, pipes: Pipes) -> None:
    """Wait for the child's end; once its answer is whole, a little longer and no more."""
    async with anyio.create_task_group() as tasks:

        async def answered() -> None:
            await pipes.stdout.answered.wait()
            await anyio.sleep(ANSWERED)
            tasks.cancel_scope.cancel()

        tasks.start_soon(answered, name="whole answer")
        await child.exited.wait()
        tasks.cancel_scope.cancel()


async def _follow(child: Child, tail: LogTail, watch: Watch, place: str) -> None:
    begun = heard = anyio.current_time()
    while True:
        with anyio.move_on_after(LOOK):
            await child.exited.wait()
        ended = child.exited.is_set()  # asked before reading, so that no last word is lost
        now = anyio.current_time()
        for line in tail.lines(ended=ended):
            heard = now
            watch.on_line(line)
        if ended:
            return
        left = f"left running as pid {child.popen.pid}{tail_of(tail.last(4096))}"
        if now - begun >= watch.deadline:
            raise TargetSilent(place, f"had not ended after {watch.deadline:g} s, {left}")
        if now - heard >= watch.silence:
            raise TargetSilent(place, f"no new line for {watch.silence:g} s, {left}")


def _spawn(
    argv: Sequence[str],
    env: Mapping[str, str] | None,
    stdin: int,
    stdout: int,
    stderr: int,
) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            list(argv),
            bufsize=0,
            env=None if env is None else dict(env),
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            start_new_session=True,
        )
    except OSError as error:
        raise CannotLook(place_of(argv), f"cannot start {argv[0]}: {error.strerror}") from error


def _log_file(log: Path, argv: Sequence[str]) -> int:
    try:
        return open_log(log)
    except OSError as error:
        raise CannotLook(place_of(argv), f"cannot write {log}: {error.strerror}") from error


def place_of(argv: Sequence[str]) -> str:
    """The command as a person would type it, cut to one line's length."""
    return shlex.join([Path(argv[0]).name, *argv[1:]])[:160]


def tail_of(text: str) -> str:
    """The last line said, ready to be appended to a message; '' when nothing was said."""
    lines = text.strip().splitlines()
    return f"; last words: {lines[-1][-200:]}" if lines else ""

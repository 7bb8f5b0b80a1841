"""`healer --once` handed to a running daemon: shown live, and as one's own in the end."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from healer.adapters.lock import WriterLock
from healer.cli import handing
from healer.cli.asking import NoDaemon
from tests.patience import PATIENCE
from tests.unit.cli.command import Machine, interrupt
from tests.unit.cli.odd_daemon import odd_daemon
from tests.unit.serving.canned import DOCUMENT
from tests.unit.serving.daemons import Canned


@pytest.fixture(name="canned")
def fixture_canned(machine: Machine) -> Iterator[Canned]:
    """A daemon that gives canned answers."""
    with Canned(machine.home / ".local/state/healer/control.sock") as process:
        yield process


def test_its_lines_its_report_and_its_code(machine: Machine, canned: Canned) -> None:
    """As a pass of one's own prints them."""
    said = machine.healer("--once")

    assert 1 == said.code
    assert "    0.0 s  talos: acting\n" == said.err
    assert "the report (settled)\n" == said.out
    del canned


def test_as_one_document(machine: Machine, canned: Canned) -> None:
    """Data alone."""
    said = machine.healer("--once", "--json")

    assert (1, "", DOCUMENT) == (said.code, said.err, said.document)
    del canned


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_the_first_press_lets_it_end(machine: Machine, canned: Canned, how: signal.Signals) -> None:
    """The daemon begins nothing new for us, the report comes, 130."""
    process = machine.start("--once", "--deadline", "60s")
    assert "once begun" == canned.hear()
    process.send_signal(how)
    out, err = process.communicate(timeout=PATIENCE)

    assert (130, "the report (interrupted)\n") == (process.returncode, out)
    assert "ending: nothing new is begun; once more to end at once" in err


def test_the_second_press_leaves_at_once(machine: Machine, canned: Canned) -> None:
    """Even from a daemon that hangs by then."""
    process = machine.start("--once", "--deadline", "60s")
    assert "once begun" == canned.hear()
    canned.process.send_signal(signal.SIGSTOP)
    process.send_signal(signal.SIGINT)
    assert process.stderr is not None
    while "once more" not in process.stderr.readline():
        assert process.poll() is None
    said = interrupt(process)

    assert (130, "") == (said.code, said.out)
    assert "Traceback" not in said.err


def test_a_dry_run_is_always_our_own(machine: Machine, canned: Canned) -> None:
    """It takes no lock and leaves no trace, so there is nothing to hand over."""
    said = machine.healer("--once", "--dry-run")

    assert 3 == said.code
    assert "the tower could not be looked at in full" in said.out
    del canned


def test_a_daemon_that_ends_in_the_middle_is_replaced_by_us(machine: Machine) -> None:
    """It is said, and the pass goes on; the lock is free by then."""
    path = machine.home / ".local/state/healer/control.sock"
    with odd_daemon(path, b'{"line": "begun"}\n'):
        said = machine.healer("--once")

    assert 3 == said.code
    assert "begun\nhealer: the daemon ended in the middle of its answer\n" in said.err
    assert "the tower could not be looked at in full" in said.out


def test_a_daemon_that_hangs_is_only_looked_beside(machine: Machine, canned: Canned) -> None:
    """It holds the lock: look only, and say so (design §10, "One pass")."""
    lock = WriterLock(canned.path.with_name("lock"))
    assert lock.acquire() is None
    canned.process.send_signal(signal.SIGSTOP)
    said = machine.healer("--once", "--json")
    lock.release()

    assert (3, []) == (said.code, said.document["acts"])
    assert "did not answer within 5 s" in said.err
    assert "is at work: looking only" in said.err


def test_a_daemon_that_just_begins_is_waited_for(tmp_path: Path) -> None:
    """It has taken the lock and listens a moment later."""
    lock = tmp_path / "lock"
    lock.write_text(f"{os.getpid()}\n")
    answers: list[dict[str, Any] | None] = [None, None, {"exit_code": 0}]

    def hand_over() -> dict[str, Any]:
        answer = answers.pop(0)
        if answer is None:
            raise NoDaemon("not yet")
        return answer

    assert {"exit_code": 0} == handing._when_it_listens(hand_over, lock)


@pytest.mark.parametrize("words", [None, "", "no pid", "0", "4194305", "9" * 40])
def test_where_nobody_holds_the_lock_nobody_is_waited_for(
    tmp_path: Path, words: str | None
) -> None:
    """No file, an unreadable one, a pid that is none any more: our own pass begins at once."""
    lock = tmp_path / "lock"
    if words is not None:
        lock.write_text(words)
    calls: list[int] = []

    def hand_over() -> dict[str, Any]:
        calls.append(1)
        raise NoDaemon("nobody")

    with pytest.raises(NoDaemon):
        handing._when_it_listens(hand_over, lock)
    assert [1] == calls

"""The control socket under good, bad, slow, silent, huge and vanishing clients."""

import json
import os
import signal
import socket
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import anyio
import pytest

from healer.serving import protocol
from healer.serving.control import ControlServer
from tests.unit.serving.canned import ANSWERS, QUICK
from tests.unit.serving.daemons import Canned, client, heard, request, spoken
from tests.unit.serving.documents import STATUS


def code_of(said: list[dict[str, object]]) -> str:
    """The code of the one error that was said."""
    (one,) = said
    error = one["error"]
    assert isinstance(error, dict)
    assert error["words"]
    return str(error["code"])


def test_lines_come_first_and_then_one_answer(canned: Canned) -> None:
    """The protocol of `serving/protocol.py`."""
    said = spoken(canned.path, request("echo", words="one two"))

    assert [{"line": "one"}, {"line": "two"}, {"answer": {"words": "one two"}}] == said


def test_the_first_word_comes_at_once(canned: Canned) -> None:
    """A client that hears nothing within 5 s takes the daemon for hung: so it hears `heard`."""
    with client(canned.path) as connection:
        connection.sendall(request("wait"))
        first = json.loads(connection.makefile("rb").readline())

    assert "heard" == first["event"]["name"]


def test_signs_of_life_while_an_answer_takes_long(canned: Canned) -> None:
    """So a long pass is told from a hung daemon."""
    with client(canned.path) as connection:
        connection.sendall(request("wait"))
        lines = connection.makefile("rb")
        names = [json.loads(lines.readline()).get("event", {}).get("name") for _ in range(4)]

    assert ["heard", None, "working", "working"] == names


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (b"\n", protocol.BAD_REQUEST),
        (b"GET / HTTP/1.1\r\n\r\n", protocol.BAD_REQUEST),
        (b"\xff\xfe\x00\n", protocol.BAD_REQUEST),
        (b"[1]\n", protocol.BAD_REQUEST),
        (b"[" * 60_000 + b"\n", protocol.BAD_REQUEST),
        (b'{"verb": 3, "version": 1}\n', protocol.BAD_REQUEST),
        (b'{"verb": "echo", "arguments": [], "version": 1}\n', protocol.BAD_REQUEST),
        (b'{"verb": "echo"}\n', protocol.VERSION_DIFFERS),
        (b'{"verb": "echo", "version": 2}\n', protocol.VERSION_DIFFERS),
        (request("heal"), protocol.UNKNOWN_VERB),
        (b"x" * (protocol.LONGEST_REQUEST + 200_000), protocol.TOO_LONG),
        (request("refuse"), protocol.REFUSED),
    ],
    ids=lambda one: one[:20] if isinstance(one, bytes) else one,
)
def test_what_is_no_request_is_named(canned: Canned, words: bytes, code: str) -> None:
    """One error with a code and words; the daemon serves on."""
    assert code == code_of(spoken(canned.path, words))
    assert [{"answer": {}}] == spoken(canned.path, request("echo"))


def test_half_a_request_is_named(canned: Canned) -> None:
    """A client that ends in the middle of its line."""
    with client(canned.path) as connection:
        connection.sendall(b'{"verb": "ec')
        connection.shutdown(socket.SHUT_WR)

        assert protocol.BAD_REQUEST == code_of(heard(connection))


def test_a_silent_client_is_sent_away(canned: Canned) -> None:
    """It holds a place for so long and no longer."""
    with client(canned.path) as connection:
        assert protocol.TOO_SLOW == code_of(heard(connection))


def test_a_request_may_come_in_pieces(canned: Canned) -> None:
    """A byte at a time is as good."""
    with client(canned.path) as connection:
        for byte in request("echo"):
            connection.send(bytes([byte]))

        assert [{"answer": {}}] == heard(connection)


def test_a_client_that_takes_nothing_is_let_go(canned: Canned) -> None:
    """A full pipe ends its own telling; others are served meanwhile."""
    with client(canned.path) as connection:
        connection.sendall(request("flood"))
        assert [{"answer": {}}] == spoken(canned.path, request("echo"))

        assert "flood ended" == canned.hear()


def test_a_client_that_goes_away_ends_its_answer(canned: Canned) -> None:
    """It is noticed at once, not at the end of the answer."""
    with client(canned.path) as connection:
        connection.sendall(request("wait"))
        assert "wait begun" == canned.hear()

    canned.hear_of("wait cancelled")
    assert [{"answer": {}}] == spoken(canned.path, request("echo"))


def test_a_client_may_say_that_it_is_in_a_hurry(canned: Canned) -> None:
    """Ctrl-C shuts the writing half: the answer still comes, and says so."""
    with client(canned.path) as connection:
        connection.sendall(request("wait"))
        assert "wait begun" == canned.hear()
        connection.shutdown(socket.SHUT_WR)

        assert {"answer": {"why": "hurried"}} == heard(connection)[-1]


def test_a_client_that_gave_up_is_not_obeyed_late(folder: Path) -> None:
    """A pause must not come minutes after the hung daemon was given up: the wish is dropped."""
    with Canned(folder / "control.sock") as canned:
        canned.process.send_signal(signal.SIGSTOP)
        with client(canned.path) as connection:
            connection.sendall(request("wait"))
        canned.process.send_signal(signal.SIGCONT)
        assert [{"answer": {}}] == spoken(canned.path, request("echo"))
        canned.kill()
        assert canned.process.stdout is not None

        assert "" == canned.process.stdout.read()


def test_an_answer_that_breaks_tells_no_secret(canned: Canned) -> None:
    """The client hears of what kind it was; the words may hold anything."""
    said = spoken(canned.path, request("broken"))

    assert protocol.BROKE == code_of(said)
    assert "hunter2" not in json.dumps(said)
    assert "RuntimeError" in json.dumps(said)
    assert "broken broke: RuntimeError" == canned.hear()


def test_more_than_a_few_are_told_to_come_back(canned: Canned) -> None:
    """Each place is freed again."""
    waiting = [socket.socket(socket.AF_UNIX) for _ in range(QUICK.connections)]
    for one in waiting:
        one.connect(str(canned.path))
        one.sendall(request("wait"))
        assert "wait begun" == canned.hear()

    assert protocol.BUSY == code_of(spoken(canned.path, request("echo")))
    for one in waiting:
        one.close()
    for _ in waiting:
        canned.hear_of("wait cancelled")
    said = spoken(canned.path, request("echo"))
    while "error" in said[0]:  # a place is free a moment after its answer has ended
        said = spoken(canned.path, request("echo"))
    assert [{"answer": {}}] == said


def test_two_clients_at_once_hear_their_own(canned: Canned) -> None:
    """Lines of one never reach the other."""

    def said_to(word: str) -> list[dict[str, object]]:
        return spoken(canned.path, request("echo", words=" ".join([word] * 200)))

    with ThreadPoolExecutor(2) as pool:
        one, two = pool.map(said_to, ["one", "two"])

    assert [{"line": "one"}] * 200 == one[:-1]
    assert [{"line": "two"}] * 200 == two[:-1]


def test_only_its_owner_may_connect(canned: Canned) -> None:
    """0600, from before it listens."""
    assert 0o600 == stat.S_IMODE(canned.path.stat().st_mode)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_another_user_is_refused_even_where_the_file_lets_him_in(canned: Canned) -> None:
    """The system says who is at the other end; the mode is not the only lock."""
    canned.path.chmod(0o666)
    canned.path.parent.chmod(0o755)
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        code = b"none"
        try:
            os.setuid(65_534)
            code = code_of(spoken(canned.path, request("status"))).encode()
        finally:
            os.write(writing, code)
            os._exit(0)
    os.waitpid(child, 0)
    os.close(writing)
    with os.fdopen(reading, "rb") as said:
        assert protocol.FORBIDDEN == said.read().decode()


def test_a_killed_daemon_leaves_a_file_that_the_next_one_replaces(folder: Path) -> None:
    """SIGKILL removes nothing; the lock's holder may."""
    path = folder / "control.sock"
    with Canned(path) as first:
        first.kill()
        assert path.is_socket()
    with Canned(path):
        assert [{"answer": STATUS}] == spoken(path, request("status"))


async def refused_with(path: Path, *, holds_lock: bool = True) -> str:
    """Why a server there cannot serve."""
    words: list[str] = []
    told = anyio.Event()

    def said(one: str) -> None:
        words.append(one)
        told.set()

    server = ControlServer(path, ANSWERS, holds_lock=lambda: holds_lock, patience=QUICK)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(server.keep_open, said)
        with anyio.fail_after(30):
            await told.wait()
        tasks.cancel_scope.cancel()
    return words[0]


async def test_without_the_lock_nothing_is_replaced(folder: Path) -> None:
    """Another daemon may serve there."""
    path = folder / "control.sock"
    with Canned(path):
        assert "writer's lock" in await refused_with(path, holds_lock=False)
        assert [{"answer": {}}] == spoken(path, request("echo"))


async def test_a_path_that_is_too_long_names_the_remedy(folder: Path) -> None:
    """104 bytes on macOS, 108 on Linux."""
    words = await refused_with(folder / ("x" * 90) / "control.sock")

    assert "set files.state to a shorter folder" in words


async def test_something_else_in_its_place_is_left_alone(folder: Path) -> None:
    """A file of somebody's is never removed."""
    path = folder / "control.sock"
    path.write_text("mine")

    assert "something else is there" in await refused_with(path)
    assert "mine" == path.read_text()


async def test_a_folder_that_cannot_be_made_is_named(folder: Path) -> None:
    """Cause and place."""
    (folder / "file").write_text("in the way")

    assert "ls -ld" in await refused_with(folder / "file" / "control.sock")


async def test_what_was_in_the_way_may_go(folder: Path) -> None:
    """It is tried again, and said when it works."""
    path = folder / "control.sock"
    path.write_text("in the way")
    words: list[str] = []
    works = anyio.Event()

    def said(one: str) -> None:
        words.append(one)
        if one:
            path.unlink(missing_ok=True)
        else:
            works.set()

    async with anyio.create_task_group() as tasks:
        server = ControlServer(path, ANSWERS, holds_lock=lambda: True, patience=QUICK)
        tasks.start_soon(server.keep_open, said)
        with anyio.fail_after(30):
            await works.wait()
        assert [{"answer": {}}] == await anyio.to_thread.run_sync(spoken, path, request("echo"))
        tasks.cancel_scope.cancel()
    assert not path.exists()


async def test_a_file_that_was_swept_away_is_made_anew(canned: Canned) -> None:
    """A cleaner of temporary folders must not cut off a daemon of a year."""
    canned.path.unlink()

    assert "ready" == await anyio.to_thread.run_sync(canned.hear)
    assert [{"answer": {}}] == spoken(canned.path, request("echo"))


def test_a_daemon_that_ends_in_order_takes_its_file_along(folder: Path) -> None:
    """A client then knows at once that there is none."""
    path = folder / "control.sock"
    with Canned(path) as canned:
        canned.kill(signal.SIGINT)

    assert not path.exists()

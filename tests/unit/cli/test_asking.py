"""Commands beside a daemon: one that answers, hangs, talks nonsense, refuses, or has gone."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from healer.cli import asking
from healer.cli.asking import AskError, NoDaemon, Refused, Silent, ask, control_path
from healer.cli.status import fitted
from healer.settings import load
from healer.settings.places import places_of
from tests.unit.cli.command import Machine
from tests.unit.cli.odd_daemon import odd_daemon
from tests.unit.serving.daemons import Canned
from tests.unit.serving.documents import STATUS


def socket_of(machine: Machine) -> Path:
    """Where that machine's daemon listens."""
    return machine.home / ".local/state/healer/control.sock"


@pytest.fixture(name="canned")
def fixture_canned(machine: Machine) -> Iterator[Canned]:
    """A daemon that gives canned answers."""
    with Canned(socket_of(machine)) as process:
        yield process


def test_an_answer_and_its_lines(canned: Canned) -> None:
    """Lines are passed on in their order, before the answer is returned."""
    lines: list[str] = []
    answer = ask(canned.path, "echo", {"words": "one two"}, line=lines.append)

    assert ({"words": "one two"}, ["one", "two"]) == (answer, lines)


def test_nobody_listens(tmp_path: Path) -> None:
    """No file, a file that a killed daemon left, a folder that is none, a path too long for one."""
    stale = tmp_path / "stale.sock"
    with Canned(stale) as dead:
        dead.kill()
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "no", stale, tmp_path / "file" / "no", tmp_path / ("x" * 120)):
        with pytest.raises(NoDaemon, match="no daemon listens at "):
            ask(path, "status")


@pytest.mark.parametrize(
    ("says", "words"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "no daemon of ours: it said b'HTTP/1.1 400"),
        (b"[" * 60_000 + b"\n", "no daemon of ours"),
        (b"3\n", "no daemon of ours: it said b'3'"),
        (b"", "ended in the middle"),
        (b'{"line": "one"}\n{"answer": {', "ended in the middle"),
        (b'{"answer": 3}\n', "ended in the middle"),
    ],
)
def test_what_is_no_answer(tmp_path: Path, says: bytes, words: str) -> None:
    """Each in a sentence, never a traceback."""
    path = tmp_path / "odd.sock"
    with odd_daemon(path, says), pytest.raises(Silent, match="daemon") as caught:
        ask(path, "status")

    assert words in str(caught.value)


def test_an_answer_without_an_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not heard for ever."""
    monkeypatch.setattr(asking, "_LARGEST", 10_000)
    path = tmp_path / "odd.sock"
    with odd_daemon(path, b"x" * 200_000), pytest.raises(Silent, match="more than an answer"):
        ask(path, "status")


def test_the_daemons_no_is_passed_on(canned: Canned, tmp_path: Path) -> None:
    """Its own words, whatever the reason; one of another version says what to do."""
    with pytest.raises(Refused, match="disk full; free space"):
        ask(canned.path, "refuse")
    with pytest.raises(Refused, match="'heal' is nothing this daemon"):
        ask(canned.path, "heal")
    newer = b'{"error": {"code": "version", "words": "this daemon speaks version 2"}}\n'
    path = tmp_path / "newer.sock"
    with odd_daemon(path, newer), pytest.raises(Refused, match="speaks version 2"):
        ask(path, "status")


def test_a_daemon_that_dies_in_the_middle(canned: Canned) -> None:
    """What it had said by then was heard."""
    lines: list[str] = []
    with pytest.raises(Silent, match="ended in the middle"):
        ask(canned.path, "vanish", line=lines.append)

    assert ["dying"] == lines


def test_a_hung_daemon(canned: Canned, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stopped by SIGSTOP its socket still takes clients: only silence tells."""
    monkeypatch.setattr(asking, "FIRST_WITHIN", 0.2)
    canned.process.send_signal(signal.SIGSTOP)
    with pytest.raises(Silent, match="did not answer within"):
        ask(canned.path, "status")
    with pytest.raises(Silent, match="did not answer within"):
        ask(canned.path, "once", patient=True)


def test_a_long_answer_is_waited_for(canned: Canned, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there is patience, and signs of life; a quick question has none."""
    monkeypatch.setattr(asking, "FIRST_WITHIN", 2.0)

    assert {"slow": True} == ask(canned.path, "slow", {"seconds": 2.5}, patient=True)
    with pytest.raises(Silent, match="did not answer within 2 s"):
        ask(canned.path, "slow", {"seconds": 60.0})


def test_a_daemon_that_hangs_in_the_middle(canned: Canned, monkeypatch: pytest.MonkeyPatch) -> None:
    """Signs of life that stop end the patience, however long the answer may take."""
    monkeypatch.setattr(asking, "_SILENCE", 0.2)

    def stop(_: str) -> None:
        canned.process.send_signal(signal.SIGSTOP)

    with pytest.raises(Silent, match="did not answer"):
        ask(canned.path, "wait", line=stop, patient=True)


@pytest.mark.parametrize(
    ("file", "environment"),
    [
        (None, {}),
        ("", {}),
        ('[files]\nstate = "~/s"\n', {}),
        ('[files]\nstate = "/var/tmp/s"\n', {}),
        ('[files]\nlog = "~/l"\n', {"XDG_STATE_HOME": "/xdg"}),
        ('[files]\nstate = "~/s"\n', {"XDG_STATE_HOME": "/xdg"}),
        ('[files]\nstate = "~/s"\n', {"HEALER_FILES_STATE": "/given"}),
        (None, {"HEALER_FILES_STATE": "~/given"}),
        (None, {"XDG_STATE_HOME": "relative"}),
    ],
)
def test_the_socket_is_where_the_settings_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str | None, environment: dict[str, str]
) -> None:
    """The quick way, which reads one key, and the whole settings agree."""
    for name in ("XDG_STATE_HOME", "XDG_CONFIG_HOME", "HEALER_CONFIG", "HEALER_FILES_STATE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {"HOME": str(tmp_path), **environment}.items():
        monkeypatch.setenv(name, value)
    machine = Machine(tmp_path)
    if file is not None:
        machine.write(file)

    assert places_of(load().settings, environment, tmp_path).control == control_path()


@pytest.mark.parametrize("file", ["[files]\nstate = 3\n", '[files]\nstate = "x"\n', "[files\n"])
def test_a_place_that_is_none_is_told(machine: Machine, file: str) -> None:
    """The whole settings say what is wrong with it: 78."""
    machine.write(file)
    said = machine.healer("status")

    assert (78, "") == (said.code, said.out)
    assert "config.toml" in said.err


def test_other_faults_in_the_settings_hide_no_daemon(machine: Machine, canned: Canned) -> None:
    """A daemon lives on with its old settings, and can still be asked."""
    machine.write("[once]\ndeadlin = '5m'\n")

    assert 0 == machine.healer("status").code
    del canned


def test_status_of_a_running_daemon(machine: Machine, canned: Canned) -> None:
    """Text or document on stdout, the tower's exit code, nothing on stderr."""
    text, document = machine.healer("status"), machine.healer("status", "--json")

    assert (0, "") == (text.code, text.err)
    assert text.out.startswith("the tower is well  (healer 0.1.0, pid 812, up 40 s)\n  launchd")
    assert "\x1b" not in text.out
    assert (0, "", STATUS) == (document.code, document.err, document.document)
    del canned


def test_status_without_a_daemon_shows_the_journal(machine: Machine) -> None:
    """Nobody looks, so 3; and yet a pause must not be forgotten."""
    bare = machine.healer("status")
    machine.healer("pause", "--for", "1h", "--reason", "moving house")
    paused, document = machine.healer("status"), machine.healer("status", "--json")

    assert (3, "") == (bare.code, bare.out)
    assert "no daemon is running; `healer` starts it" in bare.err
    assert 3 == paused.code
    assert "from the journal alone" in paused.out
    assert "left: moving house (`healer resume`)" in paused.out
    assert (3, None, []) == tuple(
        document.document[name] for name in ("exit_code", "pid", "layers")
    )
    assert "moving house" == document.document["pauses"][0]["reason"]


@pytest.mark.parametrize("rows", [3, 10, 24])
def test_a_watched_status_stays_on_its_terminal(rows: int) -> None:
    """A row that has scrolled away cannot be cleared; what is left out is said."""
    text = "\n".join(f"line {number}" for number in range(40))
    shown = fitted(text, rows).split("\n")

    assert rows - 1 == len(shown)
    assert "line 0" == shown[0]
    assert f"… {40 - rows + 2} more lines: healer status" == shown[-1]
    assert text == fitted(text, 41)


def test_watch_is_for_a_terminal(machine: Machine) -> None:
    """A pipe would only fill."""
    said = machine.healer("status", "--watch")

    assert (2, "") == (said.code, said.out)
    assert "--json" in said.err


def test_a_hung_daemon_is_said_within_five_seconds(machine: Machine, canned: Canned) -> None:
    """`status` shows the journal then; `pause` is kept there until the daemon lives again."""
    canned.process.send_signal(signal.SIGSTOP)
    paused = machine.healer("pause", "--reason", "it hangs")
    status = machine.healer("status")

    assert 0 == paused.code
    assert "did not answer within 5 s; the journal takes it" in paused.err
    assert "paused everything until `healer resume`: it hangs" in paused.err
    assert 3 == status.code
    assert "did not answer within 5 s" in status.err
    assert "it hangs" in status.out


def test_a_word_that_the_daemon_refuses_ends_with_one(machine: Machine, canned: Canned) -> None:
    """It is not written behind its back."""
    said = machine.healer("pause", "--reason", "x")

    assert 1 == said.code
    assert "'pause' is nothing this daemon" in said.err
    assert not (canned.path.parent / "journal.sqlite").exists()


def test_explain_asks_the_daemon(machine: Machine, canned: Canned) -> None:
    """It knows what was refused, and need not look."""
    said = machine.healer("explain", "docker")

    assert (0, "docker is ok, says the daemon\n", "") == (said.code, said.out, said.err)
    del canned


def test_the_errors_are_of_one_kind() -> None:
    """Whoever has a way without the daemon catches one."""
    assert all(issubclass(one, AskError) for one in (NoDaemon, Silent, Refused))

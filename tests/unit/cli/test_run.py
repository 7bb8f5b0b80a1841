"""`healer run` as a real process under real signals, and the commands beside it."""

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.cli.daemon_process import DaemonProcess


@pytest.fixture
def daemon(short_folder: Path) -> Iterator[DaemonProcess]:
    """A daemon that was not started yet; ended in any case."""
    made = DaemonProcess(short_folder)
    yield made
    if made.process is not None and made.process.poll() is None:
        made.end(signal.SIGKILL)
    if made.process is not None and made.process.stderr is not None:
        made.process.stderr.close()


def log_of(daemon: DaemonProcess) -> list[dict[str, object]]:
    """Every line of its log."""
    path = daemon.home / ".local" / "log" / "healer.log"
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_it_tells_its_status_and_ends_in_good_order(daemon: DaemonProcess) -> None:
    """Ready after one look at everything; SIGTERM ends it with 0 and leaves no socket behind."""
    daemon.start()

    status = daemon.cli("status", "--json")
    document = json.loads(status.stdout)
    assert 3 == status.returncode
    assert (True, "", []) == (document["ready"], document["stalled"], document["unseen"])
    assert daemon.process is not None
    assert daemon.process.pid == document["pid"]

    assert 0 == daemon.end()
    assert not (daemon.home / ".local/state/healer/control.sock").exists()
    assert ["started", "ended"] == [
        one["event"] for one in log_of(daemon) if one["event"] in {"started", "ended"}
    ]


def test_a_second_daemon_refuses_with_the_pid_of_the_first(daemon: DaemonProcess) -> None:
    """One writer in all processes (I7)."""
    daemon.start()
    second = daemon.cli("run")

    assert daemon.process is not None
    assert 1 == second.returncode
    assert f"another healer (pid {daemon.process.pid}) is running" in second.stderr


def test_a_pause_is_heeded_at_once_and_ends_by_a_word(daemon: DaemonProcess) -> None:
    """Who, why and until when are shown; `resume` says how many it ended."""
    daemon.start()

    said = daemon.cli("pause", "--for", "1h", "--reason", "kernel update").stderr
    (pause,) = json.loads(daemon.cli("status", "--json").stdout)["pauses"]
    assert "paused everything for 1 h: kernel update" in said
    assert "kernel update" == pause["reason"]
    assert 3590 < pause["ends_in_seconds"] <= 3600
    assert "everything, by" in daemon.cli("status").stdout

    assert "ended 1 pause" in daemon.cli("resume").stderr
    assert [] == json.loads(daemon.cli("status", "--json").stdout)["pauses"]


def test_a_reason_of_any_bytes_is_shown(daemon: DaemonProcess) -> None:
    """Undecodable bytes and escapes, with a daemon and without: no view of it breaks."""
    reason = os.fsdecode(b"disk\xff \x1b[31mred\x1b]0;title\x07 token=hunter2")
    assert 0 == daemon.cli("pause", "--layer", "pods", "--reason", reason).returncode
    daemon.start()
    assert 0 == daemon.cli("pause", "--reason", reason).returncode

    pauses = json.loads(daemon.cli("status", "--json").stdout)["pauses"]
    assert ["disk red token=(redacted)"] * 2 == [one["reason"] for one in pauses]
    for command in (("status",), ("history",), ("explain", "pods"), ("status", "--json")):
        for encoding in ("ascii", "latin-1", "utf-8"):
            asked = daemon.cli(*command, PYTHONIOENCODING=encoding)
            assert "Traceback" not in asked.stderr
            assert "token=(redacted)" in asked.stdout
            assert "\x1b" not in asked.stdout


def test_patterns_of_the_settings_count_at_once(daemon: DaemonProcess) -> None:
    """After a SIGHUP in the daemon, and in a command without one."""
    config = daemon.home / ".config" / "healer" / "config.toml"
    config.parent.mkdir(parents=True)
    daemon.start()
    daemon.cli("pause", "--layer", "pods", "--reason", "joel-1")
    config.write_text('[evidence]\nredact = ["joel-[0-9]+"]\n', "utf-8")
    config.chmod(0o600)
    daemon.send(signal.SIGHUP)
    daemon.hear("evidence.redact changed")
    said = daemon.cli("pause", "--layer", "node", "--reason", "joel-1").stderr

    assert "(redacted)" in said
    pauses = json.loads(daemon.cli("status", "--json").stdout)["pauses"]
    assert ["joel-1", "(redacted)"] == [one["reason"] for one in pauses]
    assert 0 == daemon.end()
    daemon.cli("pause", "--layer", "talos", "--reason", "joel-1")
    assert 2 == daemon.cli("history").stdout.count("(redacted)")

    config.write_text('[evidence]\nredact = ["(a+)+$"]\n', "utf-8")
    said = daemon.cli("config", "check").stderr
    assert f"{config}:2: evidence.redact[1]: '(a+)+$' repeats a group" in said


def test_files_that_others_may_read_are_warned_of(daemon: DaemonProcess) -> None:
    """At the start, with the command that ends it; who may write them lets it not start."""
    config = daemon.home / ".config" / "healer" / "config.toml"
    config.parent.mkdir(parents=True)
    hook = daemon.home / "hook"
    config.write_text('[notices]\nwebhook_url_file = "~/hook"\n', "utf-8")
    hook.write_text("http://127.0.0.1:1/", "utf-8")
    config.chmod(0o644)
    hook.chmod(0o640)
    daemon.start()

    assert f"healer: warning: {config}: others may read it (0644); run: chmod 600 {config}" in (
        daemon.heard
    )
    assert any(f"{hook}: others may read it (0640)" in one for one in daemon.heard)
    assert 0 == daemon.end()
    config.chmod(0o666)
    refused = daemon.cli("run")
    assert 78 == refused.returncode
    assert f"{config}: others may write it (0666); run: chmod go-w {config}" in refused.stderr


def test_a_pass_by_hand_is_handed_to_the_daemon(daemon: DaemonProcess) -> None:
    """`healer --once` shows the daemon's progress, its report, and ends with its code."""
    daemon.start()

    ended = daemon.cli("--once")
    assert daemon.process is not None
    assert f"the daemon (pid {daemon.process.pid}) looks at everything" in ended.stderr
    assert "the tower could not be looked at in full" in ended.stdout
    assert 3 == ended.returncode

    document = json.loads(daemon.cli("--once", "--json").stdout)
    assert (3, False) == (document["exit_code"], document["dry_run"])
    assert 13 == len(document["layers"])
    assert 0 == daemon.end()


def test_good_settings_are_reloaded_and_bad_ones_refused(daemon: DaemonProcess) -> None:
    """SIGHUP: all or nothing, and what changed is said by its key."""
    daemon.start()
    config = daemon.home / ".config" / "healer" / "config.toml"
    config.parent.mkdir(parents=True)

    config.write_text('[engine]\nacts_per_hour = 7\n[files]\nlog = "~/other.log"\n', "utf-8")
    daemon.send(signal.SIGHUP)
    daemon.hear("files.log changed (at the next start)")
    daemon.hear("engine.acts_per_hour changed")

    config.write_text("[engine]\nacts_per_hours = 9\n", "utf-8")
    daemon.send(signal.SIGHUP)
    daemon.hear('unknown key; did you mean "acts_per_hour"?')
    daemon.hear("the old settings stay in force")

    config.write_text('[engine]\nacts_per_hour = 7\n[files]\nlog = "~/other.log"\n', "utf-8")
    daemon.send(signal.SIGHUP)
    daemon.hear("nothing in the settings changed")
    assert 0 == daemon.end()


def test_hostile_settings_are_refused_whole(daemon: DaemonProcess) -> None:
    """They end neither a daemon that runs nor, with a traceback, one that starts."""
    config = daemon.home / ".config" / "healer" / "config.toml"
    config.parent.mkdir(parents=True)
    daemon.start()

    hostile = {
        "[tower]\nmemory = inf\n": "inf should be a whole number of bytes",
        f"[tower]\nmemory = {'9' * 5000}\n": "a number of 5000 digits",
        f"services = {'[' * 3000}{']' * 3000}\n": "nested too deeply",
        '[files]\npath = ["/a\\u0000"]\n': "holds a NUL character",
    }
    for text, words in hostile.items():
        config.write_text(f"[engine]\nacts_per_hour = 9\n{text}", "utf-8")
        daemon.send(signal.SIGHUP)
        daemon.hear(words)
        daemon.hear("the old settings stay in force")
        for command in (("run",), ("config", "check")):
            asked = daemon.cli(*command)
            assert 78 == asked.returncode
            assert words in asked.stderr
            assert "Traceback" not in asked.stderr
        assert "Traceback" not in daemon.cli("status").stderr

    config.unlink()
    os.mkfifo(config)
    daemon.send(signal.SIGHUP)
    daemon.hear("is a FIFO, not a file")
    config.unlink()
    daemon.send(signal.SIGHUP)
    daemon.hear("nothing in the settings changed")
    assert 0 == daemon.end()


def test_a_daemon_that_crashes_again_and_again_only_looks(daemon: DaemonProcess) -> None:
    """Three kills within ten minutes: it comes up paused by itself, until a human resumes."""
    for _ in range(3):
        daemon.start()
        assert -signal.SIGKILL == daemon.end(signal.SIGKILL)
        assert daemon.process is not None
        assert daemon.process.stderr is not None
        daemon.process.stderr.close()
    daemon.start()

    (pause,) = json.loads(daemon.cli("status", "--json").stdout)["pauses"]
    assert "healer" == pause["author"]
    assert "healer crashed 3 times within 10 min: looking only" == pause["reason"]
    assert pause["ends_in_seconds"] <= 1800
    assert "ended 1 pause" in daemon.cli("resume").stderr


def test_ends_in_good_order_are_no_crashes(daemon: DaemonProcess) -> None:
    """However often it is restarted by hand, it goes on healing."""
    for _ in range(4):
        daemon.start()
        assert 0 == daemon.end()
        assert daemon.process is not None
        assert daemon.process.stderr is not None
        daemon.process.stderr.close()
    daemon.start()

    assert [] == json.loads(daemon.cli("status", "--json").stdout)["pauses"]


def test_it_lives_without_a_state_folder_and_says_so(daemon: DaemonProcess) -> None:
    """A folder that is a file: no journal, no socket, no acts, and yet it looks."""
    state = daemon.home / ".local" / "state"
    state.parent.mkdir(parents=True)
    state.write_text("not a folder", "utf-8")
    daemon.start()

    assert 0 == daemon.end()
    assert any("state/healer/lock: Not a directory" in line for line in daemon.heard)


def test_without_a_daemon_status_says_what_to_do(daemon: DaemonProcess) -> None:
    """No daemon is no knowledge: exit code 3, and the two commands that help."""
    asked = daemon.cli("status")

    assert 3 == asked.returncode
    assert "no daemon is running; `healer` starts it, `healer check` looks" in asked.stderr


def test_the_socket_of_a_killed_daemon_is_taken_over(daemon: DaemonProcess) -> None:
    """What a SIGKILL left lying there neither refuses nor answers."""
    daemon.start()
    daemon.end(signal.SIGKILL)
    assert daemon.process is not None
    assert daemon.process.stderr is not None
    daemon.process.stderr.close()
    socket = daemon.home / ".local/state/healer/control.sock"
    assert socket.exists()
    assert "no daemon is running" in daemon.cli("status").stderr

    daemon.start()
    assert 0o600 == socket.stat().st_mode & 0o777
    assert os.getuid() == socket.stat().st_uid
    assert json.loads(daemon.cli("status", "--json").stdout)["ready"]

"""What Colima's and Lima's files say."""

import json
from pathlib import Path

import pytest

from healer.adapters import colima_files as files
from healer.model.machine import ColimaPaths, Ending, Forwarder, older_than_boot
from healer.ports import CannotLook
from tests.unit.adapters.colima_mac import BEFORE, BOOT, Mac

RECORDINGS = Path(__file__).parents[2] / "recordings" / "colima"


@pytest.mark.parametrize(
    ("root", "there", "env"),
    [
        (".colima", [], {}),
        (".colima", [".colima"], {}),
        (".colima", [".colima", ".config/colima"], {"XDG_CONFIG_HOME": "HOME/xdg"}),
        ("xdg/colima", [".config/colima"], {"XDG_CONFIG_HOME": "HOME/xdg"}),
        (".config/colima", [".config/colima"], {}),
        ("mine", [".colima", "mine"], {"COLIMA_HOME": "HOME/mine"}),
        (".colima", [".colima"], {"COLIMA_HOME": "HOME/mine"}),
        (".colima", [".colima"], {"COLIMA_HOME": "", "XDG_CONFIG_HOME": ""}),
    ],
)
def test_the_root_is_found_as_colima_finds_it(
    root: str, there: list[str], env: dict[str, str], tmp_path: Path
) -> None:
    """COLIMA_HOME only if it exists, then what exists, then XDG (facts/colima.md §2)."""
    for folder in there:
        (tmp_path / folder).mkdir(parents=True)
    given = {name: value.replace("HOME", str(tmp_path)) for name, value in env.items()}

    assert tmp_path / root == files.resolve_root(given, tmp_path)


def test_lima_keeps_its_files_below_colimas_root_or_where_told(tmp_path: Path) -> None:
    """LIMA_HOME wins over `_lima` in the root; profiles have instances of their own."""
    plain = files.resolve_paths({}, tmp_path)
    told = files.resolve_paths({"LIMA_HOME": "/lima"}, tmp_path, "work")

    assert tmp_path / ".colima/_lima/colima" == plain.instance
    assert Path("/lima/colima-work") == told.instance
    assert tmp_path / ".colima/work" == told.profile_folder


@pytest.mark.parametrize(
    ("pid", "content"),
    [
        (12695, b"12695\n"),
        (2, b"2"),
        (None, b""),
        (None, b"1\n"),
        (None, b"0"),
        (None, b"-7"),
        (None, b"12 34"),
        (None, b"\xff\xfe"),
    ],
)
def test_only_a_plain_number_is_a_pid(pid: int | None, content: bytes) -> None:
    """Nothing that kill(2) would take for a group or for everybody."""
    assert pid == files.parse_pid(content)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Forwarder.GRPC, "cpu: 4\nportForwarder: grpc\nmounts: []\n"),
        (Forwarder.GRPC, 'portForwarder: "grpc" # ports survive the mux\n'),
        (Forwarder.NONE, "\ufeffportForwarder:    none\r\n"),
        (Forwarder.SSH, "portForwarder: ssh"),
        (Forwarder.SSH, "# portForwarder: grpc\n"),
        (Forwarder.SSH, "docker:\n  portForwarder: grpc\n"),
        (Forwarder.SSH, "provision:\n  - script: |\n      portForwarder: grpc\n"),
        (Forwarder.SSH, "portForwarder:\n"),
        (Forwarder.SSH, "portForwarder: carrier pigeon\n"),
        (Forwarder.SSH, "portForwarder: # grpc\n"),
        (Forwarder.SSH, ""),
    ],
)
def test_the_forwarder_of_the_saved_profile(value: Forwarder, text: str, mac: Mac) -> None:
    """The one top-level key of colima.yaml, ssh when it says nothing."""
    mac.write(mac.paths.profile_folder / "colima.yaml", text)

    assert value is files.forwarder(mac.paths)


def test_an_absent_profile_names_no_forwarder(tmp_path: Path) -> None:
    """Nothing is claimed of a file that is not there."""
    assert files.forwarder(ColimaPaths(tmp_path / "nowhere")) is None


def test_a_file_that_cannot_be_read_is_said(mac: Mac) -> None:
    """Absent and unreadable are two things."""
    for path in (mac.paths.profile_folder / "colima.yaml", mac.instance / "ha.stdout.log"):
        path.mkdir()

    with pytest.raises(CannotLook, match="is a folder, not a file"):
        files.forwarder(mac.paths)
    with pytest.raises(CannotLook, match="is a folder, not a file"):
        files.boot_is_over(mac.paths)


def test_lima_says_when_its_boot_is_over(mac: Mac) -> None:
    """The recorded log of a real boot turns ready with its last line only."""
    log = (RECORDINGS / "ha.stdout.log").read_text(encoding="utf-8")
    *before, last = log.splitlines(keepends=True)
    file = mac.instance / "ha.stdout.log"

    assert not files.boot_is_over(mac.paths)
    mac.write(file, "".join(before))
    assert not files.boot_is_over(mac.paths)
    mac.write(file, "".join(before) + last)
    assert files.boot_is_over(mac.paths)


@pytest.mark.parametrize(
    "line",
    [
        '{"status":{"running":false}}',
        '{"status":{"exiting":true,"errors":["\\"running\\":true"]}}',
        '{"status":{"running":tr',
        '{"running":true}',
        '["running"]',
    ],
)
def test_other_events_are_not_ready(line: str, mac: Mac) -> None:
    """Neither a torn line nor another event is READY."""
    mac.write(mac.instance / "ha.stdout.log", line)

    assert not files.boot_is_over(mac.paths)


def test_the_last_error_of_the_hostagent(mac: Mac) -> None:
    """Where the reason of a failed start stands; other lines and other levels are passed over."""
    mac.write(
        mac.instance / "ha.stderr.log",
        '{"level":"error","msg":"old"}\n'
        '{"level":"fatal","msg":"failed to run attach disk \\"colima\\", in use"}\n'
        '{"level":"info","msg":"bye"}\nnot json\n[1]\n',
    )

    assert 'failed to run attach disk "colima", in use' == files.last_error(mac.paths)


def test_without_a_log_there_is_no_error(mac: Mac) -> None:
    """A VM that never ran has no words."""
    assert not files.last_error(mac.paths)
    assert files.logged_at(mac.paths) is None


def test_the_disk_lock_names_its_holder(mac: Mac) -> None:
    """`in_use_by` is a link to the instance, dangling or not."""
    disk = mac.paths.lima_home / "_disks" / "colima"
    disk.mkdir(parents=True)
    assert not files.disk_holder(mac.paths)

    (disk / "in_use_by").symlink_to("/gone/_lima/colima")

    assert "/gone/_lima/colima" == files.disk_holder(mac.paths)


def test_leftovers_are_sockets_and_pid_files(mac: Mac) -> None:
    """Of the profile first, then of the instance; nothing else is one."""
    for path in ("docker.sock", "colima.yaml"):
        mac.write(mac.paths.profile_folder / path)
    for path in ("vz.pid", "ha.pid", "ssh.sock", "lima.yaml", "ha.stderr.log"):
        mac.write(mac.instance / path)

    assert ("docker.sock", "ha.pid", "ssh.sock", "vz.pid") == files.leftovers(mac.paths)


@pytest.mark.parametrize(
    ("older", "modified"), [(True, BEFORE), (False, BOOT - 0.5), (False, BOOT)]
)
def test_older_than_the_boot_is_so_by_more_than_rounding(*, older: bool, modified: float) -> None:
    """Boot times are whole seconds, so a file of that very second is not older."""
    assert older == older_than_boot(modified, BOOT)


def test_what_a_file_says_is_read_anew_when_it_was_written(mac: Mac) -> None:
    """A daemon asks all day, and an untouched file is not opened again."""
    log = mac.instance / "ha.stdout.log"
    profile = mac.paths.profile_folder / "colima.yaml"
    log.write_text("", "utf-8")
    profile.write_text("portForwarder: ssh\n", "utf-8")
    assert (False, Forwarder.SSH) == (files.boot_is_over(mac.paths), files.forwarder(mac.paths))
    log.write_text('{"status":{"running":true}}\n', "utf-8")
    profile.write_text("portForwarder: grpc\n", "utf-8")

    assert (True, Forwarder.GRPC) == (files.boot_is_over(mac.paths), files.forwarder(mac.paths))
    log.unlink()
    profile.unlink()
    assert (False, None) == (files.boot_is_over(mac.paths), files.forwarder(mac.paths))


def line(said: object) -> str:
    """One line of a hostagent's log."""
    return json.dumps({"level": "info", "msg": said, "time": "2026-11-30T16:40:37Z"}) + "\n"


BEGAN = line("hostagent socket created at /Users/joel/.colima/_lima/colima/ha.sock")
TOLD = line("Received SIGINT, shutting down the host agent")
CRASHED = line("Driver stopped due to error: `signal: killed`")
VZ = line('Driver stopped due to error: "vz driver state stopped"')
POWERED_OFF = line("Driver stopped due to error: `<nil>`")


@pytest.mark.parametrize(
    ("log", "ending"),
    [
        ("", Ending.UNKNOWN),
        (BEGAN, Ending.UNKNOWN),
        (BEGAN + TOLD, Ending.TOLD),
        (BEGAN + TOLD.replace("SIGINT", "SIGTERM"), Ending.TOLD),
        (BEGAN + CRASHED, Ending.CRASHED),
        (BEGAN + VZ, Ending.CRASHED),
        (BEGAN + POWERED_OFF, Ending.UNKNOWN),
        # What comes second follows from the first.
        (BEGAN + TOLD + VZ, Ending.TOLD),
        (BEGAN + CRASHED + TOLD, Ending.CRASHED),
        # Only the last run counts, also where logs are appended to.
        (BEGAN + CRASHED + BEGAN, Ending.UNKNOWN),
        (BEGAN + CRASHED + BEGAN + TOLD, Ending.TOLD),
        (BEGAN + TOLD + BEGAN + CRASHED, Ending.CRASHED),
        # Words of somebody else, garbage, and a log that is longer than what is read of it.
        (line("the guest says: " + "Driver stopped due to error: `x`"), Ending.UNKNOWN),
        (line(7) + line(None) + "[1]\n{\n\x00\xff" + "[" * 100_000, Ending.UNKNOWN),
        ("[" * 30_000 + "\n" + CRASHED, Ending.CRASHED),
        ("x" * (1 << 20) + "\n" + CRASHED, Ending.CRASHED),
        (CRASHED + "x" * (1 << 20), Ending.UNKNOWN),
    ],
)
def test_a_hostagent_writes_why_it_ends(mac: Mac, log: str, ending: Ending) -> None:
    """A human's stop and a crash leave the same files, and not the same words."""
    mac.write(mac.instance / "ha.stderr.log", log)

    assert ending is files.ending(mac.paths)


def test_recorded_words_of_a_crash_are_understood(mac: Mac) -> None:
    """A real driver was killed; its hostagent cleaned up."""
    said = (RECORDINGS / "ha.stderr.crash.log").read_text(encoding="utf-8")
    mac.write(mac.instance / "ha.stderr.log", said)

    assert Ending.CRASHED is files.ending(mac.paths)


def test_recorded_words_of_a_stop_are_understood(mac: Mac) -> None:
    """`limactl stop` repeats what the hostagent writes, each line with its mark."""
    (stop,) = json.loads((RECORDINGS / "stop.json").read_text(encoding="utf-8"))
    said = [one.partition("[hostagent] ")[2] for one in stop["stdout"].splitlines()]
    words = (json.loads(f'"{one.removesuffix(chr(34))}"') for one in said if one)
    mac.write(mac.instance / "ha.stderr.log", "".join(line(one) for one in words))

    assert Ending.TOLD is files.ending(mac.paths)


def test_no_log_tells_nothing(mac: Mac) -> None:
    """It never ran, or somebody deleted it."""
    assert Ending.UNKNOWN is files.ending(mac.paths)

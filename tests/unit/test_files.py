"""Files where somebody else may have put something: never waited for, obeyed or followed."""

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from healer.adapters import colima_files, kubeconfig
from healer.adapters.client_config import read_text
from healer.adapters.secret_file import Secret
from healer.files import open_regular, read_regular, writable_by_others
from healer.model.client_config import Kind
from healer.ports import CannotLook
from healer.settings import SettingsError, load
from healer.telemetry.logbook import Logbook

NOBODY = 65534
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="gives a file away: needs root")


@pytest.fixture(autouse=True)
def bounded() -> Iterator[None]:
    """Whoever opens a FIFO and waits is ended."""
    signal.alarm(60)
    yield
    signal.alarm(0)


@pytest.fixture(params=["FIFO", "device", "folder", "socket"])
def odd(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, str]:
    """A path at which there is no file, and what is there instead."""
    path = tmp_path / "odd"
    match request.param:
        case "FIFO":
            os.mkfifo(path)
        case "folder":
            path.mkdir()
        case "socket":
            os.mknod(path, 0o140600)
        case _:
            path = Path("/dev/zero")
    return path, str(request.param)


@pytest.mark.parametrize(
    "read",
    [
        lambda path: read_text(path, Kind.KUBECONFIG),
        kubeconfig.read_kubeconfig,
        colima_files.read_pid,
        lambda path: Secret(path, "", {}).read(),
        lambda path: load({}, path.parent, path),
    ],
    ids=["client config", "kubeconfig", "pid file", "secret", "settings"],
)
def test_what_is_no_file_is_refused_at_once(
    odd: tuple[Path, str], read: Callable[[Path], object]
) -> None:
    """In the words of what it is."""
    path, kind = odd
    with pytest.raises((CannotLook, SettingsError), match=f"is a {kind}, not a file"):
        read(path)


def test_a_log_is_a_file_of_its_owner_alone(tmp_path: Path) -> None:
    """A new one, and one that was readable by all."""
    old, new = tmp_path / "old.log", tmp_path / "new.log"
    old.write_text("")
    old.chmod(0o644)
    for path in (old, new):
        Logbook(path).close()
        assert 0o600 == path.stat().st_mode & 0o777


def test_a_log_is_no_link_and_no_odd_thing(odd: tuple[Path, str], tmp_path: Path) -> None:
    """A link could lead to any file of ours, and a FIFO would keep the daemon waiting."""
    path, kind = odd
    with pytest.raises(OSError, match=f"is a {kind}, not a file"):
        Logbook(path)

    target, link = tmp_path / "target", tmp_path / "link"
    target.touch(mode=0o644)
    link.symlink_to(target)
    with pytest.raises(OSError, match="is a symbolic link, not a file"):
        Logbook(link)
    assert (0, 0o644) == (target.stat().st_size, target.stat().st_mode & 0o777)


@pytest.mark.parametrize("content", [b"99999999999999999999\n", b"9" * 64, b"2147483648\n"])
def test_an_absurd_pid_is_nobodys(tmp_path: Path, content: bytes) -> None:
    """The file is stale, and no call is asked for such a process."""
    path = tmp_path / "ha.pid"
    path.write_bytes(content)

    assert colima_files.read_pid(path) is None


def test_no_more_is_read_than_is_wanted(tmp_path: Path) -> None:
    """One byte more is an error that names the limit."""
    path = tmp_path / "file"
    path.write_bytes(b"x" * 11)

    with pytest.raises(OSError, match="is larger than 10 bytes"):
        read_regular(path, 10)
    assert b"x" * 11 == read_regular(path, 11)


def test_what_is_put_there_meanwhile_is_refused_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the look and the opening; nothing is left open."""
    path = tmp_path / "file"
    path.touch()
    opening = os.open

    def exchanged(name: Path, flags: int, mode: int) -> int:
        path.unlink()
        os.mkfifo(path)
        return opening(name, flags, mode)

    before = len(os.listdir("/dev/fd"))  # noqa: PTH208  (names only)
    monkeypatch.setattr(os, "open", exchanged)
    with pytest.raises(OSError, match="is a FIFO, not a file"):
        open_regular(path)
    assert before == len(os.listdir("/dev/fd"))  # noqa: PTH208  (names only)


@pytest.mark.parametrize("mode", [0o602, 0o666, 0o642])
def test_what_others_may_write_is_not_obeyed(tmp_path: Path, mode: int) -> None:
    """The settings name commands, and a secret's file leads notices elsewhere."""
    path = tmp_path / "file"
    path.write_text("# nothing\n")
    path.chmod(mode)
    said = rf"{path}: others may write it \({mode:04o}\); run: chmod go-w {path}"

    with pytest.raises(SettingsError, match=said):
        load({}, tmp_path, path)
    with pytest.raises(CannotLook, match=said):
        Secret(path, "", {}).read()
    path.chmod(0o600)
    load({}, tmp_path, path)


@needs_root
def test_a_group_of_many_is_others(tmp_path: Path) -> None:
    """macOS puts every user into `staff`; a user's own group, as Debian makes it, is fine."""
    path = tmp_path / "file"
    path.touch()
    path.chmod(0o660)
    assert not writable_by_others(path.stat())
    os.chown(path, 0, 1)

    assert "others may write it (0660)" in writable_by_others(path.stat())


@needs_root
def test_what_belongs_to_somebody_else_is_not_obeyed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its owner can write it whenever he likes; under sudo that may be who asked."""
    path = tmp_path / "file"
    path.touch(mode=0o600)
    os.chown(path, NOBODY, 0)
    with pytest.raises(SettingsError, match=f"belongs to uid {NOBODY}.*run: sudo chown"):
        load({}, tmp_path, path)

    monkeypatch.setenv("SUDO_UID", str(NOBODY))
    load({}, tmp_path, path)

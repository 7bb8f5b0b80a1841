"""Removing what a reboot left behind."""

import os
import socket
from pathlib import Path

import pytest

from healer.adapters.colima_stale import remove_stale
from healer.model.machine import ProcessInfo
from tests.unit.adapters.colima_mac import AFTER, BEFORE, BOOT, Mac

UID = os.getuid()
STRANGER = ProcessInfo(4242, 1, UID, 50.0, "/usr/libexec/sirittsd")


def make_socket(path: Path, modified: float = BEFORE) -> Path:
    """Leave a dead socket."""
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(str(path))
    os.utime(path, (modified, modified))
    return path


def names(mac: Mac) -> list[str]:
    """What is in the instance folder and of usernet."""
    return sorted(one.name for one in (*mac.instance.iterdir(), *mac.usernet_pid.parent.iterdir()))


def test_stale_pid_files_and_sockets_go(mac: Mac) -> None:
    """Even when a stranger owns the number now, which is just why they must go."""
    for name in ("ha.pid", "vz.pid"):
        mac.write(mac.instance / name, "4242\n", BEFORE)
    for name in ("ha.sock", "ssh.sock"):
        make_socket(mac.instance / name)
    mac.write(mac.usernet_pid, "4243\n", BEFORE)

    removed = remove_stale(mac.paths, BOOT, [STRANGER])

    assert ("ha.pid", "ha.sock", "ssh.sock", "vz.pid", "usernet_user-v2.pid") == removed
    assert [] == names(mac)


def test_nothing_else_goes(mac: Mac) -> None:
    """Configuration, logs, disks, other kinds and what is newer than the boot stay."""
    outside = mac.write(mac.home / "outside.pid", "4242\n", BEFORE)
    for name in ("lima.yaml", "ha.stderr.log", "disk", "ssh.config", "ha.pid.tmp", "fake.sock"):
        mac.write(mac.instance / name, "", BEFORE)
    mac.write(mac.instance / "vz.pid", "4242\n", AFTER)
    make_socket(mac.instance / "ha.sock", AFTER)
    (mac.instance / "link.pid").symlink_to(outside)
    os.utime(mac.instance / "link.pid", (BEFORE, BEFORE), follow_symlinks=False)
    (mac.instance / "folder.pid").mkdir()
    os.utime(mac.instance / "folder.pid", (BEFORE, BEFORE))
    mac.write(mac.usernet_pid.with_name("user-v2_ep.sock"), "", BEFORE)
    before = names(mac)

    assert () == remove_stale(mac.paths, BOOT, [STRANGER])
    assert before == names(mac)
    assert outside.exists()


@pytest.mark.parametrize(
    ("kept", "command"),
    [
        (["ha.pid", "ha.sock"], "limactl hostagent --pidfile {instance}/ha.pid colima"),
        (["ha.pid"], "/opt/homebrew/bin/limactl usernet -p {usernet} -e x"),
        ([], "limactl hostagent --pidfile /x/ha.pid colima"),
        ([], "/opt/homebrew/bin/limactl usernet -p /x/usernet_user-v2.pid -e x"),
        ([], "vim limactl hostagent --pidfile {instance}/ha.pid colima"),
    ],
)
def test_the_pid_of_a_live_process_of_ours_stays(kept: list[str], command: str, mac: Mac) -> None:
    """An old time stamp is not believed against a living owner; another tower's is a stranger."""
    mac.write(mac.instance / "ha.pid", "4242\n", BEFORE)
    make_socket(mac.instance / "ha.sock")

    command = command.format(instance=mac.instance, usernet=mac.usernet_pid)
    remove_stale(mac.paths, BOOT, [ProcessInfo(4242, 1, UID, 50.0, command)])

    assert kept == names(mac)


def test_a_living_hostagent_under_another_number_stops_everything(mac: Mac) -> None:
    """It runs, so the clock is wrong and not the files."""
    mac.write(mac.instance / "ha.pid", "7\n", BEFORE)
    command = f"limactl hostagent --pidfile {mac.instance}/ha.pid colima"
    one = ProcessInfo(4242, 1, UID, 50.0, command)

    assert () == remove_stale(mac.paths, BOOT, [one])
    assert ["ha.pid"] == names(mac)


def test_an_instance_that_is_a_link_is_not_entered(mac: Mac) -> None:
    """Whatever it points to is none of our business."""
    real = mac.instance.rename(mac.home / "elsewhere")
    mac.instance.symlink_to(real)
    mac.write(real / "ha.pid", "7\n", BEFORE)

    assert () == remove_stale(mac.paths, BOOT, [])
    assert (real / "ha.pid").exists()


def test_without_folders_there_is_nothing_to_remove(mac: Mac) -> None:
    """A Mac where Lima never ran."""
    mac.instance.rmdir()
    mac.usernet_pid.parent.rmdir()

    assert () == remove_stale(mac.paths, BOOT, [])

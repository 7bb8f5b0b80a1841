"""Whose process is this."""

from pathlib import Path

import pytest

from healer.model.identity import is_driver, is_hostagent, is_some_hostagent, is_usernet

INSTANCE = Path("/Users/joel/.colima/_lima/colima")
HOSTAGENT = f"/opt/homebrew/bin/limactl hostagent --pidfile {INSTANCE}/ha.pid --socket x colima"
USERNET = "/opt/homebrew/bin/limactl usernet -p /Users/joel/.colima/_lima/_networks/user-v2/x.pid"


def test_a_hostagent_belongs_to_one_instance() -> None:
    """`limactl hostagent … NAME`, the name as a word of its own, the pid file in its folder."""
    assert is_hostagent(HOSTAGENT, INSTANCE)
    assert is_hostagent("limactl hostagent colima", INSTANCE)
    assert not is_hostagent(HOSTAGENT, INSTANCE.with_name("colima-work"))
    assert not is_hostagent(HOSTAGENT.replace(" colima", " colima-work"), INSTANCE)
    assert not is_hostagent(HOSTAGENT, Path("/Users/ann/.colima/_lima/colima"))


def test_a_folder_with_a_blank_in_its_name() -> None:
    """A home on another disk may have one."""
    folder = Path("/Volumes/My Disk/_lima/colima")

    assert is_hostagent(f"limactl hostagent --pidfile {folder}/ha.pid colima", folder)


@pytest.mark.parametrize(
    "command",
    [
        "",
        "sirittsd",
        "limactl",
        "vim limactl hostagent colima",
        "limactl start colima",
        "grep limactl hostagent colima",
        "limactl-hostagent hostagent colima",
        USERNET,
    ],
)
def test_others_are_no_hostagent(command: str) -> None:
    """A reused pid belongs to a stranger (facts/colima.md §5)."""
    assert not is_hostagent(command, INSTANCE)
    assert not is_some_hostagent(command)


def test_usernet_is_recognised() -> None:
    """The network process of Lima, and not whoever greps for it (facts/incidents.md, P3)."""
    assert is_usernet(USERNET)
    assert not is_usernet("rg limactl usernet")
    assert not is_usernet(HOSTAGENT)


def test_a_driver_of_its_own_names_the_instance() -> None:
    """QEMU and krunkit run beside the hostagent, vz inside it."""
    qemu = f"/usr/bin/qemu-system-x86_64 -m 3072 -drive file={INSTANCE}/disk"

    assert is_driver(qemu, INSTANCE)
    assert not is_driver(qemu, INSTANCE.with_name("colima-work"))
    assert not is_driver(f"vim {INSTANCE}/lima.yaml", INSTANCE)
    assert not is_driver("", INSTANCE)

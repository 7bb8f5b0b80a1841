"""The real clock."""

import re
import time
from pathlib import Path

import pytest

from healer.adapters.clock import SystemClock
from healer.ports import CannotLook
from tests.unit.adapters.helpers import write_tool

UUID = "5F2C9A51-7C3F-4F4E-9B43-3C0E0B8B8A11"


async def test_time_goes_on_in_a_sleep() -> None:
    """A sleep of ours takes at least its length on both clocks."""
    clock = SystemClock()
    now, wall = clock.now(), clock.wall()

    await clock.sleep(0.05)

    assert clock.now() - now >= 0.05
    assert clock.wall() > wall


def test_now_counts_the_machines_sleep() -> None:
    """It is never behind the clock that stops while the machine sleeps."""
    assert SystemClock().now() >= time.clock_gettime(time.CLOCK_MONOTONIC) - 1


def test_the_boot_has_a_name_that_stays(tmp_path: Path) -> None:
    """Two clocks of one boot agree on its name, and it is asked only once."""
    file = tmp_path / "boot_id"
    file.write_text("30b1c1a7-5f0f-4d6d-8a57-0f6f0f0b1a11\n", encoding="ascii")
    clock = SystemClock(platform="linux", boot_id_file=file)
    first = clock.boot_id()
    file.unlink()

    assert "30b1c1a7-5f0f-4d6d-8a57-0f6f0f0b1a11" == first == clock.boot_id()


def test_the_boot_of_this_machine_has_a_name() -> None:
    """The true file or sysctl answers with a UUID."""
    assert re.fullmatch(r"[0-9A-Fa-f-]{36}", SystemClock().boot_id())


def test_on_a_mac_sysctl_names_the_boot(tmp_path: Path) -> None:
    """`sysctl -n kern.bootsessionuuid` is asked, and nothing else."""
    write_tool(tmp_path, "sysctl", f'[ "$*" = "-n kern.bootsessionuuid" ] && echo {UUID}')

    assert UUID == SystemClock(platform="darwin", path=str(tmp_path)).boot_id()


def test_a_boot_without_a_name_is_said(tmp_path: Path) -> None:
    """Neither a missing file nor a missing or failing sysctl is passed over."""
    missing = SystemClock(platform="linux", boot_id_file=tmp_path / "boot_id")
    with pytest.raises(CannotLook, match="no boot id"):
        missing.boot_id()

    mac = SystemClock(platform="darwin", path=str(tmp_path))
    with pytest.raises(CannotLook, match="no sysctl on PATH"):
        mac.boot_id()

    write_tool(tmp_path, "sysctl", "exit 1")
    with pytest.raises(CannotLook, match="non-zero exit status 1"):
        mac.boot_id()

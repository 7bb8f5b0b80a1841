"""The Mac's layer."""

from pathlib import Path

import pytest

from healer.core.observation import Finding, Observation
from healer.core.reasons import Reason
from healer.core.tower import Layer
from healer.ports import CannotLook
from healer.probes.host import LEAST_FREE, MIB, HostProbe
from tests.fakes.host import FakeHost, foreign, process

HOME = Path("/Users/joel")


async def look(host: FakeHost, home: Path | None = HOME) -> Observation:
    """One look, with process 10 for healer's own."""
    return await HostProbe(host, home, foreign).look()


def reasons(seen: Observation) -> list[Reason]:
    """The reasons found, in order."""
    return [one.reason for one in seen.findings]


async def test_a_whole_mac_is_well() -> None:
    """With every tool, HOME, room and no rival the host is well and has nothing to say."""
    seen = await look(FakeHost())

    assert ((), "", ()) == (seen.findings, seen.unknown, seen.foreign)


async def test_a_missing_tool_makes_the_host_unknown_and_not_ill() -> None:
    """Every missing tool is named with its fix, and none makes the layer ill (design §10)."""
    host = FakeHost()
    host.tools -= {"limactl", "docker"}

    seen = await look(host)

    assert () == seen.gating
    assert (
        "limactl is not on PATH (brew install lima); docker is not on PATH (brew install docker)"
        == seen.unknown
    )


async def test_no_home_makes_the_host_unknown() -> None:
    """Colima cannot work without HOME, so its absence is said."""
    seen = await look(FakeHost(), home=None)

    assert seen.unknown.startswith("HOME is not set")


async def test_a_tool_that_healer_does_not_call_is_only_reported() -> None:
    """A missing talosctl is advice: the host stays well."""
    host = FakeHost()
    host.tools -= {"talosctl", "kubectl"}

    seen = await look(host)

    assert seen.well
    assert ["kubectl", "talosctl"] == [one.target for one in seen.findings]
    assert {Reason.TOOL_ABSENT} == {one.reason for one in seen.findings}


async def test_a_full_disk_is_ill_and_says_how_much_is_missing() -> None:
    """Below 200 MiB the host is ill."""
    host = FakeHost()
    host.free = LEAST_FREE - 150 * MIB

    seen = await look(host)

    assert [Reason.DISK_FULL] == [one.reason for one in seen.gating]
    assert "50 MiB free" in seen.findings[0].evidence
    assert "free 151 MiB" in seen.findings[0].advice


async def test_a_disk_with_just_enough_room_is_well() -> None:
    """The limit itself is enough."""
    host = FakeHost()
    host.free = LEAST_FREE

    assert (await look(host)).well


@pytest.mark.parametrize(
    ("target", "advice"),
    [
        ("gui/501/com.joel.talon", "launchctl bootout gui/501/com.joel.talon"),
        ("system/com.joel.colima", "sudo launchctl bootout system/com.joel.colima"),
        (
            "gui/501/io.lima-vm.autostart.colima",
            (
                "launchctl bootout gui/501/io.lima-vm.autostart.colima; "
                "LIMA_HOME=~/.colima/_lima limactl autostart disable colima"
            ),
        ),
    ],
)
async def test_a_rival_is_reported_with_the_line_that_boots_it_out(
    target: str, advice: str
) -> None:
    """The advice can be pasted, with sudo where the domain wants it."""
    host = FakeHost()
    host.rivals = [target]

    seen = await look(host)

    assert seen.well
    assert (Reason.RIVAL_LOADED, target, advice) == _told(seen.findings[0])


def _told(finding: Finding) -> tuple[Reason, str, str]:
    return finding.reason, finding.target, finding.advice


async def test_somebody_elses_start_is_seen_and_ours_is_not() -> None:
    """A `colima start` that does not descend from healer is somebody else's."""
    host = FakeHost()
    host.table = [
        process(10, "/usr/local/bin/healer --once"),
        process(11, "/opt/homebrew/bin/colima start", ppid=10),
        process(20, "/opt/homebrew/bin/colima start", age=12.0),
        process(30, "docker restart joelclaw-controlplane-1"),
        process(40, "docker restart some-other-container"),
    ]

    seen = await look(host)

    assert [(20, Layer.COLIMA), (30, Layer.TALOS)] == [(one.pid, one.layer) for one in seen.foreign]


@pytest.mark.parametrize("blind", ["processes", "disk_free"])
async def test_what_cannot_be_seen_is_unknown(blind: str) -> None:
    """Not to see the processes or the disk is said, and is no illness."""
    host = FakeHost()
    host.faults[blind] = CannotLook("process table", "denied")

    seen = await look(host)

    assert () == seen.gating
    assert "process table: denied" in seen.unknown
    assert ("process table: denied" in seen.others_unseen) is (blind == "processes")


async def test_rivals_that_cannot_be_seen_leave_the_host_well() -> None:
    """What only an advice needs may stay unseen."""
    host = FakeHost()
    host.faults["loaded_rivals"] = CannotLook("launchctl", "exit 5")

    seen = await look(host)

    assert seen.well
    assert "launchctl: exit 5" in seen.summary


async def test_another_exception_propagates() -> None:
    """A broken part is for the engine to turn into unknown, with its own words."""
    host = FakeHost()
    host.faults["processes"] = ValueError("garbage")

    with pytest.raises(ValueError, match="garbage"):
        await look(host)

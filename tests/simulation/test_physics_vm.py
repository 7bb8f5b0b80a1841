"""The VM as colima.md saw it: phases of a boot, ends, what is left, and what lies."""

import pytest

from healer.core.facts import Act
from healer.core.ladders import Remedy
from healer.core.reasons import Reason
from healer.core.tower import Layer
from healer.model.machine import Ending, Forwarder, MuxState, VmStatus
from healer.ports import ActFailed
from healer.simulation.forwards import PUBLISHED, Way
from healer.simulation.machine import CRASH_FILES, DOCKER_GONE_AFTER, START_DONE_AFTER, Guest
from healer.simulation.virtual_time import run_virtually
from healer.simulation.vm_ports import SimulatedVmHands
from tests.simulation.stage import Stage


def off() -> Stage:
    """A VM that was stopped cleanly."""
    stage = Stage()
    stage.befall("vm_stopped_by_human").wait(10.0)
    assert not stage.tower.machine.on
    return stage


def test_a_start_comes_in_phases() -> None:
    """Running long before ssh, and docker answers, vanishes and answers again (§8)."""
    stage = off()
    machine, dockerd = stage.tower.machine, stage.tower.dockerd
    machine.power_on()

    assert VmStatus.STOPPED is machine.listed
    stage.wait(3.0)
    assert (VmStatus.RUNNING, Way.REFUSED) == (machine.listed, machine.to_ssh())
    stage.wait(7.0)
    assert (Way.OPEN, Way.REFUSED) == (machine.to_ssh(), machine.to_socket())
    stage.wait(4.0)
    assert (Way.OPEN, True) == (machine.to_socket(), dockerd.up)
    stage.wait(DOCKER_GONE_AFTER - 14.0 + 0.5)
    assert (Way.OPEN, False, False) == (machine.to_socket(), dockerd.up, machine.ready)
    stage.wait(START_DONE_AFTER - DOCKER_GONE_AFTER)
    assert (True, True) == (dockerd.up, machine.ready)


def test_a_power_cut_leaves_files_and_a_clean_stop_none() -> None:
    """Which is how a crash is told from somebody's stop (§2)."""
    cut = Stage().befall("vm_power_cut").tower.machine

    assert (CRASH_FILES, False) == (cut.leftovers, cut.leftovers_stale)
    assert () == off().tower.machine.leftovers


def test_a_dead_driver_leaves_no_file_and_a_word() -> None:
    """Its hostagent outlives it, cleans up, and writes why it ends; a usernet stays behind."""
    crashed, stopped = Stage().befall("vm_crashes").tower, off().tower

    assert ((), Ending.CRASHED) == (crashed.machine.leftovers, crashed.machine.ending)
    assert ((), Ending.TOLD) == (stopped.machine.leftovers, stopped.machine.ending)
    assert (1, 0) == (crashed.mac.usernets, stopped.mac.usernets)
    crashed.machine.power_on()
    assert Ending.UNKNOWN is crashed.machine.ending


@pytest.mark.parametrize(("after", "harm"), [(598.0, 1), (602.0, 0)])
def test_whoever_starts_what_a_human_has_just_stopped_does_harm(after: float, harm: int) -> None:
    """Told by physics: no clock of the Mac can excuse it."""
    stage = off().befall("clock_jumps", seconds=3600.0).wait(after)
    hands = SimulatedVmHands(stage.tower)
    act = Act("t-1", Remedy.START_VM, Layer.COLIMA, Reason.COLIMA_STOPPED, "stopped")

    with pytest.raises(ActFailed, match="list says Stopped"):  # the stage's clock stands still
        run_virtually(lambda: hands.start(act))

    assert harm == len(stage.tower.harm)


def test_a_crash_is_no_stop_and_nobodys_wish_to_start() -> None:
    """A start after it does no harm, and a human's own start ends the human's stop."""
    crashed = Stage().befall("vm_crashes")
    assert crashed.tower.human.stopped_vm_at is None
    stopped = off()
    assert stopped.tower.human.stopped_vm_at is not None
    stopped.befall("colima_start_by_human")
    assert stopped.tower.human.stopped_vm_at is None


def test_a_reboot_makes_the_files_stale() -> None:
    """Older than the boot is stale for certain (§2), and no healer outlives it."""
    stage = Stage().wait(5.0).befall("mac_reboots")
    tower = stage.tower

    assert tower.machine.leftovers_stale
    assert (2, 5.0) == (tower.mac.boots, tower.mac.booted_at)
    assert tower.machine.logged_at < tower.mac.booted_at


def test_each_start_has_another_ssh_port_and_process() -> None:
    """`sshPort: 0` picks a free one at every start (§3)."""
    stage = Stage()
    before = (stage.tower.machine.ssh_port, stage.tower.machine.pid)
    stage.befall("vm_power_cut").tower.machine.power_on()
    after = (stage.tower.machine.ssh_port, stage.tower.machine.pid)

    assert not set(before) & set(after)


@pytest.mark.parametrize("persisted", [True, False])
def test_the_module_comes_back_only_if_it_is_persisted(persisted: bool) -> None:  # noqa: FBT001  (the case)
    """dockerd loads it no more (§8)."""
    stage = Stage()
    stage.tower.kernel.persisted = persisted
    stage.befall("vm_power_cut").tower.machine.power_on()

    assert persisted == stage.wait(30.0).tower.kernel.loaded


@pytest.mark.parametrize(
    ("name", "ssh", "socket", "port"),
    [
        ("vm_frozen", Way.SILENT, Way.SILENT, Way.SILENT),
        ("vm_zombie", Way.REFUSED, Way.REFUSED, Way.REFUSED),
        ("usernet_dies", Way.REFUSED, Way.SILENT, Way.OPEN),
        ("usernet_frozen", Way.SILENT, Way.SILENT, Way.OPEN),
        ("hostagent_dies", Way.OPEN, Way.OPEN, Way.REFUSED),
        ("hostagent_frozen", Way.OPEN, Way.OPEN, Way.SILENT),
        ("mux_killed", Way.OPEN, Way.REFUSED, Way.OPEN),
        ("mux_wedged", Way.OPEN, Way.SILENT, Way.OPEN),
    ],
)
def test_each_illness_of_the_way_in_has_its_own_face(
    name: str, ssh: Way, socket: Way, port: Way
) -> None:
    """The table of §4, with the owner's grpc forwarder."""
    machine = Stage().befall(name).tower.machine

    assert (ssh, socket, port) == (machine.to_ssh(), machine.to_socket(), machine.to_port(6379))


@pytest.mark.parametrize(("name", "state"), [("mux_killed", "dead"), ("mux_wedged", "wedged")])
def test_by_ssh_the_ports_share_the_fate_of_the_mux(name: str, state: str) -> None:
    """With portForwarder ssh everything rides the one master (§4)."""
    tower = Stage(forwarder=Forwarder.SSH).befall(name).tower

    assert MuxState(state) is tower.forwards.mux()
    assert {Way.SILENT if state == "wedged" else Way.REFUSED} == {
        tower.machine.to_port(port) for port in PUBLISHED
    }


def test_what_lies_about_the_guest_is_list() -> None:
    """`list` goes on saying Running of a guest that hangs, Broken of one that serves (§8)."""
    assert VmStatus.RUNNING is Stage().befall("vm_frozen").tower.machine.listed
    serving = Stage().befall("hostagent_dies")
    assert VmStatus.BROKEN is serving.tower.machine.listed
    assert {Layer.APISERVER, Layer.SERVICES} == serving.ill()
    assert set() == Stage(forwarder=Forwarder.SSH).befall("hostagent_dies").ill()


def test_a_stop_hangs_on_a_hung_guest() -> None:
    """v0.10.2 and v0.10.3 ask the guest first (§1.6)."""
    machine = Stage().befall("vm_frozen").tower.machine

    assert not machine.begin_stop()


def test_stale_files_make_it_broken_until_they_are_removed() -> None:
    """A reused pid looks alive, and no start works (§2, §5)."""
    machine = Stage().befall("vm_broken").tower.machine

    assert VmStatus.BROKEN is machine.listed
    assert "errors inspecting instance" in machine.refusal()
    machine.clean_stale()
    assert (VmStatus.STOPPED, "") == (machine.listed, machine.refusal())


def test_a_locked_disk_refuses_every_start_until_a_forced_stop() -> None:
    """`in_use_by` is a lock without liveness (§2, §5)."""
    machine = Stage().befall("disk_lock").tower.machine

    assert "in use by instance" in machine.refusal()
    machine.force_stop()
    assert "" == machine.refusal()


def test_a_forced_stop_leaves_docker_sock_and_a_usernet() -> None:
    """As was seen (§8)."""
    stage = Stage()
    usernets = stage.tower.mac.usernets
    stage.tower.machine.force_stop()
    stage.tower.machine.power_on()

    assert usernets + 1 == stage.tower.mac.usernets
    assert () == stage.tower.machine.leftovers


def test_a_crash_loop_crashes_again_after_each_start() -> None:
    """R18: the VM never gets old."""
    stage = Stage().befall("vm_reboots_loop", uptime=30.0)
    for _ in range(3):
        stage.tower.machine.power_on()
        assert stage.wait(40.0).tower.machine.on
        assert not stage.wait(20.0).tower.machine.on


def test_what_was_to_come_dies_with_the_vm() -> None:
    """An event of a life that ended is void."""
    stage = off()
    stage.tower.machine.power_on()
    stage.wait(5.0).befall("vm_power_cut").wait(60.0)

    assert (False, False) == (stage.tower.machine.ssh, stage.tower.dockerd.up)


def test_a_frozen_guest_does_nothing_more() -> None:
    """A boot that freezes never ends."""
    stage = off()
    stage.tower.machine.power_on()
    stage.wait(5.0).tower.machine.sicken(Guest.HUNG)

    assert not stage.wait(60.0).tower.machine.ready


def test_a_start_by_hand_shows_in_the_process_list_while_it_lasts() -> None:
    """Healer must see who else is at work (§1.5: there is no lock)."""
    stage = off().befall("colima_start_by_human")

    assert ["colima start"] == [one.command for one in stage.wait(20.0).tower.mac.operations]
    assert [] == stage.wait(5.0).tower.mac.operations
    assert stage.tower.machine.ready

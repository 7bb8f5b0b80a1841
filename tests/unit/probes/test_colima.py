"""The VM's power."""

from dataclasses import dataclass, field, replace

import pytest

from healer.core.ledger import Ledger
from healer.core.observation import Component, Observation, Sign
from healer.core.reasons import Reason
from healer.engine.quiet import Snapshot
from healer.model.machine import Ending, Hostagent, VmStatus
from healer.ports import CannotLook, Denied, TargetIll, TargetSilent
from healer.probes.ages import Ages
from healer.probes.asking import (
    BANNER,
    BY_MUX,
    BY_SSH,
    DOCKER_SOCKET,
    DRIVER,
    HOSTAGENT,
    USERNET,
)
from healer.probes.colima import BOOT, ColimaProbe
from tests.fakes.clock import FakeClock
from tests.fakes.engine import FakeEngine
from tests.fakes.forward import REFUSED, SILENT
from tests.fakes.guest import FakeGuest
from tests.fakes.host import FakeHost, process
from tests.fakes.vm import AFTER_REBOOT, BROKEN, RUNNING, STOPPED, FakeVm


@dataclass
class Tower:
    """What the probe looks at."""

    vm: FakeVm = field(default_factory=FakeVm)
    guest: FakeGuest = field(default_factory=FakeGuest)
    engine: FakeEngine = field(default_factory=FakeEngine)
    host: FakeHost = field(default_factory=FakeHost)
    clock: FakeClock = field(default_factory=FakeClock)

    def __post_init__(self) -> None:
        """Make the probe, which remembers ages."""
        ages = Ages(self.clock, Snapshot(Ledger()))
        self.probe = ColimaProbe(self.vm, self.guest, self.engine, self.host, ages)

    async def look(self) -> Observation:
        """One look."""
        return await self.probe.look()

    def die(self) -> None:
        """Ssh and docker.sock fall silent."""
        self.guest.die()
        self.engine.faults["ping"] = SILENT


def reasons(seen: Observation) -> list[Reason]:
    """The reasons found, in order."""
    return [one.reason for one in seen.findings]


def stopped(agent: Hostagent = STOPPED) -> Tower:
    """A VM that `list` calls Stopped."""
    return Tower(FakeVm(agent, VmStatus.STOPPED))


async def test_a_running_vm_is_well_and_costs_no_colima() -> None:
    """While the hostagent and the guest answer, no `colima` is run."""
    tower = Tower()

    seen = await tower.look()

    assert seen.well
    assert ["hostagent"] == tower.vm.calls


async def test_life_is_witnessed_by_ssh_and_by_docker() -> None:
    """A banner and a ping are signs of life of two ways."""
    seen = await Tower().look()

    assert (
        Sign(BANNER, BY_SSH, alive=True),
        Sign(DOCKER_SOCKET, BY_MUX, alive=True),
    ) == seen.signs


async def test_running_and_dead_inside_is_a_zombie() -> None:
    """Running by Colima's word, with ssh and docker.sock dead, is what `zombie` means."""
    tower = Tower()
    tower.die()

    seen = await tower.look()

    assert [Reason.COLIMA_ZOMBIE] == reasons(seen)
    assert (
        Sign(BANNER, BY_SSH, alive=False),
        Sign(DOCKER_SOCKET, BY_MUX, alive=False),
        Sign(USERNET, frozenset({Component.USERNET}), alive=True),
    ) == seen.signs
    assert "500" == seen.findings[0].fingerprint


@pytest.mark.parametrize("alive", ["banner", "ping"])
async def test_one_sign_of_life_clears_the_vm(alive: str) -> None:
    """A VM of which ssh or docker.sock answers is no zombie."""
    tower = Tower()
    tower.die()
    for part in (tower.guest, tower.engine):
        part.faults.pop(alive, None)

    seen = await tower.look()

    assert seen.well
    assert any(one.alive for one in seen.signs)


@pytest.mark.parametrize("fault", [CannotLook("ssh", "no key"), Denied("ssh", "publickey")])
async def test_not_to_have_asked_ssh_is_no_proof_of_death(fault: Exception) -> None:
    """What could not be asked, or refused us, never makes a zombie."""
    tower = Tower()
    tower.die()
    tower.guest.faults["banner"] = fault

    assert (await tower.look()).well


@pytest.mark.parametrize(("age", "found"), [(BOOT - 1, []), (BOOT + 1, [Reason.COLIMA_ZOMBIE])])
async def test_a_booting_guest_may_be_silent_for_a_while(age: float, found: list[Reason]) -> None:
    """Until Lima's boot is over, a silent guest counts only when the hostagent is old."""
    tower = Tower(FakeVm(replace(RUNNING, ready=False)))
    tower.die()
    tower.host.table = [process(500, "limactl hostagent colima", age=age)]

    assert found == reasons(await tower.look())


async def test_a_boot_whose_age_is_not_known_is_left_alone() -> None:
    """Without the process list a boot may be young."""
    tower = Tower(FakeVm(replace(RUNNING, ready=False)))
    tower.die()
    tower.host.faults["processes"] = CannotLook("process table", "exit 1")

    assert (await tower.look()).well


async def test_a_list_that_hangs_on_a_hung_guest_still_counts_as_running() -> None:
    """With network.address on, `list` asks the guest and hangs with it (facts/colima.md §1.4)."""
    tower = Tower()
    tower.die()
    tower.vm.faults["status"] = TargetSilent("colima list", "no answer within 10 s")

    assert [Reason.COLIMA_ZOMBIE] == reasons(await tower.look())


async def test_a_clean_stop_in_this_boot_is_a_humans() -> None:
    """Nothing left behind: somebody stopped it, and when is told."""
    seen = await stopped().look()

    assert [Reason.COLIMA_STOPPED] == reasons(seen)
    assert 120.0 == seen.findings[0].human_ago


@pytest.mark.parametrize(
    "agent",
    [
        replace(STOPPED, leftovers=("docker.sock", "ssh.sock")),
        replace(STOPPED, leftovers=("vz.pid", "ha.pid")),
        replace(STOPPED, leftovers=("serial.sock",)),
        replace(STOPPED, ending=Ending.CRASHED),
        replace(STOPPED, logged_at=AFTER_REBOOT.logged_at),
        replace(STOPPED, logged_at=AFTER_REBOOT.logged_at, leftovers=("ha.sock",)),
        replace(STOPPED, logged_at=None),
    ],
)
async def test_a_crash_or_a_reboot_is_nobodys_wish(agent: Hostagent) -> None:
    """Its own last words, files that a stop removes, no run since the boot: start at once."""
    seen = await stopped(agent).look()

    assert [Reason.COLIMA_STOPPED] == reasons(seen)
    assert seen.findings[0].human_ago is None


@pytest.mark.parametrize(
    "agent",
    [
        replace(STOPPED, leftovers=("vz.pid",)),
        replace(STOPPED, leftovers=("docker.sock", "containerd.sock")),
        replace(STOPPED, leftovers=("ha.sock",), ending=Ending.TOLD),
    ],
)
async def test_what_outlives_a_stop_proves_no_crash(agent: Hostagent) -> None:
    """vz.pid may stay, docker.sock outlives a forced stop, and a signal is a human's word."""
    seen = await stopped(agent).look()

    assert 120.0 == seen.findings[0].human_ago


async def test_a_clock_that_is_set_makes_no_stop_older() -> None:
    """I15: the age of a stop is told by the wall clock once, and kept on the boot clock."""
    tower = Tower()
    await tower.look()
    tower.clock.advance(10.0)
    tower.vm.agent = replace(STOPPED, logged_at=tower.clock.wall() - 4.0)
    tower.vm.state = VmStatus.STOPPED
    assert 4.0 == (await tower.look()).findings[0].human_ago

    tower.clock.set_wall(86_400.0)
    tower.clock.advance(2.0)
    assert 6.0 == (await tower.look()).findings[0].human_ago

    tower.clock.set_wall(-2 * 86_400.0)
    tower.clock.advance(2.0)
    assert 8.0 == (await tower.look()).findings[0].human_ago


async def test_a_stop_is_no_older_than_the_last_look_at_a_vm_that_ran() -> None:
    """A clock that was set between the two looks cannot make it so."""
    tower = Tower()
    await tower.look()
    tower.clock.advance(10.0)
    tower.vm.agent = replace(STOPPED, logged_at=tower.clock.wall() - 4.0)
    tower.vm.state = VmStatus.STOPPED
    tower.clock.set_wall(86_400.0)

    assert 10.0 == (await tower.look()).findings[0].human_ago


async def test_a_clock_that_is_set_makes_no_young_hostagent_old() -> None:
    """The process list tells its age by the wall clock; a boot is no zombie for that."""
    tower = stopped()
    await tower.look()
    tower.clock.advance(10.0)
    tower.vm.agent, tower.vm.state = replace(RUNNING, ready=False), VmStatus.RUNNING
    tower.host.table = [process(500, "limactl hostagent colima", age=86_400.0)]
    tower.die()

    await tower.look()
    tower.clock.advance(BOOT - 10.0)
    assert (await tower.look()).well
    tower.clock.advance(1.0)
    assert [Reason.COLIMA_ZOMBIE] == reasons(await tower.look())


async def test_how_long_the_boot_has_been_over_is_told() -> None:
    """The grace of what runs in the VM hangs on it while the VM itself cannot be asked."""
    tower = stopped()
    await tower.look()
    tower.vm.agent, tower.vm.state = replace(RUNNING, ready=False), VmStatus.RUNNING
    tower.die()
    assert 0.0 == (await tower.look()).uptime

    tower.guest.faults.clear()
    tower.vm.agent = RUNNING
    tower.clock.advance(2.0)
    assert 2.0 == (await tower.look()).uptime
    tower.clock.advance(60.0)
    assert 62.0 == (await tower.look()).uptime
    assert (await Tower().look()).uptime is None


async def test_without_the_boots_time_a_stop_counts_as_one_of_this_boot() -> None:
    """What cannot be determined is a human's."""
    tower = stopped()
    tower.host.faults["boot_time"] = CannotLook("sysctl", "exit 1")

    assert 120.0 == (await tower.look()).findings[0].human_ago


async def test_a_locked_disk_is_reported_beside_the_stop() -> None:
    """The mark is named and the start is tried first: newer Limas clear it by themselves."""
    seen = await stopped(replace(STOPPED, disk_locked_by="/inst")).look()

    assert [Reason.COLIMA_STOPPED, Reason.COLIMA_DISK_LOCKED] == reasons(seen)
    assert "/inst" in seen.findings[1].evidence


async def test_a_lock_of_a_running_vm_is_no_finding() -> None:
    """A running VM holds its disk."""
    assert (await Tower(FakeVm(replace(RUNNING, disk_locked_by="/inst"))).look()).well


async def test_stopped_with_a_live_hostagent_is_between_two_states() -> None:
    """The first seconds of a boot say Stopped: that is not known, and not ill."""
    agent = replace(RUNNING, answers=False)

    seen = await stopped(agent).look()

    assert () == seen.findings
    assert "between two states" in seen.unknown


async def test_broken_names_whose_pid_it_is() -> None:
    """The evidence tells a stale pid file from a hung hostagent."""
    hung, left = (
        Tower(FakeVm(BROKEN, VmStatus.BROKEN)),
        Tower(FakeVm(AFTER_REBOOT, VmStatus.BROKEN)),
    )
    hung.die()
    left.die()
    ours, stale = await hung.look(), await left.look()

    assert [Reason.COLIMA_BROKEN] == reasons(ours) == reasons(stale)
    assert "ha.pid 500 is a hostagent" in ours.findings[0].evidence
    assert "a stranger's process, and ha.pid is older" in stale.findings[0].evidence


@pytest.mark.parametrize("alive", ["banner", "ping"])
async def test_a_broken_vm_that_answers_has_only_lost_its_hostagent(alive: str) -> None:
    """Broken is a word for the hostagent: it is told, and blocks nothing that stands on the VM."""
    tower = Tower(FakeVm(replace(BROKEN, pid=None, pid_alive=False), VmStatus.BROKEN))
    tower.die()
    for part in (tower.guest, tower.engine):
        part.faults.pop(alive, None)

    seen = await tower.look()

    assert [Reason.HOSTAGENT_SILENT] == reasons(seen)
    assert seen.well
    name = "ssh" if alive == "banner" else "docker.sock"
    said = f"Colima says Broken; no ha.pid; ha.sock does not answer; {name} answers"
    assert said == seen.findings[0].evidence


async def test_an_unknown_ssh_port_is_no_sign_of_a_broken_vm() -> None:
    """Who could not be asked is neither dead nor alive."""
    tower = Tower(FakeVm(BROKEN, VmStatus.BROKEN))
    tower.die()
    tower.guest.faults["banner"] = CannotLook("ssh", "no port")

    seen = await tower.look()

    assert [Reason.COLIMA_BROKEN] == reasons(seen)
    assert BANNER not in {one.what for one in seen.signs}


@pytest.mark.parametrize("driver", [True, False, None])
async def test_processes_are_signs_of_themselves_alone(*, driver: bool | None) -> None:
    """A hostagent answers for a hung guest too, and a driver lives around one."""
    tower = Tower(FakeVm(replace(BROKEN, driver_alive=driver), VmStatus.BROKEN))
    tower.die()
    signs = {one.what: one for one in (await tower.look()).signs}

    assert Sign(HOSTAGENT, frozenset({Component.HOSTAGENT}), alive=False) == signs[HOSTAGENT]
    own = None if driver is None else Sign(DRIVER, frozenset({Component.DRIVER}), driver)
    assert own == signs.get(DRIVER)


async def test_a_dead_usernet_is_named() -> None:
    """It alone silences ssh and docker.sock, and a running VM gets no other."""
    tower = Tower()
    tower.die()
    tower.vm.faults["usernet"] = TargetIll("user-v2_ep.sock", "usernet: Connection refused")

    seen = await tower.look()

    assert "usernet: Connection refused" in seen.findings[0].evidence
    assert Sign(USERNET, frozenset({Component.USERNET}), alive=False) in seen.signs


@pytest.mark.parametrize("state", [VmStatus.MISSING, VmStatus.STOPPED, VmStatus.BROKEN])
async def test_a_vm_that_was_never_made_is_missing(state: VmStatus) -> None:
    """Without lima.yaml there is nothing to start, whatever `list` says."""
    seen = await Tower(FakeVm(Hostagent(created=False), state)).look()

    assert [Reason.COLIMA_MISSING] == reasons(seen)


@pytest.mark.parametrize("method", ["hostagent", "status"])
@pytest.mark.parametrize(
    "fault", [CannotLook("colima", "not found"), TargetSilent("colima list", "no answer")]
)
async def test_what_cannot_be_seen_is_unknown(method: str, fault: Exception) -> None:
    """Without Colima's word a VM at rest is neither well nor ill."""
    tower = stopped()
    tower.vm.faults[method] = fault

    seen = await tower.look()

    assert () == seen.findings
    assert str(fault) == seen.unknown


async def test_a_refused_socket_with_a_dead_guest_is_a_zombie_too() -> None:
    """Death of docker.sock is death, however it shows."""
    tower = Tower()
    tower.die()
    tower.engine.faults["ping"] = REFUSED
    tower.guest.faults["banner"] = TargetIll("ssh port 54321", "garbage: \\x00\\x00")

    assert [Reason.COLIMA_ZOMBIE] == reasons(await tower.look())


async def test_lists_running_is_believed_and_looked_into() -> None:
    """When the hostagent did not answer and `list` says Running, the guest is asked as ever."""
    tower = Tower(FakeVm(replace(RUNNING, answers=False)))

    assert (await tower.look()).well
    tower.die()
    assert [Reason.COLIMA_ZOMBIE] == reasons(await tower.look())


@pytest.mark.parametrize(
    ("state", "reason"),
    [(VmStatus.BROKEN, Reason.COLIMA_BROKEN), (VmStatus.MISSING, Reason.COLIMA_MISSING)],
)
async def test_a_dead_guest_is_what_list_then_says(state: VmStatus, reason: Reason) -> None:
    """A hostagent that still answers does not overrule Colima's own word."""
    tower = Tower(FakeVm(RUNNING, state))
    tower.die()

    assert [reason] == reasons(await tower.look())


async def test_a_vm_that_runs_again_a_moment_later_is_well() -> None:
    """The hostagent came back between two questions: the next look judges."""

    class Returning(FakeVm):
        async def status(self) -> VmStatus:
            said = await super().status()
            self.state = VmStatus.BROKEN
            return said

    tower = Tower(Returning(replace(RUNNING, answers=False)))
    tower.die()

    assert [Reason.COLIMA_BROKEN] == reasons(await tower.look())


@pytest.mark.parametrize(
    ("agent", "words"),
    [
        (Hostagent(created=True), "no ha.pid; ha.sock does not answer"),
        (Hostagent(created=True, pid=7), "ha.pid 7 is dead"),
        (replace(BROKEN, answers=True, pid_is_ours=False), "ha.sock answers"),
    ],
)
async def test_broken_tells_what_is_left_of_the_hostagent(agent: Hostagent, words: str) -> None:
    """Each shape of Broken reads differently."""
    seen = await Tower(FakeVm(agent, VmStatus.BROKEN)).look()

    assert words in seen.findings[0].evidence


GONE = replace(BROKEN, pid_alive=False, driver_alive=False)


@pytest.mark.parametrize("agent", [STOPPED, AFTER_REBOOT, GONE])
async def test_a_dead_vm_whose_state_cannot_be_read_is_told_as_that(agent: Hostagent) -> None:
    """Else ssh would be the first to be ill, and its advice cannot help."""
    tower = Tower(FakeVm(agent))
    tower.vm.faults["status"] = CannotLook("list --json", "not understood: 'panic'")
    tower.die()
    seen = await tower.look()

    assert [Reason.COLIMA_UNREADABLE] == reasons(seen)
    assert "not understood: 'panic'" in seen.findings[0].evidence
    assert not any(one.alive for one in seen.signs)


@pytest.mark.parametrize(
    "agent", [STOPPED, replace(BROKEN, answers=False), Hostagent(created=False)]
)
async def test_what_may_live_or_never_was_is_not_called_dead(agent: Hostagent) -> None:
    """An answer of ssh or docker.sock, a living hostagent, or no VM at all: that is unknown."""
    tower = Tower(FakeVm(agent))
    tower.vm.faults["status"] = CannotLook("list --json", "not understood: 'panic'")
    seen = await tower.look()

    assert ([], True) == (reasons(seen), "not understood" in seen.unknown)

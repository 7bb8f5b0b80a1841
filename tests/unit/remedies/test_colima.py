"""The VM's power, in careful hands."""

from dataclasses import dataclass, field, replace

import pytest

from healer.core.facts import Act
from healer.core.ladders import Remedy
from healer.core.reasons import Reason
from healer.model.machine import Hostagent, VmStatus
from healer.model.published import PublishedService
from healer.ports import (
    ActFailed,
    CannotLook,
    Conflict,
    Denied,
    PortError,
    Remedial,
    TargetIll,
    TargetSilent,
    WrongAnswer,
)
from healer.remedies.colima import (
    AnsweringPort,
    CleanStaleFiles,
    CycleVm,
    ForceCycleVm,
    Life,
    Others,
    StartVm,
)
from tests.fakes.api import FakeApi
from tests.fakes.clock import FakeClock
from tests.fakes.engine import FakeEngine
from tests.fakes.forward import SILENT
from tests.fakes.guest import FakeGuest
from tests.fakes.host import FakeHost, foreign, process
from tests.fakes.vm import AFTER_REBOOT, BROKEN, RUNNING, STOPPED, FakeVm
from tests.fakes_cluster import FakePorts
from tests.unit.remedies.night import act_of, die_in, heal

START = act_of(Remedy.START_VM, Reason.COLIMA_STOPPED)
CYCLE = act_of(Remedy.CYCLE_VM, Reason.COLIMA_ZOMBIE)
FORCE = act_of(Remedy.FORCE_CYCLE_VM, Reason.COLIMA_ZOMBIE)
FORCE_BROKEN = act_of(Remedy.FORCE_CYCLE_VM, Reason.COLIMA_BROKEN)
CLEAN = act_of(Remedy.CLEAN_STALE_FILES, Reason.COLIMA_BROKEN)


@dataclass
class Tower:
    """A VM and everybody who could speak for it."""

    vm: FakeVm = field(default_factory=FakeVm)
    guest: FakeGuest = field(default_factory=FakeGuest)
    engine: FakeEngine = field(default_factory=FakeEngine)
    api: FakeApi = field(default_factory=FakeApi)
    host: FakeHost = field(default_factory=FakeHost)
    clock: FakeClock = field(default_factory=FakeClock)
    ports: FakePorts = field(default_factory=FakePorts)

    @property
    def others(self) -> Others:
        """Process 10 is healer."""
        return Others(self.host, foreign)

    @property
    def life(self) -> Life:
        """Who could speak for the VM."""
        ports = AnsweringPort(self.ports, (PublishedService("redis", 6379, "redis"),))
        return Life(self.vm, self.guest, self.engine, self.api, ports)

    @property
    def start(self) -> StartVm:
        """The remedy."""
        return StartVm(self.vm, self.vm, self.others)

    @property
    def cycle(self) -> CycleVm:
        """The remedy."""
        return CycleVm(self.vm, self.vm, self.others, self.life, self.clock)

    @property
    def force(self) -> ForceCycleVm:
        """The remedy."""
        return ForceCycleVm(self.vm, self.vm, self.others, self.life, self.clock)

    @property
    def clean(self) -> CleanStaleFiles:
        """The remedy."""
        return CleanStaleFiles(self.vm, self.vm)


def down(agent: Hostagent = STOPPED, state: VmStatus = VmStatus.STOPPED) -> Tower:
    """A VM at rest."""
    return dead(Tower(FakeVm(agent, state)))


def dead(tower: Tower) -> Tower:
    """Everybody who could speak for the VM is silent."""
    tower.guest.die()
    tower.engine.faults["ping"] = SILENT
    tower.api.fail(TargetIll("API 6443", "Connection refused"))
    return tower


def zombie() -> Tower:
    """Running by Colima's word, and dead."""
    return dead(Tower())


async def test_a_stopped_vm_is_started_once() -> None:
    """It starts, and the second time there is nothing to do."""
    tower = down()

    assert "done" == await heal(tower.start, START)
    assert "Colima says Running" == await heal(tower.start, START)
    assert ["start"] == tower.vm.acts


@pytest.mark.parametrize(
    ("agent", "state", "why"),
    [
        (RUNNING, VmStatus.RUNNING, "Colima says Running"),
        (BROKEN, VmStatus.BROKEN, "Colima says Broken"),
        (STOPPED, VmStatus.MISSING, "Colima says missing"),
        (Hostagent(created=False), VmStatus.STOPPED, "never created"),
        (replace(RUNNING, answers=False), VmStatus.STOPPED, "hostagent 500 lives"),
    ],
)
async def test_what_is_not_plainly_stopped_is_not_started(
    agent: Hostagent, state: VmStatus, why: str
) -> None:
    """No first creation, no start of what runs, boots or is Broken."""
    tower = down(agent, state)

    assert why in await tower.start.needed(START)
    assert [] == tower.vm.acts


async def test_somebody_elses_start_makes_every_vm_act_unneeded() -> None:
    """Two starts at once destroy each other's network (facts/colima.md §1.5)."""
    table = [process(20, "/opt/homebrew/bin/colima start")]
    stopped, lame = down(), zombie()
    stopped.host.table = lame.host.table = table

    said = (
        await stopped.start.needed(START),
        await lame.cycle.needed(CYCLE),
        await lame.force.needed(FORCE),
    )

    assert ("`/opt/homebrew/bin/colima start` (pid 20) is at work, not ours",) * 3 == said


async def test_our_own_children_and_work_on_containers_do_not_count() -> None:
    """Healer does not yield to itself, nor the VM to a `docker restart`."""
    tower = down()
    tower.host.table = [
        process(10, "healer --once"),
        process(11, "colima start", ppid=10),
        process(12, "docker restart joelclaw-controlplane-1"),
    ]

    assert "" == await tower.start.needed(START)


async def test_a_failed_start_is_told_as_it_was_said() -> None:
    """Colima's own words come out; whether the VM runs after it is for probes to see."""
    tower = down()
    tower.vm.faults["start"] = ActFailed("colima start", "exiting, status={Running:false}")

    with pytest.raises(ActFailed, match="exiting"):
        await heal(tower.start, START)


async def test_a_zombie_is_stopped_and_started_with_a_pause() -> None:
    """Stop, proof of Stopped, 5 s, start (facts/colima.md §6, L3)."""
    tower = zombie()

    assert "done; done" == await heal(tower.cycle, CYCLE)
    assert ["stop", "start"] == tower.vm.acts
    assert [5.0] == tower.clock.slept


@pytest.mark.parametrize(
    ("part", "method", "name"),
    [("guest", "banner", "ssh"), ("engine", "ping", "docker.sock"), ("api", "readiness", "API")],
)
@pytest.mark.parametrize("refused", [False, True])
async def test_any_sign_of_life_forbids_both_cycles(
    part: str,
    method: str,
    name: str,
    refused: bool,  # noqa: FBT001 (a table of truths)
) -> None:
    """Whoever answers, or refuses us, proves that the VM lives (I6)."""
    tower = zombie()
    faults = {"guest": tower.guest, "engine": tower.engine, "api": tower.api}[part].faults
    faults.pop(method)
    if refused:
        faults[method] = Denied(name, "403")

    for remedy, act in ((tower.cycle, CYCLE), (tower.force, FORCE)):
        assert f"{name} answers" in await remedy.needed(act)
    assert [] == tower.vm.acts


@pytest.mark.parametrize(("part", "method"), [("guest", "banner"), ("engine", "ping")])
async def test_a_witness_that_cannot_be_asked_forbids_both_cycles(part: str, method: str) -> None:
    """Not to have asked is no proof of death: a clean error, and nothing is done."""
    tower = zombie()
    blind = {"guest": tower.guest, "engine": tower.engine}[part]
    blind.faults[method] = CannotLook("ssh", "not found")

    for remedy, act in ((tower.cycle, CYCLE), (tower.force, FORCE)):
        with pytest.raises(CannotLook):
            await heal(remedy, act)
    assert [] == tower.vm.acts


async def test_a_missing_kubeconfig_does_not_save_a_dead_vm() -> None:
    """The API is a witness to have, not one to wait for."""
    tower = zombie()
    tower.api.fail(CannotLook("kubeconfig", "no such file"))

    assert "" == await tower.cycle.needed(CYCLE)


async def test_a_stop_that_left_it_running_starts_nothing() -> None:
    """Exit 0 of a stop proves nothing; only `list` does (facts/colima.md §1.6)."""
    tower = zombie()
    tower.vm.stop_works = False

    with pytest.raises(ActFailed, match="Colima says Running after it"):
        await heal(tower.cycle, CYCLE)
    assert ["stop"] == tower.vm.acts


@pytest.mark.parametrize("state", [VmStatus.STOPPED, VmStatus.BROKEN, VmStatus.MISSING])
async def test_only_a_running_vm_is_cycled(state: VmStatus) -> None:
    """To what does not run, `colima stop` does nothing."""
    tower = down(BROKEN, state)

    assert f"Colima says {state}" in await tower.cycle.needed(CYCLE)


async def test_a_cycle_that_was_killed_between_stop_and_start_is_not_repeated() -> None:
    """Run again it finds the VM stopped, and leaves the start to the ladder of `stopped`."""
    tower = zombie()
    await die_in(tower.vm, "start", lambda: tower.cycle.act(CYCLE))

    assert "Colima says Stopped" in await heal(tower.cycle, CYCLE)
    assert "done" == await heal(tower.start, START)
    assert ["stop", "start", "start"] == tower.vm.acts


async def test_a_list_that_hangs_with_the_guest_does_not_save_a_zombie() -> None:
    """With network.address on, the hostagent's answer stands for `list`'s Running."""
    tower = zombie()
    tower.vm.faults["status"] = TargetSilent("colima list", "no answer within 10 s")

    assert "" == await tower.cycle.needed(CYCLE)
    assert "" == await tower.force.needed(FORCE)


async def test_a_list_that_hangs_without_a_hostagent_is_an_error() -> None:
    """Then nothing is known, and nothing is done."""
    tower = down(BROKEN, VmStatus.BROKEN)
    tower.vm.faults["status"] = TargetSilent("colima list", "no answer within 10 s")

    for remedy, act in ((tower.cycle, CYCLE), (tower.force, FORCE_BROKEN)):
        with pytest.raises(TargetSilent):
            await heal(remedy, act)
    assert [] == tower.vm.acts


@pytest.mark.parametrize(
    ("agent", "state", "act"),
    [(RUNNING, VmStatus.RUNNING, FORCE), (BROKEN, VmStatus.BROKEN, FORCE_BROKEN)],
)
async def test_a_dead_vm_is_forced_down_and_started(
    agent: Hostagent, state: VmStatus, act: Act
) -> None:
    """A power cut, proof of Stopped, 5 s, start (L4), for a zombie and for a Broken VM."""
    tower = down(agent, state)

    assert "SIGKILL; done" == await heal(tower.force, act)
    assert ["force_stop", "start"] == tower.vm.acts
    assert [5.0] == tower.clock.slept


async def test_life_that_returns_after_the_last_look_stops_the_power_cut() -> None:
    """It is asked once more right before the force-stop, and a sign of life is a conflict."""
    tower = zombie()
    assert "" == await tower.force.needed(FORCE)
    tower.guest.faults.clear()

    with pytest.raises(Conflict, match="not done: ssh answers"):
        await tower.force.act(FORCE)
    assert [] == tower.vm.acts


async def test_a_strangers_pid_is_never_forced() -> None:
    """`stop --force` would kill whoever owns the PID now (facts/colima.md §2)."""
    tower = down(AFTER_REBOOT, VmStatus.BROKEN)

    assert "a stranger's process" in await heal(tower.force, FORCE_BROKEN)
    assert [] == tower.vm.acts


@pytest.mark.parametrize(
    ("agent", "state", "why"),
    [
        (STOPPED, VmStatus.STOPPED, "nothing to force"),
        (Hostagent(created=False), VmStatus.MISSING, "nothing to force"),
        (RUNNING, VmStatus.RUNNING, "Running again"),
    ],
)
async def test_what_is_not_broken_any_more_is_not_forced(
    agent: Hostagent, state: VmStatus, why: str
) -> None:
    """The world may have changed since the finding."""
    tower = down(agent, state)

    assert why in await heal(tower.force, FORCE_BROKEN)
    assert [] == tower.vm.acts


async def test_a_force_stop_without_effect_starts_nothing() -> None:
    """`list` is asked for ten seconds; a VM that is still not Stopped is not started over."""
    tower = zombie()
    tower.vm.stop_works = False

    with pytest.raises(ActFailed, match="Colima says Running after it"):
        await heal(tower.force, FORCE)
    assert ["force_stop"] == tower.vm.acts
    assert [1.0] * 10 == tower.clock.slept


async def test_a_forced_cycle_that_was_killed_half_way_is_not_repeated() -> None:
    """Run again it finds the VM stopped and has nothing to force."""
    tower = zombie()
    await die_in(tower.vm, "start", lambda: tower.force.act(FORCE))

    assert "nothing to force" in await heal(tower.force, FORCE)
    assert ["force_stop", "start"] == tower.vm.acts


async def test_stale_files_are_removed_once() -> None:
    """Older than the boot is stale for certain; after it Colima says Stopped."""
    tower = down(AFTER_REBOOT, VmStatus.BROKEN)

    assert "removed ha.pid" == await heal(tower.clean, CLEAN)
    assert "Colima says Stopped" == await heal(tower.clean, CLEAN)
    assert ["remove_stale_files"] == tower.vm.acts


@pytest.mark.parametrize("agent", [BROKEN, replace(AFTER_REBOOT, answers=True)])
async def test_files_that_are_not_proven_stale_are_left_alone(agent: Hostagent) -> None:
    """Files of this boot, or of a hostagent that answers, are nobody's rubbish."""
    tower = down(agent, VmStatus.BROKEN)

    assert "left alone" in await heal(tower.clean, CLEAN)
    assert [] == tower.vm.acts


@pytest.mark.parametrize("method", ["hostagent", "status"])
async def test_without_colimas_word_nothing_is_done(method: str) -> None:
    """Not to know the VM's state is a clean error in every remedy."""
    tower = down(BROKEN, VmStatus.BROKEN)
    tower.vm.faults[method] = CannotLook("colima", "not found")
    remedies: tuple[Remedial, ...] = (tower.start, tower.force, tower.clean)

    for remedy in remedies:
        with pytest.raises(CannotLook):
            await heal(remedy, FORCE_BROKEN)
    assert [] == tower.vm.acts


async def test_a_process_list_that_cannot_be_seen_forbids_every_vm_act() -> None:
    """Not to know who else is at work is reason enough to wait."""
    stopped, lame = down(), zombie()
    for tower in (stopped, lame):
        tower.host.faults["processes"] = CannotLook("process table", "denied")

    for remedy, act in ((stopped.start, START), (lame.cycle, CYCLE), (lame.force, FORCE)):
        with pytest.raises(CannotLook):
            await heal(remedy, act)
    assert [] == stopped.vm.acts + lame.vm.acts


@pytest.mark.parametrize("remedy", ["start", "cycle", "force", "clean"])
async def test_a_look_that_hangs_leaves_the_vm_alone(remedy: str) -> None:
    """The engine ends a hung `needed()` from outside; nothing was done by then."""
    tower = down(BROKEN, VmStatus.BROKEN)
    hung: Remedial = getattr(tower, remedy)

    await die_in(tower.vm, "status", lambda: hung.needed(FORCE_BROKEN))

    assert [] == tower.vm.acts


ANSWERS = [
    "PONG",
    Denied("redis :6379", "NOAUTH Authentication required."),
    WrongAnswer("redis :6379", "MISCONF"),
]


@pytest.mark.parametrize("answer", ANSWERS)
@pytest.mark.parametrize("owner", ["ours", "unknown"])
async def test_a_published_port_that_speaks_forbids_both(
    answer: str | PortError, owner: str
) -> None:
    """I6, once more just before the power is cut, whoever the listener's owner is."""
    tower = zombie()
    tower.ports.answers[6379] = answer
    if owner == "unknown":
        tower.ports.faults["listener_is_ours"] = CannotLook("listener", "not seen")

    assert "port 6379 answers" == await tower.force.needed(FORCE)
    assert "port 6379 answers" == await tower.cycle.needed(CYCLE)
    with pytest.raises(Conflict, match="not done: port 6379 answers"):
        await tower.force.act(FORCE)
    assert [] == tower.vm.acts


async def test_a_strangers_port_proves_no_life() -> None:
    """A program of the Mac's own that took the port of a dead VM keeps it from nothing."""
    tower = zombie()
    tower.ports.answers[6379] = "PONG"
    tower.ports.foreign = {6379}

    assert "" == await tower.force.needed(FORCE)


@pytest.mark.parametrize("part", ["guest", "engine", "ports"])
async def test_who_could_not_be_asked_forbids_the_power_cut(part: str) -> None:
    """An ssh port that nobody knows is no dead ssh."""
    tower = down(BROKEN, VmStatus.BROKEN)
    name = {"guest": "banner", "engine": "ping", "ports": "speak"}[part]
    getattr(tower, part).faults[name] = CannotLook(part, "not known where")

    with pytest.raises(CannotLook):
        await tower.force.needed(FORCE_BROKEN)
    with pytest.raises(CannotLook):
        await tower.force.act(FORCE_BROKEN)
    assert [] == tower.vm.acts


@pytest.mark.parametrize(("driver", "forbids"), [(False, False), (True, True), (None, True)])
async def test_without_a_driver_there_is_no_guest_to_ask(
    driver: bool | None,  # noqa: FBT001  (a table's column)
    forbids: bool,  # noqa: FBT001
) -> None:
    """Then no port is known, and none can be; but only when the driver is known to be gone."""
    tower = down(replace(BROKEN, driver_alive=driver), VmStatus.BROKEN)
    tower.guest.faults["banner"] = CannotLook("ssh", "no port")

    if forbids:
        with pytest.raises(CannotLook):
            await tower.force.needed(FORCE_BROKEN)
    else:
        assert "" == await tower.force.needed(FORCE_BROKEN)


async def test_a_pid_that_a_stranger_has_now_keeps_no_vm_from_its_start() -> None:
    """After a crash of the Mac the old hostagent's number is somebody else's."""
    tower = down(AFTER_REBOOT, VmStatus.STOPPED)

    assert "" == await tower.start.needed(START)


async def test_only_ports_that_prove_life_are_asked() -> None:
    """A bare listener and the Mac's own program say nothing of the VM."""
    ports = FakePorts(p6379="PONG")
    published = (
        PublishedService("bare", 7881, "tcp"),
        PublishedService("worker", 3111, "http"),
        PublishedService("redis", 6379, "redis"),
    )

    assert "port 6379 answers" == await AnsweringPort(ports, published).sign()
    assert [6379] == ports.asked


async def test_every_refusal_says_what_was_seen() -> None:
    """These words stand in the journal beside the act that was not done."""
    never = down(replace(STOPPED, created=False))
    again = down(RUNNING, VmStatus.RUNNING)
    alive = zombie()
    alive.api.faults["readiness"] = Denied("/readyz", "401")
    unproven = down(BROKEN, VmStatus.BROKEN)

    assert (
        "the VM was never created, and healer never creates one",
        "Colima says Running again",
        "left alone: ha.pid is not proven to be older than the boot",
    ) == (
        await never.start.needed(START),
        await again.force.needed(FORCE_BROKEN),
        await CleanStaleFiles(unproven.vm, unproven.vm).act(CLEAN),
    )
    assert (await alive.cycle.needed(CYCLE)).startswith("the Kubernetes API answers")

"""The Talos container."""

from dataclasses import dataclass, field, replace

import pytest

from healer.core.ledger import Ledger
from healer.core.observation import Component, Observation
from healer.core.reasons import Reason
from healer.engine.quiet import Snapshot
from healer.model.cluster import Condition, Readiness
from healer.model.container import PortBinding
from healer.model.machine import FileSystem, Forwarder, Unit
from healer.model.verdicts import WantedContainer
from healer.ports import CannotLook, Denied, TargetIll, TargetSilent, WrongAnswer
from healer.probes.ages import Ages
from healer.probes.talos import CONDITION, IN_VM, LONGEST_STOP, NODE, READYZ, TalosProbe
from tests.fakes.api import SERVER_TIME, FakeApi, node
from tests.fakes.clock import FakeClock
from tests.fakes.engine import DOWN, UP, FakeEngine
from tests.fakes.guest import DATA_DISK, ROOT_DISK, WELL, FakeGuest
from tests.fakes.vm import FakeVm

GIB = 1024**3
BARE = FileSystem("/dev/vda1", 0.05, ("/", "/var/lib/docker"))
"""Docker's folder before the data disk is mounted over it."""


@dataclass
class Tower:
    """What the probe looks at; the probe itself remembers heartbeats."""

    engine: FakeEngine = field(default_factory=FakeEngine)
    api: FakeApi = field(default_factory=FakeApi)
    guest: FakeGuest = field(default_factory=FakeGuest)
    vm: FakeVm = field(default_factory=FakeVm)
    wanted: WantedContainer = field(default_factory=WantedContainer)
    clock: FakeClock = field(default_factory=FakeClock)

    def __post_init__(self) -> None:
        """Make the probe."""
        ages = Ages(self.clock, Snapshot(Ledger()))
        self.probe = TalosProbe(self.engine, self.api, self.guest, self.vm, ages, self.wanted)

    async def look(self) -> Observation:
        """One look."""
        return await self.probe.look()

    def says_shutting_down(self, heartbeat: float | None, transition: float | None = None) -> None:
        """The node's Ready condition, with times in seconds before the server's now."""
        self.api.nodes = (
            node(
                Condition(
                    "Ready",
                    "False",
                    "KubeletNotReady",
                    "node is shutting down",
                    None if heartbeat is None else SERVER_TIME - heartbeat,
                    None if transition is None else SERVER_TIME - transition,
                )
            ),
        )


def own_control(seen: Observation) -> dict[str, bool]:
    """What tells of machined and the kubelet, and what it says."""
    return {one.what: one.alive for one in seen.signs if Component.CONTROL in one.depends_on}


def reasons(seen: Observation) -> list[Reason]:
    """The reasons found, in order."""
    return [one.reason for one in seen.findings]


async def test_a_running_container_with_a_ready_node_is_well() -> None:
    """Nothing is wrong, the run's age is told, and the API and the node are alive."""
    seen = await Tower().look()

    assert ((), 3600.0) == (seen.findings, seen.uptime)
    assert {READYZ, NODE, CONDITION} == {one.what for one in seen.signs if one.alive}


async def test_a_container_without_its_vm_is_down_with_code_255() -> None:
    """After a power cut the exit code and the policy are in the evidence, and nobody is blamed."""
    seen = await Tower(FakeEngine(replace(DOWN, restart_policy="no"))).look()

    assert [Reason.TALOS_STOPPED, Reason.RESTART_POLICY] == reasons(seen)
    assert "exited, exit code 255, ended 42 s ago; restart policy no" in seen.findings[0].evidence
    assert seen.findings[0].human_ago is None


async def test_a_container_that_somebody_stopped_tells_when() -> None:
    """A human's `docker stop` is respected for a while by the core, which needs the time."""
    seen = await Tower(FakeEngine(DOWN, human_ago=12.0)).look()

    assert 12.0 == seen.findings[0].human_ago


async def test_a_clock_that_is_set_in_the_vm_makes_no_stop_older() -> None:
    """I15: Docker tells the ages of its events by the VM's wall clock, which Lima sets."""
    tower = Tower()
    await tower.look()
    tower.clock.advance(5.0)
    tower.engine.box, tower.engine.human_ago = DOWN, 3600.0
    assert 5.0 == (await tower.look()).findings[0].human_ago

    tower.clock.advance(2.0)
    tower.engine.human_ago = 7200.0
    assert 7.0 == (await tower.look()).findings[0].human_ago


async def test_a_clock_that_is_set_in_the_vm_makes_no_start_older() -> None:
    """A container that has just started is not called wedged for it."""
    tower = Tower(FakeEngine(DOWN))
    await tower.look()
    tower.clock.advance(5.0)
    tower.engine.box = replace(UP, started_ago=3600.0)
    silent = TargetSilent("API 6443", "no answer within 5 s")
    tower.api.fail(silent)

    seen = await tower.look()

    assert ((), 5.0) == (seen.findings, seen.uptime)


@pytest.mark.parametrize(
    ("docker", "ago", "human"),
    [
        (Unit("active", "success", starting=(31.0, 19.0)), 20.0, None),
        (Unit("active", "success", starting=(31.0, 19.0)), 10.0, 10.0),
        (Unit("active", "success", starting=(31.0, 19.0)), 40.0, 40.0),
        (Unit("active", "success"), 20.0, 20.0),
        (Unit("deactivating", "success", starting=(900.0, 890.0)), 5.0, None),
    ],
)
async def test_a_stop_within_dockerd_s_own_start_or_end_is_dockerd_s(
    docker: Unit, ago: float, human: float | None
) -> None:
    """After a crash the next dockerd ends what runs on, with the events of a `docker stop`."""
    tower = Tower(FakeEngine(DOWN, human_ago=ago), guest=FakeGuest(replace(WELL, docker=docker)))

    (found,) = (await tower.look()).findings

    assert human == found.human_ago
    assert ("dockerd ended it" in found.evidence) is (human is None)


async def test_a_stop_of_which_the_vm_says_nothing_is_a_human_s() -> None:
    """Not to know dockerd's start is no leave to undo it."""
    tower = Tower(FakeEngine(DOWN, human_ago=12.0))
    tower.guest.die()

    assert 12.0 == (await tower.look()).findings[0].human_ago


@pytest.mark.parametrize(
    ("uptime", "mounted", "missing", "words"),
    [
        (300.0, False, False, "its data disk is not mounted at /var/lib/docker yet"),
        (60.0, True, False, "may still be starting"),
        (130.0, True, True, "no container"),
        (700.0, False, True, "/var/lib/docker is not on the data disk"),
    ],
)
async def test_a_container_is_missing_only_once_docker_has_its_data(
    uptime: float, words: str, *, mounted: bool, missing: bool
) -> None:
    """Each boot starts dockerd on an empty folder for a while; what stays so is told."""
    disks = (ROOT_DISK, DATA_DISK) if mounted else (BARE,)
    guest = FakeGuest(replace(WELL, uptime=uptime, disks=disks))

    seen = await Tower(FakeEngine(None), guest=guest).look()

    assert ([Reason.TALOS_MISSING] if missing else []) == reasons(seen)
    assert words in (seen.findings[0].evidence if missing else seen.unknown)


async def test_a_container_is_not_called_missing_while_the_vm_is_silent() -> None:
    """Whether Docker has its data is not known then."""
    tower = Tower(FakeEngine(None))
    tower.guest.die()

    seen = await tower.look()

    assert () == seen.findings
    assert "data disk is not known" in seen.unknown


async def test_not_to_know_who_stopped_it_counts_as_a_human() -> None:
    """When the events cannot be read, nothing is undone (I15)."""
    engine = FakeEngine(DOWN)
    engine.faults["stopped_by_human_ago"] = TargetSilent("docker /events", "no answer")

    seen = await Tower(engine).look()

    assert [Reason.TALOS_STOPPED] == reasons(seen)
    assert 0.0 == seen.findings[0].human_ago


@pytest.mark.parametrize(
    ("status", "error", "advice"),
    [
        ("exited", "Range of CPUs is from 0.01 to 4.00, as there are only 4", "--cpus"),
        ("created", "Bind for 0.0.0.0:6379 failed: port is already allocated", "free that port"),
        ("exited", "listen tcp4 0.0.0.0:3111: bind: address already in use", "free that port"),
        ("paused", "", "docker unpause joelclaw-controlplane-1"),
        ("dead", "", "docker inspect joelclaw-controlplane-1"),
    ],
)
async def test_a_start_that_cannot_help_is_refused_with_the_cure(
    status: str, error: str, advice: str
) -> None:
    """Docker's own words mean that a human must mend something first: no start is tried."""
    seen = await Tower(FakeEngine(replace(DOWN, status=status, error=error))).look()

    assert [Reason.TALOS_START_REFUSED] == reasons(seen)
    assert error in seen.findings[0].evidence
    assert advice in seen.findings[0].advice


async def test_an_error_that_may_pass_does_not_forbid_a_start() -> None:
    """Only the errors that a retry cannot help are refusals."""
    error = "failed to create task for container: context deadline exceeded"

    seen = await Tower(FakeEngine(replace(DOWN, error=error))).look()

    assert [Reason.TALOS_STOPPED] == reasons(seen)


async def test_no_container_is_missing() -> None:
    """Docker answered that there is none."""
    assert [Reason.TALOS_MISSING] == reasons(await Tower(FakeEngine(None)).look())


@pytest.mark.parametrize("fault", [TargetIll("docker", "EOF"), CannotLook("docker", "denied")])
async def test_a_docker_that_does_not_answer_leaves_talos_unknown(fault: Exception) -> None:
    """Docker's illness is not the container's."""
    engine = FakeEngine()
    engine.faults["container"] = fault

    seen = await Tower(engine).look()

    assert ((), str(fault)) == (seen.findings, seen.unknown)


@pytest.mark.parametrize(
    ("memory", "swap", "wanted", "found"),
    [
        (4 * GIB, 8 * GIB, 0, []),
        (4 * GIB, 8 * GIB, 18 * GIB, [Reason.MEMORY_LIMIT]),
        (18 * GIB, 36 * GIB, 18 * GIB, [Reason.MEMORY_LIMIT]),
        (18 * GIB, 18 * GIB, 18 * GIB, []),
        (18 * GIB, -1, 18 * GIB, []),
    ],
)
async def test_the_memory_limit_counts_only_when_one_is_wanted(
    memory: int, swap: int, wanted: int, found: list[Reason]
) -> None:
    """Both limits must be the wanted one; a kernel without swap accounting is let off."""
    box = replace(UP, memory=memory, memory_swap=swap)
    seen = await Tower(FakeEngine(box), wanted=WantedContainer(memory=wanted)).look()

    assert seen.well
    assert found == reasons(seen)


async def test_port_drift_names_each_port() -> None:
    """A port of the Mac's own that is bound, and an API port that is not, are advice."""
    box = replace(UP, ports=(PortBinding(3111, "0.0.0.0", 3111),))

    seen = await Tower(FakeEngine(box)).look()

    assert seen.well
    assert [Reason.PORT_DRIFT, Reason.PORT_DRIFT] == reasons(seen)
    assert ["3111", "6443"] == [one.target for one in seen.findings]


async def test_a_first_word_of_shutting_down_is_no_proof() -> None:
    """It may be somebody's `docker stop` under way, or a heartbeat from before."""
    tower = Tower()
    tower.says_shutting_down(heartbeat=5.0, transition=10.0)

    seen = await tower.look()

    assert seen.well
    assert "not proved yet" in seen.summary


async def test_a_heartbeat_that_advances_proves_a_stuck_shutdown() -> None:
    """A live kubelet that goes on saying so is stuck; two ways witness it."""
    tower = Tower()
    tower.says_shutting_down(heartbeat=30.0, transition=30.0)
    await tower.look()
    tower.says_shutting_down(heartbeat=10.0, transition=30.0)

    seen = await tower.look()

    assert [Reason.TALOS_SHUTTING_DOWN] == reasons(seen)
    assert UP.started_at == seen.findings[0].fingerprint
    assert {CONDITION: False, IN_VM: False} == own_control(seen)


async def test_a_heartbeat_that_stands_still_is_never_proof() -> None:
    """Not advancing means that the kubelet does not run yet."""
    tower = Tower()
    tower.says_shutting_down(heartbeat=30.0, transition=30.0)

    for _ in range(5):
        assert (await tower.look()).well


async def test_a_heartbeat_long_after_the_turn_is_proof_in_one_look() -> None:
    """The server's own times show that it went on for longer than any stop takes."""
    tower = Tower()
    tower.says_shutting_down(heartbeat=20.0, transition=20.0 + LONGEST_STOP)

    assert [Reason.TALOS_SHUTTING_DOWN] == reasons(await tower.look())


@pytest.mark.parametrize("heartbeat", [None, 3600.0, 9000.0])
async def test_a_word_from_before_this_run_is_stale(heartbeat: float | None) -> None:
    """What the last run's kubelet wrote says nothing of this one, however long it lasted."""
    tower = Tower()
    tower.says_shutting_down(heartbeat=heartbeat, transition=20_000.0)

    assert (await tower.look()).well


async def test_the_first_heartbeat_of_a_run_proves_nothing_against_a_stale_one() -> None:
    """From the last run's word to this run's first one is no advance of one kubelet."""
    tower = Tower()
    tower.says_shutting_down(heartbeat=4000.0, transition=4000.0)
    await tower.look()
    tower.says_shutting_down(heartbeat=3590.0, transition=4000.0)

    assert (await tower.look()).well


async def test_another_run_begins_the_proof_anew() -> None:
    """A heartbeat of the run before proves nothing of a container that was restarted."""
    tower = Tower()
    tower.says_shutting_down(heartbeat=30.0, transition=30.0)
    await tower.look()
    tower.engine.box = replace(UP, started_at="anew", started_ago=20.0)
    tower.says_shutting_down(heartbeat=10.0, transition=12.0)

    assert (await tower.look()).well


async def test_a_container_that_the_vm_does_not_see_running_is_one_witness_short() -> None:
    """Without the VM's word there is no second way."""
    tower = Tower(guest=FakeGuest(replace(WELL, container_status="")))
    tower.says_shutting_down(heartbeat=20.0, transition=20.0 + LONGEST_STOP)

    seen = await tower.look()

    assert {CONDITION: False} == own_control(seen)


async def test_an_api_that_stays_silent_is_wedged() -> None:
    """Running for longer than a start takes, and nobody at the API's port."""
    tower = Tower()
    tower.api.fail(TargetSilent("API 6443 /readyz", "no answer within 10 s"))

    seen = await tower.look()

    assert [Reason.TALOS_WEDGED] == reasons(seen)
    assert UP.started_at == seen.findings[0].fingerprint
    assert {READYZ: False, NODE: False} == {one.what: one.alive for one in seen.signs}
    assert all(Component.API_SERVER in one.depends_on for one in seen.signs)


@pytest.mark.parametrize("words", ["500: etcdserver: request timed out", "429: too many requests"])
async def test_an_api_that_answers_with_errors_is_not_wedged(words: str) -> None:
    """It lives, and a restart of Talos would end it; its own layer says that it fails."""
    tower = Tower()
    tower.api.fail(WrongAnswer("GET", words))

    seen = await tower.look()

    assert seen.well
    assert all(one.alive for one in seen.signs)


async def test_a_young_container_may_be_silent() -> None:
    """Five minutes belong to Talos and etcd."""
    tower = Tower(FakeEngine(replace(UP, started_ago=299.0)))
    tower.api.fail(TargetIll("API", "Connection refused"))

    assert (await tower.look()).well


@pytest.mark.parametrize("fault", [Denied("API", "401"), CannotLook("kubeconfig", "no such file")])
async def test_a_refusal_or_a_missing_kubeconfig_is_no_wedge(fault: Exception) -> None:
    """Who refuses us lives, and what we cannot ask we do not know."""
    tower = Tower()
    tower.api.fail(fault)

    assert (await tower.look()).well


async def test_an_api_that_is_not_ready_has_answered() -> None:
    """`/readyz` with failing checks is the API layer's affair."""
    tower = Tower()
    tower.api.faults["node"] = TargetIll("API", "500")
    tower.api.ready = Readiness(ready=False, port=6443, detail="[-]etcd failed")

    seen = await tower.look()

    assert seen.well
    assert {READYZ: True, NODE: False} == {one.what: one.alive for one in seen.signs}


@pytest.mark.parametrize(
    ("forwarder", "carrier"),
    [(Forwarder.SSH, Component.MUX), (Forwarder.GRPC, Component.HOSTAGENT)],
)
async def test_what_carries_a_port_follows_the_port_forwarder(
    forwarder: Forwarder, carrier: Component
) -> None:
    """Ports by grpc do not travel through the mux."""
    vm = FakeVm()
    vm.profile_forwarder = forwarder

    seen = await Tower(vm=vm).look()

    carriers = {Component.MUX, Component.HOSTAGENT}
    assert all({carrier} == one.depends_on & carriers for one in seen.signs)


async def test_with_an_unreadable_profile_either_may_carry_it() -> None:
    """To suspect too much can only make healer wait."""
    vm = FakeVm()
    vm.faults["forwarder"] = CannotLook("colima.yaml", "not YAML")

    seen = await Tower(vm=vm).look()

    carriers = {Component.MUX, Component.HOSTAGENT}
    assert all(carriers <= one.depends_on for one in seen.signs)

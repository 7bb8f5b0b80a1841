"""The way to Docker, mended."""

from dataclasses import dataclass, field, replace

import pytest

from healer.core.ladders import Remedy
from healer.core.reasons import Reason
from healer.model.container import PortBinding
from healer.model.machine import Forwarder, Mux, MuxState, Unit
from healer.ports import ActFailed, CannotLook, Denied, NotAsked, Remedial, TargetIll, TargetSilent
from healer.remedies.docker import Forwards, Reforward, RestartEngine, StartEngine, TermMux
from tests.fakes.engine import UP
from tests.fakes.forward import REFUSED, RESET, SILENT, FakeForward
from tests.fakes.guest import ASLEEP, WELL, FakeGuest
from tests.fakes.published import FakePublished
from tests.fakes.vm import FakeVm
from tests.unit.remedies.night import act_of, die_in, heal

DEAD = act_of(Remedy.REFORWARD, Reason.DOCKER_FORWARD_DEAD)
REDIS = act_of(Remedy.REFORWARD, Reason.SERVICE_FORWARD_DEAD, target="6379")
WEDGED = act_of(Remedy.TERM_MUX, Reason.DOCKER_MUX_WEDGED, fingerprint="1224")
ENGINE = act_of(Remedy.RESTART_ENGINE, Reason.DOCKER_ENGINE_DOWN)
STOPPED = act_of(Remedy.START_ENGINE, Reason.DOCKER_ENGINE_STOPPED)
ALL = "[('0.0.0.0', 6443), ('0.0.0.0', 6379), ('127.0.0.1', 7880)]"


@dataclass
class Way:
    """From the Mac to the engine and the published ports."""

    forward: FakeForward = field(default_factory=FakeForward)
    guest: FakeGuest = field(default_factory=FakeGuest)
    vm: FakeVm = field(default_factory=FakeVm)

    def __post_init__(self) -> None:
        """All ports are carried."""
        self.forward.ports = {6443, 6379, 7880}
        self.published = FakePublished(self.forward)

    @property
    def forwards(self) -> Forwards:
        """The shared part."""
        return Forwards(self.forward.engine, self.vm, self.published, self.forward)

    @property
    def reforward(self) -> Reforward:
        """The remedy."""
        return Reforward(self.forwards, self.guest)

    @property
    def term(self) -> TermMux:
        """The remedy."""
        return TermMux(self.forward, self.forward, self.forwards, self.guest)

    @property
    def restart(self) -> RestartEngine:
        """The remedy."""
        return RestartEngine(self.forwards, self.guest, self.guest)

    @property
    def remedies(self) -> dict[str, Remedial]:
        """All of them by name."""
        return {"reforward": self.reforward, "term": self.term, "restart": self.restart}

    @property
    def start(self) -> StartEngine:
        """The remedy."""
        return StartEngine(self.guest, self.guest)

    def engine_down(self, active: str = "failed") -> None:
        """Dockerd is dead in the VM."""
        self.forward.engine.faults["ping"] = RESET
        self.guest.inside = replace(WELL, engine_answers=False, docker=Unit(active, "exit-code"))


async def test_a_dead_master_is_replaced_and_everything_forwarded_once() -> None:
    """Docker.sock first, since only it names the ports; a port once, as wide as published."""
    way = Way()
    way.forward.die()

    said = await heal(way.reforward, DEAD)

    assert "forwarded docker.sock and 3 ports" == said
    assert ["reforward []", f"reforward {ALL}"] == way.forward.acts
    assert "docker.sock answers" == await heal(way.reforward, DEAD)


async def test_ports_that_accept_are_left_alone() -> None:
    """A port with a listener is not forwarded over it."""
    way = Way()
    way.forward.engine.faults["ping"] = REFUSED

    await heal(way.reforward, DEAD)

    assert ["reforward []"] == way.forward.acts


async def test_ports_by_grpc_are_never_forwarded() -> None:
    """They do not go through the mux; a second forwarder would fight Lima's own."""
    way = Way()
    way.vm.profile_forwarder = Forwarder.GRPC
    way.forward.die()

    await heal(way.reforward, DEAD)

    assert ["reforward []"] == way.forward.acts
    assert "do not go through the mux" in await way.reforward.needed(REDIS)


async def test_reserved_ports_ssh_and_udp_are_never_forwarded() -> None:
    """3111 is the Mac's own, 22 is never Lima's, and ssh carries no UDP."""
    way = Way()
    way.forward.engine.box = replace(
        UP,
        ports=(
            PortBinding(3111, "0.0.0.0", 3111),
            PortBinding(22, "0.0.0.0", 22),
            PortBinding(7882, "0.0.0.0", 7882, "udp"),
            PortBinding(9000, "0.0.0.0", 0),
            PortBinding(9001, "127.0.0.1", 9001),
            PortBinding(9001, "0.0.0.0", 9001),
        ),
    )
    way.forward.die()

    await heal(way.reforward, DEAD)

    assert ["reforward []", "reforward [('0.0.0.0', 9001)]"] == way.forward.acts


async def test_a_silent_or_unseen_port_is_left_alone() -> None:
    """Only a refusal shows that nobody listens."""
    for fault in (TargetSilent("port", "no answer"), CannotLook("port", "no file handles")):
        way = Way()
        way.forward.die()
        way.published.faults["speak"] = fault

        await heal(way.reforward, DEAD)

        assert ["reforward []"] == way.forward.acts


async def test_one_lost_port_is_forwarded_without_touching_docker() -> None:
    """A service's forward is mended alone, and the second time nothing is done."""
    way = Way()
    way.forward.ports.remove(6379)

    assert "forwarded docker.sock and 1 ports" == await heal(way.reforward, REDIS)
    assert "port 6379 does not refuse any more" == await heal(way.reforward, REDIS)
    assert ["reforward [('0.0.0.0', 6379)]"] == way.forward.acts


async def test_a_container_that_is_gone_has_no_ports() -> None:
    """Docker.sock is mended all the same."""
    way = Way()
    way.forward.die()
    way.forward.engine.box = None

    await heal(way.reforward, DEAD)

    assert ["reforward []"] == way.forward.acts


async def test_ports_that_cannot_be_named_do_not_undo_the_rest() -> None:
    """When Docker falls silent again, what was done is told with what was not."""
    way = Way()
    way.forward.engine.faults["container"] = SILENT

    assert "published ports not seen" in await way.reforward.act(DEAD)


async def test_a_dead_engine_is_not_forwarded() -> None:
    """When the VM's own engine is silent, the forward is not what is ill."""
    way = Way()
    way.engine_down()

    assert "in the VM either" in await heal(way.reforward, DEAD)
    assert "in the VM either" in await heal(way.term, WEDGED)
    assert [] == way.forward.acts


async def test_a_reforward_that_was_killed_is_done_again() -> None:
    """The recipe is idempotent: run again, it ends with everything carried."""
    way = Way()
    way.forward.die()
    await die_in(way.forward, "reforward", lambda: way.reforward.act(DEAD))

    await heal(way.reforward, DEAD)

    assert {6443, 6379, 7880} == way.forward.ports
    assert MuxState.LIVE is way.forward.master.state


async def test_a_wedged_master_is_ended_and_everything_forwarded_anew() -> None:
    """TERM to the one master, then docker.sock, then the ports; the second time nothing."""
    way = Way()
    way.forward.wedge()

    said = await heal(way.term, WEDGED)

    assert said.startswith("ended ssh master; forwarded docker.sock")
    assert ["term_mux", "reforward []", f"reforward {ALL}"] == way.forward.acts
    assert "docker.sock answers" == await heal(way.term, WEDGED)


@pytest.mark.parametrize(
    ("master", "why"),
    [
        (Mux(MuxState.DEAD), "no master any more"),
        (Mux(MuxState.WEDGED, None), "no master any more"),
        (Mux(MuxState.WEDGED, 1300), "another master, 1300"),
    ],
)
async def test_only_the_master_that_was_found_is_ended(master: Mux, why: str) -> None:
    """A dead one needs no TERM, and a new one has not been judged yet."""
    way = Way()
    way.forward.wedge()
    way.forward.master = master

    assert why in await heal(way.term, WEDGED)
    assert [] == way.forward.acts


async def test_a_term_that_was_killed_before_the_forwards_leaves_a_dead_forward() -> None:
    """Run again there is no master to end, and re-forwarding mends the rest."""
    way = Way()
    way.forward.wedge()
    await die_in(way.forward, "reforward", lambda: way.term.act(WEDGED))

    assert "no master any more" in await heal(way.term, WEDGED)
    await heal(way.reforward, DEAD)
    assert {6443, 6379, 7880} == way.forward.ports
    assert 1 == way.forward.acts.count("term_mux")


async def test_a_dead_engine_is_restarted_once() -> None:
    """It is restarted in the VM; when it answers there, nothing more is done."""
    way = Way()
    way.engine_down()

    assert "restarted docker" == await heal(way.restart, ENGINE)
    assert "the engine answers in the VM" == await heal(way.restart, ENGINE)
    assert ["restart_engine"] == way.guest.acts


async def test_a_stopped_engine_is_started_once_and_nobody_is_asked() -> None:
    """systemd says that it is down; a word to docker.sock would have started it already."""
    way = Way()
    way.guest.inside = replace(WELL, engine_answers=False, docker=ASLEEP)
    way.forward.engine.faults["ping"] = NotAsked("docker.sock", "asleep")

    assert "started rather than restarted" in await heal(way.restart, ENGINE)
    assert "started docker" == await heal(way.start, STOPPED)
    assert "docker.service is active" == await heal(way.start, STOPPED)
    assert (["start_engine"], []) == (way.guest.acts, way.forward.engine.calls)


async def test_a_failed_engine_whose_socket_would_start_it_is_not_asked() -> None:
    """systemd's word is enough for the last look before a restart."""
    way = Way()
    unit = Unit("failed", "exit-code", socket="active")
    way.guest.inside = replace(WELL, engine_answers=False, docker=unit)
    way.forward.engine.faults["ping"] = NotAsked("docker.sock", "asleep")

    assert "restarted docker" == await heal(way.restart, ENGINE)


@pytest.mark.parametrize("active", ["activating", "deactivating"])
async def test_an_engine_that_systemd_is_at_is_left_to_it(active: str) -> None:
    """A start or stop under way is somebody's."""
    way = Way()
    way.engine_down(active)

    assert f"docker.service is {active}: systemd is at it" == await heal(way.restart, ENGINE)


@pytest.mark.parametrize("answer", [None, Denied("docker.sock", "403")])
async def test_an_engine_that_answers_the_mac_is_not_restarted(answer: Exception | None) -> None:
    """An answer or a refusal through docker.sock is life, whatever ssh says."""
    way = Way()
    way.engine_down()
    way.forward.engine.faults.pop("ping")
    if answer is not None:
        way.forward.engine.faults["ping"] = answer

    assert "docker.sock answers" == await heal(way.restart, ENGINE)


async def test_an_engine_restart_that_was_killed_is_looked_at_anew() -> None:
    """Run again, it restarts only what is still dead."""
    way = Way()
    way.engine_down()
    await die_in(way.guest, "restart_engine", lambda: way.restart.act(ENGINE))

    assert "restarted docker" == await heal(way.restart, ENGINE)
    assert "the engine answers in the VM" == await heal(way.restart, ENGINE)


@pytest.mark.parametrize("fault", [TargetIll("ssh", "refused"), CannotLook("ssh", "not found")])
@pytest.mark.parametrize("remedy", ["reforward", "term", "restart"])
async def test_without_the_vms_word_nothing_is_done(remedy: str, fault: Exception) -> None:
    """Each needs to know whether the engine lives; not to know is a clean error."""
    way = Way()
    way.forward.wedge()
    way.guest.faults["facts"] = fault
    one = way.remedies[remedy]

    with pytest.raises(type(fault)):
        await heal(one, WEDGED)
    assert [] == way.forward.acts + way.guest.acts


@pytest.mark.parametrize("remedy", ["reforward", "term", "restart"])
async def test_a_socket_that_cannot_be_asked_or_hangs_stops_every_act(remedy: str) -> None:
    """No permission is a clean error, and a hang is ended from outside; nothing is done."""
    way = Way()
    one = way.remedies[remedy]
    if remedy == "restart":
        way.engine_down()

    await die_in(way.forward.engine, "ping", lambda: one.needed(DEAD))
    way.forward.engine.faults["ping"] = CannotLook("docker.sock", "permission denied")
    with pytest.raises(CannotLook):
        await heal(one, DEAD)

    assert [] == way.forward.acts + way.guest.acts


async def test_a_reforward_that_fails_is_told() -> None:
    """Behind a wedged master the recipe fails in its own words."""
    way = Way()
    way.forward.wedge()

    with pytest.raises(ActFailed, match="no answer within 10 s"):
        await heal(way.reforward, DEAD)

"""Docker, and where the way to it is cut."""

from dataclasses import dataclass, field, replace

import pytest

from healer.core.observation import Component, Observation, Sign
from healer.core.reasons import Reason
from healer.model.machine import Mux, MuxState, Unit
from healer.ports import CannotLook, Denied, NotAsked, TargetIll, TargetSilent
from healer.probes.asking import BY_MUX, BY_SSH, DOCKER_SOCKET, ENGINE_INSIDE
from healer.probes.docker import DockerProbe
from tests.fakes.forward import REFUSED, RESET, SILENT, FakeForward
from tests.fakes.guest import ASLEEP, WELL, FakeGuest


@dataclass
class Way:
    """From the Mac to the engine."""

    forward: FakeForward = field(default_factory=FakeForward)
    guest: FakeGuest = field(default_factory=FakeGuest)

    async def look(self) -> Observation:
        """One look."""
        return await DockerProbe(self.forward.engine, self.guest, self.forward).look()

    def ping(self, fault: Exception) -> None:
        """What the Mac's docker.sock does."""
        self.forward.engine.faults["ping"] = fault

    def engine_down(self, unit: Unit) -> None:
        """Dockerd is dead in the VM: the socket accepts, then resets (facts/colima.md §8)."""
        self.ping(RESET)
        self.guest.inside = replace(WELL, engine_answers=False, docker=unit)


def told(seen: Observation) -> dict[str, bool]:
    """The signs, and whether each lives."""
    assert {DOCKER_SOCKET: BY_MUX, ENGINE_INSIDE: BY_SSH | {Component.DOCKERD}}.items() >= {
        one.what: one.depends_on for one in seen.signs
    }.items()
    return {one.what: one.alive for one in seen.signs}


async def test_an_engine_that_answers_is_well_and_needs_no_ssh() -> None:
    """Nobody is asked but docker.sock, and it proves engine and forward alive."""
    way = Way()

    seen = await way.look()

    assert seen.well
    assert ([], []) == (way.guest.calls, way.forward.calls)
    assert {DOCKER_SOCKET: True} == told(seen)


@pytest.mark.parametrize("fault", [REFUSED, RESET, TargetIll("docker.sock", "no such file")])
async def test_a_dead_socket_before_a_live_engine_is_a_dead_forward(fault: Exception) -> None:
    """The Mac's end refuses and the engine answers in the VM: the forward is what is dead."""
    way = Way()
    way.ping(fault)

    seen = await way.look()

    assert [Reason.DOCKER_FORWARD_DEAD] == [one.reason for one in seen.findings]
    assert {DOCKER_SOCKET: False, ENGINE_INSIDE: True} == told(seen)


@pytest.mark.parametrize("state", [MuxState.WEDGED, MuxState.LIVE])
async def test_a_silent_socket_before_a_live_engine_is_a_wedged_mux(state: MuxState) -> None:
    """Also when `-O check` praises a master whose connection died in a sleep."""
    way = Way()
    way.forward.wedge()
    way.forward.master = Mux(state, 1224)

    seen = await way.look()

    assert [Reason.DOCKER_MUX_WEDGED] == [one.reason for one in seen.findings]
    assert "1224" == seen.findings[0].fingerprint
    assert {DOCKER_SOCKET: False, ENGINE_INSIDE: True} == told(seen)


@pytest.mark.parametrize("mux", [Mux(MuxState.DEAD), None])
async def test_without_a_live_master_a_silent_socket_is_a_dead_forward(mux: Mux | None) -> None:
    """No master, or none that we can see: nothing to end, something to forward anew."""
    way = Way()
    way.ping(SILENT)
    if mux is None:
        way.forward.faults["mux"] = CannotLook("ssh -O check", "not found")
    else:
        way.forward.master = mux

    assert [Reason.DOCKER_FORWARD_DEAD] == [one.reason for one in (await way.look()).findings]


async def test_a_refused_socket_of_a_live_master_is_forwarded_anew() -> None:
    """A master that lives and lost one forward is not ended for it."""
    way = Way()
    way.ping(REFUSED)

    assert [Reason.DOCKER_FORWARD_DEAD] == [one.reason for one in (await way.look()).findings]


async def test_a_failed_engine_is_down_and_nobodys_wish() -> None:
    """Dead on the Mac and in the VM: two groups witness it."""
    way = Way()
    way.engine_down(Unit("failed", "exit-code", 30.0))

    seen = await way.look()

    assert [Reason.DOCKER_ENGINE_DOWN] == [one.reason for one in seen.findings]
    assert seen.findings[0].human_ago is None
    assert {DOCKER_SOCKET: False, ENGINE_INSIDE: False} == told(seen)


@pytest.mark.parametrize(("since", "words"), [(30.0, "30 s ago"), (None, "since the VM's boot")])
@pytest.mark.parametrize("socket", ["active", "inactive"])
async def test_an_engine_that_was_stopped_in_order_is_a_hot_edit(
    since: float | None, words: str, socket: str
) -> None:
    """How long ago is told; one that has not run since the boot was stopped by nobody."""
    way = Way()
    way.engine_down(Unit("inactive", "success", since, socket=socket))

    (found,) = (await way.look()).findings

    assert (Reason.DOCKER_ENGINE_STOPPED, since) == (found.reason, found.human_ago)
    assert words in found.evidence


async def test_an_engine_asleep_is_judged_by_systemd_alone() -> None:
    """Neither docker.sock nor the master behind it is asked: both would start it."""
    way = Way()
    way.ping(NotAsked("docker.sock", "docker.service is inactive in the VM"))
    way.guest.inside = replace(WELL, engine_answers=False, docker=ASLEEP)

    seen = await way.look()

    assert [Reason.DOCKER_ENGINE_STOPPED] == [one.reason for one in seen.findings]
    assert {ENGINE_INSIDE: False} == told(seen)
    assert [] == way.forward.calls


async def test_an_engine_last_seen_asleep_in_a_silent_vm_is_silent_without_a_witness() -> None:
    """docker.sock stays unasked, so nobody witnesses against the engine."""
    way = Way()
    way.ping(NotAsked("docker.sock", "docker.service was inactive when the VM last answered"))
    way.guest.die()

    seen = await way.look()

    assert [Reason.DOCKER_SILENT] == [one.reason for one in seen.findings]
    assert () == seen.signs
    assert "was inactive" in seen.findings[0].evidence


async def test_an_engine_last_seen_asleep_without_a_way_to_ask_is_unknown() -> None:
    """Nothing is claimed then."""
    way = Way()
    way.ping(NotAsked("docker.sock", "docker.service was inactive when the VM last answered"))
    way.guest.faults["facts"] = CannotLook("ssh.config", "no such file")

    seen = await way.look()

    assert ((), ()) == (seen.findings, seen.signs)
    assert "was inactive" in seen.unknown


@pytest.mark.parametrize("active", ["activating", "deactivating"])
async def test_an_engine_that_systemd_is_at_work_on_is_waited_for(active: str) -> None:
    """A restart would be refused by its own last look again and again: it is not begun."""
    way = Way()
    way.engine_down(Unit(active, "success"))

    finding = (await way.look()).findings[0]

    assert (15.0, f"systemd: docker.service is {active}") == (finding.ripe_in, finding.waits_for)


async def test_an_engine_that_hangs_while_active_is_nobodys_wish() -> None:
    """A unit that is active and does not answer is ill."""
    way = Way()
    way.engine_down(Unit("active", "success"))

    assert (await way.look()).findings[0].human_ago is None


async def test_nobody_answers_is_silence() -> None:
    """Neither the Mac's end nor the VM: docker itself cannot be blamed."""
    way = Way()
    way.ping(SILENT)
    way.guest.die()

    seen = await way.look()

    assert [Reason.DOCKER_SILENT] == [one.reason for one in seen.findings]
    assert {DOCKER_SOCKET: False} == told(seen)


async def test_a_vm_that_cannot_be_asked_leaves_docker_unknown() -> None:
    """On a bare Mac there is no socket and no ssh.config: nothing is known, nothing is ill."""
    way = Way()
    way.ping(TargetIll("docker.sock", "no such file"))
    way.guest.faults["facts"] = CannotLook("ssh.config", "no such file")

    seen = await way.look()

    assert () == seen.findings
    assert "the VM was not asked" in seen.unknown


async def test_a_socket_that_cannot_be_asked_is_unknown() -> None:
    """No permission on the socket says nothing of Docker."""
    way = Way()
    way.ping(CannotLook("docker.sock", "permission denied"))

    seen = await way.look()

    assert ((), (), "docker.sock: permission denied") == (seen.findings, seen.signs, seen.unknown)


async def test_an_engine_that_refuses_us_lives() -> None:
    """Whoever refuses us has answered."""
    way = Way()
    way.ping(Denied("docker.sock /_ping", "403"))

    seen = await way.look()

    assert seen.well
    assert all(one.alive for one in seen.signs)


async def test_the_same_question_is_the_same_witness() -> None:
    """Two probes that ping one socket add one sign, not two."""
    way = Way()
    way.ping(TargetSilent("docker.sock /_ping", "no answer"))
    way.guest.die()

    assert (Sign(DOCKER_SOCKET, BY_MUX, alive=False),) == (await way.look()).signs

"""The door to docker.sock: when it is open, whom it asks, and what it believes for how long."""

from dataclasses import replace

import anyio
import pytest

from healer.model.machine import GuestFacts
from healer.ports import NotAsked, TargetIll
from healer.probes.door import HEARD, MOMENT, PATIENCE, EngineDoor
from healer.simulation.virtual_time import run_virtually
from tests.fakes.clock import FakeClock
from tests.fakes.faulty import HANG
from tests.fakes.guest import ASLEEP, WELL, FakeGuest

SILENT = TargetIll("ssh", "refused")


class SlowGuest:
    """A VM that needs a second for its answer."""

    def __init__(self, guest: FakeGuest) -> None:
        self.banner = guest.banner
        self._guest = guest

    async def facts(self) -> GuestFacts:
        """After a while."""
        await anyio.sleep(1.0)
        return await self._guest.facts()


class Stage:
    """A door before a VM."""

    def __init__(self) -> None:
        self.guest = FakeGuest()
        self.clock = FakeClock()
        self.door = EngineDoor(self.guest, self.clock)

    def stop(self) -> None:
        """`systemctl stop docker.service` in the VM."""
        self.guest.inside = replace(WELL, engine_answers=False, docker=ASLEEP)

    async def opens(self) -> bool:
        """Whether a look gets in."""
        try:
            await self.door.enter("docker.sock")
        except NotAsked:
            return False
        return True

    @property
    def asked(self) -> int:
        """How often the VM was."""
        return self.guest.calls.count("facts")


async def test_systemd_is_asked_before_the_first_connect() -> None:
    """A healer that has just begun knows nothing."""
    stage = Stage()
    stage.stop()

    assert (False, 1) == (await stage.opens(), stage.asked)


async def test_looks_of_one_moment_share_the_answer() -> None:
    """And the next moment asks anew."""
    stage = Stage()
    assert (True, True, 1) == (await stage.opens(), await stage.opens(), stage.asked)
    stage.stop()
    stage.clock.advance(MOMENT + 0.1)

    assert (False, 2) == (await stage.opens(), stage.asked)


async def test_while_docker_is_listened_to_its_state_is_believed_for_longer() -> None:
    """Its end, and each container's before it, is heard: what was known is void then."""
    stage = Stage()
    stage.door.listening(begins=True)
    assert await stage.opens()
    stage.stop()
    stage.clock.advance(HEARD - 1.0)
    assert (True, 1) == (await stage.opens(), stage.asked)

    stage.door.forget()
    stage.clock.advance(0.1)

    assert not await stage.opens()


async def test_the_end_of_a_stream_voids_what_was_known() -> None:
    """It may be dockerd's own."""
    stage = Stage()
    stage.door.listening(begins=True)
    assert await stage.opens()
    stage.stop()
    stage.clock.advance(0.1)
    stage.door.listening(begins=False)
    stage.clock.advance(0.1)

    assert not await stage.opens()


async def test_what_other_looks_are_told_the_door_knows() -> None:
    """A calm daemon pays no question of the door's own."""
    stage = Stage()
    await stage.door.facts()

    assert (True, 1) == (await stage.opens(), stage.asked)


async def test_asleep_is_asked_each_time_and_ends_at_once() -> None:
    """Somebody starts it again, and the next look gets in."""
    stage = Stage()
    stage.stop()
    assert not await stage.opens()
    stage.guest.inside = WELL

    assert (True, 2) == (await stage.opens(), stage.asked)


async def test_a_vm_that_cannot_be_asked_leaves_asleep_what_was_asleep() -> None:
    """Else the loss of ssh would undo a human's stop."""
    stage = Stage()
    stage.stop()
    assert not await stage.opens()
    stage.guest.faults["facts"] = SILENT
    stage.clock.advance(3600.0)

    with pytest.raises(NotAsked, match="was inactive when the VM last answered"):
        await stage.door.enter("docker.sock")


async def test_a_vm_that_never_answered_shuts_no_door() -> None:
    """docker.sock is a witness of its own; and one failure serves the looks of a moment."""
    stage = Stage()
    stage.guest.faults["facts"] = SILENT

    assert (True, True, 1) == (await stage.opens(), await stage.opens(), stage.asked)


def test_a_silent_vm_is_waited_for_only_a_while() -> None:
    """And all looks of that moment wait together."""

    async def play() -> float:
        stage = Stage()

        stage.guest.faults["facts"] = HANG
        began = anyio.current_time()
        async with anyio.create_task_group() as tasks:
            for _ in range(4):
                tasks.start_soon(stage.opens)
        return anyio.current_time() - began

    assert PATIENCE == run_virtually(play)


def test_a_look_waits_for_the_question_under_way() -> None:
    """The VM is asked once for both."""

    async def play() -> int:
        stage = Stage()
        stage.door = EngineDoor(SlowGuest(stage.guest), stage.clock)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(stage.door.facts)
            await anyio.sleep(0.5)
            tasks.start_soon(stage.opens)
        return stage.asked

    assert 1 == run_virtually(play)

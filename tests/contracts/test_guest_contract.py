"""The VM is asked by a fresh ssh and by one that lives on, with the same verdicts."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

import pytest

from healer.adapters.guest_script import Question
from healer.adapters.ssh import SshGuest
from healer.adapters.ssh_resident import ResidentGuest
from healer.ports import GuestEyes
from healer.simulation.virtual_time import run_virtually
from tests.contracts import guest_seen_contract as seen
from tests.contracts.guest_contract import CHECKS, Way
from tests.contracts.guest_worlds import DoorWorld, SimulatedVmWorld
from tests.unit.adapters.ssh_door import Door


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    """One sshd for all tests of this file: a start costs half a second."""
    one = Door(tmp_path_factory.mktemp("door"))
    yield one
    one.close()


@pytest.fixture
def door(shared: Door) -> Door:
    """The door with a healthy VM behind it."""
    shared.heal()
    return shared


@pytest.fixture(params=["fresh", "resident"])
async def way(request: pytest.FixtureRequest) -> AsyncIterator[Way]:
    """Both ways; what lives on is ended with its test."""
    made: list[ResidentGuest] = []

    def fresh(door: Door, port: int | None, question: Question) -> GuestEyes:
        return SshGuest(door.ssh(port), question)

    def resident(door: Door, port: int | None, question: Question) -> GuestEyes:
        made.append(ResidentGuest(door.ssh(port), question))
        return made[-1]

    yield fresh if request.param == "fresh" else resident
    for one in made:
        await one.close()


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
async def test_the_vm_is_asked_as_promised(
    way: Way, door: Door, check: Callable[[Way, Door], Awaitable[None]]
) -> None:
    """Each promise, each way."""
    await check(way, door)


@pytest.mark.parametrize("check", seen.CHECKS, ids=lambda check: check.__name__)
async def test_a_real_vm_is_seen_as_promised(way: Way, door: Door, check: seen.Check) -> None:
    """Each promise, each way, over a real sshd."""
    await check(DoorWorld(door, way))


@pytest.mark.parametrize("check", seen.CHECKS, ids=lambda check: check.__name__)
def test_a_simulated_vm_is_seen_as_promised(check: seen.Check) -> None:
    """The same promises, on virtual time."""
    run_virtually(lambda: check(SimulatedVmWorld()))

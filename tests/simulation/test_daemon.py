"""The daemon over the simulated tower: healthy for a day, rebooted, asleep, killed."""

from collections.abc import Callable
from pathlib import Path

import anyio
import pytest

from healer.adapters.journal import SqliteJournal
from healer.core.facts import (
    GaveUp,
    IncidentOpened,
    IncidentResolved,
    Reported,
    Resumed,
    State,
)
from healer.core.ladders import Remedy
from healer.core.reasons import Reason
from healer.core.tower import Layer
from healer.engine.bells import Bell
from healer.engine.daemon import Daemon
from healer.simulation.happenings import HAPPENINGS, mac_reboot
from healer.simulation.physics import Tower
from healer.wiring.simulated import simulated_outside
from tests.simulation.house import SimulatedHouse, live

HOUR = 3600.0


def nothing(tower: Tower) -> None:
    """Nothing befalls it, and nothing is left to be set."""
    del tower


def well(daemon: Daemon) -> bool:
    """Whether every layer is shown as well."""
    return set(daemon.world.states.values()) == {State.OK}


def test_a_healthy_tower_is_left_alone_for_hours() -> None:
    """I8: no act, no incident, whatever the hour."""

    async def hours(house: SimulatedHouse) -> None:
        daemon = await house.live(3 * HOUR)
        assert well(daemon)

    house = live(nothing, hours)

    assert [] == house.done
    assert [] == [one for one in house.decided if isinstance(one, IncidentOpened)]


def test_a_reboot_of_the_mac_is_healed_without_a_word() -> None:
    """Each act once, one incident, and every layer well within a quarter of an hour (I12)."""

    async def healed(house: SimulatedHouse) -> None:
        daemon = await house.live(900.0)
        assert well(daemon)

    house = live(mac_reboot, healed)

    assert Remedy.START_VM == house.done[0]
    assert len(house.done) == len(set(house.done))
    assert 1 == len([one for one in house.decided if isinstance(one, IncidentOpened)])
    assert 1 == len([one for one in house.decided if isinstance(one, IncidentResolved)])


@pytest.mark.parametrize("hours", [0.1, 8.0, 72.0])
def test_a_sleep_of_the_mac_causes_nothing(hours: float) -> None:
    """I16: sleep and wake alone bring no act, however long it slept."""

    async def slept(house: SimulatedHouse) -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(house.live, 600.0)
            await anyio.sleep(100.0)
            house.tower.sleep(hours * HOUR)

    assert [] == live(nothing, slept).done


def test_what_was_healed_stays_healed() -> None:
    """After a reboot was mended the engine is quiet (I12)."""

    async def hours(house: SimulatedHouse) -> None:
        await house.live(900.0)
        before = list(house.done)
        await house.live(3 * HOUR)
        assert before == house.done

    live(mac_reboot, hours)


@pytest.mark.parametrize("after", [1.0, 20.0, 45.0, 60.0, 90.0, 130.0, 170.0, 200.0])
def test_a_life_that_is_cut_off_is_finished_by_the_next(after: float, tmp_path: Path) -> None:
    """I10: whenever it is killed, the tower gets well, and nothing is done twice for nothing."""

    async def two_lives(house: SimulatedHouse) -> None:
        path = tmp_path / "journal.sqlite"
        clock = simulated_outside(house.tower).clock
        house.journal = first = SqliteJournal.open(path, clock)
        with anyio.move_on_after(after):
            await house.daemon().run()
        first.close()
        house.journal = second = SqliteJournal.open(path, clock)
        daemon = await house.live(1800.0)
        second.close()
        assert well(daemon)

    house = live(mac_reboot, two_lives)

    assert house.done.count(Remedy.START_VM) <= 1
    assert [] == [one for one in house.decided if isinstance(one, GaveUp)]


def test_a_second_outage_is_told_again() -> None:
    """An incident that was resolved does not swallow the next one (incidents.md, the ten tests)."""

    async def twice(house: SimulatedHouse) -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(house.live, 2 * HOUR)
            for _ in range(2):
                await anyio.sleep(1000.0)
                house.tower.box.kill_by_hand()

    house = live(nothing, twice)

    assert 2 == len([one for one in house.decided if isinstance(one, IncidentOpened)])
    assert 2 == len([one for one in house.decided if isinstance(one, IncidentResolved)])


def test_a_word_to_a_daemon_that_has_ended_is_left_to_the_journal() -> None:
    """It was written first: the next daemon reads it, and who said it is not told of an error."""

    async def ended(house: SimulatedHouse) -> None:
        daemon = await house.live(5.0)
        await daemon.tell(Resumed(None))

    house = live(lambda _: None, ended)

    assert 1 == house.lives


def _into(rung: list[Bell]) -> Callable[[Bell], None]:
    def ring(bell: Bell) -> None:
        rung.append(bell)

    return ring


def test_layers_are_woken_in_an_order_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """I17: sets have another order in each process, and a seed must tell the same run in all."""
    rung: list[Bell] = []
    # A function is bound to its bell, which a list's own method would not be.
    monkeypatch.setattr(Bell, "ring", _into(rung))

    async def woken(house: SimulatedHouse) -> None:
        daemon = house.daemon()
        daemon.wake([Layer.TALOS, Layer.DOCKER, Layer.PODS])
        first = list(rung)
        rung.clear()
        daemon.wake([Layer.PODS, Layer.TALOS, Layer.DOCKER])
        assert 3 == len(first)
        assert first == rung

    live(nothing, woken)


def test_a_boot_by_a_human_misses_no_container() -> None:
    """For six seconds of it docker answers on an empty folder, and knows of no container."""

    async def boots(house: SimulatedHouse) -> None:
        await house.live(60.0)
        HAPPENINGS["vm_stopped_by_human"].befall(house.tower)
        await house.live(60.0)
        HAPPENINGS["colima_start_by_human"].befall(house.tower)
        await house.live(600.0)

    house = live(nothing, boots)

    told = {one.reason for one in house.decided if isinstance(one, IncidentOpened | Reported)}
    assert Reason.TALOS_MISSING not in told


def test_an_hour_of_looks_starts_no_docker_that_was_stopped() -> None:
    """Neither probes nor remedies nor an event stream that is made anew; healer's act does."""

    async def stopped(house: SimulatedHouse) -> None:
        await house.live(60.0)
        HAPPENINGS["engine_stopped_by_human"].befall(house.tower)
        await house.live(590.0)
        assert not house.tower.dockerd.up
        await house.live(120.0)
        assert house.tower.dockerd.up

    house = live(nothing, stopped)

    assert () == house.tower.undone()
    assert Remedy.START_ENGINE == house.done[0]


def test_a_module_that_flannel_does_not_use_is_only_told() -> None:
    """Flannel of Talos 1.14 uses nftables: a missing br_netfilter stops nothing."""

    def renewed(tower: Tower) -> None:
        tower.cluster.flannel.nftables = True
        HAPPENINGS["module_gone"].befall(tower)

    async def looked(house: SimulatedHouse) -> None:
        assert well(await house.live(300.0))

    house = live(renewed, looked)

    told = {one.reason for one in house.decided if isinstance(one, IncidentOpened | Reported)}
    assert ([], {Reason.BR_NETFILTER_UNUSED}) == (house.done, told)

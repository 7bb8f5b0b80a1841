"""Signs, reasons and remedies fit the core's witness rules: the right act, on enough proof."""

from dataclasses import replace

import pytest

from healer.core.facts import Rule
from healer.core.ladders import Remedy
from healer.model.cluster import Condition
from healer.model.machine import Unit, VmStatus
from healer.ports import TargetIll
from healer.probes.talos import LONGEST_STOP
from tests.fakes.api import SERVER_TIME, node
from tests.fakes.engine import DOWN
from tests.fakes.forward import RESET, SILENT
from tests.fakes.guest import WELL
from tests.fakes.host import process
from tests.fakes.vm import AFTER_REBOOT, BROKEN, STOPPED
from tests.unit.remedies.lower_tower import LowerTower


@pytest.fixture
def tower() -> LowerTower:
    """All is well."""
    return LowerTower()


def done(tower: LowerTower) -> list[Remedy]:
    """What was done, in order."""
    return [act.remedy for act in tower.done]


async def test_a_well_tower_is_left_alone(tower: LowerTower) -> None:
    """Ten minutes of looks cause no act (I8)."""
    await tower.live(600)

    assert [] == tower.done


async def test_a_zombie_is_cycled_after_a_minute_of_silence(tower: LowerTower) -> None:
    """Ssh and docker.sock are two groups; a minute of both is enough, and less is not."""
    tower.die()

    await tower.live(60)
    assert [] == tower.done
    await tower.live(60)
    assert [Remedy.CYCLE_VM] == done(tower)


async def test_a_broken_vm_without_a_witness_is_forced(tower: LowerTower) -> None:
    """First what may be stale, then the power cut, each once."""
    tower.vm.agent, tower.vm.state = BROKEN, VmStatus.BROKEN
    tower.die()

    await tower.live(200)

    assert [Remedy.CLEAN_STALE_FILES, Remedy.FORCE_CYCLE_VM] == done(tower)
    assert ["force_stop", "start"] == tower.vm.acts


async def test_a_broken_vm_that_serves_is_never_forced(tower: LowerTower) -> None:
    """`Broken` is no proof of death: ssh and Docker answer (facts/colima.md §8)."""
    tower.vm.agent, tower.vm.state = BROKEN, VmStatus.BROKEN

    await tower.live(600)

    assert [] == tower.vm.acts
    assert not tower.refused


async def test_a_mac_that_crashed_is_brought_back_from_below(tower: LowerTower) -> None:
    """Stale files, VM, module, container, policy: each once, lowest first."""
    tower.vm.agent, tower.vm.state = AFTER_REBOOT, VmStatus.BROKEN
    tower.die()
    tower.guest.inside = replace(WELL, bridge_netfilter=False, persisted=False)
    tower.engine.box = replace(DOWN, restart_policy="no")

    await tower.live(300)

    assert [
        Remedy.CLEAN_STALE_FILES,
        Remedy.START_VM,
        Remedy.LOAD_MODULES,
        Remedy.START_CONTAINER,
        Remedy.SET_RESTART_POLICY,
    ] == done(tower)


async def test_a_humans_stop_is_respected_for_ten_minutes(tower: LowerTower) -> None:
    """A clean stop in this boot is somebody's wish."""
    stopped_at = tower.clock.wall()
    tower.vm.agent, tower.vm.state = replace(STOPPED, logged_at=stopped_at), VmStatus.STOPPED
    tower.die()

    await tower.live(300)
    tower.clock.set_wall(3600.0)
    await tower.live(290)

    assert [] == tower.done
    assert Rule.HUMAN_STOPPED in tower.refused
    await tower.live(20)
    assert [Remedy.START_VM] == [one.remedy for one in tower.done[:1]]


async def test_somebody_elses_start_is_waited_for(tower: LowerTower) -> None:
    """While another `colima start` runs, nothing is touched."""
    tower.vm.agent, tower.vm.state = replace(AFTER_REBOOT, pid=None), VmStatus.STOPPED
    tower.die()
    tower.host.table = [process(20, "/opt/homebrew/bin/colima start")]

    await tower.live(300)

    assert [] == tower.done
    assert Rule.YIELDING in tower.refused


async def test_a_lost_forward_is_made_anew(tower: LowerTower) -> None:
    """The gentle remedy, and no more than that."""
    tower.forward.die()

    await tower.live(200)

    assert [Remedy.REFORWARD] == done(tower)


async def test_a_wedged_master_is_ended_after_a_minute(tower: LowerTower) -> None:
    """The mux's silence and the VM's word for its engine are two groups."""
    tower.forward.wedge()

    await tower.live(58)
    assert [] == tower.done
    await tower.live(60)
    assert [Remedy.TERM_MUX] == done(tower)


async def test_a_failed_engine_is_restarted(tower: LowerTower) -> None:
    """Dead on the Mac and dead in the VM are two groups."""
    tower.engine.faults.update(ping=RESET, container=RESET)
    tower.api.fail(TargetIll("API", "refused"))
    down = Unit("failed", "exit-code", 5.0)
    tower.guest.inside = replace(WELL, engine_answers=False, api_answers=False, docker=down)

    await tower.live(60)

    assert [Remedy.RESTART_ENGINE] == done(tower)


async def test_a_stuck_shutdown_is_restarted_once(tower: LowerTower) -> None:
    """The node's condition and the VM's docker are two groups."""
    turned = SERVER_TIME - 20.0 - LONGEST_STOP
    going = Condition(
        "Ready", "False", "KubeletNotReady", "node is shutting down", SERVER_TIME - 20.0, turned
    )
    tower.api.nodes = (node(going),)

    await tower.live(100)

    assert [Remedy.RESTART_CONTAINER] == done(tower)


async def test_a_silent_api_is_restarted_only_when_the_vm_agrees(tower: LowerTower) -> None:
    """Silent through the port, but alive by the VM's word: no restart; silent in both: one."""
    tower.api.fail(SILENT)
    await tower.live(200)
    assert [] == tower.done

    tower.guest.inside = replace(WELL, api_answers=False)
    await tower.live(120)
    assert Remedy.RESTART_CONTAINER in done(tower)

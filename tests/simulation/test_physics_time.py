"""Two clocks, sleep, jumps and what is queued."""

from functools import partial

from healer.simulation.clockwork import EPOCH
from healer.simulation.mac_ports import SimulatedHost
from healer.simulation.virtual_time import run_virtually
from tests.simulation.stage import Stage


def test_what_is_due_happens_in_its_order_at_its_time() -> None:
    """Whenever somebody looks next; what is due at one time keeps the order of its asking."""
    stage, seen = Stage(), list[tuple[str, float]]()
    clock = stage.tower.clock

    def happens(name: str) -> None:
        seen.append((name, clock.at))

    for name, seconds in (("late", 5.0), ("first", 1.0), ("second", 1.0)):
        clock.after(seconds, partial(happens, name))
    stage.wait(60.0)

    assert [("first", 1.0), ("second", 1.0), ("late", 5.0)] == seen


def test_nothing_goes_on_while_the_mac_sleeps() -> None:
    """The VM sleeps with it: a boot of 23 s takes 23 s awake."""
    stage = Stage().befall("vm_power_cut")
    stage.tower.machine.power_on()
    stage.wait(3.0).befall("mac_sleeps", seconds=3600.0)

    assert not stage.tower.machine.ssh
    assert (3603.0, 3.0) == (stage.tower.now(), stage.tower.clock.awake())
    assert stage.wait(7.0).tower.machine.ssh


def test_after_a_sleep_the_vm_is_behind_until_lima_pushes_the_time() -> None:
    """Lima 2.1 and newer: within ten seconds (colima.md §5)."""
    stage = Stage().befall("mac_sleeps", seconds=3600.0)

    assert 3600.0 == stage.tower.machine.clock_behind
    assert 0.0 == stage.wait(11.0).tower.machine.clock_behind


def test_a_heartbeat_grows_as_old_as_the_night() -> None:
    """The kubelet's five minutes are minutes awake."""
    stage = Stage().wait(100.0)
    beat = stage.tower.cluster.node.heartbeat()
    stage.befall("mac_sleeps", seconds=28_800.0)

    assert beat == stage.tower.cluster.node.heartbeat()
    stage.wait(300.0)
    assert stage.tower.now() - stage.tower.cluster.node.heartbeat() < 300.0


def test_a_jump_of_the_wall_moves_no_stamp_that_was_written() -> None:
    """What was written keeps its time, so ages jump with the clock."""
    stage = Stage().wait(10.0)
    started = stage.tower.clock.wall(stage.pod("redis").started_at)
    stage.befall("clock_jumps", seconds=3600.0)

    assert started == stage.tower.clock.wall(stage.pod("redis").started_at)
    assert EPOCH + 3610.0 == stage.tower.clock.wall()
    assert EPOCH + 5.0 == stage.tower.clock.wall(5.0)
    assert 10.0 == stage.tower.now()


def test_a_jump_of_the_wall_moves_the_boot_and_ages_processes() -> None:
    """As on a Mac, which notes a start by the wall clock and moves its boot's time with it."""
    stage = Stage().wait(10.0)
    host = SimulatedHost(stage.tower)
    booted = host.boot_time()
    stage.befall("clock_jumps", seconds=3600.0)
    processes = run_virtually(host.processes)

    assert booted + 3600.0 == host.boot_time()
    assert 7210.0 == next(one.age for one in processes if "hostagent" in one.command)


def test_a_jump_of_the_wall_ages_what_docker_tells_once_the_vm_follows() -> None:
    """Within ten seconds, when Lima has pushed the Mac's time."""
    stage = Stage().wait(10.0).befall("clock_jumps", seconds=3600.0)
    machine = stage.tower.machine

    assert 10.0 == machine.ago(0.0)
    stage.wait(11.0)
    assert 3621.0 == machine.ago(0.0)
    assert machine.ago(None) is None


def test_old_reads_are_old_and_end() -> None:
    """The API answers from a cache for a while."""
    stage = Stage().befall("stale_reads", seconds=30.0).befall("taint_put_back")
    old = stage.tower.old_lists

    assert stage.tower.troubles.stale
    assert old is not None
    assert () == old.node[0].taints
    assert not stage.wait(31.0).tower.troubles.stale
    assert 1 == len(stage.tower.objects.node()[0].taints)

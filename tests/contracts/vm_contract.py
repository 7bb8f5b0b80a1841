"""What ports.VmEyes promises of Colima's files and its list, real or simulated."""

from collections.abc import Awaitable, Callable
from typing import Final, Protocol

from healer.model.machine import Ending, Hostagent, VmStatus
from healer.ports import VmEyes


class World(Protocol):
    """A Mac on which a VM was made, and which is then brought into one state."""

    @property
    def eyes(self) -> VmEyes:
        """What is under test."""
        ...

    @property
    def believes_old_pid_files(self) -> bool:
        """Whether this Lima takes a stranger's process for the hostagent of an earlier boot."""
        ...

    async def run(self) -> None:
        """The VM runs, and its boot is over."""
        ...

    async def stop_cleanly(self) -> None:
        """It ran in this boot, and was stopped."""
        ...

    async def crash(self) -> None:
        """It ran in this boot, and was killed: its files are left behind."""
        ...

    async def lose_the_driver(self) -> None:
        """It ran in this boot, and its driver died alone."""
        ...

    async def reboot_with_reused_pids(self) -> None:
        """The Mac has rebooted, and ha.pid names a stranger's process."""
        ...

    async def unmake(self) -> None:
        """There is no VM."""
        ...


Check = Callable[[World], Awaitable[None]]


def life(agent: Hostagent) -> tuple[bool, bool, bool]:
    """Whether its process lives, is ours, and answers."""
    return agent.pid_alive, agent.pid_is_ours, agent.answers


async def a_running_vm_answers_on_its_socket(world: World) -> None:
    """With the one true ssh port."""
    await world.run()
    agent = await world.eyes.hostagent()
    assert (True, True, True) == life(agent)
    assert (True, True) == (agent.created, agent.ready)
    assert agent.pid
    assert agent.ssh_port
    assert VmStatus.RUNNING is await world.eyes.status()


async def a_clean_stop_leaves_nothing_but_its_time(world: World) -> None:
    """So that a human's stop is known as one (design §10)."""
    await world.stop_cleanly()
    agent = await world.eyes.hostagent()
    assert (False, False, False) == life(agent)
    assert (True, None, None, ()) == (agent.created, agent.pid, agent.ssh_port, agent.leftovers)
    assert agent.logged_at is not None
    assert Ending.TOLD is agent.ending
    assert VmStatus.STOPPED is await world.eyes.status()


async def a_crash_leaves_its_files(world: World) -> None:
    """Pid files and sockets, which are not older than the boot (facts/colima.md §2)."""
    await world.crash()
    agent = await world.eyes.hostagent()
    assert (False, False, False) == life(agent)
    assert {"ha.pid", "ha.sock", "docker.sock"} <= set(agent.leftovers)
    assert not agent.pid_file_stale
    assert Ending.UNKNOWN is agent.ending
    assert VmStatus.STOPPED is await world.eyes.status()


async def a_dead_driver_leaves_nothing_but_a_word(world: World) -> None:
    """The hostagent outlives it and cleans up: only its log tells a crash from a stop."""
    await world.lose_the_driver()
    agent = await world.eyes.hostagent()
    assert (False, False, False) == life(agent)
    assert () == agent.leftovers
    assert Ending.CRASHED is agent.ending
    assert VmStatus.STOPPED is await world.eyes.status()


async def a_strangers_pid_is_seen_through(world: World) -> None:
    """It lives, is not ours, and its file is older than the boot (§2)."""
    await world.reboot_with_reused_pids()
    agent = await world.eyes.hostagent()
    assert (True, False, False) == life(agent)
    assert agent.pid_file_stale
    expected = VmStatus.BROKEN if world.believes_old_pid_files else VmStatus.STOPPED
    assert expected is await world.eyes.status()


async def a_vm_that_was_never_made_is_missing(world: World) -> None:
    """And healer never makes one."""
    await world.unmake()
    assert not (await world.eyes.hostagent()).created
    assert VmStatus.MISSING is await world.eyes.status()


CHECKS: Final[tuple[Check, ...]] = (
    a_running_vm_answers_on_its_socket,
    a_clean_stop_leaves_nothing_but_its_time,
    a_crash_leaves_its_files,
    a_dead_driver_leaves_nothing_but_a_word,
    a_strangers_pid_is_seen_through,
    a_vm_that_was_never_made_is_missing,
)

"""Colima as ports: its files, its list, its start and its stop."""

import anyio

from healer.core.facts import Act
from healer.core.ladders import LADDERS
from healer.core.reasons import Reason
from healer.model.machine import Ending, Forwarder, Hostagent, VmStatus
from healer.ports import ActFailed, CannotLook, Children
from healer.simulation.answering import answer, get_in
from healer.simulation.mac import Operation
from healer.simulation.machine import (
    CLEAN_STOP_TAKES,
    FORCE_STOP_TAKES,
    START_DONE_AFTER,
)
from healer.simulation.physics import Tower

STOP_PATIENCE = 150.0
"""After so long a stop that hangs is given up, and left running (facts/colima.md §6)."""


class SimulatedVm:
    """Colima's files, hostagent and `colima list`."""

    def __init__(self, tower: Tower) -> None:
        self._tower = tower

    async def hostagent(self) -> Hostagent:
        """What the instance folder says."""
        await answer(self._tower, "ha.sock", 0.01, 3.0)
        machine, clock = self._tower.machine, self._tower.clock
        lives = machine.hostagent
        strangers = machine.leftovers_stale and machine.listed is VmStatus.BROKEN
        left = lives or "ha.pid" in machine.leftovers
        return Hostagent(
            created=machine.created,
            pid=machine.pid if left else None,
            pid_alive=lives or strangers,
            pid_is_ours=lives,
            pid_file_stale=left and machine.leftovers_stale,
            answers=machine.answers,
            ssh_port=machine.ssh_port if machine.answers else None,
            driver_alive=None if machine.answers else machine.on,
            ready=machine.ready,
            leftovers=machine.leftovers,
            disk_locked_by="colima" if machine.disk_locked and not machine.on else "",
            logged_at=clock.wall(machine.logged_at),
            ending=Ending.UNKNOWN if lives else machine.ending,
        )

    async def status(self) -> VmStatus:
        """`colima list --json` takes a moment."""
        await answer(self._tower, "colima list --json", 0.3, 15.0)
        machine = self._tower.machine
        machine.be_listed()
        return machine.listed if machine.created else VmStatus.MISSING

    async def usernet(self) -> None:
        """By its own socket, which is there while a VM runs."""
        await answer(self._tower, "usernet", 0.01, 3.0)
        machine = self._tower.machine
        if not machine.on:
            raise CannotLook("user-v2_ep.sock", "No such file or directory")
        await get_in(self._tower, machine.usernet, "user-v2_ep.sock", 3.0)

    def forwarder(self) -> Forwarder:
        """The owner's profile says grpc (facts/incidents.md §2)."""
        return self._tower.forwards.kind


class SimulatedVmHands:
    """Start and stop of the VM, as long as they take.

    What was begun goes on when nobody waits for it any more: each runs in a session of its own
    (design §10, "One pass"). With `children` its process is told of, and seen in the list.
    """

    def __init__(self, tower: Tower, children: Children | None = None) -> None:
        self._tower = tower
        self._children = children

    def _spawn(self, act: Act, command: str, takes: float) -> None:
        if self._children is None:
            return
        tower = self._tower
        operation = tower.mac.begin(command)
        self._children.spawned(act, operation.pid, tower.clock.wall(operation.began))
        tower.clock.after(takes, lambda: self._over(operation))

    def _over(self, operation: Operation) -> None:
        self._tower.mac.end(operation)

    async def start(self, act: Act) -> str:
        """`colima start`: a no-op on a running VM, an error on a broken one."""
        tower, machine = self._tower, self._tower.machine
        tower.now()
        if not machine.created:
            raise ActFailed("colima start", "lima.yaml is not there: the first start is a human's")
        if machine.listed is VmStatus.RUNNING:
            self._spawn(act, "colima start", 0.4)
            await anyio.sleep(0.4)
            return "already running, ignoring"
        refusal = machine.refusal()
        if refusal:
            self._spawn(act, "colima start", 1.0)
            await anyio.sleep(1.0)
            tower.now()
            raise ActFailed("colima start", f"exit 1: {refusal}")
        self._spawn(act, "colima start", START_DONE_AFTER)
        self._judge_start()
        machine.power_on()
        tower.changed()
        await anyio.sleep(START_DONE_AFTER)
        return self._ended("start", VmStatus.RUNNING)

    def _ended(self, verb: str, wanted: VmStatus) -> str:
        """`list` decides, whatever the command's exit code is (facts/colima.md §1.5, §1.6)."""
        self._tower.now()
        listed = self._tower.machine.listed
        if listed is not wanted:
            raise ActFailed(f"colima {verb}", f"exit 1, list says {listed}")
        return f"colima {verb} ended, list says {listed}"

    async def stop(self, act: Act) -> str:
        """`colima stop`; on a hung guest it hangs, for ever (facts/colima.md §1.6)."""
        tower, machine = self._tower, self._tower.machine
        tower.now()
        if machine.on and not machine.begin_stop():
            self._spawn(act, "colima stop", 10 * STOP_PATIENCE)
            await anyio.sleep(STOP_PATIENCE)
            tower.now()
            raise ActFailed("colima stop", "it ran over, list says Running")
        self._judge("stopped")
        self._spawn(act, "colima stop", CLEAN_STOP_TAKES)
        await anyio.sleep(CLEAN_STOP_TAKES + 0.1)
        return self._ended("stop", VmStatus.STOPPED)

    async def force_stop(self, act: Act) -> str:
        """`colima stop --force`; it SIGKILLs whomever ha.pid names (§2)."""
        del act
        await anyio.sleep(FORCE_STOP_TAKES)
        tower = self._tower
        tower.now()
        self._judge("cut off")
        if tower.machine.leftovers_stale:
            raise ActFailed("colima stop --force", "ha.pid names a stranger")
        tower.machine.force_stop()
        tower.mac.end_all("colima stop")
        tower.changed()
        return "list says Stopped"

    def _judge_start(self) -> None:
        """A VM that a human stopped a moment ago must stay so (I15), whatever a clock says."""
        tower, patience = self._tower, LADDERS[Reason.COLIMA_STOPPED].patience
        stopped = tower.human.stopped_vm_at
        if stopped is not None and tower.clock.at - stopped < patience:
            ago = tower.clock.at - stopped
            tower.wrong(f"the VM was started {ago:.0f} s after somebody had stopped it")

    def _judge(self, how: str) -> None:
        """A VM that serves must not be taken down (I6)."""
        machine, cluster = self._tower.machine, self._tower.cluster
        if machine.alive and machine.dockerd.up and cluster.api.up:
            self._tower.wrong(f"the VM was {how} while all in it lived")

    async def remove_stale_files(self) -> str:
        """What is older than the boot belongs to nobody."""
        await anyio.sleep(0.05)
        self._tower.now()
        if not self._tower.machine.leftovers_stale:
            return "nothing is proven stale"
        removed = self._tower.machine.clean_stale()
        self._tower.changed()
        return f"removed {', '.join(removed)}"

"""Rows of the tower's table on the real lab that `test_once` does not play: acts and refusals."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.lab.kubernetes.node import eventually
from tests.lab.tower.agreeing import agree

if TYPE_CHECKING:
    from tests.lab.tower.tower import Ran, Tower

pytestmark = [pytest.mark.lab, pytest.mark.kubernetes, pytest.mark.timeout(1200)]

VM_ACTS = {"start_vm", "cycle_vm", "force_cycle_vm"}


def rules(ran: Ran) -> set[str]:
    """Every rule by which something was refused."""
    return {one["rule"] for one in ran.document["refused"]}


def reasons(ran: Ran) -> set[str]:
    """Everything that made a layer ill."""
    return {one["reason"] for one in ran.document["ill"]}


def test_a_wedged_mux_is_ended_and_forwarded_anew(tower: Tower) -> None:
    """The master lives and passes nothing on: that one process is ended, and no VM act is."""
    tower.mac.stop_mux()
    ran = tower.heal()

    assert 0 == ran.code, ran.out + ran.err
    assert "term_mux" == ran.remedies[0]
    agree(ran.remedies, "mux_wedged")
    assert [] == [call for call in tower.mac.calls if {"start", "stop"} & set(call.argv)]


def test_a_dead_engine_is_restarted_in_the_vm(tower: Tower) -> None:
    """Its unit failed, ssh answers: docker is restarted there, and the container comes back."""
    tower.mac.kill_engine()
    ran = tower.heal()

    assert 0 == ran.code, ran.out + ran.err
    assert "restart_engine" == ran.remedies[0]
    assert not VM_ACTS & set(ran.remedies)
    agree(ran.remedies, "engine_dies")


def test_an_engine_that_somebody_stopped_is_left_to_them(tower: Tower) -> None:
    """`inactive` with success is somebody's hot edit: announced, and answered much later."""
    tower.mac.stop_engine()
    ran = tower.healer("--once", "--json", "--deadline", "75s")
    tower.mac.start_engine()

    assert 1 == ran.code, ran.out + ran.err
    assert [] == ran.remedies
    assert "human_stopped" in rules(ran)


def test_a_node_stuck_in_its_shutdown_is_restarted(tower: Tower) -> None:
    """The node says so and its heartbeat advances: the container is restarted, once."""
    tower.faults.stick_in_shutdown()
    ran = tower.heal()

    assert 0 == ran.code, ran.out + ran.err
    assert 1 == ran.remedies.count("restart_container")
    assert not VM_ACTS & set(ran.remedies)
    agree(ran.remedies, "talos_shutting_down")


def test_a_silent_api_beside_living_workloads_is_only_reported(tower: Tower) -> None:
    """A workload's port answers: Talos is not restarted for the API alone (design §10)."""
    tower.faults.hold("kube-apiserver")
    ran = tower.healer("--once", "--json", "--deadline", "90s")
    tower.faults.release("kube-apiserver")

    assert ran.code in {1, 3}, ran.out + ran.err
    assert "restart_container" not in ran.remedies
    assert not VM_ACTS & set(ran.remedies)
    eventually("the API server is back", tower.node.api_ready)


def test_a_locked_disk_is_reported_and_no_start_is_hammered(tower: Tower) -> None:
    """Somebody's lock on the VM's disk: the exact command is advised, nothing is forced."""
    tower.mac.kill_everything()
    tower.mac.lock_disk()
    ran = tower.healer("--once", "--json", "--deadline", "60s")
    tower.mac.layout.in_use_by.unlink()

    assert ran.code in {1, 4}, ran.out + ran.err
    assert not {"cycle_vm", "force_cycle_vm"} & set(ran.remedies)
    assert "disk_locked" in reasons(ran) | {one["reason"] for one in ran.document["advice"]}


def test_a_frozen_guest_is_stopped_and_started(tower: Tower) -> None:
    """Running, and every witness dead for a minute: stop and start, then what follows from it.

    Colima's main waits some seconds for such a guest; 0.10.3 waits until healer's own cap.
    """
    tower.mac.pretend(colima_version="main")
    tower.mac.freeze_guest()
    ran = tower.healer("--once", "--json", deadline=900.0)

    assert ran.remedies, ran.out + ran.err
    assert ran.remedies[0] in {"cycle_vm", "force_cycle_vm"}
    assert ran.remedies.count("cycle_vm") <= 1
    assert 0 == ran.code, ran.out + ran.err

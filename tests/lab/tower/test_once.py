"""`healer --once` on a real tower: real sshd and mux, real dockerd, real Kubernetes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.lab.kubernetes.node import NAME, eventually

if TYPE_CHECKING:
    from tests.lab.tower.tower import Tower

pytestmark = [pytest.mark.lab, pytest.mark.kubernetes, pytest.mark.timeout(1200)]

REBOOT = {
    "start_vm",
    "load_modules",
    "start_container",
    "set_restart_policy",
    "untaint",
    "patch_livekit",
}


def break_as_a_reboot_does(tower: Tower) -> None:
    """All of it at once: VM off, container without policy, module, taint, probes."""
    tower.mac.docker(["update", "--restart", "no", NAME])
    tower.faults.reset_livekit()
    for file in (tower.mac.layout.disk / "modules-load.d").iterdir():
        file.unlink()
    tower.mac.reboot()


def test_a_healthy_tower_is_left_as_it_is(tower: Tower) -> None:
    """One look, nothing done, nothing changed, exit 0."""
    before = tower.fingerprint()
    ran = tower.heal()

    assert (0, []) == (ran.code, ran.document["acts"]), ran.out + ran.err
    after = tower.fingerprint()
    assert before["objects"] == after["objects"]
    assert before["pods"] == after["pods"]
    assert [] == tower.mac.calls


def test_mac_reboot_is_healed_in_one_pass(tower: Tower) -> None:
    """Each act once and in order, no pod deleted before the CNI works, and a second run idle."""
    break_as_a_reboot_does(tower)
    rehearsed = tower.healer("--once", "--dry-run", "--json")
    calls_of_rehearsal = [call.argv for call in tower.mac.calls if "list" not in call.argv]
    ran = tower.heal()

    assert [] == calls_of_rehearsal
    assert ["start_vm"] == rehearsed.remedies
    assert 0 == ran.code, ran.out + ran.err
    assert len(ran.remedies) == len(set(ran.remedies))
    assert set(ran.remedies) - {"delete_flannel_pod"} == REBOOT
    order = ran.remedies
    assert order[0] == "start_vm"
    assert order.index("start_container") < order.index("untaint")
    if "delete_flannel_pod" in order:
        assert order.index("load_modules") < order.index("delete_flannel_pod")
    done = [one for one in ran.document["acts"] if one["outcome"] != "not_needed"]
    assert [] == [one for one in done if not one["verified"]]
    again = tower.heal()
    assert (0, []) == (again.code, again.document["acts"]), again.out + again.err


def test_killed_mux_is_forwarded_anew(tower: Tower) -> None:
    """The true split brain: docker.sock and every port dead, the VM fine, no VM act."""
    tower.mac.kill_mux()
    ran = tower.heal()

    assert (0, ["reforward"]) == (ran.code, ran.remedies), ran.out + ran.err
    assert [] == [call for call in tower.mac.calls if {"start", "stop"} & set(call.argv)]


def test_killed_container_is_started(tower: Tower) -> None:
    """A `docker kill` is no `docker stop`: nobody meant it to stay down, so none is waited for."""
    tower.mac.docker(["kill", NAME])
    ran = tower.heal()

    assert 0 == ran.code, ran.out + ran.err
    assert "start_container" in ran.remedies


def test_taint_put_back_is_removed_and_no_other(tower: Tower) -> None:
    """Exactly one taint goes; a foreign one stays."""
    tower.faults.taint()
    tower.faults.taint("example.org/mine", "PreferNoSchedule")
    ran = tower.heal()
    left = [one["key"] for one in tower.node.taints()]
    tower.node.kubectl("taint", "node", NAME, "example.org/mine-")

    assert (0, ["untaint"]) == (ran.code, ran.remedies), ran.out + ran.err
    assert ["example.org/mine"] == left


def test_cordon_of_a_human_is_left_and_reported(tower: Tower) -> None:
    """I15: never undone, exit 0, one line of advice; the taint that Talos then adds may go.

    A cordon changes the node, at which Talos looks at its taints (talos-kubernetes.md §2).
    """
    tower.faults.cordon_as_human()
    ran = tower.heal()

    assert 0 == ran.code, ran.out + ran.err
    assert set(ran.remedies) <= {"untaint"}
    assert "cordoned_by_human" in [one["reason"] for one in ran.document["advice"]]
    assert tower.node.node_object()["spec"]["unschedulable"]


def past(tower: Tower) -> list[dict[str, Any]]:
    """Every line of the journal."""
    found: list[dict[str, Any]] = tower.healer("history", "--json").document["entries"]
    return found


def test_cordon_of_a_human_outlives_a_stop_of_the_container(tower: Tower) -> None:
    """I15: Talos marks no cordon but its own, so healer never takes this one for a leftover."""
    tower.faults.cordon_as_human()
    tower.mac.docker(["stop", "--time", "120", NAME], deadline=150)
    ran = tower.heal()

    assert "uncordon" not in ran.remedies, ran.out + ran.err
    assert "cordoned_by_human" in [one["reason"] for one in ran.document["advice"]]
    assert tower.node.node_object()["spec"]["unschedulable"]


def test_a_kill_without_module_and_policy_is_one_incident(tower: Tower) -> None:
    """Two roots of one event: the container and the module are brought back, and told of once."""
    before = [one for one in past(tower) if one["kind"] == "IncidentOpened"]
    tower.mac.docker(["update", "--restart", "no", NAME])
    tower.mac.guest(["rm", "-f", "/etc/modules-load.d/healer.conf"])
    tower.mac.drop_module()
    tower.mac.docker(["kill", NAME])
    ran = tower.heal()

    assert 0 == ran.code, ran.out + ran.err
    assert {"start_container", "load_modules", "set_restart_policy"} <= set(ran.remedies)
    opened = [one for one in past(tower) if one["kind"] == "IncidentOpened"]
    assert len(before) + 1 == len(opened), opened


def test_missing_module_is_loaded_and_kept(tower: Tower) -> None:
    """The kernel's remedy, and its proof over a reboot: the file is there."""
    tower.mac.guest(["rm", "-f", "/etc/modules-load.d/healer.conf"])
    tower.mac.drop_module()
    ran = tower.heal()

    assert 0 == ran.code, ran.out + ran.err
    assert "load_modules" == ran.remedies[0]
    assert (tower.mac.layout.disk / "modules-load.d" / "healer.conf").exists()


def test_a_humans_workloads_are_left_alone(tower: Tower) -> None:
    """Scaled to zero, a bad tag, a bare pod, a finalizer: reported at most, never touched."""
    tower.faults.scale("typesense", 0)
    tower.faults.bad_image()
    tower.faults.bare_pod()
    tower.faults.finalizer_pod()
    before = sorted(one["metadata"]["uid"] for one in tower.node.pods("default"))
    ran = tower.heal()
    after = sorted(one["metadata"]["uid"] for one in tower.node.pods("default"))
    tower.faults.scale("typesense", 1)

    assert (0, []) == (ran.code, ran.remedies), ran.out + ran.err
    assert before == after


def test_somebody_elses_start_is_waited_for(tower: Tower) -> None:
    """While a `colima start` that is not ours runs, nothing is done and it is named."""
    tower.mac.kill_everything()
    tower.mac.pretend(engine_gap=8.0)
    theirs = tower.mac.begin("colima", "start")
    ran = tower.healer("--once", "--json", "--deadline", "5m")
    theirs.wait(timeout=120)

    assert "yielding" in {one["rule"] for one in ran.document["refused"]} or ran.code == 0
    assert "start_vm" not in ran.remedies
    assert 0 == ran.code, ran.out + ran.err


def test_broken_vm_that_still_serves_is_never_stopped(tower: Tower) -> None:
    """ha.sock mute and `Broken`, while ssh, docker and the API answer: report, no force-stop."""
    (tower.mac.layout.instance / "ha.sock").rename(tower.mac.layout.instance / "ha.away")
    ran = tower.healer("--once", "--json", "--deadline", "60s")
    (tower.mac.layout.instance / "ha.away").rename(tower.mac.layout.instance / "ha.sock")

    assert "force_cycle_vm" not in ran.remedies
    assert [] == [call for call in tower.mac.calls if "stop" in call.argv]
    eventually("the API still answers", tower.node.api_ready)


def test_secret_of_the_container_never_shows(tower: Tower) -> None:
    """USERDATA holds CA keys: not on any stream, not in the journal."""
    from tests.lab.kubernetes.machineconfig import SECRET_MARKER  # noqa: PLC0415  (only this test)

    ran = tower.healer("--once", "--dry-run", "--json")
    shown = ran.out + ran.err
    state = tower.mac.home / ".local" / "state" / "healer"
    kept = b"".join(path.read_bytes() for path in state.rglob("*") if path.is_file())

    assert SECRET_MARKER not in shown
    assert SECRET_MARKER.encode() not in kept
    assert "USERDATA" not in shown

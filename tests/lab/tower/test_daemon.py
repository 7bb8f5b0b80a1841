"""The daemon on a real tower: each fault is seen, healed without a word, and proved."""

from __future__ import annotations

import signal
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.lab.kubernetes.node import NAME, eventually
from tests.lab.tower.agreeing import agree, simulated
from tests.lab.tower.living import LivingDaemon

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.lab.tower.tower import Tower

FROZEN_FOR = 20.0
"""Seconds: longer than every deadline of a look, shorter than any witness of death needs."""

pytestmark = [pytest.mark.lab, pytest.mark.kubernetes, pytest.mark.timeout(1200)]


@pytest.fixture
def daemon(tower: Tower) -> Iterator[LivingDaemon]:
    """A daemon over a healthy tower."""
    living = LivingDaemon(tower)
    try:
        yield living.start()
    finally:
        if living.process is not None and living.process.poll() is None:
            living.end(signal.SIGKILL)


def after(daemon: LivingDaemon, fault: Callable[[], object]) -> list[str]:
    """What it did about a fault, once everything is well again."""
    since = time.time()
    fault()
    daemon.healed(since)
    return daemon.acts(since)


def test_faults_are_healed_one_after_the_other(daemon: LivingDaemon) -> None:
    """A killed container, a taint, the module, the mux, LiveKit, flannel: each by its remedy.

    And each as in healer's own simulation, so that what is explored there tells of this.
    """
    tower = daemon.tower

    acts = after(daemon, tower.faults.taint)
    assert ["untaint"] == acts
    agree(acts, "taint_put_back")

    def module() -> None:
        tower.mac.guest(["rm", "-f", "/etc/modules-load.d/healer.conf"])
        tower.mac.drop_module()

    agree(after(daemon, module), "module_gone")
    acts = after(daemon, tower.mac.kill_mux)
    assert ["reforward"] == acts
    agree(acts, "mux_killed")
    acts = after(daemon, lambda: tower.mac.docker(["kill", NAME]))
    assert "start_container" == acts[0]
    assert set(acts) <= {"start_container", "untaint", "delete_flannel_pod"}
    agree(acts, "docker_kill")
    agree(after(daemon, tower.faults.reset_livekit), "livekit_probes_reset")
    agree(after(daemon, tower.faults.cordon_as_talos), "cordon_by_talos")
    assert ["delete_flannel_pod"] == after(daemon, daemon.crash_flannel)
    assert ["delete_flannel_pod"] == simulated("flannel_crashes")
    assert [] == [call for call in tower.mac.calls if {"start", "stop"} & set(call.argv)]
    assert 0 == daemon.end()


def test_a_power_cut_of_the_vm_is_healed(daemon: LivingDaemon) -> None:
    """The VM is started once, and everything above it comes back in its order."""
    acts = after(daemon, daemon.tower.mac.cut_power)

    assert "start_vm" == acts[0]
    assert 1 == acts.count("start_vm")
    assert "cycle_vm" not in acts
    agree(acts, "vm_power_cut")


def test_a_crash_of_the_vm_is_no_stop_of_a_human(daemon: LivingDaemon) -> None:
    """Its hostagent cleans up as after a stop, and writes that it was none: started at once."""
    since = time.time()
    acts = after(daemon, daemon.tower.mac.crash)

    begun = next(one for one in daemon.log(since) if one.event == "act_begun")
    assert "start_vm" == acts[0]
    assert 1 == acts.count("start_vm")
    assert begun.at - since < 300.0
    assert set(acts) <= {"start_vm", "load_modules", "untaint", "delete_flannel_pod"}


def test_a_daemon_that_is_killed_in_an_act_finishes_it_in_its_next_life(
    daemon: LivingDaemon,
) -> None:
    """I10: `colima start` lives on, is recognised, and nobody begins a second one."""
    tower, since = daemon.tower, time.time()
    tower.mac.pretend(engine_gap=10.0)
    tower.mac.cut_power()
    daemon.wait("the start begins", lambda: "start_vm" in daemon.acts(since))
    daemon.end(signal.SIGKILL)
    daemon.start()
    daemon.wait("well", lambda: daemon.status().get("exit_code") == 0)

    starts = [call for call in tower.mac.calls if call.tool == "colima" and "start" in call.argv]
    assert 1 == len(starts)


def test_a_paused_daemon_does_nothing_and_says_who_paused_it(daemon: LivingDaemon) -> None:
    """I3, and a resume lets it go on at once."""
    tower, since = daemon.tower, time.time()
    assert 0 == tower.healer("pause", "--reason", "demo").code
    tower.faults.taint()
    daemon.wait("seen", lambda: _state(daemon, "node") == "paused")

    assert [] == daemon.acts(since)
    assert ["demo"] == [one["reason"] for one in daemon.status()["pauses"]]
    assert 0 == tower.healer("resume").code
    daemon.healed(since)
    assert ["untaint"] == daemon.acts(since)


def test_a_humans_stop_waits_and_says_so(daemon: LivingDaemon) -> None:
    """A `docker stop` is announced with its time, and answered after the grace only."""
    tower, since = daemon.tower, time.time()
    tower.mac.docker(["stop", "--time=5", NAME])
    daemon.wait("announced", lambda: "human_stopped" in _rules(daemon))
    assert [] == daemon.acts(since)
    daemon.healed(since)

    begun = next(one for one in daemon.log(since) if one.event == "act_begun")
    assert "start_container" == begun.fields["remedy"]
    assert begun.at - since >= 55.0
    agree(daemon.acts(since), "docker_stop")


FROZEN: dict[str, tuple[str, str]] = {
    "dockerd": ("dockerd", "docker"),
    "the API server": ("kube-apiserver", "apiserver"),
}
"""What is stopped in the VM, and the layer that must notice."""
DISRUPTIVE = {"cycle_vm", "force_cycle_vm", "restart_engine", "restart_container"}


def test_frozen_parts_end_every_look_and_bring_no_wrong_act(daemon: LivingDaemon) -> None:
    """SIGSTOP of the mux, of dockerd, of the API server: every look ends, nothing is disrupted."""
    tower, since = daemon.tower, time.time()
    before = _descriptors(daemon)
    tower.mac.stop_mux()
    daemon.wait("the mux is missed", partial(_is_missed, daemon, "docker"))
    time.sleep(FROZEN_FOR)
    tower.mac.cont_mux()
    daemon.wait("well", lambda: daemon.status().get("exit_code") == 0)
    for program, layer in FROZEN.values():
        tower.mac.guest(["pkill", "-STOP", "-f", program])
        daemon.wait(f"{program} is missed", partial(_is_missed, daemon, layer))
        time.sleep(FROZEN_FOR)
        assert "" == daemon.status()["stalled"]
        tower.mac.guest(["pkill", "-CONT", "-f", program])
        daemon.wait("well", lambda: daemon.status().get("exit_code") == 0)

    assert not DISRUPTIVE & set(daemon.acts(since))
    eventually("its descriptors are as before", lambda: _descriptors(daemon) <= before + 4)


def _is_missed(daemon: LivingDaemon, layer: str) -> bool:
    return _state(daemon, layer) not in {"ok", ""}


def _state(daemon: LivingDaemon, layer: str) -> str:
    layers = daemon.status().get("layers", [])
    return next((one["state"] for one in layers if one["layer"] == layer), "")


def _rules(daemon: LivingDaemon) -> set[str]:
    return {one["rule"] for one in daemon.status().get("next", [])}


def _descriptors(daemon: LivingDaemon) -> int:
    assert daemon.process is not None
    return len(list(Path(f"/proc/{daemon.process.pid}/fd").iterdir()))

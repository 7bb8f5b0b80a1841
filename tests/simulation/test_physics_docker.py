"""Docker and the container: who ends it, how, and what brings it back (talos-kubernetes.md)."""

import pytest

from tests.simulation.stage import Stage

BOOT = 30.0


@pytest.mark.parametrize(
    ("policy", "befalls", "comes_back"),
    [
        ("no", "vm_power_cut", False),
        ("unless-stopped", "vm_power_cut", True),
        ("always", "vm_power_cut", True),
        ("unless-stopped", "docker_stop", False),
        ("unless-stopped", "docker_kill", False),
        ("always", "docker_kill", True),
    ],
)
def test_a_boot_of_the_vm_obeys_policy_and_the_mark_of_a_hand(
    policy: str, befalls: str, *, comes_back: bool
) -> None:
    """`unless-stopped` skips what any API stop or kill has marked (§1)."""
    stage = Stage()
    stage.tower.box.restart_policy = policy
    stage.befall(befalls).wait(15.0).befall("vm_power_cut")
    stage.tower.machine.power_on()

    assert comes_back == stage.wait(BOOT).tower.box.running


@pytest.mark.parametrize(("policy", "back"), [("no", False), ("unless-stopped", True)])
def test_an_end_of_its_own_is_answered_by_policy_at_once(policy: str, *, back: bool) -> None:
    """The restart manager waits 100 ms (§9)."""
    stage = Stage()
    stage.tower.box.restart_policy = policy

    assert back == stage.befall("container_dies").wait(0.2).tower.box.running


def test_the_mark_is_gone_after_a_start_by_hand() -> None:
    """HasBeenManuallyStopped is cleared by the next manual start (§1)."""
    stage = Stage().befall("docker_kill")
    stage.tower.box.start_by_hand()
    stage.befall("vm_power_cut").tower.machine.power_on()

    assert stage.wait(BOOT).tower.box.running


@pytest.mark.parametrize(("patience", "seconds", "code"), [(10.0, 10.0, 137), (120.0, 31.0, 130)])
def test_a_stop_is_a_kill_unless_talos_gets_its_time(
    patience: float, seconds: float, code: int
) -> None:
    """Its shutdown takes half a minute; Docker's ten seconds always cut it short (§1)."""
    stage = Stage()
    assert seconds == stage.tower.box.begin_stop(patience)
    stage.wait(seconds - 0.1)
    assert stage.tower.box.running
    stage.wait(0.2)
    assert (False, code) == (stage.tower.box.running, stage.tower.box.exit_code)


def test_a_task_that_dockerd_does_not_find_ended_with_255() -> None:
    """Set by dockerd at its own start (§1)."""
    stage = Stage()
    stage.tower.box.restart_policy = "no"
    stage.befall("vm_power_cut").tower.machine.power_on()
    stage.wait(BOOT)

    assert ("exited", 255) == (stage.tower.box.status, stage.tower.box.exit_code)


def test_only_a_stop_leaves_a_stop_event_and_a_restarted_engine_forgets_it() -> None:
    """The last 256 events live in dockerd's memory (§9)."""
    stopped = Stage().befall("docker_stop").wait(15.0)
    before = stopped.tower.box.stopped_event_at
    stopped.tower.dockerd.restart()

    assert (10.0, None) == (before, stopped.tower.box.stopped_event_at)
    assert None is Stage().befall("docker_kill").tower.box.stopped_event_at


def test_a_start_that_docker_refuses_is_refused_to_everybody() -> None:
    """Retrying cannot help (§1), and State.Error keeps the words."""
    box = Stage().befall("container_start_refused").wait(5.0).tower.box

    assert not box.running
    assert box.start_by_hand() == box.error
    assert "range of CPUs" in box.error


@pytest.mark.parametrize(("policy", "back"), [("unless-stopped", False), ("always", True)])
def test_what_outlived_a_crash_of_the_engine_is_ended_by_the_next_one(
    policy: str, *, back: bool
) -> None:
    """As by `docker stop`, with its event and its mark, so `unless-stopped` brings nothing back."""
    stage = Stage()
    stage.tower.box.restart_policy = policy
    stage.befall("engine_crashes").wait(1.0)
    assert (True, False, "activating") == (
        stage.tower.box.running,
        stage.tower.dockerd.up,
        stage.tower.dockerd.unit,
    )
    stage.wait(1.5)
    assert (back, True) == (stage.tower.box.running, stage.tower.dockerd.up)
    assert (None if back else 2.0) == stage.tower.box.stopped_event_at


@pytest.mark.parametrize(
    ("befalls", "starts", "undone"),
    [
        ("engine_stopped_by_human", True, True),
        ("engine_dies", False, False),
        ("engine_crashes", False, False),
    ],
)
def test_a_touch_of_the_socket_starts_what_was_stopped(
    befalls: str, *, starts: bool, undone: bool
) -> None:
    """systemd listens there while the engine is down; with a crash loop its socket unit fails."""
    stage = Stage().befall(befalls)
    stage.tower.dockerd.touched()

    assert (starts, undone) == (stage.tower.dockerd.up, bool(stage.tower.undone()))


def test_each_boot_starts_docker_on_an_empty_folder_first() -> None:
    """Then Colima stops it, mounts the data disk over the folder and starts it again."""
    stage = Stage().befall("vm_power_cut")
    stage.tower.machine.power_on()
    dockerd = stage.wait(14.0).tower.dockerd
    assert (True, False, False) == (dockerd.up, dockerd.has_data, stage.tower.box.running)
    stage.wait(5.5)
    assert (False, "inactive", True) == (dockerd.up, dockerd.unit, dockerd.socket)
    stage.wait(2.0)
    assert (True, True, True) == (dockerd.up, dockerd.has_data, stage.tower.box.running)


def test_an_engine_that_a_hand_stopped_is_inactive_and_one_that_died_failed() -> None:
    """Design §10 tells them apart by unit and result."""
    hand = Stage().befall("engine_stopped_by_human").tower.dockerd
    dead = Stage().befall("engine_dies").tower.dockerd

    assert ("inactive", "success") == (hand.unit, hand.result)
    assert ("failed", "exit-code") == (dead.unit, dead.result)


def test_a_restart_by_hand_shows_while_it_lasts_and_comes_back() -> None:
    """Docker goes on with it whoever hangs up (§8)."""
    stage = Stage().befall("docker_restart").wait(5.0)
    assert ["docker restart joelclaw-controlplane-1"] == [
        one.command for one in stage.tower.mac.operations
    ]
    stage.wait(6.0)
    assert (True, []) == (stage.tower.box.running, stage.tower.mac.operations)
    assert not stage.tower.box.manually_stopped

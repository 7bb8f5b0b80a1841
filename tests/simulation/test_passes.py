"""Whole passes of the real engine and the real remedies over simulated towers."""

from collections.abc import Callable
from pathlib import Path

import anyio
import pytest

from healer.adapters.journal import SqliteJournal
from healer.core.facts import (
    Act,
    Changed,
    Held,
    IncidentOpened,
    Pause,
    Refused,
    Reported,
    Rule,
    State,
)
from healer.core.judging import judge
from healer.core.ladders import Remedy
from healer.core.reasons import Reason
from healer.core.tower import Layer, below
from healer.engine.passing import Mode
from healer.settings import Settings
from healer.settings.policy import policy_of
from healer.simulation.happenings import HAPPENINGS, mac_reboot
from healer.simulation.physics import Tower
from healer.telemetry.report import Report, report_text
from tests.simulation.night import SimulatedNight, play
from tests.simulation.test_drill import ORDER


def nothing(tower: Tower) -> None:
    """A healthy tower."""
    del tower


async def once(night: SimulatedNight) -> None:
    """One pass that ends well."""
    assert 0 == (await night.once()).exit_code


def test_a_second_pass_over_the_healed_tower_does_nothing() -> None:
    """It needs one look, and says so by being quiet (issue: Mac reboot)."""

    async def twice(night: SimulatedNight) -> None:
        await once(night)
        began, before = anyio.current_time(), len(night.done)
        await once(night)
        assert anyio.current_time() - began < 5.0
        assert before == len(night.done)

    assert set(ORDER) == {one.value for one in play(mac_reboot, twice).done}


def test_a_healthy_tower_is_left_alone_for_an_hour() -> None:
    """I8: passes all over a virtual hour do nothing and refuse nothing."""

    async def hour(night: SimulatedNight) -> None:
        for _ in range(12):
            await once(night)
            await anyio.sleep(300.0)

    night = play(nothing, hour)

    assert [] == night.done
    assert [] == [one for one in night.decided() if isinstance(one, Act | Refused)]


def test_a_rehearsal_names_the_first_act_and_changes_nothing() -> None:
    """`--dry-run` over the reboot: what a pass would begin with, and a tower still off."""

    async def rehearse(night: SimulatedNight) -> None:
        assert 1 == (await night.once(mode=Mode.REHEARSE)).exit_code

    night = play(mac_reboot, rehearse)

    assert [ORDER[0]] == [one.remedy.value for one in night.decided() if isinstance(one, Act)]
    assert [] == night.done
    assert not night.tower.machine.on


def stopped_by_a_human(tower: Tower) -> None:
    """`colima stop` in this boot, with a container that comes back by itself."""
    tower.machine.clean_stop()


def test_a_humans_clean_stop_waits_ten_minutes() -> None:
    """I15 and design §10: announced, and started only after its patience."""
    at: list[float] = []

    async def waits(night: SimulatedNight) -> None:
        assert 0 == (await night.once()).exit_code
        at.extend(told.at for told in night.told_all for one in told.decisions if _starts(one))

    night = play(stopped_by_a_human, waits)
    refused = {one.rule for one in night.decided() if isinstance(one, Refused)}

    assert Rule.HUMAN_STOPPED in refused
    assert 1 == len(at)
    assert 600.0 <= at[0] < 660.0


def _starts(decision: object) -> bool:
    return isinstance(decision, Act) and decision.remedy is Remedy.START_VM


def test_a_paused_tower_is_looked_at_only(tmp_path: Path) -> None:
    """I3: paused, nothing is done, the exit code says unhealthy, and the journal knows why."""

    async def paused(night: SimulatedNight) -> None:
        journal = SqliteJournal.open(tmp_path / "journal.sqlite", night.clock)
        journal.pause(Pause(None, None, "joel", "moving house"))
        assert 1 == (await night.once(journal)).exit_code
        journal.resume(None)
        assert 0 == (await night.once(journal)).exit_code
        journal.close()

    night = play(mac_reboot, paused)
    first_act = next(
        i
        for i, one in enumerate(night.told_all)
        if one.decisions and any(isinstance(each, Act) for each in one.decisions)
    )

    assert any(
        one.world.states.get(Layer.COLIMA) is State.PAUSED for one in night.told_all[:first_act]
    )
    assert set(ORDER) == {one.value for one in night.done}


def test_no_act_above_an_ill_layer() -> None:
    """I2: when an act is decided, nothing that its layer stands on is ill."""
    night = play(mac_reboot, once)
    ill = {State.SUSPECT, State.FAILING, State.HEALING, State.HELD, State.GAVE_UP}

    for told in night.told_all:
        for act in (one for one in told.decisions if isinstance(one, Act)):
            carriers = {told.world.states[one] for one in below(act.layer)}
            assert set() == carriers & ill


def test_no_disruptive_act_after_a_reboot() -> None:
    """I5, I16: a boot alone stops, kills and restarts nothing that runs."""
    night = play(mac_reboot, once)

    assert set() == set(night.done) & {
        Remedy.CYCLE_VM,
        Remedy.FORCE_CYCLE_VM,
        Remedy.RESTART_ENGINE,
        Remedy.RESTART_CONTAINER,
        Remedy.TERM_MUX,
        Remedy.DELETE_POD,
        Remedy.FORCE_DELETE_POD,
    }


def test_one_incident_opens_for_five_causes() -> None:
    """Design §10: one incident, five acts, one notice."""
    night = play(mac_reboot, once)

    assert 1 == len([one for one in night.decided() if isinstance(one, IncidentOpened)])


def container_gone(tower: Tower) -> None:
    """The container died, with no restart policy."""
    tower.box.ended(255)


def taint_back(tower: Tower) -> None:
    """Talos put its taint back."""
    tower.cluster.taint()


def forwards_dead(tower: Tower) -> None:
    """docker.sock on the Mac leads nowhere; the engine in the VM is well."""
    tower.forwards.mux_ends()


def powered_off(tower: Tower) -> None:
    """The VM lost its power within this boot of the Mac."""
    tower.machine.power_cut()


@pytest.mark.parametrize(
    ("befalls", "first"),
    [
        (container_gone, Remedy.START_CONTAINER),
        (taint_back, Remedy.UNTAINT),
        (forwards_dead, Remedy.REFORWARD),
        (powered_off, Remedy.START_VM),
    ],
)
def test_one_fault_is_healed_by_its_own_remedy(
    befalls: Callable[[Tower], None], first: Remedy
) -> None:
    """The gentlest remedy of the ill layer is used once, and the tower is well (I12)."""
    night = play(befalls, once)

    assert 1 == night.done.count(first)
    assert any(isinstance(one, Changed) for one in night.decided())


def set_up_wrong(tower: Tower) -> None:
    """Healthy, with a container that the next reboot leaves down, and a full disk in the VM."""
    tower.box.restart_policy = "no"
    tower.cluster.api.kubeconfig_port = 59999
    tower.machine.disk_used = 0.91


def test_a_pass_over_a_healthy_tower_acts_on_what_is_set_up_wrong() -> None:
    """One look is enough for a setting; what needs another look is told as seen once."""
    report = Report()
    texts: list[str] = []

    async def look(night: SimulatedNight) -> None:
        ended = await night.once(mode=Mode.LOOK)
        for told in night.told_all:
            report.told(told)
        judged = judge(ended.world, report.now, policy_of(Settings(), run="", one_pass=True))
        texts.append(report_text(report, ended.world, judged, "", dry_run=True))
        assert 0 == ended.exit_code

    assert [] == play(set_up_wrong, look).done
    assert "talos: set the container's restart policy" in texts[0]
    assert "apiserver: kubeconfig_stale: the kubeconfig names port 59999" in texts[0]
    assert "ssh: vm_disk /dev/vdb1: seen once: " in texts[0]
    night = play(set_up_wrong, once)
    assert [Remedy.SET_RESTART_POLICY] == night.done
    assert "unless-stopped" == night.tower.box.restart_policy
    assert Reason.KUBECONFIG_STALE in {
        one.reason for one in night.decided() if isinstance(one, Reported)
    }


def a_file_lost_again(tower: Tower) -> None:
    """Flannel was replaced half a minute ago, and a pod needs the file that is gone again."""
    tower.cluster.flannel.started_at = tower.now() - 25.0
    HAPPENINGS["subnet_env_lost"].befall(tower)


def test_a_pass_soon_after_a_repair_of_flannel_sees_what_is_lost_anew() -> None:
    """It waits until flannel has had its minute, and does not call the tower healthy."""

    async def later(night: SimulatedNight) -> None:
        await anyio.sleep(3.0)
        await once(night)
        assert anyio.current_time() > 35.0

    assert [Remedy.DELETE_FLANNEL_POD] == play(a_file_lost_again, later).done


class Killed(Exception):
    """Stands for a SIGKILL: nothing after it is written."""


class Dying:
    """Lets its healer die at the n-th act, before or after what is written then."""

    def __init__(self, real: SqliteJournal, moment: str, left: int) -> None:
        self._real = real
        self._moment = moment
        self._left = left

    def __getattr__(self, name: str) -> object:
        real = getattr(self._real, name)
        if name != self._moment:
            return real

        def dies(*arguments: object) -> object:
            self._left -= 1
            if not self._left and name == "end":
                raise Killed
            answer = real(*arguments)
            if not self._left:
                raise Killed
            return answer

        return dies


async def killed_then_run_again(night: SimulatedNight, path: Path, moment: str, number: int) -> int:
    """A run that dies at that act, and another one right after it; its exit code."""
    journal = SqliteJournal.open(path, night.clock)
    with pytest.raises(ExceptionGroup) as died:
        await night.once(Dying(journal, moment, number))  # type: ignore[arg-type]
    assert died.group_contains(Killed)
    journal.close()
    journal = SqliteJournal.open(path, night.clock)
    ended = await night.once(journal)
    assert "settled" == ended.why
    assert () == journal.ledger().unfinished()
    journal.close()
    return ended.exit_code


LAST = len(ORDER)
"""LiveKit's patch, which has a test of its own."""


@pytest.mark.parametrize(
    ("moment", "number"),
    [("begin", n) for n in range(1, LAST)] + [("end", n) for n in range(1, LAST + 1)],
)
def test_killed_half_way_and_run_again(tmp_path: Path, moment: str, number: int) -> None:
    """I10, I4: after a crash with its intent or its act just done, one more run heals it all.

    Killed after the intent, the act is done by the second run unless the trouble is gone by
    then; killed before the result is written, what was done is proved and not repeated.
    """

    async def killed(night: SimulatedNight) -> None:
        path = tmp_path / "journal.sqlite"
        assert 0 == await killed_then_run_again(night, path, moment, number)

    night = play(mac_reboot, killed)

    assert len(set(night.done)) == len(night.done)
    assert set(ORDER) - {"delete_flannel_pod"} <= {one.value for one in night.begun}


def test_a_patch_cut_off_at_its_intent_is_not_repeated_before_a_human_says_so(
    tmp_path: Path,
) -> None:
    """I11: one generation, one patch; what became of the first is unknown, so a human re-arms."""
    path = tmp_path / "journal.sqlite"

    async def killed(night: SimulatedNight) -> None:
        assert 4 == await killed_then_run_again(night, path, "begin", LAST)
        assert Remedy.PATCH_LIVEKIT not in night.done
        journal = SqliteJournal.open(path, night.clock)
        journal.reset(Layer.LIVEKIT)
        assert 0 == (await night.once(journal)).exit_code
        journal.close()

    night = play(mac_reboot, killed)
    held = [one.reason for one in night.decided() if isinstance(one, Held)]

    assert [Reason.LIVEKIT_PROBE_DRIFT] == held
    assert 1 == night.done.count(Remedy.PATCH_LIVEKIT)


def a_dead_job(tower: Tower) -> None:
    """Caddy is gone, and nobody keeps it alive."""
    HAPPENINGS["job_dies"].befall(tower)


def test_a_pass_starts_a_dead_job_and_proves_it() -> None:
    """Confirmed over half a minute, started once, and watched for a while."""

    async def quick(night: SimulatedNight) -> None:
        await once(night)
        assert anyio.current_time() < 90.0
        await once(night)

    assert [Remedy.KICKSTART_JOB] == play(a_dead_job, quick).done


def test_a_pass_waits_for_launchd_where_it_keeps_a_job_alive() -> None:
    """It is back before its death is confirmed: nothing is done, and all is well."""

    def respawned(tower: Tower) -> None:
        HAPPENINGS["job_dies"].befall(tower, job="com.joel.system-bus-worker")

    assert [] == play(respawned, once).done

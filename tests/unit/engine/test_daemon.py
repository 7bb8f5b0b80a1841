"""The daemon's engine over a scripted tower on virtual time."""

from dataclasses import replace

import anyio
import pytest

from healer.core.facts import (
    Act,
    Observed,
    Outcome,
    Pause,
    Paused,
    Refused,
    Resumed,
    Rule,
    State,
    Verified,
    Woke,
)
from healer.core.ladders import Ladder, Remedy, Rung
from healer.core.ledger import Attempt, Ledger
from healer.core.observation import Finding, Observation
from healer.core.reasons import Reason
from healer.core.tower import Layer
from healer.engine.daemon import Daemon, Surroundings
from healer.engine.guests import Guest
from healer.engine.passing import Ended
from healer.engine.stepping import Stepper
from healer.ports import CannotLook, JournalError
from healer.simulation.virtual_time import run_virtually
from tests.unit.engine.house import CALM, DAEMON_POLICY, DOWN, House
from tests.unit.engine.tower import Ears, Scribe, SmallTower, act_of


def test_a_healthy_tower_is_looked_at_calmly() -> None:
    """Two looks a layer at the start, then one each calm rest: cost grows with changes."""
    house = House()
    house.live(10.0 * CALM)

    assert {11, 12} >= {one.looks for one in house.tower.probes.values()}
    assert [] == house.tower.log


def test_news_ends_the_rest_of_its_layer_only() -> None:
    """What came from outside is looked at at once, and nothing else is."""
    house = House()
    before: dict[Layer, int] = {}

    async def pull(daemon: Daemon) -> None:
        assert () == daemon.unseen
        before.update({layer: one.looks for layer, one in house.tower.probes.items()})
        house.rope.pull(frozenset({Layer.TALOS}))

    house.live(5.0, pull)

    new = {layer: one.looks - before[layer] for layer, one in house.tower.probes.items()}
    assert {Layer.TALOS: 1} == {layer: looks for layer, looks in new.items() if looks}


def test_a_storm_of_news_is_a_few_looks() -> None:
    """Whatever rings, a probe rests a quarter of a second between two looks."""
    house = House()

    async def storm(daemon: Daemon) -> None:
        del daemon
        for _ in range(1000):
            house.rope.pull(frozenset({Layer.PODS}))
            await anyio.sleep(0.001)

    house.live(5.0, storm)

    assert house.tower.probes[Layer.PODS].looks <= 7


def test_a_fault_is_healed_and_proved_without_a_word() -> None:
    """Seen, confirmed, done, verified; then calm again."""
    house = House()

    async def falls(_: Daemon) -> None:
        house.tower.ill.update(DOWN)
        house.rope.pull(frozenset({Layer.TALOS}))

    house.live(40.0, falls)

    assert ["needed start_container", "act start_container"] == house.tower.log
    assert 1 == len(house.tower.ears.said(Verified))
    talos = [state for layer, state in house.states if layer is Layer.TALOS]
    assert [State.SUSPECT, State.HEALING, State.VERIFYING, State.OK] == [
        one for one in talos if one is not State.FAILING
    ]


def test_everything_is_looked_at_once_something_stirs() -> None:
    """A judgement needs fresh looks at all layers, not only at the one that is ill."""
    house = House()

    async def falls(_: Daemon) -> None:
        before = {layer: one.looks for layer, one in house.tower.probes.items()}
        house.tower.ill.update(DOWN)
        house.rope.pull(frozenset({Layer.TALOS}))
        await anyio.sleep(1.0)
        assert all(one.looks > before[layer] for layer, one in house.tower.probes.items())

    house.live(10.0, falls)


def test_a_probe_that_breaks_harms_nobody() -> None:
    """It is unknown, counted, asked less and less often, and its siblings live on."""
    house = House()
    senses = house.senses()

    async def breaks() -> Observation:
        raise CannotLook("pods", "garbage")

    house.tower.probes[Layer.PODS].sees = breaks

    async def lived() -> Daemon:
        daemon = Daemon(senses, Surroundings(house.chest, lambda: 0.5, house.looks.append))
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(daemon.run)
            await anyio.sleep(3600.0)
            daemon.stop()
        return daemon

    daemon = run_virtually(lived)

    broken = [one for one in house.looks if one.look.broke]
    assert {Layer.PODS} == {one.layer for one in broken}
    assert 10 <= len(broken) <= 25
    assert State.UNKNOWN is daemon.world.states.get(Layer.PODS, State.UNKNOWN)
    assert 55 <= house.tower.probes[Layer.NODE].looks
    assert [] == house.tower.log


def test_a_sleep_is_noticed_before_anything_is_judged() -> None:
    """I16: a failure seen before and after a sleep confirms nothing at once; grace comes first."""
    house = House()

    async def falls_and_sleeps(_: Daemon) -> None:
        house.tower.ill.update(DOWN)
        house.rope.pull(frozenset({Layer.TALOS}))
        await anyio.sleep(0.6)
        house.clock.slept = 8 * 3600.0

    house.live(30.0, falls_and_sleeps)
    assert [] == house.tower.log

    said = [one for one in house.tower.ears.said(Refused) if isinstance(one, Refused)]
    assert Rule.GRACE in {one.rule for one in said}


@pytest.mark.parametrize(
    ("ahead", "acts"), [(-3600.0, 0), (-5.5, 0), (-4.5, 1), (4.5, 1), (5.5, 0), (3600.0, 0)]
)
def test_a_clock_that_is_set_is_noticed_before_anything_is_judged(ahead: float, acts: int) -> None:
    """I16: all that is told by the VM's clock looks older or younger at once, and is left alone."""
    house = House()

    async def falls_and_is_set(_: Daemon) -> None:
        house.tower.ill.update(DOWN)
        house.clock.ahead = ahead
        house.rope.pull(frozenset({Layer.TALOS}))

    house.live(30.0, falls_and_is_set)
    assert ["act start_container"] * acts == [one for one in house.tower.log if "act" in one]


def test_the_first_fact_after_a_sleep_is_judged_in_its_grace() -> None:
    """I16: a short sleep leaves the looks before it fresh, and yet confirms nothing by itself."""
    house = House()
    stopped = Finding(Reason.TALOS_STOPPED, "exited")
    bad = Observed(Observation(Layer.TALOS, findings=(stopped,)))

    async def sleeps_between_two_looks(daemon: Daemon) -> None:
        house.tower.ill.update(DOWN)
        await daemon.tell(bad)
        await anyio.lowlevel.checkpoint()
        house.clock.slept = 10.0
        await daemon.tell(bad)
        await anyio.sleep(1.0)
        assert () == daemon.world.acting

    house.live(20.0, sleeps_between_two_looks)

    assert [] == house.tower.log


def test_after_the_grace_of_a_wake_what_is_still_ill_is_healed() -> None:
    """Grace delays, it does not forget."""
    house = House()

    async def falls_asleep(_: Daemon) -> None:
        house.clock.slept = 8 * 3600.0
        house.tower.ill.update(DOWN)

    house.live(100.0, falls_asleep)

    assert ["needed start_container", "act start_container"] == house.tower.log


def test_a_pause_takes_effect_at_once_and_ends_by_a_word() -> None:
    """I3: told while it runs, a pause holds from its first moment."""
    house = House()

    async def pause(daemon: Daemon) -> None:
        await daemon.tell(Paused(Pause(None, None, "joel", "demo")))
        house.tower.ill.update(DOWN)
        house.rope.pull(frozenset({Layer.TALOS}))

    async def resume(daemon: Daemon) -> None:
        assert [] == house.tower.log
        await daemon.tell(Resumed(None))

    house.live(40.0, pause, resume)

    assert ["needed start_container", "act start_container"] == house.tower.log


def test_a_word_that_another_process_wrote_counts_too() -> None:
    """`healer pause` works through the journal when the daemon's socket does not answer."""
    house = House()

    async def pause(_: Daemon) -> None:
        journal = house.tower.journal
        journal.kept = Ledger(pauses=(Pause(None, None, "joel", "demo"),))
        journal.by_others = True
        await anyio.sleep(20.0)
        house.tower.ill.update(DOWN)
        house.rope.pull(frozenset({Layer.TALOS}))

    house.live(40.0, pause)

    assert [] == house.tower.log


def test_without_a_journal_it_looks_on_and_acts_again_when_it_can() -> None:
    """A full disk stops acts, not eyes; when there is room again, so does the healing."""
    house = House(tower=SmallTower(journal=Scribe(refuses=frozenset({"ledger", "check"}))))

    async def falls(_: Daemon) -> None:
        house.tower.ill.update(DOWN)
        house.rope.pull(frozenset({Layer.TALOS}))

    async def room_again(daemon: Daemon) -> None:
        assert [] == house.tower.log
        assert State.FAILING is daemon.world.states[Layer.TALOS]
        house.tower.journal.refuses = frozenset()

    house.live(60.0, falls, room_again)

    assert ["needed start_container", "act start_container"] == house.tower.log


async def _under_way(house: House, seconds: float) -> None:
    """Wait until an act has been under way for so long."""
    begun = anyio.Event()
    house.tower.ears.then = lambda told: begun.set() if told.world.acting else None
    await begun.wait()
    await anyio.sleep(seconds)


def test_a_disk_that_fills_up_shows_before_an_act_needs_it() -> None:
    """The journal is written to once a minute, though nothing is decided; also when it is well."""
    house = House()

    async def fills_up(daemon: Daemon) -> None:
        await anyio.sleep(300.0)
        assert 3 <= house.tower.journal.calls.count("check") <= 5
        assert not daemon.journal_error
        house.tower.journal.refuses = frozenset({"check"})
        await anyio.sleep(90.0)
        assert "disk full" in daemon.journal_error
        house.tower.journal.refuses = frozenset()
        await anyio.sleep(30.0)
        assert not daemon.journal_error

    house.live(1.0, fills_up)


def test_told_to_stop_it_lets_an_act_end() -> None:
    """An act of a few seconds is finished and written; nothing new is begun."""
    house = House(tower=SmallTower(takes=5.0))

    async def falls(daemon: Daemon) -> None:
        house.tower.ill.update(DOWN)
        house.rope.pull(frozenset({Layer.TALOS}))
        await _under_way(house, 1.0)
        daemon.stop()

    house.live(20.0, falls)

    assert "end start_container done" in house.tower.journal.calls


def test_told_to_stop_it_begins_no_act_whose_last_look_is_not_over() -> None:
    """The intent is written, the look says that it is needed, and nothing is done."""
    house = House(tower=SmallTower())

    async def falls(daemon: Daemon) -> None:
        house.tower.ears.then = lambda told: daemon.stop() if told.world.acting else None
        house.tower.ill.update(DOWN)
        house.rope.pull(frozenset({Layer.TALOS}))

    house.live(20.0, falls)

    assert ["needed start_container"] == house.tower.log


def test_told_to_stop_a_reload_lets_no_act_begin() -> None:
    """A SIGHUP after a SIGTERM: while one act ends, nothing else is begun."""
    house = House(tower=SmallTower(takes=9.0))
    job = {Layer.LAUNCHD: Reason.JOB_NOT_RUNNING}

    async def falls(daemon: Daemon) -> None:
        house.tower.ill.update(DOWN)
        house.rope.pull(frozenset({Layer.TALOS}))
        await _under_way(house, 0.5)
        house.tower.ill.update(job)
        daemon.stop()
        faster = {Reason.JOB_NOT_RUNNING: Ladder(1, 0.0, (Rung(Remedy.KICKSTART_JOB),))}
        policy = replace(DAEMON_POLICY, ladders={**DAEMON_POLICY.ladders, **faster})
        daemon.reload(replace(house.senses(), policy=policy))

    daemon = house.live(20.0, falls)

    assert State.FAILING is daemon.world.states[Layer.LAUNCHD]
    assert ["needed start_container", "act start_container"] == house.tower.log


def test_a_reload_lifts_no_pass_and_no_lost_journal() -> None:
    """What holds for this run does not come from the settings."""
    house = House()
    stepper = Stepper(house.senses().parts, replace(DAEMON_POLICY, one_pass=True))
    stepper.forbid_acts(JournalError("disk full"))

    stepper.adopt(house.senses().parts, replace(DAEMON_POLICY, stable=1.0))

    policy = stepper.policy
    assert (True, "disk full", 1.0) == (policy.one_pass, policy.no_acts_because, policy.stable)


def test_told_to_stop_it_begins_nothing_while_it_waits_for_an_act() -> None:
    """A failure that is confirmed in its last seconds is left to the next run."""
    house = House(tower=SmallTower(takes=9.5))

    async def two_fall(daemon: Daemon) -> None:
        begun = "act start_container"
        house.tower.ears.then = lambda _: daemon.stop() if begun in house.tower.log else None
        house.tower.ill.update(DOWN)
        house.rope.pull(frozenset({Layer.TALOS}))
        await anyio.sleep(2.0)
        house.tower.ill.update({Layer.KERNEL: Reason.BR_NETFILTER_MISSING})
        house.rope.pull(frozenset({Layer.KERNEL}))

    daemon = house.live(30.0, two_fall)

    assert State.FAILING is daemon.world.states[Layer.KERNEL]
    assert ["needed start_container", "act start_container"] == house.tower.log


def test_told_to_stop_it_does_not_wait_for_a_long_act() -> None:
    """launchd kills after 20 s: by then it has ended, and the intent without a result tells."""
    house = House(tower=SmallTower(takes=600.0))

    async def lived() -> float:
        daemon = house.daemon()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(daemon.run)
            await anyio.sleep(5.0)
            began = anyio.Event()
            house.tower.ears.then = lambda told: began.set() if told.world.acting else None
            house.tower.ill.update(DOWN)
            house.rope.pull(frozenset({Layer.TALOS}))
            await began.wait()
            stopped = anyio.current_time()
            daemon.stop()
        return anyio.current_time() - stopped

    assert run_virtually(lived) <= 15.0
    assert "begin start_container" in house.tower.journal.calls
    assert not any(one.startswith("end ") for one in house.tower.journal.calls)


def test_an_act_of_an_earlier_life_is_waited_for_not_repeated() -> None:
    """I10: its process lives on, so nothing is begun beside it."""
    act = act_of(Remedy.START_CONTAINER, Reason.TALOS_STOPPED)
    house = House(tower=SmallTower(ill=dict(DOWN)))
    house.tower.journal.kept = Ledger(attempts=(Attempt(act, -1.0),))

    async def lives(attempt: Attempt) -> bool:
        del attempt
        return anyio.current_time() < 30.0

    async def lived() -> None:
        daemon = house.daemon(still_running=lives)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(daemon.run)
            await anyio.sleep(29.0)
            assert (act,) == daemon.world.acting
            daemon.stop()

    run_virtually(lived)
    assert [] == house.tower.log


def test_other_settings_are_taken_without_losing_what_is_known() -> None:
    """A reload exchanges eyes, hands and limits; the world stays."""
    house = House()
    other = House(tower=SmallTower(ears=house.tower.ears, journal=house.tower.journal))
    known: set[Layer] = set()
    old: list[int] = []

    async def reload(daemon: Daemon) -> None:
        known.update(daemon.world.views)
        daemon.reload(other.senses())
        await anyio.sleep(CALM)
        old.append(sum(one.looks for one in house.tower.probes.values()))

    daemon = house.live(CALM, reload)

    assert old == [sum(one.looks for one in house.tower.probes.values())]
    assert all(one.looks for one in other.tower.probes.values())
    assert known == daemon.world.views.keys()
    assert all(State.UNKNOWN is not state for _, state in house.states)


def test_a_reload_during_a_pass_by_hand_leaves_it_its_rights() -> None:
    """`healer --once` skips the grace after a wake, also when the settings change meanwhile."""
    house, ended = House(), list[Ended]()
    other = House(tower=house.tower)

    async def once(daemon: Daemon) -> None:
        await daemon.tell(Woke(600.0))
        house.tower.ill.update(DOWN)
        now = house.clock.now()
        async with anyio.create_task_group() as tasks:

            async def passes() -> None:
                ended.append(await daemon.once(Guest(Ears(), now, now + 120.0)))

            tasks.start_soon(passes)
            await anyio.sleep(1.0)
            daemon.reload(other.senses())
            await anyio.sleep(1.0)
            assert daemon.policy.one_pass

    house.live(5.0, once)

    assert [(0, "settled")] == [(one.exit_code, one.why) for one in ended]


def test_a_guest_sees_the_tower_healed_and_leaves() -> None:
    """`healer --once` beside a daemon: a look at all, what follows from it, and its end."""
    house, ears, ended = House(), Ears(), list[Ended]()

    async def once(daemon: Daemon) -> None:
        house.tower.ill.update(DOWN)
        now = house.clock.now()
        ended.append(await daemon.once(Guest(ears, now, now + 600.0)))

    house.live(5.0, once)

    assert [(0, "settled")] == [(one.exit_code, one.why) for one in ended]
    assert 1 == len(ears.said(Act))
    assert 1 == len(ears.said(Verified))


def test_a_guest_of_a_healthy_tower_needs_one_look() -> None:
    """Seconds, as a pass of its own would (design §5)."""
    house, ended = House(), list[float]()

    async def once(daemon: Daemon) -> None:
        began = anyio.current_time()
        await daemon.once(Guest(Ears(), house.clock.now(), house.clock.now() + 600.0))
        ended.append(anyio.current_time() - began)

    house.live(5.0, once)

    assert ended[0] < 2.0


def test_a_guest_does_not_outstay_its_deadline() -> None:
    """What is still ill then is told as it is."""
    house, ended = House(tower=SmallTower(takes=5.0)), list[Ended]()

    async def once(daemon: Daemon) -> None:
        house.tower.ill.update({Layer.NODE: Reason.NODE_NOT_READY})
        now = house.clock.now()
        ended.append(await daemon.once(Guest(Ears(), now, now + 8.0)))

    house.live(5.0, once)

    assert [(1, "deadline")] == [(one.exit_code, one.why) for one in ended]


def test_every_probe_and_the_engine_are_watched() -> None:
    """The watchdog hears of each by its name, and of the end."""
    house = House()
    house.live(100.0)

    assert {"engine", *(f"probe {layer}" for layer in Layer)} == set(house.chest.beats)
    assert ["engine"] == house.chest.over
    assert min(house.chest.beats.values()) > 100.0


def test_an_unfinished_act_is_verified_after_a_crash() -> None:
    """I10: what a kill left half-done is looked at, and not done again while it may have helped."""
    act = act_of(Remedy.START_CONTAINER, Reason.TALOS_STOPPED)
    house = House()
    house.tower.journal.kept = Ledger(attempts=(Attempt(act, -1.0),))
    house.live(30.0)

    assert [] == house.tower.log
    (verified,) = house.tower.ears.said(Verified)
    assert isinstance(verified, Verified)
    assert Outcome.INTERRUPTED is house.tower.ears.told_all[-1].world.ledger.attempts[0].outcome

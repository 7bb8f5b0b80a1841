"""How often the daemon looks, ticks, reads its journal and asks for help: to the second."""

from dataclasses import dataclass, field, replace
from itertools import pairwise

import anyio
import pytest

from healer.core.facts import Act, Fact, Finished, Outcome, Ticked, Woke
from healer.core.observation import Observation
from healer.core.tower import Layer
from healer.engine.daemon import Daemon, Paces
from healer.engine.guests import Guest
from healer.engine.passing import Ended
from healer.ports import CannotLook, Wake
from healer.simulation.virtual_time import run_virtually
from tests.unit.engine.house import CALM, DOWN, House
from tests.unit.engine.tower import Ears, Scribe, SmallTower


@dataclass
class Times:
    """Remembers when a layer was looked at, and breaks its first looks."""

    breaks: int = 0
    at: list[float] = field(default_factory=list)

    async def look(self) -> Observation:
        """Now."""
        await anyio.lowlevel.checkpoint()
        self.at.append(anyio.current_time())
        if len(self.at) <= self.breaks:
            raise CannotLook("pods", "garbage")
        return Observation(Layer.PODS)

    @property
    def rests(self) -> list[float]:
        """Seconds between looks."""
        return [round(b - a, 3) for a, b in pairwise(self.at)]


def looked_at(
    times: Times, seconds: float, *, calm: float, jitter: float = 0.5, alert: float = 0.25
) -> list[float]:
    """The rests of the one probe, in a daemon that lives so long."""
    house = House(jitter=jitter, paces=Paces(dict.fromkeys(Layer, calm), alert=alert))
    senses = house.senses()
    house.tower.probes[Layer.PODS].sees = times.look

    async def lived() -> None:
        daemon = house.daemon(probes=senses.parts.probes)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(daemon.run)
            await anyio.sleep(seconds)
            daemon.stop()

    run_virtually(lived)
    return times.rests


def test_a_probe_that_breaks_is_asked_half_as_often_each_time() -> None:
    """2, 4, 8, … and at most 300 s, whatever the pace; the first good look ends that."""
    rests = looked_at(Times(breaks=10), 2200.0, calm=1.0)

    assert [2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 300.0, 300.0] == rests[:10]
    assert {1.0} == set(rests[11:-1])


@pytest.mark.parametrize(("jitter", "expected"), [(0.0, 9.0), (0.5, 10.0), (1.0, 11.0)])
def test_a_calm_rest_is_up_to_a_tenth_longer_or_shorter(jitter: float, expected: float) -> None:
    """So that probes do not march in step."""
    assert {expected} == set(looked_at(Times(), 200.0, calm=10.0, jitter=jitter)[2:])


def test_a_rest_shorter_than_a_second_is_kept() -> None:
    """Nothing but a break makes a rest longer."""
    assert {0.5} == set(looked_at(Times(), 20.0, calm=0.5)[2:])


def test_how_long_a_look_took_is_told() -> None:
    """The metric of each probe is made of it."""
    house = House(tower=SmallTower(look_takes=0.1))
    house.live(2.0 * CALM)

    assert {0.1} == {round(one.seconds, 6) for one in house.looks}


def test_the_watchdog_is_told_how_long_silence_may_last() -> None:
    """A look, the longest rest, and two minutes of a busy Mac."""
    house = House()
    house.live(CALM)

    assert 20.0 + 300.0 + 120.0 == house.chest.within["probe pods"]
    assert 15.0 + 120.0 == house.chest.within["engine"]


def ticks_of(house: House) -> list[float]:
    """When time was told as a fact."""
    return [one.at for one in house.tower.ears.told_all if isinstance(one.fact, Ticked)]


def test_time_is_told_each_quarter_of_a_minute_in_calm_and_each_second_otherwise() -> None:
    """Silence is noticed soon where something is failing, and costs little elsewhere."""
    house = House(tower=SmallTower(takes=600.0))

    async def falls(_: Daemon) -> None:
        ticks_of(house).clear()
        house.tower.ill.update(DOWN)
        house.rope.pull(frozenset({Layer.TALOS}))
        await anyio.sleep(20.0)

    house.live(100.0, falls)
    ticks = ticks_of(house)
    calm = [b - a for a, b in pairwise(ticks) if b < 100.0]
    failing = [b - a for a, b in pairwise(ticks) if 102.0 < a and b < 118.0]

    assert {15.0} == {round(one, 3) for one in calm[1:]}
    assert {1.0} == {round(one, 3) for one in failing}


def test_time_is_told_within_a_second_of_the_first_news() -> None:
    """The tick that calm had put off comes as soon as two ticks may follow each other."""
    house = House()
    at: list[float] = []

    async def falls(_: Daemon) -> None:
        last = ticks_of(house)[-1]
        await anyio.sleep(15.2 - (anyio.current_time() - last))
        at.append(ticks_of(house)[-1])
        house.tower.ill.update(DOWN)
        house.rope.pull(frozenset({Layer.TALOS}))
        await anyio.sleep(3.0)

    house.live(50.0, falls)

    after = [one for one in ticks_of(house) if one > at[0]]
    assert 1.0 == round(after[0] - at[0], 3)


def test_a_pass_by_hand_over_a_probe_that_hangs_ends_at_its_deadline() -> None:
    """While somebody waits, time is told each second though all else is calm."""
    house, ended = House(), list[tuple[float, Ended]]()

    async def hang() -> Observation:
        await anyio.sleep(15.0)
        return Observation(Layer.PODS)

    async def once(daemon: Daemon) -> None:
        house.tower.probes[Layer.PODS].sees = hang
        began = anyio.current_time()
        now = house.clock.now()
        outcome = await daemon.once(Guest(Ears(), now, now + 4.0))
        ended.append((anyio.current_time() - began, outcome))

    house.live(35.0, once)

    ((took, outcome),) = ended
    assert ("deadline", True) == (outcome.why, 4.0 <= took <= 5.0)


@pytest.mark.parametrize(("slept", "noticed"), [(5.0, False), (5.1, True)])
def test_clocks_that_differ_by_five_seconds_were_read_a_moment_apart(
    slept: float, *, noticed: bool
) -> None:
    """A sleep is what lasts longer."""
    house = House()

    async def sleeps(_: Daemon) -> None:
        house.clock.slept = slept

    house.live(20.0, sleeps)

    woke = [one for one in house.tower.ears.told_all if isinstance(one.fact, Woke)]
    assert noticed == bool(woke)


@dataclass
class Asked(Scribe):
    """A journal that remembers when it was asked what others wrote, and whether it works."""

    asked: list[float] = field(default_factory=list)
    checked: list[float] = field(default_factory=list)

    def written_by_others(self) -> bool:
        """Remember."""
        self.asked.append(anyio.current_time())
        return super().written_by_others()

    def check(self) -> None:
        """Remember."""
        self.checked.append(anyio.current_time())
        super().check()


def test_the_journal_is_asked_each_second_at_most() -> None:
    """What another process wrote counts within a second of the next fact."""
    journal = Asked()
    house = House(tower=SmallTower(journal=journal, takes=600.0))

    async def falls(_: Daemon) -> None:
        house.tower.ill.update(DOWN)
        house.rope.pull(frozenset({Layer.TALOS}))

    house.live(60.0, falls)

    rests = [b - a for a, b in pairwise(journal.asked)]
    assert 1.0 <= min(rests)
    assert 1.5 >= min(one for one in rests if one)
    assert 40 <= len([one for one in journal.asked if one > 60.0])


def test_a_lost_journal_is_tried_each_five_seconds() -> None:
    """And not at every fact: each try is a write to a full disk."""
    journal = Asked(refuses=frozenset({"ledger", "check"}))
    house = House(tower=SmallTower(journal=journal, ill=dict(DOWN)))
    house.live(200.0)

    rests = [b - a for a, b in pairwise(journal.checked)]
    assert 20 <= len(journal.checked)
    assert 5.0 == round(min(rests), 3)


def test_a_pass_by_hand_names_a_journal_that_fails() -> None:
    """Else nobody would know why nothing was done."""
    house, ended = House(), list[Ended]()
    house.tower.journal.refuses = frozenset({"ledger", "check"})

    async def once(daemon: Daemon) -> None:
        now = house.clock.now()
        ended.append(await daemon.once(Guest(Ears(), now, now + 60.0)))

    house.live(5.0, once)

    assert ["journal: disk full; free space"] == [one.journal_error for one in ended]


def test_every_step_is_told_with_its_fact_and_as_no_rehearsal() -> None:
    """Progress, page and log are made of it."""
    house = House(tower=SmallTower(ill=dict(DOWN)))
    house.live(30.0)

    told = house.tower.ears.told_all
    assert [] == [one for one in told if one.fact is None or one.dry_run]
    assert 1 == sum(isinstance(one.fact, Finished) for one in told)


def test_news_that_breaks_is_told_by_name() -> None:
    """A fault of our own is counted; it ends no probe."""

    @dataclass
    class Torn:
        name: str = "torn"
        layers: frozenset[Layer] = frozenset()

        async def listen(self, wake: Wake) -> None:
            del wake
            await anyio.lowlevel.checkpoint()
            raise KeyError("spec")

    house = House()
    senses = replace(house.senses(), news=(Torn(),))

    async def reload(daemon: Daemon) -> None:
        daemon.reload(senses)
        await anyio.sleep(1.0)

    house.live(2.0, reload)

    assert ("torn", "KeyError") in {(name, type(error).__name__) for name, error in house.broke}


@pytest.mark.parametrize("both_ends", [True, False], ids=["both ends closed", "nobody reads"])
def test_a_word_to_a_daemon_that_is_ending_harms_nobody(*, both_ends: bool) -> None:
    """It is in the journal, where the next one reads it."""

    async def told() -> None:
        daemon = House().daemon()
        send, receive = anyio.create_memory_object_stream[tuple[Fact, float]](1)
        receive.close()
        with send:
            if both_ends:
                send.close()
            daemon._inbox = send
            await daemon.tell(Ticked())

    run_virtually(told)


def test_nothing_is_lost_when_the_journal_fails_in_the_middle_of_an_act() -> None:
    """The act ends as it ended, and the daemon says that it can account for nothing."""
    house = House(tower=SmallTower(takes=5.0))

    async def falls(_: Daemon) -> None:
        house.tower.ears.then = lambda told: (
            setattr(house.tower.journal, "refuses", frozenset({"end", "record", "check", "ledger"}))
            if told.world.acting
            else None
        )
        house.tower.ill.update(DOWN)
        house.rope.pull(frozenset({Layer.TALOS}))

    daemon = house.live(20.0, falls)

    assert [Outcome.DONE] == [
        one.fact.outcome for one in house.tower.ears.told_all if isinstance(one.fact, Finished)
    ]
    assert 1 == len(house.tower.ears.said(Act))
    assert "journal: disk full; free space" == daemon.policy.no_acts_because

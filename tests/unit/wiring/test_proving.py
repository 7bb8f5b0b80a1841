"""The daemon's part of the proofs: what it watches, and that no check harms another."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

import anyio

from healer.core.facts import Ticked, Woke
from healer.core.observation import Observation
from healer.core.tower import Layer
from healer.core.world import World
from healer.engine.telling import Looked, Told, nothing_awaited
from healer.engine.watching import Look
from healer.model.notice import Delivery
from healer.model.proof import Proof, Verdict, proved
from healer.ports import CannotLook, JournalError
from healer.wiring.daemon import Ears
from healer.wiring.proving import Watched, notice, seen_by_a_human, tried
from tests.fakes.channel import FakeChannel

if TYPE_CHECKING:
    from healer.wiring.daemon import Household


@dataclass
class TwoClocks:
    """One counts sleep, the other does not."""

    at: float = 1_000.0
    slept: float = 100.0

    def now(self) -> float:
        """Sleep included."""
        return self.at

    def awake(self) -> float:
        """Without it."""
        return self.at - self.slept

    def boot_id(self) -> str:
        """The one boot."""
        return "boot"

    def pass_by(self, seconds: float, *, asleep: bool = False) -> None:
        """Time goes by."""
        self.at += seconds
        self.slept += seconds if asleep else 0.0


@dataclass
class Book:
    """ports.Memory; `full`: it takes nothing."""

    words: dict[str, str] = field(default_factory=dict)
    full: bool = False

    def learn(self, word: str, value: str) -> None:
        """Keep it."""
        if self.full:
            raise JournalError("journal: the disk is full")
        self.words[word] = value

    def known(self, word: str) -> str | None:
        """What was kept."""
        return self.words.get(word)


@dataclass
class Small:
    """As much of a household as is watched."""

    journal: Book = field(default_factory=Book)

    clock: TwoClocks = field(default_factory=TwoClocks)
    ears: Ears = field(default_factory=Ears)

    def hear(self, fact: Woke | Ticked) -> None:
        """As the engine tells it."""
        told = Told(self.clock.at, fact, (), World(), nothing_awaited, dry_run=False)
        self.ears.told(told)

    def look(self, layer: Layer, seconds: float) -> None:
        """As a probe does."""
        self.ears.heard_look(Looked(layer, seconds, Look(Observation(layer))))


def watched(small: Small) -> Watched:
    """From now on."""
    return Watched(cast("Household", small))


def test_a_wake_counts_only_after_a_sleep() -> None:
    """The grace after a boot is told by the same fact."""
    small = Small()
    seen = watched(small)
    small.hear(Woke(120.0))
    assert (0, 0.0, False) == (seen.wakes, seen.slept, seen.woke_in_this_boot())

    small.clock.pass_by(60.0, asleep=True)
    small.hear(Ticked())
    small.hear(Woke(60.0))
    assert (1, True) == (seen.wakes, 59.0 < seen.slept <= 60.0)
    assert watched(small).woke_in_this_boot(), "a daemon after this one finds it in the journal"


def test_a_wake_is_counted_though_the_journal_takes_nothing() -> None:
    """A full disk ends neither the daemon nor its count, and another boot's wake is no proof."""
    small = Small(Book({"woke": "another boot"}, full=True))
    seen = watched(small)
    small.clock.pass_by(60.0, asleep=True)
    small.hear(Woke(60.0))

    assert (1, False, {}) == (seen.wakes, seen.woke_in_this_boot(), small.ears.broken)


def test_the_longest_look_of_each_layer_is_kept() -> None:
    """Whatever came after it."""
    small = Small()
    seen = watched(small)
    for layer, seconds in ((Layer.HOST, 0.5), (Layer.SSH, 1.0), (Layer.HOST, 0.1)):
        small.look(layer, seconds)

    assert {"host": 0.5, "ssh": 1.0} == seen.looks


def test_cpu_is_counted_over_the_last_five_minutes() -> None:
    """Not since the beginning: a start costs more than all that follows."""
    small = Small()
    seen = watched(small)
    for _ in range(100):
        small.clock.pass_by(16.0)
        small.look(Layer.HOST, 0.1)
    cpu, seconds = seen.spent()

    assert 300.0 <= seconds < 316.1
    assert cpu >= 0.0


async def test_a_check_that_breaks_or_hangs_has_proved_nothing() -> None:
    """And what broke is named."""

    async def breaks() -> Proof:
        raise ZeroDivisionError

    async def hangs() -> Proof:
        await anyio.sleep_forever()
        raise AssertionError

    async def cannot() -> Proof:
        raise CannotLook("route", "not found")

    async def works() -> Proof:
        return proved("so it is")

    said = [await tried(one, 0.01) for one in (breaks, hangs, cannot)]
    assert {Verdict.NOT_PROVEN} == {one.verdict for one in said}
    assert "the check broke: ZeroDivisionError" == said[0].evidence
    assert "route: not found" == said[2].evidence
    assert proved("so it is") == await tried(works)


async def test_a_notice_is_proved_by_its_reader_alone() -> None:
    """What arrived is asked about; what arrived nowhere has failed; no channel proves nothing."""
    desktop = FakeChannel("desktop", how=Delivery.HANDED_OVER)
    broken = FakeChannel("webhook", fails=9)
    asked = await notice((desktop, broken), "run", 1.0)

    assert Verdict.NOT_PROVEN is asked.verdict
    assert "desktop: handed_over; webhook: HTTP 500" == asked.evidence
    assert asked.question
    assert Verdict.PROVED is seen_by_a_human(asked, yes=True).verdict
    assert Verdict.FAILED is seen_by_a_human(asked, yes=False).verdict
    nowhere = (FakeChannel("desktop", how=Delivery.UNREACHABLE), broken)
    assert Verdict.FAILED is (await notice(nowhere, "run", 1.0)).verdict
    assert Verdict.NOT_PROVEN is (await notice((), "run", 1.0)).verdict

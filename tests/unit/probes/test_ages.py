"""Ages that no setting of a wall clock changes."""

from dataclasses import dataclass, field

import pytest

from healer.ports import CannotLook, JournalError
from healer.probes.ages import VM_LOG, Ages
from tests.fakes.clock import FakeClock

EVER = float("inf")


class Boots(FakeClock):
    """A Mac that may be booted anew; with "" nobody knows the boot's name."""

    boot = "one"

    def boot_id(self) -> str:
        """The boot's name."""
        if not self.boot:
            raise CannotLook("kern.bootsessionuuid", "exit 1")
        return self.boot


@dataclass
class Book:
    """A memory that counts what is written, and may be broken."""

    pages: dict[str, str] = field(default_factory=dict)
    written: int = 0
    broken: bool = False

    def learn(self, word: str, value: str) -> None:
        """Write it."""
        if self.broken:
            raise JournalError("disk full")
        self.written += 1
        self.pages[word] = value

    def known(self, word: str) -> str | None:
        """Read it."""
        if self.broken:
            raise JournalError("disk full")
        return self.pages.get(word)


def test_an_age_grows_with_the_boot_clock_alone() -> None:
    """What the wall clock says counts at the first look."""
    clock = Boots()
    ages = Ages(clock, Book())
    assert 5.0 == ages.age("a", "1", 5.0)

    clock.advance(3.0)
    assert 8.0 == ages.age("a", "1", 90_000.0)
    assert 8.0 == ages.age("a", "1", -90_000.0)


@pytest.mark.parametrize(
    ("estimate", "age"), [(2.0, 2.0), (-5.0, 0.0), (11.0, 10.0), (90_000.0, 10.0), (EVER, 10.0)]
)
def test_what_is_new_is_no_older_than_the_look_before(estimate: float, age: float) -> None:
    """Nor younger than nothing."""
    clock = Boots()
    ages = Ages(clock, Book())
    ages.age("a", "1", 500.0)
    clock.advance(20.0)
    ages.age("a", "1", 500.0)
    clock.advance(10.0)

    assert age == ages.age("a", "2", estimate)


def test_an_age_outlives_its_healer_and_a_set_clock() -> None:
    """The next one reads what the last one saw; it is written once a version."""
    clock, book = Boots(), Book()
    first = Ages(clock, book)
    first.age(VM_LOG, "1", 5.0)
    clock.advance(3.0)
    first.age(VM_LOG, "1", 8.0)
    assert 1 == book.written

    clock.advance(10.0)
    assert 18.0 == Ages(clock, book).age(VM_LOG, "1", 90_000.0)
    assert 13.0 == Ages(clock, book).age(VM_LOG, "2", 90_000.0)


def test_what_changes_all_the_time_is_not_written() -> None:
    """The log of a VM that runs."""
    book = Book()
    Ages(Boots(), book).age(VM_LOG, "1", 5.0, keep=False)

    assert 0 == book.written


def test_what_was_seen_in_another_boot_is_older_than_this_one() -> None:
    """Whatever the wall clock says; a version that was not seen is estimated."""
    clock, book, other = Boots(), Book(), Book()
    for one in (book, other):
        Ages(clock, one).age(VM_LOG, "1", 5.0)
    clock.boot = "two"

    assert EVER == Ages(clock, book).age(VM_LOG, "1", 5.0)
    assert 7.0 == Ages(clock, other).age(VM_LOG, "2", 7.0)


@pytest.mark.parametrize("page", ["", "7", "[]", '["one","1"]', '["one","1","x",2]', "{", "null"])
def test_a_page_that_makes_no_sense_is_no_page(page: str) -> None:
    """It is estimated then, and written anew."""
    book = Book({VM_LOG: page})

    assert 5.0 == Ages(Boots(), book).age(VM_LOG, "1", 5.0)
    assert 1 == book.written


def test_without_a_journal_and_without_a_boots_name_an_age_is_kept_all_the_same() -> None:
    """In this process; a look is not lost for it."""
    clock, book = Boots(), Book(broken=True)
    ages = Ages(clock, book)
    assert 5.0 == ages.age("a", "1", 5.0)
    clock.advance(1.0)
    assert 6.0 == ages.age("a", "1", 5.0)
    book.broken = False
    ages.age("a", "1", 5.0)
    assert 1 == book.written

    clock.boot = ""
    assert 5.0 == Ages(clock, Book()).age("a", "1", 5.0)


@pytest.mark.parametrize(
    ("before_now", "booted_before_now", "age"),
    [(60.0, 3600.0, 60.0), (3600.5, 3600.0, 3600.5), (3602.0, 3600.0, EVER), (60.0, None, 60.0)],
)
def test_a_time_of_the_wall_clock_is_compared_with_the_boots_once(
    before_now: float, booted_before_now: float | None, age: float
) -> None:
    """Both move with the clock when it is set, so the boot is read at that moment."""
    clock = Boots()
    told = clock.wall() - before_now
    booted = None if booted_before_now is None else clock.wall() - booted_before_now
    ages = Ages(clock, Book())
    assert age == ages.since("a", told, booted)

    clock.set_wall(7200.0)
    assert age == ages.since("a", told, None if booted is None else booted + 7200.0)

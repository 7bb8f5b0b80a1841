"""`healer ports add` and `recover` at the command line, and the pause that they make."""

from pathlib import Path

import pytest

from healer.adapters.clock import SystemClock
from healer.adapters.hot_add_book import HotAddBook
from healer.adapters.journal import SqliteJournal
from healer.cli.ports_pauses import OwnPauses
from healer.core.facts import Pause
from healer.core.tower import Layer
from healer.model.hot_add import Started, Step
from healer.model.port_edit import WantedPort
from healer.ports import ActFailed
from healer.settings import Settings
from healer.settings.places import Places, places_of
from tests.unit.cli.command import Machine


def test_what_is_no_port_is_wrong_usage(machine: Machine) -> None:
    """It is named, with how to write one."""
    said = machine.healer("ports", "add", "9627:0", "--yes")
    assert 2 == said.code
    assert "'0' is no port; write HOST[:CONTAINER]" in said.err


def test_on_a_bare_machine_nothing_is_begun(machine: Machine) -> None:
    """Docker cannot be asked: exit code 3, and no journal of it is left."""
    said = machine.healer("ports", "add", "9627:3000", "--yes")
    assert 3 == said.code
    assert "docker.sock" in said.err
    assert machine.healer("ports", "recover").code == 0


def test_a_recovery_that_cannot_go_on_says_so(machine: Machine) -> None:
    """The files were being edited when it was killed, and the VM cannot be reached: code 4."""
    book = HotAddBook(machine.home / ".local/state/healer/ports-add")
    wanted = WantedPort(9627, 3000)
    book.begin(
        Started(wanted, "abc", "/x", was_running=True, was_ready=False, pauses=True, ports=())
    )
    book.save({"hostconfig.json": b"{}"}, {"hostconfig.json": ("a", "b")})
    book.step(Step.EDIT, done=False)
    said = machine.healer("ports", "recover")
    assert 4 == said.code
    assert f"both files as they were are in {book.place}" in said.err
    assert "healer ports recover" in said.err
    refused = machine.healer("ports", "recover")
    assert 4 == refused.code


@pytest.fixture(name="places")
def fixture_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Places:
    """A home of its own, without a daemon."""
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("HEALER_CONFIG", "XDG_STATE_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    return places_of(Settings(), {}, tmp_path)


def paused(places: Places) -> list[str]:
    """Reasons of the pauses that are in force."""
    journal = SqliteJournal.for_reading(places.journal, SystemClock())
    assert journal is not None
    try:
        return [one.reason for one in journal.ledger().pauses]
    finally:
        journal.close()


def by_a_human(places: Places, scope: Layer | None) -> None:
    """Somebody pauses healer."""
    journal = SqliteJournal.open(places.journal, SystemClock())
    try:
        journal.pause(Pause(scope, None, "joel", "surgery"))
    finally:
        journal.close()


def test_our_pause_is_in_the_journal_and_ends(places: Places) -> None:
    """By the words of `healer pause`, for an hour at most."""
    own = OwnPauses(places)
    assert ([], "") == (list(own.standing()), own.at_work())
    own.pause()
    assert ["healer ports add"] == paused(places)
    assert [] == list(own.standing())
    own.resume()
    assert [] == paused(places)
    own.resume()


def test_a_human_s_pause_is_never_ended_by_us(places: Places) -> None:
    """One of a layer is not enough for us, and `resume` would end it, too: ours ends by itself."""
    own = OwnPauses(places)
    by_a_human(places, Layer.PODS)
    assert [] == list(own.standing())
    own.pause()
    with pytest.raises(ActFailed, match="somebody else"):
        own.resume()
    assert ["surgery", "healer ports add"] == paused(places)
    by_a_human(places, None)
    assert ["joel: surgery"] == list(own.standing())

"""`healer history` reads the journal, and nothing else."""

from healer.adapters.clock import SystemClock
from healer.adapters.journal import SqliteJournal
from healer.core.facts import IncidentOpened, IncidentResolved
from healer.core.reasons import Reason
from healer.core.tower import Layer
from tests.unit.cli.command import Machine


def happened(machine: Machine) -> None:
    """An incident, come and gone."""
    path = machine.home / ".local/state/healer/journal.sqlite"
    journal = SqliteJournal.open(path, SystemClock())
    journal.record(IncidentOpened("i-1", Layer.TALOS, Reason.TALOS_STOPPED, "exited (137)"))
    journal.record(IncidentResolved("i-1", 81.0))
    journal.close()


def test_what_happened(machine: Machine) -> None:
    """Words on stdout, or one document; a layer by itself."""
    happened(machine)
    said, document = machine.healer("history"), machine.healer("history", "--json").document

    assert (0, "") == (said.code, said.err)
    assert "talos      incident: stopped: exited (137)" in said.out
    assert "talos      incident resolved after 1 min 21 s" in said.out
    assert ["IncidentOpened", "IncidentResolved"] == [one["kind"] for one in document["entries"]]
    assert [] == machine.healer("history", "--layer", "pods", "--json").document["entries"]


def test_since_when(machine: Machine) -> None:
    """Wrong words are 2; what is older is not told."""
    happened(machine)

    assert 2 == machine.healer("history", "--since", "yesterday").code
    assert (
        "no incident and no act in the last 0.0 s" in machine.healer("history", "--since", "0s").out
    )


def test_no_journal_yet(machine: Machine) -> None:
    """It is no fault, and none is made."""
    said = machine.healer("history")

    assert 0 == said.code
    assert "there is no journal yet" in said.err
    assert not (machine.home / ".local").exists()


def test_a_journal_that_cannot_be_read(machine: Machine) -> None:
    """1, with the file, the cause and the remedy."""
    path = machine.home / ".local/state/healer/journal.sqlite"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"no database at all\n" * 200)
    said = machine.healer("history")

    assert (1, "") == (said.code, said.out)
    assert f"journal {path}" in said.err

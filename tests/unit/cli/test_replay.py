"""`healer replay`: the journal alone, read only; what is not there is said."""

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from healer.adapters import journal_schema
from healer.adapters.clock import SystemClock
from healer.adapters.journal import SqliteJournal
from healer.core.facts import (
    Act,
    Decision,
    Fact,
    Finished,
    Observed,
    Outcome,
    Ticked,
)
from healer.core.machine import begin, step
from healer.core.observation import Finding, Observation
from healer.core.reasons import Reason
from healer.core.tower import Layer
from healer.engine.listening import untold
from healer.engine.recording import EvidenceRecorder
from healer.engine.telling import Stepped
from healer.replay.records import Begun
from healer.settings import Settings
from healer.settings.policy import policy_of
from tests.fakes.mac_clock import MacClock
from tests.unit.cli.command import Machine

NEVER = {"aiodocker", "aiohttp", "asyncio", "kubernetes_asyncio", "rich", "structlog"}
STOPPED = Finding(Reason.COLIMA_STOPPED, "Colima says Stopped")


def journal_of(machine: Machine) -> Path:
    """Where it is."""
    return machine.home / ".local/state/healer/journal.sqlite"


class Lived:
    """A daemon's core over a tower of well layers, whose VM stops and is started."""

    def __init__(self, machine: Machine, clock: MacClock, run: str, version: str = "0.0") -> None:
        self.clock = clock
        self.journal = SqliteJournal.open(journal_of(machine), clock)
        self.recorder = EvidenceRecorder(self.journal, untold, version)
        self.policy = policy_of(Settings(), run=run, one_pass=False)
        ledger, now = self.journal.ledger(), clock.now()
        self.world = begin(ledger, now, self.policy)
        self.recorder.began(Begun(ledger, now, self.policy, frozenset()))

    def take(self, fact: Fact, seconds: float = 1.0) -> tuple[Decision, ...]:
        """One step, kept as the engine keeps it."""
        self.clock.advance(seconds)
        now = self.clock.now()
        came = step(self.world, fact, now, self.policy)
        self.recorder.stepped(Stepped(now, self.world, fact, self.policy, came))
        self.world = came.world
        for one in came.decisions:
            self.journal.record(one)
        return came.decisions

    def all_well(self) -> None:
        """A look at every layer."""
        for layer in Layer:
            self.take(Observed(Observation(layer, uptime=9000.0)))

    def stop(self) -> Act:
        """The VM stops, and healer begins to start it."""
        self.all_well()
        decided: list[Decision] = []
        for _ in range(4):
            decided += self.take(Observed(Observation(Layer.COLIMA, (STOPPED,))), 2.0)
        (act,) = (one for one in decided if isinstance(one, Act))
        self.journal.begin(act)
        return act

    def start(self, act: Act) -> str:
        """The VM is started, and stays; the incident's name."""
        self.take(Finished(act, Outcome.DONE, "started"), 20.0)
        for _ in range(12):
            self.all_well()
        self.journal.close()
        return act.incident


def lived(machine: Machine, run: str = "run-1", version: str = "0.0") -> str:
    """One incident from its first bad look to its end."""
    life = Lived(machine, MacClock(), run, version)
    return life.start(life.stop())


def test_an_incident_is_decided_again(machine: Machine) -> None:
    """The timeline on stdout, 0, and nothing of the journal is changed."""
    lived(machine)
    before = journal_of(machine).read_bytes()
    said = machine.healer("replay", "last")

    assert (0, "") == (said.code, said.err)
    assert "colima     acting: start the VM" in said.out
    assert "colima     done after 20 s: start the VM" in said.out
    assert "-          incident resolved after" in said.out
    assert said.out.endswith(" decisions, the same to the byte\n")
    assert before == journal_of(machine).read_bytes()


def test_one_document(machine: Machine) -> None:
    """All of it, for a program."""
    name = lived(machine)
    document = machine.healer("replay", name, "--json").document

    assert (1, name, True) == (
        document["schema_version"],
        document["incident"],
        document["same"],
    )
    kinds = [one["kind"] for step in document["timeline"] for one in step["decisions"]]
    assert {"IncidentOpened", "Act", "Verified", "IncidentResolved"} <= set(kinds)
    assert (None, None, []) == (
        document["difference"],
        document["otherwise"],
        document["damages"],
    )


def test_which_incident(machine: Machine) -> None:
    """By name, by a beginning that fits one alone, or the last; else 2 and what there is."""
    first, second = lived(machine, "run-1"), lived(machine, "run-2")

    assert second == machine.healer("replay", "last", "--json").document["incident"]
    assert first == machine.healer("replay", "run-1", "--json").document["incident"]
    several, none = machine.healer("replay", "run"), machine.healer("replay", "nothing")
    assert (2, 2) == (several.code, none.code)
    assert "several incidents begin with 'run'" in several.err
    assert "no incident begins with 'nothing'" in none.err
    for said in (several, none):
        assert all(f"  {name}  " in said.err for name in (first, second))
    assert 2 == machine.healer("replay", "").code
    assert 2 == machine.healer("replay").code


def test_no_journal_and_no_incident(machine: Machine) -> None:
    """1, and no journal is made."""
    said = machine.healer("replay", "last")
    assert (1, "") == (said.code, said.out)
    assert "there is no journal yet" in said.err
    assert not journal_of(machine).exists()

    SqliteJournal.open(journal_of(machine), SystemClock()).close()
    assert "the journal knows of no incident" in machine.healer("replay", "last").err


def test_facts_that_are_not_there_any_more(machine: Machine) -> None:
    """The incident is known, and why it cannot be replayed is said."""
    lived(machine)
    change(machine, "DELETE FROM steps")
    said = machine.healer("replay", "last")

    assert (1, "") == (said.code, said.out)
    assert "its facts are not in the journal: they were pruned" in said.err
    assert "(its facts are not kept)" in machine.healer("replay", "nothing").err


def of_two_lives(machine: Machine) -> str:
    """healer is killed while the VM starts, and its next life sees it end."""
    clock = MacClock()
    first = Lived(machine, clock, "run-1")
    act = first.stop()
    first.journal.close()
    return Lived(machine, clock, "run-2").start(act)


def test_an_incident_of_two_lives(machine: Machine) -> None:
    """Both lives are decided again, and where the second began is shown."""
    name = of_two_lives(machine)
    said = machine.healer("replay", "last")

    assert (0, name) == (said.code, "run-1-i1")
    assert "  healer began anew\n" in said.out
    assert "incident resolved after" in said.out


def test_facts_whose_beginning_was_pruned(machine: Machine) -> None:
    """What is there is decided again, and what is missing is said."""
    of_two_lives(machine)
    change(machine, "DELETE FROM segment WHERE run = 'run-1'")
    change(machine, "DELETE FROM steps WHERE segment NOT IN (SELECT id FROM segment)")
    said = machine.healer("replay", "last")

    assert 0 == said.code
    assert "are not kept: the beginning is missing" in said.out


def test_a_journal_of_the_version_before(machine: Machine) -> None:
    """It is read as it is: its incidents have no facts, and that is said."""
    journal_of(machine).parent.mkdir(parents=True)
    with closing(sqlite3.connect(journal_of(machine), isolation_level=None)) as connection:
        journal_schema.migrate(connection, journal_schema.MIGRATIONS[:3])
        connection.execute(
            "INSERT INTO decision (kind, layer, body, at, wall) VALUES ('IncidentOpened', 'talos', "
            """'{"incident": "i-1", "reason": "talos.stopped"}', 1.0, 2.0)"""
        )
    said = machine.healer("replay", "i-1")

    assert (1, "") == (said.code, said.out)
    assert "the healer that saw it kept none" in said.err


def change(machine: Machine, statement: str, *values: object) -> None:
    """Somebody changes the journal."""
    with closing(sqlite3.connect(journal_of(machine), isolation_level=None)) as connection:
        connection.execute(statement, values)


def test_damage_is_named(machine: Machine) -> None:
    """1, which row, and everything before it is still told."""
    lived(machine)
    change(machine, "UPDATE steps SET body = substr(body, 1, 9) WHERE id = 3")
    said = machine.healer("replay", "last")

    assert 1 == said.code
    assert "steps 3: damaged" in said.out
    assert "what is damaged could not be decided again; everything else was" in said.out


def test_a_format_of_another_version(machine: Machine) -> None:
    """It is not guessed at: the version that wrote it is named."""
    lived(machine, version="99.1")
    change(machine, "UPDATE segment SET body = ?", packed_future())
    said = machine.healer("replay", "last")

    assert 1 == said.code
    assert "it is of version 2, and this healer reads 1" in said.out
    assert "written by healer 99.1; this is healer" in said.out


def packed_future() -> bytes:
    """A beginning as some later healer writes it."""
    from healer.replay.packing import packed  # noqa: PLC0415  (beside its only use)

    return packed(b'[2,"dream"]')


def test_a_decision_that_comes_out_otherwise(machine: Machine) -> None:
    """1, with the first difference: as it was, as it is, and when."""
    lived(machine, version="99.1")
    script = (
        "import sys, healer.cli, healer.core.machine as machine, healer.replay.running as running\n"
        "runs = iter(range(10**6))\n"
        "running.step = lambda world, fact, now, policy: "
        "machine.step(world, fact, now + next(runs) * 0.01, policy)\n"
        "sys.exit(healer.cli.main(['replay', 'last']))"
    )
    ran = run_python(machine, script)

    assert 1 == ran.returncode
    assert "something else came out:" in ran.stdout
    assert '  then: ["' in ran.stdout
    assert '  now:  ["' in ran.stdout
    assert "written by healer 99.1" in ran.stdout


def run_python(machine: Machine, script: str) -> subprocess.CompletedProcess[str]:
    """Run a script as that user."""
    return subprocess.run(
        [sys.executable, "-c", script],
        env=machine.environment(),
        capture_output=True,
        text=True,
        check=False,
    )


def test_other_settings(machine: Machine) -> None:
    """Side by side, where they part, and which acts there would not have been; 1 like diff."""
    lived(machine)
    other = machine.home / "other.toml"
    other.write_text('[confirm."colima.stopped"]\nover = "90s"\n')
    said = machine.healer("replay", "last", "--config", str(other))
    document = machine.healer("replay", "last", "--config", str(other), "--json").document

    assert 1 == said.code
    assert f"with {other} it parts at" in said.out
    assert "it would not have done: colima: start the VM (colima start)" in said.out
    assert any(one.endswith(" <") for one in said.out.splitlines())
    assert document["same"]
    (act,) = document["otherwise"]["would_not_have_done"]
    assert ("Act", "start_vm") == (act["kind"], act["remedy"])
    assert [] == document["otherwise"]["would_have_done"]


def test_the_same_settings(machine: Machine) -> None:
    """Nothing would have been decided otherwise: 0."""
    lived(machine)
    said = machine.healer("replay", "last", "--config", str(machine.config))

    assert 0 == said.code
    assert "nothing would have been decided otherwise" in said.out


def test_settings_that_would_act_sooner(machine: Machine) -> None:
    """An act that healer held back, and the other settings would have done."""
    life = Lived(machine, MacClock(), "run-1")
    life.all_well()
    for _ in range(2):
        life.take(Observed(Observation(Layer.COLIMA, (STOPPED,))), 1.0)
    for _ in range(2):
        life.take(Ticked(), 1.0)
    life.take(Observed(Observation(Layer.COLIMA, (STOPPED,))), 9.0)
    life.all_well()
    life.journal.close()
    other = machine.home / "other.toml"
    other.write_text('[confirm."colima.stopped"]\nover = "1s"\n')
    said = machine.healer("replay", "last", "--config", str(other))

    assert 1 == said.code
    assert any(" > colima     acting: start the VM" in one for one in said.out.splitlines())
    assert "at other times" in said.out


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "other.toml"),
        ("[confirm.x]\n", "confirm.x"),
    ],
)
def test_settings_that_are_wrong(machine: Machine, text: str | None, words: str) -> None:
    """78, with every problem, before anything is run."""
    lived(machine)
    other = machine.home / "other.toml"
    if text is not None:
        other.write_text(text)
    said = machine.healer("replay", "last", "--config", str(other))

    assert (78, "") == (said.code, said.out)
    assert words in said.err


def test_it_imports_no_client(machine: Machine) -> None:
    """A journal can be replayed anywhere, quickly."""
    lived(machine)
    script = (
        "import sys, healer.cli\n"
        "code = healer.cli.main(['replay', 'last'])\n"
        "print('MODULES', *sys.modules)\n"
        "sys.exit(code)"
    )
    ran = run_python(machine, script)

    assert 0 == ran.returncode, ran.stderr
    assert set() == set(ran.stdout.rpartition("MODULES")[2].split()) & NEVER


def test_a_long_incident_is_announced(machine: Machine) -> None:
    """Whoever waits for more than a second is told for what, on stderr."""
    lived(machine)
    script = (
        "import sys, healer.cli, healer.cli.replay as replay\n"
        "replay._LONG = 10\n"
        "sys.exit(healer.cli.main(['replay', 'last', '--json']))"
    )
    ran = run_python(machine, script)

    assert 0 == ran.returncode
    assert ran.stderr.startswith("running ")
    assert ran.stderr.endswith(" facts again …\n")


def test_help_names_it(machine: Machine) -> None:
    """In the list of commands, and by itself with its flags."""
    own = machine.healer("replay", "--help")

    assert "replay" in machine.healer("--help").out
    assert (0, True) == (own.code, all(one in own.out for one in ("--config", "--json", "last")))

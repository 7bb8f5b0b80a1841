"""Who is asked for the API server's port, and in which order (design §10)."""

from dataclasses import replace
from pathlib import Path

import pytest

from healer.adapters.api_port import API_PORT, ApiPort
from healer.adapters.journal import SqliteJournal
from healer.core.ledger import Ledger
from healer.engine.quiet import Snapshot
from healer.model.container import PortBinding
from healer.ports import JournalError, Memory, TargetIll
from tests.fakes.engine import UP, FakeEngine
from tests.fakes.guest import WELL, FakeGuest
from tests.fakes.mac_clock import MacClock

DEAD = TargetIll("docker.sock", "Connection refused")
ELSEWHERE = replace(UP, ports=(PortBinding(6443, "0.0.0.0", 55_001),))


def port_of(engine: FakeEngine, guest: FakeGuest, memory: Memory) -> ApiPort:
    """As the wiring makes it."""
    return ApiPort(engine, guest, memory, 6443)


def dead() -> FakeEngine:
    """A docker.sock that refuses."""
    engine = FakeEngine()
    engine.faults["container"] = DEAD
    return engine


async def test_dockers_binding_decides() -> None:
    """Nobody else is asked, whatever was known before."""
    guest = FakeGuest(replace(WELL, api_port=3))

    assert (
        55_001 == await port_of(FakeEngine(ELSEWHERE), guest, Snapshot(Ledger(), {API_PORT: "2"}))()
    )


async def test_what_was_known_last_comes_before_the_vm() -> None:
    """A dead docker.sock does not make the API unreachable."""
    guest = FakeGuest(replace(WELL, api_port=3))

    assert 55_001 == await port_of(dead(), guest, Snapshot(Ledger(), {API_PORT: "55001"}))()


async def test_the_vms_own_docker_is_asked_by_ssh() -> None:
    """Nothing was ever known: the VM knows."""
    guest = FakeGuest(replace(WELL, api_port=55_002))

    assert 55_002 == await port_of(dead(), guest, Snapshot(Ledger(), {}))()


async def test_nobody_knows() -> None:
    """None: the kubeconfig's port is the last resort."""
    guest = FakeGuest()
    guest.die()

    assert await port_of(dead(), guest, Snapshot(Ledger(), {}))() is None


@pytest.mark.parametrize("kept", ["", "no port", "-1", "99999", "٣"])
async def test_a_memory_that_makes_no_sense_is_not_believed(kept: str) -> None:
    """The next in the order is asked."""
    guest = FakeGuest(replace(WELL, api_port=55_002))

    assert 55_002 == await port_of(dead(), guest, Snapshot(Ledger(), {API_PORT: kept}))()


async def test_a_port_outlives_the_run_that_learnt_it(tmp_path: Path) -> None:
    """Written once, not at each look."""
    journal = SqliteJournal.open(tmp_path / "journal.sqlite", MacClock())
    first = port_of(FakeEngine(ELSEWHERE), FakeGuest(), journal)
    await first()
    await first()
    journal.close()

    again = SqliteJournal.open(tmp_path / "journal.sqlite", MacClock())
    assert "55001" == again.known(API_PORT)
    assert 55_001 == await port_of(dead(), FakeGuest(), again)()
    again.close()


async def test_a_broken_journal_costs_the_memory_only() -> None:
    """Docker's answer is used, and the VM is asked when Docker is silent."""

    class Broken:
        def learn(self, word: str, value: str) -> None:
            raise JournalError(f"disk full: {word}={value}")

        def known(self, word: str) -> str | None:
            raise JournalError(f"disk full: {word}")

    guest = FakeGuest(replace(WELL, api_port=55_002))
    assert 55_001 == await port_of(FakeEngine(ELSEWHERE), guest, Broken())()
    assert 55_002 == await port_of(dead(), guest, Broken())()

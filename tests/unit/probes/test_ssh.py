"""The way into the VM."""

from dataclasses import replace

import pytest

from healer.core.observation import Component, Observation, Sign
from healer.core.reasons import Reason
from healer.model.machine import FileSystem, GuestFacts
from healer.ports import CannotLook, Denied, TargetSilent
from healer.probes.asking import (
    API_BY_SSH,
    API_INSIDE,
    BANNER,
    BY_SSH,
    ENGINE_INSIDE,
    GUEST,
    USERNET,
)
from healer.probes.ssh import SshProbe
from tests.fakes.guest import ROOT_DISK, WELL, FakeGuest
from tests.fakes.host import OURS, FakeHost, process
from tests.fakes.host import USERNET as USERNET_PROCESS
from tests.fakes.vm import FakeVm


async def look(
    guest: FakeGuest, host: FakeHost | None = None, vm: FakeVm | None = None
) -> Observation:
    """One look."""
    return await SshProbe(guest, host or FakeHost(), vm or FakeVm(), OURS).look()


async def test_a_vm_that_answers_is_well_and_tells_its_uptime() -> None:
    """One round trip, no banner, and the uptime that the core counts boots by."""
    guest = FakeGuest()

    seen = await look(guest)

    assert seen.well
    assert 7200.0 == seen.uptime
    assert ["facts"] == guest.calls


async def test_one_round_trip_witnesses_machine_engine_and_api() -> None:
    """What the VM says of its engine and of the API are signs by ssh."""
    seen = await look(FakeGuest(replace(WELL, engine_answers=False, api_answers=False)))

    assert (
        Sign(GUEST, BY_SSH, alive=True),
        Sign(ENGINE_INSIDE, BY_SSH | {Component.DOCKERD}, alive=False),
        Sign(API_INSIDE, API_BY_SSH, alive=False),
    ) == seen.signs


async def test_an_api_that_was_not_asked_is_no_sign() -> None:
    """Not asked is neither life nor death."""
    seen = await look(FakeGuest(replace(WELL, api_answers=None)))

    assert API_INSIDE not in {one.what for one in seen.signs}


async def test_a_hung_guest_is_unreachable() -> None:
    """Neither ssh nor a banner: both are silent for one cause, which is not usernet."""
    guest = FakeGuest()
    guest.die()

    seen = await look(guest)

    assert [Reason.SSH_UNREACHABLE] == [one.reason for one in seen.findings]
    assert (
        Sign(GUEST, BY_SSH, alive=False),
        Sign(BANNER, BY_SSH, alive=False),
        Sign(USERNET, frozenset({Component.USERNET}), alive=True),
    ) == seen.signs
    assert seen.uptime is None


async def test_a_banner_is_life_even_when_ssh_fails() -> None:
    """A guest whose sshd speaks is alive, so the VM's power is out of question."""
    guest = FakeGuest()
    guest.die()
    guest.faults.pop("banner")

    seen = await look(guest)

    assert [Reason.SSH_UNREACHABLE] == [one.reason for one in seen.findings]
    assert "SSH-2.0-OpenSSH_9.6p1" in seen.findings[0].evidence
    assert Sign(BANNER, BY_SSH, alive=True) in seen.signs


async def test_a_refused_key_is_unreachable_and_alive() -> None:
    """Whoever refuses us lives."""
    guest = FakeGuest()
    guest.faults["facts"] = Denied("ssh", "Permission denied (publickey)")

    seen = await look(guest)

    assert [Reason.SSH_UNREACHABLE] == [one.reason for one in seen.findings]
    assert all(one.alive for one in seen.signs)


async def test_no_way_to_ask_is_unknown() -> None:
    """Without ssh or its configuration nothing is known of the VM."""
    guest = FakeGuest()
    guest.faults["facts"] = CannotLook("ssh.config", "no such file")

    seen = await look(guest)

    assert ((), (), "ssh.config: no such file") == (seen.findings, seen.signs, seen.unknown)


def filled(used: float) -> GuestFacts:
    """The data disk is used so far; the root's has room."""
    data = FileSystem("/dev/vdb1", used, ("/var/lib/docker", "/mnt"))
    return replace(WELL, disks=(ROOT_DISK, data))


@pytest.mark.parametrize(
    ("facts", "reason", "words"),
    [
        (replace(WELL, clock=WELL.asked_at - 90.0), Reason.CLOCK_SKEW, "90.0 s behind"),
        (replace(WELL, clock=WELL.asked_at + 5.5), Reason.CLOCK_SKEW, "5.5 s ahead of"),
        (filled(0.87), Reason.VM_DISK, "in the VM /var/lib/docker, /mnt (/dev/vdb1) 87% full"),
    ],
)
async def test_a_skewed_clock_and_a_full_disk_are_reported(
    facts: GuestFacts, reason: Reason, words: str
) -> None:
    """They are advice with the number seen, and the layer stays well."""
    seen = await look(FakeGuest(facts))

    assert seen.well
    assert [reason] == [one.reason for one in seen.findings]
    assert words in seen.findings[0].evidence


@pytest.mark.parametrize("facts", [replace(WELL, clock=WELL.asked_at - 5.0), filled(0.8)])
async def test_the_limits_themselves_are_well(facts: GuestFacts) -> None:
    """5 s and 80 % are not yet too much."""
    assert () == (await look(FakeGuest(facts))).findings


async def test_leaked_usernets_are_counted_by_program_and_not_by_text() -> None:
    """Three are a leak; a shell that only talks of them is none (incidents, P3)."""
    host = FakeHost()
    host.table = [
        process(599, USERNET_PROCESS, age=900.0),
        process(700, f"bash -lc ps | rg '{USERNET_PROCESS}'"),
        process(601, USERNET_PROCESS, age=60.0),
    ]
    assert () == (await look(FakeGuest(), host)).findings

    host.table.append(process(602, USERNET_PROCESS, age=300.0))
    seen = await look(FakeGuest(), host)

    assert seen.well
    assert [Reason.USERNET_LEAK] == [one.reason for one in seen.findings]
    assert "youngest first: 601, 602, 599" in seen.findings[0].evidence


async def test_usernets_of_others_are_no_leak() -> None:
    """Ending them would cut the network of another user's, or of another root's, VM."""
    host = FakeHost()
    elsewhere = USERNET_PROCESS.replace("/.colima/_lima/", "/.lima/")
    host.table = [
        *(process(600 + one, USERNET_PROCESS, uid=502) for one in range(5)),
        *(process(700 + one, elsewhere) for one in range(5)),
        process(800, USERNET_PROCESS),
    ]

    assert () == (await look(FakeGuest(), host)).findings


async def test_an_unseen_process_list_hides_only_the_leak() -> None:
    """The VM is judged without it."""
    host = FakeHost()
    host.faults["processes"] = CannotLook("process table", "denied")

    assert (await look(FakeGuest(), host)).well


async def test_usernet_is_asked_for_itself_when_ssh_is_silent() -> None:
    """Its death explains the silence, and a running VM gets no other."""
    guest, vm = FakeGuest(), FakeVm()
    guest.die()
    vm.faults["usernet"] = TargetSilent("user-v2_ep.sock", "usernet gave no answer within 3 s")
    seen = await look(guest, vm=vm)

    assert Sign(USERNET, frozenset({Component.USERNET}), alive=False) in seen.signs
    assert "usernet gave no answer" in seen.findings[0].evidence
    assert "colima stop --force" in seen.findings[0].advice
    vm.faults["usernet"] = CannotLook("user-v2_ep.sock", "No such file")
    assert USERNET not in {one.what for one in (await look(guest, vm=vm)).signs}

"""A reboot of the simulated tower, healed by the real engine, and who is woken by it."""

from collections.abc import Mapping
from datetime import UTC

import anyio

from healer.adapters.journal import SqliteJournal
from healer.engine.passing import Ended, Pass
from healer.notices.rules import Rules
from healer.notices.service import Around, Notices, Setup
from healer.settings import Settings
from healer.settings.policy import policy_of
from healer.simulation.happenings import healthy_tower, mac_reboot
from healer.simulation.mac_ports import OURS
from healer.simulation.virtual_time import run_virtually
from healer.wiring.parts import OurChildren, parts_of
from healer.wiring.simulated import simulated_outside
from tests.fakes.channel import FakeChannel
from tests.unit.engine.tower import LoopClock
from tests.unit.notices.test_delivering import Heard


def rebooted(rules: Rules) -> tuple[FakeChannel, Ended]:
    """Heal it, with a channel that hears what a human would hear."""
    channel = FakeChannel()

    def nothing() -> Mapping[str, str]:
        return {}

    async def night() -> Ended:
        tower = healthy_tower(anyio.current_time)
        mac_reboot(tower)
        journal = SqliteJournal.in_memory(LoopClock())
        around = Around(journal.notices, LoopClock(), Heard().hooks, nothing, UTC)
        notices = Notices(Setup([channel], rules), around)
        parts = parts_of(
            simulated_outside(tower), Settings(), journal, notices, OurChildren(journal, OURS)
        )
        policy = policy_of(Settings(), run="reboot", one_pass=True)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(notices.run)
            ended = await Pass(parts, policy).run(1200.0)
            await anyio.sleep(5.0)
            tasks.cancel_scope.cancel()
        journal.close()
        return ended

    return channel, run_virtually(night)


def test_a_reboot_that_healer_heals_wakes_nobody() -> None:
    """Five causes, healed one after another in minutes: progress all the way (design §2)."""
    channel, ended = rebooted(Rules())

    assert 0 == ended.exit_code
    assert [] == channel.ids


def test_a_reboot_is_one_notice_and_its_end_for_who_wants_to_hear_at_once() -> None:
    """One incident, however many layers and acts: never a notice a layer."""
    channel, ended = rebooted(Rules(opened_after=0.0, reported_after=0.0, healing_at_most=0.0))

    assert 0 == ended.exit_code
    assert ["opened", "resolved"] == [one.rpartition(".")[2] for one in channel.ids]

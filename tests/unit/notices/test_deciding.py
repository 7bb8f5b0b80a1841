"""What a human hears, and when: the real core decides, the notices listen."""

from dataclasses import replace

import pytest

from healer.core.facts import IncidentResolved, Outcome, Pause, Paused, WasReset, Woke
from healer.core.ledger import Attempt, Incident, Ledger
from healer.core.observation import Finding, ForeignOperation, Observation
from healer.core.reasons import Reason
from healer.core.tower import Layer
from healer.core.world import Trouble, World
from healer.model.notice import Kind
from healer.notices.deciding import Desk
from healer.notices.incidents import due
from healer.notices.rules import Rules
from tests.unit.adapters.journal_acts import an_untaint
from tests.unit.core.night import POLICY, ill, well
from tests.unit.notices.watched import DAY, Watched

NO_ENDPOINTS = ill(Reason.SERVICE_NO_ENDPOINTS, evidence="redis: 0 endpoints")
TAINTED = ill(Reason.NODE_TAINTED, evidence="the taint is back")
MISSING = ill(Reason.COLIMA_MISSING, evidence="no VM")


def test_a_healthy_tower_is_silent() -> None:
    """A day without trouble is a day without a word."""
    night = Watched()
    night.run(DAY, every=300.0)

    assert [] == night.heard


def test_what_is_healed_at_once_is_not_told() -> None:
    """A taint that is removed within the minute wakes nobody."""
    night = Watched().see(TAINTED)
    night.run(10.0)
    night.finish().see(well(Layer.NODE))
    night.run(1200.0, every=20.0)

    assert 1 == len(night.acts)
    assert [] == night.heard


def test_a_blip_without_a_remedy_is_not_told() -> None:
    """A pod that restarts leaves its service without an endpoint for some seconds."""
    night = Watched().see(NO_ENDPOINTS)
    night.run(20.0)
    night.see(well(Layer.SERVICES))
    night.run(600.0)

    assert [] == night.heard


def test_what_has_no_remedy_is_told_soon_with_evidence_and_advice() -> None:
    """30 s after its confirmation, for there is nothing to wait for."""
    night = Watched().see(NO_ENDPOINTS)
    opened = night.now + 30.0
    night.run(120.0)

    notice = night.one(Kind.OPENED)
    assert [opened + 30.0] == night.at(Kind.OPENED)
    assert ("services", "services.no_endpoints") == (notice.layer, notice.reason)
    assert "redis: 0 endpoints" == notice.evidence
    assert "no ready pod stands behind the service" == notice.advice
    assert "services no endpoints: not healed" == notice.title
    for words in (notice.evidence, notice.advice, "Tried: nothing."):
        assert words in notice.text


def test_it_is_told_once_for_ever() -> None:
    """Two days of the same outage are one page."""
    night = Watched().see(MISSING)
    night.run(60.0)
    night.run(2 * DAY, every=600.0)

    assert [Kind.OPENED] == night.kinds


def test_a_resolution_is_told_once_with_its_length() -> None:
    """Who was called is called off."""
    night = Watched().see(MISSING)
    night.run(300.0)
    night.see(well(Layer.COLIMA))
    night.run(600.0)

    assert [Kind.OPENED, Kind.RESOLVED] == night.kinds
    resolved = night.one(Kind.RESOLVED)
    assert "colima missing: resolved after 5 min" == resolved.title
    assert "Nothing that healer did was seen to help." in resolved.text
    assert night.one(Kind.OPENED).incident == resolved.incident


def test_a_second_outage_ten_minutes_later_pages_again() -> None:
    """A latch that is not let go on recovery hid new outages (facts/incidents.md, T16)."""
    night = Watched()
    for _ in range(2):
        night.see(MISSING)
        night.run(300.0)
        night.see(well(Layer.COLIMA))
        night.run(600.0)

    assert [Kind.OPENED, Kind.RESOLVED] * 2 == night.kinds
    assert 2 == len({one.incident for _, one in night.heard})


def test_the_upper_layers_are_one_notice_with_their_root() -> None:
    """One root cause, one notice, however much it drags down."""
    night = Watched().see(ill(Reason.DOCKER_SILENT), NO_ENDPOINTS, MISSING)
    night.run(600.0)

    assert [Kind.OPENED] == night.kinds
    assert "colima.missing" == night.one(Kind.OPENED).reason
    assert "Cannot be judged meanwhile: docker, services." in night.one(Kind.OPENED).text


def test_a_remedy_under_way_is_waited_for_up_to_a_bound() -> None:
    """A VM's start takes minutes; a human hears of one that takes a quarter of an hour."""
    night = Watched().see(ill(Reason.COLIMA_STOPPED, evidence="Stopped"))
    night.run(890.0)
    assert [] == night.heard

    night.run(60.0)
    opened = night.one(Kind.OPENED)
    assert "start the VM (colima start): under way." in opened.text


def test_progress_without_an_end_is_told_after_a_quarter_of_an_hour() -> None:
    """Remedies that end every minute and heal nothing are no healing."""
    finding = Finding(Reason.NODE_TAINTED, "the taint is back")
    trouble = Trouble(finding, 0.0, 0.0, 0.0, 9)
    incident = Incident("i-1", 0.0, frozenset({Layer.NODE}))
    act = replace(an_untaint(), incident="i-1")
    ledger = Ledger((Attempt(act, 830.0, Outcome.FAILED, 840.0, verified=False),))
    world = World(ledger=ledger, incidents=(incident,), last_progress=840.0)

    assert 900.0 == due(world, incident, (trouble,), 0.0, Rules())
    earlier = replace(world, last_progress=400.0)
    assert 520.0 == due(earlier, incident, (trouble,), 0.0, Rules())


def test_an_incident_is_told_when_a_remedy_failed_and_nothing_follows_for_a_while() -> None:
    """Two minutes of quiet after the last progress."""
    night = Watched().see(TAINTED)
    night.run(6.0)
    assert 1 == len(night.acts)
    while Kind.OPENED not in night.kinds:
        night.finish(Outcome.FAILED)
        night.run(10.0)
        assert night.now < 1000.0 + 1200.0

    assert "remove the control-plane taint: it did not help." in night.one(Kind.OPENED).text


def test_a_hold_is_told_at_once() -> None:
    """A spent ladder holds the layer: nothing more comes for half an hour (R34)."""
    night = Watched(when=Rules(opened_after=10_000, healing_at_most=10_000))
    night.see(TAINTED)
    while not night.heard:
        night.run(10.0)
        night.finish(Outcome.DONE)
        assert night.now < 9000.0

    assert [Kind.OPENED] == night.kinds
    assert "node: no further try for" in night.one(Kind.OPENED).text


def gave_up_night() -> Watched:
    """Three spent ladders in a row."""
    night = Watched().see(TAINTED)
    while Kind.GAVE_UP not in night.kinds:
        night.run(60.0, every=20.0)
        night.finish(Outcome.DONE)
        assert night.now < 5 * DAY
    return night


def test_a_give_up_is_told_once() -> None:
    """With what was tried, why it ended, and how to let it be tried again (I13)."""
    night = gave_up_night()
    night.run(DAY, every=600.0)

    assert 1 == night.kinds.count(Kind.GAVE_UP)
    assert 1 == night.kinds.count(Kind.OPENED)
    notice = night.one(Kind.GAVE_UP)
    assert "node tainted: healer gave up" == notice.title
    assert "healer reset node" in notice.text
    assert "healer advice prints the patch" in notice.advice


def test_a_give_up_that_was_reset_in_vain_is_not_told_again() -> None:
    """Once each per incident: who resets is looking."""
    night = gave_up_night()
    night.tell(WasReset(None))
    for _ in range(150):
        night.run(120.0, every=40.0)
        night.finish(Outcome.DONE)

    assert 1 == night.kinds.count(Kind.GAVE_UP)


def test_a_give_up_is_found_again_after_a_crash_that_lost_its_notice() -> None:
    """The world of a new run holds it, though no decision is made anew."""
    before = gave_up_night()
    ledger = replace(before.world.ledger, incidents=before.world.incidents)
    night = Watched(ledger=ledger, now=before.now).see(TAINTED)
    night.run(120.0)

    assert [Kind.GAVE_UP] == night.kinds
    assert before.one(Kind.GAVE_UP).id == night.one(Kind.GAVE_UP).id


def test_what_an_earlier_run_told_is_not_told_again() -> None:
    """A restart in the middle of an outage says nothing new."""
    before = Watched().see(MISSING)
    before.run(300.0)
    ledger = Ledger(incidents=before.world.incidents)
    night = Watched(ledger=ledger, now=before.now + 60.0, desk=Desk(before.desk.told))
    night.see(MISSING)
    night.run(3600.0, every=60.0)
    assert [] == night.heard

    night.see(well(Layer.COLIMA))
    night.run(60.0)
    assert [Kind.RESOLVED] == night.kinds


def test_an_incident_left_open_by_an_earlier_run_gets_its_time_anew() -> None:
    """Hours without a healer are not hours in which it could not heal."""
    before = Watched().see(TAINTED)
    before.run(10.0)
    ledger = Ledger(incidents=before.world.incidents)
    night = Watched(
        ledger=ledger, now=before.now + 8 * 3600.0, policy=replace(POLICY, run="second")
    )
    night.see(TAINTED)
    night.run(10.0)
    night.finish().see(well(Layer.NODE))
    night.run(300.0)

    assert [] == night.heard


def test_a_sleep_in_the_middle_of_an_incident_tells_nothing_by_itself() -> None:
    """Eight hours asleep, and well within the minute after it (I16)."""
    night = Watched().see(NO_ENDPOINTS)
    night.run(32.0)
    assert 1 == len(night.world.incidents)
    night.now += 8 * 3600.0
    night.tell(Woke(60.0))
    night.run(50.0)
    night.see(well(Layer.SERVICES))
    night.run(300.0)

    assert [] == night.heard


def test_while_a_human_paused_it_nobody_is_called() -> None:
    """Who said hands off is looking; what is still ill after the pause is told."""
    night = Watched().see(NO_ENDPOINTS)
    night.run(10.0)
    night.tell(Paused(Pause(None, night.now + 3600.0, "joel", "maintenance")))
    night.run(3500.0, every=10.0)
    assert [] == night.heard

    night.run(600.0, every=10.0)
    assert [Kind.OPENED] == night.kinds


def test_blindness_is_told_after_a_quarter_of_an_hour_once_a_day() -> None:
    """A missing limactl once hid a six-day outage from everybody (facts/incidents.md, 1)."""
    night = Watched(now=0.0)
    night.see(Observation(Layer.COLIMA, unknown="limactl is not on the PATH"))
    night.see(Observation(Layer.SSH, unknown="not asked"))
    night.run(880.0, every=10.0)
    assert [] == night.heard

    night.run(2 * DAY, every=600.0)
    assert [Kind.IMPAIRED] * 3 == night.kinds
    first = night.heard[0][1]
    assert "healer is impaired: colima" == first.title
    assert "limactl is not on the PATH" == first.evidence


def test_a_short_blindness_is_not_told() -> None:
    """It begins anew each time."""
    night = Watched()
    for _ in range(20):
        night.see(Observation(Layer.COLIMA, unknown="silent"))
        night.run(600.0, every=50.0)
        night.see(well(Layer.COLIMA))
        night.run(60.0, every=10.0)

    assert [] == night.heard


def test_a_blindness_that_the_mac_slept_through_is_not_told() -> None:
    """Time slept is no time in which healer could have looked: one lost answer before it is one."""
    night = Watched().see(Observation(Layer.COLIMA, unknown="ha.sock: no answer within 3 s"))
    night.run(10.0)
    night.sleep(15 * 3600.0)
    night.run(60.0, every=10.0)
    assert [] == night.heard

    night.run(900.0, every=10.0)
    assert [Kind.IMPAIRED] == night.kinds


def test_a_lost_journal_is_told() -> None:
    """A full disk keeps healer running, and it says so (facts/incidents.md, T14)."""
    night = Watched(problems={"journal": "disk full; free space on its disk: df -h /state"})
    night.run(1000.0, every=10.0)

    assert "healer is impaired: journal" == night.one(Kind.IMPAIRED).title
    assert "df -h /state" in night.one(Kind.IMPAIRED).text


def test_the_pause_after_our_own_crashes_is_told() -> None:
    """No incident opens while healer only looks, so a human must hear of that itself."""
    night = Watched()
    night.tell(Paused(Pause(None, night.now + 1800.0, "healer", "healer crashed 3 times")))
    night.run(1000.0, every=10.0)

    assert "healer crashed 3 times" == night.one(Kind.IMPAIRED).evidence


def test_what_recurs_three_times_a_day_is_told_with_its_cure() -> None:
    """Healed each time within seconds, so nothing else would ever say so (design §4.6)."""
    night = Watched(now=0.0)
    for _ in range(5):
        night.see(TAINTED)
        night.run(10.0)
        night.finish().see(well(Layer.NODE))
        night.run(1200.0, every=10.0)

    assert [Kind.RECURRING] == night.kinds
    notice = night.one(Kind.RECURRING)
    assert "node tainted: 3 times within a day" == notice.title
    assert "healer advice prints the patch" in notice.advice


def test_twice_a_day_does_not_recur() -> None:
    """Counted within 24 hours, not from midnight, and forgotten after them."""
    night = Watched()
    for _ in range(6):
        night.see(TAINTED)
        night.run(10.0)
        night.finish().see(well(Layer.NODE))
        night.run(DAY / 2 + 600.0, every=300.0)

    assert [] == night.heard


def test_one_incident_with_many_acts_for_one_reason_is_one_recurrence() -> None:
    """A ladder that takes three tries is one fault."""
    night = Watched().see(TAINTED)
    for _ in range(40):
        night.run(10.0)
        night.finish(Outcome.FAILED)

    assert 3 <= len(night.acts)
    assert Kind.RECURRING not in night.kinds


def test_a_desk_forgets_what_can_come_up_no_more() -> None:
    """A year of a daemon, with what is open kept for ever."""
    night = Watched().see(MISSING)
    night.run(300.0)
    open_one = night.one(Kind.OPENED)
    old = [replace(open_one, incident=f"old-{number}") for number in range(600)]
    night.desk = night.desk.with_told(old)
    night.now += 10 * DAY
    night.run(10.0)

    assert [(open_one.incident, Kind.OPENED)] == list(night.desk.told)
    assert [Kind.OPENED] == night.kinds


@pytest.mark.parametrize("reason", [Reason.VM_DISK, Reason.POD_CRASH_LOOP])
def test_an_advisory_never_pages(reason: Reason) -> None:
    """It is for the digest."""
    night = Watched().see(ill(reason))
    night.run(3600.0, every=30.0)

    assert [] == night.kinds


def theirs(command: str = "colima start") -> Observation:
    """Somebody's command, in the process list since a moment ago."""
    return Observation(Layer.HOST, foreign=(ForeignOperation(Layer.COLIMA, command, 4242, 3.0),))


def test_while_somebody_boots_the_vm_nobody_is_told() -> None:
    """What is ill meanwhile is their start itself; when it is over and well, it never was."""
    night = Watched().see(theirs(), ill(Reason.DOCKER_SILENT), NO_ENDPOINTS)
    night.run(600.0)
    assert [] == night.heard

    night.see(*(well(layer) for layer in Layer))
    night.run(600.0)
    assert [] == night.heard


def test_a_boot_of_somebodys_that_failed_is_told() -> None:
    """As long after its end as any trouble after its beginning."""
    night = Watched().see(theirs(), ill(Reason.DOCKER_SILENT))
    night.run(300.0)
    ended = night.now
    night.see(well(Layer.HOST))
    night.run(300.0)

    assert [Kind.OPENED] == night.kinds
    assert ended + 30.0 <= night.at(Kind.OPENED)[0] <= ended + 35.0


def test_a_boot_of_somebodys_that_lasts_is_told_after_a_quarter_of_an_hour() -> None:
    """And nothing is done all the same."""
    night = Watched().see(theirs(), ill(Reason.COLIMA_STOPPED))
    began = night.now - 3.0
    night.run(1200.0)

    assert [Kind.OPENED] == night.kinds
    assert 895.0 <= night.at(Kind.OPENED)[0] - began <= 905.0
    assert [] == night.acts


def test_an_operation_elsewhere_keeps_no_notice_back() -> None:
    """Somebody's talosctl does not touch the VM."""
    elsewhere = ForeignOperation(Layer.TALOS, "talosctl upgrade", 4242, 3.0)
    night = Watched().see(Observation(Layer.HOST, foreign=(elsewhere,)), MISSING)
    night.run(120.0)

    assert [Kind.OPENED] == night.kinds


def test_a_humans_stop_is_announced_and_is_no_part_of_the_incidents_age() -> None:
    """What will follow and how to keep it so; the incident begins when the patience ends."""
    night = Watched()
    stopped_at = night.now

    def seen() -> Observation:
        return ill(Reason.COLIMA_STOPPED, human_ago=night.now - stopped_at)

    while night.now - stopped_at < 590.0:
        night.see(seen()).run(5.0)
    assert [] == night.acts
    notice = night.one(Kind.OPENED)
    assert "colima stopped by somebody" == notice.title
    assert "healer will start the VM (colima start)." in notice.text
    assert "healer pause --layer colima" in notice.text

    while not night.acts and night.now - stopped_at < 660.0:
        night.see(seen()).run(5.0)
    assert 1 == len(night.acts)
    night.finish().see(*(well(layer) for layer in Layer))
    night.run(600.0, every=5.0)
    assert [Kind.OPENED, Kind.RESOLVED] == night.kinds
    (resolved,) = night.said(IncidentResolved)
    assert resolved.seconds < 180.0

"""The incidents of the past: each is played, or says why it cannot be."""

from healer.drills.incidents import incidents
from healer.drills.library import packaged
from healer.drills.names import names


def test_every_incident_is_played_or_says_why_not() -> None:
    """None is forgotten, and none has both."""
    assert 36 == len(incidents())
    for one in incidents():
        assert bool(one.played_by) is not bool(one.why_not), one


def test_scenarios_name_incidents_that_there_are() -> None:
    """A row of the table is its number."""
    known = {one.number for one in incidents()}

    assert set() == {row for name in names() for row in packaged(name).incidents} - known


def test_they_stand_in_the_order_of_the_table() -> None:
    """Their number is their place; facts/incidents.md §1 is nearly in the order of time."""
    assert list(range(1, 37)) == [one.number for one in incidents()]
    assert "2026-02-21" == incidents()[0].when

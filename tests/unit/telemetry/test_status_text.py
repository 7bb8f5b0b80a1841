"""How a person reads the status."""

from dataclasses import replace
from typing import Any

from healer.core.facts import State
from healer.core.ledger import Hold, Ledger
from healer.core.observation import Finding
from healer.core.reasons import Reason
from healer.core.tower import Layer
from healer.core.world import World
from healer.telemetry.status import About, status_document, status_without
from healer.telemetry.status_text import _MARKS, Paper, status_text
from tests.unit.telemetry.nights import (
    BEGAN,
    POLICY,
    acting,
    failed,
    for_a_while,
    healthy,
    looked,
    paused,
    stopped_by_hand,
)

NOW = BEGAN + 20.0


def text(world: World, now: float = NOW, paper: Paper | None = None, **about: Any) -> str:  # noqa: ANN401  (fields of About)
    """What a daemon of 3 d 4 h says of that world."""
    given = About(**{"version": "0.1.0", "pid": 812, "up": 273_600.0, **about})
    return status_text(status_document(world, now, POLICY, given), paper)


HEALTHY = """\
the tower is well  (healer 0.1.0, pid 812, up 3 d 4 h)
  launchd    ok          20 s   as it should be
  services   ok          20 s   as it should be
  livekit    ok          20 s   as it should be
  pods       ok          20 s   as it should be
  flannel    ok          20 s   as it should be
  node       ok          20 s   as it should be
  apiserver  ok          20 s   as it should be
  talos      ok          20 s   as it should be
  kernel     ok          20 s   as it should be
  docker     ok          20 s   as it should be
  ssh        ok          20 s   as it should be
  colima     ok          20 s   as it should be
  host       ok          20 s   as it should be"""


def test_a_healthy_tower_is_the_tower_and_a_sentence() -> None:
    """Highest layer first, nothing below it."""
    assert HEALTHY == text(healthy())


def test_what_a_human_stopped() -> None:
    """The issue's own example: what will be done when, and why not yet."""
    assert text(stopped_by_hand()).endswith(
        """

incidents:
  talos, open for 0.0 s: stopped: exited (0) 12 s ago

next, unless something changes:
  in 48 s      talos: start the Talos container (human stopped: stopped on purpose; started after a
               while)"""
    )


def test_an_act_under_way() -> None:
    """For how long, and how long yet at most."""
    said = text(acting(), NOW + 5.0)

    assert "happening now:\n  talos: start the Talos container, for 7.0 s, 53 s more" in said
    assert "talos      healing" in said


def test_what_was_tried() -> None:
    """With how it ended."""
    said = text(failed(), BEGAN + 90.0)

    assert "start the Talos container: failed, did not help (port taken)" in said


def test_pauses_and_how_to_end_them() -> None:
    """With the command."""
    said = text(paused(Layer.PODS, NOW + 1320.0, paused(None, None, healthy())))

    assert "everything, by joel, no end of its own: moving house (`healer resume`)" in said
    assert "pods, by joel, 22 min left: moving house (`healer resume --layer pods`)" in said


def test_holds_advice_and_healers_own_troubles() -> None:
    """A give-up and a report each come with what a human should do."""
    rival = Finding(Reason.RIVAL_LOADED, "com.joel.colima is loaded", advice="launchctl bootout …")
    world = for_a_while(healthy(), NOW, 10.0, rival)
    holds = (
        Hold(Layer.TALOS, Reason.TALOS_STOPPED, NOW + 70.0, "3 runs did not help"),
        Hold(Layer.NODE, Reason.NODE_TAINTED, None, "3 holds"),
    )
    world = replace(world, ledger=replace(world.ledger, holds=holds), grace_until=NOW + 40.0)
    taken = {"http": "127.0.0.1:9464 is taken; set http.port"}
    said = text(world, NOW + 10.0, problems=taken, stalled="probe pods gives no sign of life")

    assert "talos: no act for 1 min more on stopped: 3 runs did not help" in said
    assert "node: gave up on tainted: 3 holds (`healer reset node`)\n    for good: " in said
    assert "host: rival_loaded: com.joel.colima is loaded\n    launchctl bootout …" in said
    assert "healer itself:\n  http: 127.0.0.1:9464 is taken; set http.port\n  probe pods" in said
    assert "badness is expected for 30 s more" in said


def test_somebody_else_at_work() -> None:
    """Why nothing is done meanwhile."""
    said = text(looked(healthy(), NOW, busy="yes"))

    assert "somebody runs `colima start` (pid 4711); healer waits for its end" in said


def test_a_daemon_that_has_just_begun() -> None:
    """It does not say that the tower is ill before it has looked."""
    assert text(World()).startswith("looking for the first time; 13 layers to go  (healer")


def test_without_a_daemon() -> None:
    """Only what the journal knows, and that it is no look."""
    hold = Hold(Layer.NODE, Reason.NODE_TAINTED, None, "3 holds")
    document = status_without(Ledger(holds=(hold,)), NOW, POLICY, version="0.1.0", why="none")

    assert status_text(document).startswith("from the journal alone, without a look:\n\nheld:\n")


def test_no_line_is_wider_than_the_paper() -> None:
    """But for a single word that is."""
    long = Finding(Reason.TALOS_STOPPED, "word " * 100, human_ago=1.0)
    for width in (60, 80, 120):
        said = text(for_a_while(healthy(), NOW, 8.0, long), NOW + 8.0, Paper(width, marks=True))
        assert max(len(line) for line in said.splitlines()) <= width


def test_colours_and_marks_are_for_those_who_can_show_them() -> None:
    """Colour and mark are two things: NO_COLOR keeps the marks."""
    plain = text(acting(), NOW)
    marked = text(acting(), NOW, Paper(marks=True))
    painted = text(acting(), NOW, Paper(colour=True, marks=True))

    assert "⚒" not in plain
    assert "  ⚒ talos      healing" in marked
    assert "\x1b" not in marked
    assert "\x1b[1;36m⚒\x1b[0m talos      \x1b[1;36mhealing" in painted


def test_every_state_has_a_mark() -> None:
    """A new state must be given one."""
    assert {one.value for one in State} == set(_MARKS)

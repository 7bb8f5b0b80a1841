"""The status document: what a running daemon says of itself and of the tower."""

import json
from dataclasses import replace
from typing import Any

from healer.core.facts import Pause
from healer.core.ledger import Hold, Incident, Ledger
from healer.core.observation import Finding
from healer.core.reasons import Reason
from healer.core.tower import Layer
from healer.core.world import World
from healer.telemetry.status import About, status_document, status_without
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
ABOUT = About("0.1.0", 812, 40.0)


def told(world: World, now: float = NOW) -> dict[str, Any]:
    """The document, as a reader gets it."""
    document: dict[str, Any] = json.loads(json.dumps(status_document(world, now, POLICY, ABOUT)))
    return document


def test_every_key_is_there_whatever_there_is_to_say() -> None:
    """A reader need not ask whether one is: with a daemon, in trouble, and without a daemon."""
    without = status_without(Ledger(), NOW, POLICY, version="0.1.0", why="none runs")
    keys = [
        "schema_version",
        "version",
        "pid",
        "up_seconds",
        "ready",
        "unseen",
        "stalled",
        "exit_code",
        "no_daemon_because",
        "no_acts_because",
        "grace_seconds",
        "layers",
        "acting",
        "verifying",
        "others",
        "incidents",
        "next",
        "pauses",
        "holds",
        "advice",
        "problems",
    ]

    assert keys == list(told(healthy())) == list(told(failed())) == list(without)


def test_a_healthy_tower() -> None:
    """Each layer with its state, what was seen, and since when."""
    document = told(healthy())

    assert (0, True, []) == tuple(document[one] for one in ("exit_code", "ready", "unseen"))
    assert [one.value for one in Layer] == [one["layer"] for one in document["layers"]]
    assert {
        "layer": "docker",
        "state": "ok",
        "why": "",
        "summary": "as it should be",
        "for_seconds": 20.0,
    } == document["layers"][3]


def test_a_daemon_that_has_not_looked_yet() -> None:
    """It says which layers are to come, and that it cannot judge."""
    document = told(World())

    assert (3, False, 13) == (document["exit_code"], document["ready"], len(document["unseen"]))


def test_an_act_under_way() -> None:
    """What, for how long, and how long yet at most; its incident names the cause."""
    document = told(acting(), NOW + 5.0)
    (act,), (incident,) = document["acting"], document["incidents"]

    assert ("start_container", "start the Talos container") == (act["remedy"], act["doing"])
    began = NOW + 5.0 - act["for_seconds"]
    cap = POLICY.limits[acting().acting[0].remedy].cap
    assert began + cap == NOW + 5.0 + act["at_most_seconds"]
    assert (["talos"], "stopped") == (incident["layers"], incident["reason"])
    assert "exited (137) 40 s ago" == incident["evidence"]
    assert [None] == [one["outcome"] for one in incident["tried"]]


def test_what_was_tried() -> None:
    """With its outcome, whether it helped, and the words it ended with."""
    (incident,) = told(failed(), BEGAN + 90.0)["incidents"]
    first = incident["tried"][0]

    assert ("failed", False) == (first["outcome"], first["verified"])
    assert "port taken" == first["detail"]


def test_what_a_human_stopped_is_announced() -> None:
    """What will be done when, unless something changes."""
    (one,) = told(stopped_by_hand())["next"]

    assert (48.0, "human_stopped") == (one["in_seconds"], one["rule"])
    assert ("talos", "start the Talos container") == (one["layer"], one["would"])


def test_who_paused_what_and_why_and_until_when() -> None:
    """A pause that is over is not told."""
    world = paused(Layer.PODS, NOW + 60.0, paused(None, None, healthy()))
    everything, pods = told(world)["pauses"]

    assert (None, "joel", "moving house", None) == tuple(everything.values())
    assert ("pods", 60.0) == (pods["scope"], pods["ends_in_seconds"])
    assert 1 == len(told(world, NOW + 61.0)["pauses"])


def test_why_nothing_is_done() -> None:
    """A lost journal, or healer's own crashes (design §7); a human's pause is not one of them."""
    crashed = Pause(None, NOW + 60.0, "healer", "healer crashed 3 times: looking only")
    world = replace(healthy(), ledger=Ledger(pauses=(crashed,)))
    lost = status_document(healthy(), NOW, replace(POLICY, no_acts_because="disk full"), ABOUT)

    assert "healer crashed 3 times: looking only" == told(world)["no_acts_because"]
    assert "disk full" == lost["no_acts_because"]
    assert "" == told(paused(None, None, healthy()))["no_acts_because"]


def test_one_hold_a_layer() -> None:
    """The one that counts; a give-up comes with what a human should do."""
    holds = (
        Hold(Layer.TALOS, Reason.TALOS_STOPPED, NOW + 60.0, "3 runs did not help"),
        Hold(Layer.TALOS, Reason.TALOS_STOPPED, None, "3 holds"),
        Hold(Layer.NODE, Reason.NODE_TAINTED, NOW - 1.0, "over"),
    )
    (one,) = told(replace(healthy(), ledger=Ledger(holds=holds)))["holds"]

    assert ("talos", True, None) == (one["layer"], one["gave_up"], one["ends_in_seconds"])


def test_what_a_human_should_know() -> None:
    """Confirmed, and with the command that mends it."""
    rival = Finding(Reason.RIVAL_LOADED, "com.joel.colima is loaded", advice="launchctl bootout …")
    (one,) = told(for_a_while(healthy(), NOW, 10.0, rival), NOW + 10.0)["advice"]

    assert [] == told(healthy())["advice"]
    assert ("rival_loaded", "launchctl bootout …") == (one["reason"], one["advice"])


def test_somebody_else_at_work() -> None:
    """Named, since healer waits for it."""
    (one,) = told(looked(healthy(), NOW, busy="yes"))["others"]

    assert {"command": "colima start", "pid": 4711} == one


def test_without_a_daemon_the_journal_is_told() -> None:
    """Open incidents, pauses and holds; no layer, since nobody looks."""
    ledger = Ledger(
        holds=(Hold(Layer.NODE, Reason.NODE_TAINTED, None, "3 holds"),),
        pauses=(Pause(None, None, "joel", "moving house"),),
        incidents=(Incident("t-i1", NOW - 60.0, frozenset({Layer.TALOS})),),
    )
    document = status_without(ledger, NOW, POLICY, version="0.1.0", why="none runs")

    assert ("none runs", None, 3) == tuple(
        document[one] for one in ("no_daemon_because", "pid", "exit_code")
    )
    assert ([], []) == (document["layers"], document["next"])
    assert (1, 1) == (len(document["holds"]), len(document["pauses"]))
    assert (["talos"], 60.0) == tuple(
        document["incidents"][0][one] for one in ("layers", "open_seconds")
    )

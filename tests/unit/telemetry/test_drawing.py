"""The drawn tower, on a terminal that is a string."""

import io
from dataclasses import replace

import pytest
from rich.console import Console

from healer.core.facts import State
from healer.core.tower import Layer
from healer.telemetry.drawing import DrawnTower, tower_table
from tests.unit.telemetry.decisions import EVERY, REPORTED, told, told_of


def terminal() -> tuple[Console, io.StringIO]:
    """A terminal of 120 columns."""
    screen = io.StringIO()
    return Console(file=screen, force_terminal=True, width=120), screen


def drawn(state: State, *, dry_run: bool = False) -> str:
    """The tower in that state, as plain text."""
    screen = io.StringIO()
    Console(file=screen, width=120).print(tower_table(told_of(state, dry_run=dry_run), 120))
    return screen.getvalue()


@pytest.mark.parametrize("state", list(State))
def test_every_state_is_drawn(state: State) -> None:
    """On a real terminal, with every decision told beside it, and nothing taken for markup."""
    console, screen = terminal()
    with DrawnTower(console) as tower:
        tower.told(told_of(state))
        tower.told(told_of(state))

    assert state.value in screen.getvalue()


def test_the_highest_layer_stands_on_top() -> None:
    """As a person thinks of a tower; one line a layer."""
    lines = drawn(State.OK).splitlines()

    assert [one.value for one in reversed(Layer)] == [line.split()[1] for line in lines]


def test_a_layer_says_what_is_awaited_or_seen() -> None:
    """The act under way, else what is awaited and for how long, else what was seen."""
    rows = {line.split()[1]: line for line in drawn(State.FAILING).splitlines()}

    assert "proof (30 s at most)" in rows["ssh"]
    assert "redis-0 shows Unknown [bold]not markup[/bold]" in rows["pods"]
    assert "could not look" in rows["node"]
    assert "all tools" in rows["host"]
    assert "looking …" in rows["talos"]


def test_a_rehearsal_says_would() -> None:
    """Nobody may take a dry run for an act; the layer is as it was seen."""
    rehearsed = {line.split()[1]: line for line in drawn(State.HEALING, dry_run=True).splitlines()}

    assert "would delete the pod joelclaw/redis-0" in rehearsed["pods"]
    assert "failing" == rehearsed["pods"].split()[2]
    assert "would" not in drawn(State.HEALING)


@pytest.mark.parametrize("width", [60, 80, 120])
@pytest.mark.parametrize("height", [10, 24, 40])
def test_the_drawing_fits_its_terminal(width: int, height: int) -> None:
    """rich cannot erase a row that has scrolled away, so a drawing that is too high leaves it."""
    console = Console(file=io.StringIO(), force_terminal=True, width=width, height=height)
    with DrawnTower(console) as tower:
        long = replace(REPORTED, evidence="kubeconfig: is not there, " * 9)
        for _ in range(20):
            tower.told(replace(told_of(State.FAILING), decisions=(long,)))
        rows = console.render_lines(tower._live.get_renderable(), pad=False)

    text = ["".join(piece.text for piece in row) for row in rows]
    assert len(text) < height
    assert any("redis-0 shows Unknown" in row for row in text) is (height > len(Layer))
    assert f" ✗  {'host':<10}  {'failing':<9}  all tools" in [row.rstrip() for row in text]
    assert max(len(row) for row in text) <= width


def test_what_has_no_words_leaves_no_line() -> None:
    """A refusal that only says what comes first is not drawn as an empty line."""
    console, _ = terminal()
    with DrawnTower(console) as tower:
        tower.told(told(EVERY["Refused in passing"][0], EVERY["VmBooted"][0]))

        assert [] == list(tower._lines)

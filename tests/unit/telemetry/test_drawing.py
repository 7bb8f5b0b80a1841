"""The drawn tower, on a terminal that is a string."""

import io

import pytest
from rich.console import Console

from healer.core.facts import State
from healer.core.tower import Layer
from healer.telemetry.drawing import DrawnTower, tower_table
from tests.unit.telemetry.decisions import EVERY, told, told_of


def terminal() -> tuple[Console, io.StringIO]:
    """A terminal of 120 columns."""
    screen = io.StringIO()
    return Console(file=screen, force_terminal=True, width=120), screen


def drawn(state: State, *, dry_run: bool = False) -> str:
    """The tower in that state, as plain text."""
    screen = io.StringIO()
    Console(file=screen, width=120).print(tower_table(told_of(state, dry_run=dry_run)))
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
    """Nobody may take a dry run for an act."""
    assert "would delete the pod joelclaw/redis-0" in drawn(State.HEALING, dry_run=True)
    assert "would" not in drawn(State.HEALING)


def test_what_has_no_words_leaves_no_line() -> None:
    """A refusal that only says what comes first is not drawn as an empty line."""
    console, _ = terminal()
    with DrawnTower(console) as tower:
        tower.told(told(EVERY["Refused in passing"][0], EVERY["VmBooted"][0]))

        assert [] == list(tower._lines)

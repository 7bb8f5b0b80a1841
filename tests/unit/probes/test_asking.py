"""Errors as values."""

import anyio
import pytest

from healer.core.observation import Component, Sign
from healer.ports import CannotLook, Conflict, Denied, NotThere, TargetIll, TargetSilent
from healer.probes.asking import ask, ask_both, witness


async def test_two_are_asked_at_one_time() -> None:
    """Each waits for the other to have begun, so asking in turn would never end."""
    first_began, second_began = anyio.Event(), anyio.Event()

    async def first() -> int:
        first_began.set()
        await second_began.wait()
        return 1

    async def second() -> str:
        second_began.set()
        await first_began.wait()
        raise TargetIll("second", "refused")

    one, two = await ask_both(first, second)

    assert 1 == one
    assert isinstance(two, TargetIll)


async def test_only_errors_of_ports_become_values() -> None:
    """A fault of our own is no answer of a target."""

    async def broken() -> None:
        raise KeyError("ours")

    with pytest.raises(KeyError, match="ours"):
        await ask(broken)


@pytest.mark.parametrize(
    ("answer", "alive"),
    [
        ("SSH-2.0-x", True),
        (None, True),
        (Denied("x", "403"), True),
        (TargetIll("x", "refused"), False),
        (TargetSilent("x", "silent"), False),
        (CannotLook("x", "no tool"), None),
        (NotThere("x", "gone"), None),
        (Conflict("x", "changed"), None),
    ],
)
def test_each_answer_is_life_death_or_nothing(answer: object, alive: bool | None) -> None:  # noqa: FBT001 (a table of truths)
    """An answer or a refusal is life, illness is death, and not having looked is neither."""
    expected = () if alive is None else (Sign("x", frozenset({Component.MUX}), alive),)

    assert expected == witness(answer, frozenset({Component.MUX}), "x")

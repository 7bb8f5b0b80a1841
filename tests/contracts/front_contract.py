"""What ports.FrontEyes promises of Caddy and the funnel, real or simulated."""

from collections.abc import Awaitable, Callable
from typing import Final, Protocol

import pytest

from healer.model.front import CaddyUrl, WantedFunnel
from healer.model.front_findings import funnel_fault
from healer.ports import CannotLook, FrontEyes, TargetIll, TargetSilent

WANTED: Final = WantedFunnel()


class World(Protocol):
    """Caddy and Tailscale of one Mac, each made to behave in one way."""

    @property
    def eyes(self) -> FrontEyes:
        """What is under test."""
        ...

    async def good(self) -> CaddyUrl:
        """A URL that answers as configured, with a certificate that verifies."""
        ...

    async def wrong(self) -> CaddyUrl:
        """A URL that says 404."""
        ...

    async def orphaned(self) -> CaddyUrl:
        """A URL whose backend is dead."""
        ...

    async def untrusted(self) -> CaddyUrl:
        """A URL that answers as configured, with a certificate that has ended."""
        ...

    async def refusing(self) -> CaddyUrl:
        """A URL at which nobody listens."""
        ...

    async def funnel(self, how: str) -> None:
        """Make it `on`, `off`, `elsewhere` or `hung`."""
        ...


Check = Callable[[World], Awaitable[None]]


async def a_good_url_has_nothing_to_be_said_of(world: World) -> None:
    """Neither of its words nor of its certificate."""
    said = await world.eyes.url(await world.good())
    assert ("", "", "") == (said.wrong, said.untrusted, said.unjudged)
    assert said.said.startswith("HTTP 200")


async def a_wrong_answer_is_told_by_its_status(world: World) -> None:
    """And it is an answer: Caddy lives."""
    assert (await world.eyes.url(await world.wrong())).wrong.startswith("HTTP 404")


async def a_dead_backend_is_caddys_502(world: World) -> None:
    """Wrong, whatever status is configured."""
    assert (await world.eyes.url(await world.orphaned())).wrong.startswith("HTTP 502")


async def a_bad_certificate_is_told_beside_the_answer(world: World) -> None:
    """Two things can be wrong, and one is."""
    said = await world.eyes.url(await world.untrusted())
    assert ("certificate has expired", "") == (said.untrusted, said.wrong)


async def a_refusal_is_evidence(world: World) -> None:
    """Of whoever should listen there, and no silence."""
    with pytest.raises(TargetIll, match="refused") as caught:
        await world.eyes.url(await world.refusing())
    assert not isinstance(caught.value, TargetSilent)


async def a_funnel_is_seen_as_it_is(world: World) -> None:
    """On, off and aimed elsewhere, each time anew."""
    for how, is_right in (("on", True), ("off", False), ("elsewhere", False)):
        await world.funnel(how)
        assert is_right is not bool(funnel_fault(await world.eyes.funnel(), WANTED))


async def a_tool_that_hangs_tells_nothing(world: World) -> None:
    """No finding can come of it."""
    await world.funnel("hung")
    with pytest.raises(CannotLook, match="had not ended"):
        await world.eyes.funnel()


CHECKS: Final[tuple[Check, ...]] = (
    a_good_url_has_nothing_to_be_said_of,
    a_wrong_answer_is_told_by_its_status,
    a_dead_backend_is_caddys_502,
    a_bad_certificate_is_told_beside_the_answer,
    a_refusal_is_evidence,
    a_funnel_is_seen_as_it_is,
    a_tool_that_hangs_tells_nothing,
)

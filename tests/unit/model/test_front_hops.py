"""The hops above a Mac's port, beside the way below it."""

from dataclasses import replace

import pytest

from healer.model.front import (
    DEFAULT_URLS,
    FrontSeen,
    UrlAnswer,
    WantedCaddy,
    WantedFront,
)
from healer.model.front_hops import with_front
from healer.model.funnel import Funnelled
from healer.model.path import Answer, Heard, Hop, Path, Seen, Verdict, walk
from healer.model.published import HOST, PublishedService

WORKER = PublishedService("worker", 3111, "http", "/api/inngest", where=HOST)
REDIS = PublishedService("redis", 6379, "redis")
URL = DEFAULT_URLS[2]
WANTED = WantedFront(WantedCaddy(urls=DEFAULT_URLS))
GOOD = UrlAnswer("HTTP 200")
WELL = FrontSeen(
    running=True,
    answers=((URL, GOOD),),
    funnels=(Funnelled(443, "http://127.0.0.1:3111", is_public=True),),
)


def way(heard: Heard = Heard.SPOKE, service: PublishedService = WORKER) -> Path:
    """The way below the port."""
    return walk(Seen(service, service.host_port, Answer(heard, "HTTP 200")))


def hops(path: Path) -> dict[Hop, Verdict]:
    """Each hop's verdict."""
    return {one.hop: one.verdict for one in path.steps}


def test_the_worker_has_two_ways_in() -> None:
    """Funnel and Caddy stand above the program, and all three are well."""
    path = with_front(way(), WELL, WANTED)

    assert [Hop.FUNNEL, Hop.CADDY, Hop.PROGRAM] == [one.hop for one in path.steps]
    assert Verdict.OK is path.verdict


@pytest.mark.parametrize("seen", [WELL, FrontSeen()])
def test_a_service_without_any_stays_as_it_was(seen: FrontSeen) -> None:
    """And so does the worker where nothing was looked at."""
    path = way(service=REDIS)
    assert path == with_front(path, seen, WANTED)
    assert way() == with_front(way(), FrontSeen(), WANTED)


def test_a_funnel_that_is_off_is_the_broken_hop() -> None:
    """The program is alive beyond it; Caddy stands beside it."""
    funnels = (Funnelled(443, "http://127.0.0.1:3111", is_public=False),)
    path = with_front(way(), replace(WELL, funnels=funnels), WANTED)

    assert path.broken is not None
    assert (Hop.FUNNEL, (Hop.PROGRAM,)) == (path.broken.hop, path.alive_beyond)
    assert "tailscale funnel --bg" in path.broken.command


def test_a_funnel_that_could_not_be_looked_at_is_unseen() -> None:
    """And breaks nothing."""
    path = with_front(way(), replace(WELL, funnels=None, funnel_unseen="it hangs"), WANTED)
    assert (Verdict.UNSEEN, Verdict.OK) == (hops(path)[Hop.FUNNEL], path.verdict)


def test_a_funnel_that_is_missed_is_broken() -> None:
    """Where the settings want one for sure."""
    path = with_front(way(), replace(WELL, funnels=None, funnel_missing="not on PATH"), WANTED)
    assert Verdict.BROKEN is hops(path)[Hop.FUNNEL]


def test_a_dead_caddy_is_broken_and_started_anew() -> None:
    """By its job in launchd."""
    seen = replace(WELL, running=False, answers=(), silent=((URL, "Connection refused"),))
    path = with_front(way(), seen, WANTED)

    assert path.broken is not None
    assert Hop.CADDY is path.broken.hop
    assert "com.joel.caddy" in path.broken.command


@pytest.mark.parametrize(
    ("words", "seen"),
    [
        ("HTTP 404", replace(WELL, answers=((URL, replace(GOOD, wrong="HTTP 404")),))),
        ("no answer", replace(WELL, answers=(), silent=((URL, "no answer"),))),
        ("has expired", replace(WELL, answers=((URL, replace(GOOD, untrusted="has expired")),))),
    ],
)
def test_a_wrong_url_is_broken_above_a_program_that_is_well(words: str, seen: FrontSeen) -> None:
    """With its own words and its command."""
    path = with_front(way(), seen, WANTED)

    assert path.broken is not None
    assert Hop.CADDY is path.broken.hop
    assert words in path.broken.words
    assert "caddy reload" in path.broken.command


def test_above_a_dead_program_caddy_is_not_accused() -> None:
    """Its 502 is the program's silence."""
    seen = replace(WELL, answers=((URL, replace(GOOD, wrong="HTTP 502")),))
    path = with_front(way(Heard.REFUSED), seen, WANTED)

    assert path.broken is not None
    assert (Hop.PROGRAM, Verdict.BLOCKED) == (path.broken.hop, hops(path)[Hop.CADDY])

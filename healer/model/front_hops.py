"""The hops above a Mac's port: the funnel and Caddy, where a way to a service begins with them.

They stand side by side, not one behind the other: each leads to the same port.
"""

from collections.abc import Iterator
from dataclasses import replace

from healer.model.front import CaddyUrl, FrontSeen, WantedCaddy, WantedFront
from healer.model.front_findings import (
    funnel_fault,
    is_down,
    renewal,
    start_command,
    url_command,
)
from healer.model.path import Hop, Path, Step, Verdict


def with_front(path: Path, seen: FrontSeen, wanted: WantedFront) -> Path:
    """The same way, with what was seen above its port."""
    port = path.service.host_port
    if not port:
        return path
    # What carries to a port that is broken itself cannot be judged by what comes back.
    reaches = path.verdict is Verdict.OK
    above = (*_funnel(port, seen, wanted), *_caddy(port, seen, wanted.caddy, reaches=reaches))
    return replace(path, steps=(*above, *path.steps))


def _funnel(port: int, seen: FrontSeen, wanted: WantedFront) -> Iterator[Step]:
    if wanted.funnel.leads_to != port:
        return
    if seen.funnel_missing:
        yield Step(Hop.FUNNEL, Verdict.BROKEN, seen.funnel_missing, command=wanted.funnel.command)
    elif seen.funnels is not None:
        fault = funnel_fault(seen.funnels, wanted.funnel)
        words = fault or f"{wanted.funnel.port} to {wanted.funnel.target}"
        verdict = Verdict.BROKEN if fault else Verdict.OK
        yield Step(Hop.FUNNEL, verdict, words, command=wanted.funnel.command if fault else "")
    elif seen.funnel_unseen:
        yield Step(Hop.FUNNEL, Verdict.UNSEEN, seen.funnel_unseen)


def _caddy(port: int, seen: FrontSeen, wanted: WantedCaddy, *, reaches: bool) -> Iterator[Step]:
    if is_down(seen) and any(one.port == port for one in wanted.urls):
        words = "no `caddy run` is in the process list"
        yield Step(Hop.CADDY, Verdict.BROKEN, words, command=start_command(wanted))
        return
    for one, answer in seen.answers:
        if one.port != port:
            continue
        if answer.wrong:
            yield _wrong(one, answer.wrong, wanted, reaches=reaches)
        elif answer.untrusted:
            words = f"{one.url}: the certificate does not verify: {answer.untrusted}"
            yield Step(Hop.CADDY, Verdict.BROKEN, words, command=renewal(one.name, wanted))
        else:
            yield Step(Hop.CADDY, Verdict.OK, f"{one.url}: {answer.said}")
    for one, why in seen.silent:
        if one.port == port:
            yield _wrong(one, why, wanted, reaches=reaches)


def _wrong(one: CaddyUrl, why: str, wanted: WantedCaddy, *, reaches: bool) -> Step:
    """Caddy is accused only of what a well program behind it does not explain."""
    words = f"{one.url}: {why}"
    if not reaches:
        return Step(Hop.CADDY, Verdict.BLOCKED, words)
    return Step(Hop.CADDY, Verdict.BROKEN, words, command=url_command(one, wanted))

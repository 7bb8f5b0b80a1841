"""A look at what stands in front of the Mac's ports; every finding of it is advisory.

It is the services' look that carries it, and only when that one has seen all well: what is
ill is told before anybody waits for Caddy or Tailscale, and a dead backend is not their fault.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Final

import anyio

from healer.core.observation import Finding, Observation
from healer.model.front import CaddyUrl, FrontSeen, UrlAnswer, WantedCaddy, WantedFront, Watch
from healer.model.front_findings import front_findings, funnel_fault, is_down
from healer.model.funnel import Funnelled
from healer.model.identity import is_caddy
from healer.model.published import PublishedService
from healer.ports import Clock, FrontEyes, HostEyes, NotThere, PortError, PortEyes, TargetIll
from healer.probes.asking import ask

SECONDS: Final = 2.5
"""For all of it; above the deadline of each question."""
EVERY: Final = 600.0
"""Seconds between two looks: neither changes by itself, and a pass needs one."""
AGAIN: Final = 60.0
"""Seconds after which what has just been found is looked at once more, before it is told."""


@dataclass(frozen=True, slots=True)
class FrontParts:
    """Everything that is looked through."""

    eyes: FrontEyes
    host: HostEyes
    ports: PortEyes
    services: tuple[PublishedService, ...] = ()
    """How to speak with what stands behind a URL."""


@dataclass(slots=True)
class _Looked:
    """What has come back so far."""

    running: bool | None = None
    answers: dict[CaddyUrl, UrlAnswer] = field(default_factory=dict)
    silent: dict[CaddyUrl, str] = field(default_factory=dict)
    backends: set[int] = field(default_factory=set)
    funnels: tuple[Funnelled, ...] | None = None
    funnel_unseen: str = ""
    funnel_missing: str = ""
    unseen: list[str] = field(default_factory=list)


async def look_in_front(parts: FrontParts, wanted: WantedFront) -> FrontSeen:
    """Look at both at once; what has not come back in time was not looked at."""
    looked = _Looked()
    with anyio.move_on_after(SECONDS) as scope:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(_caddy, parts, wanted.caddy, looked, name="Caddy")
            tasks.start_soon(_funnel, parts, wanted, looked, name="the funnel")
    if scope.cancelled_caught:
        looked.unseen.append(f"not all was heard within {SECONDS:g} s")
    return FrontSeen(
        looked.running,
        tuple((one, looked.answers[one]) for one in wanted.caddy.urls if one in looked.answers),
        tuple((one, looked.silent[one]) for one in wanted.caddy.urls if one in looked.silent),
        frozenset(looked.backends),
        looked.funnels,
        looked.funnel_unseen,
        looked.funnel_missing,
        tuple(looked.unseen),
    )


async def _caddy(parts: FrontParts, wanted: WantedCaddy, looked: _Looked) -> None:
    if wanted.watch is Watch.NEVER:
        return
    processes = await ask(parts.host.processes)
    running: bool | None = None
    if isinstance(processes, PortError):
        looked.unseen.append(f"whether Caddy runs is not known: {processes}")
    else:
        running = any(is_caddy(one.command) for one in processes)
    if wanted.watch is Watch.FOUND and not running and parts.host.tool("caddy") is None:
        return
    looked.running = running
    async with anyio.create_task_group() as tasks:
        for one in wanted.urls:
            tasks.start_soon(_url, parts, one, looked, name=one.url)


async def _url(parts: FrontParts, one: CaddyUrl, looked: _Looked) -> None:
    said = await ask(partial(parts.eyes.url, one))
    if isinstance(said, UrlAnswer):
        looked.answers[one] = said
        if said.unjudged:
            looked.unseen.append(said.unjudged)
        is_right = not said.wrong
    elif isinstance(said, TargetIll):
        is_right = False
    else:
        looked.unseen.append(str(said))
        return
    if not is_right and one.port and not await _answers(parts, one.port):
        looked.backends.add(one.port)
    if isinstance(said, TargetIll):
        looked.silent[one] = said.detail


async def _answers(parts: FrontParts, port: int) -> bool:
    """Whether the program behind a URL is well by itself."""
    service = next((one for one in parts.services if one.host_port == port), None)
    if service is None:
        service = PublishedService("", port)
    words = (port, service.protocol, service.path, service.expect)
    return isinstance(await ask(partial(parts.ports.speak, *words)), str)


async def _funnel(parts: FrontParts, wanted: WantedFront, looked: _Looked) -> None:
    if wanted.funnel.watch is Watch.NEVER:
        return
    said = await ask(parts.eyes.funnel)
    if isinstance(said, NotThere):
        if wanted.funnel.watch is Watch.ALWAYS:
            looked.funnel_missing = str(said)
    elif isinstance(said, PortError):
        looked.funnel_unseen = str(said)
        looked.unseen.append(f"the funnel was not looked at: {said}")
    else:
        looked.funnels = said


class FrontLook:
    """Carried by the look at the services; it asks every ten minutes, and anew after news."""

    def __init__(self, parts: FrontParts, wanted: WantedFront, clock: Clock) -> None:
        self._parts = parts
        self._wanted = wanted
        self._clock = clock
        self._findings: tuple[Finding, ...] = ()
        self._summary = ""
        self._due_at = float("-inf")

    async def beside(self, seen: Observation) -> Observation:
        """What was seen of the services, and what is known of what stands before them."""
        if seen.unknown:
            return seen
        if seen.well and self._clock.now() >= self._due_at:
            await self._look()
        summary = ", ".join(one for one in (seen.summary, self._summary) if one)
        return replace(seen, findings=(*seen.findings, *self._findings), summary=summary)

    async def _look(self) -> None:
        seen = await look_in_front(self._parts, self._wanted)
        found = front_findings(seen, self._wanted)
        is_news = bool(_keys(found) - _keys(self._findings))
        self._findings, self._summary = found, _summary(seen, self._wanted)
        self._due_at = self._clock.now() + (AGAIN if is_news else EVERY)


def _keys(found: Iterable[Finding]) -> set[tuple[str, str, str]]:
    return {(one.reason, one.target, one.fingerprint) for one in found}


def _summary(seen: FrontSeen, wanted: WantedFront) -> str:
    return "; ".join((*_of_caddy(seen), *_of_funnel(seen, wanted), *_first(seen.unseen)))


def _of_caddy(seen: FrontSeen) -> Sequence[str]:
    asked = len(seen.answers) + len(seen.silent)
    if is_down(seen):
        return ("Caddy is down",)
    right = sum(not answer.wrong for _, answer in seen.answers)
    return (f"{right} of {asked} URLs of Caddy's answer",) if asked else ()


def _of_funnel(seen: FrontSeen, wanted: WantedFront) -> Sequence[str]:
    if seen.funnels is None:
        return ()
    is_right = not funnel_fault(seen.funnels, wanted.funnel)
    return (f"funnel {wanted.funnel.port} {'on' if is_right else 'not as wanted'}",)


def _first(unseen: Sequence[str]) -> Sequence[str]:
    """One will do: the whole is a line of the drawn tower."""
    return unseen[:1]

"""Pairs of settings that cancel each other out (facts/peers.md §1.2, idea 15)."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import fields
from typing import Final

from healer.core.ladders import DAY, LIMITS, Limits
from healer.model.front import fault_of
from healer.model.launchd import rivals_of
from healer.model.machine import instance_of
from healer.model.published import BEHIND, HOST, PublishedService
from healer.settings.backups import release_of
from healer.settings.policy import ladder_of, limits_of
from healer.settings.tree import Settings
from healer.toml import shown

REMEMBERED: Final = 8 * DAY
"""Seconds for which the journal tells limits of an act; a longer limit would forget it."""
_LABEL: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
"""A slash, or a dash in front, would make another argument of it."""
_PROTOCOLS: Final = ("http", "redis", "tcp", "tls")
_LARGEST_PORT: Final = 65_535
_STATUSES: Final = range(100, 600)
_FUNNEL_PORTS: Final = (443, 8443, 10_000)
"""Tailscale lets the internet in at these alone."""
_FUNNEL_TARGETS: Final = ("http://", "https://", "https+insecure://", "tcp://")
_LEAST_PING: Final = 5.0
"""Seconds; more often tells nobody outside any sooner."""

Problem = tuple[str, str]
"""A dotted key, and what is wrong with it."""


def bad_pairs(settings: Settings) -> Iterator[Problem]:
    """Every pair that would make one of the two useless, with its place and its mend."""
    yield from _of_once(settings)
    yield from _of_daemon(settings)
    yield from _of_limits(settings)
    yield from _of_confirmation(settings)
    yield from _of_services(settings)
    yield from _of_jobs(settings)
    yield from _of_notices(settings)
    yield from _of_backup(settings)
    yield from _of_front(settings)


def _of_once(settings: Settings) -> Iterator[Problem]:
    once = settings.once
    if once.look_deadline > once.deadline:
        words = "longer than once.deadline, so a pass could end before one look"
        yield "once.look_deadline", words
    if once.look_every <= 0:
        yield "once.look_every", "0 would never rest; write at least 0.1s"
    if once.look_deadline <= 0:
        yield "once.look_deadline", "0 would make every look unknown; write at least 1s"


def _of_daemon(settings: Settings) -> Iterator[Problem]:
    often = settings.daemon.alert_every
    if often <= 0:
        yield "daemon.alert_every", "0 would never rest; write at least 0.1s"
    for one in fields(settings.calm):
        rest = getattr(settings.calm, one.name)
        if rest < often:
            words = f"{rest:g} s is a shorter rest than daemon.alert_every, while all is well"
            yield f"calm.{one.name}", words


def _of_limits(settings: Settings) -> Iterator[Problem]:
    for remedy in settings.limits:
        limits = limits_of(settings, remedy)
        place = f"limits.{remedy}"
        yield from ((f"{place}.{key}", words) for key, words in _of_one(limits))
        if limits.disruptive and limits.budget.count > 10 * LIMITS[remedy].budget.count:
            words = f"{limits.budget.count} runs of a disruptive remedy is no limit"
            yield f"{place}.count", words


def _of_one(limits: Limits) -> Iterator[Problem]:
    budget = limits.budget
    if not 0 < budget.window <= REMEMBERED:
        yield "window", f"should be longer than 0 s and at most {REMEMBERED / DAY:.0f}d"
    if limits.cooldown > REMEMBERED:
        yield "cooldown", f"should be at most {REMEMBERED / DAY:.0f}d"
    if limits.cooldown * (budget.count - 1) > budget.window:
        words = (
            f"{limits.cooldown:.0f} s between runs never lets {budget.count} runs happen within "
            f"{budget.window:.0f} s; lower one of them"
        )
        yield "cooldown", words
    if limits.cap <= 0:
        yield "cap", "0 would end every run at once"
    if limits.backoff is None:
        return
    if limits.backoff.first > limits.backoff.cap:
        yield "backoff_first", "greater than backoff_cap"
    if limits.backoff.cap > budget.window:
        words = (
            f"{limits.backoff.cap:.0f} s is longer than the budget's window of "
            f"{budget.window:.0f} s, so the budget could never be spent; lower it"
        )
        yield "backoff_cap", words


def _of_confirmation(settings: Settings) -> Iterator[Problem]:
    once = settings.once
    for reason in settings.confirm:
        ladder = ladder_of(settings, reason)
        for key, needed in (("over", ladder.over), ("samples", ladder.samples * once.look_every)):
            if needed > once.deadline:
                words = f"takes {needed:.0f} s, and once.deadline ends a pass before that"
                yield f"confirm.{reason}.{key}", words


def _of_notices(settings: Settings) -> Iterator[Problem]:
    notices = settings.notices
    for secret in ("webhook_url", "webhook_header", "dead_man_url"):
        if getattr(notices, f"{secret}_file") and getattr(notices, f"{secret}_env"):
            words = f"notices.{secret}_file names it too; leave one of the two out"
            yield f"notices.{secret}_env", words
    if not (notices.webhook_url_file or notices.webhook_url_env):
        for key in ("webhook_header_file", "webhook_header_env"):
            if getattr(notices, key):
                yield f"notices.{key}", "a header without notices.webhook_url_file is never sent"
    if notices.dead_man_every < _LEAST_PING:
        yield "notices.dead_man_every", f"should be at least {_LEAST_PING:g}s"


def _of_services(settings: Settings) -> Iterator[Problem]:
    seen: Counter[int] = Counter()
    for number, service in enumerate(settings.services, 1):
        place = f"services[{number}]"
        yield from ((f"{place}.{key}", words) for key, words in _of_service(service))
        seen[service.host_port] += 1
        if seen[service.host_port] > 1:
            yield f"{place}.host_port", f"{service.host_port} is named twice"
        if service.where != HOST and service.host_port in settings.tower.reserved_ports:
            words = f"{service.host_port} is in tower.reserved_ports, so it is never asked"
            yield f"{place}.host_port", words


def _of_jobs(settings: Settings) -> Iterator[Problem]:
    seen: Counter[str] = Counter()
    rivals = rivals_of(instance_of(settings.tower.profile))
    for number, job in enumerate(settings.jobs, 1):
        place = f"jobs[{number}]"
        seen[job.label] += 1
        if seen[job.label] > 1:
            yield f"{place}.label", f"{job.label} is named twice"
        if not _LABEL.fullmatch(job.label):
            yield (
                f"{place}.label",
                f"{shown(job.label)} should be a label of launchd's: com.example.job",
            )
        if job.label in rivals and job.kickstart:
            words = f"{job.label} owns the tower too, and is never started; write false"
            yield f"{place}.kickstart", words
        if job.every is not None and job.every <= 0:
            yield f"{place}.every", "0 would be overdue at once"


def _of_service(service: PublishedService) -> Iterator[Problem]:
    if service.protocol not in _PROTOCOLS:
        yield "protocol", f"{shown(service.protocol)} should be one of: {', '.join(_PROTOCOLS)}"
    if service.where not in BEHIND:
        yield "where", f"{shown(service.where)} should be one of: {', '.join(BEHIND)}"
    if service.status and service.status not in _STATUSES:
        yield "status", f"{service.status} should be an HTTP status, or 0 for any from 200 to 399"
    if not 0 < service.host_port <= _LARGEST_PORT:
        yield "host_port", f"{service.host_port} should be from 1 to {_LARGEST_PORT}"
    if not 0 <= service.container_port <= _LARGEST_PORT:
        yield "container_port", f"{service.container_port} should be from 0 to {_LARGEST_PORT}"
    if service.protocol == "http" and not service.path.startswith("/"):
        yield "path", f"{shown(service.path)} should begin with /"


def _of_backup(settings: Settings) -> Iterator[Problem]:
    told = settings.backup
    for one in told.releases:
        try:
            release_of(one)
        except ValueError as error:
            yield "backup.releases", str(error)
    if told.deadline < 1.0:
        yield "backup.deadline", "too short for any command; write at least 1s"
    if told.pds_path and not told.pds_path.startswith("/"):
        yield "backup.pds_path", f"{shown(told.pds_path)} should begin with /"


def _of_front(settings: Settings) -> Iterator[Problem]:
    asked: Counter[str] = Counter()
    for number, one in enumerate(settings.caddy.urls, 1):
        place = f"caddy.urls[{number}]"
        if fault := fault_of(one):
            # A URL may hold a password, which is not repeated.
            url = "" if "@" in one.url else f"{shown(one.url)} "
            yield f"{place}.url", f"{url}{fault}"
        if not 0 <= one.port <= _LARGEST_PORT:
            yield f"{place}.port", f"{one.port} should be from 0 to {_LARGEST_PORT}"
        if one.status and one.status not in _STATUSES:
            yield (
                f"{place}.status",
                f"{one.status} should be an HTTP status, or 0",
            )
        asked[one.url] += 1
        if asked[one.url] > 1:
            yield f"{place}.url", f"{one.url} is named twice"
    port, target = settings.funnel.port, settings.funnel.target
    if port not in _FUNNEL_PORTS:
        yield "funnel.port", f"{port} should be one of: {', '.join(map(str, _FUNNEL_PORTS))}"
    if not target.startswith(_FUNNEL_TARGETS) or not target.isprintable() or " " in target:
        yield "funnel.target", f"{shown(target)} should be a URL such as http://127.0.0.1:3111"

"""`healer notify --test`: whether a human can be reached, channel by channel."""

import argparse
import os
import secrets
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import anyio

from healer.cli.running import run_async
from healer.cli.talking import load_settings, put, tell
from healer.model.notice import Delivery
from healer.notices.dead_man import why_silent
from healer.notices.delivering import offer
from healer.notices.wording import trial
from healer.ports import Beacon, Channel
from healer.settings import Settings, config_path
from healer.wiring.notices import beacon_of, channels_of

_FAILED: Final = 1
_HOW: Final = {
    "command": 'command = ["/path/to/program"]   # given each notice as JSON on stdin',
    "webhook": 'webhook_url_file = "~/.config/healer/webhook"   # a file, 0600, with the URL',
    "desktop": "desktop = true   # a notification on this Mac's screen; only macOS has it",
    "dead_man": 'dead_man_url_file = "~/.config/healer/dead-man"   # a file, 0600, with the URL',
}

_SAID: Final = {
    Delivery.SENT: "sent",
    Delivery.HANDED_OVER: "handed over to macOS; only you can see whether it was shown",
    Delivery.UNREACHABLE: "out of reach: this session has no screen (launchctl managername)",
}
_ALLOW: Final = "allow notifications of Script Editor in System Settings, Notifications"


@dataclass(frozen=True, slots=True)
class _Tried:
    """What became of one trial."""

    how: Delivery | None
    why: str = ""
    """Why it was not sent."""
    besides: str = ""
    """What is wrong with the channel all the same."""


_Trial = Callable[[], Awaitable[_Tried]]
"""Sends once."""


def notify(arguments: argparse.Namespace) -> int:
    """Send a test notice, now, and say of each channel what became of it.

    0 when none failed and one is known to reach somebody.
    """
    trials = _trials(load_settings())
    if arguments.channel is not None:
        trials = {name: one for name, one in trials.items() if name == arguments.channel}
    if not trials:
        _tell_how(arguments.channel)
        return _FAILED
    tried: dict[str, _Tried] = run_async(lambda: _all(trials))
    good = not any(one.why for one in tried.values())
    reached = any(one.how is Delivery.SENT for one in tried.values())
    for name, one in tried.items():
        if one.how is Delivery.HANDED_OVER and sys.stdin.isatty() and sys.stderr.isatty():
            seen = _was_seen(name)
            reached, good = reached or seen, good and seen
    if good and not reached:
        tell("healer: no channel is known to reach you: add command or webhook_url_file")
    return 0 if good and reached else _FAILED


def _was_seen(name: str) -> bool:
    """Ask the only one who knows."""
    sys.stderr.write(f"{name}: did a notification of healer appear on the screen? [y/N] ")
    sys.stderr.flush()
    seen = sys.stdin.readline().strip().lower() in {"y", "yes"}
    put(f"{name}: seen" if seen else f"{name}: not seen: {_ALLOW}")
    return seen


def _trials(settings: Settings) -> dict[str, _Trial]:
    trials = {one.name: _of_channel(one) for one in channels_of(settings, os.environ)}
    beacon = beacon_of(settings, os.environ)
    if beacon is not None:
        trials[beacon.name] = _of_beacon(beacon)
    return trials


def _of_channel(channel: Channel) -> _Trial:
    async def attempt() -> _Tried:
        how, why = await offer(channel, trial(secrets.token_hex(4), time.time()))
        return _Tried(how, why, channel.check())

    return attempt


def _of_beacon(beacon: Beacon) -> _Trial:
    async def attempt() -> _Tried:
        why = await why_silent(beacon)
        return _Tried(None if why else Delivery.SENT, why, beacon.check())

    return attempt


async def _all(trials: dict[str, _Trial]) -> dict[str, _Tried]:
    """Try all at once, and print each as it ends."""
    tried: dict[str, _Tried] = {}

    async def attempt(name: str, trial_of: _Trial) -> None:
        tried[name] = one = await trial_of()
        if one.how is None:
            put(f"{name}: failed: {one.why.removeprefix(f'{name}: ')}")
            return
        put(f"{name}: {_SAID[one.how]}")
        if one.besides:
            tell(f"healer: {name}: {one.besides}")

    async with anyio.create_task_group() as tasks:
        for name, trial_of in trials.items():
            tasks.start_soon(attempt, name, trial_of, name=f"test of {name}")
    return tried


def _tell_how(channel: str | None) -> None:
    path = config_path(os.environ, Path.home())
    what = "no channel is" if channel is None else f"{channel} is not"
    tell(f"healer: {what} configured here; add to {path}:")
    tell("[notices]")
    for name in _HOW if channel is None else (channel,):
        tell(_HOW[name])

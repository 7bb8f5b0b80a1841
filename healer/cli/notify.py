"""`healer notify --test`: whether a human can be reached, channel by channel."""

import argparse
import os
import secrets
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

import anyio

from healer.cli.running import run_async
from healer.cli.talking import load_settings, put, tell
from healer.notices.dead_man import why_silent
from healer.notices.delivering import why_not
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

_Trial = Callable[[], Awaitable[tuple[str, str]]]
"""Sends once; why it was not sent ('' = it was), and what is wrong with the channel besides."""


def notify(arguments: argparse.Namespace) -> int:
    """Send a test notice, now, and say of each channel whether it took it."""
    trials = _trials(load_settings())
    if arguments.channel is not None:
        trials = {name: one for name, one in trials.items() if name == arguments.channel}
    if not trials:
        _tell_how(arguments.channel)
        return _FAILED
    failed: list[str] = run_async(lambda: _all(trials))
    return _FAILED if failed else 0


def _trials(settings: Settings) -> dict[str, _Trial]:
    trials = {one.name: _of_channel(one) for one in channels_of(settings, os.environ)}
    beacon = beacon_of(settings, os.environ)
    if beacon is not None:
        trials[beacon.name] = _of_beacon(beacon)
    return trials


def _of_channel(channel: Channel) -> _Trial:
    async def attempt() -> tuple[str, str]:
        notice = trial(secrets.token_hex(4), time.time())
        return await why_not(channel, notice), channel.check()

    return attempt


def _of_beacon(beacon: Beacon) -> _Trial:
    async def attempt() -> tuple[str, str]:
        return await why_silent(beacon), beacon.check()

    return attempt


async def _all(trials: dict[str, _Trial]) -> list[str]:
    """Try all at once, and print each as it ends; the names of those that failed."""
    failed: list[str] = []

    async def attempt(name: str, one: _Trial) -> None:
        why, besides = await one()
        put(f"{name}: failed: {why.removeprefix(f'{name}: ')}" if why else f"{name}: sent")
        if why:
            failed.append(name)
        elif besides:
            tell(f"healer: {name}: {besides}")

    async with anyio.create_task_group() as tasks:
        for name, one in trials.items():
            tasks.start_soon(attempt, name, one, name=f"test of {name}")
    return failed


def _tell_how(channel: str | None) -> None:
    path = config_path(os.environ, Path.home())
    what = "no channel is" if channel is None else f"{channel} is not"
    tell(f"healer: {what} configured here; add to {path}:")
    tell("[notices]")
    for name in _HOW if channel is None else (channel,):
        tell(_HOW[name])

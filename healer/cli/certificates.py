"""`healer certificates`: whose they are, where, and how long they last yet."""

import argparse
import json
import os
import time
from collections.abc import Sequence
from pathlib import Path

from healer.adapters.clock import SystemClock
from healer.cli.running import run_async
from healer.cli.talking import load_settings, put
from healer.model.certificates import TALOSCONFIG, Certificate, Lasting, words_of
from healer.model.client_config import Kind
from healer.settings import Settings
from healer.settings.places import places_of
from healer.wiring.client_files import known_of
from healer.wiring.credentials import credentials_of

_ILL, _UNKNOWN = 1, 3


def certificates(arguments: argparse.Namespace) -> int:
    """Print the table; 1 when one ends within 30 days or has ended, 3 when one is unread."""
    settings, wall = load_settings(), time.time()
    found: Sequence[Certificate] = run_async(lambda: _looked(settings))
    if arguments.json:
        rows = [_row(one, wall) for one in found]
        put(json.dumps({"schema_version": 1, "certificates": rows}, indent=2))
    else:
        _print(found, wall)
    # Whoever has no talosconfig does not use talosctl: that is no gap.
    states = {one.lasting(wall) for one in found if one.name != TALOSCONFIG or one.there}
    if states & {Lasting.SOON, Lasting.URGENT, Lasting.ENDED}:
        return _ILL
    return _UNKNOWN if Lasting.UNREAD in states else 0


async def _looked(settings: Settings) -> Sequence[Certificate]:
    home = Path.home()
    places = places_of(settings, os.environ, home)
    eyes = credentials_of(settings, places, home, SystemClock())
    port = (await known_of(settings, places, os.environ))[Kind.KUBECONFIG].port
    found = list(await eyes.certificates())
    if port is not None:
        found.append(await eyes.serving(port))
    return found


def _row(one: Certificate, wall: float) -> dict[str, object]:
    days = one.days(wall)
    return {
        "name": one.name,
        "where": one.where,
        "subject": one.read.subject if one.read else None,
        "issuer": one.read.issuer if one.read else None,
        "not_after": one.read.ends if one.read else None,
        "days_left": None if days is None else round(days, 2),
        "state": one.lasting(wall),
        "unread": one.unread,
    }


def _print(found: Sequence[Certificate], wall: float) -> None:
    rows = [("state", "name", "until", "left", "subject", "issuer", "where")]
    rows += [_cells(one, wall) for one in found]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        put("  ".join(cells).rstrip())


def _cells(one: Certificate, wall: float) -> tuple[str, str, str, str, str, str, str]:
    state, days = one.lasting(wall), one.days(wall)
    if one.read is None or days is None:
        return (state, one.name, "-", one.unread, "-", "-", one.where)
    until = time.strftime("%Y-%m-%d", time.gmtime(one.read.ends))
    return (state, one.name, until, words_of(days), one.read.subject, one.read.issuer, one.where)

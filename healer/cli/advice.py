"""`healer advice`: what ends each recurring fault for good, and whether that is so now."""

import argparse
import json
import os
from collections.abc import Sequence
from dataclasses import asdict
from typing import Final

from healer.cli.running import run_async
from healer.cli.talking import load_settings, put, tell
from healer.model.cures import Applied, Cure, Standing, cures
from healer.settings import Settings
from healer.wiring.advising import standing

_SCHEMA: Final = 1
_COLOURS: Final = {Applied.YES: "green", Applied.NO: "red", Applied.UNKNOWN: "yellow"}
_MARKS: Final = {Applied.YES: "✔", Applied.NO: "✘", Applied.UNKNOWN: "?"}


def advice(arguments: argparse.Namespace) -> int:
    """Print it. 0 whatever is applied: advice is no verdict on the tower."""
    settings = load_settings()
    tell("looking, which changes nothing …")
    found = cures(_standing(settings))
    if arguments.json:
        document = {"schema_version": _SCHEMA, "cures": [asdict(one) for one in found]}
        put(json.dumps(document, indent=2, ensure_ascii=False))
    else:
        _draw(found)
    return 0


def _standing(settings: Settings) -> Standing:
    seen: Standing = run_async(lambda: standing(settings, os.environ))
    return seen


def _draw(found: Sequence[Cure]) -> None:
    from rich.console import Console  # noqa: PLC0415  (only who draws pays)
    from rich.text import Text  # noqa: PLC0415  (as above)

    console = Console(highlight=False, soft_wrap=True)
    for one in found:
        colour = _COLOURS[one.applied]
        console.print(Text(f"{_MARKS[one.applied]} {one.fault}", style=colour))
        console.print(Text(f"    {one.applied}: {one.why}"))
        if one.applied is not Applied.YES:
            console.print(Text(f"    {one.fix}", style="bold"))

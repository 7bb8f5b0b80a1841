"""`healer trace SERVICE|PORT|--all`: every hop to a service, and the first that is broken."""

import argparse
import json
from collections.abc import Sequence
from difflib import get_close_matches
from typing import Final

from healer.cli.running import run_async
from healer.cli.talking import USAGE, load_settings, put, tell
from healer.model.path import Path, Verdict
from healer.model.published import PublishedService, service_map
from healer.settings import Settings
from healer.telemetry.path_text import path_document, path_lines
from healer.wiring.tracing import trace_services

_EXIT: Final = {Verdict.BROKEN: 1, Verdict.UNSEEN: 3}


def trace(arguments: argparse.Namespace) -> int:
    """Look at every hop once. 0 when all is well or unwanted, 1 broken, 3 not seen, 2 unknown."""
    settings = load_settings()
    known = service_map(settings.services, settings.tower.api_port, settings.tower.talos_port)
    asked = known if arguments.all else chosen(arguments.service or "", known)
    if not asked:
        tell(unknown_service(arguments.service or "", known))
        return USAGE
    paths = _traced(settings, asked)
    if arguments.json:
        put(json.dumps(path_document(paths), indent=2, ensure_ascii=False))
    else:
        _draw(paths)
    return max((_EXIT.get(one.verdict, 0) for one in paths), key=_worst, default=0)


def _worst(code: int) -> int:
    """Ill is worse than not seen (design §10, Exit code)."""
    return {1: 2, 3: 1}.get(code, 0)


def _traced(settings: Settings, asked: Sequence[PublishedService]) -> tuple[Path, ...]:
    paths: tuple[Path, ...] = run_async(lambda: trace_services(settings, asked))
    return paths


def chosen(word: str, known: Sequence[PublishedService]) -> tuple[PublishedService, ...]:
    """By name (all its ports), by the Mac's port, or by `name:port`; () when there is none."""
    name, _, port = word.rpartition(":")
    if word.isdecimal():
        return tuple(one for one in known if str(one.host_port) == word)
    if name:
        return tuple(one for one in known if (one.name, str(one.host_port)) == (name, port))
    return tuple(one for one in known if one.name == word)


def unknown_service(word: str, known: Sequence[PublishedService]) -> str:
    """What there is instead."""
    names = sorted({one.name for one in known})
    if not word:
        return f"healer: name a service or a port of the Mac, or --all: {', '.join(names)}"
    near = get_close_matches(word, names, 1)
    hint = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(names)}"
    return f"healer: no service or port {word!r}; {hint}"


def _draw(paths: Sequence[Path]) -> None:
    from rich.console import Console  # noqa: PLC0415  (only who draws pays)
    from rich.text import Text  # noqa: PLC0415  (as above)

    console = Console(highlight=False, soft_wrap=True)
    for path in paths:
        for line, style in path_lines(path):
            console.print(Text(line, style=style))

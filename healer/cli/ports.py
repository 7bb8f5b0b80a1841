"""`healer ports`: every port from the Mac to a Service, live, each with its rule checked."""

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Final

from healer.cli.running import run_async
from healer.cli.talking import load_settings, put, tell
from healer.model.port_table import BROKEN, Row, Rule, port_table
from healer.model.published import service_map
from healer.settings import Settings
from healer.wiring.tracing import PortsSeen, see_ports

_SCHEMA: Final = 1
_HEAD: Final = ("service", "Mac", "container", "Service", "NodePort", "")
_COLOURS: Final = {Rule.KEPT: "green", Rule.HOST: "dim", Rule.UNSEEN: "yellow"}


def ports(arguments: argparse.Namespace) -> int:
    """Print the table. 0 every rule is kept, 1 one is broken, 3 Docker or the API not seen."""
    settings = load_settings()
    seen = _seen(settings)
    known = service_map(settings.services, settings.tower.api_port, settings.tower.talos_port)
    rows = port_table(known, seen.container, seen.services)
    for why in seen.unseen:
        tell(f"healer: {why}")
    if arguments.json:
        document = {"schema_version": _SCHEMA, "ports": [asdict(one) for one in rows]}
        put(json.dumps(document, indent=2, ensure_ascii=False))
    else:
        _draw(rows)
    if any(one.rule in BROKEN for one in rows):
        return 1
    return 3 if seen.unseen else 0


def _seen(settings: Settings) -> PortsSeen:
    found: PortsSeen = run_async(lambda: see_ports(settings))
    return found


def _draw(rows: Sequence[Row]) -> None:
    from rich.console import Console  # noqa: PLC0415  (only who draws pays)
    from rich.text import Text  # noqa: PLC0415  (as above)

    cells = [_HEAD, *(_cells(one) for one in rows)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(_HEAD) - 1)]
    console = Console(highlight=False, soft_wrap=True)
    console.print(Text(_line(_HEAD, widths), style="bold"))
    for row, line in zip(rows, cells[1:], strict=True):
        text = Text(_line(line[:-1], widths) + "  ")
        text.append(row.rule.value, style=_colour(row))
        console.print(text)
        if row.command:
            console.print(Text(f"    {row.command}"))


def _colour(row: Row) -> str:
    return "red" if row.rule in BROKEN else _COLOURS.get(row.rule, "yellow")


def _cells(row: Row) -> tuple[str, ...]:
    numbers = ("-" if one is None else str(one) for one in (row.mac_port, row.container_port))
    node_port = "-" if row.node_port is None else str(row.node_port)
    return (row.name or "-", *numbers, row.service or "-", node_port, row.rule.value)


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = (f"{one:<{width}}" for one, width in zip(cells, widths, strict=False))
    return "  ".join(padded).rstrip()

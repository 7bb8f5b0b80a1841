"""`healer kubeconfig` and `kubeconfig repair`: what is wrong in it and in the talosconfig."""

import argparse
import json
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from healer.adapters.config_repair import repaired, write_repaired
from healer.cli.running import run_async
from healer.cli.talking import load_settings, put, tell
from healer.model.client_config import Kind
from healer.model.config_editing import diff_of
from healer.model.config_faults import Edit, Fault, Wrong
from healer.ports import PortError
from healer.settings import Settings
from healer.settings.places import Places, places_of
from healer.wiring.client_files import Judged, judge, known_of

_WELL, _ILL, _UNKNOWN = 0, 1, 3
_SERVERS: Final = {Kind.KUBECONFIG: "the Kubernetes API", Kind.TALOSCONFIG: "the Talos API"}


def show(arguments: argparse.Namespace) -> int:
    """Name every fault with its command."""
    judged = _judged(load_settings())
    if arguments.json:
        put(json.dumps(_document(judged), indent=2))
    else:
        for one in judged:
            _print(one)
    return _code(judged)


def repair(arguments: argparse.Namespace) -> int:
    """Write anew what is wrong, after showing it; asks first unless told not to."""
    settings = load_settings()
    judged = _judged(settings)
    wanted = [one for one in judged if _mendable(one)]
    for one in wanted:
        for line in diff_of(str(one.path), _mendable(one)):
            put(line)
    if not wanted:
        tell("there is nothing to repair")
    elif arguments.only_say:
        tell("nothing was written")
    elif not (arguments.yes or _agreed()):
        tell("nothing was written; to write it: healer kubeconfig repair --yes")
    elif not _write(wanted, _places(settings).state / "backups"):
        return _ILL
    else:
        judged = _judged(settings)
    for one in judged:
        _print(one)
    return _code(judged)


def _places(settings: Settings) -> Places:
    return places_of(settings, os.environ, Path.home())


def _judged(settings: Settings) -> Sequence[Judged]:
    places = _places(settings)
    paths = {Kind.KUBECONFIG: places.kubeconfig, Kind.TALOSCONFIG: places.talosconfig}

    async def look() -> Sequence[Judged]:
        known = await known_of(settings, places, os.environ)
        return [await judge(kind, path, known[kind]) for kind, path in paths.items()]

    judged: Sequence[Judged] = run_async(look)
    return judged


def _mendable(judged: Judged) -> Sequence[Fault]:
    return [one for one in judged.faults if one.edits]


def _agreed() -> bool:
    if not sys.stdin.isatty():
        return False
    tell("write this? [y/N]")
    return sys.stdin.readline().strip().lower() in {"y", "yes"}


def _write(wanted: Sequence[Judged], backups: Path) -> bool:
    """Both are proved before the first is written."""
    try:
        texts = [repaired(one.text, _edits(one), str(one.path)) for one in wanted]
        for one, text in zip(wanted, texts, strict=True):
            stamp = time.strftime("%Y%m%d-%H%M%S")
            kept = write_repaired(one.path, one.text, text, backups, f"{one.kind}-{stamp}")
            tell(f"{one.path}: repaired; as it was: {kept}")
    except PortError as error:
        tell(f"healer: {error}")
        return False
    return True


def _edits(judged: Judged) -> list[Edit]:
    return [edit for one in _mendable(judged) for edit in one.edits]


def _print(judged: Judged) -> None:
    where = f"{judged.kind} {judged.path}"
    if judged.unread:
        put(f"note  {judged.unread}" if not judged.there else f"MISS  {judged.unread}")
        return
    if judged.port is None:
        put(f"note  {where}: {_SERVERS[judged.kind]}'s port is not known, so none is judged")
    elif not judged.answered:
        put(f"note  {where}: nobody answers on {judged.port}; contexts are judged by their names")
    if not judged.faults:
        put(f"ok    {where}")
    for one in judged.faults:
        mark = "note" if one.wrong is Wrong.OTHER_CONTEXT else "MISS"
        put(f"{mark}  {where}: {one.wrong}: {one.words}")
        put(f"      mend it: {one.command}")


def _code(judged: Sequence[Judged]) -> int:
    """A context that a human chose is no fault; a talosconfig that is not there is none either."""
    if any(fault.wrong is not Wrong.OTHER_CONTEXT for one in judged for fault in one.faults):
        return _ILL
    kube = [one for one in judged if one.there or one.kind is Kind.KUBECONFIG]
    return _UNKNOWN if any(one.unread or one.port is None for one in kube) else _WELL


def _document(judged: Sequence[Judged]) -> dict[str, object]:
    return {
        "schema_version": 1,
        "files": [
            {
                "kind": one.kind,
                "path": str(one.path),
                "there": one.there,
                "unread": one.unread,
                "published_port": one.port,
                "server_answered": one.answered,
                "faults": [_fault(fault) for fault in one.faults],
            }
            for one in judged
        ],
    }


def _fault(fault: Fault) -> dict[str, object]:
    return {
        "wrong": fault.wrong,
        "name": fault.name,
        "words": fault.words,
        "command": fault.command,
        "repairable": bool(fault.edits),
    }

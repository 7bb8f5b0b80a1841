"""`healer backup`: save what a recreation needs; look at what is saved, and whether it is whole."""

import argparse
import json
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any, Final

from healer import __version__
from healer.adapters.backup_files import hashed
from healer.adapters.backup_parts import Gathering, Pds, Wanted
from healer.adapters.backup_store import (
    Backup,
    BackupStore,
    StoreError,
    open_backup,
    problems,
    stamp_of,
)
from healer.adapters.cluster_tools import ClusterTools
from healer.adapters.colima_files import resolve_root
from healer.adapters.process import ProcessRunner
from healer.cli.running import run_async
from healer.cli.talking import USAGE, load_settings, put, tell
from healer.model.machine import ColimaPaths
from healer.model.whereabouts import named_place
from healer.plans.manifest import Failure, Manifest
from healer.settings import Settings
from healer.settings.backups import release_of
from healer.settings.places import Places, places_of
from healer.wiring.tracing import outside_of

_FAILED: Final = 1
_SCHEMA: Final = 1


def backup(arguments: argparse.Namespace) -> int:
    """Make one, list them, or verify one; 1 when something is missing or damaged."""
    settings = load_settings()
    if arguments.verify is not None:
        return _verify(Path(arguments.verify).expanduser(), as_json=arguments.json)
    folder = folder_of(settings, arguments.to)
    if ":" in str(folder):
        tell(f"healer backup: {folder}: kubectl cp takes a colon for a pod's path; choose another")
        return USAGE
    try:
        if arguments.list:
            return _list(BackupStore(folder), as_json=arguments.json)
        keep = settings.backup.keep if arguments.keep is None else arguments.keep
        return _make(settings, BackupStore(folder), keep, as_json=arguments.json)
    except StoreError as error:
        tell(f"healer backup: {error}")
        return _FAILED


def folder_of(settings: Settings, given: str | None) -> Path:
    """The folder of all backups: what was asked for, else the settings', else in the state."""
    home = Path.home()
    if given is not None:
        return Path(given).expanduser().absolute()
    named = named_place(settings.backup.folder, home)
    return named or places_of(settings, os.environ, home).state / "backups"


def wanted_of(settings: Settings) -> Wanted:
    """What the settings want saved."""
    home, tower, told = Path.home(), settings.tower, settings.backup
    places = places_of(settings, os.environ, home)
    releases = tuple(release_of(one) for one in told.releases)
    pds = Pds(told.pds_namespace, told.pds_deployment, told.pds_selector, told.pds_path)
    spaces = {*tower.namespaces, *(one.namespace for one in settings.services)}
    spaces |= {namespace for namespace, _, _ in releases}
    return Wanted(
        container=tower.container,
        socket=ColimaPaths(_root(places, home), tower.profile).docker_socket,
        kubeconfig=places.kubeconfig,
        talosconfig=places.talosconfig,
        api_port=tower.api_port,
        talos_port=tower.talos_port,
        namespaces=tuple(sorted(spaces)),
        releases=tuple((namespace, name) for namespace, name, _ in releases),
        pds=pds if told.pds_path else None,
    )


def tools_of(settings: Settings) -> ClusterTools:
    """The tools on the settings' PATH."""
    path = ":".join(settings.files.path) or os.environ.get("PATH", "")
    return ClusterTools(ProcessRunner(), path, os.environ, settings.backup.deadline)


def _root(places: Places, home: Path) -> Path:
    return places.colima_home or resolve_root(os.environ, home)


def _make(settings: Settings, store: BackupStore, keep: int, *, as_json: bool) -> int:
    begun = int(time.time())
    with _for_us_alone(), _ended_by_term(), store.drafting(begun) as draft:
        failures: list[Failure] = run_async(partial(_gather, settings, draft))
        files = tuple(one for _, one in sorted(hashed(draft).items()))
        cluster = settings.tower.cluster
        made = Manifest(begun, cluster, __version__, files, tuple(failures))
        place = store.finish(draft, made) if files else None
        gone = store.prune(keep) if made.complete else []
    if place is None:
        if as_json:
            _put({**_told(Backup(draft, made, "")), "folder": None, "pruned": []})
        tell("healer backup: nothing was saved, so there is no backup: see above")
        return _FAILED
    if as_json:
        _put({**_told(Backup(place, made, "")), "pruned": [str(one) for one in gone]})
    else:
        put(str(place))
        for one in gone:
            tell(f"pruned: {one}")
    if failures:
        tell(f"healer backup: incomplete: {len(failures)} parts were not saved, see above")
    return _FAILED if failures else 0


async def _gather(settings: Settings, draft: Path) -> list[Failure]:
    async with outside_of(settings, os.environ) as outside:
        gathering = Gathering(
            tools_of(settings), wanted_of(settings), draft, tell, door=outside.door
        )
        return await gathering.all()


@contextmanager
def _for_us_alone() -> Iterator[None]:
    """kubectl cp writes with our mask."""
    before = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(before)


@contextmanager
def _ended_by_term() -> Iterator[None]:
    """A TERM ends it as Ctrl-C does: children first, then the draft."""

    def end(number: int, frame: FrameType | None) -> None:
        del number, frame
        if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
            # A shell's background job ignores Ctrl-C, and must end by a TERM all the same.
            raise KeyboardInterrupt
        os.kill(os.getpid(), signal.SIGINT)

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _list(store: BackupStore, *, as_json: bool) -> int:
    found = store.all()
    if as_json:
        _put({"backups": [_told(one) for one in found]})
        return 0
    if not found:
        tell("healer backup: there is none yet; make one: healer backup")
    for one in found:
        size = one.manifest.size if one.manifest else 0
        state = "complete" if one.complete else one.problem or "incomplete"
        put(f"{one.folder}  {size} bytes  {state}")
    return 0


def _verify(folder: Path, *, as_json: bool) -> int:
    one = open_backup(folder)
    wrong = problems(one)
    if as_json:
        _put({**_told(one), "good": not wrong, "problems": wrong})
    else:
        for line in wrong:
            put(line)
        if not wrong and one.manifest is not None:
            put(f"{folder}: complete, {len(one.manifest.files)} files as they were written")
    return _FAILED if wrong else 0


def _told(one: Backup) -> dict[str, Any]:
    made = one.manifest
    return {
        "folder": str(one.folder),
        "complete": one.complete,
        "made_at": stamp_of(made.made_at) if made else None,
        "bytes": made.size if made else None,
        "files": [file.path for file in made.files] if made else [],
        "failures": [{"part": each.part, "why": each.why} for each in made.failures]
        if made
        else [],
    }


def _put(document: dict[str, Any]) -> None:
    put(json.dumps({"schema_version": _SCHEMA, **document}, indent=2))

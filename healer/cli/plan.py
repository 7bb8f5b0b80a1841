"""`healer plan recreate`: print how a human builds the cluster anew; nothing is ever run."""

import argparse
import os
import time
from pathlib import Path
from typing import Final

from healer.adapters.backup_store import Backup, BackupStore, StoreError, problems, stamp_of
from healer.cli.backup import folder_of, tools_of, wanted_of
from healer.cli.running import run_async
from healer.cli.talking import load_settings, tell
from healer.cli.talking import put as put_line
from healer.model.whereabouts import named_place
from healer.plans import names, reading
from healer.plans.container import NotUnderstood, Shape, shape_of
from healer.plans.recreate import document
from healer.plans.tower import Kept, Tower, Whereabouts, kept_in
from healer.ports import PortError
from healer.settings import Settings
from healer.settings.backups import release_of

_FAILED: Final = 1
_DAY: Final = 86_400
_AHEAD: Final = 300
"""Seconds by which the clock may have been set back since."""


class NoPlan(Exception):
    """There is nothing to plan from; the message says what to do."""


def recreate(arguments: argparse.Namespace) -> int:
    """Print it, or say why not."""
    settings = load_settings()
    try:
        backup, why = _backup(settings, arguments.source)
        if why and not arguments.force:
            raise NoPlan(f"{why}; make one: healer backup; or print all the same: --force")  # noqa: TRY301  (one place says it)
        plan = _plan(settings, backup)
    except (NoPlan, StoreError, NotUnderstood) as error:
        tell(f"healer plan: {error}")
        return _FAILED
    if why:
        tell(f"healer plan: {why}; printed all the same")
    put_line(plan.rstrip("\n"))
    return 0


def _plan(settings: Settings, backup: Backup | None) -> str:
    kept = None if backup is None else _kept(settings, backup)
    shape, live = _shape(settings, backup)
    return document(Tower(_where(settings), shape, live, kept, settings.tower.memory or 0))


def _backup(settings: Settings, source: str | None) -> tuple[Backup | None, str]:
    """The newest complete one, else the newest readable one, and why it should not be used."""
    every = BackupStore(folder_of(settings, source)).all()
    found = next((one for one in every if one.complete), None)
    readable = next((one for one in every if one.manifest is not None), None)
    return found or readable, _why_not(found)


def _why_not(backup: Backup | None) -> str:
    if backup is None or backup.manifest is None:
        return "there is no complete backup"
    age = time.time() - backup.manifest.made_at
    if age > _DAY:
        return f"{backup.folder} is {age / 3600:.0f} hours old, which is more than a day"
    if age < -_AHEAD:
        return f"{backup.folder} is from the future"
    wrong = problems(backup)
    return f"{backup.folder} is damaged: {wrong[0]}" if wrong else ""


def _kept(settings: Settings, backup: Backup) -> Kept:
    files = {
        one.path: _text(backup.folder / one.path)
        for one in (backup.manifest.files if backup.manifest else ())
        if "/" not in one.path
    }
    made = stamp_of(backup.manifest.made_at) if backup.manifest else ""
    wanted = [release_of(one) for one in settings.backup.releases]
    return kept_in(str(backup.folder), made, files, wanted)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise NoPlan(f"{path}: cannot be read") from error


def _shape(settings: Settings, backup: Backup | None) -> tuple[Shape, bool]:
    """The container's of now; the backup's when there is no container to ask about."""
    wanted = wanted_of(settings)
    argv = reading.inspect_container(wanted.socket, wanted.container)
    tools = tools_of(settings)
    try:
        return shape_of(run_async(lambda: tools.ask(argv))), True
    except (PortError, NotUnderstood) as error:
        if backup is None or not (backup.folder / names.CONTAINER).exists():
            raise NoPlan(f"{error}; and no backup tells of the container") from error
        tell(f"healer plan: {error}; the backup's ports are taken")
        return shape_of(_text(backup.folder / names.CONTAINER)), False


def _where(settings: Settings) -> Whereabouts:
    home, tower, livekit = Path.home(), settings.tower, settings.livekit
    wanted = wanted_of(settings)
    folder = named_place(os.environ.get("TALOS_HOME"), home) or home / ".talos"
    return Whereabouts(
        profile=tower.profile,
        cluster=tower.cluster,
        container=tower.container,
        kubeconfig=str(wanted.kubeconfig),
        talosconfig=str(wanted.talosconfig),
        talos_folder=str(folder / "clusters"),
        api_port=tower.api_port,
        talos_port=tower.talos_port,
        livekit=(livekit.namespace, livekit.deployment, livekit.container),
    )

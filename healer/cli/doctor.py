"""`healer doctor`: everything that healer needs on this machine, and how to mend what is missing.

It looks only at files, tools and the journal, so that it tells the truth on a bare machine.
"""

import argparse
import json
import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Final

from healer.adapters.clock import SystemClock
from healer.adapters.colima_files import resolve_root
from healer.adapters.host import HostAdapter
from healer.adapters.journal import SqliteJournal
from healer.adapters.process import ProcessRunner
from healer.cli.asking import NoDaemon, Refused, Silent, ask
from healer.cli.doctor_launchd import examine_launchd
from healer.cli.doctor_notices import examine_notices
from healer.cli.examined import Examined
from healer.cli.running import run_async
from healer.model.front import Watch
from healer.model.launchd import bootout_advice, rivals_of
from healer.model.machine import ColimaPaths, instance_of
from healer.outside import cleaned, line
from healer.ports import CannotLook, JournalError
from healer.settings import Settings, SettingsError, load
from healer.settings.places import Places, places_of
from healer.telemetry.spelling import duration

_NEEDED_TOOLS: Final = {
    "colima": "brew install colima",
    "limactl": "brew install lima",
    "docker": "brew install docker",
    "ssh": "install OpenSSH's client (macOS ships it; Debian: apt-get install openssh-client)",
}
_HANDY_TOOLS: Final = {
    "kubectl": "brew install kubectl",
    "talosctl": "brew install siderolabs/tap/talosctl",
}
_LEAST_FREE: Final = 200 * 2**20
_PYTHON: Final = (3, 11)


def doctor(arguments: argparse.Namespace) -> int:
    """Print what was examined; 1 when something that is needed is missing."""
    if arguments.prove:
        from healer.cli.prove import prove  # noqa: PLC0415  (psutil, for those who prove)

        return prove(as_json=arguments.json)
    examined = [
        replace(one, detail=cleaned(one.detail), mend=line(one.mend))
        for one in _examine(os.environ)
    ]
    if arguments.json:
        told = {"schema_version": 1, "examined": [asdict(one) for one in examined]}
        sys.stdout.write(json.dumps(told, indent=2) + "\n")
    else:
        for one in examined:
            _print(one)
    return 0 if all(one.good for one in examined if one.needed) else 1


def _print(one: Examined) -> None:
    mark = "ok  " if one.good else ("MISS" if one.needed else "note")
    sys.stdout.write(f"{mark}  {one.what}: {one.detail}\n")
    if not one.good:
        sys.stdout.write(f"      mend it: {one.mend}\n")


def _examine(environment: Mapping[str, str]) -> Iterator[Examined]:
    yield _python()
    home = environment.get("HOME", "")
    yield Examined("HOME", bool(home), home or "is not set", "export HOME=~")
    try:
        settings = load(environment).settings
    except SettingsError as error:
        yield Examined("settings", good=False, detail=str(error), mend="healer config check")
        settings = Settings()
    else:
        yield Examined("settings", good=True, detail="good")
    folder = Path(home or "/")
    places = places_of(settings, environment, folder)
    yield from _tools(settings, environment)
    yield from _colima(settings, places, environment, folder)
    yield _kubeconfig(places)
    yield from _state(places)
    yield from _front(settings, environment)
    yield from _rivals(settings, places, environment)
    yield from examine_notices(settings, environment)
    yield from examine_launchd(settings, environment, lambda: _ticks(places))


def _ticks(places: Places) -> str | None:
    """The daemon's own word over its control socket: a lock alone is held by a hung one too."""
    try:
        status = ask(places.control, "status")
    except (NoDaemon, Silent, Refused):
        return None
    up = duration(status["up_seconds"])
    return None if status["stalled"] else f"pid {status['pid']} answers, up {up}"


def _python() -> Examined:
    version = ".".join(str(part) for part in sys.version_info[:3])
    good = sys.version_info[:2] >= _PYTHON
    return Examined("python", good, f"{version} at {sys.executable}", "brew install python@3.13")


def _path(settings: Settings, environment: Mapping[str, str]) -> str:
    return ":".join(settings.files.path) or environment.get("PATH", "")


def _tools(settings: Settings, environment: Mapping[str, str]) -> Iterator[Examined]:
    path = _path(settings, environment)
    for tools, needed in ((_NEEDED_TOOLS, True), (_HANDY_TOOLS, False)):
        for name, mend in tools.items():
            found = shutil.which(name, path=path)
            detail = found or f"not found on {path}"
            yield Examined(name, bool(found), detail, mend, needed)


def _front(settings: Settings, environment: Mapping[str, str]) -> Iterator[Examined]:
    """Tools of what stands in front of the ports; without them it is not looked at."""
    path = _path(settings, environment)
    for name, watch in (("caddy", settings.caddy.watch), ("tailscale", settings.funnel.watch)):
        if watch != Watch.NEVER:
            found = shutil.which(name, path=path)
            detail = found or f"not found on {path}; not looked at"
            good = found is not None or watch == Watch.FOUND
            yield Examined(name, good, detail, f"brew install {name}", needed=False)


def _colima(
    settings: Settings, places: Places, environment: Mapping[str, str], home: Path
) -> Iterator[Examined]:
    root = places.colima_home or resolve_root(environment, home)
    paths = ColimaPaths(root, settings.tower.profile)
    created = paths.instance / "lima.yaml"
    start = f"colima start -p {settings.tower.profile}"
    if shutil.which("colima", path=_path(settings, environment)) is None:
        start = f"{_NEEDED_TOOLS['colima']}, then {start}"
    yield Examined(
        "VM",
        created.exists(),
        f"{created}" if created.exists() else f"never created: {created} is not there",
        start,
    )
    socket = paths.docker_socket
    yield Examined(
        "docker.sock",
        socket.is_socket(),
        str(socket) if socket.is_socket() else f"{socket} is not there",
        start,
        needed=False,
    )


def _kubeconfig(places: Places) -> Examined:
    path = places.kubeconfig
    readable = os.access(path, os.R_OK)
    detail = str(path) if readable else f"{path} cannot be read"
    return Examined("kubeconfig", readable, detail, f"talosctl kubeconfig {path}")


def _state(places: Places) -> Iterator[Examined]:
    folder = places.state
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    writable = os.access(folder, os.W_OK)
    detail = f"{places.state}" if writable else f"{folder} is not writable"
    yield Examined("state folder", writable, detail, f"sudo chown $(id -un) {folder}")
    free = shutil.disk_usage(folder).free
    yield Examined("disk", free >= _LEAST_FREE, f"{free // 2**20} MiB free", f"df -h {folder}")
    yield _journal(places)


def _journal(places: Places) -> Examined:
    try:
        journal = SqliteJournal.for_reading(places.journal, SystemClock())
        if journal is None:
            return Examined("journal", good=True, detail=f"{places.journal}: none yet")
        kept = len(journal.attempts())
        journal.close()
    except JournalError as error:
        words, _, mend = str(error).partition("; ")
        return Examined("journal", good=False, detail=words, mend=mend)
    return Examined("journal", good=True, detail=f"{places.journal}: {kept} acts kept")


def _rivals(
    settings: Settings, places: Places, environment: Mapping[str, str]
) -> Iterator[Examined]:
    path = _path(settings, environment)
    labels = rivals_of(instance_of(settings.tower.profile))
    host = HostAdapter(ProcessRunner(), places.state, path=path, rivals=labels)
    try:
        rivals = run_async(host.loaded_rivals)
    except CannotLook as error:
        yield Examined("rivals", good=False, detail=str(error), mend="launchctl list", needed=False)
        return
    yield Examined(
        "rivals",
        not rivals,
        f"loaded: {', '.join(rivals)}" if rivals else "nobody else owns the tower",
        bootout_advice(rivals),
        needed=False,
    )

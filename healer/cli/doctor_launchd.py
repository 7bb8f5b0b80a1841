"""`healer doctor` on launchd: is healer installed, loaded and ticking, and will it come back.

Each is examined by itself, since each has failed alone: a plist that nobody loaded, a job that
launchd calls running and that does nothing, one that is loaded elsewhere, and one that no reboot
brings back.
"""

import os
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from healer.adapters.launchctl import Launchctl
from healer.adapters.lock import holder
from healer.cli.examined import Examined
from healer.cli.household import Household, agent_of, household, launchctl_of, plist_files
from healer.cli.running import run_async
from healer.model.launch_agent import (
    LABEL,
    content,
    crash_log,
    drift,
    parse_plist,
    plist_path,
    program_of,
)
from healer.model.launchd import CONSTRAINT, DomainKind, LoadedJob, domains_of
from healer.model.set_aside import PlistFile
from healer.ports import PortError
from healer.settings import Settings

_REPORTS: Final = 20
"""Reports of crashes that are looked at, the newest first."""
_REPORT_BYTES: Final = 64 * 1024
"""A report is some 10 KB, and names its job and its end in its first part."""

Ticking = Callable[[], str | None]
"""How it is known that the daemon lives; None when it is not."""


@dataclass(frozen=True, slots=True)
class _Found:
    files: Sequence[PlistFile]
    jobs: Mapping[str, LoadedJob]
    """By target."""
    cut_off: bool
    """An installation was begun and has not ended."""


def examine_launchd(
    settings: Settings, environment: Mapping[str, str], ticking: Ticking | None = None
) -> Iterator[Examined]:
    """Installed, as install would do it now, loaded, ticking; by default the lock tells."""
    house = household(environment, lambda _environment, _home: settings)
    tool = house.launchctl
    if tool is None:
        detail = f"no launchctl on {house.path}: `healer install` is for a Mac"
        yield Examined("launchd", good=True, detail=detail, needed=False)
        return
    try:
        found = _look(house, launchctl_of(house, tool, lambda _: None))
    except PortError as error:
        yield Examined("launchd", good=False, detail=str(error), mend="launchctl print system")
        return
    yield from _installed(house, found.files)
    if found.cut_off:
        detail = "an installation was cut off: jobs that it has ended may not run"
        yield Examined("installation", good=False, detail=detail, mend="healer install")
    if found.files or found.jobs:
        yield _loaded(house, found)
        yield from _comes_back(house, found)
        yield _ticking(house, ticking or (lambda: lock_is_held(house.places.lock)))


def lock_is_held(lock: Path) -> str | None:
    """Who holds the writer's lock; a daemon holds it for as long as it lives."""
    pid = holder(lock)
    return None if pid is None else f"pid {pid} holds the writer's lock"


def _look(house: Household, launchctl: Launchctl) -> _Found:
    async def jobs() -> dict[str, LoadedJob]:
        targets = [domain.target(LABEL) for domain in domains_of(house.uid)]
        answers = {target: await launchctl.job(target) for target in targets}
        return {target: job for target, job in answers.items() if job is not None}

    files = plist_files(house)
    cut_off = files.manifest().before is not None
    return _Found(tuple(files.found([LABEL])), run_async(jobs), cut_off)


def _installed(house: Household, files: Sequence[PlistFile]) -> Iterator[Examined]:
    if len(files) != 1:
        where = " and ".join(str(one.path) for one in files)
        detail = f"more than once: {where}" if files else "launchd has no plist of healer"
        yield Examined("installed", good=False, detail=detail, mend="healer install")
        return
    path = files[0].path
    data = _read(path)
    job = parse_plist(data) or {}
    program = program_of(job)
    if program is None or not os.access(program, os.X_OK):
        detail = f"{path}: its program is not there: {program or 'it names none'}"
        yield Examined("installed", good=False, detail=detail, mend="healer install")
        return
    kind = _kind(house, path, job)
    yield Examined("installed", good=True, detail=str(path))
    differences = drift(data, content(agent_of(house, kind)))
    yield Examined(
        "plist",
        not differences,
        "; ".join(differences) or "as install would write it now",
        f"{_install(kind)}, if what is set in this shell is what should be",
        needed=False,
    )


def _loaded(house: Household, found: _Found) -> Examined:
    told = "; ".join(f"{target} is {job}" for target, job in found.jobs.items())
    if not found.jobs:
        kind = _kind(house, found.files[0].path, parse_plist(_read(found.files[0].path)) or {})
        return Examined("loaded", good=False, detail="launchd knows no healer", mend=_install(kind))
    if len(found.jobs) > 1:
        return Examined("loaded", good=False, detail=told, mend="healer install")
    [(target, job)] = found.jobs.items()
    sudo = "sudo " if target.startswith("system/") else ""
    mend = f"{sudo}launchctl kickstart {target}"
    report = None if job.running else _report_of(house)
    if job.constrained or report is not None:
        # A kickstart would be killed too: launchd goes by the program that it loaded.
        told += f"; macOS refuses to start its Python: {CONSTRAINT}"
        told += f", see {report}" if report else ""
        mend = _install(_kind_of(target))
    return Examined("loaded", job.running, told, mend)


def _report_of(house: Household) -> Path | None:
    """macOS' newest report of an end of healer, if it tells of that one."""
    folder = house.home / "Library" / "Logs" / "DiagnosticReports"
    with suppress(OSError):
        reports = sorted(folder.glob("*.ips"), key=lambda one: one.stat().st_mtime, reverse=True)
        for one in reports[:_REPORTS]:
            with one.open("rb") as file:
                said = file.read(_REPORT_BYTES).replace(b" ", b"")
            if f'"coalitionName":"{LABEL}"'.encode() in said:
                return one if CONSTRAINT.replace(" ", "").encode() in said else None
    return None


def _comes_back(house: Household, found: _Found) -> Iterator[Examined]:
    """launchd reads `~/Library/LaunchAgents` for `gui/UID` only, when the user logs in."""
    here = [target for target in found.jobs if target.startswith("user/")]
    kinds = [_kind(house, one.path, parse_plist(_read(one.path)) or {}) for one in found.files]
    if here or DomainKind.USER in kinds:
        yield Examined(
            "after a reboot",
            good=False,
            detail=f"{' and '.join(here) or found.files[0].path} is for user/{house.uid}, into "
            "which launchd loads nothing by itself: after the next reboot nobody starts healer",
            mend="healer install",
            needed=False,
        )


def _ticking(house: Household, ticking: Ticking) -> Examined:
    proof = ticking()
    look = f"tail {shlex.quote(str(crash_log(house.places.log)))}"
    return Examined("ticking", proof is not None, proof or "no daemon is at work", look)


def _install(kind: DomainKind) -> str:
    match kind:
        case DomainKind.SYSTEM:
            return "sudo healer install --system"
        case DomainKind.GUI:
            return "healer install"
        case DomainKind.USER:
            return "healer install --user"


def _kind_of(target: str) -> DomainKind:
    return DomainKind(target.partition("/")[0])


def _kind(house: Household, path: Path, job: Mapping[str, Any]) -> DomainKind:
    if path == plist_path(DomainKind.SYSTEM, house.home):
        return DomainKind.SYSTEM
    only = job.get("LimitLoadToSessionType")
    return DomainKind.USER if only == "Background" else DomainKind.GUI


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""

"""`healer doctor` on launchd: is healer installed, loaded and ticking (R48).

Three proofs, since each has failed alone: a plist that nobody loaded, a job that launchd calls
running and that does nothing, and one that is loaded elsewhere (facts/incidents.md §2, 34).
"""

import os
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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
from healer.model.launchd import DomainKind, LoadedJob, domains_of
from healer.model.set_aside import PlistFile
from healer.ports import PortError
from healer.settings import Settings

Ticking = Callable[[], str | None]
"""How it is known that the daemon lives; None when it is not."""


@dataclass(frozen=True, slots=True)
class _Found:
    files: Sequence[PlistFile]
    jobs: Mapping[str, LoadedJob]
    """By target."""


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
    if found.files or found.jobs:
        yield _loaded(house, found)
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

    return _Found(tuple(plist_files(house).found([LABEL])), run_async(jobs))


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
    return Examined("loaded", job.running, told, f"{sudo}launchctl kickstart {target}")


def _ticking(house: Household, ticking: Ticking) -> Examined:
    proof = ticking()
    look = f"tail {shlex.quote(str(crash_log(house.places.log)))}"
    return Examined("ticking", proof is not None, proof or "no daemon is at work", look)


def _install(kind: DomainKind) -> str:
    match kind:
        case DomainKind.SYSTEM:
            return "sudo healer install --system"
        case DomainKind.GUI:
            return "healer install --gui"
        case DomainKind.USER:
            return "healer install"


def _kind(house: Household, path: Path, job: Mapping[str, Any]) -> DomainKind:
    if path == plist_path(DomainKind.SYSTEM, house.home):
        return DomainKind.SYSTEM
    aqua = job.get("LimitLoadToSessionType") == "Aqua"
    return DomainKind.GUI if aqua else DomainKind.USER


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""

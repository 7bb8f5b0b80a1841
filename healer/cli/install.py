"""`healer install` and `healer uninstall`: launchd runs healer, and the jobs that it replaces rest.

Both look first, say each step before they take it, and finish what a run before them began.
"""

import argparse
import os
import shlex
import sys
from collections.abc import Callable, Coroutine, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final, assert_never

import anyio

from healer import __version__
from healer.adapters.launchctl import LOOK, Launchctl
from healer.adapters.launchd_survey import survey
from healer.adapters.plist_files import PlistFiles
from healer.adapters.process import ProcessRunner
from healer.cli.household import (
    Household,
    agent_of,
    household,
    launchctl_of,
    left_behind,
    loaded_settings,
    plist_files,
    unfit_python,
)
from healer.cli.running import run_async
from healer.cli.talking import CONFIGURATION, put, tell
from healer.model.install_plan import (
    BackUp,
    Bootout,
    Bootstrap,
    Enable,
    EndsWell,
    FileStep,
    Keep,
    Note,
    PutBack,
    Remove,
    Revert,
    Seen,
    SetAside,
    StaysUp,
    Step,
    Wanted,
    Write,
    needs_root,
    obstacles,
    plan_install,
    plan_restore,
    plan_uninstall,
)
from healer.model.launch_agent import (
    CARRIED,
    LABEL,
    TRIAL,
    Agent,
    content,
    crash_log,
    plist,
    plist_path,
    trial,
)
from healer.model.launchd import NEVER_EXITED, Domain, DomainKind
from healer.ports import ActFailed, PortError
from healer.settings import SettingsError

_FAILED: Final = 1
STEADY: Final = 2.0
"""Seconds for which the job must keep one pid: a healer that breaks at its start takes less."""
COMES_UP: Final = 15.0
"""Seconds for launchd to start it."""
_STARTS: Final = 30.0
"""Seconds for `healer --version`, by a Python that has compiled nothing yet."""


class _Refused(Exception):
    """It must not be done; the message says why, and what to do."""


def install(arguments: argparse.Namespace) -> int:
    """Let launchd run healer from now on."""
    kind = DomainKind.SYSTEM if arguments.system else DomainKind.GUI
    return _run(
        lambda house: _install(
            house, DomainKind.USER if arguments.user else kind, only_say=arguments.only_say
        )
    )


def uninstall(arguments: argparse.Namespace) -> int:
    """Let launchd forget healer, and bring back what install has retired."""
    return _run(lambda house: _uninstall(house, only_say=arguments.only_say))


def _run(work: Callable[[Household], Coroutine[Any, Any, int]]) -> int:
    try:
        house = household(os.environ, loaded_settings)
        code: int = run_async(partial(work, house))
    except SettingsError as error:
        for problem in error.problems:
            tell(problem)
        return CONFIGURATION
    except (PortError, _Refused) as error:
        tell(f"healer: {error}")
        return _FAILED
    return code


async def _install(house: Household, kind: DomainKind, *, only_say: bool) -> int:
    launchctl, files = _tools(house)
    if only_say:
        agent, steps = await _planned(house, kind, launchctl, files)
        _only_say(steps)
        put(plist(agent).decode().rstrip("\n"))
        return 0
    try:
        agent, steps = await _planned(house, kind, launchctl, files)
        files.make_folder(agent.log.parent)
        await _take(steps, launchctl, files, agent.log)
    except BaseException:
        with anyio.CancelScope(shield=True):
            await _restore(house, launchctl, files)
        raise
    tell("healer is installed; `healer doctor` proves that it works")
    return 0


async def _planned(
    house: Household, kind: DomainKind, launchctl: Launchctl, files: PlistFiles
) -> tuple[Agent, list[Step]]:
    """Everything that can be known to fail fails here, before anything is changed."""
    _refuse_unfit_python()
    seen = await survey(launchctl, files, house.uid, house.instance)
    domain = _domain(seen, house, kind)
    agent = agent_of(house, kind)
    await _refuse_unless_it_starts(agent)
    in_the_way = obstacles(seen)
    if in_the_way:
        raise _Refused("\n".join(["not installed:", *in_the_way]))
    path, trial_path = (plist_path(kind, house.home, label) for label in (LABEL, TRIAL))
    wanted = Wanted(domain, path, plist(agent), trial_path, trial(agent))
    steps = plan_install(seen, wanted)
    _refuse_without_root(steps, house, "install", kind)
    for name in left_behind(house.environment):
        tell(f"note: {name} is not passed on to launchd; put it into {house.places.config}")
    if kind is DomainKind.USER:
        tell(
            f"warning: launchd loads nothing into {domain} by itself: after the next reboot "
            f"nobody starts healer, nor what it has retired, until `healer install` is run again; "
            f"without --user it lives in gui/{house.uid}, with --system it needs no login"
        )
    return agent, steps


async def _restore(house: Household, launchctl: Launchctl, files: PlistFiles) -> None:
    """Bring back what a failed or an interrupted installation has ended; never raises.

    When launchd does not take the healer of before either, the jobs that it retired come back:
    somebody must own the tower.
    """

    async def take(plan: Callable[[Seen], list[Step]], words: str) -> bool:
        steps = plan(await survey(launchctl, files, house.uid, house.instance))
        _refuse_without_root(steps, house, "install", None)
        tell(f"healer: {words}:")
        return await _take(steps, launchctl, files, house.places.log)

    whole = False
    try:
        if files.manifest().before is None and not files.has_trial():
            return
        try:
            whole = await take(plan_restore, "not installed; what was there before comes back")
        except ActFailed as error:
            if not files.manifest().kept:
                raise
            tell(f"healer: {error}")
            whole = await take(plan_uninstall, "the jobs that healer had retired come back")
    except (PortError, _Refused) as error:
        tell(f"healer: {error}")
    if not whole:
        tell("healer: not all is back; `healer install` or `healer uninstall` goes on with it")


async def _uninstall(house: Household, *, only_say: bool) -> int:
    launchctl, files = _tools(house)
    seen = await survey(launchctl, files, house.uid, house.instance)
    steps = plan_uninstall(seen)
    _refuse_without_root(steps, house, "uninstall", None)
    if only_say:
        _only_say(steps)
        return 0
    whole = await _take(steps, launchctl, files, house.places.log)
    tell(
        "healer is uninstalled; its settings, journal and log stay (healer paths)"
        if steps
        else "healer is not installed, and nothing is set aside"
    )
    return 0 if whole else _FAILED


def _tools(house: Household) -> tuple[Launchctl, PlistFiles]:
    tool = house.launchctl
    if tool is None:
        raise _Refused(f"there is no launchctl on {house.path}: launchd is a Mac's")
    return launchctl_of(house, tool, tell), plist_files(house)


def _refuse_unfit_python() -> None:
    why = unfit_python()
    if why:
        raise _Refused(
            f"{why}; install healer to stay (uv tool install healer, or pipx install healer) and "
            "run `healer install` of that one"
        )


def _domain(seen: Seen, house: Household, kind: DomainKind) -> Domain:
    """Where to live, if that is there now."""
    if kind is DomainKind.SYSTEM and os.geteuid() == 0 and not house.by_sudo:
        raise _Refused("healer must run as the user who owns the VM: call it by sudo from there")
    domain = Domain(kind, house.uid)
    if domain in seen.domains:
        return domain
    where = "in at the screen" if kind is DomainKind.GUI else "in at all"
    raise _Refused(
        f"launchd has no {domain}: {house.name} is not logged {where}; log in, or let healer run "
        f"without any login: {_by_sudo(house, 'install --system')}"
    )


async def _refuse_unless_it_starts(agent: Agent) -> None:
    """Under launchd's bare environment it must be the healer that is asked now."""
    arguments = [str(agent.python), "-m", "healer", "--version"]
    environment: Mapping[str, str] = content(agent)["EnvironmentVariables"]
    done = await ProcessRunner().run(arguments, deadline=_STARTS, env=environment)
    if done.code != 0 or done.stdout.strip() != f"healer {__version__}":
        said = done.stderr.strip().splitlines() or done.stdout.strip().splitlines() or ["nothing"]
        raise _Refused(
            f"launchd could not start healer {__version__}: {shlex.join(arguments)} ended with "
            f"{done.code} and said: {said[-1][-200:]}"
        )


def _refuse_without_root(
    steps: Sequence[Step], house: Household, verb: str, kind: DomainKind | None
) -> None:
    if os.geteuid() != 0 and needs_root(steps, house.home):
        flag = f" --{kind}" if kind else ""
        raise _Refused(
            f"{verb} must change what belongs to the whole Mac; run: {_by_sudo(house, verb + flag)}"
        )


def _by_sudo(house: Household, words: str) -> str:
    """The command, with the variables that sudo would drop."""
    given = ",".join(name for name in CARRIED if house.environment.get(name))
    kept = f"--preserve-env={given} " if given else ""
    return f"sudo {kept}{shlex.quote(sys.executable)} -m healer {words}"


def _only_say(steps: Sequence[Step]) -> None:
    for step in steps:
        tell(f"would: {step}")


async def _take(steps: Sequence[Step], launchctl: Launchctl, files: PlistFiles, log: Path) -> bool:
    """Take every step; False when a job that was put back could not be loaded.

    Its plist lies where launchd finds it at the next login, so the others are not kept waiting.
    """
    files.sweep()
    whole = True
    for step in steps:
        tell(str(step))
        try:
            await _step(step, launchctl, files, crash_log(log))
        except ActFailed as error:
            if not isinstance(step, Bootstrap) or step.label in {LABEL, TRIAL}:
                raise
            tell(f"healer: {error}")
            whole = False
    return whole


async def _step(step: Step, launchctl: Launchctl, files: PlistFiles, crashes: Path) -> None:
    match step:
        case Bootout():
            await launchctl.bootout(step.target)
        case Enable():
            await launchctl.enable(step.target)
        case Bootstrap():
            await launchctl.bootstrap(step.domain, step.label, step.path)
        case EndsWell():
            await _ends_well(launchctl, step.target, crashes)
        case StaysUp():
            await _stays_up(launchctl, step.target, crashes)
        case Note():
            pass
        case _:
            _change_files(step, files)


def _change_files(step: FileStep, files: PlistFiles) -> None:
    match step:
        case Keep():
            files.keep(step.manifest)
        case SetAside():
            files.set_aside(step.path, step.aside)
        case PutBack():
            files.put_back(step.aside, step.path)
        case Remove():
            files.remove(step.path)
        case Write():
            files.write(step.path, step.data)
        case BackUp():
            files.back_up(step.path)
        case Revert():
            files.revert(step.path)
        case _:
            assert_never(step)


async def _ends_well(launchctl: Launchctl, target: str, crashes: Path) -> None:
    job = await launchctl.job(target)
    with anyio.move_on_after(_STARTS):
        while job is not None and (job.running or job.last_exit in {"", NEVER_EXITED}):
            await anyio.sleep(LOOK)
            job = await launchctl.job(target)
    if job is None or job.running or job.last_exit != "0":
        raise ActFailed(target, f"a trial job is {job or 'not loaded'}; look: {_tail(crashes)}")


async def _stays_up(launchctl: Launchctl, target: str, crashes: Path) -> None:
    """One that breaks at its start is started again and again, each time with another pid."""
    job = await launchctl.job(target)
    with anyio.move_on_after(COMES_UP):
        while True:
            before = job.pid if job else None
            await anyio.sleep(STEADY)
            job = await launchctl.job(target)
            if job is not None and job.running and job.pid == before:
                return
    raise ActFailed(
        target, f"is {job or 'not loaded'}: it does not stay up; look: {_tail(crashes)}"
    )


def _tail(crashes: Path) -> str:
    return f"tail {shlex.quote(str(crashes))}"

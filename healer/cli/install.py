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
from healer.adapters.launchctl import Launchctl
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
    Bootout,
    Bootstrap,
    Enable,
    Keep,
    Note,
    PutBack,
    Remove,
    Seen,
    SetAside,
    Step,
    Wanted,
    Write,
    needs_root,
    obstacles,
    plan_install,
    plan_uninstall,
)
from healer.model.launch_agent import CARRIED, LABEL, Agent, content, crash_log, plist, plist_path
from healer.model.launchd import Domain, DomainKind
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
    kind = DomainKind.SYSTEM if arguments.system else DomainKind.GUI if arguments.gui else None
    return _run(lambda house: _install(house, kind, only_say=arguments.only_say))


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


async def _install(house: Household, kind: DomainKind | None, *, only_say: bool) -> int:
    launchctl, files = _tools(house)
    _refuse_unfit_python()
    seen = await survey(launchctl, files, house.uid)
    domain = _domain(seen, house, kind)
    agent = agent_of(house, domain.kind)
    await _refuse_unless_it_starts(agent)
    in_the_way = obstacles(seen)
    if in_the_way:
        raise _Refused("\n".join(["not installed:", *in_the_way]))
    steps = plan_install(seen, Wanted(domain, plist_path(domain.kind, house.home), plist(agent)))
    _refuse_without_root(steps, house, "install", kind)
    for name in left_behind(house.environment):
        tell(f"note: {name} is not passed on to launchd; put it into {house.places.config}")
    if only_say:
        _only_say(steps)
        put(plist(agent).decode().rstrip("\n"))
        return 0
    files.make_folder(agent.log.parent)
    await _take(steps, launchctl, files)
    return await _told_how_it_runs(launchctl, domain.target(LABEL), crash_log(agent.log))


async def _uninstall(house: Household, *, only_say: bool) -> int:
    launchctl, files = _tools(house)
    seen = await survey(launchctl, files, house.uid)
    steps = plan_uninstall(seen)
    _refuse_without_root(steps, house, "uninstall", None)
    if only_say:
        _only_say(steps)
        return 0
    whole = await _take(steps, launchctl, files)
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


def _domain(seen: Seen, house: Household, kind: DomainKind | None) -> Domain:
    """Where to live (design §10): `user/UID` where it exists, else `gui/UID`."""
    if kind is DomainKind.SYSTEM and os.geteuid() == 0 and not house.by_sudo:
        raise _Refused("healer must run as the user who owns the VM: call it by sudo from there")
    wanted = [kind] if kind else [DomainKind.USER, DomainKind.GUI]
    for domain in [Domain(one, house.uid) for one in wanted]:
        if domain in seen.domains:
            return domain
    missing = " nor ".join(str(Domain(one, house.uid)) for one in wanted)
    raise _Refused(
        f"launchd has no {missing}: nobody is logged in there; log in, or let it run without "
        f"any login: {_by_sudo(house, 'install --system')}"
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


async def _take(steps: Sequence[Step], launchctl: Launchctl, files: PlistFiles) -> bool:
    """Take every step; False when a job that was put back could not be loaded.

    Its plist lies where launchd finds it at the next login, so the others are not kept waiting.
    """
    files.sweep()
    whole = True
    for step in steps:
        tell(str(step))
        try:
            await _step(step, launchctl, files)
        except ActFailed as error:
            if not isinstance(step, Bootstrap) or step.label == LABEL:
                raise
            tell(f"healer: {error}")
            whole = False
    return whole


async def _step(step: Step, launchctl: Launchctl, files: PlistFiles) -> None:
    match step:
        case Keep():
            files.keep(step.kept)
        case Bootout():
            await launchctl.bootout(step.target)
        case SetAside():
            files.set_aside(step.path, step.aside)
        case PutBack():
            files.put_back(step.aside, step.path)
        case Remove():
            files.remove(step.path)
        case Write():
            files.write(step.path, step.data)
        case Enable():
            await launchctl.enable(step.target)
        case Bootstrap():
            await launchctl.bootstrap(step.domain, step.label, step.path)
        case Note():
            pass
        case _:
            assert_never(step)


async def _told_how_it_runs(launchctl: Launchctl, target: str, crashes: Path) -> int:
    """Wait until it has kept one pid for a while, and say so."""
    steady: int | None = None
    job = None
    with anyio.move_on_after(COMES_UP):
        while True:
            job = await launchctl.job(target)
            if job is not None and job.running and job.pid == steady:
                tell(f"{target} is {job}; `healer doctor` proves that it works")
                return 0
            steady = job.pid if job else None
            await anyio.sleep(STEADY)
    tell(
        f"healer: {target} is {job or 'not loaded'}: it does not stay up; look: "
        f"tail {shlex.quote(str(crashes))}"
    )
    return _FAILED

"""`healer doctor --prove`: what only a Mac can prove, tried on this one.

Half of it must run inside launchd's job, so the daemon is asked for it over its control socket.
"""

import json
import os
import platform
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

from healer import __version__
from healer.adapters.clock import SystemClock
from healer.adapters.process import ProcessRunner
from healer.adapters.process_hold import hold
from healer.adapters.proving import (
    interpreter,
    killed_child,
    mux,
    processes,
    stranger,
    throwaway_job,
)
from healer.adapters.proving_job import down
from healer.cli.asking import AskError, NoDaemon, ask
from healer.cli.household import (
    Household,
    household,
    launchctl_of,
    loaded_settings,
    plist_files,
)
from healer.cli.running import run_async
from healer.cli.talking import CONFIGURATION, put, tell
from healer.model.launch_agent import LABEL, parse_plist, program_of
from healer.model.launchd import Domain, DomainKind
from healer.model.proof import (
    Proof,
    Verdict,
    document,
    exit_code,
    from_plain,
    unproven,
    without_home,
)
from healer.serving.protocol import VERSION
from healer.settings import SettingsError
from healer.wiring.proving import colima_paths, seen_by_a_human, tried

CHECKS: Final = {
    "reboot": "healer came up by itself after a boot",
    "throwaway_job": "launchd loads a job, runs it and lets it go",
    "labels": "launchctl's pages on the watched jobs are understood",
    "notice": "a notice is seen",
    "processes": "the process table shows listeners, hostagent and mux",
    "mux": "the mux's title is on the process that ssh names",
    "kqueue": "the end of a killed child is seen",
    "clocks": "the clocks differ by the sleep, and wakes are noticed",
    "stranger": "the control socket refuses another user",
    "descriptors": "daemon, mux and hostagent may open 1024 files",
    "authorities": "an authority is known for HTTPS",
    "lan": "the local network can be reached from the job",
    "interpreter": "the job's Python outlives an upgrade and is signed",
    "cost": "what looking costs",
}
"""Every check, in the order in which it is shown, and what it proves."""
_INSIDE: Final = frozenset(
    {"reboot", "labels", "notice", "clocks", "descriptors", "authorities", "lan", "cost"}
)
"""Those that the daemon runs."""
_AGAIN: Final = "healer doctor; then run this again"
_MAC: Final = sys.platform == "darwin"


def prove(*, as_json: bool) -> int:
    """Try all; 1 when one failed, 3 when one is not proven, 0 when all are proved."""
    try:
        house = household(os.environ, loaded_settings)
    except SettingsError as error:
        for problem in error.problems:
            tell(problem)
        return CONFIGURATION
    tell("trying, which may take a minute and sends a test notice …")
    proofs = {"stranger": _stranger(house), **_inside(house), **_outside(house)}
    proofs = {name: _answered(proofs[name]) for name in CHECKS}
    if as_json:
        put(json.dumps(document(proofs, _about(), str(house.home)), indent=2, ensure_ascii=False))
    else:
        for name, one in proofs.items():
            _print(name, one, str(house.home))
    return exit_code(list(proofs.values()))


def _print(name: str, one: Proof, home: str) -> None:
    put(f"{one.verdict:<10}  {name}: {CHECKS[name]}")
    put(f"            {without_home(one.evidence, home)}")
    if one.verdict is not Verdict.PROVED:
        put(f"            to do: {without_home(one.todo, home)}")


def _about() -> Mapping[str, str]:
    release = platform.mac_ver()[0] if _MAC else platform.release()
    name = "macOS" if _MAC else platform.system()
    python = f"{platform.python_implementation()} {platform.python_version()}"
    system = f"{name} {release} {platform.machine()}"
    return {"healer": __version__, "system": system, "python": python}


def _stranger(house: Household) -> Proof:
    """Before anything has started a thread, since it forks."""
    request = json.dumps({"version": VERSION, "verb": "status"}).encode() + b"\n"
    return stranger(house.places.control, request)


def _inside(house: Household) -> dict[str, Proof]:
    """What the daemon says of its checks; not one of them is tried without it."""
    try:
        said = ask(house.places.control, "prove", line=tell, patient=True)
        found = from_plain(said["proofs"])
        missing = unproven(f"the daemon (healer {said['healer']}) did not try it", _AGAIN)
        return {name: found.get(name, missing) for name in _INSIDE}
    except NoDaemon:
        nobody = dict.fromkeys(_INSIDE, unproven("no daemon answers", "healer install"))
        return {**nobody, "reboot": _down(house)}
    except (AskError, KeyError, TypeError, ValueError, AttributeError) as error:
        words = f"the daemon did not try it: {error}"
        return dict.fromkeys(_INSIDE, unproven(words, _AGAIN))


def _down(house: Household) -> Proof:
    clock, installed = SystemClock(), [one.path for one in plist_files(house).found([LABEL])]
    ages = []
    for path in installed:
        with suppress(OSError):
            ages.append(clock.wall() - path.stat().st_mtime)
    return down(min(ages, default=None), clock.now(), mac=_MAC)


def _outside(house: Household) -> dict[str, Proof]:
    """What this process can try as well as a job."""
    environment = {**house.environment, "PATH": house.path}
    paths = colima_paths(house.settings, house.places, environment)
    runner = ProcessRunner()
    tool = house.launchctl
    launchctl = None if tool is None else launchctl_of(house, tool, lambda _: None)
    kind = DomainKind.SYSTEM if os.geteuid() == 0 else DomainKind.GUI

    async def all_of_them() -> dict[str, Proof]:
        async def in_a_child() -> Proof:
            return killed_child(hold if _MAC else None)

        return {
            "throwaway_job": await tried(lambda: throwaway_job(launchctl, Domain(kind, house.uid))),
            "processes": await tried(lambda: processes(paths)),
            "mux": await tried(lambda: mux(runner, paths, environment)),
            "kqueue": await tried(in_a_child),
            "interpreter": await tried(
                lambda: interpreter(_program(house), runner, environment, mac=_MAC)
            ),
        }

    found: dict[str, Proof] = run_async(all_of_them)
    return found


def _program(house: Household) -> Path:
    """The one that launchd starts; ours where it starts none."""
    for one in plist_files(house).found([LABEL]):
        program = None
        with suppress(OSError):
            program = program_of(parse_plist(one.path.read_bytes()) or {})
        if program is not None:
            return program
    return Path(sys.executable)


def _answered(one: Proof) -> Proof:
    """A person's answer to what only a person knows; without a terminal nobody is asked."""
    if not one.question or not (sys.stdin.isatty() and sys.stderr.isatty()):
        return one
    sys.stderr.write(f"{one.evidence}: {one.question} [y/N] ")
    sys.stderr.flush()
    return seen_by_a_human(one, yes=sys.stdin.readline().strip().lower() in {"y", "yes"})

"""healer as a job of launchd: its plist, where that lives, and what may stand in it."""

import plistlib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from healer.model.launchd import DomainKind

LABEL: Final = "com.joel.healer"
TRIAL: Final = f"{LABEL}.trial"
"""A throw-away job that proves that launchd runs healer's Python in a domain."""

DAEMONS: Final = Path("/Library/LaunchDaemons")
"""What launchd loads at boot."""
AGENTS: Final = Path("/Library/LaunchAgents")
"""What launchd loads for every user; `~/Library/LaunchAgents` for one."""

EXIT_TIMEOUT: Final = 20
"""Seconds from TERM to KILL. healer ends within 15."""

OPEN_FILES: Final = 1024
"""The soft limit of open files. An ssh master that healer starts inherits launchd's 256, enough
for some 250 connections; Apple's ssh waits by select(), which cannot hold a descriptor of 1024
or more, so a higher limit would break it."""

THROTTLE: Final = 30
"""Least seconds from one start to the next. launchd cannot test an exit code, and its
SuccessfulExit would leave healer down for ever after a stray TERM, which it answers with 0:
so it starts anew after any end, and a settings file that is wrong (78) costs half a second of
work every 30 s until it is mended. One that has lived longer is back at once."""

CARRIED: Final = (
    "COLIMA_HOME",
    "HEALER_CONFIG",
    "KUBECONFIG",
    "LIMA_HOME",
    "XDG_CONFIG_HOME",
    "XDG_STATE_HOME",
)
"""Variables that say where files are. launchd passes none of them on, and a daemon that finds
other files than its user's shell is answered by nobody. Others stay behind: the plist can be
read by everybody."""

TEMPORARY: Final = ("/tmp", "/private/tmp", "/var/folders", "/private/var/folders", "/var/tmp")  # noqa: S108  (named to be refused)
_CACHES: Final = frozenset({".cache", "Caches", "archive-v0", "environments-v2", ".tox", ".nox"})
"""Folders that somebody empties; uvx and `pipx run` live in such (facts/peers.md §6.3)."""


@dataclass(frozen=True, slots=True)
class Agent:
    """Everything that the plist depends on."""

    kind: DomainKind
    user: str
    home: Path
    python: Path
    """The interpreter that has healer; absolute, its symbolic links kept, since a virtual
    environment is left when they are followed."""
    path: str
    """PATH."""
    log: Path
    """healer's own log; what launchd catches goes beside it."""
    carried: Mapping[str, str]
    """Variables of CARRIED that are set, their paths absolute."""


def plist_path(kind: DomainKind, home: Path, label: str = LABEL) -> Path:
    """Where the plist of a job in such a domain lives."""
    folder = DAEMONS if kind is DomainKind.SYSTEM else home / "Library" / "LaunchAgents"
    return folder / f"{label}.plist"


def crash_log(log: Path) -> Path:
    """What healer says before its log is open, and when it breaks.

    launchd never rotates it (facts/peers.md §6.2), so the daemon's own lines stay out of it.
    """
    return log.with_name(f"{log.stem}.crash.log")


def content(agent: Agent) -> dict[str, Any]:
    """The plist as a dictionary."""
    said = str(crash_log(agent.log))
    job: dict[str, Any] = {
        "Label": LABEL,
        "ProgramArguments": [str(agent.python), "-m", "healer", "run"],
        "EnvironmentVariables": {
            "PATH": agent.path,
            "HOME": str(agent.home),
            **dict(sorted(agent.carried.items())),
        },
        "RunAtLoad": True,
        "KeepAlive": True,
        "ThrottleInterval": THROTTLE,
        "ExitTimeOut": EXIT_TIMEOUT,
        "SoftResourceLimits": {"NumberOfFiles": OPEN_FILES},
        # A VM that `colima start` has begun must not end with us.
        "AbandonProcessGroup": True,
        # Not for healer, which hardly runs, but for what it starts: the VM's forwards and
        # network inherit it, and `Standard` throttles their CPU and I/O as unset does
        # (lima-vm/socket_vmnet#54 measured 2.7 times the throughput).
        "ProcessType": "Interactive",
        "StandardOutPath": said,
        "StandardErrorPath": said,
    }
    match agent.kind:
        case DomainKind.SYSTEM:
            job["UserName"] = agent.user
        case DomainKind.USER:
            # `user/UID` refuses an agent that does not allow it. launchd loads none into it
            # at login either, and refuses this one in `gui/UID`: it ends with the next reboot.
            job["LimitLoadToSessionType"] = "Background"
        case DomainKind.GUI:
            pass  # without a word an agent is for `gui/UID`
    return job


def trial(agent: Agent) -> bytes:
    """The plist of a job like healer's own that only says its version, once."""
    job = content(agent)
    for key in ("KeepAlive", "ThrottleInterval"):
        del job[key]
    arguments = [str(agent.python), "-m", "healer", "--version"]
    job |= {"Label": TRIAL, "ProgramArguments": arguments, "StandardOutPath": "/dev/null"}
    return plistlib.dumps(job, sort_keys=False)


def plist(agent: Agent) -> bytes:
    """The plist as a file."""
    return plistlib.dumps(content(agent), sort_keys=False)


def unfit(python: Path, temporary: Collection[str]) -> str:
    """Why the plist must not name this interpreter; '' when it may.

    `temporary` are folders of this machine that are emptied.
    """
    if not python.is_absolute():
        return f"{python} is no absolute path"
    for folder in temporary:
        if python.is_relative_to(folder):
            return f"{python} lies in {folder}, which is emptied"
    for part in python.parts:
        if part in _CACHES:
            return f"{python} lies in a cache ({part}), which is emptied"
    return ""


def program_of(found: Mapping[str, Any]) -> Path | None:
    """The program that a plist starts."""
    arguments = found.get("ProgramArguments")
    if isinstance(arguments, list) and arguments and isinstance(arguments[0], str):
        return Path(arguments[0])
    return None


def parse_plist(data: bytes) -> dict[str, Any] | None:
    """A plist as a dictionary, or None when it is damaged."""
    try:
        job = plistlib.loads(data)
    except Exception:  # noqa: BLE001  (the parser of a damaged file raises what it likes)
        return None
    return job if isinstance(job, dict) else None


def drift(found: bytes, wanted: Mapping[str, Any]) -> list[str]:
    """Where a plist differs from the wanted one, key by key; [] when it does not."""
    job = parse_plist(found)
    return ["it is no property list"] if job is None else list(_differences(job, wanted, ""))


def _differences(job: Mapping[str, Any], wanted: Mapping[str, Any], above: str) -> Iterator[str]:
    for key in [*wanted, *(key for key in job if key not in wanted)]:
        name = f"{above}{key}"
        there, want = job.get(key), wanted.get(key)
        if isinstance(there, dict) and isinstance(want, Mapping):
            yield from _differences(there, want, f"{name}.")
        elif key not in job:
            yield f"{name} is missing"
        elif key not in wanted:
            yield f"{name} is not ours"
        elif there != want:
            yield f"{name} is {_shown(there)}, not {_shown(want)}"


def _shown(value: object) -> str:
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)

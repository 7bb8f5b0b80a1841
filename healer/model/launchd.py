"""launchd's domains and jobs, and how `launchctl` speaks of them."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

ABSENT: Final = frozenset({3, 112, 113, 125})
"""Exit codes that say that a job, or its whole domain, is not there: 3 `No such process` and
113 `Could not find service` of the job; 112 `Could not find domain` and 125 `Domain does not
support specified action` of a domain that nobody has logged in to (facts/incidents.md §2, 34)."""

_RIVALS: Final = (
    "com.joel.k8s-reboot-heal",
    "com.joel.talon",
    "com.joel.colima",
    "homebrew.mxcl.colima",
)
_AUTOSTART: Final = ("io.lima-vm.autostart.", "io.lima-vm.daemon.")
"""Jobs of `limactl autostart enable INSTANCE`: at login, and at boot."""

NEVER_EXITED: Final = "(never exited)"
"""The last exit of a job that runs for the first time."""

CONSTRAINT: Final = "Launch Constraint Violation"
"""What macOS calls it when a job's program is not the one that launchd has pinned: it kills each
start, with 9, until the job is booted out and bootstrapped anew."""
_STALE: Final = ("OS_REASON_CODESIGNING", CONSTRAINT, "needs LWCR update")
"""How a page tells of it: in the reason of the last exit, or in the job's properties."""

_FIELD: Final = re.compile(r"\t([a-z][a-z ]*) = (.+)")
"""One tab: what is nested deeper has a `state` and a `path` of its own."""
_SWITCH: Final = re.compile(r'\s*"(.+)" => (?:disabled|true)')
"""`true` up to macOS 12, a word since."""


class DomainKind(StrEnum):
    """Where a job can live."""

    SYSTEM = "system"
    """From boot on, with nobody logged in; only root changes it."""
    USER = "user"
    """As long as the user has any session, also one by ssh; launchd loads nothing into it by
    itself, so that what is loaded by hand ends with the next reboot."""
    GUI = "gui"
    """As long as the user is logged in at the screen; where launchd loads agents at login."""


@dataclass(frozen=True, slots=True)
class Domain:
    """One domain, as launchctl names it: `system`, `user/501`, `gui/501`."""

    kind: DomainKind
    uid: int

    def __str__(self) -> str:
        return self.kind if self.kind is DomainKind.SYSTEM else f"{self.kind}/{self.uid}"

    def target(self, label: str) -> str:
        """A job in it, as launchctl names it."""
        return f"{self}/{label}"


def domains_of(uid: int) -> tuple[Domain, ...]:
    """Every domain in which a job of that user, or for all, may live (R10)."""
    return tuple(Domain(kind, uid) for kind in DomainKind)


@dataclass(frozen=True, slots=True)
class LoadedJob:
    """What `launchctl print` says of a job that is loaded.

    Its form changes with the release, and it shows the job's environment, so it is read
    leniently and never passed on whole. Each field is empty when it could not be read.
    """

    state: str = ""
    """`running`, `not running`, `spawn scheduled`, …"""
    pid: int | None = None
    last_exit: str = ""
    """`0`, `78: EX_CONFIG`, `(never exited)`, or the signal: `Killed: 9`."""
    path: Path | None = None
    """The plist that it was loaded from."""
    constrained: bool = False
    """launchd refuses its program: CONSTRAINT."""

    @property
    def running(self) -> bool:
        """It has a process now."""
        return self.pid is not None

    def __str__(self) -> str:
        pid = f" as pid {self.pid}" if self.running else ""
        last = f", last exit {self.last_exit}" if self.last_exit else ""
        why = f" ({CONSTRAINT})" if self.constrained else ""
        return f"{self.state or 'in an unknown state'}{pid}{last}{why}"


def fields_of(text: str) -> dict[str, str]:
    """The job's own fields on a page of `launchctl print`; the first of each name counts."""
    fields: dict[str, str] = {}
    for line in text.splitlines():
        match = _FIELD.fullmatch(line)
        if match:
            fields.setdefault(match[1], match[2].strip())
    return fields


def parse_job(text: str) -> LoadedJob:
    """Read `launchctl print DOMAIN/LABEL`."""
    fields = fields_of(text)
    pid = fields.get("pid", "")
    path = fields.get("path", "")
    said = f"{fields.get('last exit reason', '')} {fields.get('properties', '')}"
    running = pid.isdecimal() and pid.isascii()
    return LoadedJob(
        state=fields.get("state", ""),
        pid=int(pid) if running else None,
        last_exit=fields.get("last terminating signal") or fields.get("last exit code", ""),
        path=Path(path) if path.startswith("/") else None,
        constrained=not running and any(word in said for word in _STALE),
    )


def parse_disabled(text: str) -> frozenset[str]:
    """Labels that `launchctl print-disabled DOMAIN` names as disabled."""
    matches = (_SWITCH.match(line) for line in text.splitlines())
    return frozenset(match[1] for match in matches if match)


def rivals_of(instance: str) -> tuple[str, ...]:
    """Labels of other owners of the tower whose VM is this instance of Lima."""
    return (*_RIVALS, *(f"{prefix}{instance}" for prefix in _AUTOSTART))


def bootout_advice(targets: Collection[str]) -> str:
    """The commands that end these jobs, word for word; Lima would load its own again."""
    commands = []
    for target in targets:
        sudo = "sudo " if target.startswith("system/") else ""
        commands.append(f"{sudo}launchctl bootout {target}")
        label = target.rpartition("/")[2]
        if label.startswith(_AUTOSTART):
            instance = label.rpartition(".")[2]
            commands.append(f"LIMA_HOME=~/.colima/_lima limactl autostart disable {instance}")
    return "; ".join(commands)

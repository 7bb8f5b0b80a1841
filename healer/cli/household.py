"""Whose healer launchd shall run, and how: shared by `install`, `uninstall` and `doctor`."""

import os
import pwd
import shutil
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from healer.adapters.launchctl import Launchctl
from healer.adapters.plist_files import PlistFiles
from healer.adapters.process import ProcessRunner
from healer.model import launch_agent
from healer.model.launch_agent import CARRIED, Agent
from healer.model.launchd import DomainKind
from healer.model.machine import instance_of
from healer.settings import Settings, load
from healer.settings.places import Places, places_of


@dataclass(frozen=True, slots=True)
class Household:
    """A user, and what the settings say for that user."""

    name: str
    uid: int
    gid: int
    home: Path
    by_sudo: bool
    """Root does it for the user."""
    settings: Settings
    places: Places
    environment: Mapping[str, str]

    @property
    def instance(self) -> str:
        """Lima's name of the VM."""
        return instance_of(self.settings.tower.profile)

    @property
    def path(self) -> str:
        """The PATH that launchd's job shall have."""
        return ":".join(self.settings.files.path) or self.environment.get("PATH", "")

    @property
    def launchctl(self) -> Path | None:
        """The tool, or None where there is no launchd."""
        found = shutil.which("launchctl", path=self.path)
        return None if found is None else Path(found)


def household(
    environment: Mapping[str, str], reading: Callable[[Mapping[str, str], Path], Settings]
) -> Household:
    """The user who asks, or for whom sudo does; `reading` gets the settings."""
    behind = environment.get("SUDO_USER", "") if os.getuid() == 0 else ""
    user = None if behind in {"", "root"} else pwd.getpwnam(behind)
    # sudo may leave root's HOME there.
    home = Path(environment.get("HOME") or "/") if user is None else Path(user.pw_dir)
    environment = {**environment, "HOME": str(home)}
    settings = reading(environment, home)
    return Household(
        name=_user_name(os.getuid()) if user is None else user.pw_name,
        uid=os.getuid() if user is None else user.pw_uid,
        gid=os.getgid() if user is None else user.pw_gid,
        home=home,
        by_sudo=user is not None,
        settings=settings,
        places=places_of(settings, environment, home),
        environment=environment,
    )


def loaded_settings(environment: Mapping[str, str], home: Path) -> Settings:
    """The settings in force for that user. Raises SettingsError."""
    return load(environment, home).settings


def agent_of(house: Household, kind: DomainKind) -> Agent:
    """What the plist says of it."""
    return Agent(
        kind=kind,
        user=house.name,
        home=house.home,
        python=Path(sys.executable),
        path=house.path,
        log=house.places.log,
        carried=_carried(house),
    )


def unfit_python() -> str:
    """Why this interpreter cannot stand in a plist; '' when it can."""
    cache = os.environ.get("UV_CACHE_DIR", "")
    temporary = {*launch_agent.TEMPORARY, tempfile.gettempdir(), *([cache] if cache else [])}
    return launch_agent.unfit(Path(sys.executable), temporary)


def left_behind(environment: Mapping[str, str]) -> list[str]:
    """Settings that are given by variables of this shell, which launchd's healer will not see."""
    return sorted(
        name
        for name, value in environment.items()
        if name.startswith("HEALER_") and name not in CARRIED and value
    )


def plist_files(house: Household) -> PlistFiles:
    """The folders of plists, as that user and launchd see them."""
    homes = (
        house.home / "Library" / "LaunchAgents",
        launch_agent.AGENTS,
        launch_agent.DAEMONS,
    )
    owner = (house.uid, house.gid) if house.by_sudo else None
    return PlistFiles(homes, house.places.state / "set-aside", owner)


def launchctl_of(house: Household, tool: Path, say: Callable[[str], None]) -> Launchctl:
    """launchctl with the PATH that the settings give."""
    return Launchctl(ProcessRunner(), tool, house.path, say=say)


def _user_name(uid: int) -> str:
    """The user's name, or the number of a user that has none."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _carried(house: Household) -> dict[str, str]:
    """launchd's jobs begin in `/`: what is relative here must be absolute there."""
    found = {}
    for name in CARRIED:
        value = house.environment.get(name, "")
        if value:
            parts = (_absolute(part, house.home) for part in value.split(":") if part)
            found[name] = ":".join(parts)
    return found


def _absolute(part: str, home: Path) -> str:
    return str(home / part[2:] if part.startswith("~/") else Path.cwd() / part)

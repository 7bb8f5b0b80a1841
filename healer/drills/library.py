"""The scenarios that come with healer, and those of a reader's own."""

from functools import cache
from pathlib import Path
from typing import Final

from healer.drills.loading import ScenarioError, load
from healer.drills.names import FOLDER, names
from healer.drills.scenario import Scenario
from healer.settings.decoding import did_you_mean

_SUFFIX: Final = ".toml"


def find(name: str) -> Scenario:
    """A scenario by its name, or by the path of a file. Raises ScenarioError."""
    if name in names():
        return packaged(name)
    if name.endswith(_SUFFIX) or "/" in name:
        return load(Path(name))
    near = did_you_mean(name, names()) if names() else ""
    listed = "`healer drill --list` names them all, and a path of your own ends in .toml"
    near = near if "did you mean" in near else ""
    raise ScenarioError([f"{name!r} is no scenario{near}; {listed}"])


@cache
def packaged(name: str) -> Scenario:
    """One that comes with healer."""
    return load(FOLDER / f"{name}{_SUFFIX}")

"""Where healer's files are by default: one answer for settings and for commands in a hurry.

`healer status` must not read all settings to find the daemon's socket, so this needs nothing
but paths.
"""

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

CONTROL: Final = "control.sock"
"""The daemon's socket, in the state folder."""
LOCK: Final = "lock"
"""The writer's lock, beside it."""


def config_path(environment: Mapping[str, str], home: Path) -> Path:
    """The one file that counts: $HEALER_CONFIG, else the XDG place, else ~/.config."""
    if environment.get("HEALER_CONFIG"):
        with suppress(RuntimeError):  # `~somebody` who is nobody here: a file that is not there
            return Path(environment["HEALER_CONFIG"]).expanduser()
        return Path(environment["HEALER_CONFIG"])
    base = environment.get("XDG_CONFIG_HOME", "")
    # The XDG specification: a relative path is invalid, and ignored.
    return (Path(base) if base.startswith("/") else home / ".config") / "healer" / "config.toml"


def state_folder(named: str | None, environment: Mapping[str, str], home: Path) -> Path:
    """The folder that `files.state` names, else the XDG place, else ~/.local/state/healer."""
    base = environment.get("XDG_STATE_HOME", "")
    default = (Path(base) if base.startswith("/") else home / ".local" / "state") / "healer"
    return named_place(named, home) or default


def named_place(text: str | None, home: Path) -> Path | None:
    """A path as the settings write it: absolute, or in the home folder by `~/`."""
    if not text:
        return None
    return home / text[2:] if text.startswith("~/") else Path(text)

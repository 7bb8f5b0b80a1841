"""The settings: frozen dataclasses by theme, read from TOML, environment and flags.

Every key is optional and the defaults are the owner's cluster. Only the standard library and
the pure packages are imported here, so that a quick command pays nothing for its settings.
"""

from healer.model.whereabouts import config_path
from healer.settings.loading import Loaded, SettingsError, check, load
from healer.settings.tree import Settings

__all__ = ["Loaded", "Settings", "SettingsError", "check", "config_path", "load"]

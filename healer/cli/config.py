"""`healer config show`, `config check` and `paths`."""

import argparse
import json
import os
import sys
from pathlib import Path

from healer.cli.talking import CONFIGURATION, tell
from healer.settings import SettingsError, config_path, load
from healer.settings.places import places_of
from healer.settings.showing import show as shown


def show(arguments: argparse.Namespace) -> int:
    """Print the settings in force as TOML, with their origins on request."""
    try:
        loaded = load()
    except SettingsError as error:
        return _wrong(error)
    origins = loaded.origins if arguments.origin else None
    sys.stdout.write(shown(loaded.settings, origins))
    return 0


def check(arguments: argparse.Namespace) -> int:
    """Say everything that is wrong in a settings file, or that nothing is."""
    given = Path(arguments.file) if arguments.file else None
    path = given or config_path(os.environ, Path.home())
    if given is None and not os.environ.get("HEALER_CONFIG") and not path.exists():
        tell(f"{path}: there is none, so the defaults are in force")
        return 0
    try:
        load(path=given)
    except SettingsError as error:
        return _wrong(error)
    tell(f"{path}: good")
    return 0


def paths(arguments: argparse.Namespace) -> int:
    """Print which files healer uses."""
    try:
        settings = load().settings
    except SettingsError as error:
        return _wrong(error)
    places = places_of(settings, os.environ, Path.home())
    table = {
        "config": places.config,
        "state": places.state,
        "journal": places.journal,
        "lock": places.lock,
        "control": places.control,
        "log": places.log,
        "kubeconfig": places.kubeconfig,
        "talosconfig": places.talosconfig,
    }
    if arguments.json:
        sys.stdout.write(json.dumps({name: str(path) for name, path in table.items()}, indent=2))
        sys.stdout.write("\n")
        return 0
    for name, path in table.items():
        there = "" if path.exists() else "  (not there)"
        sys.stdout.write(f"{name:<11} {path}{there}\n")
    return 0


def _wrong(error: SettingsError) -> int:
    for problem in error.problems:
        tell(problem)
    return CONFIGURATION

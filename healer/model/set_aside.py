"""What `healer install` has set aside, as a manifest that `healer uninstall` reads."""

import json
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from healer.model.launch_agent import LABEL

RETIRED: Final = ("com.joel.k8s-reboot-heal", "com.joel.colima")
"""Jobs whose work healer takes over: the old heal script, and the one that starts the VM every
five minutes."""

_VERSION: Final = 1
_DOMAIN: Final = re.compile(r"system|(?:user|gui)/\d+")


@dataclass(frozen=True, slots=True)
class PlistFile:
    """A plist in a folder that launchd loads from."""

    label: str
    path: Path
    aside: str
    """What it is called where it is set aside: another content is another name, so that
    nothing is ever written over."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A job that was retired, and how to bring it back."""

    label: str
    path: Path
    """Where its plist was."""
    aside: str
    """Its name in the folder of what is set aside; '' = left where it was, since launchd loads
    nothing from there by itself."""
    domains: tuple[str, ...]
    """Where it was loaded; () = only its plist was there."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What the file says."""

    kept: tuple[Kept, ...] = ()
    """What is retired until `healer uninstall`, oldest first."""
    before: tuple[Kept, ...] | None = None
    """What an installation that has not ended yet is to bring back if it fails, a healer of
    before included; None = none is under way."""


def aside_name(label: str, path: Path, data: bytes) -> str:
    """The name for a plist that is set aside."""
    return f"{label}.{sha256(bytes(path) + data).hexdigest()[:12]}.plist"


def merged(before: Iterable[Kept], now: Iterable[Kept]) -> tuple[Kept, ...]:
    """Both, oldest first; what is known already gains the domains that are new."""
    kept = {(one.path, one.aside): one for one in before}
    for one in now:
        key = (one.path, one.aside)
        old = kept[key].domains if key in kept else ()
        kept[key] = Kept(one.label, one.path, one.aside, tuple(dict.fromkeys(old + one.domains)))
    return tuple(kept.values())


def written(what: Manifest) -> bytes:
    """The manifest as a file."""
    told: dict[str, Any] = {"schema_version": _VERSION, "kept": [_told(one) for one in what.kept]}
    if what.before is not None:
        told["before"] = [_told(one) for one in what.before]
    return json.dumps(told, indent=2).encode() + b"\n"


def _told(one: Kept) -> dict[str, Any]:
    return {
        "label": one.label, "path": str(one.path), "aside": one.aside, "domains": one.domains,
    }  # fmt: skip


def parse_manifest(data: bytes, homes: Collection[Path]) -> Manifest:
    """Read a manifest; `homes` are the folders that a plist may be put back into.

    It lies in a user's folder, and root may act on it: whatever install cannot have written
    is an error. Raises ValueError.
    """
    try:
        told = json.loads(data)
        if told["schema_version"] != _VERSION:
            raise ValueError("it is of another version")
        kept = tuple(_kept(one, homes, RETIRED) for one in told["kept"])
        if "before" not in told:
            return Manifest(kept)
        return Manifest(kept, tuple(_kept(one, homes, (LABEL, *RETIRED)) for one in told["before"]))
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"it is not of our form: {error!r}") from error


def _kept(told: Mapping[str, Any], homes: Collection[Path], labels: Collection[str]) -> Kept:
    one = Kept(
        str(told["label"]), Path(told["path"]), str(told["aside"]), tuple(map(str, told["domains"]))
    )
    moved = one.aside or one.label == LABEL
    known_home = not moved or one.path.parent in homes
    bare_name = "/" not in one.aside and one.aside not in {".", ".."}
    if one.label not in labels or not one.path.is_absolute() or not known_home or not bare_name:
        raise ValueError(f"{one.label} at {one.path} is nothing that install sets aside")
    if not all(_DOMAIN.fullmatch(domain) for domain in one.domains):
        raise ValueError(f"{one.domains} are no domains of launchd")
    return one

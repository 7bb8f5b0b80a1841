"""The manifest of retired jobs: nothing is forgotten, and nothing else is believed."""

import json
from pathlib import Path
from typing import Any

import pytest

from healer.model.set_aside import (
    Kept,
    Manifest,
    aside_name,
    merged,
    parse_manifest,
    written,
)

AGENTS = Path("/Users/joel/Library/LaunchAgents")
HOMES = (AGENTS, Path("/Library/LaunchDaemons"))
HEAL = "com.joel.k8s-reboot-heal"
MOVED = Kept(HEAL, AGENTS / "heal.plist", "heal.1.plist", ("gui/501", "system"))
LEFT = Kept("com.joel.colima", Path("/Users/joel/Code/colima.plist"), "", ("user/501",))


DAMAGED = (b"", b"[]", b"{}", b"\xff", b'{"schema_version": 2, "kept": []}', b'{"kept": 3}')


def test_a_manifest_is_read_as_it_was_written() -> None:
    """Also of a plist that was left where it was, and of one that was not loaded."""
    kept = (MOVED, LEFT, Kept(HEAL, HOMES[1] / "heal.plist", "heal.2.plist", ()))

    assert Manifest(kept) == parse_manifest(written(Manifest(kept)), HOMES)


def test_an_installation_under_way_is_told_from_none() -> None:
    """Also one before which nothing was there; healer itself may have been."""
    ours = Kept("com.joel.healer", AGENTS / "com.joel.healer.plist", "", ("gui/501",))
    for one in (Manifest((), ()), Manifest((MOVED,), (ours, MOVED))):
        assert one == parse_manifest(written(one), HOMES)


@pytest.mark.parametrize(
    "wrong",
    [
        {"label": "com.apple.sshd"},
        {"path": "heal.plist"},
        {"path": "/etc/cron.d/heal.plist"},
        {"path": "/Library/LaunchDaemons/../../etc/heal.plist"},
        {"aside": "../../../etc/passwd"},
        {"aside": ".."},
        {"domains": ["pid/1"]},
        {"domains": ["user/501/x"]},
        {"domains": 3},
        {"path": None},
    ],
)
def test_what_install_cannot_have_written_is_refused(wrong: dict[str, Any]) -> None:
    """It lies in a folder of the user's, and root may act on it."""
    for part in ("kept", "before"):
        told = json.loads(written(Manifest((MOVED,), (MOVED,))))
        told[part][0] |= wrong

        with pytest.raises(ValueError, match=r"install sets aside|domains of launchd|our form"):
            parse_manifest(json.dumps(told).encode(), HOMES)


@pytest.mark.parametrize(
    ("part", "path"), [("kept", AGENTS / "x.plist"), ("before", Path("/etc/x.plist"))]
)
def test_healer_itself_is_never_retired_nor_elsewhere(part: str, path: Path) -> None:
    """Only what an installation found of it is noted, in a folder of launchd's."""
    told = json.loads(written(Manifest((), ())))
    told[part] = [{"label": "com.joel.healer", "path": str(path), "aside": "", "domains": []}]

    with pytest.raises(ValueError, match="install sets aside"):
        parse_manifest(json.dumps(told).encode(), HOMES)


@pytest.mark.parametrize("data", DAMAGED)
def test_no_manifest_at_all_is_refused(data: bytes) -> None:
    """A damaged one, or one of a later version, is never taken for an empty one."""
    with pytest.raises(ValueError, match=r"our form|version|Expecting|codec"):
        parse_manifest(data, HOMES)


def test_a_second_look_adds_to_the_first() -> None:
    """After a bootout a job is loaded nowhere; what was seen before that counts on."""
    again = Kept(MOVED.label, MOVED.path, MOVED.aside, ())
    elsewhere = Kept(MOVED.label, MOVED.path, MOVED.aside, ("user/501", "system"))
    both = Kept(MOVED.label, MOVED.path, MOVED.aside, ("gui/501", "system", "user/501"))

    assert (MOVED,) == merged([MOVED], [again])
    assert (both, LEFT) == merged([MOVED], [elsewhere, LEFT])


def test_another_content_or_place_is_another_name() -> None:
    """So that no copy is ever written over another."""
    names = {
        aside_name(HEAL, Path("/a"), b"1"),
        aside_name(HEAL, Path("/a"), b"2"),
        aside_name(HEAL, Path("/b"), b"1"),
    }

    assert 3 == len(names)
    assert aside_name(HEAL, Path("/a"), b"1") in names

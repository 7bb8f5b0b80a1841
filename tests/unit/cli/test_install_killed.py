"""SIGKILL before each single change of an install or uninstall: the next run finishes it."""

import signal
from pathlib import Path

import pytest

from healer import __version__
from tests.unit.cli.mac import COLIMA, HEAL, OURS, Mac, Server

LONGEST = 70
"""More changes than any run makes."""
States = tuple[dict[str, bytes], dict[str, str]]
"""Plists and manifest by their paths, and what is loaded from which."""


@pytest.fixture(name="mac")
def fixture_mac(tmp_path: Path, server: Server) -> Mac:
    """The old jobs, one from a folder that launchd does not look into; ends take their time."""
    (tmp_path / "mac").mkdir()
    mac = Mac(tmp_path / "mac", server=server)
    (mac.bin / "python").write_text(f"#!/bin/sh\necho healer {__version__}\n")
    mac.old_job(HEAL, mac.agents, "gui", name="heal.plist")
    mac.old_job(COLIMA, mac.home, "user")
    mac.say(slow=1, slow_says=36)
    return mac


def ended(mac: Mac, command: str, at: int, by: signal.Signals = signal.SIGKILL) -> bool:
    """Run it, and end it before that change; False when there were not so many."""
    mac.settings |= {"kill_at": at, "kill_by": by}
    ran = mac.run(command)
    mac.settings.clear()
    by_signal = {-by, 130 if by is signal.SIGINT else -by}
    assert ran.returncode in {0, 1, *by_signal}, ran.stderr
    return ran.returncode in by_signal


def is_done(mac: Mac, installed: States) -> bool:
    """healer is installed, and nothing is noted that would be brought back."""
    files, jobs = installed
    note = mac.aside / "manifest.json"
    begun = note.exists() and b'"before"' in note.read_bytes()
    ours = str(mac.plist.relative_to(mac.root))
    return not begun and mac.files().get(ours) == files[ours] and mac.loaded == jobs


def states(mac: Mac) -> States:
    """As they are now."""
    return mac.files(), mac.loaded


def fails(mac: Mac) -> None:
    """launchd does not take the next healer into `gui/UID`."""
    of = f"{mac.target('')[:-1]} {mac.plist}"
    mac.say(faults=[{"verb": "bootstrap", "how": "134", "of": of}])


@pytest.mark.parametrize("begin", ["old jobs", "healer", "failing"])
def test_an_install_that_was_killed_anywhere(mac: Mac, tmp_path: Path, begin: str) -> None:
    """The next run finishes it, or undoes it: `uninstall`, or an install that fails.

    Over the old jobs, over a healer with another plist, and while an install that fails restores
    what was there. Whatever comes next, a reboot finds an owner of the tower.
    """
    bare, clean, cut = states(mac), tmp_path / "clean", tmp_path / "cut"
    if begin == "healer":
        assert 0 == mac.healer("install", KUBECONFIG="/old").code
    was = states(mac)
    mac.remember(clean)
    assert 0 == mac.healer("install").code
    installed = states(mac)
    for at in range(1, LONGEST):
        mac.recall(clean)
        if begin == "failing":
            fails(mac)
        if not ended(mac, "install", at):
            break
        mac.say(faults=[])
        mac.remember(cut)
        done = is_done(mac, installed)
        for code, command, expected in (
            (0, "install", installed),
            (0, "uninstall", bare),
            (1, "install", installed if done else was),
        ):
            mac.recall(cut)
            if code:
                fails(mac)
            said = mac.healer(command)
            assert (code, *expected) == (said.code, *states(mac)), (at, said.err)
        mac.recall(cut)
        mac.befalls("@reboot", "@login")
        assert mac.loaded, at

    assert (was if begin == "failing" else installed) == states(mac)
    assert 12 < at < LONGEST - 1
    assert [mac.target(OURS)] == list(installed[1])


def test_an_install_that_was_interrupted_anywhere(mac: Mac, tmp_path: Path) -> None:
    """Ctrl-C leaves nothing to a next run: what was there is back at once."""
    clean = tmp_path / "clean"
    before = states(mac)
    mac.remember(clean)
    mac.healer("install")
    installed = states(mac)
    for at in range(1, LONGEST):
        mac.recall(clean)
        if not ended(mac, "install", at, signal.SIGINT):
            break
        assert states(mac) == before or is_done(mac, installed), at

    assert 12 < at < LONGEST - 1
    assert installed == states(mac)


def test_an_uninstall_that_was_killed_anywhere(mac: Mac, tmp_path: Path) -> None:
    """The next one brings back what is left to bring."""
    before = states(mac)
    mac.healer("install")
    installed = tmp_path / "installed"
    mac.remember(installed)
    for at in range(1, LONGEST):
        mac.recall(installed)
        if not ended(mac, "uninstall", at):
            break
        said = mac.healer("uninstall")
        assert (0, *before) == (said.code, *states(mac)), (at, said.err)

    assert 6 < at < LONGEST - 1

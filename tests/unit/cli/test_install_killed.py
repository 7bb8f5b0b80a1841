"""SIGKILL before each single change of an install or uninstall: the next run finishes it."""

import signal
from pathlib import Path

import pytest

from tests.unit.cli.mac import COLIMA, HEAL, OURS, Mac

LONGEST = 60
"""More changes than any run makes."""


@pytest.fixture(name="mac")
def fixture_mac(tmp_path: Path) -> Mac:
    """The old jobs, one from a folder that launchd does not look into; ends take their time."""
    (tmp_path / "mac").mkdir()
    mac = Mac(tmp_path / "mac")
    mac.old_job(HEAL, mac.agents, "gui", name="heal.plist")
    mac.old_job(COLIMA, mac.home, "user")
    mac.say(slow=1, slow_says=36)
    return mac


def killed(mac: Mac, command: str, at: int) -> bool:
    """Run it, and kill it before that change; False when there were not so many."""
    mac.settings["kill_at"] = at
    ended = mac.run(command)
    mac.settings.pop("kill_at")
    assert ended.returncode in {0, -signal.SIGKILL}, ended.stderr
    return ended.returncode != 0


def test_an_install_that_was_killed_anywhere(mac: Mac, tmp_path: Path) -> None:
    """The next install ends as one that was not killed, and an uninstall brings all back."""
    untouched = tmp_path / "untouched"
    mac.remember(untouched)
    before = mac.files(), mac.loaded
    mac.healer("install")
    after = mac.files(), mac.loaded
    for at in range(1, LONGEST):
        mac.recall(untouched)
        if not killed(mac, "install", at):
            break
        command, expected = [("uninstall", before), ("install", after)][at % 2]
        said = mac.healer(command)
        assert (0, *expected) == (said.code, mac.files(), mac.loaded), (at, said.err)

    assert 8 < at < LONGEST - 1
    assert [mac.target(OURS)] == list(after[1])


def test_an_uninstall_that_was_killed_anywhere(mac: Mac, tmp_path: Path) -> None:
    """The next one brings back what is left to bring."""
    before = mac.files(), mac.loaded
    mac.healer("install")
    installed = tmp_path / "installed"
    mac.remember(installed)
    for at in range(1, LONGEST):
        mac.recall(installed)
        if not killed(mac, "uninstall", at):
            break
        said = mac.healer("uninstall")
        assert (0, *before) == (said.code, mac.files(), mac.loaded), (at, said.err)

    assert 6 < at < LONGEST - 1

"""What launchd runs after a reboot: healer, and it alone, wherever `healer install` put it."""

import os
from pathlib import Path

import pytest

from tests.unit.cli.mac import COLIMA, HEAL, OURS, Mac, Server, joels_mac


@pytest.fixture(name="mac")
def fixture_mac(tmp_path: Path, server: Server) -> Mac:
    """A Mac whose tower was owned by the old jobs."""
    mac = Mac(tmp_path, server=server)
    mac.old_job(HEAL, mac.agents, "gui", name="heal.plist")
    mac.old_job(COLIMA, mac.agents, "user")
    return mac


def test_a_daemon_comes_back_without_a_login(tmp_path: Path, server: Server) -> None:
    """At boot already, and a login brings no second one."""
    if os.geteuid() != 0:
        pytest.skip("only root can be root")
    mac = joels_mac(tmp_path, server)
    mac.old_job(COLIMA, mac.daemons, "system")
    said = mac.healer("install", "--system", SUDO_USER="joel")
    assert 0 == said.code, said.err
    for what in ("@reboot", "@ssh", "@login"):
        mac.befalls(what)
        assert [f"system/{OURS}"] == list(mac.loaded)


def test_after_an_uninstall_the_old_jobs_come_back(mac: Mac) -> None:
    """Of those that launchd offers anything to at all: one of `user/UID` never came back."""
    mac.healer("install")
    mac.healer("uninstall")
    mac.befalls("@reboot", "@login")

    assert [mac.target(HEAL)] == list(mac.loaded)


def test_in_the_user_domain_nothing_comes_back(mac: Mac) -> None:
    """What the warning of `--user` and doctor say; the stand-in refuses as launchd does."""
    said = mac.healer("install", "--user")
    assert (0, True) == (said.code, "after the next reboot nobody starts healer" in said.err)
    mac.befalls("@reboot", "@ssh", "@login")

    assert {} == mac.loaded
    assert [[mac.plist.name, 134]] == mac.launchd["refused"]


def test_an_agent_comes_back_at_login(mac: Mac) -> None:
    """launchd offers the user's folder to `gui/UID` only; no old job comes back beside it."""
    assert 0 == mac.healer("install").code
    mac.befalls("@reboot")
    assert {} == mac.loaded
    mac.befalls("@login")

    assert {mac.target(OURS, "gui"): str(mac.plist)} == mac.loaded
    assert mac.launchd["jobs"][mac.target(OURS, "gui")]["pid"]

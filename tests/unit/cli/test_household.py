"""Whose healer it is: the user who asks, or the one behind sudo."""

import os
import pwd
import sys
from pathlib import Path

import pytest

from healer.cli.household import (
    Household,
    agent_of,
    household,
    left_behind,
    loaded_settings,
    unfit_python,
)
from healer.model.launchd import DomainKind
from healer.settings import Settings, SettingsError

JOEL = pwd.struct_passwd(("joel", "x", 501, 20, "", "/Users/joel", ""))


def house(environment: dict[str, str]) -> Household:
    """With the default settings."""
    return household(environment, lambda _environment, _home: Settings())


def test_the_user_who_asks(tmp_path: Path) -> None:
    """HOME counts, as it does for every other command."""
    one = house({"HOME": str(tmp_path)})

    assert (os.getuid(), tmp_path, False) == (one.uid, one.home, one.by_sudo)
    assert tmp_path / ".local/state/healer" == one.places.state


def test_the_user_behind_sudo(monkeypatch: pytest.MonkeyPatch) -> None:
    """Root's HOME, which sudo may leave there, is not the user's."""
    monkeypatch.setattr(os, "getuid", lambda: 0)
    monkeypatch.setattr(pwd, "getpwnam", {"joel": JOEL}.__getitem__)
    one = house({"HOME": "/var/root", "SUDO_USER": "joel"})

    assert ("joel", 501, 20, True) == (one.name, one.uid, one.gid, one.by_sudo)
    assert (Path("/Users/joel"), "/Users/joel") == (one.home, one.environment["HOME"])
    assert Path("/Users/joel/.local/log/healer.log") == one.places.log


@pytest.mark.parametrize(("uid", "behind"), [(501, "joel"), (0, "root"), (0, "")])
def test_a_name_that_sudo_did_not_give_means_nothing(
    monkeypatch: pytest.MonkeyPatch, uid: int, behind: str
) -> None:
    """SUDO_USER outlives a `su`, and root may sudo to itself."""
    monkeypatch.setattr(os, "getuid", lambda: uid)
    one = house({"HOME": "/h", "SUDO_USER": behind})

    assert (uid, Path("/h"), False) == (one.uid, one.home, one.by_sudo)


def test_a_user_without_a_name_is_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in the container: no traceback."""
    monkeypatch.setattr(os, "getuid", lambda: 3_999_999)

    assert "3999999" == house({}).name


def test_bad_settings_are_raised(tmp_path: Path) -> None:
    """Whose they are is told by the home."""
    config = tmp_path / ".config/healer/config.toml"
    config.parent.mkdir(parents=True)
    config.write_text("[once]\ndeadlin = 1\n")

    with pytest.raises(SettingsError, match=r"config\.toml:2"):
        household({"HOME": str(tmp_path)}, loaded_settings)


def test_the_agent_follows_settings_and_environment(tmp_path: Path) -> None:
    """launchd's jobs begin in `/`, so what is relative here is made absolute."""
    environment = {"HOME": str(tmp_path), "KUBECONFIG": "one:~/two:/three", "XDG_STATE_HOME": ""}
    agent = agent_of(house(environment), DomainKind.GUI)

    expected = f"{Path.cwd()}/one:{tmp_path}/two:/three"
    assert {"KUBECONFIG": expected} == agent.carried
    assert (DomainKind.GUI, Path(sys.executable)) == (agent.kind, agent.python)
    assert ":".join(Settings().files.path) == agent.path


def test_settings_of_this_shell_are_named() -> None:
    """Those that launchd's healer would not see; empty ones count as unset."""
    environment = {
        "HEALER_ONCE_DEADLINE": "5m",
        "HEALER_CONFIG": "/c",
        "HEALER_TOWER_PROFILE": "",
        "PATH": "/bin",
    }

    assert ["HEALER_ONCE_DEADLINE"] == left_behind(environment)


def test_a_python_in_uvs_own_cache_is_unfit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever $UV_CACHE_DIR says that it is."""
    monkeypatch.setattr(sys, "executable", "/big/disk/uv/v/bin/python")
    assert "" == unfit_python()
    monkeypatch.setenv("UV_CACHE_DIR", "/big/disk/uv")

    assert "/big/disk/uv/v/bin/python lies in /big/disk/uv, which is emptied" == unfit_python()

"""`healer doctor` looks at each way to a human, and sends nothing."""

import os
from pathlib import Path

import pytest

from healer.cli.doctor_notices import examine_notices
from healer.cli.examined import Examined
from healer.settings import Settings
from healer.settings.tree import FileSettings, NoticeSettings
from tests.unit.cli.command import fake_tool

SECRET = "https://example.invalid/a-secret"


def examined(home: Path, notices: NoticeSettings) -> dict[str, Examined]:
    """What is said, by name; with a PATH on which there is no osascript."""
    settings = Settings(notices=notices, files=FileSettings(path=(str(home),)))
    return {one.what: one for one in examine_notices(settings, {"HOME": str(home)})}


@pytest.fixture(name="url_file")
def fixture_url_file(tmp_path: Path) -> Path:
    """A file with a URL that only its owner may read."""
    path = tmp_path / "webhook"
    path.write_text(SECRET, encoding="utf-8")
    path.chmod(0o600)
    return path


def test_no_channel_is_a_note_with_the_command_that_helps(tmp_path: Path) -> None:
    """Nobody would be told of a give-up: that is worth a line, and no failure."""
    said = examined(tmp_path, NoticeSettings(desktop=False))

    assert ["notices"] == list(said)
    assert (False, False) == (said["notices"].good, said["notices"].needed)
    assert said["notices"].mend.endswith("; then healer notify --test")


def test_a_good_channel_and_the_dead_man_are_ready(tmp_path: Path, url_file: Path) -> None:
    """Each is named for itself, and the secret is not shown."""
    notices = NoticeSettings(webhook_url_file=str(url_file), dead_man_url_file=str(url_file))
    said = examined(tmp_path, notices)

    assert ["notices by webhook", "notices by dead_man"] == list(said)
    assert all(one.good for one in said.values())
    assert not [one for one in said.values() if SECRET in one.detail + one.mend]


def test_what_the_daemon_would_find_is_found(tmp_path: Path, url_file: Path) -> None:
    """A file that others may read, one that is not there, a program that is not there."""
    url_file.chmod(0o644)
    notices = NoticeSettings(
        command=(str(tmp_path / "page-me"),),
        webhook_url_file=str(url_file),
        dead_man_url_file=str(tmp_path / "none"),
    )
    said = examined(tmp_path, notices)

    assert {"notices by command", "notices by webhook", "notices by dead_man"} == set(said)
    assert not [one for one in said.values() if one.good or one.needed]
    assert f"chmod 600 {url_file}" in said["notices by webhook"].detail


def on_a_mac(home: Path, manager: str, domain: str = "", **notices: object) -> dict[str, Examined]:
    """With osascript and a launchctl that has healer in one domain, or in none."""
    target = f"{domain}/com.joel.healer"
    fake_tool(home, "osascript", "exit 9")
    fake_tool(
        home,
        "launchctl",
        f'case "$*" in\nmanagername) echo {manager};;\n'
        f'"print {target}") echo "{target} = {{";;\n*) exit 113;;\nesac',
    )
    return examined(home, NoticeSettings(**notices))  # type: ignore[arg-type]


def test_a_desktop_alone_reaches_nobody_for_sure(tmp_path: Path) -> None:
    """It is ready, and still does not count as the only way to a human."""
    said = on_a_mac(tmp_path, "Aqua")

    assert said["notices by desktop"].good
    assert "no channel reaches you: macOS shows a notification or does not" in (
        said["notices"].detail
    )
    assert not said["notices"].good


@pytest.mark.parametrize(
    ("manager", "domain", "session"),
    [
        ("Background", "", "Background"),
        ("Aqua", f"user/{os.getuid()}", "Background"),
        ("Aqua", "system", "System"),
    ],
)
def test_where_healer_has_no_screen_no_channel_reaches_you(
    tmp_path: Path, manager: str, domain: str, session: str
) -> None:
    """The daemon's session counts; this shell's only while launchd has no healer."""
    said = on_a_mac(tmp_path, manager, domain)

    words = f"healer's session is {session}, which has no screen"
    assert words == said["notices by desktop"].detail
    assert f"no channel reaches you: desktop: {words}" == said["notices"].detail


def test_a_daemon_at_the_screen_counts_whatever_this_shell_is(tmp_path: Path) -> None:
    """Asked over ssh about an agent of the one who is logged in."""
    said = on_a_mac(tmp_path, "Background", f"gui/{os.getuid()}", command=("true",))

    assert said["notices by desktop"].good


def test_beside_a_channel_that_confirms_nothing_is_missing(tmp_path: Path) -> None:
    """The desktop may be out of reach then."""
    fake_tool(tmp_path, "page", "true")
    said = on_a_mac(tmp_path, "Background", command=(str(tmp_path / "page"),))

    assert "notices" not in said
    assert said["notices by command"].good
    assert not said["notices by desktop"].good

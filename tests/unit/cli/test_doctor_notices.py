"""`healer doctor` looks at each way to a human, and sends nothing."""

from pathlib import Path

import pytest

from healer.cli.doctor_notices import examine_notices
from healer.cli.examined import Examined
from healer.settings import Settings
from healer.settings.tree import FileSettings, NoticeSettings

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
    assert "healer notify --test" == said["notices"].mend


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

"""`sudo healer …` leaves nothing of root's in a user's folders. Needs root, as sudo does."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

PATIENCE = 60.0
NOBODY = 65534
CALL = """
import encodings.ascii, os, pwd, sys
home = sys.argv.pop(1)
user = pwd.getpwuid({uid})
pwd.getpwuid = lambda uid: pwd.struct_passwd((*user[:5], home, user[6]))
from healer.cli import main, pauses  # before the user, who may not be able to read this Python
from healer.settings import loading
sys.exit(main())
"""

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="acts as sudo does: needs root")


@pytest.fixture
def home() -> Iterator[Path]:
    """A home of somebody who is not root."""
    folder = Path(tempfile.mkdtemp(dir="/tmp"))
    os.chown(folder, NOBODY, -1)
    yield folder
    shutil.rmtree(folder)


def by_sudo(home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """`sudo healer …` as macOS' sudo does it, which keeps HOME."""
    return subprocess.run(
        [sys.executable, "-c", CALL.format(uid=NOBODY), str(home), *words],
        env={"PATH": "/usr/bin:/bin", "HOME": str(home), "SUDO_UID": str(NOBODY)},
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )


@pytest.mark.parametrize(
    "words",
    [("pause", "--reason", "x"), ("resume",), ("reset",)],
    ids=" ".join,
)
def test_what_it_leaves_is_the_users(home: Path, words: tuple[str, ...]) -> None:
    """State folder and journal: else the user's own healer is locked out."""
    done = by_sudo(home, *words)

    assert 0 == done.returncode, done.stderr
    assert {NOBODY} == {one.lstat().st_uid for one in (home, *home.rglob("*"))}
    assert (home / ".local/state/healer/journal.sqlite").exists()


def test_no_setting_leads_root_anywhere(home: Path, tmp_path: Path) -> None:
    """A state folder that the user cannot make is not made."""
    config = home / ".config" / "healer" / "config.toml"
    config.parent.mkdir(parents=True)
    config.write_text(f'[files]\nstate = "{tmp_path}/state"\nlog = "{tmp_path}/log"\n')
    for one in home.rglob("*"):
        os.chown(one, NOBODY, -1)

    done = by_sudo(home, "pause", "--reason", "x")
    assert 1 == done.returncode
    assert "Permission denied" in done.stderr
    assert not list(tmp_path.iterdir())

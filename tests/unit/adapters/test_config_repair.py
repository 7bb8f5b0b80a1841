"""A repaired file: only what is wrong, backed up, in one piece, with owner, mode and link kept."""

import stat
from pathlib import Path

import pytest

from healer.adapters.client_config import parse, read_text
from healer.adapters.config_repair import repaired, write_repaired
from healer.model.client_config import Kind, Spot
from healer.model.config_faults import Edit, Known, faults_of
from healer.ports import ActFailed, CannotLook, Conflict, NotThere

TEXT = """\
# mine
clusters:
- name: joelclaw
  cluster: {server: https://10.5.0.2:6443} # in there
contexts:
- {name: a, context: {cluster: joelclaw}}
current-context: a
"""
MENDED = TEXT.replace("10.5.0.2:6443", "127.0.0.1:64784")


def edits(text: str) -> list[Edit]:
    """What a repair would change."""
    config = parse(text, Path("/k"), Kind.KUBECONFIG)
    found = faults_of(config, Known("joelclaw", 64784))
    return [edit for one in found for edit in one.edits]


def test_a_repair_is_the_edit_alone() -> None:
    """The rest is the same text."""
    assert MENDED == repaired(TEXT, edits(TEXT), "k")


def test_an_edit_that_would_reach_further_is_refused() -> None:
    """An anchor carries one value to two places: one of them was not wrong."""
    text = TEXT.replace("server: ", "server: &one ").replace("# in there", "")
    text += "clone: *one\n"
    with pytest.raises(ActFailed, match="mend it by hand"):
        repaired(text, edits(text), "k")


def test_the_old_file_is_kept_and_the_new_one_has_its_mode(tmp_path: Path) -> None:
    """The backup is 0600 whatever the file was: it holds keys."""
    path, backups = tmp_path / "config", tmp_path / "state" / "backups"
    path.write_text(TEXT)
    path.chmod(0o640)

    kept = write_repaired(path, TEXT, MENDED, backups, "kubeconfig-20261124")

    assert (TEXT, MENDED) == (kept.read_text(), path.read_text())
    assert (0o600, 0o640) == tuple(stat.S_IMODE(one.stat().st_mode) for one in (kept, path))
    assert 0o700 == stat.S_IMODE(backups.stat().st_mode)
    assert ["config", "state"] == sorted(one.name for one in tmp_path.iterdir())


def test_a_second_backup_never_overwrites_the_first(tmp_path: Path) -> None:
    """Two repairs within a second keep both."""
    path = tmp_path / "config"
    path.write_text(TEXT)
    first = write_repaired(path, TEXT, MENDED, tmp_path, "b")
    second = write_repaired(path, MENDED, TEXT, tmp_path, "b")

    assert (TEXT, MENDED) == (first.read_text(), second.read_text())


def test_a_link_goes_on_leading_to_the_file(tmp_path: Path) -> None:
    """Dotfiles are linked into place."""
    real, link = tmp_path / "dotfiles", tmp_path / "config"
    real.write_text(TEXT)
    link.symlink_to(real)
    write_repaired(link, TEXT, MENDED, tmp_path, "b")

    assert link.is_symlink()
    assert MENDED == real.read_text()


def test_what_somebody_else_wrote_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    """Neither file nor folder changes."""
    path = tmp_path / "config"
    path.write_text(TEXT + "# new\n")
    with pytest.raises(Conflict, match="written by somebody else"):
        write_repaired(path, TEXT, MENDED, tmp_path, "b")
    assert [(path.name, TEXT + "# new\n")] == [(o.name, o.read_text()) for o in tmp_path.iterdir()]


def test_kubectls_lock_is_respected(tmp_path: Path) -> None:
    """Who holds it is writing; the lock is not ours to remove."""
    path, lock = tmp_path / "config", tmp_path / "config.lock"
    path.write_text(TEXT)
    lock.touch()
    with pytest.raises(Conflict, match=r"remove .*config\.lock"):
        write_repaired(path, TEXT, MENDED, tmp_path, "b")
    assert (TEXT, True) == (path.read_text(), lock.exists())


def test_a_file_that_cannot_be_read_is_told_without_its_content(tmp_path: Path) -> None:
    """Absent, no text, no YAML, no table: each by its name, and never a key."""
    path = tmp_path / "config"
    with pytest.raises(NotThere):
        read_text(path, Kind.KUBECONFIG)
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(CannotLook, match="UTF-8"):
        read_text(path, Kind.KUBECONFIG)
    for text in ("key: [TOPSECRET", "- TOPSECRET", ""):
        with pytest.raises(CannotLook) as caught:
            parse(text, path, Kind.TALOSCONFIG)
        assert "TOPSECRET" not in str(caught.value)


def test_an_edit_that_hits_another_scalar_is_refused() -> None:
    """What is read back must differ where it should, and nowhere else."""
    (right,) = edits(TEXT)
    place = TEXT.index("joelclaw")
    stray = Edit(Spot("https://10.5.0.2:6443", place, place + 8, 3), right.key, right.new)
    with pytest.raises(ActFailed, match="more would change than what is wrong"):
        repaired(TEXT, [stray], "k")

"""Plists on a real disk: in one piece, without loss, and for nobody else to write."""

import os
import plistlib
import stat
from pathlib import Path

import pytest

from healer.adapters.plist_files import PlistFiles
from healer.model.set_aside import Kept, Manifest, written
from healer.ports import ActFailed, CannotLook

HEAL = "com.joel.k8s-reboot-heal"
COLIMA = "com.joel.colima"


@pytest.fixture(name="homes")
def fixture_homes(tmp_path: Path) -> tuple[Path, Path]:
    """A user's folder and the system's."""
    homes = (tmp_path / "home/Library/LaunchAgents", tmp_path / "Library/LaunchDaemons")
    for one in homes:
        one.mkdir(parents=True)
    return homes


@pytest.fixture(name="files")
def fixture_files(tmp_path: Path, homes: tuple[Path, Path]) -> PlistFiles:
    """What is tested."""
    return PlistFiles(homes, tmp_path / "home/state/set-aside")


def job(label: str) -> bytes:
    """A plist of that label."""
    return plistlib.dumps({"Label": label})


def test_a_plist_is_found_by_its_label(files: PlistFiles, homes: tuple[Path, Path]) -> None:
    """In every folder, whatever the file is called; binary ones, damaged ones and links too."""
    (homes[0] / "heal.plist").write_bytes(plistlib.dumps({"Label": HEAL}, fmt=plistlib.FMT_BINARY))
    (homes[1] / f"{COLIMA}.plist").write_bytes(b"damaged")
    (homes[1] / "other.plist").write_bytes(job("com.apple.other"))
    (homes[1] / "heal.plist.bak").write_bytes(job(HEAL))
    target = homes[0].parent / "checkout.plist"
    target.write_bytes(job(COLIMA))
    (homes[0] / "link.plist").symlink_to(target)

    found = {(one.label, one.path) for one in files.found([HEAL, COLIMA])}

    assert {
        (HEAL, homes[0] / "heal.plist"),
        (COLIMA, homes[0] / "link.plist"),
        (COLIMA, homes[1] / f"{COLIMA}.plist"),
    } == found


def test_a_plist_that_cannot_be_read_is_no_missing_one(
    files: PlistFiles, homes: tuple[Path, Path]
) -> None:
    """One of ours, by its name: it could not be told from another, so that is said."""
    (homes[0] / f"{HEAL}.plist").symlink_to(homes[0] / f"{HEAL}.plist")
    (homes[0] / "strange.plist").symlink_to("nowhere")

    with pytest.raises(CannotLook, match=r"cannot be read; look: ls -l .*heal\.plist"):
        list(files.found([HEAL]))


def test_what_is_written_is_whole_and_not_for_others(
    files: PlistFiles, homes: tuple[Path, Path]
) -> None:
    """0644 whatever the umask, over what was there, and no part of it left."""
    path = homes[0] / "healer.plist"
    path.write_bytes(b"old")
    path.chmod(0o600)
    before = os.umask(0o077)
    try:
        files.write(path, b"new")
    finally:
        os.umask(before)

    assert (b"new", 0o644) == (path.read_bytes(), stat.S_IMODE(path.stat().st_mode))
    assert [path] == list(homes[0].iterdir())


def test_a_part_of_a_write_that_was_cut_off_is_no_hindrance(
    files: PlistFiles, homes: tuple[Path, Path]
) -> None:
    """Nor does a link in its place lead the write astray."""
    victim = homes[0].parent / "victim"
    victim.write_bytes(b"mine")
    (homes[0] / ".healer.plist.part").symlink_to(victim)

    files.write(homes[0] / "healer.plist", b"new")

    assert (b"mine", b"new") == (victim.read_bytes(), (homes[0] / "healer.plist").read_bytes())


def test_its_folder_is_made(tmp_path: Path) -> None:
    """A fresh home has no Library/LaunchAgents."""
    path = tmp_path / "Library/LaunchAgents/healer.plist"

    PlistFiles((path.parent,), tmp_path / "aside").write(path, b"new")

    assert b"new" == path.read_bytes()


def test_there_and_back(files: PlistFiles, homes: tuple[Path, Path], tmp_path: Path) -> None:
    """Content, mode and time are as they were; the folder of what is set aside goes again."""
    path = homes[0] / "heal.plist"
    path.write_bytes(job(HEAL))
    path.chmod(0o640)
    before = path.stat()
    kept = (Kept(HEAL, path, "heal.1.plist", ("gui/501",)),)

    files.keep(Manifest(kept))
    files.set_aside(path, "heal.1.plist")
    assert (kept, frozenset({"heal.1.plist"})) == (files.manifest().kept, files.asides())
    assert not path.exists()
    files.put_back("heal.1.plist", path)
    files.keep(Manifest())

    after = path.stat()
    assert (before.st_mode, before.st_mtime_ns) == (after.st_mode, after.st_mtime_ns)
    assert job(HEAL) == path.read_bytes()
    assert (Manifest(), frozenset(), False) == (
        files.manifest(),
        files.asides(),
        (tmp_path / "home/state/set-aside").exists(),
    )


def test_to_another_disk_and_back(homes: tuple[Path, Path]) -> None:
    """A state folder on a disk of its own: copied whole, then removed; a link stays a link."""
    disk = Path("/dev/shm")
    if not disk.is_dir() or disk.stat().st_dev == homes[0].stat().st_dev:
        pytest.skip("there is no second file system at /dev/shm")
    aside = disk / f"healer-test-{os.getpid()}"
    files = PlistFiles(homes, aside)
    path, link = homes[0] / "heal.plist", homes[0] / "link.plist"
    path.write_bytes(job(HEAL))
    link.symlink_to("/nowhere/colima.plist")
    try:
        files.set_aside(path, "a.plist")
        files.set_aside(link, "b.plist")
        assert {"a.plist", "b.plist"} == {one.name for one in aside.iterdir()}
        assert [] == list(homes[0].iterdir())
        files.put_back("a.plist", path)
        files.put_back("b.plist", link)
    finally:
        for one in aside.iterdir():
            one.unlink()
        aside.rmdir()

    assert job(HEAL) == path.read_bytes()
    assert Path("/nowhere/colima.plist") == link.readlink()


def test_a_copy_that_was_cut_off_before_the_removal(
    files: PlistFiles, homes: tuple[Path, Path]
) -> None:
    """Both are there, and of one name means of one content: the first one goes."""
    path = homes[0] / "heal.plist"
    path.write_bytes(job(HEAL))
    files.set_aside(path, "heal.1.plist")
    path.write_bytes(job(HEAL))

    files.set_aside(path, "heal.1.plist")

    assert (frozenset({"heal.1.plist"}), False) == (files.asides(), path.exists())


def test_older_copies_stay(files: PlistFiles, homes: tuple[Path, Path]) -> None:
    """The last entry of the manifest takes the manifest with it, and nothing that is not ours."""
    path = homes[0] / "heal.plist"
    path.write_bytes(job(HEAL))
    files.keep(Manifest((Kept(HEAL, path, "heal.1.plist", ()),)))
    files.set_aside(path, "heal.1.plist")

    files.keep(Manifest())

    assert Manifest() == files.manifest()
    assert {"heal.1.plist"} == files.asides()


def test_a_manifest_that_is_not_understood_is_no_empty_one(
    files: PlistFiles, tmp_path: Path
) -> None:
    """It says where the plists lie, and acts on nothing."""
    folder = tmp_path / "home/state/set-aside"
    folder.mkdir(parents=True)
    path = folder / "manifest.json"
    foreign = Kept(HEAL, Path("/etc/heal.plist"), "x.plist", ())
    for data in (b"{", written(Manifest((foreign,)))):
        path.write_bytes(data)
        with pytest.raises(CannotLook, match=f"not understood: .*: ls {folder}"):
            files.manifest()


def test_the_manifest_is_private(files: PlistFiles, tmp_path: Path) -> None:
    """0600 in a folder of 0700."""
    files.keep(Manifest((Kept(HEAL, Path("/x.plist"), "", ()),)))
    folder = tmp_path / "home/state/set-aside"

    assert 0o700 == stat.S_IMODE(folder.stat().st_mode)
    assert 0o600 == stat.S_IMODE((folder / "manifest.json").stat().st_mode)


def test_the_oldest_backup_counts_until_the_installation_ends(
    files: PlistFiles, homes: tuple[Path, Path]
) -> None:
    """A second run after a cut must not take the half-installed plist for the one of before."""
    path = homes[0] / "com.joel.healer.plist"
    path.write_bytes(b"before")
    files.keep(Manifest((), ()))
    for data in (b"new", b"newer"):
        files.back_up(path)
        files.write(path, data)
    files.sweep()
    assert [] == list(files.found(["com.joel.healer"]))[1:]
    files.revert(path)
    files.revert(path)
    assert b"before" == path.read_bytes()

    files.back_up(path)
    files.keep(Manifest())
    assert [path] == list(homes[0].iterdir())


def test_a_backup_without_an_installation_is_swept(
    files: PlistFiles, homes: tuple[Path, Path]
) -> None:
    """It was cut off between its last note and its tidying up: the copy is of no use, and stale."""
    path = homes[0] / "com.joel.healer.plist"
    path.write_bytes(b"before")
    files.back_up(path)

    files.sweep()

    assert [path] == list(homes[0].iterdir())


def test_root_puts_nothing_of_the_users_into_the_system(
    files: PlistFiles, homes: tuple[Path, Path], tmp_path: Path
) -> None:
    """What lies in a user's folder may have been exchanged, and would run as root."""
    if os.geteuid() != 0:
        pytest.skip("only root owns what root owns")
    path = homes[1] / "heal.plist"
    aside = tmp_path / "home/state/set-aside"
    path.write_bytes(job(HEAL))
    files.set_aside(path, "a.plist")
    os.chown(aside / "a.plist", 501, 20)
    (aside / "b.plist").symlink_to("/etc/passwd")

    for name in ("a.plist", "b.plist"):
        with pytest.raises(ActFailed, match="no plain file of root's"):
            files.put_back(name, path)
    os.chown(aside / "a.plist", 0, 0)
    files.put_back("a.plist", path)
    assert path.exists()


def of_a_user(homes: tuple[Path, Path]) -> Path:
    """A home that is a user's, and that he can get through to."""
    if os.geteuid() != 0:
        pytest.skip("only root can give away")
    home = homes[0].parents[1]
    for folder in home.parents[:-2]:
        folder.chmod(0o711)
    for folder in (home, *home.rglob("*")):
        os.chown(folder, 501, 20)
    return home


@pytest.mark.parametrize("link", [False, True])
def test_no_setting_leads_root_anywhere(
    homes: tuple[Path, Path], tmp_path: Path, *, link: bool
) -> None:
    """A state folder that the user could not make himself is not made for him, nor given to him."""
    home, roots = of_a_user(homes), tmp_path / "roots"
    roots.mkdir(mode=0o755)
    state = roots / "state"
    if link:
        (home / "link").symlink_to(roots)
        state = home / "link" / "state"
    files = PlistFiles(homes, state, owner=(501, 20))

    with pytest.raises(ActFailed, match="Permission denied"):
        files.keep(Manifest((Kept(HEAL, homes[0] / "x.plist", "x", ()),)))
    with pytest.raises(ActFailed, match="Permission denied"):
        files.make_folder(state / "log")
    with pytest.raises(ActFailed, match="Permission denied"):
        files.write(roots / "x.plist", b"")
    assert not list(roots.iterdir())
    assert (0, 0, 0) == (roots.stat().st_uid, os.geteuid(), os.getegid())


def test_what_root_makes_for_a_user_is_the_users(homes: tuple[Path, Path]) -> None:
    """Folders, manifest and plist; else the daemon could not use its own state folder."""
    home = of_a_user(homes)
    aside = home / ".local/state/healer/set-aside"
    files = PlistFiles(homes, aside, owner=(501, 20))
    files.keep(Manifest((Kept(HEAL, homes[0] / "x.plist", "x", ()),)))
    files.write(homes[0] / "ours.plist", b"")
    files.write(homes[1] / "ours.plist", b"")
    files.make_folder(home / ".local/log")

    mine = [aside / "manifest.json", aside, aside.parents[2], homes[0] / "ours.plist"]
    for path in [*mine, home / ".local/log"]:
        assert (501, 20) == (path.stat().st_uid, path.stat().st_gid), path
    assert 0 == (homes[1] / "ours.plist").stat().st_uid


def test_what_the_system_says_is_told(files: PlistFiles, tmp_path: Path) -> None:
    """File, cause and what to look at."""
    (tmp_path / "file").write_bytes(b"")

    with pytest.raises(ActFailed, match=r"/file/x\.plist: .*; look: ls -ld"):
        files.write(tmp_path / "file" / "x.plist", b"")
    with pytest.raises(ActFailed, match="No such file"):
        files.set_aside(tmp_path / "none.plist", "x.plist")
    with pytest.raises(ActFailed, match="look: ls -ld"):
        files.remove(tmp_path)

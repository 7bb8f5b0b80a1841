"""`healer backup` as its user runs it, against stand-ins for the four tools."""

import os
import shutil
import signal
import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest

from healer.adapters.backup_store import BackupStore, problems
from healer.plans.reading import only_reads
from tests.patience import PATIENCE
from tests.standin.cluster_tools import SECRET
from tests.unit.cli.backup_tower import Tower, tear


@pytest.fixture(name="tower")
def fixture_tower(tmp_path: Path) -> Tower:
    """A tower that is well."""
    return Tower.at(tmp_path)


def test_a_whole_backup_is_complete_closed_to_others_and_verifies(tower: Tower) -> None:
    """Every part is there with its secrets, at 0600 in folders of 0700, and none is printed."""
    said = tower.machine.healer("backup")

    assert (0, f"{tower.only()}\n") == (said.code, said.out)
    assert SECRET not in said.out + said.err
    files = [one for one in tower.only().rglob("*") if one.is_file()]
    expected = {
        "account.sqlite",
        "cluster.json",
        "container.json",
        "helm-releases.json",
        "helm-repositories.json",
        "machineconfig.yaml",
        "manifest.json",
        "objects-joelclaw.json",
        "pds.json",
        "values-joelclaw-bluesky-pds.yaml",
        "values-joelclaw-livekit-server.yaml",
    }
    assert set() == expected - {one.name for one in files}
    assert {0o600} == {stat.S_IMODE(one.stat().st_mode) for one in files}
    folders = [tower.backups, tower.only(), tower.only() / "pds"]
    assert {0o700} == {stat.S_IMODE(one.stat().st_mode) for one in folders}
    assert SECRET in (tower.only() / "values-joelclaw-livekit-server.yaml").read_text()
    assert 0 == tower.machine.healer("backup", "--verify", str(tower.only())).code
    listed = tower.machine.healer("backup", "--list").out
    assert (str(tower.only()), "complete") == (listed.split()[0], listed.split()[-1])


def test_every_command_only_reads_and_asks_for_no_environment(tower: Tower) -> None:
    """Each argument list of a backup and a plan passes the rule that refuses anything else."""
    tower.machine.healer("backup")
    assert 0 == tower.machine.healer("plan", "recreate").code

    calls = tower.calls()
    verbs = {"container", "get", "list", "repo", "cp"}
    assert verbs == {next(one for one in call if one in verbs) for call in calls}
    assert [] == [call for call in calls if not only_reads(call)]
    assert all("Env" not in word for call in calls for word in call)
    assert [] == [call for call in calls if call[0] == "docker" and "--format" not in call]


MOODS = {
    "docker container inspect": "container",
    "helm get values": "helm values of joelclaw/livekit-server",
    "helm list": "helm releases",
    "helm repo list": "helm repositories",
    "kubectl get configmaps": "objects of joelclaw",
    "kubectl get namespaces": "cluster objects",
    "kubectl get node": "kubernetes",
    "kubectl get pods": "PDS databases",
    "kubectl cp": "PDS databases",
    "talosctl get machineconfig": "machine config",
}


@pytest.mark.parametrize(
    "keys",
    [
        ("docker container inspect",),
        ("kubectl get node", "helm repo list"),
        ("kubectl cp",),
        tuple(one for one in MOODS if one.split()[-1] not in {"inspect", "node", "cp"}),
    ],
)
def test_what_is_refused_is_named_and_the_rest_is_kept_as_incomplete(
    tower: Tower, keys: tuple[str, ...]
) -> None:
    """Exit code 1, the part by name, a folder that does not count, and nothing secret said."""
    tower.be(moods=dict.fromkeys(keys, "refuse"))

    said = tower.machine.healer("backup", "--json")

    assert 1 == said.code
    assert {MOODS[key] for key in keys} <= {one["part"] for one in said.document["failures"]}
    assert said.document["files"]
    assert tower.only().name.endswith(".incomplete")
    assert SECRET not in said.out + said.err
    (kept,) = BackupStore(tower.backups).all()
    assert (False, True) == (kept.complete, bool(problems(kept)))


@pytest.mark.parametrize(
    "moods",
    [
        dict.fromkeys(
            ("helm list", "helm get values", "kubectl get configmaps", "helm repo list"), "garbage"
        ),
        {"talosctl get machineconfig": "garbage", "kubectl get pods": "garbage"},
        {"docker container inspect": "garbage"},
        {"kubectl get namespaces": "huge", "talosctl get machineconfig": "hang"},
    ],
)
def test_odd_answers_are_failures_that_quote_nothing(tower: Tower, moods: dict[str, str]) -> None:
    """Garbage, 65 MiB and a tool that hangs after having said a secret."""
    tower.machine.write(tower.machine.config.read_text().replace("5m", "8s"))
    tower.be(moods=moods)

    said = tower.machine.healer("backup", "--json")

    assert 1 == said.code
    assert {MOODS[key] for key in moods} <= {one["part"] for one in said.document["failures"]}
    assert SECRET not in said.out + said.err
    assert SECRET not in (tower.only() / "manifest.json").read_text()


@pytest.mark.parametrize("tool", ["docker", "helm"])
def test_a_missing_tool_is_named_with_its_remedy(tower: Tower, tool: str) -> None:
    """What can be saved without it is saved."""
    tower.without(tool)

    said = tower.machine.healer("backup", "--json")

    assert 1 == said.code
    assert "mend it: brew install" in " ".join(one["why"] for one in said.document["failures"])
    assert said.document["files"]


def test_a_torn_database_is_found_after_every_try(tower: Tower) -> None:
    """A copy that SQLite finds damaged three times makes the backup incomplete."""
    tear(tower.bin / "pds/account.sqlite")

    said = tower.machine.healer("backup", "--json")

    (failure,) = said.document["failures"]
    assert (1, "PDS databases") == (said.code, failure["part"])
    assert "account.sqlite" in failure["why"]
    assert 3 == len([call for call in tower.calls() if "cp" in call])


def test_a_write_ahead_log_is_folded_into_the_copy(tower: Tower) -> None:
    """Rows that were only in the log are in the saved database itself."""
    live = tower.machine.home / "live.sqlite"
    with closing(sqlite3.connect(live)) as one:
        one.execute("PRAGMA journal_mode=WAL")
        one.execute("CREATE TABLE t (a)")
        one.execute("INSERT INTO t VALUES (42)")
        one.commit()
        for suffix in ("", "-wal"):
            shutil.copy(f"{live}{suffix}", f"{tower.bin}/pds/store.sqlite{suffix}")

    assert 0 == tower.machine.healer("backup").code

    saved = tower.only() / "pds/store.sqlite"
    assert not saved.with_name("store.sqlite-wal").exists()
    with closing(sqlite3.connect(f"{saved.as_uri()}?mode=ro&immutable=1", uri=True)) as one:
        assert [(42,)] == one.execute("SELECT a FROM t").fetchall()


def test_a_link_in_the_copy_is_refused_and_not_followed(tower: Tower) -> None:
    """A pod must not make a backup read, change or remove a file of the Mac."""
    victim = tower.machine.home / "victim"
    victim.write_text("mine")
    (tower.bin / "pds/link").symlink_to(victim)

    said = tower.machine.healer("backup", "--json")

    assert (1, ["PDS databases"]) == (said.code, [x["part"] for x in said.document["failures"]])
    assert ("mine", False) == (victim.read_text(), (tower.only() / "pds").exists())


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_ended_in_the_middle_it_leaves_nothing_that_counts(
    tower: Tower, number: signal.Signals
) -> None:
    """Even SIGKILL: the next backup clears what was left, and is whole."""
    tower.be(moods={"kubectl cp": "hang"})
    hanging = tower.bin / "hanging"
    os.mkfifo(hanging)
    process = tower.machine.start("backup")
    pid = int(hanging.read_text())  # a pipe: it waits until the copy is under way
    process.send_signal(number)
    process.communicate(timeout=PATIENCE)
    if number == signal.SIGKILL:
        os.kill(pid, signal.SIGKILL)

    assert 0 != process.returncode
    assert [] == [one for one in tower.folders() if one.startswith("backup-")]
    assert [] == BackupStore(tower.backups).all()
    tower.be()
    assert 0 == tower.machine.healer("backup").code
    assert 1 == len(tower.folders())


def test_a_background_job_ends_by_term_and_leaves_nothing(tower: Tower) -> None:
    """A shell makes it ignore Ctrl-C, as its child here inherits it."""
    tower.be(moods={"kubectl cp": "hang"})
    hanging = tower.bin / "hanging"
    os.mkfifo(hanging)
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        process = tower.machine.start("backup")
    finally:
        signal.signal(signal.SIGINT, before)
    hanging.read_text()  # a pipe: it waits until the copy is under way
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=PATIENCE)

    assert 0 != process.returncode
    assert [] == [one for one in tower.folders() if one.startswith("backup-")]


def test_a_changed_file_is_told_by_verify(tower: Tower) -> None:
    """Changed, missing and added files, each by its name."""
    tower.machine.healer("backup")
    (tower.only() / "cluster.json").write_text("{}")
    (tower.only() / "pds.json").unlink()
    (tower.only() / "extra").write_text("x")

    said = tower.machine.healer("backup", "--verify", str(tower.only()), "--json")

    assert (1, False) == (said.code, said.document["good"])
    told = " ".join(said.document["problems"])
    assert all(
        one in told for one in ("cluster.json: has 2", "pds.json: is not there", "extra: is")
    )


def test_pruning_counts_complete_ones_and_touches_no_stranger(tower: Tower) -> None:
    """`--keep 2` leaves the two newest; folders that are not healer's stay."""
    (tower.backups / "photos").mkdir(parents=True)
    tower.machine.healer("backup")
    first = next(one for one in tower.backups.glob("backup-*"))
    for day in ("01", "02", "03"):
        shutil.copytree(first, tower.backups / f"backup-202001{day}T000000Z")

    said = tower.machine.healer("backup", "--keep", "2", "--json")

    assert 3 == len(said.document["pruned"])
    assert "photos" in tower.folders()
    found = BackupStore(tower.backups).all()
    assert [True, True] == [one.complete for one in found]
    assert said.document["folder"] == str(found[0].folder)


def test_an_incomplete_backup_prunes_nothing(tower: Tower) -> None:
    """What is whole must not make room for what is not."""
    tower.machine.healer("backup")
    shutil.copytree(tower.only(), tower.backups / "backup-20200101T000000Z")
    tower.be(moods={"helm list": "refuse"})

    said = tower.machine.healer("backup", "--keep", "1", "--json")

    assert (1, []) == (said.code, said.document["pruned"])
    assert [False, True, True] == sorted(one.complete for one in BackupStore(tower.backups).all())


def test_two_backups_at_once_are_refused(tower: Tower) -> None:
    """The second says so and leaves the first's draft alone."""
    with BackupStore(tower.backups).drafting(0) as draft:
        said = tower.machine.healer("backup")
        assert draft.is_dir()

    assert (1, "") == (said.code, said.out)
    assert "another backup is being made" in said.err


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--keep", "0"), "is no count"),
        (("--to", "/tmp/a:b"), "takes a colon for a pod's path"),
        (("--list", "--verify", "x"), "not allowed with"),
    ],
)
def test_wrong_words_are_usage(tower: Tower, words: tuple[str, ...], told: str) -> None:
    """Exit code 2, and nothing was asked."""
    said = tower.machine.healer("backup", *words)

    assert (2, []) == (said.code, tower.calls())
    assert told in said.err

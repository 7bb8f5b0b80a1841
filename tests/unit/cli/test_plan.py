"""`healer plan recreate` as its user runs it: what it prints, when it refuses, what it asks."""

import json
import shlex
import shutil
from pathlib import Path

import pytest

from healer.model.published import DEFAULT_PUBLISHED
from healer.plans.manifest import read
from tests.standin.cluster_tools import SECRET
from tests.unit.cli.backup_tower import API, TALOS, Tower, container, parses


@pytest.fixture(name="saved", scope="module")
def fixture_saved(tmp_path_factory: pytest.TempPathFactory) -> Tower:
    """A tower with one backup, for all tests of this file."""
    tower = Tower.at(tmp_path_factory.mktemp("home"))
    assert 0 == tower.machine.healer("backup").code
    return tower


@pytest.fixture(name="tower")
def fixture_tower(saved: Tower) -> Tower:
    """That tower, well again, with nothing asked yet."""
    saved.be()
    (saved.bin / "calls.jsonl").unlink(missing_ok=True)
    return saved


def commands(plan: str) -> list[list[str]]:
    """The words of each command of a plan."""
    lines = [line for line in plan.splitlines() if line and not line.startswith(("#", "["))]
    return [shlex.split(line) for line in lines]


def starting(plan: str, *words: str) -> list[list[str]]:
    """The commands in which these words stand."""
    return [one for one in commands(plan) if set(words) <= set(one)]


def test_the_plan_is_a_shell_document_with_every_port(tower: Tower) -> None:
    """The shell reads it, each word survives quoting, and no published port is forgotten."""
    said = tower.machine.healer("plan", "recreate")

    assert (0, True, False) == (said.code, parses(said.out), SECRET in said.out + said.err)
    (create,) = starting(said.out, "talosctl", "create")
    ports = create[create.index("--exposed-ports") + 1].split(",")
    expected = {f"{one.host_port}:{one.inner_port}/tcp" for one in DEFAULT_PUBLISHED}
    assert expected | {f"{API}:6443/tcp", f"{TALOS}:50000/tcp"} == set(ports)
    assert "18432MiB" == create[create.index("--memory-controlplanes") + 1]
    assert "4" == create[create.index("--cpus-controlplanes") + 1]
    assert "1.35.0" == create[create.index("--kubernetes-version") + 1]
    assert "10.5.0.0/24" == create[create.index("--subnet") + 1]


def test_the_patch_holds_what_was_set_and_no_secret(tower: Tower) -> None:
    """The taint's cure and the node ports' range; no module, no token."""
    said = tower.machine.healer("plan", "recreate")

    (create,) = starting(said.out, "talosctl", "create")
    expected = {
        "cluster": {
            "allowSchedulingOnControlPlanes": True,
            "apiServer": {"extraArgs": {"service-node-port-range": "80-32767"}},
        },
        "machine": {"sysctls": {"vm.overcommit_memory": "1"}},
    }
    assert expected == json.loads(create[create.index("--config-patch-controlplanes") + 1])


def test_labels_come_before_objects_and_the_toleration_before_claims(tower: Tower) -> None:
    """Pod security, storage, objects, releases and the PDS's data, in the order that works."""
    told = commands(tower.machine.healer("plan", "recreate").out)

    def at(*words: str) -> int:
        return next(index for index, one in enumerate(told) if set(words) <= set(one))

    folder = tower.only()
    order = [
        at("create"),
        at("set-cluster", f"https://127.0.0.1:{API}"),
        at("label", "joelclaw", "pod-security.kubernetes.io/enforce=privileged"),
        at("patch", "deployment/local-path-provisioner"),
        at("patch", "storageclass", "local-path"),
        at("apply", f"{folder}/objects-joelclaw.json"),
        at("helm", "livekit-server", "1.9.0", f"{folder}/values-joelclaw-livekit-server.yaml"),
        at("cp", f"{folder}/pds/."),
        at("resume"),
    ]
    assert sorted(order) == order
    toleration = told[at("patch", "deployment/local-path-provisioner")][-1]
    assert "node-role.kubernetes.io/control-plane" in toleration
    claim = next(one for one in told[at("run", "pds-restore")] if one.startswith("--overrides="))
    assert '"claimName":"pds-data"' in claim


def test_the_known_traps_are_told(tower: Tower) -> None:
    """What went wrong from memory is said where it would go wrong again."""
    comments = tower.machine.healer("plan", "recreate").out.replace("\n# ", " ")

    for words in (
        "in the machine config does nothing: Talos in a container loads no",
        "the Mac cannot reach",
        "no restart policy",
        "the patch below lets Talos set none",
        "joelclaw/data-redis-0: not saved",
        "prune volumes before the new cluster holds its data",
    ):
        assert words in comments


def test_the_same_tower_is_the_same_bytes(tower: Tower) -> None:
    """A plan can be compared with yesterday's."""
    first, second = (tower.machine.healer("plan", "recreate").out for _ in range(2))

    assert first == second


def test_a_plan_only_inspects_the_container(tower: Tower) -> None:
    """It executes nothing else at all."""
    tower.machine.healer("plan", "recreate")

    assert [["docker", "container", "inspect"]] == [[call[0], *call[3:5]] for call in tower.calls()]


def test_ports_are_the_live_ones_and_else_the_backups(tower: Tower) -> None:
    """A port bound since the backup is there; without a container the backup's are taken."""
    tower.be(docker_container_inspect=container(ports={"1/tcp": [{"HostPort": "2", "HostIp": ""}]}))
    live = tower.machine.healer("plan", "recreate").out
    tower.be(moods={"docker container inspect": "refuse"})
    gone = tower.machine.healer("plan", "recreate")

    assert [["2:1/tcp"]] == [
        one[one.index("--exposed-ports") + 1].split(",") for one in starting(live, "create")
    ]
    assert f"{API}:6443/tcp" in gone.out
    assert "the backup's ports are taken" in gone.err


def test_hostile_names_stay_words(tower: Tower) -> None:
    """Nothing that Docker says can become a command or leave a comment."""
    image = "x; touch /tmp/owned\n'$(id)`id`"
    mounts = [{"Type": "bind", "Source": "/a b'\n", "Destination": "/c;d", "RW": False}]
    tower.be(docker_container_inspect=container(image=image, mounts=mounts))

    plan = tower.machine.healer("plan", "recreate").out

    assert parses(plan)
    assert image in shlex.split(plan, comments=True)


def test_without_limits_a_human_is_asked(tower: Tower) -> None:
    """talosctl's own defaults are far too small, so the shell stops until somebody has said."""
    tower.be(docker_container_inspect=container(memory=0, nano_cpus=0))

    plan = tower.machine.healer("plan", "recreate").out

    assert parses(plan)
    assert all(one in plan for one in (': "${MEMORY:?', ': "${CPUS:?', '"$MEMORY"', '"$CPUS"'))


@pytest.mark.parametrize(
    ("harm", "why"),
    [
        ("none", "there is no complete backup"),
        ("old", "hours old, which is more than a day"),
        ("ahead", "is from the future"),
        ("changed", "is damaged: pds.json"),
    ],
)
def test_it_refuses_without_a_good_young_backup_unless_forced(
    tower: Tower, tmp_path: Path, harm: str, why: str
) -> None:
    """Refused with the remedy and exit code 1; with --force it is printed, and why not is said."""
    spoil(tower, tmp_path / "b", harm)
    where = ("plan", "recreate", "--from", str(tmp_path / "b"))

    refused, forced = tower.machine.healer(*where), tower.machine.healer(*where, "--force")

    assert (1, "") == (refused.code, refused.out)
    assert all(one in refused.err for one in (why, "healer backup", "--force"))
    assert (0, True) == (forced.code, parses(forced.out))
    assert why in forced.err
    assert f"{API}:6443/tcp" in forced.out


def spoil(tower: Tower, folder: Path, harm: str) -> None:
    """A copy of the tower's backups that is not good enough."""
    folder.mkdir()
    if harm == "none":
        return
    one = folder / tower.only().name
    shutil.copytree(tower.only(), one)
    manifest = one / "manifest.json"
    made = read(manifest.read_text()).made_at
    later = {"old": made - 90_000, "ahead": made + 90_000}.get(harm, made)
    manifest.write_text(manifest.read_text().replace(str(made), str(later)))
    if harm == "changed":
        (one / "pds.json").write_text("{}")


def test_nothing_runs_when_the_plan_is_piped_into_a_shell(tower: Tower) -> None:
    """The first thing that a shell does with it is to stop: by the guard before any command."""
    lines = tower.machine.healer("plan", "recreate").out.splitlines()

    first = [line for line in lines if line and not line.startswith("#")][:2]
    assert "set -eu" == first[0]
    assert "exit 64" in first[1]

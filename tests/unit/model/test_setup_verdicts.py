"""What is said of how a cluster was set up, with the command that mends it."""

import json
import shlex
from collections.abc import Sequence

import pytest

from healer.core.ladders import LADDERS
from healer.core.observation import Finding
from healer.core.reasons import ADVISORY, Reason
from healer.model import setup_verdicts as verdicts
from healer.model.setup import (
    Address,
    Addressing,
    Mention,
    MetricsApi,
    Place,
    Provisioner,
    RedisSettings,
    StorageClass,
)
from tests.fakes.talos import OLD

WORKER = ("mac:3111", "10.0.0.1:3111")
PLACE = Place("joelclaw", "StatefulSet", "inngest", "inngest")
GOOD_REDIS = RedisSettings("yes", "3600 1", "noeviction", 0)
OURS = (
    Reason.TALOS_API_SILENT,
    Reason.METRICS_ABSENT,
    Reason.NODE_PORT_RANGE,
    Reason.ENV_NAMES_K3D,
    Reason.WORKER_ADDRESS,
    Reason.POD_SECURITY,
    Reason.STORAGE_CLASS,
    Reason.PROVISIONER,
    Reason.REDIS_AOF_CORRUPT,
    Reason.MOUNT_HANGS,
    Reason.REDIS_SETTINGS,
)


def address(host: str, said_by: str = "--sdk-url") -> Addressing:
    """One that Inngest is told."""
    return Addressing((), (Address(PLACE, said_by, host, 3111),))


def patch_in(command: str) -> object:
    """The JSON that follows `-p`, as a shell would give it."""
    words = shlex.split(command)
    return json.loads(words[words.index("-p") + 1])


@pytest.mark.parametrize("reason", OURS)
def test_none_of_it_ever_makes_a_layer_ill_or_is_acted_on(reason: Reason) -> None:
    """Told at the first look, and no remedy answers it."""
    assert reason in ADVISORY
    assert not reason.gating
    ladder = LADDERS[reason]
    assert (1, 0.0, ()) == (ladder.samples, ladder.over, ladder.rungs)
    assert ladder.advice


def test_k3ds_host_is_replaced_without_showing_a_value() -> None:
    """By a pipe from the API to the API."""
    (found,) = verdicts.of_addressing([Addressing((Mention(PLACE, "URL"),))], WORKER)

    assert (Reason.ENV_NAMES_K3D, "joelclaw/statefulset/inngest URL") == (
        found.reason,
        found.target,
    )
    assert "the variable URL names host.k3d.internal" in found.evidence
    assert (
        "kubectl -n joelclaw get statefulset/inngest -o yaml | "
        "sed 's/host[.]k3d[.]internal/mac/g' | kubectl -n joelclaw replace -f -"
    ) == found.advice


@pytest.mark.parametrize("host", ["mac", "10.0.0.1"])
def test_the_workers_own_addresses_are_no_news(host: str) -> None:
    """Each of those in the settings."""
    assert () == verdicts.of_addressing([address(host)], WORKER)


@pytest.mark.parametrize(
    ("host", "right"),
    [
        ("system-bus-worker", True),
        ("system-bus-worker.joelclaw", True),
        ("system-bus-worker.joelclaw.svc", True),
        ("System-Bus-Worker.joelclaw.svc.cluster.local.", True),
        ("system-bus-worker.default", False),
        ("other", False),
        ("system-bus-worker.joelclaw.example.com", False),
    ],
)
def test_a_service_of_the_cluster_may_lead_to_the_worker(host: str, *, right: bool) -> None:
    """By each of the names that the cluster's DNS knows it by; the owner's manifest names one."""
    found = verdicts.of_addressing(
        [address(host, "INNGEST_SERVE_HOST")], WORKER, {("joelclaw", "system-bus-worker")}
    )

    assert right is (found == ())


def test_another_address_is_told_with_both() -> None:
    """What it says, and where the worker is; a variable can be set by one command."""
    (found,) = verdicts.of_addressing([address("elsewhere")], WORKER)
    assert (Reason.WORKER_ADDRESS, "elsewhere:3111") == (found.reason, found.fingerprint)
    assert found.evidence.endswith("--sdk-url says elsewhere:3111, and the worker is at mac:3111")
    assert found.advice.startswith("kubectl -n joelclaw edit statefulset/inngest (set --sdk-url")

    (found,) = verdicts.of_addressing([address("elsewhere", "INNGEST_SERVE_HOST")], WORKER)
    assert found.advice.startswith(
        "kubectl -n joelclaw set env statefulset/inngest -c inngest "
        "INNGEST_SERVE_HOST=http://mac:3111"
    )


def test_without_a_worker_in_the_settings_nothing_is_compared() -> None:
    """k3d's host is told all the same."""
    both = Addressing((Mention(PLACE, "URL"),), (Address(PLACE, "-u", "x", 1),))
    assert [Reason.ENV_NAMES_K3D] == [one.reason for one in verdicts.of_addressing([both], ())]


@pytest.mark.parametrize("enforced", ["privileged", None])
def test_a_privileged_namespace_and_none_at_all_are_well(enforced: str | None) -> None:
    """What is not there needs no label."""
    assert () == verdicts.of_pod_security("joelclaw", enforced)


@pytest.mark.parametrize(("enforced", "said"), [("", "has no label"), ("baseline", "baseline")])
def test_another_pod_security_is_told(enforced: str, said: str) -> None:
    """With the label to put there."""
    (found,) = verdicts.of_pod_security("joelclaw", enforced)
    assert said in found.evidence
    assert found.advice.endswith("namespace joelclaw pod-security.kubernetes.io/enforce=privileged")


def classes(*names: str, default: Sequence[str] = ()) -> list[StorageClass]:
    """Those, of which some are the default."""
    return [StorageClass(one, default=one in default) for one in names]


def test_one_default_class_of_the_wanted_name_is_well() -> None:
    """Whatever others there are."""
    found = classes("local-path", "nfs", default=["local-path"])
    assert () == verdicts.of_storage_classes(found, "local-path")


@pytest.mark.parametrize(
    ("default", "commands"),
    [
        ([], ["local-path storageclass.kubernetes.io/is-default-class=true"]),
        (["local-path", "nfs"], ["nfs storageclass.kubernetes.io/is-default-class-"]),
        (
            ["nfs"],
            [
                "nfs storageclass.kubernetes.io/is-default-class-",
                "local-path storageclass.kubernetes.io/is-default-class=true",
            ],
        ),
    ],
)
def test_any_other_default_is_told(default: list[str], commands: list[str]) -> None:
    """With exactly the annotations that differ."""
    (found,) = verdicts.of_storage_classes(
        classes("local-path", "nfs", default=default), "local-path"
    )
    annotate = "kubectl annotate --overwrite storageclass "
    assert [annotate + one for one in commands] == found.advice.split(" && ")


def test_a_class_that_is_not_there_is_installed() -> None:
    """No annotation could help."""
    (found,) = verdicts.of_storage_classes(classes("nfs", default=["nfs"]), "local-path")
    assert "there is no StorageClass local-path" == found.evidence
    assert found.advice.startswith("kubectl apply -f https://")


def targets(found: Sequence[Finding]) -> list[str]:
    """What is told."""
    return [one.target for one in found]


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (Provisioner(1, 1, 0.0, 1, tolerates=True), []),
        (Provisioner(1, 0, 30.0, 1, tolerates=True), []),
        (Provisioner(1, 0, 900.0, 1, tolerates=True), ["unavailable"]),
        (Provisioner(0, 0, 900.0, 1, tolerates=True), ["scaled"]),
        (Provisioner(1, 1, 0.0, 0, tolerates=False), ["taint"]),
        (None, ["absent"]),
    ],
)
def test_the_provisioner_is_there_available_and_tolerant(
    found: Provisioner | None, expected: list[str]
) -> None:
    """A pod that has only just gone will come back by itself."""
    assert expected == targets(verdicts.of_provisioner(found))


@pytest.mark.parametrize(("others", "end"), [(0, "tolerations"), (2, "tolerations/-")])
def test_a_toleration_is_added_to_those_that_are_there(others: int, end: str) -> None:
    """The patch is whole JSON, and takes none away."""
    (found,) = verdicts.of_provisioner(Provisioner(1, 1, 0.0, others, tolerates=False))
    steps = patch_in(found.advice)
    assert isinstance(steps, list)
    assert steps[0]["path"].endswith(end)
    value = steps[0]["value"] if others else steps[0]["value"][0]
    assert "node-role.kubernetes.io/control-plane" == value["key"]


def test_a_metrics_server_that_serves_or_only_starts_is_well() -> None:
    """A rollout takes its while."""
    assert () == verdicts.of_metrics(MetricsApi(available=True))
    assert () == verdicts.of_metrics(MetricsApi(available=False, why="starting", ill_for=60.0))


def test_no_metrics_server_and_one_that_fails_are_told_apart() -> None:
    """The one is installed, the other is read."""
    (absent,) = verdicts.of_metrics(None)
    (failing,) = verdicts.of_metrics(MetricsApi(available=False, why="503", ill_for=900.0))
    assert absent.advice.startswith("kubectl apply -f https://")
    assert isinstance(patch_in(absent.advice), list)
    assert failing.evidence.endswith("is not available: 503")
    assert absent.fingerprint != failing.fingerprint


def test_a_range_that_leaves_ports_out_names_them() -> None:
    """With the patch of Talos' machine config."""
    assert () == verdicts.of_node_ports("1-65535", [6379])
    (found,) = verdicts.of_node_ports("30000-32767", [8108, 6379, 30900], OLD)
    assert found.evidence.endswith("which leaves out 6379, 8108")
    expected = {"cluster": {"apiServer": {"extraArgs": {"service-node-port-range": "1-65535"}}}}
    assert expected == patch_in(found.advice)


def redis(found: RedisSettings, policy: str | None = "noeviction") -> list[str]:
    """What is told of it."""
    return targets(verdicts.of_redis(6379, found, policy, appendonly=True))


def test_a_redis_that_keeps_everything_is_well() -> None:
    """And so is one of which the settings want nothing."""
    assert [] == redis(GOOD_REDIS)
    forgetful = RedisSettings("no", "", "allkeys-lru", 1)
    assert () == verdicts.of_redis(6379, forgetful, None, appendonly=False)


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (RedisSettings("no", "3600 1", "noeviction", 0), "6379 appendonly"),
        (RedisSettings("yes", "", "allkeys-lru", 1), "6379 policy"),
        (RedisSettings("yes", "", "noeviction", 0, rewrite="err"), "6379 bgrewriteaof"),
        (RedisSettings("yes", "", "noeviction", 0, snapshot="err"), "6379 bgsave"),
    ],
)
def test_each_way_to_lose_something_is_told(found: RedisSettings, expected: str) -> None:
    """On its own, with its own command."""
    (said,) = verdicts.of_redis(6379, found, "noeviction", appendonly=True)
    assert expected == said.target
    assert "redis-cli -p 6379" in said.advice


def test_a_silent_talos_names_its_port() -> None:
    """And what was heard instead."""
    (found,) = verdicts.of_talos(50_001, "refused")
    assert ("50001", True) == (found.target, found.evidence.endswith("port 50001: refused"))

"""The lab's node behaves as the real tower's does: each claim of facts/lab.md, seen."""

from __future__ import annotations

import base64
import json
import socket
import urllib.error
import urllib.request
from typing import TYPE_CHECKING

import pytest

from tests.lab.kubernetes.faults import CONTROL_PLANE_TAINT, CORDONED_BY_TALOS
from tests.lab.kubernetes.machineconfig import SECRET_MARKER
from tests.lab.kubernetes.node import NAME, eventually, inspect

if TYPE_CHECKING:
    from tests.lab.kubernetes.faults import Faults

pytestmark = [pytest.mark.kubernetes, pytest.mark.lab]


def tainted(faults: Faults) -> bool:
    """Whether the control plane's taint is on the node."""
    return any(one["key"] == CONTROL_PLANE_TAINT for one in faults.node.taints())


def column(faults: Faults, start: str) -> set[str]:
    """The STATUS of the pods whose names start so."""
    return {now for name, now in faults.node.statuses().items() if name.startswith(start)}


def test_a_mended_node_is_ready_and_runs_all_its_pods(mended: Faults) -> None:
    """A node without faults is Ready, untainted, and every pod on it runs."""
    assert mended.node.condition() == "True"
    assert not tainted(mended)
    assert set(mended.node.statuses().values()) == {"Running"}


@pytest.mark.usefixtures("mended")
def test_published_ports_reach_the_workloads() -> None:
    """A NodePort published by Docker carries the workload's own protocol to this side."""
    with urllib.request.urlopen("http://127.0.0.1:8108/health", timeout=10) as answer:
        assert json.loads(answer.read()) == {"ok": True}
    with socket.create_connection(("127.0.0.1", 6379), timeout=10) as redis:
        redis.sendall(b"PING\r\n")
        assert redis.recv(16) == b"+PONG\r\n"


def test_removing_the_taint_lasts_until_the_node_changes(mended: Faults) -> None:
    """Talos does not see the taint go, but any annotation of the node makes it put it back."""
    assert not tainted(mended)
    mended.annotate("lab.invalid/note", "1")
    eventually("the taint is back", lambda: tainted(mended))
    mended.annotate("lab.invalid/note", None)


def test_the_machine_config_ends_the_taint(mended: Faults) -> None:
    """With allowSchedulingOnControlPlanes Talos removes its taint and adds it no more."""
    mended.annotate("lab.invalid/note", "1")
    eventually("the taint is back", lambda: tainted(mended))
    mended.allow_scheduling(allowed=True)
    eventually("the taint is gone", lambda: not tainted(mended))
    mended.allow_scheduling(allowed=False)
    mended.annotate("lab.invalid/note", None)


def test_a_clean_stop_cordons_and_the_next_boot_undoes_it(mended: Faults) -> None:
    """SIGTERM ends in exit 130; the next boot takes back Talos' own cordon, not the taint."""
    mended.node.engine("stop", "--time=120", NAME, deadline=150)
    assert inspect(mended.node)["State"]["ExitCode"] == 130
    mended.node.engine("start", NAME)
    eventually("the API server is ready", mended.node.api_ready)
    eventually("the taint is back", lambda: tainted(mended))
    eventually("uncordoned", lambda: "unschedulable" not in mended.node.node_object()["spec"])
    annotations = mended.node.node_object()["metadata"]["annotations"]
    assert CORDONED_BY_TALOS not in annotations


def test_a_stop_that_hangs_ends_in_137(mended: Faults) -> None:
    """A machined that hangs in its shutdown is killed by Docker, and starts well again."""
    mended.hold("shutdown")
    mended.node.engine("stop", "--time=2", NAME)
    assert inspect(mended.node)["State"]["ExitCode"] == 137
    mended.node.engine("start", NAME)
    eventually("the API server is ready", mended.node.api_ready)


def test_a_human_cordon_outlives_a_boot(mended: Faults) -> None:
    """A cordon without Talos' mark is still there after a restart."""
    mended.cordon_as_human()
    mended.node.engine("kill", NAME)
    mended.node.engine("start", NAME)
    eventually("the API server is ready", mended.node.api_ready)
    eventually("the taint is back", lambda: tainted(mended))
    assert mended.node.node_object()["spec"]["unschedulable"] is True


def test_a_human_cordon_outlives_a_clean_stop(mended: Faults) -> None:
    """Talos marks no cordon that it did not make, and so takes back none of a human's."""
    mended.cordon_as_human()
    mended.node.engine("stop", "--time=120", NAME, deadline=150)
    assert inspect(mended.node)["State"]["ExitCode"] == 130
    mended.node.engine("start", NAME)
    eventually("the API server is ready", mended.node.api_ready)
    eventually("the taint is back", lambda: tainted(mended))
    node = mended.node.node_object()
    assert node["spec"]["unschedulable"] is True
    assert CORDONED_BY_TALOS not in node["metadata"].get("annotations", {})


def test_a_cordon_of_talos_is_taken_back_while_it_runs(mended: Faults) -> None:
    """Not at a boot alone: whoever writes its mark by hand finds the node schedulable."""
    mended.annotate(CORDONED_BY_TALOS, "true")
    mended.node.kubectl("cordon", NAME)
    eventually("uncordoned", lambda: "unschedulable" not in mended.node.node_object()["spec"])


def test_pods_are_unknown_after_a_power_cut_while_flannel_cannot_start(mended: Faults) -> None:
    """Killed without the module: flannel refuses in its words, pods show Unknown, then heal."""
    mended.unload_module()
    mended.node.engine("kill", NAME)
    mended.node.engine("start", NAME)
    eventually("the API server is ready", mended.node.api_ready)
    eventually("Unknown", lambda: column(mended, "redis") == {"Unknown"})
    eventually(
        "flannel fails", lambda: column(mended, "kube-flannel") & {"Error", "CrashLoopBackOff"}
    )
    log = mended.node.kubectl("logs", "-n", "kube-system", "daemonset/kube-flannel")
    assert (
        "Failed to check br_netfilter: stat /proc/sys/net/bridge/bridge-nf-call-iptables:"
        " no such file or directory"
    ) in log
    eventually("sandboxes fail", lambda: sandbox_faults(mended))
    assert any(
        "failed to load flannel 'subnet.env' file: open /run/flannel/subnet.env: no such file"
        " or directory. Check the flannel pod log for this node." in message
        for message in sandbox_faults(mended)
    )
    mended.load_module()
    eventually("healed without help", lambda: column(mended, "redis") == {"Running"})


def sandbox_faults(faults: Faults) -> list[str]:
    """Messages of the events that say why no sandbox could be made."""
    events = faults.node.object("/api/v1/events?fieldSelector=reason%3DFailedCreatePodSandBox")
    return [str(event["message"]) for event in events["items"]]


def test_livekit_never_gets_ready_by_the_probes_of_its_chart(mended: Faults) -> None:
    """Probed on the pod's address it is refused for want of an endpoint; on loopback it passes."""
    mended.reset_livekit()
    eventually("refused", lambda: livekit_refused(mended))
    assert not mended.livekit_available()
    mended.patch_livekit()
    eventually("available", mended.livekit_available)
    with urllib.request.urlopen("http://127.0.0.1:7880/", timeout=10) as answer:
        assert answer.read() == b"OK"


def livekit_refused(faults: Faults) -> bool:
    """Whether a probe on the pod's address was refused, with the node kept schedulable for it."""
    # Any change of the node makes Talos put the taint back before the new pod is scheduled.
    faults.untaint_if_tainted()
    return any("10.5.0.2:7880: connect: connection refused" in one for one in probe_faults(faults))


def probe_faults(faults: Faults) -> list[str]:
    """Messages of the events about failed probes."""
    events = faults.node.object("/api/v1/events?fieldSelector=reason%3DUnhealthy")
    return [str(event["message"]) for event in events["items"]]


def test_livekit_can_be_told_to_answer_406(mended: Faults) -> None:
    """Old statistics are played by a switch, and the answer is LiveKit's own."""
    mended.livekit_not_ready(broken=True)
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen("http://127.0.0.1:7880/", timeout=10)
    assert refused.value.code == 406
    assert refused.value.read().startswith(b"Not Ready\nNode Updated At ")
    refused.value.close()


def test_a_held_api_server_leaves_the_container_running(mended: Faults) -> None:
    """A wedged node is one whose container runs and whose API does not; a restart clears it."""
    mended.hold("kube-apiserver")
    eventually("silent", lambda: not answers(mended))
    assert inspect(mended.node)["State"]["Running"] is True
    mended.node.engine("restart", "--time=30", NAME, deadline=90)
    eventually("the API server is ready", mended.node.api_ready)


def answers(faults: Faults) -> bool:
    """Whether anything answers at the API's port."""
    try:
        return faults.node.api_ready()
    except OSError:
        return False


def test_a_node_stuck_in_its_shutdown_says_so_until_it_is_restarted(mended: Faults) -> None:
    """Ready is False with the message of a kubelet in its shutdown; a restart clears it."""
    mended.stick_in_shutdown()
    eventually("it says so", lambda: "node is shutting down" in ready_message(mended))
    mended.node.engine("restart", "--time=30", NAME, deadline=90)
    eventually("it is over", lambda: ready_message(mended) == "kubelet is posting ready status")


def ready_message(faults: Faults) -> str:
    """The message of the node's Ready condition."""
    conditions = faults.node.node_object()["status"]["conditions"]
    return next(str(one["message"]) for one in conditions if one["type"] == "Ready")


def test_the_machine_config_is_where_a_leak_would_start(mended: Faults) -> None:
    """USERDATA holds the marker that leak tests look for, and the node's own logs do not."""
    environment = mended.node.engine("inspect", "--format={{json .Config.Env}}", NAME)
    (user_data,) = [one for one in json.loads(environment) if one.startswith("USERDATA=")]
    assert SECRET_MARKER in decoded(user_data.removeprefix("USERDATA="))
    assert SECRET_MARKER not in mended.node.logs()


def decoded(text: str) -> str:
    """Base64 to text."""
    return base64.b64decode(text).decode()

"""Advice that cures: what is so now, what is not, and what nobody could see."""

from dataclasses import replace

import pytest

from healer.core.observation import Finding
from healer.core.reasons import Reason
from healer.model.cluster import CONTROL_PLANE_TAINT, Node, Readiness, Taint
from healer.model.cures import Applied, Cure, SetUp, Standing, cure_of, cures
from healer.model.front import FrontSeen
from healer.model.funnel import Funnelled
from healer.model.machine import FileSystem, Forwarder, GuestFacts, Hostagent, Unit
from healer.model.talos_config import talos_config
from tests.fakes.engine import UP
from tests.fakes.talos import NEW, OLD
from tests.fakes.vm import FakeVm

GUEST = GuestFacts(
    uptime=100.0,
    clock=0.0,
    asked_at=0.0,
    bridge_netfilter=True,
    vxlan=True,
    persisted=True,
    disks=(FileSystem("/dev/vda1", 0.05, ("/",)), FileSystem("/dev/vdb1", 0.41, ("/data",))),
    engine_answers=True,
    docker=Unit("active", "success", None),
)
FULL = (FileSystem("/dev/vda1", 0.05, ("/",)), FileSystem("/dev/vdb1", 0.98, ("/data",)))
READY = Readiness(
    ready=True, port=64784, detail="ok", certificate_days=300.0, kubeconfig_port=64784
)
NODE = Node("joelclaw-controlplane-1", "uid", "1")
TAINTED = replace(NODE, taints=(Taint(CONTROL_PLANE_TAINT, "NoSchedule"),))
FUNNEL = Funnelled(443, "http://127.0.0.1:3111", is_public=True)
WELL = Standing(
    guest=GUEST,
    container=UP,
    readiness=READY,
    node=NODE,
    machine="talosctl is not there",
    hostagent="not asked",
    forwarder=Forwarder.GRPC,
    restart_policy="unless-stopped",
    memory=UP.memory,
    front=FrontSeen(running=True, funnels=(FUNNEL,)),
)
DARK = replace(
    WELL,
    guest="ssh: refused",
    container="no docker",
    readiness="no API",
    node="no API",
    front=FrontSeen(funnel_unseen="tailscale: exit 1"),
    forwarder="no colima.yaml",
)


def judged(seen: Standing) -> dict[str, Cure]:
    """By the fault."""
    return {one.fault: one for one in cures(seen)}


def test_a_cured_tower_says_so() -> None:
    """What only Talos or Lima itself can say is not claimed."""
    states = [one.applied for one in cures(WELL)]

    assert 8 == states.count(Applied.YES)
    assert 3 == states.count(Applied.UNKNOWN)


@pytest.mark.parametrize(
    ("fault", "word", "seen"),
    [
        ("br_netfilter", "provision", replace(WELL, guest=replace(GUEST, persisted=False))),
        ("disk fills", "docker system df", replace(WELL, guest=replace(GUEST, disks=FULL))),
        ("stays down", "--restart always", replace(WELL, restart_policy="always")),
        ("memory", "--memory-swap", replace(WELL, memory=18 << 30)),
        (
            "kubeconfig",
            "healer kubeconfig repair",
            replace(WELL, readiness=replace(READY, kubeconfig_port=6443)),
        ),
        (
            "certificate",
            "talosctl kubeconfig",
            replace(WELL, readiness=replace(READY, certificate_days=30.0)),
        ),
        ("taint", "allowSchedulingOnControlPlanes", replace(WELL, node=TAINTED)),
        ("taint", '{"cluster":{"allowScheduling', replace(WELL, machine=OLD)),
        ("taint", '"kind":"KubeNodeConfig","taints"', replace(WELL, machine=NEW)),
        ("Caddy", "KeepAlive", replace(WELL, front=replace(WELL.front, running=False))),
        ("funnel", "--bg", replace(WELL, front=replace(WELL.front, funnels=()))),
        (
            "funnel",
            "--bg",
            replace(WELL, front=replace(WELL.front, funnels=(replace(FUNNEL, is_kept=False),))),
        ),
        (
            "funnel",
            "--bg",
            replace(WELL, front=replace(WELL.front, funnels=None, funnel_missing="not there")),
        ),
        ("ssh master", "portForwarder: grpc", replace(WELL, forwarder=Forwarder.SSH)),
    ],
)
def test_what_is_not_applied_comes_with_its_command(fault: str, word: str, seen: Standing) -> None:
    """Each by itself, and nothing else changes with it."""
    changed = [one for one in cures(seen) if one not in cures(WELL)]

    assert [Applied.NO] == [one.applied for one in changed]
    assert fault in changed[0].fault
    assert word in changed[0].fix


@pytest.mark.parametrize(
    "documents",
    [
        [{"cluster": {"allowSchedulingOnControlPlanes": True}}],
        [{"cluster": {}, "machine": {}}, {"kind": "KubeNodeConfig", "labels": {}}],
    ],
)
def test_a_machine_config_without_the_taint_is_a_cure_in_force(
    documents: list[dict[str, object]],
) -> None:
    """Of either form."""
    found = judged(replace(WELL, node=TAINTED, machine=talos_config(documents)))

    assert Applied.YES is found["Talos puts the control-plane taint back"].applied


def test_what_cannot_be_asked_says_why() -> None:
    """Nothing is accused of what nobody saw."""
    found = judged(DARK)

    assert not [one for one in found.values() if one.applied is Applied.NO]
    assert "ssh: refused" == found["br_netfilter is missing after a boot"].why
    assert "no colima.yaml" == found["published ports die with Lima's ssh master"].why
    funnel = found["the funnel ends with its terminal, or leads elsewhere"]
    assert "tailscale: exit 1" == funnel.why


async def test_a_lock_of_the_disk_is_named() -> None:
    """Whether Lima clears it by itself depends on its version, which is not asked."""
    agent: Hostagent = replace(await FakeVm().hostagent(), disk_locked_by="/x/colima")
    found = judged(replace(WELL, hostagent=agent))["the data disk stays locked after a crash"]

    assert (Applied.UNKNOWN, True) == (found.applied, "/x/colima" in found.why)


def test_every_reason_has_a_cure() -> None:
    """Told after the third time in a day, so none may be silent."""
    assert all(cure_of(one) for one in Reason)


def test_each_question_of_the_set_up_is_a_line_of_its_own() -> None:
    """As it should be, otherwise with every command, or why nobody could ask."""
    lost = tuple(
        Finding(Reason.PROVISIONER, f"evidence {one}", advice=f"kubectl {one}") for one in "ab"
    )
    setup = (SetUp("ranges"), SetUp("provisioner", lost), SetUp("Redis", unseen="NOAUTH"))
    good, bad, unseen = list(judged(replace(WELL, setup=setup)).values())[-3:]

    assert [Applied.YES, Applied.NO, Applied.UNKNOWN] == [
        one.applied for one in (good, bad, unseen)
    ]
    assert ("evidence a; evidence b", "kubectl a; kubectl b") == (bad.why, bad.fix)
    assert "NOAUTH" == unseen.why
    assert "set up otherwise than meant: provisioner" == bad.fault

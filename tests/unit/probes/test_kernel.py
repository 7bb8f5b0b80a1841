"""The VM's kernel modules."""

from dataclasses import replace

import pytest

from healer.core.reasons import Reason
from healer.model.flannel import FlannelNetwork
from healer.ports import CannotLook, TargetIll
from healer.probes.flannel_need import FlannelNeed
from healer.probes.kernel import KernelProbe
from tests.cluster_objects import flannel_pod, waiting
from tests.fakes.guest import WELL, FakeGuest
from tests.fakes.setup import FakeSetup
from tests.fakes_cluster import FakeCluster


async def test_both_modules_loaded_is_well() -> None:
    """Also when they are not kept: that is no illness now."""
    for kept in (True, False):
        seen = await KernelProbe(FakeGuest(replace(WELL, persisted=kept))).look()

        assert seen.well


@pytest.mark.parametrize(
    ("bridge", "vxlan", "named"),
    [
        (False, True, "br_netfilter"),
        (True, False, "vxlan"),
        (False, False, "br_netfilter, vxlan"),
    ],
)
async def test_a_missing_module_is_named(bridge: bool, vxlan: bool, named: str) -> None:  # noqa: FBT001 (a table of truths)
    """Flannel dies without either, so either makes the layer ill."""
    guest = FakeGuest(replace(WELL, bridge_netfilter=bridge, vxlan=vxlan, persisted=False))

    seen = await KernelProbe(guest).look()

    assert [Reason.BR_NETFILTER_MISSING] == [one.reason for one in seen.gating]
    assert f"not loaded in the VM: {named}; not kept" in seen.findings[0].evidence


@pytest.mark.parametrize(
    ("image", "nftables", "log", "needed"),
    [
        ("ghcr.io/siderolabs/flannel:v0.28.11", True, "", False),
        ("ghcr.io/siderolabs/flannel:v0.28.9", True, "", False),
        ("ghcr.io/siderolabs/flannel:v0.28.8", True, "", True),
        ("ghcr.io/siderolabs/flannel:v0.28.11", False, "", True),
        ("registry/flannel@sha256:ab", True, "", True),
        ("ghcr.io/siderolabs/flannel:v0.28.11", True, "Failed to check br_netfilter: stat", True),
    ],
)
async def test_br_netfilter_is_an_illness_only_where_flannel_needs_it(
    image: str, log: str, *, nftables: bool, needed: bool
) -> None:
    """By its configuration and version, and by its own last words when it crashes."""
    setup, cluster = FakeSetup(), FakeCluster(flannel_pod(waiting("CrashLoopBackOff")))
    setup.network, setup.log = FlannelNetwork(image, "kube-flannel", nftables), log
    guest = FakeGuest(replace(WELL, bridge_netfilter=False))

    seen = await KernelProbe(guest, FlannelNeed(setup, cluster)).look()

    reason = Reason.BR_NETFILTER_MISSING if needed else Reason.BR_NETFILTER_UNUSED
    assert ([reason], not needed) == ([one.reason for one in seen.findings], seen.well)


@pytest.mark.parametrize("cannot", ["flannel", "flannel_network kube-flannel", "pods"])
async def test_what_cannot_be_asked_counts_as_need(cannot: str) -> None:
    """Loading a module is gentle, and before 1.14 it was always needed."""
    setup, cluster = FakeSetup(), FakeCluster()
    setup.faults[cannot] = cluster.faults[cannot] = TargetIll("API", "refused")

    assert await FlannelNeed(setup, cluster)()


async def test_a_module_that_is_there_asks_nobody() -> None:
    """Nor does a missing vxlan, without which flannel has no tunnel at all."""
    setup, cluster = FakeSetup(), FakeCluster()
    for bridge, vxlan in ((True, True), (True, False), (False, False)):
        guest = FakeGuest(replace(WELL, bridge_netfilter=bridge, vxlan=vxlan))
        await KernelProbe(guest, FlannelNeed(setup, cluster)).look()

    assert ([], []) == (setup.calls, cluster.calls)


@pytest.mark.parametrize("fault", [TargetIll("ssh", "refused"), CannotLook("ssh", "not found")])
async def test_an_unreachable_vm_tells_nothing_of_its_kernel(fault: Exception) -> None:
    """A VM that does not answer is ssh's illness, not the kernel's."""
    guest = FakeGuest()
    guest.faults["facts"] = fault

    seen = await KernelProbe(guest).look()

    assert ((), str(fault)) == (seen.findings, seen.unknown)

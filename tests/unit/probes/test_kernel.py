"""The VM's kernel modules."""

from dataclasses import replace

import pytest

from healer.core.reasons import Reason
from healer.ports import CannotLook, TargetIll
from healer.probes.kernel import KernelProbe
from tests.fakes.guest import WELL, FakeGuest


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


@pytest.mark.parametrize("fault", [TargetIll("ssh", "refused"), CannotLook("ssh", "not found")])
async def test_an_unreachable_vm_tells_nothing_of_its_kernel(fault: Exception) -> None:
    """A VM that does not answer is ssh's illness, not the kernel's."""
    guest = FakeGuest()
    guest.faults["facts"] = fault

    seen = await KernelProbe(guest).look()

    assert ((), str(fault)) == (seen.findings, seen.unknown)

"""The VM's kernel modules, loaded."""

from dataclasses import replace

import pytest

from healer.core.ladders import Remedy
from healer.core.reasons import Reason
from healer.ports import ActFailed, CannotLook, TargetIll
from healer.remedies.kernel import LoadModules
from tests.fakes.guest import WELL, FakeGuest
from tests.unit.remedies.night import act_of, die_in, heal

ACT = act_of(Remedy.LOAD_MODULES, Reason.BR_NETFILTER_MISSING)
BARE = replace(WELL, bridge_netfilter=False, persisted=False)


async def test_missing_modules_are_loaded_once() -> None:
    """They are loaded and kept, and the second time there is nothing to do."""
    guest = FakeGuest(BARE)
    remedy = LoadModules(guest, guest)

    assert "loaded br_netfilter and vxlan" == await heal(remedy, ACT)
    assert "both modules are loaded" == await heal(remedy, ACT)
    assert ["load_modules"] == guest.acts


async def test_a_load_that_was_killed_is_done_again() -> None:
    """Modprobe twice is modprobe once."""
    guest = FakeGuest(BARE)
    remedy = LoadModules(guest, guest)
    await die_in(guest, "load_modules", lambda: remedy.act(ACT))

    assert "loaded br_netfilter and vxlan" == await heal(remedy, ACT)


@pytest.mark.parametrize("fault", [TargetIll("ssh", "refused"), CannotLook("ssh", "not found")])
async def test_a_vm_that_cannot_be_asked_is_left_alone(fault: Exception) -> None:
    """Without the VM's word nothing is loaded."""
    guest = FakeGuest(BARE)
    guest.faults["facts"] = fault

    with pytest.raises(type(fault)):
        await heal(LoadModules(guest, guest), ACT)
    assert [] == guest.acts


async def test_a_look_that_hangs_loads_nothing() -> None:
    """The engine ends it from outside."""
    guest = FakeGuest(BARE)

    await die_in(guest, "facts", lambda: LoadModules(guest, guest).needed(ACT))

    assert [] == guest.acts


async def test_a_kernel_without_the_module_is_told() -> None:
    """Modprobe's own words come out."""
    guest = FakeGuest(BARE)
    guest.faults["load_modules"] = ActFailed("modprobe", "FATAL: Module vxlan not found")

    with pytest.raises(ActFailed, match="Module vxlan not found"):
        await heal(LoadModules(guest, guest), ACT)

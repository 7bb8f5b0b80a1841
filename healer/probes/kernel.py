"""The VM's kernel modules that flannel uses."""

from collections.abc import Awaitable, Callable

from healer.core.observation import Finding, Observation
from healer.core.reasons import Reason
from healer.core.tower import Layer
from healer.model.verdicts import BRIDGE, missing_modules
from healer.ports import GuestEyes, PortError
from healer.probes.asking import ask


async def always() -> bool:
    """Without anybody to ask the module counts as needed."""
    return True


class KernelProbe:
    """Looks at br_netfilter and vxlan; the Talos container shares the VM's kernel.

    br_netfilter stops flannel only where it uses iptables: elsewhere its absence is advice.
    """

    layer = Layer.KERNEL

    def __init__(
        self, guest: GuestEyes, needs_bridge: Callable[[], Awaitable[bool]] = always
    ) -> None:
        self._guest = guest
        self._needs_bridge = needs_bridge

    async def look(self) -> Observation:
        """Look once. Modules that are there now but not at the next boot are no failure."""
        facts = await ask(self._guest.facts)
        if isinstance(facts, PortError):
            return Observation(self.layer, unknown=str(facts))
        missing = missing_modules(facts)
        kept = "kept" if facts.persisted else "not kept"
        if not missing:
            return Observation(self.layer, summary=f"both modules loaded, {kept} over a reboot")
        evidence = f"not loaded in the VM: {', '.join(missing)}; {kept} over a reboot"
        if missing == (BRIDGE,) and not await self._needs_bridge():
            unused = Finding(Reason.BR_NETFILTER_UNUSED, f"{evidence}; flannel uses nftables")
            return Observation(self.layer, (unused,), summary=f"no {BRIDGE}, and none is needed")
        return Observation(self.layer, (Finding(Reason.BR_NETFILTER_MISSING, evidence),))

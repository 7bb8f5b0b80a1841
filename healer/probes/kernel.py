"""The two kernel modules of the VM that flannel cannot do without."""

from healer.core.observation import Finding, Observation
from healer.core.reasons import Reason
from healer.core.tower import Layer
from healer.model.verdicts import missing_modules
from healer.ports import GuestEyes, PortError
from healer.probes.asking import ask


class KernelProbe:
    """Looks at br_netfilter and vxlan; the Talos container shares the VM's kernel."""

    layer = Layer.KERNEL

    def __init__(self, guest: GuestEyes) -> None:
        self._guest = guest

    async def look(self) -> Observation:
        """Look once. Modules that are there now but not at the next boot are not ill."""
        facts = await ask(self._guest.facts)
        if isinstance(facts, PortError):
            return Observation(self.layer, unknown=str(facts))
        missing = missing_modules(facts)
        kept = "kept" if facts.persisted else "not kept"
        if not missing:
            return Observation(self.layer, summary=f"both modules loaded, {kept} over a reboot")
        evidence = f"not loaded in the VM: {', '.join(missing)}; {kept} over a reboot"
        return Observation(self.layer, (Finding(Reason.BR_NETFILTER_MISSING, evidence),))

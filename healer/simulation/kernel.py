"""The VM's kernel, which the Talos container shares."""

from dataclasses import dataclass


@dataclass(slots=True)
class Kernel:
    """The two modules that flannel cannot do without."""

    loaded: bool = False
    """br_netfilter and vxlan; dockerd loads neither since 27.3 (facts/colima.md §8)."""
    persisted: bool = False
    """Named in /etc/modules-load.d/: loaded at each boot."""

    def boot(self) -> None:
        """Only what is persisted comes back."""
        self.loaded = self.persisted

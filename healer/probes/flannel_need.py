"""Whether flannel cannot do without br_netfilter here."""

from healer.model.cluster import Pod
from healer.model.flannel import BRIDGE_WORD, crashed, pods_of
from healer.ports import ClusterEyes, PortError, SetupEyes
from healer.probes.asking import ask


class FlannelNeed:
    """Asked only while the module is missing: by flannel's configuration, then by its own words.

    What cannot be asked counts as need: the module was always needed before, and loading it is a
    gentle remedy.
    """

    def __init__(self, setup: SetupEyes, cluster: ClusterEyes) -> None:
        self._setup = setup
        self._cluster = cluster

    async def __call__(self) -> bool:
        """Whether a missing module stops flannel."""
        found = await ask(self._cluster.flannel)
        if isinstance(found, PortError) or not found.items:
            return True
        network = await ask(lambda: self._setup.flannel_network(found.items[0]))
        if isinstance(network, PortError) or network.needs_br_netfilter:
            return True
        pods = await ask(self._cluster.pods)
        if isinstance(pods, PortError):
            return True
        for pod in pods_of(found.items[0], pods.items):
            if crashed(pod) and await self._names_it(pod, network.container):
                return True
        return False

    async def _names_it(self, pod: Pod, container: str) -> bool:
        """Whether its last run ended for want of the module; a log that is not had names none."""
        said = await ask(lambda: self._setup.last_words(pod, container))
        return isinstance(said, str) and BRIDGE_WORD in said

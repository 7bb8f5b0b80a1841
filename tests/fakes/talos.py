"""Talos' own settings, as a test gave them."""

from healer.model.talos_config import TalosConfig, talos_config
from tests.fakes.faulty import Faulty

OLD = talos_config([{"machine": {}, "cluster": {}}])
NEW = talos_config(
    [
        {"machine": {}, "cluster": {}},
        {"kind": "KubeNodeConfig", "taints": {"node-role.kubernetes.io/control-plane": ""}},
        {"kind": "KubeAPIServerConfig"},
    ]
)


class FakeTalos(Faulty):
    """Implements TalosEyes."""

    def __init__(self, config: TalosConfig = OLD) -> None:
        super().__init__()
        self.config = config

    async def machine_config(self) -> TalosConfig:
        """As given."""
        await self.meet("machine_config")
        return self.config

"""Talos' machine config as it is in force, by talosctl: read, judged, and never kept or shown."""

from dataclasses import dataclass
from pathlib import Path

import yaml

from healer.adapters.cluster_tools import ClusterTools
from healer.model.talos_config import TalosConfig, talos_config
from healer.plans.container import NotUnderstood
from healer.plans.reading import get_machine_config
from healer.ports import CannotLook, EngineEyes, TargetIll

_PLACE = "talosctl get machineconfig"


@dataclass(frozen=True, slots=True)
class TalosMachine:
    """ports.TalosEyes over the port that Docker publishes for Talos' own API."""

    tools: ClusterTools
    talosconfig: Path
    engine: EngineEyes
    talos_port: int

    async def machine_config(self) -> TalosConfig:
        """Of the one node. Raises NotThere, CannotLook, TargetIll, TargetSilent."""
        container = await self.engine.container()
        port = container.host_port(self.talos_port)
        if port is None:
            raise CannotLook("talosctl", f"docker names no port for {self.talos_port}/tcp")
        node = next(iter(container.addresses), "127.0.0.1")
        said = await self.tools.ask(get_machine_config(self.talosconfig, port, node))
        try:
            return config_in(text_in(said))
        except NotUnderstood as error:
            raise TargetIll(_PLACE, str(error)) from None


def text_in(said: str) -> str:
    """The config itself in talosctl's answer, keys and all. Raises NotUnderstood."""
    try:
        resource = yaml.safe_load(said)
    except (yaml.YAMLError, RecursionError):
        # Not chained: a YAML error quotes the line, which may hold a key.
        raise NotUnderstood(f"{_PLACE}: the answer is no YAML") from None
    text = resource.get("spec") if isinstance(resource, dict) else None
    if not isinstance(text, str):
        raise NotUnderstood(f"{_PLACE}: the answer holds no machine config")
    config_in(text)
    return text


def config_in(text: str) -> TalosConfig:
    """All its documents. Raises NotUnderstood."""
    try:
        return talos_config(yaml.safe_load_all(text))
    except (ValueError, yaml.YAMLError, RecursionError):
        raise NotUnderstood(f"{_PLACE}: the answer holds no machine config") from None

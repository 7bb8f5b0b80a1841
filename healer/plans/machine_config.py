"""The part of a machine config that a new cluster must be told, and that holds no secret."""

import re
from collections.abc import Iterable
from typing import Any, Final

from healer.model.talos_config import (
    ADMISSION,
    NODE,
    SYSCTLS,
    TalosConfig,
    api_server_range,
    document,
    no_taint,
    table,
)

Json = Any
"""Whatever YAML can hold."""
_DEFAULT_LOW: Final = 30_000
_LAST_NODE_PORT: Final = 32_767
_VERSION: Final = re.compile(r":v(\d+)\.(\d+)")
_DOCUMENTS_SINCE: Final = (1, 14)


def has_documents(config: TalosConfig, image: str) -> bool:
    """Whether a new config of that Talos keeps Kubernetes' settings in documents of their own.

    talosctl generates what its own version knows, and it should be that of the image.
    """
    found = _VERSION.search(image)
    if found is None:
        return bool(config.of(NODE))
    return (int(found[1]), int(found[2])) >= _DOCUMENTS_SINCE


def patches_of(
    config: TalosConfig, node_ports: Iterable[int], *, documents: bool
) -> tuple[Json, ...]:
    """Config patches: what was set by hand, and what the published ports need.

    Only what is named here is taken over, since keys and tokens lie all over the rest.
    """
    chosen = port_range(config, node_ports)
    plugins, sysctls = _admission(config), _sysctls(config)
    if documents:
        return (
            no_taint(documents=True),
            *([api_server_range(chosen, documents=True)] if chosen else []),
            *(document(ADMISSION, **one) for one in plugins),
            *([document(SYSCTLS, params=sysctls)] if sysctls else []),
        )
    patch = no_taint(documents=False)
    if chosen:
        patch["cluster"] |= api_server_range(chosen, documents=False)["cluster"]
    if plugins:
        patch["cluster"].setdefault("apiServer", {})["admissionControl"] = plugins
    kept: dict[str, Json] = {"sysctls": sysctls} if sysctls else {}
    if mounts := extra_mounts(config):
        kept["kubelet"] = {"extraMounts": mounts}
    return ({**patch, "machine": kept} if kept else patch,)


def port_range(config: TalosConfig, node_ports: Iterable[int]) -> str:
    """The API server's range of node ports: the one in force, wide enough; '' = the default."""
    wanted = sorted(node_ports)
    if config.node_ports and _holds(config.node_ports, wanted):
        return config.node_ports
    if not wanted or (wanted[0] >= _DEFAULT_LOW and wanted[-1] <= _LAST_NODE_PORT):
        return ""
    return f"{min(wanted[0], _DEFAULT_LOW)}-{max(wanted[-1], _LAST_NODE_PORT)}"


def extra_mounts(config: TalosConfig) -> list[Json]:
    """The kubelet's own mounts, for which the documents of 1.14 have no place."""
    mounts = table(table(config.legacy, "machine"), "kubelet").get("extraMounts")
    return mounts if isinstance(mounts, list) else []


def _admission(config: TalosConfig) -> list[Json]:
    found = table(table(config.legacy, "cluster"), "apiServer").get("admissionControl")
    listed = found if isinstance(found, list) else []
    return [
        {"name": one["name"], "configuration": one.get("configuration", {})}
        for one in (*listed, *config.all_of(ADMISSION))
        if isinstance(one, dict) and "name" in one
    ]


def _sysctls(config: TalosConfig) -> dict[str, Json]:
    return table(table(config.legacy, "machine"), "sysctls") | table(config.of(SYSCTLS), "params")


def _holds(given: str, wanted: list[int]) -> bool:
    low, _, high = given.partition("-")
    if not (low.isdigit() and high.isdigit()):
        return False
    return all(int(low) <= one <= int(high) for one in wanted)

"""The part of a machine config that a new cluster must be told, and that holds no secret."""

from collections.abc import Iterable
from typing import Any, Final

Json = Any
"""Whatever YAML can hold."""
_DEFAULT_LOW: Final = 30_000
_LAST_NODE_PORT: Final = 32_767
RANGE: Final = "service-node-port-range"


def patch_of(config: Json, node_ports: Iterable[int]) -> Json:
    """A config patch: what was set by hand, and what the published ports need.

    Only what is named here is taken over, since keys and tokens lie all over the rest.
    """
    machine, cluster = _table(config, "machine"), _table(config, "cluster")
    patch: dict[str, Json] = {"cluster": {"allowSchedulingOnControlPlanes": True}}
    if chosen := port_range(config, node_ports):
        patch["cluster"]["apiServer"] = {"extraArgs": {RANGE: chosen}}
    admission = _table(cluster, "apiServer").get("admissionControl")
    if isinstance(admission, list) and admission:
        patch["cluster"].setdefault("apiServer", {})["admissionControl"] = admission
    kept = {}
    if sysctls := _table(machine, "sysctls"):
        kept["sysctls"] = sysctls
    mounts = _table(machine, "kubelet").get("extraMounts")
    if isinstance(mounts, list) and mounts:
        kept["kubelet"] = {"extraMounts": mounts}
    return {**patch, "machine": kept} if kept else patch


def port_range(config: Json, node_ports: Iterable[int]) -> str:
    """The API server's range of node ports: the one in force, wide enough; '' = the default."""
    arguments = _table(_table(_table(config, "cluster"), "apiServer"), "extraArgs")
    given = arguments.get(RANGE)
    wanted = sorted(node_ports)
    if isinstance(given, str) and _holds(given, wanted):
        return given
    if not wanted or (wanted[0] >= _DEFAULT_LOW and wanted[-1] <= _LAST_NODE_PORT):
        return ""
    return f"{min(wanted[0], _DEFAULT_LOW)}-{max(wanted[-1], _LAST_NODE_PORT)}"


def kubernetes_version(config: Json) -> str:
    """`1.35.0`, from the kubelet's image; '' = it does not say."""
    image = _table(_table(config, "machine"), "kubelet").get("image")
    _, _, tag = str(image or "").rpartition(":")
    version = tag.partition("@")[0].removeprefix("v")
    return version if version and all(one.isdigit() for one in version.split(".")) else ""


def modules_in_vain(config: Json) -> bool:
    """Whether it asks for kernel modules, which Talos in a container never loads."""
    return bool(_table(_table(config, "machine"), "kernel").get("modules"))


def _holds(given: str, wanted: list[int]) -> bool:
    low, _, high = given.partition("-")
    if not (low.isdigit() and high.isdigit()):
        return False
    return all(int(low) <= one <= int(high) for one in wanted)


def _table(holder: Json, key: str) -> dict[str, Json]:
    inner = holder.get(key) if isinstance(holder, dict) else None
    return inner if isinstance(inner, dict) else {}

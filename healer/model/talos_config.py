"""Talos' machine config, as far as healer may know it: its form and a few values, never a key.

Talos 1.14 keeps Kubernetes' settings in documents of their own beside the v1alpha1 one, and
rejects a setting that stands in both places. A cluster that was upgraded keeps the old form, so
the config itself is read to tell which words work.
"""

import json
import shlex
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from healer.model.cluster import CONTROL_PLANE_TAINT

Json = Any
"""Whatever YAML can hold."""
NODE: Final = "KubeNodeConfig"
KUBELET: Final = "KubeletConfig"
API_SERVER: Final = "KubeAPIServerConfig"
ADMISSION: Final = "KubeAdmissionControlConfig"
SYSCTLS: Final = "SysctlConfig"
MODULE: Final = "KernelModuleConfig"
RANGE: Final = "service-node-port-range"
_TALOSCTL: Final = "talosctl -n 10.5.0.2 patch mc --mode=no-reboot -p"


@dataclass(frozen=True, slots=True)
class TalosConfig:
    """A machine config; `repr` shows nothing of it, since keys lie all over."""

    documents: tuple[Json, ...] = ()

    def __repr__(self) -> str:
        """The kinds of its documents."""
        return f"TalosConfig({', '.join(self.kinds) or 'v1alpha1'})"

    @property
    def legacy(self) -> dict[str, Json]:
        """The v1alpha1 document, which has no kind."""
        return next((one for one in self.documents if _is_legacy(one)), {})

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of the documents beside it, in their order."""
        return tuple(str(one["kind"]) for one in self.documents if "kind" in one)

    def all_of(self, kind: str) -> list[dict[str, Json]]:
        """The documents of a kind."""
        return [one for one in self.documents if one.get("kind") == kind]

    def of(self, kind: str) -> dict[str, Json]:
        """The document of a kind; {} = there is none."""
        return next(iter(self.all_of(kind)), {})

    @property
    def wants_taint(self) -> bool:
        """Whether Talos puts the control-plane taint on the node at each start."""
        if node := self.of(NODE):
            return CONTROL_PLANE_TAINT in table(node, "taints")
        cluster = table(self.legacy, "cluster")
        allowed = ("allowSchedulingOnControlPlanes", "allowSchedulingOnMasters")
        return not any(cluster.get(one) is True for one in allowed)

    @property
    def node_ports(self) -> str:
        """The range that the API server is told; '' = its own default."""
        holder = self.of(API_SERVER) or table(table(self.legacy, "cluster"), "apiServer")
        given = table(holder, "extraArgs").get(RANGE)
        if isinstance(given, list) and given:
            given = given[-1]
        return given if isinstance(given, str) else ""

    @property
    def kubernetes(self) -> str:
        """`1.35.0`, from the kubelet's image; '' = it does not say."""
        holder = self.of(KUBELET) or table(table(self.legacy, "machine"), "kubelet")
        _, _, tag = str(holder.get("image") or "").rpartition(":")
        version = tag.partition("@")[0].removeprefix("v")
        return version if version and all(one.isdigit() for one in version.split(".")) else ""

    @property
    def modules(self) -> bool:
        """Whether it asks for kernel modules, which Talos in a container never loads."""
        kernel = table(table(self.legacy, "machine"), "kernel")
        return bool(kernel.get("modules") or self.all_of(MODULE))


def talos_config(documents: Iterable[Json]) -> TalosConfig:
    """From its decoded documents; raises ValueError when no v1alpha1 one is among them."""
    found = TalosConfig(tuple(one for one in documents if isinstance(one, dict)))
    if not found.legacy:
        raise ValueError("no v1alpha1 document")
    return found


def no_taint(*, documents: bool) -> Json:
    """The patch after which Talos sets no control-plane taint."""
    if documents:
        return document(NODE, taints={CONTROL_PLANE_TAINT: {"$patch": "delete"}})
    return {"cluster": {"allowSchedulingOnControlPlanes": True}}


def api_server_range(chosen: str, *, documents: bool) -> Json:
    """The patch that sets the range of NodePorts."""
    arguments = {"extraArgs": {RANGE: chosen}}
    return document(API_SERVER, **arguments) if documents else {"cluster": {"apiServer": arguments}}


def document(kind: str, **fields: Json) -> Json:
    """A document of that kind."""
    return {"apiVersion": "v1alpha1", "kind": kind, **fields}


def command(patch: Json) -> str:
    """What a human types to apply a patch to the running node."""
    return f"{_TALOSCTL} {shlex.quote(json.dumps(patch, separators=(',', ':')))}"


def either(old: Json, new: Json, kind: str) -> str:
    """Both commands, for a config that could not be read."""
    return (
        f"{command(old)}; a machine config that Talos 1.14 or newer generated has a {kind}, and "
        f"takes instead: {command(new)}"
    )


def table(holder: Json, key: str) -> dict[str, Json]:
    """A table in a table; {} for anything else."""
    inner = holder.get(key) if isinstance(holder, dict) else None
    return inner if isinstance(inner, dict) else {}


def _is_legacy(one: Json) -> bool:
    return "kind" not in one and ("machine" in one or "cluster" in one)

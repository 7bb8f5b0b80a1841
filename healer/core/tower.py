"""The storeys of the tower, and which of them each one stands on."""

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Final

from healer.core.word import Word


class Layer(Word):
    """One storey of the tower, in the order in which a person reads it: lowest first."""

    HOST = "host"
    COLIMA = "colima"
    SSH = "ssh"
    DOCKER = "docker"
    KERNEL = "kernel"
    TALOS = "talos"
    APISERVER = "apiserver"
    NODE = "node"
    FLANNEL = "flannel"
    PODS = "pods"
    LIVEKIT = "livekit"
    SERVICES = "services"
    LAUNCHD = "launchd"


LAYERS: Final = tuple(Layer)
"""All of them, lowest first; to go through an enum itself costs ten times as much."""

NEEDS: Final[Mapping[Layer, tuple[Layer, ...]]] = MappingProxyType(
    {
        Layer.HOST: (),
        Layer.COLIMA: (Layer.HOST,),
        Layer.SSH: (Layer.COLIMA,),
        Layer.DOCKER: (Layer.COLIMA,),
        Layer.KERNEL: (Layer.SSH,),
        Layer.TALOS: (Layer.DOCKER,),
        Layer.APISERVER: (Layer.TALOS,),
        Layer.NODE: (Layer.APISERVER,),
        Layer.FLANNEL: (Layer.NODE, Layer.KERNEL),
        Layer.PODS: (Layer.FLANNEL,),
        Layer.LIVEKIT: (Layer.PODS,),
        Layer.SERVICES: (Layer.PODS, Layer.DOCKER),
        Layer.LAUNCHD: (Layer.HOST,),
    }
)
"""A layer cannot be judged or repaired while one that it needs is confirmed ill."""


@cache
def below(layer: Layer) -> tuple[Layer, ...]:
    """Every layer that `layer` stands on, directly or not, lowest first."""
    found: set[Layer] = set()
    todo = list(NEEDS[layer])
    while todo:
        one = todo.pop()
        if one not in found:
            found.add(one)
            todo.extend(NEEDS[one])
    return tuple(one for one in LAYERS if one in found)


@cache
def above(layer: Layer) -> tuple[Layer, ...]:
    """Every layer that stands on `layer`, directly or not, lowest first."""
    return tuple(one for one in LAYERS if layer in below(one))

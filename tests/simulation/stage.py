"""A simulated tower on a clock that a test turns by hand."""

from collections.abc import Callable
from random import Random

from healer.core.tower import Layer
from healer.model.machine import Forwarder
from healer.simulation.happenings import HAPPENINGS, Value, healthy_tower
from healer.simulation.workloads import Workload


class Stage:
    """A tower that has been well for an hour."""

    def __init__(self, seed: int = 0, forwarder: Forwarder = Forwarder.GRPC) -> None:
        self.awake = 0.0
        self.tower = healthy_tower(lambda: self.awake, Random(seed), forwarder)

    def befall(self, name: str, **parameters: Value) -> "Stage":
        """Let something happen now."""
        HAPPENINGS[name].befall(self.tower, **parameters)
        return self

    def wait(self, seconds: float) -> "Stage":
        """Let time go by."""
        self.awake += seconds
        self.tower.now()
        return self

    def ill(self) -> set[Layer]:
        """Layers that are truly ill."""
        return set(Layer) - set(self.tower.truth(self.tower.now()))

    def pod(self, name: str) -> Workload:
        """A workload and its pod."""
        return self.tower.cluster.kubelet.named(name)

    def seconds_until(self, holds: Callable[[], bool], most: float = 900.0) -> float:
        """How long it takes until that holds, in steps of a tenth."""
        began = self.awake
        while not holds():
            self.wait(0.1)
            assert self.awake - began < most, "it never came to hold"
        return self.awake - began

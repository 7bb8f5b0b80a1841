"""What a layer above the API server may say when the API could not be asked: nothing."""

from healer.core.observation import Observation
from healer.core.tower import Layer
from healer.ports import Denied, PortError, TargetIll


def unseen(layer: Layer, error: PortError) -> Observation:
    """That the layer was not seen, and why; the API's own illness is its own layer's finding."""
    if isinstance(error, TargetIll):
        return Observation(layer, unknown=f"the API did not answer: {error}")
    if isinstance(error, Denied):
        return Observation(layer, unknown=f"the API refused us: {error}")
    return Observation(layer, unknown=str(error))

"""What healer ships for other programs, as they read it: alert rules and a dashboard.

Data only, no code but the reading of it: `healer export` prints these files, and the
tests hold them against the metrics that the daemon really serves. Nothing of this cluster's own
may stand in them.
"""

from importlib.resources import files

from healer.core.tower import Layer

RULES = "rules.yaml"
DASHBOARD = "dashboard.json"


def text(name: str) -> str:
    """One of the files, with the number of layers where it says `@LAYERS@`."""
    written = files(__name__).joinpath(name).read_text(encoding="utf-8")
    return written.replace("@LAYERS@", str(len(Layer)))

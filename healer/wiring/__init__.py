"""The one place that knows every part by name, and hands each what it needs.

`parts` joins probes, remedies and engine over any outside; `real` makes the outside of this Mac
from the adapters, `simulated` that of a drill. Nothing is decided, asked or done here.
"""

"""How long a test waits for what should come at once."""

from typing import Final

PATIENCE: Final = 300.0
"""Seconds: it ends a test that hangs, and says nothing of speed; machines may be very busy."""

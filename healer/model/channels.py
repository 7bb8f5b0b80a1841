"""The ways to a human by name; alone, since the command line must know them and be quick."""

from typing import Final

CHANNELS: Final = ("command", "webhook", "desktop", "dead_man")
"""The closed list of ways to a human; `dead_man` carries no notice, only its ping."""

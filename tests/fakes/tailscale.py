"""The stand-in `tailscale` as a tool on a PATH, and what it is made to say."""

import json
import shlex
import sys
from pathlib import Path
from typing import Any

STANDIN = Path(__file__).parents[1] / "standin" / "tailscale.py"
HOST = "panda.example.ts.net:443"
WORKER = "http://127.0.0.1:3111"


class Tailscale:
    """Writes its state; every call reads it anew."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._state = folder / "tailscale.json"
        self.tool = folder / "tailscale"
        words = shlex.join((sys.executable, str(STANDIN), str(self._state)))
        self.tool.write_text(f'#!/bin/sh\nexec {words} "$@"\n')
        self.tool.chmod(0o755)
        self.serve(WORKER)

    def serve(self, target: str, *, public: bool = True) -> None:
        """As `tailscale funnel --bg` or `tailscale serve --bg` leave it behind."""
        config: dict[str, Any] = {
            "TCP": {"443": {"HTTPS": True}},
            "Web": {HOST: {"Handlers": {"/": {"Proxy": target}}}},
        }
        self.say(config={**config, "AllowFunnel": {HOST: True}} if public else config)

    def say(self, **state: Any) -> None:  # noqa: ANN401  (the stand-in's own words)
        """Anything else."""
        self._state.write_text(json.dumps(state))

"""A stand-in for `tailscale`: `funnel status --json` as the real one, and each way to fail.

Called as `tailscale.py STATE.json funnel status --json`. STATE holds `config`, tailscaled's
ServeConfig, and a `mood`: `hang`, `down` (tailscaled is not there), `garbage`, `deep`, `huge`.
Whatever else it is asked it refuses with a code of its own: healer must never ask it.

Like the app's own binary it is a command only when its environment says so; without, it starts the
window, says nothing and stays.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

ASKED_ELSE = 99
DOWN = "failed to connect to local Tailscale service; is Tailscale running?\n"


def main() -> int:
    """Answer one call."""
    if not ("TAILSCALE_BE_CLI" in os.environ and "SHLVL" in os.environ):
        time.sleep(600)
    state = json.loads(Path(sys.argv[1]).read_text())
    if sys.argv[2:] != ["funnel", "status", "--json"]:
        return ASKED_ELSE
    mood = state.get("mood", "")
    if mood == "hang":
        time.sleep(600)
    if mood == "down":
        sys.stderr.write(DOWN)
        return 1
    told = {
        "garbage": "\x00No serve config",
        "deep": "[" * 100_000,
        "huge": '{"Web": "' + "x" * (1 << 20) + '"}',
    }
    sys.stdout.write(told.get(mood) or json.dumps(state["config"], indent=2) + "\n")
    return 0


sys.exit(main())

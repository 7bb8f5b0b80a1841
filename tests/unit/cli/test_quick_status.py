"""`healer status` must be there in a tenth of a second (design §9), so it may import little."""

import subprocess
import sys

from tests.unit.cli.command import Machine
from tests.unit.serving.daemons import Canned

MAY = {
    "healer",
    "healer.cli",
    "healer.cli.asking",
    "healer.cli.parser",
    "healer.cli.status",
    "healer.cli.sudo",
    "healer.cli.talking",
    "healer.core",
    "healer.core.tower",
    "healer.core.word",
    "healer.files",
    "healer.model",
    "healer.model.channels",
    "healer.model.whereabouts",
    "healer.serving",
    "healer.serving.protocol",
    "healer.telemetry",
    "healer.telemetry.spelling",
    "healer.telemetry.status_text",
    "healer.toml",
}
NEVER = {"anyio", "asyncio", "aiohttp", "aiodocker", "dataclasses", "kubernetes_asyncio", "sqlite3"}


def test_status_of_a_running_daemon_imports_almost_nothing(machine: Machine) -> None:
    """Of ours what it needs, of others the small part of the standard library."""
    with Canned(machine.home / ".local/state/healer/control.sock"):
        script = (
            "import sys, healer.cli\n"
            "code = healer.cli.main(['status'])\n"
            "print('MODULES', *sys.modules)\n"
            "sys.exit(code)"
        )
        ran = subprocess.run(
            [sys.executable, "-c", script],
            env=machine.environment(),
            capture_output=True,
            text=True,
            check=True,
        )
    loaded = set(ran.stdout.rpartition("MODULES")[2].split())

    assert {one for one in loaded if one.partition(".")[0] == "healer"} <= MAY
    assert set() == loaded & NEVER

"""`healer drill`: the real engine and remedies over a simulated tower, on virtual time."""

import argparse
import json
import sys
from typing import Final

import anyio

from healer.cli.talking import put, tell
from healer.core.judging import judge
from healer.core.ledger import Ledger
from healer.core.policy import Policy
from healer.engine.passing import Ended, Pass
from healer.engine.quiet import Snapshot
from healer.engine.telling import Both, Told
from healer.settings import Settings
from healer.settings.policy import policy_of
from healer.simulation.happenings import healthy_tower, mac_reboot
from healer.simulation.physics import Tower
from healer.simulation.virtual_time import run_virtually
from healer.telemetry.plain import PlainLines
from healer.telemetry.report import Report, document, report_text
from healer.wiring.parts import OurChildren, parts_of
from healer.wiring.simulated import simulated_outside

_SCENARIOS: Final = {"reboot": mac_reboot}
_ABOUT: Final = {
    "reboot": "The Mac has rebooted: the VM is off and its files are stale, the container has no "
    "restart policy,\nthe kernel module was never persisted, and LiveKit's probes were just reset "
    "by a chart upgrade.",
}
_DEADLINE: Final = 1200.0


class Timeline:
    """What really happened and what healer did about it, in the order of virtual time."""

    def __init__(self, tower: Tower) -> None:
        self._tower = tower
        self._printed = 0
        self._lines = PlainLines(put)

    def told(self, told: Told) -> None:
        """Print what the world did since the last step, then what was decided."""
        for one in self._tower.happened[self._printed :]:
            put(f"{one.at:7.1f} s  . . . {one.what}")
        self._printed = len(self._tower.happened)
        self._lines.told(told)


def drill(arguments: argparse.Namespace) -> int:
    """Run a scenario and print its timeline; the exit code is the pass's own."""
    report = Report()
    policy = policy_of(Settings(), run="drill", one_pass=True)
    if not arguments.json:
        tell(_ABOUT[arguments.scenario] + "\n")
    ended = run_virtually(lambda: _drilled(arguments, report, policy))
    judged = judge(ended.world, report.now, policy)
    if arguments.json:
        told = document(report, ended.world, judged, exit_code=ended.exit_code, dry_run=False)
        sys.stdout.write(json.dumps(told, indent=2) + "\n")
        return ended.exit_code
    verdict = "the tower is well again" if ended.exit_code == 0 else "the tower is not well"
    put("")
    put(report_text(report, ended.world, judged, verdict, dry_run=False))
    return ended.exit_code


async def _drilled(arguments: argparse.Namespace, report: Report, policy: Policy) -> Ended:
    tower = healthy_tower(anyio.current_time)
    _SCENARIOS[arguments.scenario](tower)
    listener = report if arguments.json else Both(report, Timeline(tower))
    journal = Snapshot(Ledger())
    outside = simulated_outside(tower)
    parts = parts_of(outside, Settings(), journal, listener, OurChildren(journal))
    return await Pass(parts, policy).run(_DEADLINE)

"""A whole tower for tests: the virtual Mac, and the real Kubernetes in its VM's Docker."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tests.lab.kubernetes.faults import Faults
from tests.lab.kubernetes.node import NAME, Node, eventually

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.lab.virtual.mac import Mac

REPOSITORY: Final = Path(__file__).parents[3]
PASS_DEADLINE: Final = 420.0
"""Seconds for one pass under test; past them something hangs."""


@dataclass(frozen=True, slots=True)
class Ran:
    """One run of healer as a person's command."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        """What `--json` printed."""
        found: dict[str, Any] = json.loads(self.out)
        return found

    @property
    def remedies(self) -> list[str]:
        """The remedies that were begun, in their order."""
        return [one["remedy"] for one in self.document["acts"]]


@dataclass(slots=True)
class Tower:
    """The Mac, its node, and healer at the keyboard."""

    mac: Mac
    node: Node

    @property
    def faults(self) -> Faults:
        """The hand that breaks the cluster; asked anew, since each boot has its own /run."""
        return Faults(self.node, self.mac.guest_flags)

    def build(self) -> None:
        """Make the node in the VM, with its workloads."""
        self.node.create()
        self.node.deploy()
        self.node.wait_ready()

    def healer(
        self, *words: str, deadline: float = PASS_DEADLINE, program: Sequence[str] = ("healer",)
    ) -> Ran:
        """Run `healer`, or another module before its words, as a subprocess on this Mac."""
        done = subprocess.run(
            [sys.executable, "-m", *program, *words],
            check=False,
            capture_output=True,
            text=True,
            timeout=deadline,
            stdin=subprocess.DEVNULL,
            cwd=REPOSITORY,
            env={**self.mac.environment, "HEALER_LIVEKIT_WHEN": "not_ready"},
        )
        return Ran(done.returncode, done.stdout, done.stderr)

    def heal(self) -> Ran:
        """One pass, told as a document."""
        return self.healer("--once", "--json")

    def mend(self) -> None:
        """Every layer well, as a careful human leaves it, and healer's memory empty."""
        self.mac.pretend_nothing()
        self.mac.thaw_guest()
        self.mac.cont_mux()
        if not self.mac._is_well():
            self.mac.kill_everything()
            instance = self.mac.layout.instance
            for file in (*instance.glob("*.pid"), *instance.glob("*.sock")):
                file.unlink()
            self.mac.start_vm()
        # The flag that the node's lab sets is only a mark: the VM's own modprobe comes first.
        self.mac.guest(["modprobe", "br_netfilter", "vxlan"])
        self.mac.docker(["update", "--restart", "unless-stopped", NAME])
        self.faults.mend()
        self.faults.untaint_if_tainted()
        eventually("LiveKit is available", self.faults.livekit_available)
        shutil.rmtree(self.mac.home / ".local", ignore_errors=True)
        self.mac.forget_calls()

    def fingerprint(self) -> dict[str, Any]:
        """What a run that changes nothing must leave as it was."""
        inspected = json.loads(self.mac.docker(["inspect", NAME]))[0]
        objects = {
            path: [
                (one["metadata"]["name"], one["metadata"]["uid"], one.get("spec"))
                for one in self.node.object(path)["items"]
            ]
            for path in ("/apis/apps/v1/deployments", "/apis/apps/v1/daemonsets", "/api/v1/nodes")
        }
        pods = sorted(one["metadata"]["uid"] for one in self.node.pods())
        return {
            "host": inspected["HostConfig"],
            "started": inspected["State"]["StartedAt"],
            "objects": objects,
            "pods": pods,
            "files": sorted(
                str(path) for path in self.mac.home.rglob("*") if "ssh-" not in path.name
            ),
        }

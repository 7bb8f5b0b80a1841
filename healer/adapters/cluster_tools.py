"""docker, kubectl, helm and talosctl for a backup: asked with a deadline, and only to read."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from healer.adapters.process import MIB, ProcessRunner
from healer.plans.reading import only_reads
from healer.ports import CannotLook, TargetIll, TargetSilent

LARGEST: Final = 64 * MIB
"""Bytes of one answer; every object of a one-node cluster is a tenth of it."""
_REMEDIES: Final = {
    "docker": "brew install docker",
    "helm": "brew install helm",
    "kubectl": "brew install kubectl",
    "talosctl": "brew install siderolabs/tap/talosctl",
}
_NOT_PASSED: Final = frozenset(
    {
        "DOCKER_CONTEXT",
        "DOCKER_HOST",
        "HELM_DEBUG",
        "HELM_KUBEAPISERVER",
        "HELM_KUBECONTEXT",
        "HELM_NAMESPACE",
        "KUBECONFIG",
        "TALOSCONFIG",
    }
)
"""They would make the tools mean another cluster, or say more than is asked."""
_WORDS: Final = 200
"""Characters of a tool's complaint that are shown."""


class MayNotRun(Exception):
    """A command that does more than read was about to run: a fault of healer's own."""


@dataclass(frozen=True, slots=True)
class ClusterTools:
    """The four tools, found on the settings' PATH and not on the caller's."""

    runner: ProcessRunner
    path: str
    environment: Mapping[str, str]
    deadline: float
    """Seconds for one command."""

    async def ask(self, argv: list[str]) -> str:
        """What it says on stdout. Raises CannotLook, TargetIll, TargetSilent; none quotes it.

        A tool's answer may be full of secrets, so only its complaint on stderr is ever shown.
        """
        if not only_reads(argv):
            raise MayNotRun(" ".join(argv[:3]))
        name = argv[0]
        tool = shutil.which(name, path=self.path)
        if tool is None:
            remedy = _REMEDIES.get(name, "see files.path")
            raise CannotLook(name, f"not found on {self.path}; mend it: {remedy}")
        kept = {key: value for key, value in self.environment.items() if key not in _NOT_PASSED}
        env = {**kept, "PATH": self.path}
        try:
            done = await self.runner.run(
                [tool, *argv[1:]], deadline=self.deadline, env=env, limit=LARGEST
            )
        except TargetSilent:
            # Not chained: its words quote the last line said, which may be a secret.
            raise TargetSilent(name, f"had not ended after {self.deadline:g} s") from None
        if done.code:
            raise TargetIll(name, f"ended with {done.code}{_complaint(done.stderr)}")
        if done.truncated:
            raise TargetIll(name, f"answered more than {LARGEST // MIB} MiB")
        return done.stdout


def _complaint(stderr: str) -> str:
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    words = "".join(one if one.isprintable() else "?" for one in lines[-1]) if lines else ""
    return f": {words[:_WORDS]}" if words else ""

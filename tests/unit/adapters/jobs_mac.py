"""A Mac whose launchd has a few jobs, over the stand-in launchctl."""

from pathlib import Path
from typing import Any

from healer.adapters.launchctl import Launchctl
from healer.adapters.launchd_jobs import LaunchdJobs
from healer.adapters.listeners import Listeners
from healer.adapters.process import ProcessRunner
from healer.adapters.published import PublishedPorts
from tests.fakes.host import OURS, FakeHost
from tests.unit.cli.mac import Mac


class JobsMac:
    """Jobs by their label; each is loaded once."""

    def __init__(self, root: Path) -> None:
        self.mac = Mac(root)

    def jobs(self, deadline: float = 60.0) -> LaunchdJobs:
        """The adapter, with this deadline of a call in seconds."""
        runner = ProcessRunner()
        launchctl = Launchctl(
            runner, self.mac.bin / "launchctl", "/usr/bin:/bin", deadline=deadline
        )
        ports = PublishedPorts(Listeners(FakeHost(), OURS))
        return LaunchdJobs(launchctl, self.mac.uid, ports)

    def load(self, label: str, kind: str, **job: Any) -> None:  # noqa: ANN401  (the stand-in's own words)
        """Have it in that domain."""
        target = self.mac.target(label, kind)
        self.mac.say(jobs={**self.mac.launchd["jobs"], target: job})

    def change(self, label: str, **more: Any) -> None:  # noqa: ANN401  (as above)
        """Change what launchd knows of it."""
        jobs = self.mac.launchd["jobs"]
        target = self._target(label)
        self.mac.say(jobs={**jobs, target: {**jobs[target], **more}})

    def unload(self, label: str) -> None:
        """Boot it out."""
        jobs, target = self.mac.launchd["jobs"], self._target(label)
        self.mac.say(jobs={one: job for one, job in jobs.items() if one != target})

    def disable(self, label: str) -> None:
        """Switch the label off where it is loaded."""
        self.mac.say(disabled=[self._target(label)])

    def fault(self, verb: str, how: str, times: int = 1) -> None:
        """Let the next calls of a verb go wrong."""
        self.mac.say(faults=[{"verb": verb, "how": how, "left": times}])

    def _target(self, label: str) -> str:
        return next(one for one in self.mac.loaded if one.endswith(f"/{label}"))

"""A Mac as `healer install` sees it: a home, the system's library, a launchctl that keeps state."""

import json
import os
import plistlib
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.patience import PATIENCE
from tests.unit.cli.command import ROOT, Said

HEAL = "com.joel.k8s-reboot-heal"
COLIMA = "com.joel.colima"
OURS = "com.joel.healer"


Server = subprocess.Popen[str]
"""Runs commands in forks of its own; see `on_a_mac.py`."""


@dataclass
class Mac:
    """Everything lies below `root`."""

    root: Path
    uid: int = field(default_factory=os.getuid)
    settings: dict[str, Any] = field(default_factory=dict)
    """Of `on_a_mac.py`."""
    server: Server | None = None
    """Without one each command, and each launchctl, is a program of its own."""

    def __post_init__(self) -> None:
        """Have a home, a library, tools and nothing loaded."""
        self.agents.mkdir(parents=True)
        self.daemons.mkdir(parents=True)
        self.bin.mkdir()
        standin = ROOT / "tests/standin/launchctl.py"
        # -S and -I: it needs nothing of any site, and is called often.
        self._tool("launchctl", f'exec {sys.executable} -SI {standin} {self.state_file} "$@"')
        self._tool("python", f'PYTHONPATH={ROOT} exec {sys.executable} "$@"')
        config = self.home / ".config/healer/config.toml"
        config.parent.mkdir(parents=True)
        config.write_text(f'[files]\npath = ["{self.bin}", "/usr/bin", "/bin"]\n')
        domains = ["system", f"user/{self.uid}", f"gui/{self.uid}"]
        folders = {"agents": str(self.agents), "daemons": str(self.daemons)}
        self.say(domains=domains, jobs={}, disabled=[], uid=self.uid, **folders)

    @property
    def home(self) -> Path:
        """The user's home."""
        return self.root / "Users/joel"

    @property
    def agents(self) -> Path:
        """Where the user's jobs live."""
        return self.home / "Library/LaunchAgents"

    @property
    def daemons(self) -> Path:
        """Where the system's jobs live."""
        return self.root / "Library/LaunchDaemons"

    @property
    def bin(self) -> Path:
        """Where the tools are."""
        return self.root / "bin"

    @property
    def state_file(self) -> Path:
        """What launchd knows."""
        return self.root / "launchd.json"

    @property
    def aside(self) -> Path:
        """Where retired plists lie."""
        return self.home / ".local/state/healer/set-aside"

    @property
    def plist(self) -> Path:
        """healer's own."""
        return self.agents / f"{OURS}.plist"

    @property
    def launchd(self) -> dict[str, Any]:
        """What launchd knows, as a dictionary."""
        state: dict[str, Any] = json.loads(self.state_file.read_text())
        return state

    @property
    def loaded(self) -> dict[str, str]:
        """Loaded targets and their plists."""
        return {target: job.get("path", "") for target, job in self.launchd["jobs"].items()}

    def calls(self, *verbs: str) -> list[str]:
        """What launchctl was asked, in order."""
        return [" ".join(call) for call in self.launchd["calls"] if not verbs or call[0] in verbs]

    def say(self, **more: Any) -> None:  # noqa: ANN401  (the stand-in's own words)
        """Change what launchd knows."""
        before = self.launchd if self.state_file.exists() else {"calls": []}
        self.state_file.write_text(json.dumps({**before, **more}))

    def befalls(self, *what: str) -> None:
        """`@reboot`, `@login`, `@ssh`: what happens to a Mac, one after the other."""
        for one in what:
            subprocess.run([self.bin / "launchctl", one], check=True)

    def target(self, label: str, kind: str = "gui") -> str:
        """A job as launchctl names it."""
        return f"system/{label}" if kind == "system" else f"{kind}/{self.uid}/{label}"

    def old_job(self, label: str, folder: Path, *kinds: str, name: str = "") -> Path:
        """A job of the old kind, its plist there, loaded in these domains."""
        path = folder / (name or f"{label}.plist")
        job = {"Label": label, "ProgramArguments": ["/bin/sh", f"{label}.sh"], "StartInterval": 180}
        if "user" in kinds:
            job["LimitLoadToSessionType"] = "Background"
        path.write_bytes(plistlib.dumps(job))
        path.chmod(0o644)
        jobs = self.launchd["jobs"]
        for kind in kinds:
            jobs[self.target(label, kind)] = {"path": str(path), "exit_timeout": 5}
        self.say(jobs=jobs)
        return path

    def files(self) -> dict[str, bytes]:
        """Every plist and manifest, by its path below the root."""
        folders = (self.agents, self.root / "Library", self.aside)
        found = (path for folder in folders for path in folder.rglob("*"))
        return {str(one.relative_to(self.root)): one.read_bytes() for one in found if one.is_file()}

    def remember(self, copy: Path) -> None:
        """Keep everything as it is now."""
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(self.root, copy, symlinks=True)

    def recall(self, copy: Path) -> None:
        """Have everything as it was then."""
        shutil.rmtree(self.root)
        shutil.copytree(copy, self.root, symlinks=True)

    def healer(self, *arguments: str, **more: str) -> Said:
        """Run `healer` there to its end, or to its SIGKILL; a traceback is never an answer."""
        ran = self.run(*arguments, **more)
        assert "Traceback" not in ran.stderr, ran.stderr
        return Said(ran.returncode, ran.stdout, ran.stderr)

    def run(self, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
        """The same, as it ended."""
        here = {
            "library": str(self.root / "Library"),
            "python": str(self.bin / "python"),
            "deadline": 60.0,
        }
        settings = {**here, **self.settings}
        if self.server is not None:
            return self._served(self.server, arguments, settings, self.environment(more))
        file = self.root / "on_a_mac.json"
        file.write_text(json.dumps(settings))
        return subprocess.run(
            [sys.executable, str(ROOT / "tests/standin/on_a_mac.py"), str(file), *arguments],
            env=self.environment(more),
            cwd=self.root,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )

    def _served(
        self,
        server: Server,
        arguments: Sequence[str],
        settings: Mapping[str, Any],
        environment: Mapping[str, str],
    ) -> subprocess.CompletedProcess[str]:
        assert server.stdin
        assert server.stdout
        out, err = self.root / "out", self.root / "err"
        line = {
            "arguments": arguments,
            "settings": {**settings, "state": str(self.state_file)},
            "environment": environment,
            "cwd": str(self.root),
            "out": str(out),
            "err": str(err),
        }
        server.stdin.write(json.dumps(line) + "\n")
        server.stdin.flush()
        code = int(server.stdout.readline())
        return subprocess.CompletedProcess(arguments, code, out.read_text(), err.read_text())

    def environment(self, more: Mapping[str, str]) -> dict[str, str]:
        """What a login shell there would give."""
        return {"PATH": "/usr/bin:/bin", "HOME": str(self.home), "LANG": "C.UTF-8", **more}

    def _tool(self, name: str, script: str) -> None:
        tool = self.bin / name
        tool.write_text(f"#!{shutil.which('sh')}\n{script}\n")
        tool.chmod(0o755)


@contextmanager
def served() -> Iterator[Server]:
    """A server, for as long as it is wanted."""
    with subprocess.Popen(
        [sys.executable, str(ROOT / "tests/standin/on_a_mac.py")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as server:
        yield server
        assert server.stdin
        server.stdin.close()


def joels_mac(root: Path, server: Server) -> Mac:
    """One whose home belongs to joel, for root to act on behind sudo."""
    mac = Mac(root, uid=501, server=server)
    mac.settings["user"] = {"name": "joel", "uid": 501, "gid": 20, "home": str(mac.home)}
    for folder in (mac.home, mac.home / "Library", mac.agents):
        os.chown(folder, 501, 20)
    for folder in mac.home.parents[:-2]:  # joel must get through to his home
        folder.chmod(0o711)
    return mac

"""The command as its user runs it: a process of its own, with a home of its own."""

import json
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.patience import PATIENCE

ROOT = Path(__file__).parents[3]
SETTINGS = '[files]\npath = ["/nonexistent/bin"]\n'
"""A PATH that has nothing, so that the machine is as bare as a fresh one."""


@dataclass(frozen=True)
class Said:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:  # noqa: ANN401  (whatever the JSON is)
        """Its stdout, which must be one JSON document."""
        return json.loads(self.out)


@dataclass(frozen=True)
class Machine:
    """A bare machine: an empty home and no tools."""

    home: Path

    @property
    def config(self) -> Path:
        """Where its settings file is."""
        return self.home / ".config/healer/config.toml"

    def write(self, text: str) -> None:
        """Have this settings file."""
        self.config.parent.mkdir(parents=True, exist_ok=True)
        self.config.write_text(text)

    def environment(self, **more: str) -> dict[str, str]:
        """What a login shell there would give."""
        kept = {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "HOME": str(self.home)}
        return {**kept, "PYTHONPATH": str(ROOT), "LANG": "C.UTF-8", **more}

    def start(self, *arguments: str, **more: str) -> subprocess.Popen[str]:
        """Begin `healer`."""
        return subprocess.Popen(
            [sys.executable, "-m", "healer", *arguments],
            env=self.environment(**more),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=self.home,
        )

    def healer(self, *arguments: str, **more: str) -> Said:
        """Run `healer` to its end; a traceback is never an answer."""
        process = self.start(*arguments, **more)
        out, err = process.communicate(timeout=PATIENCE)
        assert "Traceback" not in err, err
        return Said(process.returncode, out, err)


def interrupt(process: subprocess.Popen[str]) -> Said:
    """Press Ctrl-C."""
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=PATIENCE)
    return Said(process.returncode, out, err)


def fake_tool(folder: Path, name: str, script: str) -> None:
    """Put a tool there."""
    folder.mkdir(parents=True, exist_ok=True)
    tool = folder / name
    tool.write_text(f"#!{shutil.which('sh')}\n{script}\n")
    tool.chmod(0o755)

"""Who may know whom: the contracts of pyproject.toml hold, and would notice if they did not."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LINT = "from importlinter.cli import lint_imports_command; lint_imports_command()"
HEAVY = ("aiodocker", "aiohttp", "asyncio", "kubernetes_asyncio", "prometheus_client", "rich")


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    """What the linter says of the package in that folder."""
    return subprocess.run(
        [sys.executable, "-c", LINT, "--no-cache"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_contracts_hold() -> None:
    """Layers, strangers and what is forbidden to whom."""
    said = lint(ROOT)

    assert 0 == said.returncode, said.stdout
    assert "0 broken" in said.stdout


@pytest.mark.parametrize(
    ("module", "line", "contract"),
    [
        ("core/machine.py", "import time", "The core is pure"),
        ("core/machine.py", "import random", "The core is pure"),
        ("core/machine.py", "import healer.model.stamps", "The core is pure"),
        ("core/machine.py", "import healer.ports", "A part knows only what lies below it"),
        ("model/stamps.py", "import subprocess", "The model is values"),
        ("plans/paper.py", "import subprocess", "Plans are pure"),
        ("plans/paper.py", "import healer.ports", "A part knows only"),
        ("probes/docker.py", "import healer.remedies.docker", "A part knows only"),
        ("remedies/docker.py", "import healer.adapters.docker", "A part knows only"),
        ("adapters/docker.py", "import healer.probes.docker", "A part knows only"),
        ("engine/passing.py", "import healer.probes.docker", "A part knows only"),
        ("engine/passing.py", "import healer.telemetry.report", "A part knows only"),
        ("settings/tree.py", "import healer.adapters.lock", "A part knows only"),
        ("probes/docker.py", "import subprocess", "Probes, remedies, engine, notices and sim"),
        ("telemetry/report.py", "import healer.adapters.lock", "Telemetry and notices are told"),
        ("notices/service.py", "import healer.adapters.lock", "Telemetry and notices are told"),
        ("notices/service.py", "import socket", "Probes, remedies, engine, notices and sim"),
        ("settings/tree.py", "import anyio", "Settings and journal cost no library"),
        ("adapters/journal.py", "import anyio", "Settings and journal cost no library"),
        (
            "adapters/ssh.py",
            "import aiodocker",
            "Each client library is known to the adapters of its own part",
        ),
    ],
)
def test_a_seeded_violation_is_noticed(
    tmp_path: Path, module: str, line: str, contract: str
) -> None:
    """Each contract fails on the import that it is there for."""
    shutil.copytree(ROOT / "healer", tmp_path / "healer", ignore=_compiled)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    with (tmp_path / "healer" / module).open("a") as file:
        file.write(f"\n{line}\n")
    said = lint(tmp_path)

    assert 1 == said.returncode
    broken = [one for one in said.stdout.splitlines() if " BROKEN" in one]
    assert any(one.startswith(contract) for one in broken), said.stdout


def _compiled(folder: str, names: list[str]) -> list[str]:
    del folder
    return [one for one in names if one == "__pycache__"]


def test_kubernetes_asyncio_is_named_by_its_adapter_only() -> None:
    """It is imported by name, which no import linter can see."""
    found = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "healer").rglob("*.py")
        if "kubernetes_asyncio" in path.read_text(encoding="utf-8")
    }

    assert found
    assert all(one.startswith("healer/adapters/kubernetes") for one in found)


@pytest.mark.parametrize(
    "modules",
    [
        "healer.settings, healer.settings.policy, healer.settings.showing, healer.settings.places",
        "healer.adapters.journal, healer.adapters.lock",
        "healer.cli.parser",
    ],
)
def test_a_quick_command_pays_for_no_library(modules: str) -> None:
    """What every command imports leaves the client libraries and the event loop alone."""
    loaded = subprocess.run(
        [sys.executable, "-c", f"import sys, {modules}; print(*sys.modules)"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()

    assert "healer" in loaded
    assert [] == [one for one in HEAVY if one in loaded]


def test_the_command_line_pays_for_no_client_library() -> None:
    """`import healer.cli` itself: a command imports what it needs when it runs."""
    loaded = subprocess.run(
        [sys.executable, "-c", "import sys, healer.cli; print(*sys.modules)"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()

    assert "healer.cli" in loaded
    assert [] == [one for one in HEAVY if one in loaded]

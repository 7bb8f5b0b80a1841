"""Wrong words, quick commands, and who goes away while being talked to."""

import os
import subprocess
import sys

import pytest

from healer import __version__
from healer.core.tower import Layer
from tests.unit.cli.command import Machine

HEAVY = ("aiodocker", "aiohttp", "kubernetes_asyncio", "rich")


def test_version(machine: Machine) -> None:
    """On stdout, for scripts."""
    said = machine.healer("--version")

    assert (0, f"healer {__version__}\n", "") == (said.code, said.out, said.err)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("heal",), "invalid choice: 'heal'"),
        (("--once", "--deadline", "soon"), "'soon' is no time: write it as 90s, 10m or 1h30m"),
        (("--once", "--deadline", "-5m"), "--deadline"),
        (("--once", "check"), "--once is a command of its own"),
        (("--dry-run",), "--dry-run and --deadline go with --once"),
        (("--deadline", "5m", "check"), "--dry-run and --deadline go with --once"),
        (("explain", "kitchen"), "invalid choice: 'kitchen'"),
        (("drill", "flood"), "'flood' is no scenario"),
        (("pause",), "--reason"),
        (("pause", "--reason", "x", "--for", "long"), "'long' is no time"),
    ],
)
def test_wrong_usage_is_two_and_says_what_is_wrong(
    machine: Machine, arguments: tuple[str, ...], words: str
) -> None:
    """Design §5: exit code 2, the words on stderr, nothing on stdout."""
    said = machine.healer(*arguments)

    assert (2, "") == (said.code, said.out)
    assert words in said.err


@pytest.mark.parametrize(
    "command",
    [
        ("--once",),
        ("check",),
        ("explain", "docker"),
        ("table",),
        ("paths",),
        ("pause", "--reason=x"),
    ],
)
def test_bad_settings_are_seventy_eight(machine: Machine, command: tuple[str, ...]) -> None:
    """Every command says which file, line and key, and does nothing else."""
    machine.write("[once]\ndeadlin = '5m'\n")

    said = machine.healer(*command)

    assert (78, "") == (said.code, said.out)
    assert "config.toml" in said.err
    assert "deadline" in said.err


@pytest.mark.parametrize(
    "command", ["--version", "paths", "pause --reason=x", "config show", "status", "history"]
)
def test_a_quick_command_imports_no_client_library(machine: Machine, command: str) -> None:
    """Design §5: what is quick must not pay for what is slow."""
    script = (
        "import sys, healer.cli\n"
        "try: healer.cli.main(sys.argv[1:])\n"
        "except SystemExit: pass\n"
        "print('\\nMODULES', *sys.modules)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", script, *command.split()],
        env=machine.environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = ran.stdout.rpartition("MODULES")[2].split()

    assert "healer.cli" in loaded
    assert [] == [one for one in HEAVY if one in loaded]


@pytest.mark.parametrize("command", [("drill", "reboot"), ("table",), ("config", "show")])
def test_a_reader_who_went_away_is_no_traceback(machine: Machine, command: tuple[str, ...]) -> None:
    """`healer … | head -1`: the pipe is closed before the first word."""
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as nobody:
        ran = subprocess.run(
            [sys.executable, "-m", "healer", *command],
            env=machine.environment(),
            stdout=nobody,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )

    assert 0 == ran.returncode
    assert "Traceback" not in ran.stderr
    assert "BrokenPipe" not in ran.stderr


@pytest.mark.parametrize("layer", [layer.value for layer in Layer])
def test_every_layer_is_in_the_table(machine: Machine, layer: str) -> None:
    """`healer table` prints what may be done, by which limits."""
    said = machine.healer("table")

    assert 0 == said.code
    assert any(line.split()[0] == layer for line in said.out.splitlines())

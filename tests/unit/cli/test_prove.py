"""`healer doctor --prove` beside a real daemon, and without one."""

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from healer.cli.prove import CHECKS
from tests.unit.cli.command import Machine, fake_tool
from tests.unit.cli.daemon_process import DaemonProcess
from tests.unit.cli.mac import Mac
from tests.unit.cli.odd_daemon import odd_daemon
from tests.unit.cli.terminal import on_a_terminal

INSIDE = {"reboot", "labels", "notice", "clocks", "descriptors", "authorities", "lan", "cost"}
SECRET = "s3cr3t-marker"


@pytest.fixture(name="daemon")
def fixture_daemon(short_folder: Path) -> Iterator[DaemonProcess]:
    """A daemon with one channel, whose address is a secret."""
    page = short_folder / "page"
    page.write_text(f"#!/bin/sh\ncat > {short_folder}/got\n")
    page.chmod(0o755)
    config = short_folder / ".config/healer/config.toml"
    config.parent.mkdir(parents=True)
    config.write_text(f'[http]\nenabled = false\n[notices]\ncommand = ["{page}", "{SECRET}"]\n')
    made = DaemonProcess(short_folder).start()
    yield made
    made.end(signal.SIGKILL)
    if made.process is not None and made.process.stderr is not None:
        made.process.stderr.close()


def rows(document: Any) -> dict[str, Any]:  # noqa: ANN401  (whatever the JSON is)
    """By the check's name."""
    return {one["check"]: one for one in document["checks"]}


def test_the_daemon_runs_its_checks_and_the_document_can_be_pasted(daemon: DaemonProcess) -> None:
    """All fourteen, none of them passed here; a notice was sent, and nobody is named."""
    said = daemon.cli("doctor", "--prove", "--json")
    document = json.loads(said.stdout)
    found = rows(document)

    assert 3 == said.returncode
    assert 1 == document["schema_version"]
    assert {"healer", "system", "python"} <= set(document)
    assert list(CHECKS) == list(found)
    assert "command: sent" == found["notice"]["evidence"]
    assert '"kind": "test"' in (daemon.home / "got").read_text()
    assert "not proven" == found["notice"]["verdict"]
    assert "proved" == found["authorities"]["verdict"]
    assert found["cost"]["evidence"].startswith("longest looks: ")
    assert "this is not macOS" == found["clocks"]["evidence"]
    # Only root can become somebody else, and be refused by the real daemon.
    refused = "proved" if os.geteuid() == 0 else "not proven"
    assert refused == found["stranger"]["verdict"]
    assert str(daemon.home) not in said.stdout
    assert SECRET not in said.stdout + said.stderr
    assert "not proven: lan" in said.stderr


def test_the_daemon_reads_launchctls_pages_and_tries_the_screen(short_folder: Path) -> None:
    """Through the socket, over the tools of a Mac: from its own session, not from this one."""
    mac = Mac(short_folder / "mac")
    target = mac.target("com.joel.healer", "gui")
    mac.say(jobs={target: {"pid": 77}}, manager="Aqua")
    fake_tool(mac.bin, "osascript", f"touch {short_folder}/shown")
    config = short_folder / ".config/healer/config.toml"
    config.parent.mkdir(parents=True)
    path = json.dumps([str(mac.bin), "/usr/bin", "/bin"])
    config.write_text(f"[files]\npath = {path}\n[http]\nenabled = false\n")
    daemon = DaemonProcess(short_folder).start()
    try:
        found = rows(json.loads(daemon.cli("doctor", "--prove", "--json").stdout))
    finally:
        daemon.end()

    assert ("proved", f"{target} running") == (
        found["labels"]["verdict"],
        found["labels"]["evidence"],
    )
    assert "desktop: handed_over" == found["notice"]["evidence"]
    assert (short_folder / "shown").exists()


def test_without_a_daemon_its_checks_are_not_proven(machine: Machine) -> None:
    """And say how to have one; nothing is left behind."""
    said = machine.healer("doctor", "--prove")

    assert 3 == said.code
    assert len(INSIDE) == said.out.count("no daemon answers")
    assert "not proven  lan: the local network can be reached from the job" in said.out
    assert "            to do: healer install" in said.out
    assert "passed" not in said.out
    assert not (machine.home / ".local").exists()


def test_on_a_terminal_the_reader_of_the_notice_is_asked(daemon: DaemonProcess) -> None:
    """A yes proves it."""
    ran = on_a_terminal(Machine(daemon.home), "doctor", "--prove", typed="y\n")

    assert "did a test notice of healer reach you just now? [y/N]" in ran.out
    assert "proved      notice: a notice is seen" in ran.out
    assert "command: sent; seen" in ran.out


@pytest.mark.parametrize(
    "says",
    [
        b'{"answer":{}}\n',
        b'{"answer":{"proofs":{"lan":{"verdict":"passed"}}}}\n',
        b'{"answer":{"proofs":[]}}\n',
        (
            b'{"answer":{"healer":"1","proofs":{"kqueue":'
            b'{"verdict":"proved","evidence":"","todo":"","question":""}}}}\n'
        ),
        b'{"error":{"code":"unknown_verb","words":"prove is nothing I can be asked"}}\n',
        b"garbage\n",
        b"",
    ],
)
def test_a_daemon_that_says_otherwise_proves_nothing(
    machine: Machine, short_folder: Path, says: bytes
) -> None:
    """Another version's answer, somebody else's, or none at all, is no pass."""
    machine.write(f'[files]\npath = ["/nonexistent/bin"]\nstate = "{short_folder}"\n')
    with odd_daemon(short_folder / "control.sock", says):
        said = machine.healer("doctor", "--prove", "--json")

    found = rows(said.document)
    assert list(CHECKS) == list(found)
    assert {"not proven"} == {found[name]["verdict"] for name in INSIDE}


def test_the_throwaway_job_leaves_a_mac_as_it_was(short_folder: Path) -> None:
    """Over the whole command, with a launchctl that keeps state."""
    mac = Mac(short_folder)
    label = "com.joel.healer.proof"
    mac.say(comes_up={label: {"pid": None, "last_exit": "0"}})
    before = mac.loaded
    found = rows(mac.healer("doctor", "--prove", "--json").document)

    assert "not there" not in found["throwaway_job"]["evidence"]
    assert before == mac.loaded


def test_bad_settings_are_said(machine: Machine) -> None:
    """As every command says them."""
    machine.write("[once]\ndeadlin = '5m'\n")
    said = machine.healer("doctor", "--prove")

    assert (78, "") == (said.code, said.out)
    assert "deadlin" in said.err

"""A machine with nothing on it: named in full, never a traceback."""

import json

import pytest

from healer.adapters.lock import WriterLock
from healer.core.tower import Layer
from tests.unit.cli.command import Machine, fake_tool, interrupt

MENDS = {
    "colima": "brew install colima",
    "limactl": "brew install lima",
    "docker": "brew install docker",
    "ssh": "openssh-client",
    "ps": "procps",
    "kubectl": "brew install kubectl",
    "talosctl": "brew install siderolabs/tap/talosctl",
    "VM": "colima start",
    "kubeconfig": "talosctl kubeconfig",
}


def test_doctor_names_every_missing_thing_with_its_mend(machine: Machine) -> None:
    """Design §5, and exit code 1."""
    said = machine.healer("doctor")
    lines = said.out.splitlines()

    assert (1, "") == (said.code, said.err)
    for what, mend in MENDS.items():
        at = next(i for i, one in enumerate(lines) if one[6:].startswith(f"{what}: "))
        assert lines[at][:4] in {"MISS", "note"}
        assert mend in lines[at + 1]


def test_doctor_as_one_document(machine: Machine) -> None:
    """The same for a program."""
    said = machine.healer("doctor", "--json")
    missing = {one["what"] for one in said.document["examined"] if not one["good"]}

    assert (1, 1) == (said.code, said.document["schema_version"])
    assert set(MENDS) <= missing


@pytest.mark.parametrize(
    ("good", "watch"), [([True, True], "found"), ([False, False], "always"), ([], "never")]
)
def test_doctor_misses_caddy_and_tailscale_only_where_they_must_be(
    machine: Machine, good: list[bool], watch: str
) -> None:
    """Not looked at is said, and is no fault; neither is ever needed."""
    machine.write(f'[caddy]\nwatch = "{watch}"\n[funnel]\nwatch = "{watch}"\n')
    rows = machine.healer("doctor", "--json").document["examined"]
    found = [one for one in rows if one["what"] in {"caddy", "tailscale"}]

    assert good == [one["good"] for one in found]
    assert all("not looked at" in one["detail"] and not one["needed"] for one in found)


def test_doctor_names_bad_settings(machine: Machine) -> None:
    """It goes on with the defaults, since it is who people call then."""
    machine.write("[once]\ndeadlin = '5m'\n")
    said = machine.healer("doctor")

    assert 1 == said.code
    assert "MISS  settings: " in said.out
    assert "mend it: healer config check" in said.out


@pytest.mark.parametrize("arguments", [("--once",), ("--once", "--dry-run"), ("check",)])
def test_nothing_can_be_seen(machine: Machine, arguments: tuple[str, ...]) -> None:
    """A bare machine is 3 (design §10): the report on stdout, no act, no traceback."""
    said = machine.healer(*arguments)

    assert 3 == said.code
    assert "the tower could not be looked at in full" in said.out
    assert "colima is not on PATH (brew install colima)" in said.out
    assert "was done" not in said.out


@pytest.mark.parametrize(
    "arguments", [("--once", "--json"), ("check", "--json"), ("--json", "check")]
)
def test_one_document_on_stdout_alone(machine: Machine, arguments: tuple[str, ...]) -> None:
    """Data to stdout, talk to stderr (design §5)."""
    said = machine.healer(*arguments)

    assert (3, 3, "") == (said.code, said.document["exit_code"], said.err)
    assert [one.value for one in Layer] == [one["layer"] for one in said.document["layers"]]


def test_explain_says_why_and_what_is_next(machine: Machine) -> None:
    """Of a layer that cannot be seen: why, on what it stands, and that nothing follows."""
    machine.healer("pause", "--layer", "docker", "--reason", "moving house")
    said = machine.healer("explain", "docker")

    assert 0 == said.code
    assert said.out.startswith("docker is unknown: ")
    assert "it stands on: host unknown, colima unknown" in said.out
    assert "next: nothing" in said.out
    assert "looking at docker" in said.err


def test_no_colour_without_a_terminal(machine: Machine) -> None:
    """Nor with NO_COLOR: no escape ever reaches a pipe."""
    for more in ({}, {"NO_COLOR": "1"}):
        said = machine.healer("check", **more)
        assert "\x1b" not in said.out + said.err


def test_another_healer_at_work_means_looking_only(machine: Machine) -> None:
    """I7: whoever does not hold the writer's lock says who does, and acts on nothing."""
    lock = WriterLock(machine.home / ".local/state/healer/lock")
    assert lock.acquire() is None
    said = machine.healer("--once", "--json")
    lock.release()

    assert 3 == said.code
    assert "is at work: looking only" in said.err


def test_a_journal_that_cannot_be_read_is_said(machine: Machine) -> None:
    """Design §6: it goes on looking, and names the file."""
    journal = machine.home / ".local/state/healer/journal.sqlite"
    journal.parent.mkdir(parents=True)
    journal.write_bytes(b"no database at all\n" * 200)
    said = machine.healer("--once")

    assert 3 == said.code
    assert str(journal) in said.err


def test_ctrl_c_ends_a_pass_with_one_hundred_and_thirty(machine: Machine) -> None:
    """The first one lets what is under way end; nothing new is begun, and the report comes."""
    tools = machine.home / "bin"
    fake_tool(tools, "colima", "sleep 30")
    for name in ("limactl", "docker", "ssh", "kubectl"):
        fake_tool(tools, name, "exit 1")
    machine.write(f"[files]\npath = {json.dumps([str(tools), '/usr/bin', '/bin'])}\n")
    process = machine.start("--once")
    assert process.stderr is not None
    process.stderr.readline()
    said = interrupt(process)

    assert 130 == said.code
    assert "Traceback" not in said.err

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


def test_advice_claims_nothing_of_a_file_that_is_not_there(machine: Machine) -> None:
    """Without a colima.yaml nobody knows which forwarder the VM will have."""
    rows = machine.healer("advice", "--json").document["cures"]
    (one,) = (row for row in rows if row["fault"] == "published ports die with Lima's ssh master")

    assert "cannot tell" == one["applied"]
    assert "colima.yaml: is not there" in one["why"]


def test_a_file_that_is_named_on_the_command_line_is_spoken_of_as_that(machine: Machine) -> None:
    """No variable named it, so none is to blame."""
    said = machine.healer("config", "check", "/no/file")

    assert 78 == said.code
    assert "/no/file: no such file; name one that exists, or create it\n" == said.err
    said = machine.healer("config", "check", HEALER_CONFIG="/no/file")
    assert "/no/file: no such file; name another with $HEALER_CONFIG, or create it\n" == said.err


def test_a_backup_that_saved_nothing_leaves_nothing(machine: Machine) -> None:
    """An empty folder is no backup; why each part was not saved is said."""
    said = machine.healer("backup")

    assert (1, "") == (said.code, said.out)
    assert "not saved: container: " in said.err
    assert "healer backup: nothing was saved, so there is no backup: see above" in said.err
    assert [] == list((machine.home / ".local/state/healer/backups").glob("backup-*"))
    document = machine.healer("backup", "--json").document
    assert (None, []) == (document["folder"], document["files"])
    assert document["failures"]


def test_a_plan_that_is_forced_says_it_was_printed_only_when_it_was(machine: Machine) -> None:
    """Without a backup and without a container there is nothing to print."""
    said = machine.healer("plan", "recreate", "--force")

    assert (1, "") == (said.code, said.out)
    assert "printed" not in said.err
    assert "no backup tells of the container" in said.err


def test_doctor_installs_colima_before_it_starts_it(machine: Machine) -> None:
    """A command that is not there mends nothing."""
    rows = {one["what"]: one for one in machine.healer("doctor", "--json").document["examined"]}

    start = "brew install colima, then colima start -p default"
    assert [start] * 2 == [rows[one]["mend"] for one in ("VM", "docker.sock")]


def test_a_look_at_a_bare_machine_says_the_root_cause_first_and_once(machine: Machine) -> None:
    """Whoever reads the first line knows what to do; nothing is repeated layer by layer."""
    said = machine.healer("check")
    lines = said.out.splitlines()

    assert "the root cause is in host: colima is not on PATH (brew install colima)" in lines[0]
    causes = [" ".join(line.split()[2:]) for line in lines if line.split()[1:2] == ["unknown"]]
    assert len(causes) > len(set(causes)) - 1
    told = [one for one in causes if not one.startswith("as ")]
    assert sorted(set(told)) == sorted(told)


def test_explain_tells_the_past_in_the_words_of_history(machine: Machine) -> None:
    """A reset by a human is no `wasreset: `."""
    machine.healer("pause", "--layer", "docker", "--reason", "moving house")
    machine.healer("resume", "--layer", "docker")
    machine.healer("reset", "docker")
    machine.healer("reset")
    past = machine.healer("explain", "docker").out.partition("the last days:\n")[2]

    expected = [
        "moving house",
        "resumed; 1 pause ended",
        "reset by a human; 0 holds ended",
        "reset by a human; 0 holds ended",
    ]
    assert expected == [line.split("  ")[-1].split(": ")[-1] for line in past.splitlines()]

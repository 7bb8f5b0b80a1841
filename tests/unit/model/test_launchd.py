"""How launchctl speaks, in the forms of several releases."""

from pathlib import Path

import pytest

from healer.model.launchd import (
    Domain,
    DomainKind,
    LoadedJob,
    bootout_advice,
    domains_of,
    parse_disabled,
    parse_job,
)

PAGE = """gui/501/com.joel.healer = {
	active count = 1
	path = /Users/joel/Library/LaunchAgents/com.joel.healer.plist
	type = LaunchAgent
	state = running

	program = /bin/python
	environment = {
		KUBECONFIG => /k
		XPC_SERVICE_NAME => com.joel.healer
	}

	domain = gui/501 [100015]
	runs = 3
	pid = 4711
	immediate reason = speculative
	last exit code = 70: EX_SOFTWARE

	resource coalition = {
		ID = 1033
		state = active
		pid = 1
	}
	state = other
}
"""
PLIST = Path("/Users/joel/Library/LaunchAgents/com.joel.healer.plist")


def test_a_running_job_is_read() -> None:
    """State, pid, last exit and plist of the job, not of what is nested in it."""
    assert LoadedJob("running", 4711, "70: EX_SOFTWARE", PLIST) == parse_job(PAGE)
    assert "running as pid 4711, last exit 70: EX_SOFTWARE" == str(parse_job(PAGE))


@pytest.mark.parametrize(
    "lines",
    [
        (
            "\tlast terminating signal = Killed: 9\n"
            "\tlast exit reason = OS_REASON_CODESIGNING | Launch Constraint Violation"
        ),
        "\tstate = spawn failed\n\tproperties = keepalive | needs LWCR update | managed LWCR",
    ],
)
def test_a_program_that_launchd_refuses_is_named(lines: str) -> None:
    """In whichever of its places the page tells of it, and only while the job does not run."""
    page = f"gui/501/x = {{\n{lines}\n}}\n"

    assert str(parse_job(page)).endswith("(Launch Constraint Violation)")
    assert not parse_job(page + "\tpid = 12\n").constrained


@pytest.mark.parametrize(
    ("line", "last_exit"),
    [
        ("\tlast exit code = 0", "0"),
        ("\tlast exit code = (never exited)", "(never exited)"),
        ("\tlast exit code = 78: EX_CONFIG", "78: EX_CONFIG"),
        ("\tlast terminating signal = Killed: 9", "Killed: 9"),
        ("\tlast exit code = 0\n\tlast terminating signal = Terminated: 15", "Terminated: 15"),
        ("", ""),
    ],
)
def test_every_form_of_the_last_exit(line: str, last_exit: str) -> None:
    """A number, with its name or without, a signal, or none yet."""
    assert LoadedJob("not running", None, last_exit) == parse_job(f"\tstate = not running\n{line}")


@pytest.mark.parametrize(
    "text", ["", "\x00\ufffd{{{ = \n\tstate\n\tpid = x\n\tpath = y", "state = x"]
)
def test_what_cannot_be_read_is_left_empty(text: str) -> None:
    """Its form is no promise of Apple's; loaded is what the exit code says."""
    job = parse_job(text)

    assert LoadedJob() == job
    assert not job.running
    assert "in an unknown state" == str(job)


def test_disabled_labels_in_both_wordings() -> None:
    """`=> true` up to macOS 12, `=> disabled` since; enabled ones are not meant."""
    new = 'disabled services = {\n\t\t"com.a" => disabled\n\t\t"com.b" => enabled\n\t}\n'
    old = '\tdisabled services = {\n\t\t"com.a" => true\n\t\t"com.b" => false\n\t}\n'

    assert {"com.a"} == parse_disabled(new) == parse_disabled(old)
    assert set() == parse_disabled("garbage")


def test_domains_and_targets_as_launchctl_names_them() -> None:
    """All three, since a job that is looked for in one only is missed (R10)."""
    assert ["system", "user/501", "gui/501"] == [str(one) for one in domains_of(501)]
    assert "system/com.a" == Domain(DomainKind.SYSTEM, 501).target("com.a")
    assert "gui/501/com.a" == Domain(DomainKind.GUI, 501).target("com.a")


def test_advice_can_be_typed() -> None:
    """What belongs to the system needs sudo."""
    expected = "sudo launchctl bootout system/com.a; launchctl bootout gui/501/com.a"

    assert expected == bootout_advice(["system/com.a", "gui/501/com.a"])

"""healer's plist: what stands in it, what may not, and that launchd's own format takes it."""

import plistlib
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from healer.model.launch_agent import (
    TEMPORARY,
    TRIAL,
    Agent,
    content,
    crash_log,
    drift,
    parse_plist,
    plist,
    plist_path,
    program_of,
    trial,
    unfit,
)
from healer.model.launchd import DomainKind
from healer.settings import Settings

HOME = Path("/Users/joel")
EXAMPLE = Agent(
    kind=DomainKind.GUI,
    user="joel",
    home=HOME,
    python=HOME / ".local/share/uv/tools/healer/bin/python",
    path=":".join(Settings().files.path),
    log=HOME / ".local/log/healer.log",
    carried={},
)
MODEL = Path(__file__).parents[3] / "launchd/com.joel.healer.plist"


def test_the_model_in_the_repository_is_what_the_code_writes() -> None:
    """For the user joel, to the byte: what people read is what they get."""
    assert plist(EXAMPLE) == MODEL.read_bytes()


def test_the_plist_is_pinned() -> None:
    """Each key decides how healer lives and dies; none changes unnoticed."""
    expected = {
        "Label": "com.joel.healer",
        "ProgramArguments": [str(EXAMPLE.python), "-m", "healer", "run"],
        "EnvironmentVariables": {
            "PATH": "/opt/homebrew/bin:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
            "HOME": "/Users/joel",
        },
        "RunAtLoad": True,
        "KeepAlive": True,
        "ThrottleInterval": 30,
        "ExitTimeOut": 20,
        "SoftResourceLimits": {"NumberOfFiles": 1024},
        "AbandonProcessGroup": True,
        "ProcessType": "Interactive",
        "StandardOutPath": "/Users/joel/.local/log/healer.crash.log",
        "StandardErrorPath": "/Users/joel/.local/log/healer.crash.log",
    }

    assert expected == plistlib.loads(plist(EXAMPLE))


@pytest.mark.parametrize(
    ("kind", "session", "user"),
    [
        (DomainKind.USER, "Background", None),
        (DomainKind.GUI, None, None),
        (DomainKind.SYSTEM, None, "joel"),
    ],
)
def test_a_domain_takes_its_own_kind_of_job_only(
    kind: DomainKind, session: str | None, user: str | None
) -> None:
    """`user/UID` refuses an agent of the screen; the system's runs as its user."""
    job = content(replace(EXAMPLE, kind=kind))

    assert (session, user) == (job.get("LimitLoadToSessionType"), job.get("UserName"))


def test_the_trial_is_healers_own_job_that_ends() -> None:
    """The same Python with the same environment and rights, in the same domain, once."""
    ours, once = content(EXAMPLE), plistlib.loads(trial(EXAMPLE))

    different = {key for key in {*ours, *once} if ours.get(key) != once.get(key)}
    assert {
        "Label",
        "ProgramArguments",
        "KeepAlive",
        "ThrottleInterval",
        "StandardOutPath",
    } == different
    assert [str(EXAMPLE.python), "-m", "healer", "--version"] == once["ProgramArguments"]
    assert TRIAL == once["Label"]


def test_variables_that_say_where_files_are_go_with_it() -> None:
    """In an order of their own, so that the same shell gives the same bytes."""
    carried = {"KUBECONFIG": "/k", "COLIMA_HOME": "/c"}

    job = content(replace(EXAMPLE, carried=carried))

    expected = ["PATH", "HOME", "COLIMA_HOME", "KUBECONFIG"]
    assert expected == list(job["EnvironmentVariables"])


@pytest.mark.parametrize("kind", list(DomainKind))
def test_another_reader_of_plists_reads_the_same(kind: DomainKind, tmp_path: Path) -> None:
    """Debian's plistutil, to Apple's binary form and back."""
    tool = shutil.which("plistutil")
    if tool is None:
        pytest.skip("plistutil is not here: apt-get install libplist-utils")
    agent = replace(EXAMPLE, kind=kind, carried={"KUBECONFIG": "/Users/joel/ä & <b>/config"})
    given, binary, back = (tmp_path / name for name in ("given", "binary", "back"))
    given.write_bytes(plist(agent))
    for form, source, target in (("bin", given, binary), ("xml", binary, back)):
        subprocess.run([tool, "-f", form, "-i", source, "-o", target], check=True)

    assert binary.read_bytes().startswith(b"bplist00")
    assert content(agent) == plistlib.loads(binary.read_bytes())
    assert content(agent) == plistlib.loads(back.read_bytes())


def test_that_other_reader_notices_a_damaged_one(tmp_path: Path) -> None:
    """Else the test above would prove nothing."""
    tool = shutil.which("plistutil")
    if tool is None:
        pytest.skip("plistutil is not here: apt-get install libplist-utils")
    damaged = tmp_path / "damaged"
    damaged.write_bytes(plist(EXAMPLE).replace(b"</dict>", b"</dixt>"))
    target = tmp_path / "target"

    ran = subprocess.run(
        [tool, "-f", "bin", "-i", damaged, "-o", target], capture_output=True, check=False
    )

    # Its exit code is 0 all the same in version 2.2.
    assert ran.returncode != 0 or b"ERROR" in ran.stdout + ran.stderr
    assert not target.exists() or not target.stat().st_size


def test_where_the_plist_lives() -> None:
    """An agent in its user's library, a daemon in the system's."""
    name = "com.joel.healer.plist"

    assert HOME / "Library/LaunchAgents" / name == plist_path(DomainKind.USER, HOME)
    assert HOME / "Library/LaunchAgents" / name == plist_path(DomainKind.GUI, HOME)
    assert Path("/Library/LaunchDaemons") / name == plist_path(DomainKind.SYSTEM, HOME)


def test_what_launchd_catches_lies_beside_the_log() -> None:
    """And is another file, since nobody rotates it."""
    assert Path("/log/healer.crash.log") == crash_log(Path("/log/healer.log"))


@pytest.mark.parametrize(
    ("python", "why"),
    [
        ("/Users/joel/.local/share/uv/tools/healer/bin/python", ""),
        ("/Users/joel/.local/pipx/venvs/healer/bin/python", ""),
        ("/opt/homebrew/opt/healer/libexec/bin/python", ""),
        ("/Users/joel/Code/healer/.venv/bin/python3", ""),
        ("bin/python", "no absolute path"),
        ("/Users/joel/.cache/uv/archive-v0/Ab3/bin/python", "a cache (.cache)"),
        ("/elsewhere/archive-v0/Ab3/bin/python", "a cache (archive-v0)"),
        ("/Users/joel/Library/Caches/uv/environments-v2/h/bin/python", "a cache (Caches)"),
        ("/private/var/folders/x1/T/v/bin/python", "in /private/var/folders, which is emptied"),
        ("/tmp/v/bin/python", "in /tmp, which is emptied"),
        ("/tmpfiles/v/bin/python", ""),
    ],
)
def test_an_interpreter_that_will_be_gone_is_refused(python: str, why: str) -> None:
    """A plist that points into a cache of uvx starts nothing one day (facts/peers.md §6.3)."""
    said = unfit(Path(python), TEMPORARY)

    assert bool(why) == bool(said)
    assert why in said


def test_no_drift_in_what_was_just_written() -> None:
    """Nor when it was converted to the binary form."""
    binary = plistlib.dumps(content(EXAMPLE), fmt=plistlib.FMT_BINARY)

    assert [] == drift(plist(EXAMPLE), content(EXAMPLE))
    assert [] == drift(binary, content(EXAMPLE))


def test_every_drift_is_named() -> None:
    """Key by key; values that install never writes are not shown, since they may be secret."""
    job = content(EXAMPLE)
    job["EnvironmentVariables"] = {"PATH": "/usr/bin", "HOME": "/Users/joel", "TOKEN": "s3cret"}
    job["ProgramArguments"] = ["/old/python", "-m", "healer", "run"]
    job["Nice"] = 5
    del job["ThrottleInterval"]

    found = drift(plistlib.dumps(job), content(EXAMPLE))

    path = ":".join(Settings().files.path)
    program = f"{EXAMPLE.python} -m healer run"
    assert [
        f"ProgramArguments is /old/python -m healer run, not {program}",
        f"EnvironmentVariables.PATH is /usr/bin, not {path}",
        "EnvironmentVariables.TOKEN is not ours",
        "ThrottleInterval is missing",
        "Nice is not ours",
    ] == found


@pytest.mark.parametrize("damaged", [b"", b"<plist>", b"bplist00\xff", plistlib.dumps([1])])
def test_a_damaged_plist_is_one_drift(damaged: bytes) -> None:
    """And no exception, whatever its parser says."""
    assert parse_plist(damaged) is None
    assert ["it is no property list"] == drift(damaged, content(EXAMPLE))


@pytest.mark.parametrize(
    ("job", "program"),
    [
        ({"ProgramArguments": ["/bin/python", "-m"]}, Path("/bin/python")),
        ({"ProgramArguments": []}, None),
        ({"ProgramArguments": [1]}, None),
        ({"ProgramArguments": "/bin/python"}, None),
        ({}, None),
    ],
)
def test_the_program_of_a_plist(job: dict[str, object], program: Path | None) -> None:
    """The first of its arguments, if it is one."""
    assert program == program_of(job)

"""launchctl's codes, its slowness and its faults, against the stand-in as a real process."""

import json
import os
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from healer.adapters import launchctl as subject
from healer.adapters.launchctl import Launchctl
from healer.adapters.process import ProcessRunner
from healer.model.launchd import Domain, DomainKind, LoadedJob
from healer.ports import ActFailed, CannotLook, TargetSilent
from tests.unit.cli.mac import HEAL, OURS, Mac

USER = f"user/{os.getuid()}"
Asked = Callable[[], Awaitable[object]]


@pytest.fixture(name="mac")
def fixture_mac(tmp_path: Path) -> Mac:
    """A Mac with nothing loaded."""
    return Mac(tmp_path)


@pytest.fixture(name="said")
def fixture_said(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was said of retries, which come at once."""
    monkeypatch.setattr(subject, "PAUSES", (0.0, 0.0, 0.0, 0.0))
    monkeypatch.setattr(subject, "LOOK", 0.0)
    return []


@pytest.fixture(name="launchctl")
def fixture_launchctl(mac: Mac, said: list[str]) -> Launchctl:
    """The adapter on that Mac."""
    return adapter(mac, said)


def adapter(mac: Mac, said: list[str], deadline: float = 60.0, patience: float = 60.0) -> Launchctl:
    """The adapter, with these limits in seconds."""
    tool = mac.bin / "launchctl"
    runner = ProcessRunner()
    return Launchctl(
        runner, tool, "/usr/bin:/bin", say=said.append, deadline=deadline, patience=patience
    )


def job_of(mac: Mac, label: str = OURS) -> Path:
    """A plist of a job of the user's domain."""
    return mac.old_job(label, mac.agents, "user")


def unload(mac: Mac) -> None:
    """Only the plist stays."""
    mac.say(jobs={})


async def test_a_loaded_job_is_described(mac: Mac, launchctl: Launchctl) -> None:
    """And one that is not loaded is None, in a domain that is there or not."""
    path = job_of(mac)

    assert LoadedJob("not running", None, "(never exited)", path) == await launchctl.job(
        f"{USER}/{OURS}"
    )
    assert await launchctl.job(f"{USER}/{HEAL}") is None
    assert await launchctl.job(f"gui/77/{HEAL}") is None


@pytest.mark.parametrize("code", [112, 125])
async def test_a_domain_is_there_or_not(mac: Mac, launchctl: Launchctl, code: int) -> None:
    """Both ways in which launchctl says that nobody is logged in."""
    mac.say(no_domain=code)

    assert await launchctl.exists(Domain(DomainKind.SYSTEM, 77))
    assert not await launchctl.exists(Domain(DomainKind.GUI, 77))


async def test_an_unknown_answer_is_neither_there_nor_absent(
    mac: Mac, launchctl: Launchctl
) -> None:
    """What could not be looked at may be there: that is said, with the words."""
    mac.say(faults=[{"verb": "print", "how": "refuse"}, {"verb": "print-disabled", "how": "37"}])

    with pytest.raises(CannotLook, match="Operation not permitted"):
        await launchctl.job(f"{USER}/{OURS}")
    with pytest.raises(CannotLook, match="already in progress"):
        await launchctl.disabled(USER)


async def test_garbage_is_a_loaded_job_of_which_nothing_is_known(
    mac: Mac, launchctl: Launchctl
) -> None:
    """The exit code says loaded; the form of the page is no promise."""
    mac.say(faults=[{"verb": "print", "how": "garbage"}])

    assert LoadedJob() == await launchctl.job(f"{USER}/{OURS}")


@pytest.mark.parametrize("old_words", [False, True])
async def test_disabled_labels(mac: Mac, launchctl: Launchctl, *, old_words: bool) -> None:
    """Of the domain that is asked, in both wordings; of none where there is no domain."""
    mac.say(disabled=[f"{USER}/{OURS}", f"gui/0/{HEAL}"], old_words=old_words)

    assert {OURS} == await launchctl.disabled(USER)
    assert set() == await launchctl.disabled("gui/77")


async def test_a_bootout_waits_until_the_job_is_gone(mac: Mac, launchctl: Launchctl) -> None:
    """launchctl returns before: it says 0, or 36 while the job is on its way."""
    for says in (0, 36):
        job_of(mac)
        mac.say(slow=3, slow_says=says)
        await launchctl.bootout(f"{USER}/{OURS}")
        assert {} == mac.loaded
    assert 6 <= len(mac.calls("print"))


async def test_a_bootout_of_nothing_is_done(mac: Mac, launchctl: Launchctl) -> None:
    """3 of a job, 125 of a domain that are not there; 5 with nothing loaded."""
    await launchctl.bootout(f"{USER}/{OURS}")
    await launchctl.bootout(f"gui/77/{OURS}")
    mac.say(faults=[{"verb": "bootout", "how": "5"}])
    await launchctl.bootout(f"{USER}/{OURS}")

    assert 3 == len(mac.calls("bootout"))


async def test_a_job_that_will_not_go_is_told(mac: Mac, said: list[str]) -> None:
    """After launchd's own patience, with the command that shows it."""
    job_of(mac)
    mac.say(slow=10**6)

    with pytest.raises(ActFailed, match=f"still loaded after 0 s.*launchctl print {USER}"):
        await adapter(mac, said, patience=0.05).bootout(f"{USER}/{OURS}")


async def test_a_refused_bootout_is_told(mac: Mac, launchctl: Launchctl) -> None:
    """With launchctl's words, and what 1 means."""
    job_of(mac)
    mac.say(faults=[{"verb": "bootout", "how": "refuse"}])

    with pytest.raises(ActFailed, match="1: Operation not permitted; it needs root"):
        await launchctl.bootout(f"{USER}/{OURS}")


async def test_a_job_is_loaded_at_once(mac: Mac, launchctl: Launchctl, said: list[str]) -> None:
    """One call, when nothing stands in the way."""
    path = job_of(mac)
    unload(mac)

    await launchctl.bootstrap(USER, OURS, path)

    assert {f"{USER}/{OURS}": str(path)} == mac.loaded
    assert ([], [f"bootstrap {USER} {path}"]) == (said, mac.calls())


@pytest.mark.parametrize("says", [5, 17, 37])
async def test_one_that_is_loaded_already_is_loaded_anew(
    mac: Mac, launchctl: Launchctl, said: list[str], says: int
) -> None:
    """5, 17 and 37 may all mean that; it is ended first, and that takes its time."""
    path = job_of(mac)
    mac.say(busy_says=says, slow=2)

    await launchctl.bootstrap(USER, OURS, path)

    verbs = [call.split()[0] for call in mac.calls("bootstrap", "bootout", "enable")]
    assert ["bootstrap", "bootout", "bootstrap"] == verbs
    assert f": {says}: " in said[0]


@pytest.mark.parametrize("says", [5, 119])
async def test_a_disabled_one_is_enabled(mac: Mac, launchctl: Launchctl, says: int) -> None:
    """119 in plain words, 5 in none."""
    path = job_of(mac)
    mac.say(jobs={}, disabled=[f"{USER}/{OURS}"], disabled_says=says)

    await launchctl.bootstrap(USER, OURS, path)

    assert ([f"{USER}/{OURS}"], []) == (list(mac.loaded), mac.launchd["disabled"])


async def test_a_plist_that_launchd_dislikes_is_told(
    mac: Mac, launchctl: Launchctl, said: list[str]
) -> None:
    """After five tries, with the commands that show why."""
    path = job_of(mac)
    unload(mac)
    path.chmod(0o666)

    with pytest.raises(ActFailed, match=r"5: Input/output error, 5 times.*plutil -lint"):
        await launchctl.bootstrap(USER, OURS, path)
    assert (4, 5) == (len(said), len(mac.calls("bootstrap")))


async def test_a_domain_that_is_not_there_is_told(mac: Mac, launchctl: Launchctl) -> None:
    """At once: a wrong domain is an error, not a retry (R45)."""
    path = job_of(mac)

    with pytest.raises(ActFailed, match=r"125: Domain does not.*nobody is logged in there"):
        await launchctl.bootstrap("gui/77", OURS, path)
    assert 1 == len(mac.calls("bootstrap"))


async def test_a_refused_enable_is_told(mac: Mac, launchctl: Launchctl) -> None:
    """With its words."""
    mac.say(faults=[{"verb": "enable", "how": "refuse"}])

    with pytest.raises(ActFailed, match=r"launchctl enable .*needs root"):
        await launchctl.enable(f"{USER}/{OURS}")


@pytest.mark.parametrize("verb", ["print", "bootout", "bootstrap"])
async def test_a_launchctl_that_hangs_is_ended(mac: Mac, said: list[str], verb: str) -> None:
    """Within its deadline; what it was to do may be done, and that is said."""
    path = job_of(mac)
    mac.say(faults=[{"verb": verb, "how": "hang"}])
    launchctl = adapter(mac, said, deadline=1.0)
    asked: dict[str, Asked] = {
        "print": lambda: launchctl.job(f"{USER}/{OURS}"),
        "bootout": lambda: launchctl.bootout(f"{USER}/{OURS}"),
        "bootstrap": lambda: launchctl.bootstrap(USER, OURS, path),
    }

    with pytest.raises(TargetSilent, match=r"had not ended after 1 s.*run this again"):
        await asked[verb]()


async def test_a_launchctl_that_is_none_is_told(tmp_path: Path) -> None:
    """A file that cannot be started is no launchd without jobs."""
    with pytest.raises(CannotLook):
        await Launchctl(ProcessRunner(), tmp_path / "none", "/bin").job(f"{USER}/{OURS}")


async def test_the_standin_knows_the_verbs_of_the_real_one(mac: Mac) -> None:
    """Each by name; another is 64."""
    job_of(mac)
    for verb in ("kickstart", "disable"):
        done = await ProcessRunner().run(
            [str(mac.bin / "launchctl"), verb, f"{USER}/{OURS}"], deadline=60.0
        )
        assert 0 == done.code
    unknown = await ProcessRunner().run([str(mac.bin / "launchctl"), "load"], deadline=60.0)

    assert 64 == unknown.code
    assert [f"{USER}/{OURS}"] == json.loads(mac.state_file.read_text())["disabled"]

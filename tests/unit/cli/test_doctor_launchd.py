"""`healer doctor` proves that healer is installed, loaded and ticking, each by itself (R48)."""

import os
import plistlib
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from healer.adapters.lock import holder
from healer.cli.doctor_launchd import examine_launchd
from healer.settings import Settings, load
from tests.unit.cli.mac import OURS, Mac


@pytest.fixture(name="mac")
def fixture_mac(short_folder: Path) -> Iterator[Mac]:
    """A Mac with nothing loaded; what its launchd has started ends with it."""
    mac = Mac(short_folder)
    yield mac
    for job in mac.launchd["jobs"].values():
        if job.get("real"):
            with suppress(ProcessLookupError):
                os.kill(job["pid"], signal.SIGKILL)


def rows(mac: Mac) -> dict[str, dict[str, Any]]:
    """What was examined of launchd, by its name."""
    examined = mac.healer("doctor", "--json").document["examined"]
    ours = ("launchd", "installed", "plist", "installation", "loaded", "after a reboot", "ticking")
    return {one["what"]: one for one in examined if one["what"] in ours}


def wait_for_lock(mac: Mac) -> int:
    """Until the daemon that launchd started holds it and answers; its end ends the wait."""
    pid = int(mac.launchd["jobs"][mac.target(OURS)]["pid"])
    state = mac.home / ".local/state/healer"
    while holder(state / "lock") != pid or not (state / "control.sock").exists():
        os.kill(pid, 0)
        time.sleep(0.02)  # a process that is not our child sends no event
    return pid


def test_a_mac_where_nothing_is_installed(mac: Mac) -> None:
    """The one thing that is missing is said once."""
    seen = rows(mac)

    assert ["installed"] == list(seen)
    one = seen["installed"]
    assert (False, True, "healer install") == (one["good"], one["needed"], one["mend"])
    assert "launchd has no plist of healer" == one["detail"]


def test_installed_loaded_and_ticking(mac: Mac) -> None:
    """The daemon is really started by what the plist says, with launchd's bare environment."""
    mac.say(spawn=True)
    said = mac.healer("install")
    assert 0 == said.code, said.err
    pid = wait_for_lock(mac)

    seen = rows(mac)
    assert [True] * 4 == [one["good"] for one in seen.values()]
    assert str(mac.plist) == seen["installed"]["detail"]
    assert "as install would write it now" == seen["plist"]["detail"]
    assert f"{mac.target(OURS)} is running as pid {pid}" in seen["loaded"]["detail"]
    assert seen["ticking"]["detail"].startswith(f"pid {pid} answers, up ")
    said = mac.healer("uninstall")
    assert (0, {}) == (said.code, mac.loaded), said.err
    assert holder(mac.home / ".local/state/healer/lock") is None


def test_what_launchd_catches_is_for_crashes(mac: Mac) -> None:
    """launchd never rotates it: the daemon's own lines go to its log alone."""
    config = mac.home / ".config" / "healer" / "config.toml"
    # A port that somebody has is said here, and another healer on this machine may have it.
    with config.open("a", encoding="utf-8") as file:
        file.write("\n[http]\nenabled = false\n")
    mac.say(spawn=True)
    mac.healer("install")
    wait_for_lock(mac)
    mac.healer("uninstall")

    caught = (mac.home / ".local/log/healer.crash.log").read_text()
    assert "healer: ending" in caught
    assert 4 >= len(caught.splitlines()), caught
    assert (mac.home / ".local/log/healer.log").stat().st_size > 0


def test_drift_is_named_and_is_no_failure(mac: Mac) -> None:
    """A shell that says other things than the one that installed is no illness."""
    mac.healer("install")
    job = plistlib.loads(mac.plist.read_bytes())
    job["EnvironmentVariables"]["PATH"] = "/usr/bin"
    job["ThrottleInterval"] = 5
    mac.plist.write_bytes(plistlib.dumps(job))
    one = rows(mac)["plist"]

    path = f"{mac.bin}:/usr/bin:/bin"
    expected = f"EnvironmentVariables.PATH is /usr/bin, not {path}; ThrottleInterval is 5, not 30"
    assert (False, False, expected) == (one["good"], one["needed"], one["detail"])
    assert one["mend"].startswith("healer install, if what is set in this shell")


def test_a_program_that_is_gone(mac: Mac) -> None:
    """As after an upgrade that moved it: launchd would start nothing."""
    mac.healer("install")
    job = plistlib.loads(mac.plist.read_bytes())
    job["ProgramArguments"][0] = "/gone/bin/python"
    mac.plist.write_bytes(plistlib.dumps(job))

    said = rows(mac)["installed"]["detail"]
    assert f"{mac.plist}: its program is not there: /gone/bin/python" == said
    mac.plist.write_bytes(b"damaged")
    assert rows(mac)["installed"]["detail"].endswith("is not there: it names none")


def test_installed_and_not_loaded(mac: Mac) -> None:
    """A plist that nobody loaded kept a Mac unhealed for days."""
    for flags, mend in ((("--user",), "healer install --user"), ((), "healer install")):
        mac.healer("install", *flags)
        mac.say(jobs={})
        one = rows(mac)["loaded"]
        assert (False, mend) == (one["good"], one["mend"])
        assert "launchd knows no healer" == one["detail"]


def test_loaded_and_not_running(mac: Mac) -> None:
    """With how it ended, and the command for the domain in which it lives."""
    mac.healer("install")
    job = {"path": str(mac.plist), "last_signal": "Killed: 9"}
    mac.say(jobs={mac.target(OURS): job})
    one = rows(mac)["loaded"]

    assert not one["good"]
    assert f"{mac.target(OURS)} is not running, last exit Killed: 9" == one["detail"]
    assert f"launchctl kickstart {mac.target(OURS)}" == one["mend"]


def refused(mac: Mac) -> dict[str, Any]:
    """What doctor says of a healer that is not running."""
    one = rows(mac)["loaded"]
    assert (False, "healer install") == (one["good"], one["mend"])
    return one


@pytest.mark.parametrize(
    "how",
    [
        {"last_signal": "Killed: 9", "reason": "OS_REASON_CODESIGNING"},
        {"state": "spawn failed", "last_exit": "78: EX_CONFIG", "stale_signature": True},
    ],
)
def test_a_python_that_macos_does_not_let_launchd_start(mac: Mac, how: dict[str, Any]) -> None:
    """As after an upgrade that exchanged it; a reinstall mends that, a kickstart does not."""
    mac.healer("install")
    mac.say(jobs={mac.target(OURS): {"path": str(mac.plist), **how}})

    assert (
        "macOS refuses to start its Python: Launch Constraint Violation" in refused(mac)["detail"]
    )


def test_macos_own_report_tells_it_too(mac: Mac) -> None:
    """launchd's page says `Killed: 9` only; the newest report of healer's own end counts."""
    mac.healer("install")
    job = {"path": str(mac.plist), "last_signal": "Killed: 9"}
    mac.say(jobs={mac.target(OURS): job})
    folder = mac.home / "Library/Logs/DiagnosticReports"
    folder.mkdir(parents=True)
    whose = '{}\n{\n  "coalitionName" : "%s",\n  "termination" : {"namespace":"%s"}\n}\n'
    killed = '"CODESIGNING","indicator":"Launch Constraint Violation"'
    for age, (name, text) in enumerate(
        (
            ("other-3.ips", whose % ("com.example.other", killed)),
            ("python3.13-2.ips", whose % (OURS, killed)),
            ("python3.13-1.ips", whose % (OURS, "SIGNAL")),
        )
    ):
        (folder / name).write_text(text)
        os.utime(folder / name, (1e9 - age, 1e9 - age))
    assert f"Launch Constraint Violation, see {folder}/python3.13-2.ips" in refused(mac)["detail"]

    os.utime(folder / "python3.13-1.ips", (2e9, 2e9))
    one = rows(mac)["loaded"]
    assert f"launchctl kickstart {mac.target(OURS)}" == one["mend"]


@pytest.mark.parametrize("loaded", [True, False])
def test_an_installation_that_no_reboot_brings_back(mac: Mac, *, loaded: bool) -> None:
    """In `user/UID`: a warning, also while it is not loaded; of others not a word."""
    mac.healer("install", "--user")
    if not loaded:
        mac.befalls("@reboot", "@login")
        assert {} == mac.loaded
    one = rows(mac)["after a reboot"]

    assert (False, False, "healer install") == (one["good"], one["needed"], one["mend"])
    where = mac.target(OURS, "user") if loaded else mac.plist
    assert one["detail"].startswith(f"{where} is for user/{mac.uid}, into which launchd loads")
    mac.healer("install")
    assert "after a reboot" not in rows(mac)


def test_an_installation_that_was_cut_off(mac: Mac) -> None:
    """Jobs that it has ended may not run: said until a next one has ended in order."""
    mac.healer("install")
    mac.aside.mkdir()
    (mac.aside / "manifest.json").write_text('{"schema_version": 1, "kept": [], "before": []}')
    one = rows(mac)["installation"]
    assert (False, True, "healer install") == (one["good"], one["needed"], one["mend"])

    mac.healer("install")
    assert "installation" not in rows(mac)


def test_running_and_not_ticking(mac: Mac) -> None:
    """launchd's word alone is no proof (incident 20): nobody holds the lock."""
    mac.healer("install")
    one = rows(mac)["ticking"]

    assert (False, True, "no daemon is at work") == (one["good"], one["needed"], one["detail"])
    assert f"tail {mac.home}/.local/log/healer.crash.log" == one["mend"]


def test_twice_installed_or_loaded(mac: Mac) -> None:
    """Both places are named."""
    mac.healer("install")
    (mac.daemons / f"{OURS}.plist").write_bytes(mac.plist.read_bytes())
    jobs = mac.launchd["jobs"]
    mac.say(jobs={**jobs, mac.target(OURS, "system"): {"path": str(mac.plist)}})

    seen = rows(mac)
    both = f"more than once: {mac.plist} and {mac.daemons}/{OURS}.plist"
    assert (False, both) == (seen["installed"]["good"], seen["installed"]["detail"])
    assert not seen["loaded"]["good"]
    assert mac.target(OURS) in seen["loaded"]["detail"]
    assert mac.target(OURS, "system") in seen["loaded"]["detail"]


def test_a_launchctl_that_refuses_is_told(mac: Mac) -> None:
    """What could not be looked at is not proved."""
    mac.healer("install")
    # The probe of rivals asks before us, eighteen times.
    mac.say(faults=[{"verb": "print", "how": "refuse", "left": 99}])
    one = rows(mac)["launchd"]

    assert (False, True) == (one["good"], one["needed"])
    assert "Operation not permitted" in one["detail"]


def test_without_launchd_it_is_no_failure(mac: Mac) -> None:
    """A Linux machine: said, and that is all."""
    (mac.bin / "launchctl").unlink()

    [one] = rows(mac).values()
    assert (True, "launchd") == (one["good"], one["what"])
    assert one["detail"].startswith("no launchctl on ")


def test_another_proof_of_life_can_be_given(mac: Mac) -> None:
    """Whoever can ask the daemon itself knows more than the lock does."""
    mac.healer("install")
    environment = mac.environment({})
    settings: Settings = load(environment, mac.home).settings
    told = {one.what: one for one in examine_launchd(settings, environment, lambda: "it said so")}

    assert (True, "it said so") == (told["ticking"].good, told["ticking"].detail)

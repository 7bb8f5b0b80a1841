"""`healer install` and `uninstall`, as a person runs them, against a launchctl that keeps state."""

import os
import plistlib
import stat
from pathlib import Path

import pytest

from tests.unit.cli.mac import COLIMA, HEAL, OURS, Mac, Server, joels_mac


@pytest.fixture(name="mac")
def fixture_mac(tmp_path: Path, server: Server) -> Mac:
    """A Mac with nothing loaded."""
    return Mac(tmp_path, server=server)


def furnish(mac: Mac) -> None:
    """The old jobs, each in a domain of its own, one plist under another name."""
    mac.old_job(HEAL, mac.agents, "gui", name="heal.plist")
    mac.old_job(COLIMA, mac.agents, "user")


def test_a_fresh_mac(mac: Mac) -> None:
    """A trial; then the plist is written for others to read and nobody to write, and stays up."""
    said = mac.healer("install")

    target, trial = mac.target(OURS), mac.agents / f"{OURS}.trial.plist"
    assert (0, "") == (said.code, said.out), said.err
    assert {target: str(mac.plist)} == mac.loaded
    assert 0o644 == stat.S_IMODE(mac.plist.stat().st_mode)
    assert [
        f"write {trial}",
        f"launchctl bootstrap gui/{mac.uid} {trial}",
        f"wait until {target}.trial has run",
        f"launchctl bootout {target}.trial",
        f"remove {trial}",
        "note what is there now: nothing",
        f"write {mac.plist}",
        f"launchctl bootstrap gui/{mac.uid} {mac.plist}",
        f"wait until {target} stays up",
        "note what is retired: nothing",
        "healer is installed; `healer doctor` proves that it works",
    ] == said.err.splitlines()
    assert (mac.home / ".local/log").is_dir()
    assert not mac.aside.exists()


def test_the_plist_carries_what_says_where_files_are(mac: Mac) -> None:
    """PATH of the settings, HOME, and variables of this shell, made absolute; no others."""
    said = mac.healer(
        "install",
        KUBECONFIG="~/a:b",
        COLIMA_HOME="/c",
        HEALER_ONCE_DEADLINE="5m",
        DOCKER_HOST="unix:///d",
    )

    assert 0 == said.code
    job = plistlib.loads(mac.plist.read_bytes())
    assert {
        "PATH": f"{mac.bin}:/usr/bin:/bin",
        "HOME": str(mac.home),
        "COLIMA_HOME": "/c",
        "KUBECONFIG": f"{mac.home}/a:{mac.root}/b",
    } == job["EnvironmentVariables"]
    assert "HEALER_ONCE_DEADLINE is not passed on to launchd; put it into" in said.err


def test_the_old_jobs_rest_and_come_back(mac: Mac) -> None:
    """After uninstall every file and every loaded job is as it was."""
    furnish(mac)
    files, jobs = mac.files(), mac.loaded

    assert 0 == mac.healer("install").code
    assert {mac.target(OURS): str(mac.plist)} == mac.loaded
    assert [mac.plist] == list(mac.agents.iterdir())
    said = mac.healer("uninstall")

    assert 0 == said.code, said.err
    assert (files, jobs) == (mac.files(), mac.loaded)
    assert not mac.aside.exists()


def test_twice_is_once(mac: Mac) -> None:
    """A second install loads healer anew and retires nothing; a second uninstall does nothing."""
    furnish(mac)
    mac.healer("install")
    files, jobs = mac.files(), mac.loaded
    again = mac.healer("install")
    assert (0, files, jobs) == (again.code, mac.files(), mac.loaded)
    assert not [line for line in again.err.splitlines() if "set aside" in line]
    assert f"launchctl bootout {mac.target(OURS)}" in again.err.splitlines()

    mac.healer("uninstall")
    mac.say(calls=[])
    said = mac.healer("uninstall")
    assert (0, "healer is not installed, and nothing is set aside\n") == (said.code, said.err)
    assert {"print", "print-disabled"} == {call.split()[0] for call in mac.calls()}


@pytest.mark.parametrize("command", ["install", "uninstall"])
def test_a_dry_run_changes_nothing(mac: Mac, command: str) -> None:
    """It says the very steps that are then taken, and shows the plist."""
    furnish(mac)
    if command == "uninstall":
        mac.healer("install")
    files, before = mac.files(), mac.launchd
    said = mac.healer(command, "--dry-run")
    after = mac.launchd

    assert (0, files, before["jobs"]) == (said.code, mac.files(), after["jobs"])
    asked = {call[0] for call in after["calls"][len(before["calls"]) :]}
    assert {"print", "print-disabled"} == asked
    would = [line.removeprefix("would: ") for line in said.err.splitlines()]
    assert would == mac.healer(command).err.splitlines()[: len(would)]
    if command == "install":
        assert said.out.encode() == mac.plist.read_bytes()


@pytest.mark.parametrize(("flags", "expected"), [((), "gui"), (("--user",), "user")])
def test_the_domain(mac: Mac, flags: tuple[str, ...], expected: str) -> None:
    """`gui/UID`, where launchd loads it again at login; `user/UID` when asked for, with a warning.

    The plist fits its domain; launchd refuses others.
    """
    said = mac.healer("install", *flags)

    assert 0 == said.code
    assert [mac.target(OURS, expected)] == list(mac.loaded)
    assert (expected == "user") == (
        f"warning: launchd loads nothing into user/{mac.uid}" in said.err
    )


@pytest.mark.parametrize("code", [112, 125])
@pytest.mark.parametrize(
    ("flags", "missing", "there"),
    [((), "gui", ("user",)), ((), "gui", ()), (("--user",), "user", ())],
)
def test_a_domain_that_is_not_there(
    mac: Mac, flags: tuple[str, ...], missing: str, there: tuple[str, ...], code: int
) -> None:
    """Nobody is logged in, also when somebody came by ssh: the way without a login is said."""
    furnish(mac)
    domains = ["system", *(f"{one}/{mac.uid}" for one in there)]
    mac.say(domains=domains, jobs={}, no_domain=code)
    files = mac.files()
    said = mac.healer("install", *flags, KUBECONFIG="/k")

    assert (1, files) == (said.code, mac.files())
    assert f"launchd has no {missing}/{mac.uid}" in said.err
    command = f"sudo --preserve-env=KUBECONFIG {mac.bin}/python -m healer install --system"
    assert command in said.err
    assert not mac.calls("bootstrap", "bootout")


def test_moving_to_another_domain_leaves_none_behind(mac: Mac) -> None:
    """Two healers would fight for the lock."""
    mac.healer("install", "--user")
    mac.healer("install")

    assert [mac.target(OURS)] == list(mac.loaded)


@pytest.mark.parametrize(
    ("label", "kind"),
    [
        ("com.joel.talon", "system"),
        ("com.joel.talon", "user"),
        ("homebrew.mxcl.colima", "gui"),
        ("io.lima-vm.daemon.colima", "system"),
        ("io.lima-vm.autostart.colima", "gui"),
    ],
)
def test_a_rival_is_refused_with_its_command(mac: Mac, label: str, kind: str) -> None:
    """In whatever domain; nothing is done, not even to the old jobs."""
    furnish(mac)
    mac.old_job(label, mac.daemons, kind)
    files, jobs = mac.files(), mac.loaded
    said = mac.healer("install")

    sudo = "sudo " if kind == "system" else ""
    assert (1, files, jobs) == (said.code, mac.files(), mac.loaded)
    assert f"end it with: {sudo}launchctl bootout {mac.target(label, kind)}" in said.err


def test_limas_autostart_is_a_rival_for_its_own_profile_alone(mac: Mac) -> None:
    """Another profile's VM is somebody else's."""
    config = mac.home / ".config/healer/config.toml"
    config.write_text(f'{config.read_text("utf-8")}[tower]\nprofile = "work"\n')
    mac.old_job("io.lima-vm.autostart.colima", mac.agents, "gui")
    assert 0 == mac.healer("install", "--dry-run").code
    mac.old_job("io.lima-vm.autostart.colima-work", mac.agents, "gui")
    said = mac.healer("install", "--dry-run")

    assert 1 == said.code
    assert "limactl autostart disable colima-work" in said.err


def test_an_old_job_whose_plist_is_gone_is_refused(mac: Mac) -> None:
    """It could not be put back."""
    mac.old_job(HEAL, mac.agents, "gui").unlink()
    said = mac.healer("install")

    assert (1, [mac.target(HEAL, "gui")]) == (said.code, list(mac.loaded))
    assert f"launchctl bootout {mac.target(HEAL, 'gui')}" in said.err


def test_an_old_job_loaded_through_a_link(mac: Mac) -> None:
    """A plist linked into a checkout: the link rests, and comes back as a link."""
    target = mac.old_job(HEAL, mac.home, "gui")
    link = mac.agents / "heal.plist"
    link.symlink_to(target)
    mac.healer("install")
    assert [mac.plist] == list(mac.agents.iterdir())
    assert 0 == mac.healer("uninstall").code

    assert target == link.readlink()
    assert [mac.target(HEAL, "gui")] == list(mac.loaded)


def test_an_old_job_whose_plist_launchd_spells_otherwise(mac: Mac) -> None:
    """Through a linked folder it is the same file, and one entry, not a lost one."""
    path = mac.old_job(HEAL, mac.agents, "gui")
    (mac.root / "alias").symlink_to(mac.agents)
    mac.say(jobs={mac.target(HEAL, "gui"): {"path": f"{mac.root}/alias/{path.name}"}})
    mac.healer("install")
    said = mac.healer("uninstall")

    assert 0 == said.code
    assert {mac.target(HEAL, "gui"): str(path)} == mac.loaded, said.err


def test_slow_ends_busy_labels_and_disabled_ones(mac: Mac) -> None:
    """All of launchd's manners at once: it takes its time, and it is done."""
    furnish(mac)
    mac.healer("install")
    mac.say(slow=4, slow_says=36, busy_says=37, disabled=[mac.target(OURS)])

    said = mac.healer("install")

    assert 0 == said.code, said.err
    assert ([mac.target(OURS)], []) == (list(mac.loaded), mac.launchd["disabled"])


def test_a_first_try_that_fails_is_told_and_made_again(mac: Mac) -> None:
    """5 right after a bootout is launchd's own race."""
    mac.say(faults=[{"verb": "bootstrap", "how": "5", "left": 2}])
    said = mac.healer("install")

    assert (0, [mac.target(OURS)]) == (said.code, list(mac.loaded))
    assert 2 == said.err.count("5: Input/output error; once more in ")


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ({"verb": "print", "how": "refuse"}, "1: Operation not permitted"),
        ({"verb": "bootout", "how": "hang", "of": HEAL}, "run this again"),
        ({"verb": "bootout", "how": "refuse", "of": COLIMA}, "it needs root"),
        ({"verb": "bootstrap", "how": "125", "of": OURS}, "125: Domain does not support"),
        ({"verb": "bootstrap", "how": "134", "of": f"{OURS}.plist"}, "LimitLoadToSessionType"),
        ({"verb": "bootstrap", "how": "5", "of": "trial", "left": 5}, "dislikes the plist or the"),
        ({"verb": "bootstrap", "how": "5", "of": f"{OURS}.plist", "left": 5}, "5 times"),
    ],
)
def test_a_fault_leaves_the_mac_as_it_was(mac: Mac, fault: dict[str, str], words: str) -> None:
    """Each is told in a line and ends the run; the old jobs run as before, and no part stays."""
    furnish(mac)
    files, jobs = mac.files(), mac.loaded
    mac.server = None  # launchctl is a process here, which can hang
    mac.settings["deadline"] = 5.0
    mac.say(faults=[fault])
    broken = mac.healer("install")
    assert (1, True) == (broken.code, words in broken.err), broken.err
    assert (files, jobs) == (mac.files(), mac.loaded)
    mac.settings.clear()

    assert 0 == mac.healer("install").code
    assert [mac.target(OURS)] == list(mac.loaded)
    assert 0 == mac.healer("uninstall").code
    assert (files, jobs) == (mac.files(), mac.loaded)


@pytest.mark.parametrize(
    ("comes_up", "words"),
    [
        ({"pid": None, "last_exit": "78: EX_CONFIG"}, "is not running, last exit 78: EX_CONFIG: "),
        ({"flaps": True, "last_exit": "1"}, ", last exit 1: "),
    ],
)
def test_a_healer_that_does_not_stay_up_is_told(
    mac: Mac, comes_up: dict[str, object], words: str
) -> None:
    """launchd says running while it starts it again and again: one pid must stay.

    Such a healer owns nothing, so the old jobs come back.
    """
    furnish(mac)
    files, jobs = mac.files(), mac.loaded
    mac.settings["comes_up"] = 0.5
    mac.say(comes_up={OURS: comes_up})
    said = mac.healer("install")

    assert (1, files, jobs) == (said.code, mac.files(), mac.loaded)
    assert f"{words}it does not stay up; look: tail {mac.home}/.local/log/" in said.err
    assert "healer: not installed; what was there before comes back:" in said.err


@pytest.mark.parametrize(
    ("comes_up", "words"),
    [
        ({"last_exit": "78: EX_CONFIG"}, "a trial job is not running, last exit 78: EX_CONFIG; "),
        (
            {"pid": None, "last_signal": "Killed: 9", "stale_signature": True},
            "last exit Killed: 9 (Launch Constraint Violation); look: tail ",
        ),
    ],
)
def test_a_trial_that_fails_ends_no_old_job(
    mac: Mac, comes_up: dict[str, object], words: str
) -> None:
    """launchd cannot run healer's Python there: nothing else was touched, nothing stays."""
    furnish(mac)
    files = mac.files()
    mac.say(comes_up={f"{OURS}.trial": comes_up})
    said = mac.healer("install")

    trial = mac.target(f"{OURS}.trial")
    assert (1, files) == (said.code, mac.files())
    assert words in said.err
    assert {f"bootout {trial}"} == set(mac.calls("bootout"))


def test_a_healer_of_before_comes_back_when_the_new_one_does_not_load(mac: Mac) -> None:
    """Its plist and its domain, though the new plist was written over the old."""
    mac.healer("install", "--user", KUBECONFIG="/old")
    files, jobs = mac.files(), mac.loaded
    of = f"gui/{mac.uid} {mac.plist}"
    mac.say(faults=[{"verb": "bootstrap", "how": "5", "of": of, "left": 99}])
    said = mac.healer("install")

    assert (1, files, jobs) == (said.code, mac.files(), mac.loaded), said.err


def test_when_launchd_takes_no_healer_any_more_the_retired_jobs_come_back(mac: Mac) -> None:
    """Somebody must own the tower."""
    furnish(mac)
    files, jobs = mac.files(), mac.loaded
    mac.healer("install")
    mac.say(faults=[{"verb": "bootstrap", "how": "5", "of": f"{OURS}.plist", "left": 99}])
    said = mac.healer("install")

    assert (1, files, jobs) == (said.code, mac.files(), mac.loaded), said.err
    assert "healer: the jobs that healer had retired come back:" in said.err


def test_a_restoration_that_fails_is_told_and_finished_by_the_next_run(mac: Mac) -> None:
    """healer does not load, and then launchctl hangs: what is noted brings all back later."""
    furnish(mac)
    files, jobs = mac.files(), mac.loaded
    mac.server, mac.settings["deadline"] = None, 5.0
    refused = {"verb": "bootstrap", "how": "5", "of": f"{OURS}.plist", "left": 5}
    mac.say(faults=[refused, {"verb": "bootstrap", "how": "hang", "of": "heal.plist"}])
    said = mac.healer("install")
    assert (1, "") == (said.code, mac.loaded.get(mac.target(HEAL), ""))
    assert "not all is back; `healer install` or `healer uninstall` goes on with it" in said.err
    mac.settings.clear()

    assert 0 == mac.healer("uninstall").code
    assert (files, jobs) == (mac.files(), mac.loaded)


def test_a_python_that_cannot_start_healer_is_refused(mac: Mac) -> None:
    """Under launchd's bare environment; before anything is touched."""
    furnish(mac)
    files = mac.files()
    (mac.bin / "python").write_text("#!/bin/sh\necho no module named healer >&2; exit 1\n")
    said = mac.healer("install")

    assert (1, files) == (said.code, mac.files())
    assert "launchd could not start healer" in said.err
    assert "ended with 1 and said: no module named healer" in said.err


def test_a_python_that_will_be_gone_is_refused(mac: Mac) -> None:
    """Nothing is looked at even; it says how to install to stay."""
    mac.settings |= {"temporary": True, "python": "/tmp/uvx/bin/python"}
    said = mac.healer("install")

    assert 1 == said.code
    assert "/tmp/uvx/bin/python lies in /tmp, which is emptied" in said.err
    assert "uv tool install healer" in said.err


def test_bad_settings_are_seventy_eight(mac: Mac) -> None:
    """Both commands; a healer that cannot start is not installed."""
    (mac.home / ".config/healer/config.toml").write_text("[once]\ndeadlin = '5m'\n")
    for command in ("install", "uninstall"):
        said = mac.healer(command)
        assert (78, True) == (said.code, "deadline" in said.err)


def test_without_launchd_it_says_so(mac: Mac) -> None:
    """A Linux machine."""
    (mac.bin / "launchctl").unlink()
    for command in ("install", "uninstall"):
        said = mac.healer(command)
        assert (1, True) == (said.code, "there is no launchctl on" in said.err)


def test_system_and_gui_at_once_is_wrong_usage(mac: Mac) -> None:
    """As is a `--dry-run` before the command, which means `--once`."""
    assert 2 == mac.healer("install", "--system", "--user").code
    assert 2 == mac.healer("--dry-run", "install").code


def test_a_damaged_manifest_stops_everything(mac: Mac) -> None:
    """It is never taken for an empty one: what it names would be lost."""
    furnish(mac)
    mac.healer("install")
    (mac.aside / "manifest.json").write_text("{")
    jobs = mac.loaded
    for command in ("install", "uninstall"):
        said = mac.healer(command)
        assert (1, jobs) == (said.code, mac.loaded)
        assert "manifest.json: not understood" in said.err


def test_an_old_job_that_will_not_load_keeps_none_waiting(mac: Mac) -> None:
    """Its plist is back where launchd finds it; that it is not loaded is told."""
    furnish(mac)
    files, jobs = mac.files(), mac.loaded
    mac.healer("install")
    mac.say(faults=[{"verb": "bootstrap", "how": "5", "left": 5}])
    said = mac.healer("uninstall")

    assert (1, files) == (said.code, mac.files())
    assert 1 == len(jobs) - len(mac.loaded)
    assert "launchd dislikes the plist or the domain" in said.err


class TestBySudo:
    """Root does it for the user behind sudo."""

    @pytest.fixture(name="mac")
    def fixture_mac(self, tmp_path: Path, server: Server) -> Mac:
        """A Mac of joel's, whose folders are joel's."""
        if os.geteuid() != 0:
            pytest.skip("only root can be root")
        return joels_mac(tmp_path, server)

    def test_system(self, mac: Mac) -> None:
        """A daemon that runs as joel, of a plist that is root's; joel's folders stay joel's."""
        furnish(mac)
        mac.old_job(COLIMA, mac.daemons, "system")
        files, jobs = mac.files(), mac.loaded
        said = mac.healer("install", "--system", SUDO_USER="joel", HOME="/var/root")

        path = mac.daemons / f"{OURS}.plist"
        assert 0 == said.code, said.err
        assert {f"system/{OURS}": str(path)} == mac.loaded
        job = plistlib.loads(path.read_bytes())
        assert ("joel", str(mac.home)) == (job["UserName"], job["EnvironmentVariables"]["HOME"])
        assert (0, 0) == (path.stat().st_uid, path.stat().st_gid)
        state = mac.home / ".local/state/healer"
        for one in (state, state / "set-aside/manifest.json", mac.home / ".local/log"):
            assert 501 == one.stat().st_uid, one
        assert 0 == mac.healer("uninstall", SUDO_USER="joel").code
        assert (files, jobs) == (mac.files(), mac.loaded)

    def test_an_agent(self, mac: Mac) -> None:
        """Without --system it is joel's agent, in joel's domain, of joel's file."""
        assert 0 == mac.healer("install", SUDO_USER="joel").code

        assert {f"gui/501/{OURS}": str(mac.plist)} == mac.loaded
        assert (501, 20) == (mac.plist.stat().st_uid, mac.plist.stat().st_gid)

    def test_root_alone_owns_no_tower(self, mac: Mac) -> None:
        """A healer of root's would look into root's home."""
        said = mac.healer("install", "--system")

        assert (1, {}) == (said.code, mac.loaded)
        assert "call it by sudo" in said.err

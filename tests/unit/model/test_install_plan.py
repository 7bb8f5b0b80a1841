"""What install and uninstall would do, from what is seen alone."""

from dataclasses import replace
from pathlib import Path

import pytest

from healer.model.install_plan import (
    BackUp,
    Bootout,
    Bootstrap,
    Enable,
    EndsWell,
    Keep,
    Note,
    PutBack,
    Remove,
    Revert,
    Seen,
    SetAside,
    StaysUp,
    Step,
    Wanted,
    Write,
    needs_root,
    obstacles,
    plan_install,
    plan_restore,
    plan_uninstall,
)
from healer.model.launch_agent import TRIAL
from healer.model.launchd import Domain, DomainKind, LoadedJob
from healer.model.set_aside import Kept, Manifest, PlistFile

HOME = Path("/Users/joel")
AGENTS = HOME / "Library/LaunchAgents"
DAEMONS = Path("/Library/LaunchDaemons")
HEAL = "com.joel.k8s-reboot-heal"
COLIMA = "com.joel.colima"
OURS = "com.joel.healer"
USER, GUI = Domain(DomainKind.USER, 501), Domain(DomainKind.GUI, 501)
NOTHING = Seen(
    domains=(Domain(DomainKind.SYSTEM, 501), USER, GUI),
    jobs={},
    files=(),
    disabled=frozenset(),
    manifest=Manifest(),
    asides=frozenset(),
)
TRIAL_PATH = AGENTS / f"{TRIAL}.plist"
WANTED = Wanted(GUI, AGENTS / f"{OURS}.plist", b"plist", TRIAL_PATH, b"trial")
TRY: list[Step] = [
    Write(TRIAL_PATH, b"trial"),
    Bootstrap("gui/501", TRIAL, TRIAL_PATH),
    EndsWell(f"gui/501/{TRIAL}"),
    Bootout(f"gui/501/{TRIAL}"),
    Remove(TRIAL_PATH),
]
WRITTEN = Write(WANTED.path, b"plist")
LOADED: list[Step] = [Bootstrap("gui/501", OURS, WANTED.path), StaysUp(f"gui/501/{OURS}")]
OLD = PlistFile(OURS, WANTED.path, "x")
OLD_KEPT = Kept(OURS, WANTED.path, "", ("user/501",))
OLD_JOB = {f"user/501/{OURS}": LoadedJob(path=WANTED.path)}
HEAL_FILE = PlistFile(HEAL, AGENTS / "heal.plist", "heal.1.plist")
HEAL_JOB = {f"gui/501/{HEAL}": LoadedJob(path=HEAL_FILE.path)}
HEAL_KEPT = Kept(HEAL, HEAL_FILE.path, HEAL_FILE.aside, ("gui/501",))
RETIRED = replace(NOTHING, manifest=Manifest((HEAL_KEPT,)), asides=frozenset({HEAL_KEPT.aside}))


def test_on_a_fresh_mac_it_is_tried_written_and_loaded() -> None:
    """That there was nothing before is noted too: a failure must leave nothing."""
    expected = [*TRY, Keep(Manifest((), ())), WRITTEN, *LOADED, Keep(Manifest())]
    assert expected == plan_install(NOTHING, WANTED)


def test_the_old_ones_end_after_the_trial_and_move_after_healer_stays_up() -> None:
    """So that a failure, or a cut anywhere, loses neither them nor where they were loaded."""
    seen = replace(NOTHING, jobs=HEAL_JOB, files=(HEAL_FILE,))

    expected = [
        *TRY,
        Keep(Manifest((HEAL_KEPT,), (HEAL_KEPT,))),
        WRITTEN,
        Bootout(f"gui/501/{HEAL}"),
        *LOADED,
        SetAside(HEAL_FILE.path, HEAL_FILE.aside),
        Keep(Manifest((HEAL_KEPT,))),
    ]
    assert expected == plan_install(seen, WANTED)


def test_a_second_install_retires_nothing_again() -> None:
    """It loads healer anew, and keeps the one of before until the new one stays up."""
    seen = replace(RETIRED, jobs=OLD_JOB, files=(OLD,))

    assert [
        *TRY,
        Keep(Manifest((HEAL_KEPT,), (OLD_KEPT,))),
        BackUp(WANTED.path),
        WRITTEN,
        Bootout(f"user/501/{OURS}"),
        *LOADED,
        Keep(Manifest((HEAL_KEPT,))),
    ] == plan_install(seen, WANTED)


def test_healer_lives_in_one_place_only() -> None:
    """Whatever domain and folder it lived in before."""
    old = PlistFile(OURS, DAEMONS / f"{OURS}.plist", "x")
    jobs = {f"system/{OURS}": LoadedJob(path=old.path), f"gui/501/{OURS}": LoadedJob()}
    steps = plan_install(replace(NOTHING, jobs=jobs, files=(old,)), WANTED)

    domains = ("system", "gui/501")  # the only plist of its name
    assert [
        *TRY,
        Keep(Manifest((), (Kept(OURS, old.path, "", domains),))),
        WRITTEN,
        Bootout(f"system/{OURS}"),
        Bootout(f"gui/501/{OURS}"),
        *LOADED,
        Remove(old.path),
        Keep(Manifest()),
    ] == steps
    assert needs_root(steps, HOME)


def test_a_disabled_label_is_enabled_first() -> None:
    """Only in the domain that is meant."""
    both = frozenset({f"user/501/{OURS}", f"gui/501/{OURS}"})

    steps = plan_install(replace(NOTHING, disabled=both), WANTED)

    assert [WRITTEN, Enable(f"gui/501/{OURS}"), *LOADED] == steps[6:-1]


def test_a_plist_that_launchd_loads_by_nobody_is_left_where_it_is() -> None:
    """One in somebody's checkout: ended, noted, loaded from there again."""
    path = HOME / "Code/colima.plist"
    job = {f"user/501/{COLIMA}": LoadedJob(path=path)}
    seen = replace(NOTHING, jobs=job, elsewhere=frozenset({path}))
    left = Kept(COLIMA, path, "", ("user/501",))

    steps = plan_install(seen, WANTED)
    assert Keep(Manifest((left,), (left,))) in steps
    assert SetAside not in [type(one) for one in steps]
    back = plan_uninstall(replace(NOTHING, manifest=Manifest((left,)), elsewhere=frozenset({path})))
    assert [Bootstrap("user/501", COLIMA, path), Keep(Manifest())] == back


def test_an_install_goes_on_with_one_that_was_cut_off() -> None:
    """What was there before that counts, and not the half that it left."""
    noted = Manifest((HEAL_KEPT,), (OLD_KEPT, HEAL_KEPT))
    half = replace(NOTHING, manifest=noted, files=(OLD, HEAL_FILE))
    trial = replace(half, jobs={f"gui/501/{TRIAL}": LoadedJob()})

    steps = plan_install(half, WANTED)
    assert [*TRY, BackUp(WANTED.path), WRITTEN, *LOADED] == steps[:9]
    assert [Bootout(f"gui/501/{TRIAL}"), *steps] == plan_install(trial, WANTED)
    assert not obstacles(trial)


def test_an_installation_that_failed_is_undone() -> None:
    """healer's old plist and job and the retired ones are back as they were."""
    noted = Manifest((HEAL_KEPT,), (OLD_KEPT, HEAL_KEPT))
    jobs = {f"gui/501/{OURS}": LoadedJob()}
    failed = replace(NOTHING, manifest=noted, files=(OLD, HEAL_FILE), jobs=jobs)

    expected: list[Step] = [
        Bootout(f"gui/501/{OURS}"),
        Revert(WANTED.path),
        Bootstrap("user/501", OURS, WANTED.path),
        Bootstrap("gui/501", HEAL, HEAL_FILE.path),
        Keep(Manifest()),
    ]
    assert expected == plan_restore(failed)


def test_of_one_that_failed_on_a_fresh_mac_nothing_stays() -> None:
    """Nor of its trial; where none is under way there is nothing to undo."""
    trial = PlistFile(TRIAL, TRIAL_PATH, "x")
    failed = replace(NOTHING, manifest=Manifest((), ()), files=(OLD, trial))

    assert [Remove(TRIAL_PATH), Remove(WANTED.path), Keep(Manifest())] == plan_restore(failed)
    assert [] == plan_restore(replace(RETIRED, files=(OLD,), jobs=OLD_JOB))


def test_an_old_job_without_a_plist_is_an_obstacle() -> None:
    """It could not be put back, and nothing is lost silently."""
    target = f"user/501/{COLIMA}"
    for path in (None, HOME / "gone.plist"):
        [words] = obstacles(replace(NOTHING, jobs={target: LoadedJob(path=path)}))
        assert f"launchctl bootout {target}" in words


def test_an_unnamed_plist_is_the_only_one_of_its_label() -> None:
    """launchd's page is no promise; one file of that label is its plist."""
    seen = replace(NOTHING, jobs={f"gui/501/{HEAL}": LoadedJob()}, files=(HEAL_FILE,))

    assert [] == obstacles(seen)
    assert Keep(Manifest((HEAL_KEPT,), (HEAL_KEPT,))) in plan_install(seen, WANTED)


def test_rivals_are_obstacles_with_their_command() -> None:
    """Two owners fight (R10); old jobs and healer itself are none."""
    talon = LoadedJob(path=DAEMONS / "com.joel.talon.plist")
    jobs = {
        "system/com.joel.talon": talon,
        f"gui/501/{OURS}": LoadedJob(),
        "gui/501/homebrew.mxcl.colima": LoadedJob(),
        **HEAL_JOB,
    }
    one, other = obstacles(replace(NOTHING, jobs=jobs, files=(HEAL_FILE,)))

    assert "end it with: sudo launchctl bootout system/com.joel.talon (" in one
    assert "(/Library/LaunchDaemons/com.joel.talon.plist would load it again" in one
    assert "end it with: launchctl bootout gui/501/homebrew.mxcl.colima (its plist" in other


def test_uninstall_brings_everything_back() -> None:
    """healer goes first; what is back is forgotten last."""
    seen = replace(RETIRED, jobs=OLD_JOB, files=(OLD,))

    assert [
        Bootout(f"user/501/{OURS}"),
        Remove(WANTED.path),
        PutBack(HEAL_KEPT.aside, HEAL_KEPT.path),
        Bootstrap("gui/501", HEAL, HEAL_KEPT.path),
        Keep(Manifest()),
    ] == plan_uninstall(seen)


def test_uninstall_finishes_what_was_cut_off() -> None:
    """After the move back, and after the load."""
    moved = replace(RETIRED, asides=frozenset(), files=(HEAL_FILE,))
    loaded = replace(moved, jobs=HEAL_JOB)

    expected: list[Step] = [Bootstrap("gui/501", HEAL, HEAL_KEPT.path), Keep(Manifest())]
    assert expected == plan_uninstall(moved)
    assert expected[1:] == plan_uninstall(loaded)
    assert [] == plan_uninstall(NOTHING)
    assert [Keep(Manifest())] == plan_uninstall(replace(NOTHING, manifest=Manifest((), ())))


def test_a_domain_that_is_not_there_waits_for_its_login() -> None:
    """The plist is back, and launchd loads it with the domain."""
    steps = plan_uninstall(replace(RETIRED, domains=(USER,)))

    assert [PutBack, Note, Keep] == [type(step) for step in steps]
    assert f"gui/501 is not there now: {HEAL} is loaded with it" == str(steps[1])


def test_what_somebody_put_there_meanwhile_stays() -> None:
    """The older copy stays aside; neither is written over."""
    theirs = replace(HEAL_FILE, aside="heal.2.plist")

    steps = plan_uninstall(replace(RETIRED, files=(theirs,)))

    assert [Note, Keep] == [type(step) for step in steps]
    assert "stays as heal.1.plist" in str(steps[0])


def test_of_two_for_one_place_the_newest_goes_back() -> None:
    """It is what was there last."""
    newer = replace(HEAL_KEPT, aside="heal.2.plist")
    asides = frozenset({"heal.1.plist", newer.aside})
    seen = replace(RETIRED, manifest=Manifest((HEAL_KEPT, newer)), asides=asides)

    steps = plan_uninstall(seen)

    assert [PutBack(newer.aside, newer.path)] == [one for one in steps if isinstance(one, PutBack)]
    assert Keep(Manifest()) == steps[-1]


def test_a_plist_that_is_lost_is_said() -> None:
    """And does not keep the rest from coming back."""
    steps = plan_uninstall(replace(RETIRED, asides=frozenset()))

    assert [Note, Keep] == [type(step) for step in steps]
    assert "cannot be put back" in str(steps[0])


@pytest.mark.parametrize(
    ("step", "root"),
    [
        (Bootout(f"system/{HEAL}"), True),
        (Bootout(f"gui/501/{HEAL}"), False),
        (Enable(f"system/{OURS}"), True),
        (Bootstrap("system", OURS, DAEMONS / "x.plist"), True),
        (SetAside(DAEMONS / "x.plist", "x"), True),
        (SetAside(AGENTS / "x.plist", "x"), False),
        (PutBack("x", Path("/Library/LaunchAgents/x.plist")), True),
        (Remove(DAEMONS / "x.plist"), True),
        (Write(AGENTS / "x.plist", b""), False),
        (BackUp(DAEMONS / "x.plist"), True),
        (Revert(AGENTS / "x.plist"), False),
        (StaysUp(f"system/{OURS}"), False),
        (Keep(Manifest()), False),
        (Note(""), False),
    ],
)
def test_what_needs_root(step: Step, *, root: bool) -> None:
    """The system's domain, and every file outside the home."""
    assert root == needs_root([step], HOME)


def test_a_step_reads_as_it_is_typed() -> None:
    """A path with a blank is quoted."""
    path = Path("/Users/joel h/x.plist")

    assert f"launchctl bootstrap gui/501 '{path}'" == str(Bootstrap("gui/501", OURS, path))
    assert f"set aside '{path}'" == str(SetAside(path, "x"))
    assert "note what is retired: nothing" == str(Keep(Manifest()))
    assert f"note what is retired: {HEAL}" == str(Keep(Manifest((HEAL_KEPT, HEAL_KEPT))))
    assert "note what is there now: nothing" == str(Keep(Manifest((HEAL_KEPT,), ())))
    assert f"back up '{path}'" == str(BackUp(path))
    assert f"restore '{path}'" == str(Revert(path))

"""What install and uninstall would do, from what is seen alone."""

from dataclasses import replace
from pathlib import Path

import pytest

from healer.model.install_plan import (
    Bootout,
    Bootstrap,
    Enable,
    Keep,
    Note,
    PutBack,
    Remove,
    Seen,
    SetAside,
    Step,
    Wanted,
    Write,
    needs_root,
    obstacles,
    plan_install,
    plan_uninstall,
)
from healer.model.launchd import Domain, DomainKind, LoadedJob
from healer.model.set_aside import Kept, PlistFile

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
    kept=(),
    asides=frozenset(),
)
WANTED = Wanted(USER, AGENTS / f"{OURS}.plist", b"plist")
FRESH = [Write(WANTED.path, b"plist"), Bootstrap("user/501", OURS, WANTED.path)]
HEAL_FILE = PlistFile(HEAL, AGENTS / "heal.plist", "heal.1.plist")
HEAL_JOB = {f"gui/501/{HEAL}": LoadedJob(path=HEAL_FILE.path)}
HEAL_KEPT = Kept(HEAL, HEAL_FILE.path, HEAL_FILE.aside, ("gui/501",))
RETIRED = replace(NOTHING, kept=(HEAL_KEPT,), asides=frozenset({HEAL_KEPT.aside}))


def test_on_a_fresh_mac_it_is_written_and_loaded() -> None:
    """Nothing else."""
    assert FRESH == plan_install(NOTHING, WANTED)


def test_what_is_retired_is_noted_first_and_moved_last() -> None:
    """So that no cut in between loses where it was loaded."""
    seen = replace(NOTHING, jobs=HEAL_JOB, files=(HEAL_FILE,))

    expected = [
        Keep((HEAL_KEPT,)),
        Bootout(f"gui/501/{HEAL}"),
        SetAside(HEAL_FILE.path, HEAL_FILE.aside),
        *FRESH,
    ]
    assert expected == plan_install(seen, WANTED)


def test_a_second_install_retires_nothing_again() -> None:
    """It loads healer anew, which takes a new version into use."""
    ours = PlistFile(OURS, WANTED.path, "x")
    seen = replace(RETIRED, jobs={f"user/501/{OURS}": LoadedJob()}, files=(ours,))

    assert [Bootout(f"user/501/{OURS}"), *FRESH] == plan_install(seen, WANTED)


def test_healer_lives_in_one_place_only() -> None:
    """Whatever domain and folder it lived in before."""
    old = PlistFile(OURS, DAEMONS / f"{OURS}.plist", "x")
    jobs = {f"system/{OURS}": LoadedJob(), f"gui/501/{OURS}": LoadedJob()}
    steps = plan_install(replace(NOTHING, jobs=jobs, files=(old,)), WANTED)

    expected = [Bootout(f"system/{OURS}"), Bootout(f"gui/501/{OURS}"), Remove(old.path), *FRESH]
    assert expected == steps
    assert needs_root(steps, HOME)


def test_a_disabled_label_is_enabled_first() -> None:
    """Only in the domain that is meant."""
    both = frozenset({f"user/501/{OURS}", f"gui/501/{OURS}"})

    steps = plan_install(replace(NOTHING, disabled=both), WANTED)

    assert [FRESH[0], Enable(f"user/501/{OURS}"), FRESH[1]] == steps


def test_a_plist_that_launchd_loads_by_nobody_is_left_where_it_is() -> None:
    """One in somebody's checkout: ended, noted, loaded from there again."""
    path = HOME / "Code/colima.plist"
    job = {f"user/501/{COLIMA}": LoadedJob(path=path)}
    seen = replace(NOTHING, jobs=job, elsewhere=frozenset({path}))
    left = Kept(COLIMA, path, "", ("user/501",))

    steps = plan_install(seen, WANTED)
    assert [Keep((left,)), Bootout(f"user/501/{COLIMA}"), *FRESH] == steps
    back = plan_uninstall(replace(NOTHING, kept=(left,), elsewhere=frozenset({path})))
    assert [Bootstrap("user/501", COLIMA, path), Keep(())] == back


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
    assert Keep((HEAL_KEPT,)) == plan_install(seen, WANTED)[0]


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
    ours = PlistFile(OURS, WANTED.path, "x")
    seen = replace(RETIRED, jobs={f"user/501/{OURS}": LoadedJob()}, files=(ours,))

    assert [
        Bootout(f"user/501/{OURS}"),
        Remove(WANTED.path),
        PutBack(HEAL_KEPT.aside, HEAL_KEPT.path),
        Bootstrap("gui/501", HEAL, HEAL_KEPT.path),
        Keep(()),
    ] == plan_uninstall(seen)


def test_uninstall_finishes_what_was_cut_off() -> None:
    """After the move back, and after the load."""
    moved = replace(RETIRED, asides=frozenset(), files=(HEAL_FILE,))
    loaded = replace(moved, jobs=HEAL_JOB)

    expected: list[Step] = [Bootstrap("gui/501", HEAL, HEAL_KEPT.path), Keep(())]
    assert expected == plan_uninstall(moved)
    assert expected[1:] == plan_uninstall(loaded)
    assert [] == plan_uninstall(NOTHING)


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
    seen = replace(
        RETIRED, kept=(HEAL_KEPT, newer), asides=frozenset({"heal.1.plist", newer.aside})
    )

    steps = plan_uninstall(seen)

    assert [PutBack(newer.aside, newer.path)] == [one for one in steps if isinstance(one, PutBack)]
    assert Keep(()) == steps[-1]


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
        (Keep(()), False),
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
    assert "note what is retired: nothing" == str(Keep(()))
    assert f"note what is retired: {HEAL}" == str(Keep((HEAL_KEPT, HEAL_KEPT)))

"""Scenarios from TOML: what is right is read, and what is wrong is named with its place."""

from pathlib import Path

import pytest

from healer.core.facts import Rule
from healer.core.ladders import Remedy
from healer.core.reasons import Reason
from healer.core.tower import Layer
from healer.drills.library import find
from healer.drills.loading import ScenarioError, load, parse
from healer.drills.names import names
from healer.drills.scenario import Expect, Happens, Scenario

WHOLE = """
about = \"\"\"
Something
happens.
\"\"\"
incidents = [5, 7]
lasts = "1h30m"

[[happens]]
what = "vm_zombie"

[[happens]]
at = "2m"
what = "noise"
seconds = "10m"
percent = 1

[[happens]]
at = 300
what = "healer_paused"
layer = "node"

[expect]
acts = ["cycle_vm", ["untaint", "delete_flannel_pod"]]
may = ["reforward"]
never = ["force_cycle_vm"]
untouched = ["livekit"]
incidents = 1
notices = ["opened", "resolved"]
reports = ["pods.crash_loop"]
refused = ["witness_alive"]
gives_up = ["colima"]
well_within = "5m"
ill = true
"""


def test_a_whole_scenario_is_read() -> None:
    """Every key of the form, times as people write them, and words of the closed lists."""
    expected = Scenario(
        name="mine",
        about="Something happens.",
        happens=(
            Happens(0.0, "vm_zombie"),
            Happens(120.0, "noise", {"seconds": 600.0, "percent": 1.0}),
            Happens(300.0, "healer_paused", {"layer": "node"}),
        ),
        expect=Expect(
            acts=(
                frozenset({Remedy.CYCLE_VM}),
                frozenset({Remedy.UNTAINT, Remedy.DELETE_FLANNEL_POD}),
            ),
            may=frozenset({Remedy.REFORWARD}),
            never=frozenset({Remedy.FORCE_CYCLE_VM}),
            untouched=frozenset({Layer.LIVEKIT}),
            incidents=1,
            notices=("opened", "resolved"),
            reports=frozenset({Reason.POD_CRASH_LOOP}),
            refused=frozenset({Rule.WITNESS_ALIVE}),
            gives_up=frozenset({Layer.COLIMA}),
            well_within=300.0,
            ill=True,
        ),
        incidents=(5, 7),
        lasts=5400.0,
    )

    assert expected == parse(WHOLE, "mine", "mine.toml")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("expect = {}", "mine.toml: about: is missing"),
        ('about = "x"\nlast = "1h"', 'mine.toml:2: last: unknown key; did you mean "lasts"?'),
        ('about = "x"\nlasts = "soon"', "mine.toml:2: lasts: 'soon' is no time"),
        ('about = "x"\nlasts = "99d"', "mine.toml:2: lasts: '99d' is longer than forty days"),
        ('about = ""', "mine.toml:1: about: '' should be text"),
        ('about = "x"\nincidents = ["one"]', "mine.toml:2: incidents: 'one' should be a whole"),
        ('about = "x"\nhappens = 1', "mine.toml:2: happens: 1 should be a list"),
        (
            'about = "x"\n[[happens]]\nwhat = "vm_zombi"',
            "mine.toml:3: happens[1].what: 'vm_zombi' is nothing that can happen; did you mean",
        ),
        ('about = "x"\n[[happens]]\nat = 1', "mine.toml:2: happens[1].what: is missing"),
        (
            'about = "x"\n[[happens]]\nwhat = "noise"\npercents = 1',
            'mine.toml:4: happens[1].percents: unknown key; did you mean "percent"?',
        ),
        (
            'about = "x"\n[[happens]]\nwhat = "noise"\npercent = 99',
            "mine.toml:4: happens[1].percent: 99 should be a number from 0.1 to 3",
        ),
        (
            'about = "x"\n[[happens]]\nwhat = "crash_loop"\nworkload = "nginx"',
            "mine.toml:4: happens[1].workload: 'nginx' should be one of: typesense,",
        ),
        (
            'about = "x"\n[expect]\nnever = ["restart_vm"]',
            "mine.toml:3: expect.never: 'restart_vm' is no remedy; did you mean",
        ),
        (
            'about = "x"\n[expect]\nnotices = ["open"]',
            "mine.toml:3: expect.notices: 'open' is no kind of notice; did you mean \"opened\"?",
        ),
        (
            'about = "x"\n[expect]\nacts = ["untaint"]\nnever = ["start_vm", "untaint"]',
            "mine.toml:4: expect.never: untaint is in acts too; remove it from one of the two",
        ),
        (
            'about = "x"\n[expect]\nmay = ["untaint"]\nnever = ["untaint"]',
            "mine.toml:4: expect.never: untaint is in may too; remove it from one of the two",
        ),
        ('about = "x"\n[expect]\nill = 1', "mine.toml:3: expect.ill: 1 should be true or false"),
        ('about = "x"\nexpect = 1', "mine.toml:2: expect: 1 should be a table of keys"),
        ("about = ", "mine.toml: not valid TOML"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(text: str, problem: str) -> None:
    """File, line, key, value and remedy; nothing is guessed away."""
    with pytest.raises(ScenarioError) as raised:
        parse(text, "mine", "mine.toml")

    assert [problem] == [one[: len(problem)] for one in raised.value.problems]


def test_all_that_is_wrong_is_said_at_once() -> None:
    """Nobody mends a file line by line."""
    with pytest.raises(ScenarioError) as raised:
        parse('lasts = "soon"\n[expect]\nnever = ["x"]\nils = true', "mine", "mine.toml")

    assert 4 == len(raised.value.problems)


def test_a_file_of_ones_own_is_found_by_its_path(tmp_path: Path) -> None:
    """A path is told from a name by its slash or its ending."""
    path = tmp_path / "mine.toml"
    path.write_text(WHOLE)

    assert parse(WHOLE, "mine", str(path)) == find(str(path))


@pytest.mark.parametrize(
    ("content", "problem"),
    [(None, "No such file or directory; look with: ls -l"), (b"\xff", "byte 0 is not UTF-8")],
)
def test_a_file_that_cannot_be_read_says_why(
    tmp_path: Path, content: bytes | None, problem: str
) -> None:
    """Path, cause and remedy."""
    path = tmp_path / "mine.toml"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(ScenarioError, match=problem):
        load(path)


def test_an_unknown_name_gets_a_near_miss() -> None:
    """A slip of the pen costs one look."""
    with pytest.raises(ScenarioError, match=r"'zombi' is no scenario; did you mean .zombie"):
        find("zombi")
    with pytest.raises(ScenarioError, match="is no scenario; `healer drill --list`"):
        find("xyzzy")


@pytest.mark.parametrize("name", names())
def test_every_scenario_that_comes_with_healer_is_read(name: str) -> None:
    """And each says what it is about, and expects something."""
    scenario = find(name)

    assert name == scenario.name
    assert len(scenario.about) > 30
    assert scenario.expect != Expect()

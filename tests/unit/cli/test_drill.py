"""`healer drill` from the command line: usage, lists, verdicts, exit codes."""

import io
import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console

from healer.cli import drill_all, main
from healer.cli.drill_face import Drawn, Paced
from healer.cli.drill_lines import Line, clock
from healer.core.facts import Ticked
from healer.core.world import World
from healer.drills.names import names
from healer.engine.telling import Told, nothing_awaited

Capture = pytest.CaptureFixture[str]
QUICK = 'about = "The taint comes back."\n[[happens]]\nat = "20s"\nwhat = "taint_put_back"\n'


@pytest.fixture(name="mine")
def fixture_mine(tmp_path: Path) -> Callable[[str], str]:
    """Writes a scenario of one's own; returns its path."""

    def write(expect: str) -> str:
        path = tmp_path / "mine.toml"
        path.write_text(f"{QUICK}[expect]\n{expect}\n")
        return str(path)

    return write


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "name one scenario, or give one of --list, --all and --random"),
        (["zombie", "--all"], "name one scenario"),
        (["zombi"], 'did you mean "zombie"?'),
        (["./nowhere.toml"], "No such file or directory"),
    ],
)
def test_wrong_usage_is_2_and_says_what_to_do(words: list[str], said: str, capsys: Capture) -> None:
    """Nothing is played, and stdout stays empty."""
    assert 2 == main(["drill", *words])
    out, err = capsys.readouterr()
    assert "" == out
    assert said in err


@pytest.mark.parametrize("speed", ["slow", "0", "-1", "inf", "nan"])
def test_a_speed_must_be_one(speed: str, capsys: Capture) -> None:
    """`real`, or a number above 0."""
    with pytest.raises(SystemExit) as ended:
        main(["drill", "zombie", "--speed", speed])

    assert 2 == ended.value.code
    assert "is no speed: write real, or a number like 20" in capsys.readouterr().err


def test_the_list_names_scenarios_incidents_and_happenings(capsys: Capture) -> None:
    """A reader finds what there is, what cannot be played and why, and words for a file."""
    assert 0 == main(["drill", "--list"])
    listed = capsys.readouterr().out

    assert [] == [one for one in names() if f"  {one} " not in listed]
    assert "There is no model in the loop" in listed
    assert "healer_paused" in listed
    assert "vm_zombie" in listed
    assert (
        "layer = '' (of which layer; of all when it is left out; '', 'host', 'colima'"
        in " ".join(listed.split())
    )
    assert "Layer." not in listed
    assert [] == [line for line in listed.splitlines() if len(line) > 100]


def test_the_list_is_a_document_too(capsys: Capture) -> None:
    """For programs."""
    assert 0 == main(["drill", "--list", "--json"])
    listed = json.loads(capsys.readouterr().out)

    assert list(names()) == [one["name"] for one in listed["scenarios"]]
    assert list(range(1, 37)) == [one["number"] for one in listed["incidents"]]


def test_a_drill_that_goes_as_expected_is_0(mine: Callable[[str], str], capsys: Capture) -> None:
    """A file of one's own is played like any other."""
    assert 0 == main(["drill", mine('acts = ["untaint"]')])
    out = capsys.readouterr().out

    assert "0:00:20.0  ⚡ tower      taint put back" in out
    assert "⚒ node       remove the control-plane taint" in out
    assert "✔ mine (seed 0): passed" in out
    assert "all 17 kept" in out


def test_a_drill_that_does_not_is_1_and_names_the_command(
    mine: Callable[[str], str], capsys: Capture
) -> None:
    """What was expected, what came, and how to see it again."""
    path = mine("acts = []")
    assert 1 == main(["drill", path, "--seed", "3"])
    out = capsys.readouterr().out

    assert "✗ mine (seed 3): failed" in out
    assert "  acts: expected none; done: untaint" in out
    assert f"again with: healer drill {path} --seed 3" in out


def test_a_deadline_that_nobody_can_meet_breaks_no_promise(
    mine: Callable[[str], str], capsys: Capture
) -> None:
    """A wish in a file is an expectation; what healer promises does not depend on it."""
    assert 1 == main(["drill", mine('well_within = "1s"'), "--json"])
    document = json.loads(capsys.readouterr().out)

    assert ["well_within"] == [one["key"] for one in document["missed"]]
    assert [] == document["broken"]


def test_a_drill_is_a_document_too(mine: Callable[[str], str], capsys: Capture) -> None:
    """Verdict and all that the document of a pass has."""
    assert 1 == main(["drill", mine("incidents = 5"), "--json"])
    document = json.loads(capsys.readouterr().out)

    assert (1, False) == (document["exit_code"], document["passed"])
    assert [{"key": "incidents", "what": "expected 5; there were: node.tainted"}] == document[
        "missed"
    ]
    assert ["untaint"] == [one["remedy"] for one in document["acts"]]
    assert {"ok"} == {one["state"] for one in document["layers"]}


def test_a_drawn_scenario_is_the_same_for_the_same_seed(capsys: Capture) -> None:
    """To the byte, and the command that repeats it stands in it."""
    outs = []
    for _ in range(2):
        assert 0 == main(["drill", "--random", "--seed", "6", "--json"])
        outs.append(capsys.readouterr().out)

    assert outs[0] == outs[1]
    assert "healer drill --random --seed 6" == json.loads(outs[0])["again"]


@pytest.mark.parametrize("processors", [1, 2])
def test_all_of_them_are_a_line_each(
    processors: int, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    """In the order of their names, however many processors share the work."""
    monkeypatch.setattr(drill_all, "names", lambda: ("mux-dead", "taint-put-back"))
    monkeypatch.setattr("os.cpu_count", lambda: processors)

    assert 0 == main(["drill", "--all"])
    lines = capsys.readouterr().out.splitlines()
    assert ["mux-dead", "taint-put-back"] == [one.split()[1] for one in lines[:2]]
    assert ["reforward", "untaint"] == [one.split()[-1] for one in lines[:2]]
    assert "2 of 2 drills passed" == lines[3]


def test_all_of_them_are_a_document_too(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    """With every drill's own."""
    monkeypatch.setattr(drill_all, "names", lambda: ("mux-dead",))

    assert 0 == main(["drill", "--all", "--json", "--seed", "5"])
    document = json.loads(capsys.readouterr().out)
    assert [("mux-dead", 5)] == [(one["scenario"], one["seed"]) for one in document["drills"]]


def test_time_is_spelled_as_a_clock() -> None:
    """Hours, minutes, seconds and tenths, never 60 of anything."""
    assert ["0:00:00.0", "0:01:00.0", "8:01:02.5"] == [clock(0.0), clock(59.98), clock(28_862.5)]


@pytest.fixture(name="slept")
def fixture_slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Real waits, which are not waited for."""
    slept: list[float] = []
    monkeypatch.setattr(time, "sleep", slept.append)
    return slept


def test_a_speed_makes_virtual_time_real(slept: list[float]) -> None:
    """One second in one; twenty times as fast; or not at all."""
    for speed in (1.0, 20.0, None):
        Paced(speed)(5.0)

    assert [5.0, 0.25] == slept


def test_what_is_drawn_hurries_on_when_nothing_happens(slept: list[float]) -> None:
    """Whoever watches sees what happens at a pace to read it, and waits for nothing else."""
    drawn = Drawn(Console(file=io.StringIO()), None)
    drawn.write(Line(100.0, "●", "node", "ok again"))
    drawn._now = 103.0
    drawn.turned(2.0)
    drawn._now = 110.0
    drawn.turned(2.0)

    assert [0.1] == slept


def test_a_terminal_shows_tower_and_timeline(told: Told) -> None:
    """Both, with the time and how fast it goes."""
    paper = io.StringIO()
    console = Console(file=paper, force_terminal=True, width=100, color_system=None)
    with Drawn(console, 20.0) as drawn:
        drawn.write(Line(61.0, "⚒", "colima", "start the VM"))
        drawn.told(told)

    assert "0:01:01.0  ⚒ colima     start the VM" in paper.getvalue()
    assert "20 times as fast as real" in paper.getvalue()
    assert "apiserver" in paper.getvalue()


@pytest.fixture(name="told")
def fixture_told() -> Told:
    """One step of an engine that knows nothing yet."""
    return Told(61.0, Ticked(), (), World(), nothing_awaited, dry_run=False)

"""Plain lines: one for each thing that happened, and a sign of life while something takes long."""

from dataclasses import replace

from healer.core.facts import Changed, State
from healer.core.outlook import Awaited
from healer.core.tower import Layer
from healer.core.world import World
from healer.engine.telling import Told
from healer.telemetry.plain import PlainLines
from tests.unit.telemetry.decisions import ACT, EVERY, finished, told


def test_each_decision_is_one_line_and_silence_none() -> None:
    """With the time since the run began and the layer it belongs to."""
    lines: list[str] = []
    PlainLines(lines.append).told(told(*(one for one, _ in EVERY.values())))

    spoken = [words for _, words in EVERY.values() if words]
    assert len(spoken) == len(lines)
    assert all(line.startswith("    0.0 s  ") for line in lines)
    assert "    0.0 s  pods: held for 30 min: 2 runs did not help" in lines
    assert "    0.0 s  incident resolved after 1 h 6 min" in lines


def test_a_rehearsal_tells_what_it_would_do_and_nothing_as_done() -> None:
    """No act begins, and no layer is shown as being healed."""
    healing = Changed(Layer.PODS, State.FAILING, State.HEALING, "delete_pod is under way")
    lines: list[str] = []
    PlainLines(lines.append).told(replace(told(ACT, healing), dry_run=True))

    because = "(because: redis-0 shows Unknown)"
    assert [f"    0.0 s  pods: would delete the pod joelclaw/redis-0 {because}"] == lines


def test_an_act_ends_with_its_own_length() -> None:
    """Counted from its decision, on the run's clock."""
    lines: list[str] = []
    plain = PlainLines(lines.append)
    plain.told(told(ACT, at=100.0))
    plain.told(told(fact=finished(), at=112.0))

    end = "   12.0 s  pods: done after 12 s: delete the pod joelclaw/redis-0 (deleted redis-0)"
    assert end == lines[-1]


def test_a_long_wait_is_told_now_and_then() -> None:
    """What is awaited, and for how long yet; every 15 s, not every second."""
    lines: list[str] = []
    plain = PlainLines(lines.append)
    world = World(states={Layer.SSH: State.HEALING})
    waiting = (Awaited(Layer.SSH, "start_vm to end", 200.0),)
    for second in range(100, 132):
        plain.told(Told(float(second), None, (), world, lambda: waiting, dry_run=False))

    assert [
        "   15.0 s  ssh: waiting for start_vm to end, 1 min 25 s at most",
        "   30.0 s  ssh: waiting for start_vm to end, 1 min 10 s at most",
    ] == lines


def test_a_wait_without_an_end_names_none() -> None:
    """Nothing is promised that is not known."""
    lines: list[str] = []
    plain = PlainLines(lines.append)
    waiting = (Awaited(Layer.SSH, "a first look", None),)
    for second in (100.0, 115.0):
        plain.told(Told(second, None, (), World(), lambda: waiting, dry_run=False))

    assert ["   15.0 s  ssh: waiting for a first look"] == lines

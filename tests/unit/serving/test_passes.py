"""A pass that is handed to the daemon: the real engine over a simulated tower on virtual time."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import anyio

from healer.engine.daemon import Daemon
from healer.serving.conversation import Say
from healer.serving.passes import _Gutter, handed_pass
from healer.simulation.happenings import livekit_of
from healer.simulation.mac_ports import SimulatedClock
from healer.simulation.physics import Tower
from tests.simulation.house import SimulatedHouse, live
from tests.unit.serving.ear import Ear, say_to

Asking = Callable[[Daemon, SimulatedHouse], Awaitable[None]]


def while_it_lives(befall: Callable[[Tower], None], ask: Asking) -> SimulatedHouse:
    """A daemon that begins as something befell its tower, and what is asked of it meanwhile."""

    async def then(house: SimulatedHouse) -> None:
        daemon = house.daemon()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(daemon.run)
            await ask(daemon, house)
            daemon.stop()

    return live(befall, then)


def nothing(tower: Tower) -> None:
    """All stays well."""
    del tower


def handed(
    befall: Callable[[Tower], None], *, after: float = 0.0, ear: Ear | None = None
) -> tuple[Mapping[str, Any], Ear]:
    """The answer of a pass that was asked for after so long, and what was told before it."""
    ear = ear or Ear()
    answers: list[Mapping[str, Any]] = []

    async def ask(daemon: Daemon, house: SimulatedHouse) -> None:
        await anyio.sleep(after)
        say = say_to(ear)
        hurry_at_the_first_act(ear, say)
        answers.append(await handed_pass(daemon, SimulatedClock(house.tower), 1200.0, say))

    while_it_lives(befall, ask)
    return answers[0], ear


def hurry_at_the_first_act(ear: Ear, say: Say) -> None:
    """Press Ctrl-C as soon as something is done, where the ear is an impatient one."""

    def heard(one: dict[str, Any]) -> None:
        if "acting" in one.get("line", ""):
            say.hurried.set()

    if isinstance(ear, Impatient):
        ear.then = heard


class Impatient(Ear):
    """Somebody who presses Ctrl-C at the first act."""


def kill_container(tower: Tower) -> None:
    """It has died, as after a cut of the power in Docker."""
    tower.box.ended(255)


def test_a_healthy_tower_is_looked_at_once() -> None:
    """The report of a pass of one's own: settled, nothing done."""
    answer, ear = handed(nothing)

    assert (0, "settled", "") == tuple(answer[one] for one in ("exit_code", "why", "journal_error"))
    assert (0, [], False) == tuple(
        answer["document"][one] for one in ("exit_code", "acts", "dry_run")
    )
    assert "the tower is well (" in answer["text"]
    assert ear.lines[0].startswith("the daemon (pid ")


def test_what_is_done_is_shown_and_reported() -> None:
    """From the first line to the proof, as the daemon does it."""
    answer, ear = handed(kill_container)

    assert 0 == answer["exit_code"]
    assert "start_container" in {one["remedy"] for one in answer["document"]["acts"]}
    assert any("acting: start the Talos container" in line for line in ear.lines)
    assert any("verified: start_container helped" in line for line in ear.lines)


def test_ctrl_c_ends_the_telling_and_not_the_healing() -> None:
    """The report comes at once and says so; the daemon goes on by itself."""
    answer, _ = handed(kill_container, ear=Impatient())

    assert "interrupted" == answer["why"]
    assert "(interrupted)" in answer["text"]


def test_a_client_that_goes_away_leaves_the_daemon_healing() -> None:
    """Its telling is cancelled; what was begun for it ends well."""
    ear = Ear()

    def gone(one: dict[str, Any]) -> None:
        ear.gone = "acting" in one.get("line", "")

    async def ask(daemon: Daemon, house: SimulatedHouse) -> None:
        ear.then = gone
        with anyio.CancelScope() as scope:
            await handed_pass(daemon, SimulatedClock(house.tower), 1200.0, say_to(ear, scope))
        assert scope.cancelled_caught
        assert () == tuple(daemon._guests)
        await anyio.sleep(300.0)
        assert "running" == house.tower.box.status

    while_it_lives(kill_container, ask)


def test_whoever_comes_late_hears_what_stands() -> None:
    """A report of a minute ago is no less true, and no less in the report."""

    def drift(tower: Tower) -> None:
        livekit_of(tower).probes_drifted = True

    answer, ear = handed(drift, after=300.0)

    assert ["drift_tolerated"] == [one["reason"] for one in answer["document"]["advice"]]
    assert any("drift_tolerated" in line for line in ear.lines)


def test_a_slow_reader_misses_lines_and_hears_so() -> None:
    """The engine waits for nobody."""

    async def main() -> list[str]:
        send, receive = anyio.create_memory_object_stream[str](2)
        with send, receive:
            gutter = _Gutter(send)
            for number in range(5):
                gutter.write(f"line {number}")
            heard = [receive.receive_nowait(), receive.receive_nowait()]
            gutter.write("line 5")
            return [*heard, receive.receive_nowait(), receive.receive_nowait()]

    assert ["line 0", "line 1", "… 3 lines were not shown", "line 5"] == anyio.run(main)

"""The hot-add of a port: it works, or everything is as it was; killed anywhere, it recovers."""

from pathlib import Path

import anyio
import pytest

from healer.hotadd.looking import Rules, look_before
from healer.hotadd.parts import AddFailedError, Parts, RefusedError, RollBackFailedError
from healer.hotadd.running import add, recover
from healer.model.port_edit import WantedPort
from healer.ports import PortError
from tests.fakes.hot_add import Killed, Moment, World, parts_of

WANTED = WantedPort(9627, 3000)
RULES = Rules({3111})


async def begin(parts: Parts, wanted: WantedPort = WANTED) -> None:
    """As the command does it."""
    await add(parts, await look_before(parts, wanted, RULES))


def found(folder: Path) -> list[Path]:
    """What is in it."""
    return list(folder.iterdir())


def whole(world: World) -> str:
    """`old` or `new`, of a tower that is in order; else what is wrong with it."""
    if not (world.up and world.socket and world.running) or world.paused:
        return f"up={world.up} socket={world.socket} running={world.running} {world.paused=}"
    return {frozenset({"6379"}): "old", frozenset({"6379", "9627"}): "new"}.get(
        frozenset(world.published), f"published {world.published}"
    )


async def calls_of_a_clean_run(folder: Path) -> list[str]:
    """What is called, in order."""
    world = World()
    await begin(parts_of(world, folder))
    assert "new" == whole(world)
    return world.calls


async def test_the_port_is_there_and_nothing_else_has_changed(tmp_path: Path) -> None:
    """Docker is stopped socket first, the files are edited while it is down, and all comes back."""
    calls = await calls_of_a_clean_run(tmp_path)
    acts = [
        "pause",
        "stop container",
        "stop docker",
        "replace config.v2.json",
        "replace hostconfig.json",
        "start docker",
        "start container",
        "resume",
    ]
    assert acts == [one for one in calls if one in acts]
    assert parts_of(World(), tmp_path).book.progress() is None


async def test_any_single_failure_leaves_it_as_it_was_or_done(tmp_path: Path) -> None:
    """Each call of a run fails once, before or after its effect: never anything in between."""
    many, seen = len(await calls_of_a_clean_run(tmp_path / "clean")), set()
    for number in range(1, many + 1):
        for after in (False, True):
            folder, world = tmp_path / f"{number}{after}", World()
            world.moment = Moment(number, "fail", after=after)
            expected = {"old"}
            try:
                await begin(parts_of(world, folder))
                expected = {"new"}
            except (AddFailedError, RefusedError):
                pass
            except PortError:
                expected = {"old", "new"}  # before the first step, or when only the end is unsaid
            if "resume" == world.calls[number - 1] and not after:
                world.paused = False  # said, and it ends by itself: no reason to go back
            assert whole(world) in expected, world.calls
            seen.add(whole(world))
            progress = parts_of(world, folder).book.progress()
            assert progress is None or world.calls[-1] in {"book finish", "book begin"}
    assert {"old", "new"} == seen


async def test_killed_anywhere_it_is_recovered(tmp_path: Path) -> None:
    """SIGKILL before or after each call: `recover` makes it whole, and has nothing more to do."""
    many, seen = len(await calls_of_a_clean_run(tmp_path / "clean")), set()
    for number in range(1, many + 1):
        for after in (False, True):
            folder, world = tmp_path / f"{number}{after}", World()
            world.moment = Moment(number, "kill", after=after)
            with pytest.raises(Killed):
                await begin(parts_of(world, folder))
            seen.add(await recovered(world, folder))
    assert {"old", "new"} == seen


async def recovered(world: World, folder: Path) -> str:
    """After a new process has recovered; a second one finds nothing to do."""
    world.revive()
    if parts_of(world, folder).book.progress() is not None:
        await recover(parts_of(world, folder))
    with pytest.raises(RefusedError):
        await recover(parts_of(world, folder))
    state = whole(world)
    assert state in {"old", "new"}, world.calls
    return state


async def test_a_recovery_that_is_killed_is_recovered_too(tmp_path: Path) -> None:
    """Killed while the files are half written, and again at each call of the way back."""
    second = 1
    while True:
        folder, world = tmp_path / str(second), World()
        world.refuses = {"replace hostconfig.json"}
        calls = (await refused_run(world, folder)).index("replace hostconfig.json")
        folder, world = tmp_path / f"{second}-again", World()
        world.moment = Moment(calls + 1, "kill")
        with pytest.raises(Killed):
            await begin(parts_of(world, folder))
        world.revive()
        world.moment = Moment(second, "kill", after=True)
        try:
            await recover(parts_of(world, folder))
        except Killed:
            assert "old" == await recovered(world, folder)
            second += 1
            continue
        break
    assert second > len(("replace config.v2.json", "start docker", "start container"))


async def refused_run(world: World, folder: Path) -> list[str]:
    """A run whose one call is always refused; the calls it made."""
    with pytest.raises(AddFailedError):
        await begin(parts_of(world, folder))
    return world.calls


@pytest.mark.parametrize("spoilt", ["comes_up", "forwards"])
async def test_what_does_not_come_up_is_taken_back(tmp_path: Path, spoilt: str) -> None:
    """A container that does not start with the port, or a port that Lima does not forward."""
    world = World()
    setattr(world, spoilt, False)
    expected = RollBackFailedError if spoilt == "comes_up" else AddFailedError
    with pytest.raises(expected):
        await begin(parts_of(world, tmp_path))
    assert {"6379"} == world.published
    world.comes_up = True
    if spoilt == "comes_up":
        world.revive()
        assert "rolled back" == await recover(parts_of(world, tmp_path))
    assert "old" == whole(world)


async def test_a_way_back_that_fails_says_where_the_copies_are(tmp_path: Path) -> None:
    """A docker that does not start again: told, left open, and mended by a later recover."""
    world = World()
    world.refuses = {"start docker"}
    with pytest.raises(RollBackFailedError, match="healer ports recover") as failed:
        await begin(parts_of(world, tmp_path))
    (folder,) = found(tmp_path)
    assert str(folder) in str(failed.value)
    assert {0o600} == {one.stat().st_mode & 0o777 for one in found(folder)}
    assert 0o700 == folder.stat().st_mode & 0o777
    world.refuses = set()
    world.revive()
    assert "rolled back" == await recover(parts_of(world, tmp_path))
    assert "old" == whole(world)


async def test_one_that_is_cancelled_goes_all_the_way_back(tmp_path: Path) -> None:
    """Ctrl-C in the middle is no kill: what was stopped is started before we go."""
    world = World()
    parts = parts_of(world, tmp_path)
    async with anyio.create_task_group() as tasks:

        def cancel_when_down(words: str) -> None:
            if words.startswith("write both files"):
                tasks.cancel_scope.cancel()

        object.__setattr__(parts, "tell", cancel_when_down)
        tasks.start_soon(begin, parts)
    assert "old" == whole(world)
    assert parts_of(world, tmp_path).book.progress() is None


async def test_a_human_s_pause_stays(tmp_path: Path) -> None:
    """Healer is paused already: nothing is added to it, and nothing of it is ended."""
    world = World()
    world.human, world.paused = ["joel: surgery"], True
    await begin(parts_of(world, tmp_path))
    assert world.paused
    assert not {"pause", "resume"} & set(world.calls)


async def test_a_container_that_was_stopped_stays_stopped(tmp_path: Path) -> None:
    """It has the port when somebody starts it; nobody undoes a human's stop (I15)."""
    world = World()
    world.running = False
    await begin(parts_of(world, tmp_path))
    assert (False, {"6379", "9627"}) == (world.running, world.published)
    assert "start container" not in world.calls


@pytest.mark.parametrize(
    ("words", "wanted", "change"),
    [
        ("reserved_ports", WantedPort(3111, 3111), {}),
        ("is published already", WantedPort(6379, 6379), {}),
        ("of the Mac is taken by caddy", WANTED, {"mac_holder": "caddy"}),
        ("is taken in the VM", WANTED, {"vm_listeners": {9627}}),
        ("other containers run", WANTED, {"others": ["registry"]}),
        ("healer is at work", WANTED, {"busy": "start_vm"}),
        ("not active", WANTED, {"up_by_unit": "failed"}),
        ("PortBindings is not as Docker", WANTED, {"hostconfig": b'{"PortBindings":[]}'}),
        ("no JSON object", WANTED, {"hostconfig": b"\x00"}),
    ],
)
async def test_it_is_refused_before_anything_is_touched(
    tmp_path: Path, words: str, wanted: WantedPort, change: dict[str, object]
) -> None:
    """Each precondition that does not hold is said, and no act is done."""
    world = World()
    for name, value in change.items():
        if name == "hostconfig" and isinstance(value, bytes):
            world.files["hostconfig.json"] = value
        elif name == "up_by_unit":
            world.refuses = {"units"}
            words = "refused"
        else:
            setattr(world, name, value)
    with pytest.raises(RefusedError, match=words):
        await begin(parts_of(world, tmp_path), wanted)
    assert not {"pause", "stop container", "stop docker"} & set(world.calls)
    assert [] == found(tmp_path)


async def test_an_unfinished_one_comes_first(tmp_path: Path) -> None:
    """A second hot-add over a half-done one would take its copies for the truth."""
    world = World()
    world.moment = Moment(20, "kill")
    with pytest.raises(Killed):
        await begin(parts_of(world, tmp_path))
    world.revive()
    with pytest.raises(RefusedError, match="healer ports recover"):
        await begin(parts_of(world, tmp_path))

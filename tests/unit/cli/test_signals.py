"""What real signals do to a daemon that is in the middle of something."""

import os
import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace

import anyio
import pytest

from healer.cli import run
from healer.core.ladders import LADDERS, Ladder, Remedy, Rung
from healer.core.reasons import Reason
from healer.core.tower import Layer
from healer.engine.daemon import Daemon, Paces, Senses, Surroundings
from healer.engine.parts import Parts
from healer.settings import Settings
from tests.patience import PATIENCE
from tests.unit.engine.tower import POLICY, Ears, LoopClock, SmallTower

AT_ONCE = {
    Reason.TALOS_STOPPED: Ladder(1, 0.0, (Rung(Remedy.START_CONTAINER),)),
    Reason.JOB_NOT_RUNNING: Ladder(1, 0.0, (Rung(Remedy.KICKSTART_JOB),)),
}


class Deaf:
    """A pulse that nobody takes."""

    def beat(self, name: str, within: float) -> None:
        """Nothing."""

    def ended(self, name: str) -> None:
        """Nothing."""


@dataclass
class Act:
    """A remedy's act that goes on until the test lets it end."""

    begun: anyio.Event = field(default_factory=anyio.Event)
    may_end: anyio.Event = field(default_factory=anyio.Event)

    async def __call__(self) -> str:
        """Begin, and wait."""
        self.begun.set()
        await self.may_end.wait()
        return "done"


async def test_nothing_begins_after_a_sigterm_not_even_by_a_sighup(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """TERM while an act is under way, HUP with other settings, and then a new fault."""
    tower, act, reloaded = SmallTower(ill={Layer.TALOS: Reason.TALOS_STOPPED}), Act(), Ears()
    tower.look_takes = 0.0
    senses = _senses(tower, act)
    daemon = Daemon(senses, Surroundings(Deaf(), lambda: 0.5))
    monkeypatch.setenv("HEALER_CONFIG", _settings(tmp_path))

    async def reload(house: object, settings: Settings, environment: Mapping[str, str]) -> None:
        """Instead of the real outside: the same tower, another ear."""
        del house, settings, environment
        await anyio.lowlevel.checkpoint()
        daemon.reload(replace(senses, parts=replace(senses.parts, listener=reloaded)))

    monkeypatch.setattr(run, "reload", reload)
    house = SimpleNamespace(daemon=daemon, settings=Settings())
    notices = SimpleNamespace(reload=lambda: None)
    with anyio.fail_after(PATIENCE):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(run._mind_signals, house, None, notices)  # type: ignore[arg-type]
            tasks.start_soon(daemon.run)
            await act.begun.wait()
            os.kill(os.getpid(), signal.SIGTERM)
            await _until(lambda: daemon.policy.act_before is not None)
            os.kill(os.getpid(), signal.SIGHUP)
            await _until(lambda: bool(reloaded.told_all))
            tower.ill[Layer.LAUNCHD] = Reason.JOB_NOT_RUNNING
            daemon.wake({Layer.LAUNCHD})
            await _until(lambda: bool(daemon.world.views[Layer.LAUNCHD].troubles))
            act.may_end.set()
            await _until(lambda: not daemon.world.acting)
            tasks.cancel_scope.cancel()

    assert ["needed start_container", "act start_container"] == tower.log


def _senses(tower: SmallTower, act: Act) -> Senses:
    tower.one_pass()
    remedies = dict(tower.remedies())
    remedies[Remedy.START_CONTAINER] = replace(remedies[Remedy.START_CONTAINER], does=act)
    probes = tuple(tower.probes.values())
    parts = Parts(probes, remedies, tower.journal, LoopClock(), tower.ears)
    policy = replace(POLICY, one_pass=False, ladders={**LADDERS, **AT_ONCE})
    return Senses(parts, policy, Paces(dict.fromkeys(Layer, 1.0), alert=0.01, least=0.01))


def _settings(folder: Path) -> str:
    config = folder / "config.toml"
    config.write_text("[engine]\nacts_per_hour = 7\n", encoding="utf-8")
    return str(config)


async def _until(happened: Callable[[], bool]) -> None:
    while not happened():  # noqa: ASYNC110  (what a real signal does sends no event here)
        await anyio.sleep(0.005)

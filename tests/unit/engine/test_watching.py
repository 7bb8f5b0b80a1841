"""A probe's life: whatever becomes of it, its layer is only ever called unknown for it (I1)."""

import anyio
import pytest

from healer.core.observation import Observation
from healer.core.tower import Layer
from healer.engine.watching import Look, look_once, watch
from healer.simulation.virtual_time import run_virtually
from tests.unit.engine.tower import LoopClock, ScriptedProbe


async def well() -> Observation:
    """A good look that takes a second."""
    await anyio.sleep(1.0)
    return Observation(Layer.TALOS)


async def breaks() -> Observation:
    """A probe's own bug."""
    await anyio.lowlevel.checkpoint()
    raise ZeroDivisionError("by zero")


async def own_timeout() -> Observation:
    """A library's deadline that slipped through an adapter."""
    await anyio.lowlevel.checkpoint()
    raise TimeoutError


async def hangs() -> Observation:
    """A call without a deadline."""
    await anyio.sleep_forever()
    return Observation(Layer.TALOS)


@pytest.mark.parametrize(
    ("sees", "unknown"),
    [
        (breaks, "the probe broke: ZeroDivisionError: by zero"),
        (own_timeout, "the probe broke: TimeoutError: "),
        (hangs, "the probe did not end within 20 s"),
        (well, ""),
    ],
)
def test_a_probe_that_breaks_or_hangs_is_ignorant(sees: object, unknown: str) -> None:
    """It says nothing of its layer, so nothing may be done for it."""
    probe = ScriptedProbe(Layer.TALOS, sees)  # type: ignore[arg-type]

    expected = Look(Observation(Layer.TALOS, unknown=unknown), broke=bool(unknown))
    assert expected == run_virtually(lambda: look_once(probe, 20))


def test_a_broken_probe_looks_again() -> None:
    """Its siblings live on, and so does it; the rest is counted from the end of a look."""
    answers = [breaks, hangs, well, well]
    seen: list[tuple[str, float]] = []

    async def sees() -> Observation:
        return await answers.pop(0)()

    async def watched() -> None:
        probe = ScriptedProbe(Layer.TALOS, sees)
        async with anyio.create_task_group() as tasks:

            async def send(observation: Observation, began: float) -> None:
                await anyio.lowlevel.checkpoint()
                seen.append((observation.unknown[:14], began))
                if not answers:
                    tasks.cancel_scope.cancel()

            await watch(probe, LoopClock(), send, every=2.0, deadline=20.0)

    run_virtually(watched)

    assert [("the probe brok", 0.0), ("the probe did ", 2.0), ("", 24.0), ("", 27.0)] == seen


def test_a_look_is_its_probes_layers_own() -> None:
    """A probe that answers for another layer cannot clear or condemn that one."""
    seen: list[Layer] = []

    async def watched() -> None:
        probe = ScriptedProbe(Layer.DOCKER, well)
        async with anyio.create_task_group() as tasks:

            async def send(observation: Observation, began: float) -> None:
                del began
                await anyio.lowlevel.checkpoint()
                seen.append(observation.layer)
                tasks.cancel_scope.cancel()

            await watch(probe, LoopClock(), send, every=2.0, deadline=20.0)

    run_virtually(watched)

    assert [Layer.DOCKER] == seen

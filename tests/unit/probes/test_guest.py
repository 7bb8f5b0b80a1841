"""The shared look into the VM."""

import anyio
import pytest

from healer.ports import TargetIll
from healer.probes.guest import GuestLook
from tests.fakes.clock import FakeClock
from tests.fakes.faulty import HANG
from tests.fakes.guest import WELL, FakeGuest


async def test_looks_at_one_time_share_one_round_trip() -> None:
    """Four probes that ask together cause one call, and all hear its answer."""
    guest = FakeGuest()
    look = GuestLook(guest, FakeClock())
    heard = []

    async def probe() -> None:
        heard.append(await look.facts())

    async with anyio.create_task_group() as tasks:
        for _ in range(4):
            tasks.start_soon(probe)

    assert ["facts"] == guest.calls
    assert [WELL] * 4 == heard


async def test_an_old_answer_is_asked_anew() -> None:
    """After `max_age` seconds the VM is asked again."""
    guest, clock = FakeGuest(), FakeClock()
    look = GuestLook(guest, clock, max_age=1.5)

    await look.facts()
    clock.advance(1.5)
    await look.facts()
    clock.advance(0.1)
    await look.facts()

    assert ["facts", "facts"] == guest.calls


async def test_failures_are_shared_like_answers() -> None:
    """A hung VM costs one deadline and not four; each hears an error of its own."""
    guest = FakeGuest()
    guest.die()
    look = GuestLook(guest, FakeClock())

    with pytest.raises(TargetIll, match="banner exchange") as first:
        await look.facts()
    with pytest.raises(TargetIll, match="banner exchange") as second:
        await look.facts()

    assert ["facts"] == guest.calls
    assert first.value is not second.value


async def test_what_was_heard_before_an_act_is_void() -> None:
    """After `forget` the VM is asked again, however young the answer is."""
    guest = FakeGuest()
    look = GuestLook(guest, FakeClock())

    await look.facts()
    await look.banner()
    look.forget()
    await look.facts()
    await look.banner()

    assert ["facts", "banner", "facts", "banner"] == guest.calls


async def test_a_call_that_was_under_way_at_an_act_is_void_too() -> None:
    """Whoever asks after `forget` does not get what was asked for before it."""
    clock = FakeClock()
    under_way, go_on = anyio.Event(), anyio.Event()

    class Slow(FakeGuest):
        async def banner(self) -> str:
            self.calls.append("banner")
            under_way.set()
            await go_on.wait()
            return "SSH-2.0-slow"

    slow = Slow()
    look = GuestLook(slow, clock)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(look.banner)
        await under_way.wait()
        clock.advance(0.5)
        look.forget()
        go_on.set()
    await look.banner()

    assert ["banner", "banner"] == slow.calls


async def test_a_probe_that_is_given_up_does_not_block_the_next() -> None:
    """When the asking probe is cancelled, the next one asks for itself."""
    guest = FakeGuest()
    guest.faults["facts"] = HANG
    look = GuestLook(guest, FakeClock())

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(look.facts)
        await guest.hanging.wait()
        tasks.cancel_scope.cancel()
    guest.faults.clear()

    assert WELL == await look.facts()


async def test_another_exception_is_not_kept() -> None:
    """A fault of a part is raised to whoever asked, and asked for again by the next."""
    guest = FakeGuest()
    guest.faults["facts"] = ValueError("garbage")
    look = GuestLook(guest, FakeClock())

    with pytest.raises(ValueError, match="garbage"):
        await look.facts()
    guest.faults.clear()

    assert WELL == await look.facts()

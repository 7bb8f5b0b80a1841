"""`healer doctor --prove`, the daemon's part: what only a job of launchd can see."""

import os
import resource
import ssl
import sys
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import anyio

from healer import __version__
from healer.adapters.authorities import trusting
from healer.adapters.colima_files import resolve_root
from healer.adapters.launchctl import Launchctl
from healer.adapters.notice_desktop import manager_name
from healer.adapters.process import ProcessRunner
from healer.adapters.process_table import own_cost
from healer.adapters.proving import limits_of
from healer.adapters.proving_job import (
    FIVE_MINUTES,
    Started,
    authorities,
    clocks,
    cost,
    default_gateway,
    descriptors,
    labels,
    lan,
    reboot,
)
from healer.core.facts import Woke
from healer.engine.telling import Looked, Told
from healer.model.launch_agent import LABEL, plist_path
from healer.model.launchd import DomainKind
from healer.model.machine import ColimaPaths
from healer.model.notice import Delivery
from healer.model.proof import Proof, failed, not_a_mac, proved, to_plain, unproven
from healer.notices.delivering import offer
from healer.notices.wording import trial
from healer.ports import Channel, JournalError, PortError
from healer.serving.conversation import Answer, Say
from healer.settings import Settings
from healer.settings.places import Places
from healer.wiring.daemon import Household
from healer.wiring.notices import channels_of

_DEADLINE: Final = 90.0
"""Seconds for one check; a channel of notices has 60 itself."""
_CONNECTS: Final = 3.0
_SAMPLE: Final = 15.0
"""Seconds between two readings of our own CPU time."""
_WOKE: Final = "woke"
"""In the journal: the last boot in which a daemon noticed that it had slept."""
_MAC: Final = sys.platform == "darwin"


class Watched:
    """What a daemon must have seen itself: its wakes, its looks, its own cost."""

    def __init__(self, house: Household) -> None:
        self._house = house
        self._samples: deque[tuple[float, float]] = deque()
        self._asleep = self._sleep_so_far()
        self.wakes = 0
        self.looks: dict[str, float] = {}
        """The longest look of each layer; seconds."""
        self._sample()
        house.ears.listeners.append(self)
        house.ears.looked.append(self.heard_look)

    def told(self, told: Told) -> None:
        """Count wakes; the grace after a boot is none, since nothing was slept."""
        if isinstance(told.fact, Woke) and self.slept > 0.0:
            self.wakes += 1
            with suppress(JournalError, PortError):
                self._house.journal.learn(_WOKE, self._house.clock.boot_id())

    def woke_in_this_boot(self) -> bool:
        """Whether the journal has a wake of this boot, noticed by this daemon or one before."""
        return self._house.journal.known(_WOKE) == self._house.clock.boot_id()

    def heard_look(self, looked: Looked) -> None:
        """Keep the longest."""
        layer = looked.layer.value
        self.looks[layer] = max(looked.seconds, self.looks.get(layer, 0.0))
        if self._house.clock.now() - self._samples[-1][0] >= _SAMPLE:
            self._sample()

    @property
    def slept(self) -> float:
        """Seconds of sleep since the daemon began."""
        # The two clocks are read one after the other: a millisecond is no sleep.
        return max(0.0, self._sleep_so_far() - self._asleep - 0.1)

    def spent(self) -> tuple[float, float]:
        """CPU-seconds, children included, and the seconds within which they were spent."""
        self._sample()
        (then, before), (now, after) = self._samples[0], self._samples[-1]
        return after - before, now - then

    def _sample(self) -> None:
        cost_now, now = own_cost(), self._house.clock.now()
        self._samples.append((now, cost_now.cpu + cost_now.children_cpu))
        # The last one that is at least five minutes old is where they begin.
        while len(self._samples) > 1 and now - self._samples[1][0] >= FIVE_MINUTES:
            self._samples.popleft()

    def _sleep_so_far(self) -> float:
        return self._house.clock.now() - self._house.clock.awake()


def proving(house: Household, environment: Mapping[str, str]) -> Answer:
    """The answer to `prove`; the daemon watches itself from now on."""
    watched = Watched(house)

    async def answer(arguments: Mapping[str, Any], say: Say) -> Mapping[str, Any]:
        del arguments
        found: dict[str, Proof] = {}

        async def attempt(name: str, check: Callable[[], Awaitable[Proof]]) -> None:
            found[name] = await tried(check)
            await say({"line": f"{found[name].verdict}: {name}"})

        async with anyio.create_task_group() as tasks:
            for name, check in _Checks(house, watched, environment).all().items():
                tasks.start_soon(attempt, name, check, name=f"proof of {name}")
        return {"healer": __version__, "proofs": to_plain(found)}

    return answer


async def tried(check: Callable[[], Awaitable[Proof]], deadline: float = _DEADLINE) -> Proof:
    """Its result; a check that hangs or breaks has proved nothing."""
    try:
        with anyio.fail_after(deadline):
            return await check()
    except (JournalError, PortError) as error:
        return unproven(str(error), "run this again")
    except TimeoutError:
        return unproven(f"no result within {deadline:.0f} s", "run this again")
    except Exception as error:  # noqa: BLE001  (one check must not end the others)
        return unproven(f"the check broke: {type(error).__name__}", "paste this into an issue")


class _Checks:
    """Each by its name."""

    def __init__(self, house: Household, watched: Watched, environment: Mapping[str, str]) -> None:
        self._house = house
        self._watched = watched
        path = ":".join(house.settings.files.path) or environment.get("PATH", "")
        self._environment = {**environment, "PATH": path}
        self._runner = ProcessRunner()

    def all(self) -> dict[str, Callable[[], Awaitable[Proof]]]:
        """In the order in which they are shown."""
        return {
            "reboot": self.reboot,
            "labels": self.labels,
            "notice": self.notice,
            "clocks": self.clocks,
            "descriptors": self.descriptors,
            "authorities": self.authorities,
            "lan": self.lan,
            "cost": self.cost,
        }

    async def reboot(self) -> Proof:
        """It came up by itself after the last boot."""
        if not _MAC:
            return not_a_mac()
        house, clock = self._house, self._house.clock
        home = Path(self._environment.get("HOME", "/"))
        written = [
            _modified(plist_path(kind, home)) for kind in (DomainKind.GUI, DomainKind.SYSTEM)
        ]
        newest = max((one for one in written if one is not None), default=None)
        seen = Started(
            label=self._environment.get("XPC_SERVICE_NAME", ""),
            parent=os.getppid(),
            session=await manager_name(self._runner, self._environment),
            boot=clock.boot_id(),
            after=house.began,
            installed_ago=None if newest is None else clock.wall() - newest,
            booted_ago=clock.now(),
        )
        return reboot(seen, mac=_MAC)

    async def labels(self) -> Proof:
        """launchctl's pages are understood."""
        tool = self._house.outside.host.tool("launchctl")
        path = self._environment["PATH"]
        launchctl = None if tool is None else Launchctl(self._runner, tool, path)
        watched = dict.fromkeys([LABEL, *(one.label for one in self._house.settings.jobs)])
        return await labels(launchctl, os.getuid(), list(watched))

    async def notice(self) -> Proof:
        """Something arrives at a human."""
        channels = channels_of(self._house.settings, self._environment)
        return await notice(channels, self._house.run, self._house.clock.wall())

    async def clocks(self) -> Proof:
        """They differ by the sleep."""
        clock, watched = self._house.clock, self._watched
        if not _MAC:
            return not_a_mac()
        missed = 0.0 if watched.wakes else watched.slept
        return clocks(clock.now(), clock.awake(), missed, woke=watched.woke_in_this_boot())

    async def descriptors(self) -> Proof:
        """Of the daemon, and of what carries the VM's connections."""
        paths = colima_paths(self._house.settings, self._house.places, self._environment)
        soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        return descriptors({"daemon": soft, **await limits_of(paths)}, mac=_MAC)

    async def authorities(self) -> Proof:
        """HTTPS can be judged."""
        own = await anyio.to_thread.run_sync(ssl.create_default_context)
        return authorities(own, await anyio.to_thread.run_sync(trusting))

    async def lan(self) -> Proof:
        """The local network can be reached."""
        if not _MAC:
            return not_a_mac()
        return await lan(await default_gateway(self._runner, self._environment), _connect)

    async def cost(self) -> Proof:
        """What looking costs."""
        return cost(self._watched.looks, *self._watched.spent())


def colima_paths(settings: Settings, places: Places, environment: Mapping[str, str]) -> ColimaPaths:
    """Where this user's Colima keeps its files."""
    home = Path(environment.get("HOME", "/"))
    root = places.colima_home or resolve_root(environment, home)
    return ColimaPaths(root, settings.tower.profile)


async def notice(channels: tuple[Channel, ...], run: str, wall: float) -> Proof:
    """A test notice through every channel; whether it arrived, only its reader knows."""
    if not channels:
        return unproven("no channel is configured", "healer notify --test says how to have one")
    said: dict[str, str] = {}
    arrives = False

    async def attempt(one: Channel) -> None:
        nonlocal arrives
        how, why = await offer(one, trial(f"{run}-proof", wall))
        said[one.name] = why.removeprefix(f"{one.name}: ") if how is None else how.value
        arrives = arrives or how in {Delivery.SENT, Delivery.HANDED_OVER}

    async with anyio.create_task_group() as tasks:
        for one in channels:
            tasks.start_soon(attempt, one, name=f"proof by {one.name}")
    words = "; ".join(f"{name}: {how}" for name, how in sorted(said.items()))
    if not arrives:
        return failed(words, "healer notify --test")
    question = "did a test notice of healer reach you just now?"
    return unproven(words, "run healer doctor --prove on a terminal, and answer", question)


def seen_by_a_human(asked: Proof, *, yes: bool) -> Proof:
    """What a person's answer makes of it."""
    if yes:
        return proved(f"{asked.evidence}; seen")
    todo = "allow notifications of Script Editor in System Settings; healer notify --test"
    return failed(f"{asked.evidence}; not seen", todo)


def _modified(path: Path) -> float | None:
    with suppress(OSError):
        return path.stat().st_mtime
    return None


async def _connect(host: str, port: int) -> None:
    try:
        with anyio.fail_after(_CONNECTS):
            stream = await anyio.connect_tcp(host, port)
    except OSError as error:
        # anyio says that all attempts failed, and the only one's own error is behind that.
        cause = error.__cause__
        raise cause if isinstance(cause, OSError) else error from None
    await anyio.aclose_forcefully(stream)

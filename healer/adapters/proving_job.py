"""Checks of `healer doctor --prove` that only the daemon can run: it has launchd's own session.

A Terminal has other rights and another session than a job, so what it sees proves nothing here.
"""

import errno
import re
import ssl
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from healer.adapters.authorities import MACOS, knows_anybody
from healer.adapters.launchctl import Launchctl
from healer.adapters.process import ProcessRunner
from healer.model.jobs import parse_page
from healer.model.launch_agent import LABEL, OPEN_FILES
from healer.model.launchd import domains_of
from healer.model.proof import Proof, failed, not_a_mac, proved, unproven
from healer.ports import PortError

SLEPT: Final = 5.0
"""Seconds of sleep that a running daemon must notice."""
FIVE_MINUTES: Final = 300.0
MOST_CPU: Final = 1.0
"""CPU-seconds a minute: twenty times the goal of 0.05, and a sixtieth of one core."""
_CALL: Final = 10.0
_ISSUE: Final = "paste this into an issue"
_BLOCK: Final = re.compile(r"(\t*).*(?:environment|arguments) = \{")
_GATEWAY: Final = re.compile(r"^\s*gateway: (\d+(?:\.\d+){3})\s*$", re.MULTILINE)
_PORTS: Final = (53, 80, 443)
"""What a router may listen on; a refusal is an answer too."""
_NO_ROUTE: Final = frozenset({errno.EHOSTUNREACH, errno.EHOSTDOWN, errno.ENETUNREACH})


@dataclass(frozen=True, slots=True)
class Started:
    """How the daemon came to run."""

    label: str
    """XPC_SERVICE_NAME, as launchd gives it to its jobs."""
    parent: int
    """Process id; 1 is launchd."""
    session: str
    """`launchctl managername`."""
    boot: str
    """The kernel's name of this boot."""
    after: float
    """Seconds from the boot to the daemon's start."""
    installed_ago: float | None
    """Seconds since the plist was written; None without one."""
    booted_ago: float
    """Seconds since the boot."""


def reboot(seen: Started, *, mac: bool) -> Proof:
    """launchd started it by itself after a boot that came after the installation."""
    if not mac:
        return not_a_mac()
    if seen.installed_ago is None:
        return unproven("launchd has no plist of healer", "healer install, then reboot once")
    when = f"boot {seen.boot[:8]}: started {seen.after:.0f} s after it, session {seen.session}"
    if seen.installed_ago <= seen.booted_ago:
        todo = "reboot once, log in, and run this again"
        return unproven(f"{when}; installed since that boot", todo)
    if seen.label != LABEL or seen.parent != 1:
        words = f"{when}; installed before it, and started by process {seen.parent}, not by launchd"
        return failed(words, "healer doctor, then healer install")
    return proved(when)


def down(installed_ago: float | None, booted_ago: float, *, mac: bool) -> Proof:
    """What a daemon that does not answer says of the last boot."""
    if mac and installed_ago is not None and installed_ago > booted_ago:
        words = "healer was installed before this boot, and no daemon answers"
        return failed(words, "healer doctor, then healer install")
    return unproven("no daemon answers", "healer install")


async def labels(launchctl: Launchctl | None, uid: int, watched: Sequence[str]) -> Proof:
    """Every page of launchctl on a watched label is understood."""
    if launchctl is None:
        return not_a_mac()
    read: list[str] = []
    for label in watched:
        for domain in domains_of(uid):
            target = domain.target(label)
            try:
                page = await launchctl.page(target)
            except PortError as error:
                return unproven(str(error), f"launchctl print {target}")
            if page is None:
                continue
            parsed = parse_page(page)
            if parsed is None:
                words = f"launchctl print {target} is not understood: {without_environment(page)}"
                return failed(words, _ISSUE)
            read.append(f"{target} {parsed.job.state}")
    if not read:
        return unproven("no watched label is loaded", "name loaded jobs in [[jobs]]")
    return proved("; ".join(read))


def without_environment(page: str) -> str:
    """A page of launchctl without its blocks of environments and arguments, which hold secrets."""
    kept: list[str] = []
    closing = ""
    for line in page.splitlines():
        if closing:
            closing = "" if line == closing else closing
            continue
        block = _BLOCK.fullmatch(line)
        if block:
            closing = f"{block[1]}}}"
        else:
            kept.append(line)
    return "\n".join(kept)


def clocks(now: float, awake: float, missed: float, *, woke: bool) -> Proof:
    """One clock counts sleep, the other does not, and a daemon noticed a wake in this boot.

    `missed`: seconds of sleep since this daemon began, after which it noticed no wake.
    """
    if now < awake - 1.0:
        words = f"the clock that counts sleep says {now:.0f} s, the one that does not {awake:.0f} s"
        return failed(words, _ISSUE)
    asleep = f"{now - awake:.0f} s of {now:.0f} s since the boot were sleep"
    if missed > SLEPT:
        return failed(f"{asleep}; of {missed:.0f} s of it healer noticed no wake", _ISSUE)
    if not woke:
        todo = "close the lid for a minute, open it, and run this again"
        return unproven(f"{asleep}; the journal has no wake of this boot", todo)
    if now - awake <= SLEPT:
        return failed(f"{asleep}, and the journal has a wake", _ISSUE)
    return proved(f"{asleep}, and the journal has a wake")


Connect = Callable[[str, int], Awaitable[None]]
"""Opens and closes a TCP connection. Raises OSError; TimeoutError after its own deadline."""


async def lan(gateway: str | None, connect: Connect) -> Proof:
    """An address of the local network can be reached, for which macOS 15 wants consent."""
    if gateway is None:
        return unproven("no default gateway of IPv4 is known", "join a network, run this again")
    for port in _PORTS:
        try:
            await connect(gateway, port)
        except ConnectionRefusedError:
            return proved(f"the default gateway refuses port {port}, so it was reached")
        except TimeoutError:
            continue
        except OSError as error:
            if error.errno in _NO_ROUTE:
                todo = "allow it in System Settings, Privacy & Security, Local Network"
                return failed(f"the default gateway: {error.strerror}", todo)
            return unproven(f"the default gateway: {error.strerror}", "run this again")
        else:
            return proved(f"the default gateway takes port {port}")
    return unproven("the default gateway answers on no port", "run this on another network")


async def default_gateway(runner: ProcessRunner, environment: Mapping[str, str]) -> str | None:
    """The router's address, by macOS' `route`. Raises PortError."""
    argv = ("route", "-n", "get", "default")
    done = await runner.run(argv, deadline=_CALL, env=environment)
    found = _GATEWAY.search(done.stdout)
    return None if found is None else found[1]


def descriptors(limits: Mapping[str, int | None], *, mac: bool) -> Proof:
    """How many files the daemon and Lima's processes may open; None = it cannot be read."""
    if not mac:
        return not_a_mac()
    said = ", ".join(f"{who} {limit or 'cannot be read'}" for who, limit in limits.items())
    if any(limit not in {None, OPEN_FILES} for limit in limits.values()):
        todo = "healer install, which sets it; then stop and start the VM"
        return failed(f"{said}; each should be {OPEN_FILES}", todo)
    if None in limits.values():
        words = f"{said}; macOS shows no limit of another process"
        return unproven(words, "let healer start the VM: what it starts has its own limit")
    return proved(said)


def authorities(own: ssl.SSLContext, used: ssl.SSLContext) -> Proof:
    """Some authority is known, so that HTTPS of a webhook or Caddy can be judged.

    `own`: as this Python makes a context; `used`: as healer does.
    """
    if knows_anybody(own):
        count = own.cert_store_stats()["x509_ca"]
        return proved(f"{count} authorities" if count else "a folder of authorities")
    if knows_anybody(used):
        return proved(f"this Python knows none; healer reads {MACOS}")
    todo = "run Install Certificates.command of this Python, or set SSL_CERT_FILE"
    return failed("no authority is known", todo)


def cost(looks: Mapping[str, float], cpu: float, seconds: float) -> Proof:
    """What looking costs: the longest look of each layer, and CPU over the last minutes.

    `cpu`: CPU-seconds of the daemon and its children within the last `seconds`.
    """
    longest = ", ".join(f"{layer} {took:.2f} s" for layer, took in looks.items())
    if seconds < FIVE_MINUTES:
        left = FIVE_MINUTES - seconds
        return unproven(f"longest looks: {longest or 'none'}", f"run this again in {left:.0f} s")
    rate = cpu * 60.0 / seconds
    words = f"{rate:.3f} CPU-seconds a minute over {seconds / 60.0:.0f} min; longest looks: "
    if rate > MOST_CPU:
        return failed(words + longest, _ISSUE)
    return proved(words + longest)

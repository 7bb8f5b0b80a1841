"""`launchctl`, with what its exit codes mean and the patience that launchd needs.

The codes are those of facts/incidents.md §2 and facts/peers.md §6.2, and of public reports:
36 and 37 while a job is on its way out, 119 for a label that was disabled
(osquery/osquery#5698, DeterminateSystems/nix-installer#530).
"""

from collections.abc import Callable
from pathlib import Path
from typing import Final

import anyio

from healer.adapters.process import Completed, ProcessRunner
from healer.model.launch_agent import EXIT_TIMEOUT
from healer.model.launchd import ABSENT, Domain, LoadedJob, parse_disabled, parse_job
from healer.outside import cleaned
from healer.ports import ActFailed, CannotLook, TargetSilent

DEADLINE: Final = 10.0
"""Seconds for one call; it answers in milliseconds."""

PATIENCE: Final = EXIT_TIMEOUT + 10.0
"""Seconds for a job to be gone: launchd kills it after its ExitTimeOut."""

LOOK: Final = 0.25
"""Seconds between two looks."""

PAUSES: Final = (0.5, 1.0, 2.0, 4.0)
"""Seconds before each new try to load: a job that was ended is not gone at once, and a few
seconds cure that (openclaw/openclaw#136453)."""

_ON_ITS_WAY: Final = frozenset({5, 36, 37})
"""Input/output error, Operation now in progress, Operation already in progress: of a bootout,
that it has begun, or that there was nothing to do; a look tells which."""
_AGAIN: Final = frozenset({5, 17, 36, 37, 119})
"""Of a bootstrap: already loaded (5, 17, 37), still on its way out (5, 36, 37), disabled
(5, 119), or a plist that launchd dislikes (5): all but the last are mended here."""
_NOT_PERMITTED: Final = 1
_NO_DOMAIN: Final = frozenset({112, 125})
_OTHER_SESSION: Final = 134
_SAID: Final = 300


class Launchctl:
    """One launchctl. `say` is told of each retry."""

    def __init__(
        self,
        runner: ProcessRunner,
        tool: Path,
        path: str,
        *,
        say: Callable[[str], None] = lambda _: None,
        deadline: float = DEADLINE,
        patience: float = PATIENCE,
    ) -> None:
        self._runner = runner
        self._tool = tool
        self._env = {"PATH": path, "LC_ALL": "C"}
        self._say = say
        self._deadline = deadline
        self._patience = patience

    async def exists(self, domain: Domain) -> bool:
        """Whether there is such a domain. Raises CannotLook, TargetSilent."""
        return await self._print(str(domain)) is not None

    async def job(self, target: str) -> LoadedJob | None:
        """The job, or None when it is not loaded. Raises CannotLook, TargetSilent."""
        said = await self._print(target)
        return None if said is None else parse_job(said)

    async def page(self, target: str) -> str | None:
        """The job's whole page, or None when it is not loaded. Raises CannotLook, TargetSilent.

        It shows the job's environment: it is read, and never passed on.
        """
        return await self._print(target)

    async def kickstart(self, target: str) -> None:
        """Run it now; one that runs goes on. Raises ActFailed, TargetSilent, CannotLook.

        A domain that is not there is an error and no reason for another try (R45).
        """
        done = await self._run("kickstart", target)
        if done.code != 0:
            raise ActFailed(f"launchctl kickstart {target}", _words(done) + _hint(done.code))

    async def disabled(self, domain: str) -> frozenset[str]:
        """Labels that are disabled there. Raises CannotLook, TargetSilent."""
        done = await self._run("print-disabled", domain)
        if done.code in ABSENT:
            return frozenset()
        if done.code != 0:
            raise CannotLook(f"launchctl print-disabled {domain}", _words(done))
        return parse_disabled(done.stdout)

    async def bootout(self, target: str) -> None:
        """End a job and wait until it is gone; none there is fine. Raises ActFailed too."""
        done = await self._run("bootout", target)
        if done.code in ABSENT:
            return
        if done.code != 0 and done.code not in _ON_ITS_WAY:
            raise ActFailed(f"launchctl bootout {target}", _words(done) + _hint(done.code))
        if not await self._is_gone(target):
            raise ActFailed(
                f"launchctl bootout {target}",
                f"still loaded after {self._patience:.0f} s ({_words(done) or 'it said nothing'}); "
                f"look: launchctl print {target}",
            )

    async def _is_gone(self, target: str) -> bool:
        begun = anyio.current_time()
        while await self.job(target) is not None:
            if anyio.current_time() - begun >= self._patience:
                return False
            await anyio.sleep(LOOK)
        return True

    async def enable(self, target: str) -> None:
        """Let launchd load it. Raises ActFailed, TargetSilent, CannotLook."""
        done = await self._run("enable", target)
        if done.code != 0:
            raise ActFailed(f"launchctl enable {target}", _words(done) + _hint(done.code))

    async def bootstrap(self, domain: str, label: str, plist: Path) -> None:
        """Load a job; what stands in the way of that is cleared, a few times.

        Raises ActFailed, TargetSilent, CannotLook.
        """
        place = f"launchctl bootstrap {domain} {plist}"
        pauses = iter(PAUSES)
        while True:
            done = await self._run("bootstrap", domain, str(plist))
            if done.code == 0:
                return
            pause = next(pauses, None)
            if done.code not in _AGAIN or pause is None:
                raise ActFailed(place, _words(done) + _hint(done.code, plist))
            self._say(f"{place}: {_words(done)}; once more in {pause:g} s")
            await self._clear_the_way(domain, label)
            await anyio.sleep(pause)

    async def _clear_the_way(self, domain: str, label: str) -> None:
        target = f"{domain}/{label}"
        await self.bootout(target)
        if label in await self.disabled(domain):
            await self.enable(target)

    async def _print(self, target: str) -> str | None:
        done = await self._run("print", target)
        if done.code in ABSENT:
            return None
        if done.code != 0:
            raise CannotLook(f"launchctl print {target}", _words(done))
        return done.stdout

    async def _run(self, *arguments: str) -> Completed:
        """Raises CannotLook when it cannot be started, TargetSilent when it hangs."""
        try:
            return await self._runner.run(
                [str(self._tool), *arguments], deadline=self._deadline, env=self._env
            )
        except TargetSilent as error:
            raise TargetSilent(
                error.place, f"{error.detail}; what it was to do may be done: run this again"
            ) from error


def _words(done: Completed) -> str:
    """What it complained of: the line with the number, which is not always the first."""
    lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
    said = next((line for line in lines if "failed:" in line), lines[0] if lines else "")
    return cleaned(said[:_SAID]) or (f"exit {done.code}" if done.code else "")


def _hint(code: int, plist: Path | None = None) -> str:
    if code == _NOT_PERMITTED:
        return "; it needs root, or was asked of another user's domain"
    if code in _NO_DOMAIN:
        return "; nobody is logged in there (healer install --system needs no login)"
    if code == _OTHER_SESSION:
        return "; its LimitLoadToSessionType is not for this domain"
    if code in _AGAIN and plist is not None:
        return (
            f", {len(PAUSES) + 1} times, and it is neither loaded nor disabled, so launchd "
            f"dislikes the plist or the domain; look: plutil -lint {plist}; ls -l {plist}"
        )
    return ""

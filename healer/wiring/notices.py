"""Channels, rules and outbox from the settings, and the notices of a daemon over them."""

import random
import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

from healer.adapters.notice_command import Command
from healer.adapters.notice_dead_man import PingedUrl
from healer.adapters.notice_desktop import Desktop
from healer.adapters.notice_webhook import Webhook
from healer.adapters.process import ProcessRunner
from healer.adapters.secret_file import Secret
from healer.notices.dead_man import DeadMan
from healer.notices.delivering import Hooks
from healer.notices.rules import Rules
from healer.notices.service import Around, Notices, Setup
from healer.ports import Beacon, Channel, Outbox
from healer.settings import Settings
from healer.settings.tree import NoticeSettings

if TYPE_CHECKING:
    # A test notice by hand needs channels alone, and pays for no daemon.
    from healer.wiring.daemon import Household

_OSASCRIPT: Final = "osascript"


class Note(Protocol):
    """Writes one line of the log."""

    def __call__(self, event: str, **fields: Any) -> None:  # noqa: ANN401  (a log takes what JSON can hold)
        """Write it."""
        ...


@dataclass(frozen=True, slots=True)
class HouseNotices:
    """A daemon's notices: a listener for its ears, a task for its group, a part of its reload."""

    notices: Notices
    _house: "Household"
    _hooks: Hooks
    _environment: Mapping[str, str]

    async def run(self) -> None:
        """Deliver until cancelled."""
        await self.notices.run()

    def reload(self) -> None:
        """Go on with the house's settings of now."""
        self.notices.adopt(_setup(self._house, self._hooks, self._environment))


def notices_of(
    house: "Household",
    environment: Mapping[str, str],
    *,
    outcome: Callable[[str, str], None],
    note: Note,
) -> HouseNotices:
    """Wire them; what is wrong with a channel stands in `house.problems` from then on.

    `outcome` is told channel and outcome of each delivery, for the metric.
    """

    def outbox() -> Outbox:
        return house.journal.journal.notices()

    hooks = Hooks(outcome, _Saying(house.problems, note), random.Random().random)  # noqa: S311  (rests, not secrets)
    around = Around(
        outbox=outbox,
        clock=house.clock,
        hooks=hooks,
        problems=lambda: told_once(house.without),
    )
    notices = Notices(_setup(house, hooks, environment), around)
    house.ears.listeners.append(notices)
    return HouseNotices(notices, house, hooks, environment)


@dataclass(frozen=True, slots=True)
class _Saying:
    """Says a problem once, and its end; `healer status` shows what is so now."""

    problems: dict[str, str]
    note: Note

    def __call__(self, part: str, words: str) -> None:
        if words == self.problems.get(part, ""):
            return
        if words:
            self.problems[part] = words
        else:
            del self.problems[part]
        self.note("problem" if words else "problem_over", part=part, detail=words)


def told_once(problems: Mapping[str, str]) -> Mapping[str, str]:
    """Without what another part says already: a missing file fails its check and each delivery."""
    kept: dict[str, str] = {}
    for part, words in sorted(problems.items(), key=lambda one: len(one[1])):
        if not any(words.startswith(before) for before in kept.values()):
            kept[part] = words
    return kept


def _setup(house: "Household", hooks: Hooks, environment: Mapping[str, str]) -> Setup:
    settings = house.settings
    beacon = beacon_of(settings, environment)
    every, healthy = settings.notices.dead_man_every, house.watchdog.stalled
    dead_man = None if beacon is None else DeadMan(beacon, every, healthy, house.clock, hooks)
    return Setup(channels_of(settings, environment), rules_of(settings.notices), dead_man)


def rules_of(notices: NoticeSettings) -> Rules:
    """When a human is told."""
    return Rules(
        opened_after=notices.opened_after,
        reported_after=notices.reported_after,
        healing_at_most=notices.healing_at_most,
        impaired_after=notices.impaired_after,
        recurring=notices.recurring,
        digest=notices.digest,
        digest_hour=notices.digest_hour,
    )


def channels_of(settings: Settings, environment: Mapping[str, str]) -> tuple[Channel, ...]:
    """Every way to a human that is configured here."""
    notices, home = settings.notices, _home(environment)
    path = ":".join(settings.files.path) or environment.get("PATH", "")
    children = {**environment, "PATH": path, "HOME": str(home)}
    runner, found = ProcessRunner(), list[Channel]()
    if notices.command:
        program, *arguments = notices.command
        argv = (_expanded(program, home), *arguments)
        found.append(Command(argv, runner, children))
    url = _secret(notices.webhook_url_file, notices.webhook_url_env, environment)
    if url is not None:
        header = _secret(notices.webhook_header_file, notices.webhook_header_env, environment)
        found.append(Webhook(url, header))
    if notices.desktop and (sys.platform == "darwin" or shutil.which(_OSASCRIPT, path=path)):
        found.append(Desktop(runner, children))
    return tuple(found)


def beacon_of(settings: Settings, environment: Mapping[str, str]) -> Beacon | None:
    """The dead-man ping, if it is configured."""
    notices = settings.notices
    url = _secret(notices.dead_man_url_file, notices.dead_man_url_env, environment)
    return None if url is None else PingedUrl(url, notices.dead_man_method)


def _secret(
    file: str | None, variable: str | None, environment: Mapping[str, str]
) -> Secret | None:
    if not file and not variable:
        return None
    path = Path(_expanded(file, _home(environment))) if file else None
    return Secret(path, variable or "", environment)


def _expanded(text: str, home: Path) -> str:
    return str(home / text[2:]) if text.startswith("~/") else text


def _home(environment: Mapping[str, str]) -> Path:
    return Path(environment.get("HOME", str(Path.home())))

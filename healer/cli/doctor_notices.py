"""What `healer doctor` says of the ways to a human: a broken one is found before it is needed."""

from collections.abc import Iterator, Mapping
from typing import Final

from healer.adapters.notice_desktop import AQUA, manager_name
from healer.adapters.process import ProcessRunner
from healer.cli.examined import Examined
from healer.cli.household import household, launchctl_of
from healer.cli.running import run_async
from healer.model.launch_agent import LABEL
from healer.model.launchd import DomainKind, domains_of
from healer.ports import PortError
from healer.settings import Settings
from healer.wiring.notices import beacon_of, channels_of

_TRY: Final = "healer notify --test"
_ADD: Final = f"set command or webhook_url_file under [notices]; then {_TRY}"
_SESSIONS: Final = {
    DomainKind.SYSTEM: "System",
    DomainKind.USER: "Background",
    DomainKind.GUI: AQUA,
}
"""What `launchctl managername` says in each domain."""


def examine_notices(settings: Settings, environment: Mapping[str, str]) -> Iterator[Examined]:
    """One for each channel, by the look that the daemon takes daily; nothing is sent."""
    channels = channels_of(settings, environment)
    checks = {one.name: one.check() for one in channels}
    for one in channels:
        if not one.confirms and not checks[one.name]:
            checks[one.name] = _out_of_reach(settings, environment)
    if not channels:
        detail = "no channel is configured, so nobody is notified when healer gives up"
        yield Examined("notices", good=False, detail=detail, mend=_ADD, needed=False)
    elif not any(one.confirms for one in channels):
        detail = "no channel reaches you: "
        detail += next((f"{name}: {wrong}" for name, wrong in checks.items() if wrong), "")
        if not any(checks.values()):
            detail += "macOS shows a notification or does not, and never says which"
        yield Examined("notices", good=False, detail=detail, mend=_ADD, needed=False)
    beacon = beacon_of(settings, environment)
    if beacon is not None:
        checks[beacon.name] = beacon.check()
    for name, wrong in checks.items():
        detail = wrong or f"ready; {_TRY} sends one"
        yield Examined(f"notices by {name}", not wrong, detail, _TRY, needed=False)


def _out_of_reach(settings: Settings, environment: Mapping[str, str]) -> str:
    """Why the screen cannot be reached from where healer runs; '' when it can.

    The session of the daemon counts and not that of this shell, as soon as launchd has it.
    """
    house = household(environment, lambda _environment, _home: settings)
    if house.launchctl is None:
        return f"there is no launchctl on {house.path}"
    launchctl = launchctl_of(house, house.launchctl, lambda _: None)

    async def session() -> str:
        for domain in domains_of(house.uid):
            if await launchctl.job(domain.target(LABEL)) is not None:
                return _SESSIONS[domain.kind]
        return await manager_name(ProcessRunner(), {"PATH": house.path})

    try:
        found = run_async(session)
    except PortError as error:
        return str(error)
    return "" if found == AQUA else f"healer's session is {found}, which has no screen"

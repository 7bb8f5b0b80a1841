"""What `healer doctor` says of the ways to a human: a broken one is found before it is needed."""

from collections.abc import Iterator, Mapping
from typing import Final

from healer.cli.examined import Examined
from healer.settings import Settings
from healer.wiring.notices import beacon_of, channels_of

_TRY: Final = "healer notify --test"


def examine_notices(settings: Settings, environment: Mapping[str, str]) -> Iterator[Examined]:
    """One for each channel, by the look that the daemon takes daily; nothing is sent."""
    checks = {one.name: one.check() for one in channels_of(settings, environment)}
    if not checks:
        detail = "no channel is configured, so nobody is told when healer gives up"
        yield Examined("notices", good=False, detail=detail, mend=_TRY, needed=False)
    beacon = beacon_of(settings, environment)
    if beacon is not None:
        checks[beacon.name] = beacon.check()
    for name, wrong in checks.items():
        detail = wrong or f"ready; {_TRY} sends one"
        yield Examined(f"notices by {name}", not wrong, detail, _TRY, needed=False)

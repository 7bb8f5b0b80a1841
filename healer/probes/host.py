"""The Mac: tools, HOME, room on the disk, other owners of the tower, and who is at work."""

from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

from healer.core.observation import Finding, ForeignOperation, Observation
from healer.core.reasons import Reason
from healer.core.tower import Layer
from healer.model.launchd import bootout_advice
from healer.model.operations import Foreign
from healer.ports import HostEyes, PortError
from healer.probes.asking import ask

MIB: Final = 1024 * 1024
LEAST_FREE: Final = 200 * MIB
"""Bytes that must be free for the journal and the logs to go on."""

NEEDED: Final[Mapping[str, str]] = MappingProxyType(
    {
        "colima": "brew install colima",
        "limactl": "brew install lima",
        "docker": "brew install docker",
        "ssh": "it comes with macOS: put /usr/bin on PATH",
    }
)
"""Without these healer is blind, or `colima start` fails (facts/colima.md §1.7)."""

WELCOME: Final[Mapping[str, str]] = MappingProxyType(
    {
        "kubectl": "brew install kubectl",
        "talosctl": "brew install siderolabs/tap/talosctl",
    }
)
"""Tools for the human who follows an advice; healer itself calls neither."""


class HostProbe:
    """Looks at the Mac.

    `home` is HOME as healer was given it, None when it was not; `foreign` finds the work of
    others in a process list; `credentials` looks at what lets us in (probes/credentials).
    """

    layer = Layer.HOST

    def __init__(
        self,
        host: HostEyes,
        home: Path | None,
        foreign: Foreign,
        credentials: Callable[[], Awaitable[tuple[Finding, ...]]] | None = None,
    ) -> None:
        self._host = host
        self._home = home
        self._foreign = foreign
        self._credentials = credentials

    async def look(self) -> Observation:
        """Look once.

        What only an advisory finding needs may stay unseen; a missing tool makes the layer
        unknown, not ill: a bare machine is no broken tower (design §10, exit code 3).
        """
        processes = await ask(self._host.processes)
        free, blind = self._disk()
        unknown = [*self._missing(), *blind]
        foreign: tuple[ForeignOperation, ...] = ()
        others_unseen = ""
        if isinstance(processes, PortError):
            others_unseen = f"who else is at work is not known: {processes}"
            unknown.append(others_unseen)
        else:
            foreign = self._foreign(processes)
        rivals, unseen = await self._rivals()
        told = () if self._credentials is None else await self._credentials()
        return Observation(
            self.layer,
            (*_disk_full(free), *self._lacking(), *rivals, *told),
            unknown="; ".join(unknown),
            foreign=foreign,
            others_unseen=others_unseen,
            summary=unseen or _room(free),
        )

    def _missing(self) -> list[str]:
        said = [
            f"{tool} is not on PATH ({fix})"
            for tool, fix in NEEDED.items()
            if self._host.tool(tool) is None
        ]
        if self._home is None:
            said.append("HOME is not set (give it in the plist's EnvironmentVariables)")
        return said

    def _lacking(self) -> tuple[Finding, ...]:
        """Each missing tool with its fix, so that a person is told and not only the state."""
        kinds = ((Reason.TOOL_MISSING, NEEDED), (Reason.TOOL_ABSENT, WELCOME))
        return tuple(
            Finding(reason, f"{tool} is not on PATH", target=tool, advice=fix)
            for reason, tools in kinds
            for tool, fix in tools.items()
            if self._host.tool(tool) is None
        )

    def _disk(self) -> tuple[int | None, list[str]]:
        try:
            return self._host.disk_free(), []
        except PortError as error:
            return None, [f"room on the disk is not known: {error}"]

    async def _rivals(self) -> tuple[tuple[Finding, ...], str]:
        loaded = await ask(self._host.loaded_rivals)
        if isinstance(loaded, PortError):
            return (), f"other owners not looked for: {loaded}"
        return tuple(_rival(target) for target in loaded), ""


def _rival(target: str) -> Finding:
    """`target` is launchd's own name for it, such as `gui/501/com.joel.talon`."""
    return Finding(
        Reason.RIVAL_LOADED,
        f"{target} is loaded: two owners of one VM fight",
        target=target,
        advice=bootout_advice([target]),
    )


def _disk_full(free: int | None) -> tuple[Finding, ...]:
    if free is None or free >= LEAST_FREE:
        return ()
    wanted = (LEAST_FREE - free) // MIB + 1
    return (
        Finding(
            Reason.DISK_FULL,
            f"{free // MIB} MiB free on the disk of the state folder, {LEAST_FREE // MIB} needed",
            advice=f"free {wanted} MiB there: du -xhd 1 ~ | sort -h shows what uses it",
        ),
    )


def _room(free: int | None) -> str:
    return "" if free is None else f"{free // MIB} MiB free"

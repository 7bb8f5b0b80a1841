"""The kubeconfig and the talosconfig, judged by what the live cluster shows."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from healer.adapters.api_port import API_PORT
from healer.adapters.client_config import parse, read_text
from healer.adapters.clock import SystemClock
from healer.adapters.journal import SqliteJournal
from healer.adapters.serving_certificate import vouches
from healer.model.client_config import ClientConfig, Kind
from healer.model.config_faults import NODE_ADDRESS, Fault, Known, faults_of
from healer.ports import CannotLook, JournalError, NotThere, PortError
from healer.settings import Settings
from healer.settings.places import Places
from healer.wiring.tracing import outside_of

Ask = Callable[[bytes, str, int], Awaitable[bool]]


@dataclass(frozen=True, slots=True)
class Judged:
    """One file, and what is wrong in it."""

    kind: Kind
    path: Path
    text: str = ""
    faults: tuple[Fault, ...] = ()
    unread: str = ""
    """Why it could not be read; '' = it was."""
    there: bool = True
    port: int | None = None
    answered: bool = False
    """Whether a server answered there, so that contexts are told apart by their CA."""


async def judge(kind: Kind, path: Path, known: Known, ask: Ask = vouches) -> Judged:
    """Read one file and judge it; a server is asked only for its certificate."""
    try:
        text = read_text(path, kind)
        config = parse(text, path, kind)
    except NotThere as error:
        return Judged(kind, path, unread=str(error), there=False, port=known.port)
    except CannotLook as error:
        return Judged(kind, path, unread=str(error), port=known.port)
    proved = await _proved(config, known.port, ask)
    known = replace(known, proved=proved)
    return Judged(
        kind, path, text, faults_of(config, known), port=known.port, answered=proved is not None
    )


async def _proved(config: ClientConfig, port: int | None, ask: Ask) -> frozenset[str] | None:
    """Contexts whose CA fits what answers on the port; None when nobody answers."""
    if port is None:
        return None
    fits: Mapping[bytes, bool] = {}
    proved: set[str] = set()
    answered = False
    for entry in config.entries:
        if not entry.ca:
            continue
        try:
            if entry.ca not in fits:
                fits = {**fits, entry.ca: await ask(entry.ca, "127.0.0.1", port)}
        except CannotLook:
            continue
        except PortError:
            return None
        answered = True
        if fits[entry.ca]:
            proved.add(entry.name)
    return frozenset(proved) if answered else None


async def known_of(
    settings: Settings, places: Places, environment: Mapping[str, str]
) -> Mapping[Kind, Known]:
    """Where Docker publishes both APIs; the journal remembers the port of Kubernetes'."""
    tower = settings.tower
    try:
        async with outside_of(settings, environment) as outside:
            container = await outside.engine.container()
    except PortError:
        return {
            Kind.KUBECONFIG: Known(tower.cluster, _remembered(places)),
            Kind.TALOSCONFIG: Known(tower.cluster),
        }
    addresses = container.addresses or (NODE_ADDRESS,)
    return {
        Kind.KUBECONFIG: Known(tower.cluster, container.host_port(tower.api_port), addresses),
        Kind.TALOSCONFIG: Known(tower.cluster, container.host_port(tower.talos_port), addresses),
    }


def _remembered(places: Places) -> int | None:
    try:
        journal = SqliteJournal.for_reading(places.journal, SystemClock())
        if journal is None:
            return None
        known = journal.known(API_PORT)
        journal.close()
    except JournalError:
        return None
    return int(known) if known and known.isascii() and known.isdigit() else None

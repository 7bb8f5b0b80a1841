"""Client configurations and certificates, read rarely: neither changes by itself."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import anyio

from healer.adapters.certificate import read_der, read_pem
from healer.adapters.client_config import parse, read_text
from healer.adapters.serving_certificate import shown_by
from healer.files import read_regular
from healer.model.certificates import APISERVER, Certificate, names_of_files
from healer.model.client_config import ClientConfig, Kind
from healer.model.config_faults import Known, ours
from healer.ports import CannotLook, Clock, NotThere, PortError

EVERY: Final = 3600.0
"""Seconds between two looks at a certificate: what is told are days."""
AGAIN: Final = 60.0
"""Seconds after which one that could not be read is looked at again."""
_LARGEST: Final = 1 << 20

Stamp = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is looked at, by the settings."""

    configs: Mapping[Kind, Path]
    cluster: str
    """Whose client certificate is meant where a file holds several."""
    files: tuple[Path, ...] = ()
    endpoints: tuple[str, ...] = ()


class Credentials:
    """Implements CredentialEyes."""

    def __init__(self, wanted: Wanted, clock: Clock) -> None:
        self._wanted = wanted
        self._clock = clock
        self._configs: dict[Kind, tuple[Stamp, ClientConfig]] = {}
        self._seen: dict[str, tuple[float, Certificate]] = {}

    def config(self, kind: Kind) -> ClientConfig:
        """Parsed anew only when the file was written or replaced."""
        path = self._wanted.configs[kind]
        stamp = _stamp(path)
        kept = self._configs.get(kind)
        if kept is None or stamp is None or kept[0] != stamp:
            config = parse(read_text(path, kind), path, kind)
            kept = (stamp or (0, 0, 0), config)
            self._configs[kind] = kept
        return kept[1]

    async def certificates(self) -> Sequence[Certificate]:
        """Those of both configurations, of the files and of the endpoints, in that order."""
        found = [self._of_config(kind) for kind in self._wanted.configs]
        files = self._wanted.files
        for name, file in zip(names_of_files([str(one) for one in files]), files, strict=True):
            found.append(self._lately(name) or self._keep(_of_file(name, file)))
        async with anyio.create_task_group() as tasks:
            for one in self._wanted.endpoints:
                tasks.start_soon(self._ask, one, name=f"certificate of {one}")
        found += [self._seen[one][1] for one in self._wanted.endpoints]
        return tuple(found)

    async def serving(self, port: int) -> Certificate:
        """The API server's own."""
        where = f"127.0.0.1:{port}"
        kept = self._lately(APISERVER)
        if kept is not None and kept.where == where:
            return kept
        return self._keep(await _of_endpoint(APISERVER, where))

    def expiries(self) -> Mapping[str, float]:
        """Epoch seconds by name, of what was read last: from memory."""
        return {
            name: one.read.ends for name, (_, one) in self._seen.items() if one.read is not None
        }

    async def _ask(self, endpoint: str) -> None:
        if self._lately(endpoint) is None:
            self._keep(await _of_endpoint(endpoint, endpoint))

    def _lately(self, name: str) -> Certificate | None:
        at, kept = self._seen.get(name, (0.0, None))
        if kept is None:
            return None
        rest = AGAIN if kept.read is None else EVERY
        return kept if 0 <= self._clock.now() - at < rest else None

    def _keep(self, one: Certificate) -> Certificate:
        self._seen[one.name] = (self._clock.now(), one)
        return one

    def _of_config(self, kind: Kind) -> Certificate:
        """The client certificate of our context, else of the current one, else of the first."""
        where = str(self._wanted.configs[kind])
        try:
            config = self.config(kind)
        except (NotThere, CannotLook) as error:
            there = not isinstance(error, NotThere)
            return self._keep(Certificate(kind, where, unread=error.detail, there=there))
        current = config.named(config.current.text) if config.current else None
        mine = ours(config, Known(self._wanted.cluster))
        first = (current, *mine) if current in mine else (*mine, current)
        entries = [one for one in (*first, *config.entries) if one and one.certificate]
        read = read_pem(entries[0].certificate) if entries else None
        unread = "" if read else "holds no client certificate"
        return self._keep(Certificate(kind, where, read, unread))


def _of_file(name: str, path: Path) -> Certificate:
    try:
        read = read_pem(read_regular(path, _LARGEST))
    except FileNotFoundError:
        return Certificate(name, str(path), unread="is not there", there=False)
    except OSError as error:
        return Certificate(name, str(path), unread=error.strerror or "cannot be read")
    return Certificate(name, str(path), read, "" if read else "holds no certificate in PEM")


async def _of_endpoint(name: str, where: str) -> Certificate:
    host, _, port = where.rpartition(":")
    try:
        read = read_der(await shown_by(host.strip("[]"), int(port)))
    except PortError as error:
        return Certificate(name, where, unread=error.detail)
    return Certificate(name, where, read, "" if read else "shows no certificate")


def _stamp(path: Path) -> Stamp | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ino, found.st_size

"""The one question that the VM is asked, and how its answer reads.

A constant POSIX script (`guest_facts.sh`) goes in on ssh's stdin and `key=value` lines come
out, so nothing is quoted twice and one round trip tells everything (a fresh ssh costs 0.1
CPU-seconds). A line that is missing or makes no sense leaves its field at what is honest: not
known.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Final

from healer.model.machine import FileSystem, GuestFacts, Unit
from healer.ports import TargetIll

MODULES: Final = ("br_netfilter", "vxlan")
MODULES_FILE: Final = "/etc/modules-load.d/healer.conf"
SYSCTL: Final = "/proc/sys/net/bridge/bridge-nf-call-iptables"
_ALWAYS: Final = frozenset({"uptime", "clock", "bridge", "vxlan", "ping", "ended"})
"""Said by every answer that was not cut; in a cut one a healthy engine would look dead."""
_BEGINS: Final = "\nfacts=1\n"
"""Before it stands whatever a user's rc file says, which may look like anything."""
_UNITS: Final = ("unit.", "socket.")
_NUMBER: Final = re.compile(r"(\d{1,18})(?:\.(\d{0,18}).*)?", re.ASCII)
_PORT: Final = re.compile(r"\d{1,5}", re.ASCII)


def script() -> bytes:
    """The question as it goes in on ssh's stdin."""
    return files("healer.adapters").joinpath("guest_facts.sh").read_bytes()


@dataclass(frozen=True, slots=True)
class Question:
    """What the script is asked about."""

    container: str
    api_port: int = 6443
    """The API server's port in the container."""
    ports: tuple[int, ...] = ()
    """Published ports to connect to from inside the VM."""

    @property
    def arguments(self) -> tuple[str, ...]:
        """The script's positional parameters."""
        return (self.container, str(self.api_port), *(str(port) for port in self.ports))


def read_answer(text: str, place: str, asked_at: float) -> GuestFacts:
    """The facts in what the script printed; raises TargetIll when it is no whole answer.

    `asked_at` is the middle of the round trip by the Mac's clock, as `clock` is by the VM's:
    a slow question must not look like a skewed clock.
    """
    values, ports, disks = _lines(text.rpartition(_BEGINS)[2])
    uptime, clock = _number(values.get("uptime")), _number(values.get("clock"))
    ended = _number(values.get("ended"))
    if uptime is None or clock is None or ended is None or not values.keys() >= _ALWAYS:
        raise TargetIll(place, f"answered nonsense: {text[:120]!r}")
    return GuestFacts(
        uptime=uptime,
        clock=(clock + ended) / 2,
        asked_at=asked_at,
        bridge_netfilter=values.get("bridge") == "1",
        vxlan=values.get("vxlan") == "1",
        persisted=set(MODULES) <= set(values.get("modules", "").split()),
        disks=_file_systems(disks),
        engine_answers=values.get("ping") == "OK",
        docker=_unit(values, uptime),
        docker_root=values.get("docker_root", ""),
        has_data_disk=values.get("data_disk") == "1",
        container_status=values.get("container", ""),
        api_answers=_api(values),
        api_port=_port(values.get("published", "")),
        open_ports=frozenset(ports),
    )


def is_whole(said: bytes) -> bool:
    """Whether the script has printed its last line."""
    _, began, told = said.rpartition(_BEGINS.encode())
    return bool(began) and said.endswith(b"\n") and b"\nended=" in told


def _lines(text: str) -> tuple[dict[str, str], list[int], list[str]]:
    values: dict[str, str] = {}
    ports: list[int] = []
    disks: list[str] = []
    for line in text.splitlines():
        key, equals, value = line.partition("=")
        if key == "port" and _PORT.fullmatch(value):
            ports.append(int(value))
        elif key == "disk":
            disks.append(value)
        elif key.startswith(_UNITS):
            # Asked twice: whoever hears the answer acts on the later word.
            values[key] = value.strip()
        elif equals:
            values.setdefault(key, value.strip())
    return values, ports, disks


def _file_systems(lines: Iterable[str]) -> tuple[FileSystem, ...]:
    """Each device once; two that have no device of their own (`tmpfs`) are told apart by use."""
    found: dict[tuple[str, str], tuple[float, tuple[str, ...]]] = {}
    for line in lines:
        used, _, rest = line.partition(" ")
        device, _, path = rest.partition(" ")
        share = _number(used.rstrip("%"))
        if share is None or not path:
            continue
        key = (device, "" if device.startswith("/") else used)
        _, paths = found.get(key, (0.0, ()))
        found[key] = (share / 100.0, (*paths, path))
    return tuple(FileSystem(device, share, paths) for (device, _), (share, paths) in found.items())


def _number(text: str | None) -> float | None:
    """A finite number; busybox's `date` prints `%N` as it stands, so a dot may lead nowhere."""
    match = _NUMBER.fullmatch(text or "")
    return None if match is None else float(f"{match[1]}.{match[2] or 0}")


def _unit(values: Mapping[str, str], uptime: float) -> Unit:
    """systemd's stamps are microseconds since the VM's boot, and 0 for never."""

    def ago(stamp: str) -> float | None:
        at = _number(values.get(f"unit.{stamp}TimestampMonotonic"))
        return max(0.0, uptime - at / 1e6) if at else None

    active = values.get("unit.ActiveState", "")
    began, ready = ago("ExecMainStart"), ago("ActiveEnter")
    return Unit(
        active,
        values.get("unit.Result", ""),
        ago("InactiveEnter") if active in {"inactive", "failed"} else None,
        None if began is None or ready is None else (began, ready),
        values.get("socket.ActiveState", ""),
    )


def _port(text: str) -> int | None:
    """`-` of a container that publishes none."""
    return int(text) if _PORT.fullmatch(text) else None


def _api(values: Mapping[str, str]) -> bool | None:
    """Any HTTP status is an answer; curl says 000 when there was none."""
    status = values.get("api", "")
    if not status.isdigit():
        return None
    return status != "000"

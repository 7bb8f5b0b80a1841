"""What a Redis says of its settings, over its published port: a few bounded answers."""

import re
from collections.abc import Iterator
from typing import Final

import anyio

from healer.adapters.connecting import words_of
from healer.adapters.exchange import tcp
from healer.model.setup import RedisSettings
from healer.ports import CannotLook, Denied, TargetIll, TargetSilent

SECONDS: Final = 1.5
_MOST: Final = 64 * 1024
_WANTED: Final = ("appendonly", "save", "maxmemory-policy", "maxmemory")
_WORDS: Final = (
    "".join(f"CONFIG GET {one}\r\n" for one in _WANTED) + "INFO persistence\r\nQUIT\r\n"
).encode()
_INFO: Final = re.compile(
    rb"^(aof_last_bgrewrite_status|rdb_last_bgsave_status):(\w+)\r?$", re.MULTILINE
)
_DENIED: Final = (b"-NOAUTH", b"-WRONGPASS", b"-NOPERM")


async def redis_settings(port: int, seconds: float = SECONDS) -> RedisSettings:
    """Ask it once. Raises TargetIll, TargetSilent, Denied, CannotLook."""
    place = f"redis 127.0.0.1:{port} CONFIG GET"
    try:
        with anyio.fail_after(seconds):
            async with tcp(port) as exchange:
                await exchange.say(_WORDS)
                said = await exchange.hear(_is_whole, _MOST)
    except TimeoutError as error:
        raise TargetSilent(place, f"no answer within {seconds:g} s") from error
    except OSError as error:
        raise TargetIll(place, words_of(error)) from error
    return read(said, place)


def _is_whole(heard: bytes) -> bool:
    """A Redis answers QUIT last; one that refuses says so at once."""
    return heard.endswith(b"\r\n+OK\r\n") or heard.startswith(_DENIED)


def read(said: bytes, place: str) -> RedisSettings:
    """The settings, out of what came back. Raises as `redis_settings`."""
    if said.startswith(_DENIED):
        raise Denied(place, _first_line(said))
    if said.startswith(b"-"):
        raise CannotLook(place, _first_line(said))
    if not said.endswith(b"\r\n+OK\r\n"):
        raise TargetIll(place, f"{len(said)} bytes that are no whole answer of a Redis")
    found = dict(_pairs(said))
    lacking = [one for one in _WANTED if one not in found]
    if lacking or not found["maxmemory"].isdigit():
        raise CannotLook(place, f"it does not tell {' and '.join(lacking) or 'maxmemory'}")
    info = {match[1].decode(): match[2].decode() for match in _INFO.finditer(said)}
    return RedisSettings(
        appendonly=found["appendonly"],
        save=found["save"],
        policy=found["maxmemory-policy"],
        maxmemory=int(found["maxmemory"]),
        rewrite=info.get("aof_last_bgrewrite_status", "ok"),
        snapshot=info.get("rdb_last_bgsave_status", "ok"),
    )


def _pairs(said: bytes) -> Iterator[tuple[str, str]]:
    """Name and value of each answer to CONFIG GET: an array of two bulk strings."""
    lines = said.split(b"\r\n")
    for at, line in enumerate(lines[:-4]):
        if line == b"*2" and lines[at + 1][:1] == b"$" and lines[at + 3][:1] == b"$":
            yield lines[at + 2].decode("utf-8", "replace"), lines[at + 4].decode("utf-8", "replace")


def _first_line(said: bytes) -> str:
    return said.split(b"\r\n", 1)[0][1:].decode("utf-8", "replace")[:120]

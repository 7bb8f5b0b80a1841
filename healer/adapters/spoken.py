"""What is said to a published port, and whether what came back is right: by bytes alone.

The same words are said from the Mac and from inside the VM, so that only the way differs.
"""

from typing import Final

from healer.adapters.exchange import Enough, HttpAnswer, http_answer, is_whole
from healer.model.published import PublishedService
from healer.ports import TargetIll, WrongAnswer

GOOD: Final = range(200, 400)
_SHOWN: Final = 200
"""Characters of an answer that are worth repeating."""
_REFUSES_WRITES: Final = b"aof_last_write_status:err"
"""Redis then says PONG and refuses every write (its MISCONF): a PING alone is no health (R51)."""


def words_for(service: PublishedService) -> bytes:
    """What to say, in one piece; it makes the server close when it has answered."""
    if service.protocol == "redis":
        return b"PING\r\nINFO persistence\r\nQUIT\r\n"
    if service.protocol == "http":
        path = service.path or "/"
        return f"GET {path} HTTP/1.0\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode()
    return b""


def heard_out(service: PublishedService) -> Enough:
    """Whether enough was heard to know that it lives, also when it keeps the connection."""
    return is_whole if service.protocol == "http" else _first_line


def is_heard_out(service: PublishedService, heard: bytes) -> bool:
    """Whether the deeper answer is whole too: a Redis answers QUIT last."""
    return service.protocol != "redis" or heard[:5] != b"+PONG" or heard.endswith(b"\r\n+OK\r\n")


def _first_line(heard: bytes) -> bool:
    """Whoever begins otherwise is no Redis."""
    return b"\r\n" in heard or heard[:1] not in b"+-"


def understood(service: PublishedService, said: bytes, place: str) -> str:
    """What was answered, in a few words.

    Raises WrongAnswer for the right protocol with the wrong words, TargetIll for anything else.
    """
    if service.protocol == "redis":
        return redis_answer(said, place)
    if service.protocol == "http":
        answer = http_answer(said)
        if answer is None:
            raise TargetIll(place, f"no HTTP: {said[:80]!r}" if said else "closed without a word")
        return web_answer(service, answer, place)
    return "accepts"


def redis_answer(said: bytes, place: str) -> str:
    """A Redis that wants a password is as alive as one that says PONG."""
    line = said.split(b"\r\n", 1)[0].decode("ascii", "replace")
    if line == "+PONG" or line.startswith("-NOAUTH"):
        if _REFUSES_WRITES in said:
            raise WrongAnswer(place, f"{line!r}, and refuses writes: {_REFUSES_WRITES.decode()}")
        return line
    if line[:1] in {"+", "-"}:
        raise WrongAnswer(place, f"answered {line!r}")
    raise TargetIll(place, f"answered {line!r}" if line else "closed without a word")


def web_answer(service: PublishedService, answer: HttpAnswer, place: str) -> str:
    """The body, when status and words are right; else raises WrongAnswer."""
    body = answer.body.decode("utf-8", "replace").strip()
    right = answer.status == service.status if service.status else answer.status in GOOD
    if not right:
        raise WrongAnswer(place, f"HTTP {answer.status}: {body[:_SHOWN]}")
    if service.expect and service.expect not in body:
        raise WrongAnswer(
            place, f"HTTP {answer.status} without {service.expect!r}: {body[:_SHOWN]}"
        )
    return body[:_SHOWN] or f"HTTP {answer.status}"

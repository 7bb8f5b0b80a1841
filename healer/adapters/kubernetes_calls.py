"""One request to the API server: bounded, and its foreign errors made ours.

A refused, reset or garbled connection says that the target is ill; silence past the deadline
likewise; 401 and 403 that it lives and refuses us; 409 and a failed `test` (422) that the
world changed meanwhile.
"""

import json
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any, Final

import anyio

from healer import __version__
from healer.ports import (
    ActFailed,
    CannotLook,
    Conflict,
    Denied,
    NotThere,
    PortError,
    TargetIll,
    TargetSilent,
    WrongAnswer,
)

Json = Any
"""Whatever JSON can hold."""
MIB: Final = 1 << 20
LONGEST_LINE: Final = 4 * MIB
"""One object; etcd takes none above 1.5 MiB."""
_CONNECT: Final = 5.0
_DENIED: Final = frozenset({401, 403})
_NOT_FOUND: Final = 404
_GONE: Final = 410
_CONFLICT: Final = 409
_UNPROCESSABLE: Final = 422
_BUSY: Final = 429
_FAILED: Final = 400
_SERVER: Final = 500


class Again(TargetIll):
    """Ill in a way that may pass in a moment; `wait` is what the server asked for, in seconds."""

    def __init__(self, place: str, detail: str, wait: float = 0.0) -> None:
        super().__init__(place, detail)
        self.wait = wait


class Failed(Again, WrongAnswer):
    """429 or a 5xx: the server lives, answers, and does not do its work."""


class Expired(PortError):
    """410: a list that was read in pages is too old to go on; begin it anew."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, and the server's own time in epoch seconds."""

    body: bytes = field(repr=False)
    server_time: float
    status: int

    def json(self, place: str) -> Json:
        """Decoded; raises TargetIll when it is none (a proxy's page, a torn answer)."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError) as error:
            raise TargetIll(place, f"answered {len(self.body)} bytes that are no JSON") from error


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    body: Json = None
    content_type: str = "application/json"
    limit: int = MIB
    accept: frozenset[int] = frozenset()
    """Statuses past 399 that are answers, not errors."""

    @property
    def place(self) -> str:
        """How errors name it."""
        return f"{self.method} {self.path}"


async def ask(client: Any, host: str, request: Request, deadline: float) -> Answer:  # noqa: ANN401  (the library has no types)
    """Send it once and read the whole answer, at most `request.limit` bytes of it."""
    from aiohttp import ClientError  # noqa: PLC0415  (costs 0.1 s; only a run with a cluster pays)

    place = request.place
    try:
        with anyio.fail_after(deadline):
            response = await client.request(
                request.method,
                f"{host}{request.path}",
                query_params=list(request.query.items()) or None,
                headers={
                    "Accept": "application/json",
                    "Content-Type": request.content_type,
                    "User-Agent": f"healer/{__version__}",
                },
                body=request.body,
                _preload_content=False,
                _request_timeout=deadline + 1.0,
            )
            try:
                answer = await _read(response, request)
            finally:
                response.release()
    except TimeoutError as error:
        raise TargetSilent(place, f"no answer within {deadline:g} s") from error
    except (ClientError, OSError) as error:
        raise _of_connection(error, place) from error
    _refuse(answer, request, response.headers.get("Retry-After", ""))
    return answer


async def stream(
    client: Any,  # noqa: ANN401  (the library has no types)
    host: str,
    request: Request,
    silence: float,
) -> AsyncGenerator[bytes, None]:
    """Lines of an answer that goes on, each of at most `LONGEST_LINE` bytes, without their ends.

    Raises TargetSilent after `silence` seconds without a byte, and what the status means.
    """
    from aiohttp import ClientError  # noqa: PLC0415  (as in `ask`)

    place = request.place
    try:
        response = await client.request(
            request.method,
            f"{host}{request.path}",
            query_params=list(request.query.items()),
            headers={"Accept": "application/json", "User-Agent": f"healer/{__version__}"},
            _preload_content=False,
            _request_timeout=(_CONNECT, silence),
        )
        try:
            if response.status >= _FAILED:
                _refuse(await _read(response, request), request, "")
            async for line in _lines(response.content, place):
                yield line
        finally:
            # Never released to the pool: a watch that is left has not been read to its end.
            response.close()
    except TimeoutError as error:
        raise TargetSilent(place, f"no byte within {silence:g} s") from error
    except (ClientError, OSError) as error:
        raise _of_connection(error, place) from error


async def _lines(content: Any, place: str) -> AsyncIterator[bytes]:  # noqa: ANN401  (aiohttp's stream)
    rest = bytearray()
    async for chunk in content.iter_any():
        rest += chunk
        *whole, last = rest.split(b"\n")
        rest = bytearray(last)
        for line in whole:
            if line.strip():
                yield bytes(line)
        if len(rest) > LONGEST_LINE:
            raise TargetIll(place, f"a line of more than {LONGEST_LINE} bytes")
    if rest.strip():
        raise TargetIll(place, "broke off in the middle of a line")


def _of_connection(error: Exception, place: str) -> PortError:
    """A certificate that does not verify belongs to another server than the one we believe in."""
    if isinstance(error, ssl.SSLError):
        if isinstance(error, ssl.CertificateError) or "CERTIFICATE_VERIFY_FAILED" in str(error):
            return CannotLook(place, f"its certificate does not verify: {error}")
        return TargetIll(place, f"TLS: {error}")
    return Again(place, str(error) or type(error).__name__)


async def _read(response: Any, request: Request) -> Answer:  # noqa: ANN401  (aiohttp's response, by way of the library)
    said = bytearray()
    async for chunk in response.content.iter_chunked(64 * 1024):
        said += chunk
        if len(said) > request.limit:
            response.close()
            raise TargetIll(request.place, f"answered more than {request.limit} bytes")
    date = _server_time(response.headers.get("Date", ""), request.place)
    return Answer(bytes(said), date, response.status)


def _server_time(date: str, place: str) -> float:
    """The server's Date, which Go's servers always send; no age could be told without it."""
    try:
        return parsedate_to_datetime(date).timestamp()
    except (ValueError, TypeError) as error:
        raise TargetIll(place, f"answered without the time: Date is {date!r}") from error


def _refuse(answer: Answer, request: Request, retry_after: str) -> None:
    """Raise what the status means; a status that is an answer passes."""
    status, place = answer.status, request.place
    if status < _FAILED or status in request.accept:
        return
    words = f"{status}: {message_of(answer.body)}"
    if status in _DENIED:
        raise Denied(place, words)
    if status == _NOT_FOUND:
        raise NotThere(place, words)
    if status == _GONE:
        raise Expired(place, words)
    if status == _BUSY or status >= _SERVER:
        wait = float(retry_after) if retry_after.isdigit() else 0.0
        raise Failed(place, words, wait)
    if request.method == "GET":
        raise TargetIll(place, words)
    raise _of_write(answer, request, words)


def _of_write(answer: Answer, request: Request, words: str) -> PortError:
    """422 of a JSON patch is a failed `test`; of any other patch it is a refused value."""
    tested = request.content_type == "application/json-patch+json"
    if answer.status == _CONFLICT or (tested and answer.status == _UNPROCESSABLE):
        return Conflict(request.place, words)
    return ActFailed(request.place, words)


def message_of(body: bytes) -> str:
    """The Status object's own words, or the beginning of whatever came."""
    with suppress(ValueError):
        status = json.loads(body)
        if isinstance(status, dict) and isinstance(status.get("message"), str):
            return str(status["message"])[:400]
    return body[:200].decode("utf-8", "replace")

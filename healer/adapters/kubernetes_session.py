"""Reads and writes over whatever connection is the right one now.

Reads are tried again within their deadline; writes never are, since only a new look can say
what they would do (facts/talos-kubernetes.md §4).
"""

from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

import anyio
from tenacity import (
    AsyncRetrying,
    RetryCallState,
    retry_if_result,
    stop_after_attempt,
    wait_random_exponential,
)

from healer.adapters.kubernetes_calls import MIB, Again, Answer, Expired, Json, Request, ask
from healer.adapters.kubernetes_connect import Connector
from healer.adapters.kubernetes_decode import decoded
from healer.ports import ActFailed, CannotLook, PortError, TargetIll, TargetSilent, as_value

T = TypeVar("T")

PAGE_BYTES: Final = 32 * MIB
"""What one page of a list may weigh; 100 pods weigh some 1 MiB."""
_LIST_BYTES: Final = 4 * PAGE_BYTES
"""What all its pages may weigh together."""
_PAGE: Final = 100
"""Objects: one page is as much as is ever in memory before it is read, at five times its weight."""
_PAGES: Final = 200
_TRIES: Final = 3
_LONGEST_WAIT: Final = 1.0
"""Seconds between two tries, whatever Retry-After says: a look must end in time."""


@dataclass(frozen=True, slots=True)
class Listed(Generic[T]):
    """What a list held, the server's own time, and the version to watch on from."""

    items: tuple[T, ...]
    server_time: float
    version: str


class Session:
    """Requests with deadlines; `deadline` in seconds is that of one request, tries included."""

    def __init__(self, connector: Connector, deadline: float) -> None:
        self._connector = connector
        self._deadline = deadline

    async def read(self, request: Request) -> Answer:
        """A few tries, for what may pass in a moment."""
        # tenacity keeps what it sees raised: so it sees nothing raised.
        failed: list[PortError] = []

        async def once() -> Answer | None:
            try:
                return await self._send(request)
            except PortError as error:
                failed[:] = [as_value(error)]
                return None

        retrying = AsyncRetrying(
            stop=stop_after_attempt(_TRIES),
            wait=lambda state: _wait(state, failed[0]),
            retry=retry_if_result(lambda answer: answer is None and isinstance(failed[0], Again)),
            retry_error_callback=lambda _: None,
            sleep=anyio.sleep,
        )
        try:
            with anyio.fail_after(self._deadline):
                answer: Answer | None = await retrying(once)
        except TimeoutError as error:
            if failed:
                raise failed.pop() from error
            raise self._silent(request) from error
        if answer is None:
            raise failed.pop()
        return answer

    async def write(self, request: Request) -> None:
        """Once; a server that fails it has refused it, as far as we may know."""
        try:
            with anyio.fail_after(self._deadline):
                await self._send(request)
        except TimeoutError as error:
            detail = f"no answer within {self._deadline:g} s; what it did is unknown"
            raise ActFailed(request.place, detail) from error
        except (TargetIll, CannotLook, Expired) as error:
            raise ActFailed(error.place, error.detail) from error

    async def list(
        self, path: str, read: Callable[[Json], T], query: Mapping[str, str] | None = None
    ) -> Listed[T]:
        """All pages; a list that has expired between two of them is begun anew, once."""
        try:
            return await self._list(path, read, query or {})
        except Expired:
            pass
        try:
            return await self._list(path, read, query or {})
        except Expired as error:
            raise TargetIll(error.place, error.detail) from error

    async def _list(
        self, path: str, read: Callable[[Json], T], query: Mapping[str, str]
    ) -> Listed[T]:
        """Each page is read before the next one is asked for, and its JSON is let go of."""
        items: list[T] = []
        server_time, version = 0.0, ""
        async with aclosing(self._pages(path, query)) as pages:
            async for page in pages:
                items += decoded(read, page.items, f"GET {path}")
                server_time, version = page.server_time, page.version
        return Listed(tuple(items), server_time, version)

    async def _pages(
        self, path: str, query: Mapping[str, str]
    ) -> AsyncGenerator[Listed[Json], None]:
        token, left = "", _LIST_BYTES
        for _ in range(_PAGES):
            asked = {**query, "limit": str(_PAGE), **({"continue": token} if token else {})}
            request = Request("GET", path, asked, limit=min(left, PAGE_BYTES))
            answer = await self.read(request)
            left -= len(answer.body)
            page, token = _page(answer, request.place)
            del answer
            yield page
            if not token:
                return
        raise TargetIll(f"GET {path}", f"more than {_PAGES} pages of {_PAGE}")

    async def _send(self, request: Request) -> Answer:
        async with self._connector.lend() as connection:
            return await ask(connection.client, connection.host, request, self._deadline)

    def _silent(self, request: Request) -> TargetSilent:
        return TargetSilent(request.place, f"no answer within {self._deadline:g} s")


def _page(answer: Answer, place: str) -> tuple[Listed[Json], str]:
    """One page, and the token of the next; '' after the last."""
    raw = answer.json(place)
    if not isinstance(raw, dict) or not isinstance(raw.get("items"), list):
        raise TargetIll(place, "answered something that is no list")
    metadata = raw.get("metadata") or {}
    version = str(metadata.get("resourceVersion") or "")
    page = Listed(tuple(raw["items"]), answer.server_time, version)
    return page, metadata.get("continue") or ""


def _wait(state: RetryCallState, failed: Exception) -> float:
    """What the server asked for, else a jittered exponential; never long within a look."""
    asked = failed.wait if isinstance(failed, Again) else 0.0
    drawn = wait_random_exponential(multiplier=0.1, max=_LONGEST_WAIT)(state)
    return min(max(asked, drawn), _LONGEST_WAIT)

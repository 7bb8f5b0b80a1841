"""Reads and writes over whatever connection is the right one now.

Reads are tried again within their deadline; writes never are, since only a new look can say
what they would do (facts/talos-kubernetes.md §4).
"""

from collections.abc import Mapping
from typing import Final

import anyio
from tenacity import (
    AsyncRetrying,
    RetryCallState,
    retry_if_exception_type,
    stop_after_attempt,
    wait_random_exponential,
)

from healer.adapters.kubernetes_calls import MIB, Again, Answer, Expired, Json, Request, ask
from healer.adapters.kubernetes_connect import Connector
from healer.model.cluster import Listing
from healer.ports import ActFailed, CannotLook, TargetIll, TargetSilent

LIST_BYTES: Final = 32 * MIB
"""What all pages of a list may weigh together; 500 pods weigh some 4 MiB."""
_PAGE: Final = 500
_PAGES: Final = 100
_TRIES: Final = 3
_LONGEST_WAIT: Final = 1.0
"""Seconds between two tries, whatever Retry-After says: a look must end in time."""


class Session:
    """Requests with deadlines; `deadline` in seconds is that of one request, tries included."""

    def __init__(self, connector: Connector, deadline: float) -> None:
        self._connector = connector
        self._deadline = deadline

    async def read(self, request: Request) -> Answer:
        """A few tries, for what may pass in a moment."""
        failures: list[Again] = []

        async def once() -> Answer:
            try:
                return await self._send(request)
            except Again as error:
                failures.append(error)
                raise

        retrying = AsyncRetrying(
            stop=stop_after_attempt(_TRIES),
            wait=_wait,
            retry=retry_if_exception_type(Again),
            sleep=anyio.sleep,
            reraise=True,
        )
        try:
            with anyio.fail_after(self._deadline):
                answer: Answer = await retrying(once)
        except TimeoutError as error:
            if failures:
                raise failures[-1] from error
            raise self._silent(request) from error
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

    async def list(self, path: str, query: Mapping[str, str] | None = None) -> Listing[Json]:
        """All pages; a list that has expired between two of them is begun anew, once."""
        try:
            return await self._pages(path, query or {})
        except Expired:
            pass
        try:
            return await self._pages(path, query or {})
        except Expired as error:
            raise TargetIll(error.place, error.detail) from error

    async def _pages(self, path: str, query: Mapping[str, str]) -> Listing[Json]:
        items: list[Json] = []
        token, left = "", LIST_BYTES
        for _ in range(_PAGES):
            asked = {**query, "limit": str(_PAGE), **({"continue": token} if token else {})}
            request = Request("GET", path, asked, limit=left)
            answer = await self.read(request)
            page = answer.json(request.place)
            if not isinstance(page, dict) or not isinstance(page.get("items"), list):
                raise TargetIll(request.place, "answered something that is no list")
            items += page["items"]
            left -= len(answer.body)
            token = (page.get("metadata") or {}).get("continue") or ""
            if not token:
                return Listing(tuple(items), answer.server_time)
        raise TargetIll(f"GET {path}", f"more than {_PAGES} pages of {_PAGE}")

    async def _send(self, request: Request) -> Answer:
        async with self._connector.lend() as connection:
            return await ask(connection.client, connection.host, request, self._deadline)

    def _silent(self, request: Request) -> TargetSilent:
        return TargetSilent(request.place, f"no answer within {self._deadline:g} s")


def _wait(state: RetryCallState) -> float:
    """What the server asked for, else a jittered exponential; never long within a look."""
    error = state.outcome.exception() if state.outcome else None
    asked = error.wait if isinstance(error, Again) else 0.0
    drawn = wait_random_exponential(multiplier=0.1, max=_LONGEST_WAIT)(state)
    return min(max(asked, drawn), _LONGEST_WAIT)

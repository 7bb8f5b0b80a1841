"""Watches: lines of JSON from a version on, until their time is over."""

import asyncio
import json
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from tests.apiserver.listing import selected
from tests.apiserver.statuses import watch_too_old
from tests.apiserver.store import Store

Json = dict[str, Any]

LOOK_EVERY = 0.01


async def watched(
    store: Store, kind: str, namespace: str, query: Mapping[str, str], request: web.BaseRequest
) -> web.StreamResponse:
    """Tell every change after the version that is asked for; an expired one is told at once."""
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    await response.prepare(request)
    after = int(query.get("resourceVersion", "0"))
    loop = asyncio.get_running_loop()
    until = loop.time() + float(query.get("timeoutSeconds", "60"))
    if 0 < after < store.compacted:
        await _line(response, "ERROR", watch_too_old(after, store.compacted))
        return response
    while True:
        for change in [one for one in store.history if one.revision > after]:
            after = change.revision
            here = change.key.kind == kind and namespace in {"", change.key.namespace}
            if here and selected(change.object, query):
                await _line(response, change.type, change.object)
        if loop.time() >= until:
            return response
        await asyncio.sleep(LOOK_EVERY)


async def _line(response: web.StreamResponse, type_: str, found: Json) -> None:
    line = json.dumps({"type": type_, "object": found})
    await response.write(line.encode() + b"\n")

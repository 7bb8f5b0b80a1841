"""Caddy's URLs and Tailscale's funnel, as they answer on this Mac: ports.FrontEyes.

A URL is asked at 127.0.0.1 by its own name, so that neither DNS nor the tailnet is part of the
answer. Nothing here changes anything: `funnel status` prints, and a GET reads.
"""

import json
import ssl
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import anyio
from anyio.abc import ByteStream

from healer.adapters.authorities import knows_anybody, trusting
from healer.adapters.connecting import words_of
from healer.adapters.exchange import HttpAnswer, http_answer, is_whole
from healer.adapters.process import ProcessRunner
from healer.model.front import CaddyUrl, UrlAnswer
from healer.model.funnel import Funnelled, funnels_of
from healer.ports import CannotLook, HostEyes, NotThere, TargetIll, TargetSilent

_AS_COMMAND: Final = {"TAILSCALE_BE_CLI": "1", "SHLVL": "1"}
"""Without these the Mac app's own binary opens its window, as launchd gives neither."""
URL_SECONDS: Final = 1.5
FUNNEL_SECONDS: Final = 2.0
_ANSWER_BYTES: Final = 64 * 1024
_CONFIG_BYTES: Final = 256 * 1024
"""A ServeConfig is a page; what is longer is none."""
_SHOWN: Final = 200
"""Characters of an answer that are worth repeating."""
_NO_ISSUER: Final = frozenset({19, 20, 21})
"""OpenSSL's codes for a chain that ends at nobody known: says nothing where nobody is known."""


class Front:
    """Implements FrontEyes.

    `authorities` is a PEM file of who may vouch for Caddy beside the system's own, such as the
    root of `tls internal`; `environment` is what the tool is given.
    """

    def __init__(
        self,
        runner: ProcessRunner,
        host: HostEyes,
        environment: Mapping[str, str],
        authorities: Path | None = None,
    ) -> None:
        self._runner = runner
        self._host = host
        self._environment = environment
        self._authorities = authorities
        self._context: ssl.SSLContext | None = None
        self._building = anyio.Lock()

    async def url(self, one: CaddyUrl) -> UrlAnswer:
        """What Caddy says there. Raises TargetIll, TargetSilent, CannotLook."""
        place = f"{one.url} at 127.0.0.1"
        context = await self._trusting() if one.is_tls else None
        try:
            with anyio.fail_after(URL_SECONDS):
                return await _answer(one, context, place)
        except TimeoutError as error:
            raise TargetSilent(place, f"no answer within {URL_SECONDS:g} s") from error
        except (OSError, anyio.EndOfStream, anyio.BrokenResourceError) as error:
            raise TargetIll(place, _words(error)) from error

    async def _trusting(self) -> ssl.SSLContext:
        """Built once and in a thread: the system's bundle takes a tenth of a second to read."""
        async with self._building:
            if self._context is None:
                self._context = await anyio.to_thread.run_sync(_trusting, self._authorities)
            return self._context

    async def funnel(self) -> tuple[Funnelled, ...]:
        """What Tailscale serves. Raises NotThere, CannotLook."""
        tool = self._host.tool("tailscale")
        if tool is None:
            raise NotThere("tailscale", "is not on PATH")
        place, argv = "tailscale funnel status", [str(tool), "funnel", "status", "--json"]
        try:
            done = await self._runner.run(
                argv,
                deadline=FUNNEL_SECONDS,
                limit=_CONFIG_BYTES,
                env={**self._environment, **_AS_COMMAND},
            )
        except TargetSilent as error:
            raise CannotLook(place, f"had not ended after {FUNNEL_SECONDS:g} s") from error
        if done.code != 0:
            words = (done.stderr or done.stdout).strip()[:_SHOWN]
            raise CannotLook(place, f"exit {done.code}: {words}")
        if done.truncated:
            raise CannotLook(place, f"said more than {_CONFIG_BYTES} bytes")
        return _parsed(done.stdout, place)


def _parsed(text: str, place: str) -> tuple[Funnelled, ...]:
    try:
        document: Any = json.loads(text)
        return funnels_of(document)
    except RecursionError as error:
        raise CannotLook(place, "is nested too deep") from error
    except ValueError as error:
        raise CannotLook(place, f"was not understood: {error}") from error


async def _answer(one: CaddyUrl, context: ssl.SSLContext | None, place: str) -> UrlAnswer:
    if context is None:
        return _judged(one, await _get(one, None), place)
    try:
        return _judged(one, await _get(one, context), place)
    except ssl.SSLCertVerificationError as error:
        answer = _judged(one, await _get(one, _unverified()), place)
        if error.verify_code in _NO_ISSUER and not knows_anybody(context):
            words = "no authority is known here: name one in caddy.authorities"
            return replace(answer, unjudged=words)
        return replace(answer, untrusted=error.verify_message)


def _trusting(authorities: Path | None) -> ssl.SSLContext:
    context = trusting()
    if authorities is not None:
        _also_trust(context, authorities)
    return context


def _also_trust(context: ssl.SSLContext, authorities: Path) -> None:
    try:
        context.load_verify_locations(authorities)
    except ssl.SSLError as error:
        raise CannotLook(str(authorities), "holds no certificate in PEM") from error
    except OSError as error:
        raise CannotLook(str(authorities), error.strerror or "cannot be read") from error


def _unverified() -> ssl.SSLContext:
    """To hear what is said behind a certificate that is told as wrong already."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


async def _get(one: CaddyUrl, context: ssl.SSLContext | None) -> bytes:
    """The whole answer, or its first 64 KiB; of HTTP/1.0, so that none comes in chunks."""
    if context is None:
        stream: ByteStream = await anyio.connect_tcp("127.0.0.1", one.listens)
    else:
        stream = await anyio.connect_tcp(
            "127.0.0.1", one.listens, ssl_context=context, tls_standard_compatible=False,
            tls_hostname=one.name,
        )  # fmt: skip
    try:
        head = f"GET {one.path} HTTP/1.0\r\nHost: {one.host_line}\r\nConnection: close\r\n\r\n"
        await stream.send(head.encode())
        return await _heard(stream)
    finally:
        # Without a farewell: one that hangs must not keep us waiting for its own.
        await anyio.aclose_forcefully(stream)


async def _heard(stream: ByteStream) -> bytes:
    heard = b""
    with suppress(anyio.EndOfStream):
        while len(heard) < _ANSWER_BYTES and not is_whole(heard):
            heard += await stream.receive(_ANSWER_BYTES)
    return heard


def _judged(one: CaddyUrl, heard: bytes, place: str) -> UrlAnswer:
    answer = http_answer(heard)
    if answer is None:
        words = f"no HTTP: {heard[:80]!r}" if heard else "closed without a word"
        raise TargetIll(place, words)
    return spoken(one, answer)


def spoken(one: CaddyUrl, answer: HttpAnswer) -> UrlAnswer:
    """An answer of HTTP, held against what is configured."""
    body = answer.body.decode("utf-8", "replace").strip()
    said = f"HTTP {answer.status}: {body[:_SHOWN]}" if body else f"HTTP {answer.status}"
    if not one.is_right(answer.status):
        return UrlAnswer(said, wrong=said)
    if one.expect and one.expect not in body:
        return UrlAnswer(said, wrong=f"without {one.expect!r}: {said}")
    return UrlAnswer(said)


def _words(error: Exception) -> str:
    cause = error.__cause__ or error.__context__
    if isinstance(error, ssl.SSLError) or isinstance(cause, ssl.SSLError):
        return "speaks no TLS, or broke the handshake off"
    return words_of(error) if isinstance(error, OSError) else "the connection broke"

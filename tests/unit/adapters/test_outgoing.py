"""Webhook and dead-man ping against a real HTTP server, well and ill."""

import json
import os
import socket
import ssl
import threading
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import anyio
import pytest

from healer.adapters import authorities
from healer.adapters.notice_dead_man import PingedUrl
from healer.adapters.notice_webhook import Webhook
from healer.adapters.outgoing import Call, call, fault_of_url
from healer.adapters.secret_file import Secret
from healer.model.notice import document
from healer.ports import ActFailed, CannotLook, PortError, TargetIll, TargetSilent
from tests.fakes.caddy import Told, certified
from tests.fakes.channel import a_notice
from tests.lab.kubernetes.machineconfig import Authority
from tests.patience import PATIENCE
from tests.unit.adapters.http_receiver import Receiver, receiver

MARKER = "s3cr3t-marker"


@pytest.fixture
async def server() -> AsyncIterator[Receiver]:
    """One that takes everything."""
    async with receiver() as made:
        yield made


@pytest.fixture
def hook(tmp_path: Path) -> Callable[..., Webhook]:
    """A webhook whose address is in a file."""

    def made(url: str, *, header: str = "", deadline: float = PATIENCE) -> Webhook:
        return Webhook(
            a_secret(tmp_path / "url", url),
            a_secret(tmp_path / "header", header) if header else None,
            deadline,
        )

    return made


def a_secret(path: Path, value: str, mode: int = 0o600) -> Secret:
    """Kept in that file."""
    path.write_text(value + "\n")
    path.chmod(mode)
    return Secret(path, "", {})


async def why(what: Callable[[], Awaitable[object]]) -> PortError:
    """The error of a call that must fail; no word of it, nor of its causes, holds the marker."""
    with pytest.raises(PortError) as caught:
        await what()
    told = "".join(traceback.format_exception(caught.value))
    assert MARKER not in told
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    return caught.value


async def test_a_notice_is_posted_as_json(server: Receiver, hook: Callable[..., Webhook]) -> None:
    """Once, with its id in the head too, and the header from its file."""
    webhook = hook(server.url(f"/{MARKER}"), header=f"Authorization: Bearer {MARKER}")
    assert "" == webhook.check()
    await webhook.send(a_notice())

    ((line, headers, body),) = server.requests
    assert f"POST /{MARKER} HTTP/1.1" == line
    assert document(a_notice()) == json.loads(body)
    assert "application/json" == headers["Content-Type"]
    assert "run-i1.opened" == headers["X-Healer-Id"]
    assert f"Bearer {MARKER}" == headers["Authorization"]


@pytest.mark.parametrize("known", [True, False])
async def test_macos_own_authorities_stand_in_for_a_python_without_any(
    tmp_path: Path,
    hook: Callable[..., Webhook],
    monkeypatch: pytest.MonkeyPatch,
    *,
    known: bool,
) -> None:
    """python.org's knows nobody until its user runs a script; every HTTPS call failed there."""
    authority, told = Authority.create(), Told()
    (tmp_path / "root.pem").write_text(authority.pem())
    monkeypatch.setattr(ssl, "create_default_context", empty_context)
    monkeypatch.setattr(authorities, "knows_anybody", lambda one: bool(one.get_ca_certs()))
    monkeypatch.setattr(authorities, "MACOS", tmp_path / ("root.pem" if known else "none.pem"))
    authorities.trusting_once.cache_clear()
    async with receiver(certified(authority, tmp_path, told, name="localhost")) as server:
        url = f"https://localhost:{server.port}/{MARKER}"
        if known:
            await hook(url).send(a_notice())
            await PingedUrl(a_secret(tmp_path / "ping", url)).ping()
        else:
            error = await why(lambda: hook(url).send(a_notice()))
            assert "its certificate is not trusted" in str(error)
    authorities.trusting_once.cache_clear()

    assert (2 if known else 0) == len(server.requests)


def empty_context() -> ssl.SSLContext:
    """As of a Python that knows no authority."""
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


@pytest.mark.parametrize("status", ["200 OK", "201 Created", "202 Accepted", "204 No Content"])
async def test_any_success_is_success(
    server: Receiver, hook: Callable[..., Webhook], status: str
) -> None:
    """Whatever 2xx the receiver likes."""
    server.answer = f"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n".encode()

    await hook(server.url()).send(a_notice())


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("500 Oops", "webhook: HTTP 500 Internal Server Error"),
        ("404 Not Found", "webhook: HTTP 404 Not Found"),
        ("429 Slow", "webhook: HTTP 429 Too Many Requests"),
        ("999 Odd", "webhook: HTTP 999"),
        ("302 Found", "webhook: HTTP 302: it points elsewhere, which is not followed"),
    ],
)
async def test_any_other_status_is_a_failure_without_the_answers_words(
    server: Receiver, hook: Callable[..., Webhook], status: str, words: str
) -> None:
    """An answer may quote the token, so only its number is told; nothing is followed."""
    place = f"Location: {server.url('/elsewhere')}\r\n"
    body = f"token {MARKER} is not valid".encode()
    head = f"HTTP/1.1 {status}\r\n{place}Content-Length: {len(body)}\r\n\r\n"
    server.answer = head.encode() + body

    error = await why(lambda: hook(server.url(f"/{MARKER}")).send(a_notice()))
    assert words == str(error)
    assert isinstance(error, ActFailed)
    assert 1 == len(server.requests)


async def test_a_hung_receiver_ends_at_the_deadline(
    server: Receiver, hook: Callable[..., Webhook]
) -> None:
    """It takes the request and says nothing."""
    server.hangs = True

    error = await why(lambda: hook(server.url(f"/{MARKER}"), deadline=0.5).send(a_notice()))
    assert isinstance(error, TargetSilent)
    assert "webhook: no answer within 0.5 s" == str(error)


async def test_a_huge_answer_is_not_read(server: Receiver, hook: Callable[..., Webhook]) -> None:
    """The status is all that counts; an endless body costs neither time nor memory."""
    server.answer = b"HTTP/1.1 200 OK\r\nContent-Length: 999999999999\r\n\r\n"
    server.endless = b"x" * 65536

    with anyio.fail_after(PATIENCE):
        await hook(server.url()).send(a_notice())


@pytest.mark.parametrize(
    "answer", [b"SSH-2.0-OpenSSH_9\r\n", b"", b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000]
)
async def test_what_speaks_no_http_is_a_failure(
    server: Receiver, hook: Callable[..., Webhook], answer: bytes
) -> None:
    """Another protocol, nothing at all, or a head without an end."""
    server.answer = answer

    error = await why(lambda: hook(server.url(f"/{MARKER}")).send(a_notice()))
    assert "webhook: the connection broke, or it does not speak HTTP" == str(error)


async def test_a_refusal_names_neither_host_nor_path(hook: Callable[..., Webhook]) -> None:
    """The library's own words quote the host."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    error = await why(lambda: hook(f"http://127.0.0.1:{port}/{MARKER}").send(a_notice()))
    assert isinstance(error, TargetIll)
    assert "webhook: Connection refused" == str(error)


async def test_a_name_that_is_none_is_not_quoted(hook: Callable[..., Webhook]) -> None:
    """The reserved top level `invalid` never resolves."""
    error = await why(lambda: hook(f"http://{MARKER}.invalid/").send(a_notice()))

    assert "webhook: its name could not be resolved" == str(error)


async def test_plain_text_where_tls_was_expected(
    server: Receiver, hook: Callable[..., Webhook]
) -> None:
    """A receiver without TLS under an https address."""
    server.blunt = True
    url = server.url(f"/{MARKER}").replace("http:", "https:")

    assert "TLS" in str(await why(lambda: hook(url).send(a_notice())))


@pytest.mark.parametrize(
    "url",
    [
        "",
        "hooks.example",
        f"ftp://h/{MARKER}",
        "http://",
        "http://h:99999/",
        "http://h:x/",
        "http://[",
    ],
)
async def test_what_is_no_url_is_said_without_quoting_it(tmp_path: Path, url: str) -> None:
    """By the self-test and by the call."""
    assert "does not hold a URL that begins with https:// or http://" == fault_of_url(url)
    await why(lambda: call(Call("GET", url), "webhook", 1.0))
    if url:
        said = Webhook(a_secret(tmp_path / "url", url)).check()
        assert said.startswith(f"{tmp_path / 'url'}: does not hold a URL")
        assert MARKER not in said


@pytest.mark.parametrize("header", [f"{MARKER}", f"Bad Name: {MARKER}", "Name:", "Na\u00efve: x"])
async def test_what_is_no_header_is_said_without_quoting_it(
    server: Receiver, hook: Callable[..., Webhook], header: str
) -> None:
    """And nothing is sent without it."""
    webhook = hook(server.url(), header=header)
    error = await why(lambda: webhook.send(a_notice()))

    assert isinstance(error, CannotLook)
    assert str(error) == webhook.check()
    assert "should hold one line of the form Name: value" in str(error)
    assert [] == server.requests


async def test_a_ping_is_a_get_and_nothing_more(server: Receiver, tmp_path: Path) -> None:
    """Or a POST, as the receiver likes."""
    url = a_secret(tmp_path / "url", server.url())
    assert "" == PingedUrl(url).check()
    await PingedUrl(url).ping()
    await PingedUrl(url, "POST").ping()

    assert ["GET /hook HTTP/1.1", "POST /hook HTTP/1.1"] == [one[0] for one in server.requests]


def test_a_file_that_others_may_read_is_warned_of(tmp_path: Path) -> None:
    """With the command that mends it."""
    secret = a_secret(tmp_path / "url", "https://hooks.example/x", 0o644)

    expected = f"{tmp_path / 'url'}: others may read it (0644); run: chmod 600 {tmp_path / 'url'}"
    assert expected == Webhook(secret).check()
    assert expected == PingedUrl(secret).check()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "should hold one line"),
        (b"\n\n", "should hold one line"),
        (b"https://a\nhttps://b", "should hold one line"),
        (b"\xff\xfe", "should hold one line"),
        (b"x" * 10_000, "is larger than 8192 bytes"),
        (None, "No such file or directory"),
    ],
)
def test_a_secret_that_cannot_be_used_is_named_by_its_place(
    tmp_path: Path, content: bytes | None, words: str
) -> None:
    """Never by what it holds."""
    path = tmp_path / "url"
    if content is not None:
        path.write_bytes(content)
        path.chmod(0o600)

    said = Secret(path, "", {}).check()
    assert said.startswith(f"{path}: ")
    assert words in said


def test_a_secret_in_the_environment() -> None:
    """Is named by its variable; a repr shows no environment."""
    environment = {"HOOK": f" https://h/{MARKER} "}

    assert f"https://h/{MARKER}" == Secret(None, "HOOK", environment).read()
    assert "Secret($HOOK)" == repr(Secret(None, "HOOK", environment))
    assert "" == Secret(None, "HOOK", environment).check()
    assert "$NONE: is not set" in Secret(None, "NONE", environment).check()
    assert MARKER not in repr(Webhook(Secret(None, "HOOK", environment)))
    assert MARKER not in repr(Call("GET", f"https://h/{MARKER}", {"A": MARKER}))


async def test_a_pipe_in_a_secrets_place_hangs_nobody(tmp_path: Path) -> None:
    """Nobody writes into it."""
    os.mkfifo(tmp_path / "url", 0o600)

    assert "is a FIFO, not a file" in Secret(tmp_path / "url", "", {}).check()


async def test_a_resolver_that_hangs_ends_at_the_deadline(
    hook: Callable[..., Webhook], monkeypatch: pytest.MonkeyPatch
) -> None:
    """And its thread keeps no daemon from ending."""
    release = threading.Event()

    def stuck(*_: object, **__: object) -> list[object]:
        release.wait(PATIENCE)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", stuck)
    try:
        error = await why(lambda: hook("http://hooks.example/", deadline=0.3).send(a_notice()))
    finally:
        release.set()

    assert isinstance(error, TargetSilent)
    assert all(one.daemon for one in threading.enumerate() if one.name == "resolve")

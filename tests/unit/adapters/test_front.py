"""Caddy's URLs and the funnel over real sockets and processes, ill in each way they can be."""

import asyncio
import datetime as dt
import ssl
from pathlib import Path

import pytest

from healer.adapters import authorities
from healer.adapters import front as adapter
from healer.adapters.front import Front
from healer.adapters.host import HostAdapter
from healer.adapters.process import ProcessRunner
from healer.model.front import CaddyUrl
from healer.model.funnel import Funnelled
from healer.ports import CannotLook, NotThere, TargetIll, TargetSilent
from tests.fakes.caddy import NAME, Told, certified, http, mute, saying
from tests.fakes.tailscale import WORKER, Tailscale
from tests.lab.kubernetes.machineconfig import Authority
from tests.unit.adapters.ssh_door import SYSTEM, free_port
from tests.unit.adapters.test_published import Serve, endless, reset, server

OK = http("200 OK", "OK")


@pytest.fixture(scope="module", name="authority")
def fixture_authority() -> Authority:
    """Who vouches for Caddy."""
    return Authority.create()


@pytest.fixture(name="root")
def fixture_root(authority: Authority, tmp_path: Path) -> Path:
    """Its certificate, as the settings name it."""
    path = tmp_path / "root.pem"
    path.write_text(authority.pem())
    return path


@pytest.fixture(name="tailscale")
def fixture_tailscale(tmp_path: Path) -> Tailscale:
    """The stand-in, funnelled as wanted."""
    return Tailscale(tmp_path / "bin")


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine is no hang; what hangs is tested with a deadline of its own."""
    monkeypatch.setattr(adapter, "URL_SECONDS", 30.0)
    monkeypatch.setattr(adapter, "FUNNEL_SECONDS", 30.0)


def front(folder: Path, trusted: Path | None = None, *, path: str = "") -> Front:
    """The adapter on a Mac whose PATH is that."""
    runner = ProcessRunner(term_grace=0.1)
    path = path or f"{folder / 'bin'}:{SYSTEM}"
    return Front(runner, HostAdapter(runner, folder, path=path), {"PATH": path}, trusted)


async def test_it_is_asked_here_by_its_name(
    authority: Authority, root: Path, tmp_path: Path
) -> None:
    """127.0.0.1, whatever DNS says: the name stands in TLS and in the Host line."""
    told = Told()
    context = certified(authority, tmp_path, told)
    async with server(saying(OK, told), context) as port:
        url = CaddyUrl(f"https://{NAME}:{port}/health?x=1", expect="OK")
        answer = await front(tmp_path, root).url(url)

    assert ("HTTP 200: OK", "", "") == (answer.said, answer.wrong, answer.untrusted)
    assert [NAME] == told.names
    assert told.heads[0].startswith(b"GET /health?x=1 HTTP/1.0\r\n")
    assert f"\r\nHost: {NAME}:{port}\r\n".encode() in told.heads[0]


async def test_plain_http_needs_no_certificate(tmp_path: Path) -> None:
    """The gateway behind the funnel speaks it."""
    async with server(saying(OK, Told())) as port:
        answer = await front(tmp_path).url(CaddyUrl(f"http://localhost:{port}/", expect="OK"))
    assert ("", "") == (answer.wrong, answer.untrusted)


@pytest.mark.parametrize(
    ("wrong", "said", "url"),
    [
        ("", http("404 Not Found", "no such page"), CaddyUrl("")),
        ("HTTP 502", http("502 Bad Gateway", ""), CaddyUrl("")),
        ("HTTP 404: x", http("404 Not Found", "x"), CaddyUrl("", status=200)),
        ("without 'yes': HTTP 200: no", http("200 OK", "no"), CaddyUrl("", expect="yes")),
    ],
)
async def test_an_answer_is_held_against_what_is_configured(
    wrong: str, said: bytes, url: CaddyUrl, tmp_path: Path
) -> None:
    """Where nothing is, any answer of a living backend is right."""
    async with server(saying(said, Told())) as port:
        named = CaddyUrl(f"http://a.example:{port}/", 0, url.status, url.expect)
        assert wrong == (await front(tmp_path).url(named)).wrong


@pytest.mark.parametrize(
    ("words", "name", "lasts"),
    [
        ("certificate has expired", NAME, dt.timedelta(minutes=-30)),
        ("Hostname mismatch", "other.example.ts.net", dt.timedelta(days=9)),
    ],
)
async def test_a_certificate_that_does_not_verify_is_told_and_the_answer_heard(
    words: str, name: str, lasts: dt.timedelta, authority: Authority, root: Path, tmp_path: Path
) -> None:
    """In OpenSSL's own words."""
    context = certified(authority, tmp_path, Told(), name=name, lasts=lasts)
    async with server(saying(OK, Told()), context) as port:
        url = CaddyUrl(f"https://{NAME}:{port}/", expect="OK")
        answer = await front(tmp_path, root).url(url)

    assert ("", "") == (answer.wrong, answer.unjudged)
    assert words in answer.untrusted


async def test_an_issuer_that_nobody_knows_is_told(
    authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As of `tls internal`, whose root no browser knows."""
    monkeypatch.setattr(adapter, "knows_anybody", lambda _: True)
    async with server(saying(OK, Told()), certified(authority, tmp_path, Told())) as port:
        answer = await front(tmp_path).url(CaddyUrl(f"https://{NAME}:{port}/"))
    assert "unable to get local issuer certificate" in answer.untrusted


async def test_where_no_authority_is_known_nothing_is_accused(
    authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A Python without any would call every certificate bad."""
    empty = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    monkeypatch.setattr(ssl, "create_default_context", lambda: empty)
    monkeypatch.setattr(authorities, "MACOS", tmp_path / "none.pem")
    for module in (adapter, authorities):
        monkeypatch.setattr(module, "knows_anybody", lambda one: bool(one.get_ca_certs()))
    async with server(saying(OK, Told()), certified(authority, tmp_path, Told())) as port:
        answer = await front(tmp_path).url(CaddyUrl(f"https://{NAME}:{port}/"))

    assert ("", "") == (answer.wrong, answer.untrusted)
    assert "caddy.authorities" in answer.unjudged


async def test_macos_own_authorities_stand_in_for_a_python_without_any(
    authority: Authority, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """python.org's knows nobody until somebody installs them."""
    empty = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    monkeypatch.setattr(ssl, "create_default_context", lambda: empty)
    monkeypatch.setattr(authorities, "MACOS", root)
    for module in (adapter, authorities):
        monkeypatch.setattr(module, "knows_anybody", lambda one: bool(one.get_ca_certs()))
    async with server(saying(OK, Told()), certified(authority, tmp_path, Told())) as port:
        answer = await front(tmp_path).url(CaddyUrl(f"https://{NAME}:{port}/"))
    assert ("", "") == (answer.untrusted, answer.unjudged)


@pytest.mark.parametrize(
    ("words", "text"), [("No such file", None), ("holds no certificate in PEM", "no PEM\n")]
)
async def test_authorities_that_cannot_be_read_are_no_evidence(
    words: str, text: str | None, tmp_path: Path
) -> None:
    """It is the settings that are wrong, and not Caddy."""
    path = tmp_path / "ca.pem"
    if text is not None:
        path.write_text(text)
    with pytest.raises(CannotLook, match=words):
        await front(tmp_path, path).url(CaddyUrl(f"https://{NAME}:{free_port()}/"))


async def test_an_endless_answer_is_cut(tmp_path: Path) -> None:
    """Its status is enough."""
    async with server(endless) as port:
        answer = await front(tmp_path).url(CaddyUrl(f"http://localhost:{port}/"))
    assert ("", True) == (answer.wrong, len(answer.said) < 300)


async def _hasty(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    del reader
    writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    await writer.drain()


async def _rude(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.close()


@pytest.mark.parametrize(
    ("words", "serve"),
    [
        ("no HTTP: b'SSH-2.0-x", saying(b"SSH-2.0-x\r\n", Told())),
        ("closed without a word", _rude),
        ("reset|broke", reset),
    ],
)
async def test_what_is_no_answer_is_evidence(words: str, serve: Serve, tmp_path: Path) -> None:
    """Somebody listens, and it is not a Caddy that works."""
    async with server(serve) as port:
        with pytest.raises(TargetIll, match=words):
            await front(tmp_path).url(CaddyUrl(f"http://localhost:{port}/"))


async def test_a_server_without_tls_is_told_as_that(tmp_path: Path) -> None:
    """Plain HTTP where TLS is configured."""
    async with server(_hasty) as port:
        with pytest.raises(TargetIll, match="speaks no TLS"):
            await front(tmp_path).url(CaddyUrl(f"https://{NAME}:{port}/"))


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_silence_ends_at_the_deadline(
    scheme: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the handshake as after it."""
    monkeypatch.setattr(adapter, "URL_SECONDS", 0.2)
    async with server(mute) as port:
        with pytest.raises(TargetSilent, match=r"no answer within 0\.2 s"):
            await front(tmp_path).url(CaddyUrl(f"{scheme}://localhost:{port}/"))


async def test_nobody_there_is_a_refusal(tmp_path: Path) -> None:
    """In the kernel's words."""
    with pytest.raises(TargetIll, match="Connection refused"):
        await front(tmp_path).url(CaddyUrl(f"http://localhost:{free_port()}/"))


async def test_the_funnel_is_what_tailscale_says(tailscale: Tailscale, tmp_path: Path) -> None:
    """By its own words, each time anew."""
    eyes = front(tmp_path)
    assert (Funnelled(443, WORKER, is_public=True),) == await eyes.funnel()
    tailscale.serve("http://localhost:9", public=False)
    assert (Funnelled(443, "http://localhost:9", is_public=False),) == await eyes.funnel()
    tailscale.say(config=None)
    assert () == await eyes.funnel()


async def test_a_mac_without_tailscale_has_none(tmp_path: Path) -> None:
    """That is told from a tool that fails."""
    with pytest.raises(NotThere, match="is not on PATH"):
        await front(tmp_path, path=SYSTEM).funnel()


@pytest.mark.parametrize(
    ("words", "mood"),
    [
        ("exit 1: failed to connect to local Tailscale service", "down"),
        ("was not understood", "garbage"),
        ("is nested too deep", "deep"),
        ("said more than 262144 bytes", "huge"),
    ],
)
async def test_what_tailscale_cannot_say_is_no_finding(
    words: str, mood: str, tailscale: Tailscale, tmp_path: Path
) -> None:
    """Its daemon is down, or another release spells it otherwise."""
    tailscale.say(mood=mood)
    with pytest.raises(CannotLook, match=words):
        await front(tmp_path).funnel()


async def test_a_tailscale_that_hangs_is_ended(
    tailscale: Tailscale, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By its deadline; nothing is left behind."""
    monkeypatch.setattr(adapter, "FUNNEL_SECONDS", 0.3)
    tailscale.say(mood="hang")
    with pytest.raises(CannotLook, match=r"had not ended after 0\.3 s"):
        await front(tmp_path).funnel()

"""Caddy's URLs as values, and which of them can be asked."""

import pytest

from healer.model.front import DEFAULT_URLS, CaddyUrl, WantedFunnel, fault_of


def test_a_url_says_whom_to_ask_where() -> None:
    """Name, port and path are all that a question needs."""
    one = CaddyUrl("https://panda.example.ts.net:9443/health?deep=1", 8288)
    assert ("panda.example.ts.net", 9443, "/health?deep=1", "panda.example.ts.net:9443", True) == (
        one.name,
        one.listens,
        one.path,
        one.host_line,
        one.is_tls,
    )


@pytest.mark.parametrize(("port", "url"), [(443, "https://a.example"), (80, "http://a.example")])
def test_a_port_that_is_not_named_is_the_schemes(port: int, url: str) -> None:
    """And the path is the root."""
    assert (port, "/") == (CaddyUrl(url).listens, CaddyUrl(url).path)


@pytest.mark.parametrize(
    ("right", "wanted", "expect", "status"),
    [
        (True, 0, "", 204),
        (True, 0, "", 404),
        (False, 0, "", 502),
        (True, 0, "OK", 302),
        (False, 0, "OK", 404),
        (True, 200, "", 200),
        (False, 200, "", 204),
        (True, 404, "gone", 404),
    ],
)
def test_any_answer_of_a_living_backend_is_right_unless_one_is_named(
    wanted: int, expect: str, status: int, *, right: bool
) -> None:
    """502 is Caddy's own word for a dead one."""
    assert right is CaddyUrl("http://a", 0, wanted, expect).is_right(status)


@pytest.mark.parametrize("one", DEFAULT_URLS, ids=lambda one: one.url)
def test_the_owners_urls_can_be_asked(one: CaddyUrl) -> None:
    """No file is needed for them."""
    assert not fault_of(one)


@pytest.mark.parametrize(
    "url",
    [
        "ftp://a.example",
        "a.example:443",
        "https://",
        "https://a.example:0/",
        "https://a.example:99999/",
        "https://a.example:x/",
        "https://[::1/",
        "https://joel:secret@a.example/",
        "https://a.example/#part",
        "https://a.example/a b",
        "https://a.example/\r\nX: y",
        "https://ä.example/",
    ],
)
def test_what_cannot_be_asked_as_it_stands_is_refused(url: str) -> None:
    """Before it is sent anywhere, or printed into a command."""
    assert fault_of(CaddyUrl(url))


@pytest.mark.parametrize(
    ("port", "target"),
    [
        (3111, "http://127.0.0.1:3111"),
        (80, "http://localhost"),
        (0, "http://10.0.0.5:3111"),
        (0, "tcp://127.0.0.1"),
    ],
)
def test_a_funnel_leads_to_a_port_of_this_mac_or_elsewhere(port: int, target: str) -> None:
    """Only then is it a hop of a service."""
    assert port == WantedFunnel(target=target).leads_to


def test_the_funnels_command_is_exact() -> None:
    """As `tailscale funnel --help` has it; it outlives the terminal."""
    expected = "tailscale funnel --bg --https=443 http://127.0.0.1:3111"
    assert expected == WantedFunnel().command

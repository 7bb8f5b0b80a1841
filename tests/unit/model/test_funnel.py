"""What Tailscale says that it serves, read word by word."""

from typing import Any

import pytest

from healer.model.funnel import Funnelled, funnels_of, leads_there

NAME = "panda.tail7af24.ts.net:443"
WORKER = "http://127.0.0.1:3111"


def config(target: str = WORKER, *, public: bool = True, **more: Any) -> dict[str, Any]:  # noqa: ANN401  (any JSON)
    """A ServeConfig as tailscaled keeps it."""
    return {
        "TCP": {"443": {"HTTPS": True}},
        "Web": {NAME: {"Handlers": {"/": {"Proxy": target}}}},
        **({"AllowFunnel": {NAME: True}} if public else {}),
        **more,
    }


def test_a_funnel_is_public_and_leads_somewhere() -> None:
    """Both facts stand in different tables of one name."""
    assert (Funnelled(443, WORKER, is_public=True),) == funnels_of(config())
    assert (Funnelled(443, WORKER, is_public=False),) == funnels_of(config(public=False))


@pytest.mark.parametrize("nothing", [None, {}, {"TCP": None, "Web": {}}])
def test_nothing_served_is_no_fault_of_the_words(nothing: Any) -> None:  # noqa: ANN401  (any JSON)
    """A tailscaled that was never told anything prints `{}`, others `null`."""
    assert () == funnels_of(nothing)


def test_one_in_somebodys_terminal_counts() -> None:
    """`tailscale funnel` without --bg lives under its session, as long as that does."""
    told = {"Foreground": {"session-1": config("http://localhost:3111")}}
    expected = Funnelled(443, "http://localhost:3111", is_public=True, is_kept=False)
    assert (expected,) == funnels_of(told)


def test_a_stream_that_is_forwarded_is_a_target_too() -> None:
    """With TLS ended by Tailscale or not."""
    told = {
        "TCP": {"443": {"TCPForward": "127.0.0.1:3111", "TerminateTLS": "panda"}},
        "AllowFunnel": {NAME: True},
    }
    assert (Funnelled(443, "tcp://127.0.0.1:3111", is_public=True),) == funnels_of(told)


@pytest.mark.parametrize(
    ("expected", "handlers"),
    [
        ("", {"/hook": {"Proxy": WORKER}}),
        ("the files of /srv", {"/": {"Path": "/srv"}}),
        ("a fixed text", {"/": {"Text": "hello"}}),
    ],
)
def test_what_is_no_proxy_is_named_as_what_it_is(expected: str, handlers: dict[str, Any]) -> None:
    """None of them is the worker."""
    (one,) = funnels_of({"Web": {NAME: {"Handlers": handlers}}})
    assert expected == one.target


@pytest.mark.parametrize(
    "garbage",
    [
        [],
        "No serve config",
        7,
        {"Web": []},
        {"Web": {"no port": {}}},
        {"Web": {NAME: {"Handlers": {"/": "x"}}}},
        {"TCP": {"443": [1]}},
        {"AllowFunnel": [NAME], "Web": {}},
        {"Foreground": {"x": 3}},
    ],
)
def test_garbage_is_an_error_and_never_an_absent_funnel(garbage: Any) -> None:  # noqa: ANN401  (any JSON)
    """Else a release that spells it otherwise would be accused."""
    with pytest.raises(ValueError, match=r"is no (table|port)"):
        funnels_of(garbage)


@pytest.mark.parametrize(
    ("same", "target"),
    [
        (True, "http://localhost:3111"),
        (True, "http://127.0.0.1:3111/"),
        (True, "http://[::1]:3111"),
        (False, "http://127.0.0.1:8443"),
        (False, "https://127.0.0.1:3111"),
        (False, "http://127.0.0.1:3111/hook"),
        (False, "http://10.0.0.5:3111"),
        (False, "http://[:3111"),
        (False, ""),
    ],
)
def test_targets_are_compared_by_where_they_lead(target: str, *, same: bool) -> None:
    """Tailscale keeps what was typed."""
    assert same is leads_there(target, WORKER)

"""What is told of Caddy and the funnel, and what is not."""

from dataclasses import replace

import pytest

from healer.core.reasons import ADVISORY, Reason
from healer.core.tower import Layer
from healer.model.front import (
    DEFAULT_URLS,
    FrontSeen,
    UrlAnswer,
    WantedCaddy,
    WantedFront,
    WantedFunnel,
)
from healer.model.front_findings import front_findings, is_down
from healer.model.funnel import Funnelled

WANTED = WantedFront(WantedCaddy(urls=DEFAULT_URLS))
GOOD = UrlAnswer("HTTP 200")
WORKER_URL = "http://127.0.0.1:3111"
INNGEST, WORKER = DEFAULT_URLS[0], DEFAULT_URLS[2]
WELL = FrontSeen(
    running=True,
    answers=tuple((one, GOOD) for one in DEFAULT_URLS),
    funnels=(Funnelled(443, "http://localhost:3111", is_public=True),),
)
REASONS = (
    Reason.CADDY_DOWN,
    Reason.CADDY_URL_WRONG,
    Reason.CADDY_CERTIFICATE,
    Reason.FUNNEL_WRONG,
)


def test_none_of_it_makes_a_layer_ill() -> None:
    """They are the Mac's own: reported, never gating, never a root."""
    assert ADVISORY >= set(REASONS)
    assert {Layer.SERVICES} == {one.layer for one in REASONS}


@pytest.mark.parametrize("seen", [WELL, FrontSeen(), FrontSeen(unseen=("ps: no such tool",))])
def test_what_is_well_or_was_not_looked_at_is_not_told(seen: FrontSeen) -> None:
    """Not looked at is not wrong."""
    assert () == front_findings(seen, WANTED)


def test_a_caddy_that_is_down_is_one_finding() -> None:
    """And not one for each URL that refuses with it."""
    silent = tuple((one, "Connection refused") for one in DEFAULT_URLS)
    seen = replace(WELL, running=False, answers=(), silent=silent)
    (found,) = front_findings(seen, WANTED)

    assert Reason.CADDY_DOWN is found.reason
    assert "Connection refused" in found.evidence
    assert "launchctl kickstart -k gui/$(id -u)/com.joel.caddy" == found.advice


def test_whoever_answers_in_its_stead_is_not_down() -> None:
    """A Caddy in a program of another name."""
    assert not is_down(replace(WELL, running=False))
    assert () == front_findings(replace(WELL, running=False), WANTED)


def test_without_a_process_list_a_refusal_is_told_for_what_it_is() -> None:
    """The URL refuses; whether Caddy is down nobody knows."""
    silent = ((INNGEST, "Connection refused"),)
    seen = replace(WELL, running=None, answers=(), silent=silent)
    (found,) = front_findings(seen, WANTED)

    assert (Reason.CADDY_URL_WRONG, INNGEST.url, "does not answer: Connection refused") == (
        found.reason,
        found.target,
        found.evidence,
    )


def test_a_wrong_answer_is_told_with_what_shows_and_mends_it() -> None:
    """By its exact words."""
    answer = replace(GOOD, wrong="HTTP 404: not found")
    seen = replace(WELL, answers=((WORKER, answer), (INNGEST, GOOD)))
    (found,) = front_findings(seen, WANTED)

    assert (WORKER.url, "answers HTTP 404: not found") == (found.target, found.evidence)
    assert "--resolve panda.tail7af24.ts.net:3443:127.0.0.1 https://panda" in found.advice
    assert found.advice.endswith("caddy reload --config ~/.local/caddy/Caddyfile")


def test_a_dead_backend_is_not_caddys_fault() -> None:
    """A 502 with a silent port behind it names the port, which is told elsewhere."""
    answer = replace(GOOD, wrong="HTTP 502")
    seen = replace(WELL, answers=((WORKER, answer),), backends=frozenset({3111}))
    assert () == front_findings(seen, WANTED)


def test_one_certificate_is_one_finding_for_all_its_ports() -> None:
    """With the files that the settings watch, when they are this name's."""
    answers = tuple(
        (one, replace(GOOD, untrusted="certificate has expired")) for one in (INNGEST, WORKER)
    )
    path = "~/My Certs/panda.tail7af24.ts.net.crt"
    wanted = WantedFront(WantedCaddy(certificates=("/other.crt", path)))
    (found,) = front_findings(replace(WELL, answers=answers), wanted)

    assert (Reason.CADDY_CERTIFICATE, "panda.tail7af24.ts.net") == (found.reason, found.target)
    assert "at 3443, 9443 does not verify: certificate has expired" in found.evidence
    assert found.advice.startswith(
        "tailscale cert --cert-file ~/'My Certs/panda.tail7af24.ts.net.crt' "
        "--key-file ~/'My Certs/panda.tail7af24.ts.net.key' panda.tail7af24.ts.net && caddy"
    )


def test_another_issuers_certificate_is_the_issuers_to_renew() -> None:
    """Tailscale knows its own names alone."""
    url = replace(INNGEST, url="https://a.example/")
    answers = ((url, replace(GOOD, untrusted="self-signed certificate")),)
    (found,) = front_findings(replace(WELL, answers=answers), WANTED)

    assert "tailscale" not in found.advice
    assert "caddy reload --force" in found.advice


@pytest.mark.parametrize(
    ("words", "funnels"),
    [
        ("nothing is funnelled on 443", ()),
        (
            "nothing is funnelled on 443",
            (Funnelled(8443, "http://127.0.0.1:3111", is_public=True),),
        ),
        ("to the tailnet alone", (Funnelled(443, "http://127.0.0.1:3111", is_public=False),)),
        (
            "443 is funnelled to http://127.0.0.1:8443, not to http://127.0.0.1:3111",
            (Funnelled(443, "http://127.0.0.1:8443", is_public=True),),
        ),
        ("to no handler for /, not to", (Funnelled(443, "", is_public=True),)),
        ("to tcp://localhost:22, not to", (Funnelled(443, "tcp://localhost:22", is_public=True),)),
    ],
)
def test_a_funnel_that_is_not_as_wanted_is_told_with_its_command(
    words: str, funnels: tuple[Funnelled, ...]
) -> None:
    """Off, and aimed elsewhere, are news of their own."""
    (found,) = front_findings(replace(WELL, funnels=funnels), WANTED)

    assert Reason.FUNNEL_WRONG is found.reason
    assert words in found.evidence
    assert found.fingerprint
    assert "tailscale funnel --bg --https=443 http://127.0.0.1:3111" == found.advice


def test_a_bare_stream_to_the_worker_is_as_good() -> None:
    """Tailscale ends TLS, and the worker hears plain HTTP."""
    funnels = (Funnelled(443, "tcp://127.0.0.1:3111", is_public=True),)
    assert () == front_findings(replace(WELL, funnels=funnels), WANTED)


def test_another_wish_is_another_answer() -> None:
    """Settings decide, not the worker's port."""
    wanted = replace(WANTED, funnel=WantedFunnel(port=8443, target="http://127.0.0.1:8443"))
    (found,) = front_findings(WELL, wanted)
    assert "nothing is funnelled on 8443" == found.evidence


def test_a_tailscale_that_should_be_there_is_missed() -> None:
    """Only where the settings say so; then it is a finding and not a gap."""
    seen = FrontSeen(funnel_missing="tailscale: is not on PATH")
    (found,) = front_findings(seen, WANTED)
    assert ("tailscale: is not on PATH", Reason.FUNNEL_WRONG) == (found.evidence, found.reason)

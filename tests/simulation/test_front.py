"""The real daemon over a simulated Mac: Caddy and the funnel are told of once, or not at all."""

from healer.core.facts import Reported
from healer.core.tower import Layer
from healer.drills.playing import run
from healer.drills.scenario import Happens, Scenario

LASTS = 1500.0
"""Seconds: time for three looks."""


def told(*happens: Happens, beside: Layer = Layer.SERVICES) -> list[tuple[str, str]]:
    """Reason and target of each report on what stands in front, in their order.

    `beside`: a layer whose reports are told among them.
    """
    played = run(Scenario("front", "Something befalls the front.", happens, lasts=LASTS))
    decided = [one for moment in played.history.moments for one in moment.decisions]
    assert [] == list(played.history.deeds)
    reports = [one for one in decided if isinstance(one, Reported)]
    layers = {Layer.SERVICES, beside}
    return [(one.reason.value, one.target) for one in reports if one.layer in layers]


def test_what_stays_wrong_is_told_once() -> None:
    """However long it stays so, and each fault by itself."""
    assert [
        ("services.caddy_certificate", "panda.tail7af24.ts.net"),
        ("services.caddy_url_wrong", "http://localhost:8443/"),
        ("services.funnel_wrong", "443"),
    ] == sorted(
        told(
            Happens(60.0, "caddy_url_wrong", {"port": 8443.0}),
            Happens(60.0, "caddy_certificate"),
            Happens(60.0, "funnel_off"),
        )
    )


def test_a_caddy_that_is_reloaded_is_not_told_of() -> None:
    """Gone just when it was looked at, and back when it was looked at once more."""
    gone, back = Happens(595.0, "caddy_dies"), Happens(640.0, "caddy_mended")
    assert [] == told(gone, back)


def test_one_that_comes_back_later_was_told_once() -> None:
    """By its job, which launchd lacks; that its URLs are dead for it is no second report."""
    gone, back = Happens(595.0, "caddy_dies"), Happens(800.0, "caddy_mended")
    expected = [("launchd.job_absent", "com.joel.caddy")]
    assert expected == told(gone, back, beside=Layer.LAUNCHD)


def test_a_tailscale_that_hangs_is_no_finding() -> None:
    """It cannot be looked at, and nothing is ill for it; a good Caddy beside it stays so."""
    assert [] == told(Happens(60.0, "tailscale_hangs"))

"""What befalls Caddy and the funnel: programs of the Mac's own, which no layer stands on."""

from typing import Final

from healer.core.tower import Layer
from healer.simulation.front import CADDY_PORTS
from healer.simulation.happening import Choice, Happening, Kind, fault
from healer.simulation.jobs import CADDY
from healer.simulation.physics import Tower

_UNTRUSTED: Final = (
    "certificate has expired",
    "Hostname mismatch, certificate is not valid for 'panda.tail7af24.ts.net'.",
    "self-signed certificate",
)
"""OpenSSL's own words."""


def _caddy_dies(tower: Tower) -> None:
    tower.launchd.boot_out(CADDY)
    tower.mac.front.caddy = False
    tower.tell("Caddy's process ends, and nothing starts it")


def _caddy_url_wrong(tower: Tower, port: float) -> None:
    tower.mac.front.wrong.add(int(port))
    tower.tell(f"Caddy answers 404 at {port:g}")


def _caddy_certificate(tower: Tower, why: str) -> None:
    tower.mac.front.untrusted = why
    tower.tell(f"Caddy's certificate does not verify: {why}")


def _caddy_mended(tower: Tower) -> None:
    front = tower.mac.front
    front.caddy, front.untrusted = True, ""
    front.wrong.clear()
    tower.tell("somebody has mended Caddy")


def _funnel_off(tower: Tower) -> None:
    tower.mac.front.public = False
    tower.tell("the funnel is off: its port is served to the tailnet alone")


def _funnel_elsewhere(tower: Tower, target: str) -> None:
    tower.mac.front.target = target
    tower.tell(f"the funnel leads to {target}")


def _tailscale_hangs(tower: Tower) -> None:
    tower.mac.front.tailscale = False
    tower.tell("tailscaled hangs, and every `tailscale` with it")


FAULTS_OF_THE_FRONT: tuple[Happening, ...] = (
    fault(
        "caddy_dies",
        Layer.SERVICES,
        _caddy_dies,
        "Caddy is taken out of launchd, and its URLs refuse; advisory, it is the Mac's own.",
    ),
    fault(
        "caddy_url_wrong",
        Layer.SERVICES,
        _caddy_url_wrong,
        "One of Caddy's URLs answers otherwise than configured; advisory.",
        {"port": Choice("where Caddy listens", 9443, CADDY_PORTS)},
    ),
    fault(
        "caddy_certificate",
        Layer.SERVICES,
        _caddy_certificate,
        "The certificate that Caddy shows does not verify; advisory.",
        {"why": Choice("in OpenSSL's words", _UNTRUSTED[0], _UNTRUSTED)},
    ),
    Happening(
        "caddy_mended",
        "Somebody has mended Caddy: it runs, answers and shows a good certificate.",
        Layer.SERVICES,
        Kind.HUMAN,
        covered=True,
        act=_caddy_mended,
    ),
    fault(
        "funnel_off",
        Layer.SERVICES,
        _funnel_off,
        "Tailscale's funnel serves the tailnet alone; advisory.",
    ),
    fault(
        "funnel_elsewhere",
        Layer.SERVICES,
        _funnel_elsewhere,
        "Tailscale's funnel leads to another port than the worker's; advisory.",
        {
            "target": Choice(
                "where it leads",
                "http://127.0.0.1:8443",
                ("http://127.0.0.1:8443", "http://127.0.0.1:3018", "tcp://localhost:22"),
            )
        },
    ),
    fault(
        "tailscale_hangs",
        Layer.SERVICES,
        _tailscale_hangs,
        "tailscaled hangs: the funnel cannot be looked at, which is no finding.",
    ),
)

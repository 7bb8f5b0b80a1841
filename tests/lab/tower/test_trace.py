"""`healer trace` with one fault at each hop of each service: the broken hop is named right."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

import pytest

from tests.lab.kubernetes.node import NAME, eventually

if TYPE_CHECKING:
    from tests.lab.tower.tower import Tower

pytestmark = [pytest.mark.lab, pytest.mark.kubernetes, pytest.mark.timeout(900)]

PORTS: Final = {"redis": 6379, "typesense": 8108}
"""Services with a NodePort in the lab; LiveKit is on the node's own network."""
PROCESSES: Final = {
    "redis": "redis-server",
    "typesense": "/standin typesense-server",
    "livekit-server": "/standin livekit-server",
}
CARRIED: Final = ("redis", "typesense", "livekit-server")
SETTLES: Final = 90.0
"""Seconds in which Kubernetes and Lima let a change be seen, on a busy machine too."""

Act = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault, the services that it breaks, and the hop that must be named."""

    what: str
    hop: str
    services: tuple[str, ...]
    befall: Act
    mend: Act
    later: str = ""
    """The hop that is rightly named once Kubernetes has noticed; '' = it notices nothing."""


def faults_of(tower: Tower) -> list[Fault]:
    """One at each hop; what is mended by `tower.mend` needs no hand of its own."""
    every: list[Fault] = []
    for name, port in PORTS.items():
        every += [
            _service(
                tower, name, "NodePort wrong", "node port", _node_port(port, 31_000 + port % 999)
            ),
            _service(tower, name, "no endpoint", "endpoints", {"selector": {"app": "nobody"}}),
        ]
    every += [_frozen(tower, name, process) for name, process in PROCESSES.items()]
    broken = tower.faults.livekit_not_ready
    return [
        *every,
        Fault(
            "wrong answer (406)",
            "pod",
            ("livekit-server",),
            lambda: broken(broken=True),
            lambda: broken(broken=False),
        ),
        Fault("forward dead", "forward", CARRIED, tower.mac.kill_mux, tower.mend),
        Fault(
            "container stopped",
            "port map",
            CARRIED,
            lambda: tower.mac.docker(["stop", "--time=5", NAME]),
            tower.mend,
        ),
    ]


def _node_port(port: int, node_port: int) -> dict[str, object]:
    return {"ports": [{"port": port, "nodePort": node_port}]}


def _service(tower: Tower, name: str, what: str, hop: str, change: dict[str, object]) -> Fault:
    path = f"/api/v1/namespaces/joelclaw/services/{name}"
    whole = tower.node.object(path)["spec"]
    before = {key: whole[key] for key in ("selector",)} | _node_port(PORTS[name], PORTS[name])
    return Fault(
        what,
        hop,
        (name,),
        lambda: tower.faults.patch(path, {"spec": change}, STRATEGIC),
        lambda: tower.faults.patch(path, {"spec": before}, STRATEGIC),
    )


STRATEGIC: Final = "application/strategic-merge-patch+json"


def _frozen(tower: Tower, name: str, process: str) -> Fault:
    def signal(word: str) -> Act:
        return lambda: tower.mac.guest(["pkill", f"-{word}", "-f", process])

    # A readiness probe takes a silent pod from its Service, typesense's after some six seconds.
    return Fault("pod silent", "pod", (name,), signal("STOP"), signal("CONT"), "endpoints")


def traced(tower: Tower, *words: str) -> dict[str, dict[str, object]]:
    """What the command says of each service, by name; LiveKit's first port speaks for it."""
    ran = tower.healer("trace", *words, "--json")
    assert ran.code in {0, 1, 3}, ran.err
    found: dict[str, dict[str, object]] = {}
    for one in json.loads(ran.out)["services"]:
        found.setdefault(one["name"], one)
    return found


def is_named(tower: Tower, fault: Fault, seen: list[dict[str, dict[str, object]]]) -> bool:
    """Whether the first broken hop of all its services is the one that was broken."""
    found = traced(tower, "--all")
    seen.append(found)
    named = {found[name]["broken"] for name in fault.services}
    return named in ({fault.hop}, {fault.later or fault.hop})


def is_well(tower: Tower) -> bool:
    """Whether each service is called well; in three seconds a busy machine may see less."""
    found = traced(tower, "--all")
    return {"ok"} == {found[name]["verdict"] for name in (*CARRIED, "kubernetes")}


def test_the_first_broken_hop_is_named_at_every_hop(
    tower: Tower, capsys: pytest.CaptureFixture[str]
) -> None:
    """And a well service is called well; the table says what was alive beyond the fault."""
    eventually("all are called well", partial(is_well, tower), SETTLES)
    rows: list[str] = []
    seen: list[dict[str, dict[str, object]]] = []
    for fault in faults_of(tower):
        fault.befall()
        try:
            eventually(f"{fault.what}: {fault.hop}", partial(is_named, tower, fault, seen), SETTLES)
            rows += [_row(fault, name, seen[-1][name]) for name in fault.services]
        finally:
            fault.mend()
    with capsys.disabled():
        print("\n" + "\n".join(rows))
    assert len(rows) == 2 * len(PORTS) + len(PROCESSES) + 1 + 2 * len(CARRIED)


def _row(fault: Fault, name: str, found: dict[str, object]) -> str:
    beyond = found["alive_beyond"]
    assert isinstance(beyond, list)
    alive = ", ".join(str(one) for one in beyond) or "-"
    return f"{fault.what:<20} {name:<16} {found['broken']!s:<10} alive beyond: {alive}"


def test_a_port_that_docker_does_not_publish_is_missing_there(tower: Tower) -> None:
    """The settings name it, the container has it not (R35)."""

    def is_missing() -> bool:
        return traced(tower, "docs-api")["docs-api"]["broken"] == "port map"

    eventually("the port map lacks it", is_missing, SETTLES)


def test_a_trace_changes_nothing_and_times_each_hop(tower: Tower) -> None:
    """It starts nothing, writes nothing of its own, and says how long each hop took."""
    before = tower.fingerprint()

    def is_timed() -> bool:
        hops = traced(tower, "--all")["typesense"]["hops"]
        assert isinstance(hops, list)
        asked = [one for one in hops if one["hop"] in {"forward", "port map"}]
        return all(one["seconds"] is not None for one in asked)

    eventually("the hops say how long they took", is_timed, SETTLES)
    assert before == tower.fingerprint()
    assert [] == tower.mac.calls

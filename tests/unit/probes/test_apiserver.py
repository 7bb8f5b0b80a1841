"""The API server's probe."""

import pytest

from healer.core.observation import Component, Observation
from healer.core.reasons import Reason
from healer.model.cluster import Readiness
from healer.model.machine import Forwarder
from healer.ports import CannotLook, Denied, PortError, TargetIll, TargetSilent, WrongAnswer
from healer.probes.apiserver import ApiserverProbe
from tests.fakes.vm import FakeVm
from tests.fakes_cluster import FakeCluster

WELL = Readiness(ready=True, port=6443, detail="ok", certificate_days=300.0, kubeconfig_port=6443)


async def look(ready: Readiness | PortError, forwarder: Forwarder = Forwarder.GRPC) -> Observation:
    """Look at an API that answers so."""
    cluster, vm = FakeCluster(), FakeVm()
    vm.profile_forwarder = forwarder
    if isinstance(ready, PortError):
        cluster.faults["readiness"] = ready
    else:
        cluster.ready = ready
    return await ApiserverProbe(cluster, vm).look()


def reasons(seen: Observation) -> list[Reason]:
    """The reasons found."""
    return [one.reason for one in seen.findings]


async def test_a_ready_api_is_well_and_a_sign_of_life() -> None:
    """It answered through a published port, so everything below lives."""
    seen = await look(WELL)

    assert seen.well
    (sign,) = seen.signs
    assert ("API /readyz", True) == (sign.what, sign.alive)
    assert {Component.HOSTAGENT, Component.API_SERVER} <= sign.depends_on
    assert "answers on port 6443" == seen.summary


async def test_ports_that_ride_the_mux_are_of_its_group() -> None:
    """With portForwarder ssh the API and docker.sock are one witness."""
    (by_ssh,) = (await look(WELL, Forwarder.SSH)).signs
    assert {Component.MUX, Component.USERNET, Component.API_SERVER} <= by_ssh.depends_on


@pytest.mark.parametrize(
    "error", [TargetIll("GET /readyz", "Connection refused"), TargetSilent("GET /readyz", "5 s")]
)
async def test_a_dead_api_is_unreachable_and_a_sign_of_death(error: PortError) -> None:
    """The same sign says so that said life."""
    seen = await look(error)

    assert [Reason.API_UNREACHABLE] == reasons(seen)
    assert [(False, "API /readyz")] == [(one.alive, one.what) for one in seen.signs]


async def test_an_api_that_is_not_ready_lives() -> None:
    """A 500 of /readyz came from a living server."""
    seen = await look(Readiness(ready=False, port=6443, detail="[-]etcd failed"))

    assert [Reason.API_FAILING] == reasons(seen)
    assert "[-]etcd failed" in seen.findings[0].evidence
    assert [True] == [one.alive for one in seen.signs]


@pytest.mark.parametrize("words", ["500: etcdserver: request timed out", "429: too many requests"])
async def test_an_api_that_calls_itself_ready_and_fails_all_work_is_failing(words: str) -> None:
    """It lives, and refuses what is asked: neither unreachable nor well."""
    cluster = FakeCluster()
    cluster.faults["node"] = WrongAnswer("GET node", words)
    seen = await ApiserverProbe(cluster, FakeVm()).look()
    refusing = await look(WrongAnswer("GET /readyz", words))

    for one in (seen, refusing):
        assert [Reason.API_FAILING] == reasons(one)
        assert words in one.findings[0].evidence
        assert [True] == [sign.alive for sign in one.signs]


async def test_a_node_that_cannot_be_asked_for_is_no_illness_of_the_api() -> None:
    """`/readyz` speaks for it, unless an error came from the server itself."""
    cluster = FakeCluster()
    cluster.faults["node"] = TargetSilent("GET node", "no answer within 5 s")

    assert (await ApiserverProbe(cluster, FakeVm()).look()).well


async def test_a_refused_key_is_gating_and_a_sign_of_life() -> None:
    """It is not the API that is ill."""
    seen = await look(Denied("GET /readyz", "401 Unauthorized"))

    assert [Reason.API_UNAUTHORIZED] == reasons(seen)
    assert [True] == [one.alive for one in seen.signs]


async def test_who_cannot_look_knows_nothing() -> None:
    """No finding, no sign."""
    seen = await look(CannotLook("kubeconfig", "No such file"))

    assert ("kubeconfig: No such file", (), ()) == (seen.unknown, seen.findings, seen.signs)


async def test_a_stale_kubeconfig_is_told_with_its_server_line() -> None:
    """Docker's port is the true one; the layer stays well."""
    seen = await look(
        Readiness(ready=True, port=64785, detail="ok", certificate_days=1e3, kubeconfig_port=6443)
    )

    assert seen.well
    assert [Reason.KUBECONFIG_STALE] == reasons(seen)
    assert "server: https://127.0.0.1:64785" in seen.findings[0].advice


@pytest.mark.parametrize(
    ("expected", "days"),
    [([], None), ([], 30.0), (["ends in 29 days"], 29.0), (["ended 2 days ago"], -2.0)],
)
async def test_an_ending_certificate_is_told_with_its_days(
    expected: list[str], days: float | None
) -> None:
    """From 30 days before its end, and it never gates."""
    seen = await look(Readiness(ready=True, port=6443, detail="ok", certificate_days=days))

    assert seen.well
    assert expected == [one.evidence.partition("kubeconfig ")[2] for one in seen.findings]

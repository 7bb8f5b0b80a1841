"""What the look at the Mac says of kubeconfig, talosconfig and certificates."""

from dataclasses import dataclass, field

import pytest

from healer.core.observation import Finding
from healer.core.reasons import ADVISORY, Reason
from healer.model.certificates import Certificate, Read
from healer.model.client_config import ClientConfig, Entry, Kind, Spot
from healer.model.cluster import Readiness
from healer.model.config_faults import Known
from healer.ports import CannotLook
from healer.probes.apiserver import ApiserverProbe
from healer.probes.credentials import CredentialsLook
from healer.probes.host import HostProbe
from tests.fakes.host import FakeHost, foreign
from tests.fakes.vm import FakeVm
from tests.fakes_cluster import FakeCluster

WALL = 1_700_000_000.0
DAY = 86_400.0


def config(kind: Kind, endpoint: str, current: str = "joelclaw") -> ClientConfig:
    """A file with one context."""
    entry = Entry("joelclaw", 1, "joelclaw", (Spot(endpoint, 0, 1, 2),), ("10.5.0.2",))
    return ClientConfig(kind, "/k", Spot(current, 0, 1, 1), (entry,))


def certificate(name: str, days: float) -> Certificate:
    """One that ends then."""
    return Certificate(name, f"/{name}", Read(name, "ca", WALL + days * DAY))


@dataclass
class FakeCredentials:
    """Implements CredentialEyes."""

    configs: dict[Kind, ClientConfig] = field(default_factory=dict)
    found: list[Certificate] = field(default_factory=list)
    shown: Certificate = field(default_factory=lambda: certificate("apiserver", 300.0))

    def config(self, kind: Kind) -> ClientConfig:
        """It, or that it is not there."""
        if kind not in self.configs:
            raise CannotLook(kind, "is not there")
        return self.configs[kind]

    async def certificates(self) -> list[Certificate]:
        """Those found."""
        return self.found

    async def serving(self, port: int) -> Certificate:
        """The one shown."""
        assert 6443 == port
        return self.shown

    def expiries(self) -> dict[str, float]:
        """None."""
        return {}


async def look(eyes: FakeCredentials, port: int | None = 6443) -> list[Finding]:
    """What a look at the Mac finds with these eyes."""
    credentials = CredentialsLook(eyes, lambda: WALL, lambda _: Known("joelclaw", port))
    probe = HostProbe(FakeHost(), None, foreign, credentials)
    return list((await probe.look()).findings)


def test_none_of_it_ever_makes_a_layer_ill() -> None:
    """Design §10: certificates and configurations are reported, and block nothing."""
    assert ADVISORY >= {
        Reason.KUBECONFIG_WRONG,
        Reason.TALOSCONFIG_WRONG,
        Reason.HOST_CERTIFICATE_EXPIRING,
        Reason.CERTIFICATE_UNREAD,
    }


async def test_good_files_and_absent_ones_say_nothing() -> None:
    """Whoever has no talosconfig does not use talosctl."""
    eyes = FakeCredentials({Kind.KUBECONFIG: config(Kind.KUBECONFIG, "https://127.0.0.1:6443")})
    eyes.found = [certificate("caddy.crt", 31.0)]
    assert [] == await look(eyes)


@pytest.mark.parametrize(
    ("reason", "kind", "endpoint", "current"),
    [
        (Reason.KUBECONFIG_WRONG, Kind.KUBECONFIG, "https://10.5.0.2:6443", "joelclaw"),
        (Reason.KUBECONFIG_WRONG, Kind.KUBECONFIG, "https://127.0.0.1:6443", "gone"),
        (Reason.TALOSCONFIG_WRONG, Kind.TALOSCONFIG, "127.0.0.1:15000", "joelclaw"),
    ],
)
async def test_a_wrong_file_is_told_with_both_ways_to_mend_it(
    reason: Reason, kind: Kind, endpoint: str, current: str
) -> None:
    """healer's repair, and the tool's own command."""
    (finding,) = await look(FakeCredentials({kind: config(kind, endpoint, current)}))
    assert reason == finding.reason
    assert finding.advice.startswith("healer kubeconfig repair, or: ")


async def test_a_wrong_port_of_the_kubeconfig_is_the_api_servers_to_tell() -> None:
    """It knows which context is ours; two findings of one cause would be one too many."""
    wrong = config(Kind.KUBECONFIG, "https://127.0.0.1:64784")
    assert [] == await look(FakeCredentials({Kind.KUBECONFIG: wrong}))


async def test_without_a_port_from_docker_no_endpoint_is_judged() -> None:
    """The look at the Mac does not wait for the VM."""
    wrong = config(Kind.TALOSCONFIG, "127.0.0.1:15000")
    assert [] == await look(FakeCredentials({Kind.TALOSCONFIG: wrong}), port=None)


@pytest.mark.parametrize(
    ("evidence", "fingerprint", "days"),
    [
        ("the certificate of /caddy.crt ends in 29 days", "soon", 29.0),
        ("urgent: the certificate of /caddy.crt ends in 6 days", "urgent", 6.0),
        ("ended: the certificate of /caddy.crt ended 2 days ago", "ended", -2.0),
    ],
)
async def test_a_certificate_is_told_at_30_and_anew_at_7_days(
    evidence: str, fingerprint: str, days: float
) -> None:
    """One reason; its fingerprint makes it news again."""
    (finding,) = await look(FakeCredentials(found=[certificate("caddy.crt", days)]))
    assert (Reason.HOST_CERTIFICATE_EXPIRING, evidence, fingerprint, "caddy.crt") == (
        finding.reason,
        finding.evidence,
        finding.fingerprint,
        finding.target,
    )
    assert "openssl x509 -noout -enddate -in /caddy.crt" in finding.advice


async def test_the_talosconfigs_is_renewed_by_talosctl_while_it_lasts() -> None:
    """It does not renew itself (facts/talos-kubernetes.md §1)."""
    (finding,) = await look(FakeCredentials(found=[certificate("talosconfig", 5.0)]))
    assert "config new /talosconfig.new && talosctl" in finding.advice


async def test_the_kubeconfigs_is_told_by_the_api_servers_layer_alone() -> None:
    """Whose door it opens."""
    assert [] == await look(FakeCredentials(found=[certificate("kubeconfig", 5.0)]))


async def test_a_listed_certificate_that_cannot_be_read_is_told() -> None:
    """Somebody wanted it watched; a talosconfig nobody has is no such thing."""
    unread = [Certificate(name, f"/{name}", unread="gone") for name in ("a.crt", "talosconfig")]
    assert [(Reason.CERTIFICATE_UNREAD, "a.crt")] == [
        (one.reason, one.target) for one in await look(FakeCredentials(found=unread))
    ]


@pytest.mark.parametrize(("expected", "days"), [([], 31.0), (["apiserver"], 14.0)])
async def test_the_servers_own_certificate_is_told_beside_ours(
    expected: list[str], days: float
) -> None:
    """Two certificates, two targets, one reason; the layer stays well."""
    cluster = FakeCluster()
    cluster.ready = Readiness(ready=True, port=6443, detail="ok", certificate_days=5.0)
    eyes = FakeCredentials(shown=certificate("apiserver", days))
    seen = await ApiserverProbe(cluster, FakeVm(), eyes, lambda: WALL).look()

    assert seen.well
    assert ["", *expected] == [one.target for one in seen.findings]
    assert {Reason.CERTIFICATE_EXPIRING} == {one.reason for one in seen.findings}
    assert "urgent" == seen.findings[0].fingerprint

"""The node's machine configuration and the key that opens its API, both thrown away with it."""

from __future__ import annotations

import base64
import datetime as dt
import ipaddress
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

if TYPE_CHECKING:
    from pathlib import Path

SECRET_MARKER: Final = "throwaway-machine-secret-that-must-not-leak"
ADMIN_LIFETIME: Final = dt.timedelta(days=365)
"""``cluster.adminKubeconfig.certLifetime`` by default (facts/talos-kubernetes.md §1)."""
AUTHORITY_LIFETIME: Final = dt.timedelta(days=3650)


TRADITIONAL: Final = serialization.PrivateFormat.TraditionalOpenSSL
"""The only form of an elliptic key that the API server takes for its service accounts."""


def _pem(
    key: ec.EllipticCurvePrivateKey,
    form: serialization.PrivateFormat = serialization.PrivateFormat.PKCS8,
) -> str:
    encoding = serialization.Encoding.PEM
    return key.private_bytes(encoding, form, serialization.NoEncryption()).decode()


def _name(common: str, organisation: str | None = None) -> x509.Name:
    parts = [x509.NameAttribute(NameOID.COMMON_NAME, common)]
    if organisation is not None:
        parts.append(x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation))
    return x509.Name(parts)


def service_account_key() -> str:
    """A fresh key that signs the tokens of service accounts."""
    return _pem(ec.generate_private_key(ec.SECP256R1()), TRADITIONAL)


@dataclass(frozen=True, slots=True)
class Authority:
    """The cluster's certificate authority."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @classmethod
    def create(cls) -> Authority:
        """Make an authority with a key of its own."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = _name("kubernetes", "kubernetes")
        certificate = (
            _builder(name, name, key.public_key(), AUTHORITY_LIFETIME)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(_usage(signs_certificates=True), critical=True)
            .add_extension(
                x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False
            )
            .sign(key, hashes.SHA256())
        )
        return cls(key, certificate)

    def pem(self) -> str:
        """The certificate, which is no secret."""
        return self.certificate.public_bytes(serialization.Encoding.PEM).decode()

    def issue_client(
        self, user: str, group: str, lifetime: dt.timedelta = ADMIN_LIFETIME
    ) -> tuple[str, str]:
        """A client certificate and its key, both in PEM."""
        usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])
        return self._issue(_name(user, group), usage, lifetime)

    def issue_serving(self, *addresses: str) -> tuple[str, str]:
        """A certificate for a server at these IP addresses and its key, both in PEM."""
        names = [x509.IPAddress(ipaddress.ip_address(one)) for one in addresses]
        return self._issue(
            _name("kube-apiserver"), x509.SubjectAlternativeName(names), ADMIN_LIFETIME
        )

    def issue_named(self, name: str, lifetime: dt.timedelta = ADMIN_LIFETIME) -> tuple[str, str]:
        """A certificate for a server of that DNS name and its key, both in PEM."""
        names = x509.SubjectAlternativeName([x509.DNSName(name)])
        return self._issue(_name(name), names, lifetime)

    def _issue(
        self, subject: x509.Name, extension: x509.ExtensionType, lifetime: dt.timedelta
    ) -> tuple[str, str]:
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = (
            _builder(subject, self.certificate.subject, key.public_key(), lifetime)
            .add_extension(_usage(signs_certificates=False), critical=True)
            .add_extension(extension, critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()),
                critical=False,
            )
            .sign(self.key, hashes.SHA256())
        )
        return certificate.public_bytes(serialization.Encoding.PEM).decode(), _pem(key)

    def user_data(self, node_name: str, node_ip: str, sandbox_image: str) -> str:
        """What the container gets as USERDATA: secrets, as Talos' machine configuration holds."""
        config = {
            "marker": SECRET_MARKER,
            "nodeName": node_name,
            "nodeIP": node_ip,
            "certSANs": ["127.0.0.1"],
            "caCert": self.pem(),
            "caKey": _pem(self.key),
            "serviceAccountKey": service_account_key(),
            "sandboxImage": sandbox_image,
            "allowSchedulingOnControlPlanes": False,
        }
        return base64.b64encode(json.dumps(config).encode()).decode()

    def write_kubeconfig(self, path: Path, server: str, cluster: str) -> None:
        """Write the administrator's kubeconfig in the shape that talosctl gives it, mode 0600."""
        certificate, key = self.issue_client("admin", "system:masters")
        path.touch(mode=0o600)
        path.write_text(
            KUBECONFIG.format(
                cluster=cluster,
                server=server,
                ca=_inline(self.pem()),
                certificate=_inline(certificate),
                key=_inline(key),
            )
        )


KUBECONFIG: Final = """\
apiVersion: v1
kind: Config
clusters:
- name: {cluster}
  cluster:
    server: {server}
    certificate-authority-data: {ca}
contexts:
- name: admin@{cluster}
  context:
    cluster: {cluster}
    namespace: default
    user: admin@{cluster}
current-context: admin@{cluster}
users:
- name: admin@{cluster}
  user:
    client-certificate-data: {certificate}
    client-key-data: {key}
"""


def _inline(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    public_key: ec.EllipticCurvePublicKey,
    lifetime: dt.timedelta,
) -> x509.CertificateBuilder:
    now = dt.datetime.now(dt.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + lifetime)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )

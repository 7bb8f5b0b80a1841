"""The end of a certificate, read without a library, against one that knows all of X.509."""

import base64
import datetime as dt

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from healer.adapters.certificate import not_after, read_der, read_pem
from healer.model.certificates import Read
from tests.lab.kubernetes.machineconfig import Authority

KEY = ec.generate_private_key(ec.SECP256R1())
START = dt.datetime(1970, 1, 2, tzinfo=dt.UTC)


def certificate(ends: dt.datetime) -> bytes:
    """A self-signed certificate that ends then."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "somebody" * 7)])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(KEY.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(START)
        .not_valid_after(ends)
        .sign(KEY, hashes.SHA256())
    )
    return made.public_bytes(serialization.Encoding.PEM)


PEM = certificate(dt.datetime(2030, 1, 1, tzinfo=dt.UTC))
DER = base64.b64decode(b"".join(PEM.splitlines()[1:-1]))


@given(st.integers(min_value=200_000, max_value=250_000_000_000))
def test_every_end_is_read_to_the_second(ends: int) -> None:
    """Before 2050 X.509 writes two digits of the year, afterwards four."""
    moment = dt.datetime.fromtimestamp(ends, dt.UTC)
    assert float(ends) == not_after(certificate(moment))


def test_the_first_of_a_bundle_counts() -> None:
    """A client certificate comes before its issuers, and text around it is passed by."""
    authority = Authority.create()
    client, _ = authority.issue_client("admin", "system:masters", dt.timedelta(days=10))
    bundle = f"subject: admin\n{client}\n{authority.pem()}".encode()
    expected = x509.load_pem_x509_certificate(client.encode()).not_valid_after_utc.timestamp()
    assert expected == not_after(bundle)


def test_subject_and_issuer_are_their_common_names() -> None:
    """Whose it is, and who signed it."""
    authority = Authority.create()
    client, _ = authority.issue_client("admin", "system:masters")
    found = read_pem(client.encode())
    assert found is not None
    assert ("admin", "kubernetes") == (found.subject, found.issuer)


def test_a_servers_certificate_is_read_as_it_comes() -> None:
    """DER, with no PEM around it."""
    assert Read("somebody" * 7, "somebody" * 7, 1_893_456_000.0) == read_der(DER)


@pytest.mark.parametrize(
    "pem",
    [
        b"",
        b"no certificate",
        b"-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----",
        b"-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----",
        b"-----BEGIN CERTIFICATE-----\nAgEB\n-----END CERTIFICATE-----",
        b"-----BEGIN CERTIFICATE-----\n\xff\n-----END CERTIFICATE-----",
    ],
)
def test_what_is_no_certificate_has_no_end(pem: bytes) -> None:
    """None, and never an exception: the file is the user's."""
    assert not_after(pem) is None


@given(st.integers(0, 120), st.integers(0, 255), st.integers(0, len(DER)))
def test_a_torn_certificate_never_raises(place: int, byte: int, length: int) -> None:
    """Any prefix with any byte changed is read, or is None."""
    changed = bytearray(DER)
    changed[place] = byte
    torn = base64.b64encode(changed[:length])
    text = b"-----BEGIN CERTIFICATE-----\n" + torn + b"\n-----END CERTIFICATE-----"
    assert isinstance(not_after(text), float | None)

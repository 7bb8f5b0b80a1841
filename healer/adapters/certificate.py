"""When a client certificate ends, by reading just so much DER as that takes."""

import re
import ssl
from datetime import UTC, datetime
from typing import Final

_SEQUENCE: Final = 0x30
_UTC_TIME: Final = 0x17
_GENERALIZED_TIME: Final = 0x18
_VERSION: Final = 0xA0
_PEM: Final = re.compile(rb"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.DOTALL)


def not_after(pem: bytes) -> float | None:
    """Epoch seconds of the first certificate's notAfter (RFC 5280 §4.1); None if unreadable."""
    match = _PEM.search(pem)
    if match is None:
        return None
    try:
        der = ssl.PEM_cert_to_DER_cert(match[0].decode("ascii"))
        return _validity_end(der)
    except (ValueError, IndexError):
        return None


def _validity_end(der: bytes) -> float:
    """Certificate > tbsCertificate > [version] serial algorithm issuer validity > notAfter."""
    _, certificate = _element(der)
    _, rest = _element(certificate)
    tag, _, after = _split(rest)
    if tag == _VERSION:
        rest = after
    for _ in range(3):
        _, _, rest = _split(rest)
    _, validity = _element(rest)
    _, _, later = _split(validity)
    tag, value, _ = _split(later)
    return _time(tag, value.decode("ascii"))


def _element(data: bytes) -> tuple[int, bytes]:
    tag, value, _ = _split(data)
    if tag != _SEQUENCE:
        raise ValueError(f"tag {tag:#x} where a sequence should be")
    return tag, value


def _split(data: bytes) -> tuple[int, bytes, bytes]:
    """Tag, value and what follows; DER's lengths are definite."""
    length, start = data[1], 2
    if length & 0x80:
        count = length & 0x7F
        length, start = int.from_bytes(data[2 : 2 + count], "big"), 2 + count
    if start + length > len(data):
        raise ValueError("shorter than it says")
    return data[0], data[start : start + length], data[start + length :]


def _time(tag: int, text: str) -> float:
    """UTCTime has two digits for the year: below 50 is this century (RFC 5280 §4.1.2.5.1)."""
    if tag == _UTC_TIME:
        century = "20" if text[:2] < "50" else "19"
        text = century + text
    elif tag != _GENERALIZED_TIME:
        raise ValueError(f"tag {tag:#x} where a time should be")
    return datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC).timestamp()

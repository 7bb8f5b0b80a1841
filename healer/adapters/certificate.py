"""Whose a certificate is and when it ends, by reading just so much DER as that takes."""

import re
import ssl
from datetime import UTC, datetime
from typing import Final

from healer.model.certificates import Read

_SEQUENCE: Final = 0x30
_UTC_TIME: Final = 0x17
_GENERALIZED_TIME: Final = 0x18
_VERSION: Final = 0xA0
_COMMON_NAME: Final = b"\x06\x03\x55\x04\x03"
"""id-at-commonName, 2.5.4.3 (RFC 5280 appendix A)."""
_UTF16: Final = 0x1E
"""BMPString."""
_PEM: Final = re.compile(rb"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", re.DOTALL)


def not_after(pem: bytes) -> float | None:
    """Epoch seconds of the first certificate's notAfter (RFC 5280 §4.1); None if unreadable."""
    found = read_pem(pem)
    return None if found is None else found.ends


def read_pem(pem: bytes) -> Read | None:
    """The first certificate of a text; None if there is none that can be read."""
    match = _PEM.search(pem)
    if match is None:
        return None
    try:
        return read_der(ssl.PEM_cert_to_DER_cert(match[0].decode("ascii")))
    except ValueError:
        return None


def read_der(der: bytes) -> Read | None:
    """One certificate as a server shows it; None if it cannot be read."""
    try:
        return _read(der)
    except (ValueError, IndexError):
        return None


def _read(der: bytes) -> Read:
    """Certificate > tbsCertificate > [version] serial algorithm issuer validity subject."""
    _, certificate = _element(der)
    _, rest = _element(certificate)
    tag, _, after = _split(rest)
    if tag == _VERSION:
        rest = after
    for _ in range(2):
        _, _, rest = _split(rest)
    _, issuer, rest = _split(rest)
    _, validity = _element(rest)
    _, _, subject = _split(rest)
    _, _, later = _split(validity)
    tag, value, _ = _split(later)
    ends = _time(tag, value.decode("ascii"))
    return Read(_common_name(_element(subject)[1]), _common_name(issuer), ends)


def _common_name(name: bytes) -> str:
    """Of a sequence of sets of (type, text); '' where it has none."""
    while name:
        _, parts, name = _split(name)
        while parts:
            _, pair, parts = _split(parts)
            if pair.startswith(_COMMON_NAME):
                tag, text, _ = _split(pair[len(_COMMON_NAME) :])
                said = text.decode("utf-16-be" if tag == _UTF16 else "utf-8", "replace")
                return "".join(one if one.isprintable() else "?" for one in said)
    return ""


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

"""Which format of metrics an Accept header asks for, of the two that are on offer.

The client library's own choice takes any version that a client names for a format of its own, and
breaks on a version that is no number.
"""

import re
from typing import Final

_OPEN: Final = "application/openmetrics-text"
_VERSIONS: Final = frozenset({"", "0.0.1", "1.0.0"})
"""Prometheus asks for both; '' is a client that names none."""
_WORD: Final = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_RANGE: Final = re.compile(rf"({_WORD}/{_WORD})(.*)")
_PARAMETER: Final = re.compile(rf'\s*;\s*({_WORD})=(?:({_WORD})|"([^"\\\x00-\x1f\x7f]*)")')
_QUALITY: Final = re.compile(r"(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)")
_RANGES: Final = re.compile(r"""(?:[^,"]|"[^"]*"?)+""")
_MOST: Final = 20
"""Media ranges in one header; Prometheus sends five."""


def wants_openmetrics(accept: str) -> bool:
    """Whether OpenMetrics is wanted rather than plain text. Raises ValueError when malformed."""
    ranges = [one.strip() for one in _RANGES.findall(accept)]
    if len(ranges) > _MOST:
        raise ValueError(f"Accept names {len(ranges)} media ranges; send at most {_MOST}")
    openly = plainly = 0.0
    for one in filter(None, ranges):
        kind, parameters = _media_range(one)
        quality = float(parameters.get("q", "1"))
        if kind == _OPEN and parameters.get("version", "") in _VERSIONS:
            openly = max(openly, quality)
        elif kind in {"text/plain", "text/*"}:
            plainly = max(plainly, quality)
    return 0 < openly >= plainly


def _media_range(text: str) -> tuple[str, dict[str, str]]:
    found = _RANGE.fullmatch(text)
    if found is None:
        raise ValueError(f"Accept holds {text[:80]!a}, which is no media range")
    rest, parameters, end = found[2], dict[str, str](), 0
    while end < len(rest):
        one = _PARAMETER.match(rest, end)
        if one is None:
            raise ValueError(f"Accept holds {text[:80]!a}, whose parameters are malformed")
        parameters[one[1].lower()] = one[2] or one[3] or ""
        end = one.end()
    if not _QUALITY.fullmatch(parameters.get("q", "1")):
        raise ValueError(f"Accept holds q={parameters['q'][:80]!a}; q is from 0 to 1")
    return found[1].lower(), parameters

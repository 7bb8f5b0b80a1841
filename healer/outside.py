"""Text that others wrote, made fit to be kept and shown: one printable line without secrets.

A tool's output, an HTTP body, a pod's message or a human's reason may hold escape sequences that
a terminal obeys, and tokens. It is cleaned where it becomes evidence, so that the journal, the
log, the notices and every view show the same words.
"""

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from healer.core.observation import Finding, ForeignOperation, Observation, Sign

LARGEST: Final = 4000
"""Characters of one text; evidence needs a line or two."""
_AT_ONCE: Final = 500
"""Characters that a pattern sees: no pattern that `fault_of` lets pass takes long over them."""
REDACTED: Final = "(redacted)"
_NAMES: Final = (
    r"[\w.-]{0,40}(?:passw(?:or)?d|passphrase|secret|token|credential|authorization"
    r"|api[_-]?key|access[_-]?key|private[_-]?key|signing[_-]?key|auth[_-]?key|event[_-]?key)"
    r"[\w.-]{0,40}"
)
_VALUE: Final = r"""(?:\(redacted\)|[^\s"'&;,)}\]]+)"""
_KNOWN: Final = re.compile(
    rf"""
      (?P<url>[a-z][a-z0-9+.-]{{0,20}}://)[^\s/?\#@"']+@
    | (?P<header>\bauthorization["']?\s{{0,3}}[:=]\s{{0,3}}["']?(?:basic|bearer|token)\s+){_VALUE}
    | (?P<bearer>\bbearer\s+)(?=\S{{0,200}}\d)[\w.~+/=-]{{8,}}
    | (?P<flag>--?(?:password|passphrase|token|secret|api-key|auth-key|access-key)\s+){_VALUE}
    | (?P<name>(?<![\w.-]){_NAMES}["']?\s{{0,3}}[:=]\s{{0,3}}["']?){_VALUE}
    | (?P<env>(?<![\w.-])[A-Z][A-Z0-9_]{{0,40}}_(?:KEY|PASS|PW|PWD)=["']?){_VALUE}
    | (?P<block>-----BEGIN\ [A-Z\ ]{{0,30}}PRIVATE\ KEY-----).*
    | \b(?:gh[pousr]_\w{{20,}}|github_pat_\w{{20,}}|glpat-[\w-]{{16,}}|xox[a-z]-[\w-]{{10,}}
        |sk-[\w-]{{20,}}|tskey-[\w-]{{10,}}|signkey-[\w-]{{16,}}|AKIA[0-9A-Z]{{16}}
        |eyJ[\w-]{{10,}}\.[\w-]{{10,}}(?:\.[\w-]*)?)
    """,
    re.VERBOSE | re.IGNORECASE,
)
"""What tells a secret by its place or its form; the part that is named stays."""
_HINTS: Final = (
    "://", "pass", "secret", "token", "credential", "authorization", "bearer", "key", "_pw",
    "gh", "glpat-", "xox", "sk-", "akia", "eyj",
)  # fmt: skip
"""One of these is in every text that it could match: thousands of pods are looked at quickly."""

_SEQUENCE: Final = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]{0,100}[ -/]{0,10}[@-~]|(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])"
    r"[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)?|\x1b[ -/]{0,10}[0-~]"
)
"""An escape sequence of ECMA-48 as a whole: colours, titles of windows, the clipboard."""
_TOKEN: Final = re.compile(
    r"\\.|\[\^?\]?(?:[^\]\\]|\\.)*\]|\(\?|[*+][?+]?|\{[0-9,]+\}[?+]?|.", re.DOTALL
)
"""What a pattern is made of: an escape, a class, a group's begin, a repetition with its manner."""
_REPEATS: Final = 2
_CHOICES: Final = 4
"""So many double the work as often; 500 characters, cubed and doubled four times, take seconds."""

_own: tuple[re.Pattern[str], ...] = ()


def redact_also(patterns: Iterable[str]) -> None:
    """Redact what these match, too; they replace those given before. The settings say which."""
    global _own  # noqa: PLW0603  (one set of settings in a process, and text enters everywhere)
    _own = tuple(re.compile(one) for one in patterns)


def fault_of(pattern: str) -> str:
    """Why a pattern of the user's cannot be used; '' when it can.

    Python's matcher may need longer than anybody waits for repetitions within or beside each
    other, and nothing can stop it: what could do so is refused by its form.
    """
    try:
        compiled = re.compile(pattern)
    except (re.error, RecursionError, OverflowError) as error:
        return f"is no regular expression: {error}"
    if compiled.search(""):
        return "matches nothing at all, and so everywhere; name what the secret looks like"
    repeats = choices = 0
    after_group = False
    for one in _TOKEN.findall(pattern):
        variable = one[0] in "*+" or (one[0] == "{" and "," in one)
        if after_group and (variable or one[0] == "{"):
            return "repeats a group, which can take for ever; repeat a class: [0-9a-f]+"
        repeats += variable
        choices += one in {"?", "|"}
        after_group = one == ")"
    if repeats > _REPEATS or choices > _CHOICES:
        return (
            f"has {repeats} repetitions and {choices} choices; write at most {_REPEATS} and "
            f"{_CHOICES}, or several patterns"
        )
    return ""


def line(text: str) -> str:
    """One printable line, not longer than evidence may be."""
    text = text if len(text) <= LARGEST else f"{text[:LARGEST]} …"
    if text.isprintable():
        return text
    text = _SEQUENCE.sub("", text)
    return " ".join("".join(one if one.isprintable() else " " for one in text).split())


def cleaned(text: str) -> str:
    """The same without secrets."""
    text = line(text)
    lower = text.lower()
    if any(one in lower for one in _HINTS):
        text = _KNOWN.sub(_kept, text)
    for pattern in _own:
        text = "".join(pattern.sub(_gone, part) for part in _parts(text))
    return text


def _kept(found: re.Match[str]) -> str:
    kept = found[found.lastgroup] if found.lastgroup else ""
    return f"{kept}{REDACTED}{'@' if found.lastgroup == 'url' else ''}"


def _gone(found: re.Match[str]) -> str:
    return REDACTED if found[0] else ""


def _parts(text: str) -> Iterable[str]:
    """Pieces that a pattern may see, cut at a space where there is one."""
    while len(text) > _AT_ONCE:
        end = text.rfind(" ", 0, _AT_ONCE) + 1 or _AT_ONCE
        yield text[:end]
        text = text[end:]
    yield text


def observed(seen: Observation) -> Observation:
    """An observation whose every text is cleaned; what names a thing stays a name."""
    return replace(
        seen,
        findings=tuple(_finding(one) for one in seen.findings),
        signs=tuple(_sign(one) for one in seen.signs),
        foreign=tuple(_operation(one) for one in seen.foreign),
        unknown=cleaned(seen.unknown),
        others_unseen=cleaned(seen.others_unseen),
        summary=cleaned(seen.summary),
    )


def _finding(one: Finding) -> Finding:
    return replace(
        one,
        evidence=cleaned(one.evidence),
        advice=cleaned(one.advice),
        target=line(one.target),
        fingerprint=line(one.fingerprint),
        event=line(one.event),
        owner=line(one.owner),
        cause=line(one.cause),
    )


def _sign(one: Sign) -> Sign:
    return replace(one, what=line(one.what))


def _operation(one: ForeignOperation) -> ForeignOperation:
    return replace(one, command=cleaned(one.command))

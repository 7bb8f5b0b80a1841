"""Text that others wrote: one printable line without secrets, quickly."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from healer import outside
from healer.core.observation import Component, Finding, ForeignOperation, Observation, Sign
from healer.core.reasons import Reason
from healer.core.tower import Layer
from healer.outside import LARGEST, cleaned, fault_of, line, observed
from healer.ports import TargetIll

ESCAPES = "a\x1b[31mb\x1b]0;owned\x07c\x1b]52;c;ZXZpbA==\x1b\\d\x9b2Je\x1bcf\r\ng\u202eh\udcff\x00i"
URL = "https://joel:hunter2@example.org/x?token=hunter2"
HOSTILE = f"{ESCAPES} {URL} Authorization: Bearer hunter2"


def test_a_terminal_has_nothing_to_obey() -> None:
    """Sequences go as a whole, other controls become a space, and words stay."""
    assert "abcdef g h i" == line(ESCAPES)
    assert "two  spaces stay" == line("two  spaces stay")


@given(st.text(st.characters(), max_size=200))
def test_a_line_is_printable_and_clean_already(text: str) -> None:
    """Whatever it was; a second time nothing changes."""
    once = cleaned(text)

    assert once.isprintable()
    assert once == cleaned(once)


def test_a_line_is_not_longer_than_evidence_may_be() -> None:
    """What follows is left out, and that is shown."""
    assert f"{'x' * LARGEST} …" == line("x" * 100_000)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("GET https://joel:hunter2@example.org/a", "GET https://(redacted)@example.org/a"),
        ("redis://:hunter2@127.0.0.1:6379/0", "redis://(redacted)@127.0.0.1:6379/0"),
        ("https://hunter2@example.org", "https://(redacted)@example.org"),
        ("Authorization: Bearer hunter2", "Authorization: Bearer (redacted)"),
        ('"authorization": "Basic hunter2"', '"authorization": "Basic (redacted)"'),
        ("sent Bearer hunter2.hunter2/x==", "sent Bearer (redacted)"),
        ("LIVEKIT_API_SECRET=hunter2 and more", "LIVEKIT_API_SECRET=(redacted) and more"),
        ("INNGEST_EVENT_KEY='hunter2'", "INNGEST_EVENT_KEY='(redacted)'"),
        ("DEPLOY_KEY=hunter2", "DEPLOY_KEY=(redacted)"),
        ('{"password": "hunter2", "user": "joel"}', '{"password": "(redacted)", "user": "joel"}'),
        ("token: hunter2.0123456789abcdef", "token: (redacted)"),
        ("mysql --password hunter2 -h db", "mysql --password (redacted) -h db"),
        ("/hook?access_token=hunter2&x=1", "/hook?access_token=(redacted)&x=1"),
        ("with ghp_hunter2hunter2hunter2x", "with (redacted)"),
        ("jwt eyJhunter2hunter2.eyJhunter2hunter2.sig", "jwt (redacted)"),
        ("-----BEGIN RSA PRIVATE KEY----- hunter2", "-----BEGIN RSA PRIVATE KEY-----(redacted)"),
        ("tskey-hunter2hunter2", "(redacted)"),
        ("DB_PW=hunter2 DB_PWD=hunter2", "DB_PW=(redacted) DB_PWD=(redacted)"),
        ("gho_hunter2hunter2hunter2x github_pat_hunter2hunter2hunter2", "(redacted) (redacted)"),
        ("glpat-hunter2hunter2xx xoxb-hunter2hunter2", "(redacted) (redacted)"),
        ("sk-hunter2hunter2hunter2x AKIAHUNTER2HUNTER2XX", "(redacted) (redacted)"),
    ],
)
def test_secrets_are_cut_out(text: str, kept: str) -> None:
    """What tells that it was one stays."""
    assert kept == cleaned(text)
    assert kept == cleaned(kept)
    assert any(one in text.lower() for one in outside._HINTS)


@pytest.mark.parametrize(
    "text",
    [
        "bearer authentication failed",
        "http://127.0.0.1:3111/api/inngest answers 502",
        'secret "livekit-tls" not found',
        'kubectl -n joelclaw patch service redis -p \'{"spec":{"type":"NodePort"}}\'',
        "node-role.kubernetes.io/control-plane:NoSchedule",
        "sandbox changed; mail joel@example.org",
        "exited 255 at 2026-11-30T03:00:00Z",
    ],
)
def test_ordinary_words_stay(text: str) -> None:
    """Evidence is for reading."""
    assert text == cleaned(text)


def test_patterns_of_the_user_are_cut_out_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """All of what they match, over a long text too; the next settings replace them."""
    monkeypatch.setattr(outside, "_own", ())
    outside.redact_also(["joel-[0-9]+", "(?i)panda"])

    assert "(redacted) on (redacted)" == cleaned("joel-123 on PANDA")
    assert cleaned("x " * 600 + "joel-1").endswith("x (redacted)")
    outside.redact_also([])
    assert "joel-123" == cleaned("joel-123")


@pytest.mark.parametrize(
    ("pattern", "fault"),
    [
        ("[a-", "is no regular expression"),
        ("(" * 5000, "is no regular expression"),
        ("a{99999999999}", "is no regular expression"),
        ("x*", "matches nothing at all"),
        ("(a+)+$", "repeats a group"),
        ("(a|a)*b", "repeats a group"),
        ("(?:a|aa){30}$", "repeats a group"),
        ("(x+x+)+?y", "repeats a group"),
        ("a*a*a*b", "has 3 repetitions"),
        (r"\w{1,}\w{1,}\w+z", "has 3 repetitions"),
        ("a?" * 30 + "a" * 30, "choices"),
        ("(a|a)" * 30 + "b", "choices"),
    ],
)
def test_a_pattern_that_could_take_for_ever_is_refused(pattern: str, fault: str) -> None:
    """By its form; and so is one that matches everywhere."""
    assert fault in fault_of(pattern)


@pytest.mark.parametrize(
    "pattern",
    [
        r"joel-[0-9]+",
        r"(?i)panda\.tail[0-9a-f]{6}",
        r"key\(.+?\)",
        r"[]*+?{}|]x",
        r"a\*\*\*b",
        "(ab)?c",
    ],
)
def test_ordinary_patterns_are_taken(pattern: str) -> None:
    """A quantifier in a class or after a backslash is none."""
    assert not fault_of(pattern)
    re.compile(pattern)


def test_the_worst_patterns_that_are_taken_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Over the longest text that evidence may be."""
    monkeypatch.setattr(outside, "_own", ())
    worst = ["a*a*b", "a?a?a?a?aaaab", "a+a+b|c|d|e"]
    assert not any(map(fault_of, worst))
    outside.redact_also(worst)

    assert "a" * LARGEST + " …" == cleaned("a" * 10_000)


def test_every_text_of_an_observation_is_cleaned() -> None:
    """Evidence, advice, commands, names and signs; and numbers stay."""
    seen = observed(
        Observation(
            Layer.TALOS,
            (
                Finding(
                    Reason.TALOS_STOPPED, HOSTILE, target=ESCAPES, fingerprint=ESCAPES,
                    event=ESCAPES, owner=ESCAPES, cause=ESCAPES, advice=HOSTILE, ripe_in=3.0,
                ),
            ),
            signs=(Sign(ESCAPES, frozenset({Component.API_SERVER}), alive=True),),
            foreign=(ForeignOperation(Layer.COLIMA, HOSTILE, 7, 1.0),),
            unknown=HOSTILE,
            others_unseen=HOSTILE,
            summary=HOSTILE,
            targets=4,
        )
    )  # fmt: skip

    said = repr(seen)
    assert said.isprintable()
    assert "\\x" not in said
    assert "hunter2" not in said
    assert 6 == said.count("https://(redacted)@example.org/x?token=(redacted)")
    assert (3.0, 4, 7) == (seen.findings[0].ripe_in, seen.targets, seen.foreign[0].pid)


def test_what_a_port_raises_is_cleaned() -> None:
    """It reaches a terminal by many ways, of which most lead past a probe."""
    error = TargetIll(ESCAPES, HOSTILE)

    assert f"{error}" == f"{error.place}: {error.detail}"
    assert f"{error}".isprintable()
    assert "hunter2" not in f"{error}"

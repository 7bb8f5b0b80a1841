"""What `healer doctor --prove` found: what only a run on the Mac itself can prove."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from healer.core.word import Word

SCHEMA_VERSION: Final = 1


class Verdict(Word):
    """What a check came to."""

    PROVED = "proved"
    FAILED = "failed"
    NOT_PROVEN = "not proven"
    """It could not be tried here and now; that is never a pass."""


@dataclass(frozen=True, slots=True)
class Proof:
    """One check, with what was seen."""

    verdict: Verdict
    evidence: str
    todo: str = ""
    """What a person does about it; '' when it is proved."""
    question: str = ""
    """What only a person can answer, with yes or no: yes proves it."""


def proved(evidence: str) -> Proof:
    """It is as healer believes."""
    return Proof(Verdict.PROVED, evidence)


def failed(evidence: str, todo: str) -> Proof:
    """It is otherwise."""
    return Proof(Verdict.FAILED, evidence, todo)


def unproven(evidence: str, todo: str, question: str = "") -> Proof:
    """Nobody can say yet."""
    return Proof(Verdict.NOT_PROVEN, evidence, todo, question)


def not_a_mac() -> Proof:
    """For checks that ask something of macOS alone."""
    return unproven("this is not macOS", "run it on the Mac")


def to_plain(proofs: Mapping[str, Proof]) -> dict[str, dict[str, str]]:
    """As the control socket carries them."""
    return {
        name: {
            "verdict": one.verdict.value,
            "evidence": one.evidence,
            "todo": one.todo,
            "question": one.question,
        }
        for name, one in proofs.items()
    }


def from_plain(found: Mapping[str, Mapping[str, str]]) -> dict[str, Proof]:
    """What another process sent. Raises KeyError, TypeError or ValueError for anything else."""
    return {
        str(name): Proof(
            Verdict(one["verdict"]), str(one["evidence"]), str(one["todo"]), str(one["question"])
        )
        for name, one in found.items()
    }


def document(proofs: Mapping[str, Proof], about: Mapping[str, str], home: str) -> dict[str, Any]:
    """To be pasted into an issue: no secret is in it, and the home folder is `~`."""
    rows = [
        {
            "check": name,
            "verdict": one.verdict.value,
            "evidence": without_home(one.evidence, home),
            "todo": without_home(one.todo, home),
        }
        for name, one in proofs.items()
    ]
    return {"schema_version": SCHEMA_VERSION, **about, "checks": rows}


def without_home(words: str, home: str) -> str:
    """Who the user is concerns nobody who reads a report."""
    return words.replace(home, "~") if len(home) > 1 else words


def exit_code(proofs: Sequence[Proof]) -> int:
    """1 when a check failed, else 3 when one is not proven, else 0."""
    verdicts = {one.verdict for one in proofs}
    if Verdict.FAILED in verdicts:
        return 1
    return 3 if Verdict.NOT_PROVEN in verdicts else 0

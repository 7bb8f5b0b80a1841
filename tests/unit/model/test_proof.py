"""What a proof says, and what of it leaves the machine."""

import pytest

from healer.model.proof import (
    Proof,
    Verdict,
    document,
    exit_code,
    failed,
    from_plain,
    not_a_mac,
    proved,
    to_plain,
    unproven,
)

PROOFS = {
    "mux": proved("pid 7 has the title"),
    "kqueue": not_a_mac(),
    "notice": unproven("desktop: handed_over", "answer", "was it seen?"),
    "lan": failed("/Users/joel/.venv: no route", "allow it for /Users/joel/.venv"),
}


def test_proofs_cross_the_socket_unchanged() -> None:
    """Question and all."""
    assert PROOFS == from_plain(to_plain(PROOFS))


@pytest.mark.parametrize("broken", [{"a": {}}, {"a": {"verdict": "passed"}}, {"a": 1}, {"a": ""}])
def test_what_another_version_sends_is_no_proof(broken: dict[str, dict[str, str]]) -> None:
    """Least of all a pass."""
    with pytest.raises((KeyError, TypeError, ValueError)):
        from_plain(broken)


def test_the_document_names_no_user() -> None:
    """It is pasted into an issue; every check has the same keys, and no question is left in it."""
    made = document(PROOFS, {"healer": "1"}, "/Users/joel")

    assert (1, "1") == (made["schema_version"], made["healer"])
    assert list(PROOFS) == [one["check"] for one in made["checks"]]
    assert {("check", "verdict", "evidence", "todo")} == {tuple(one) for one in made["checks"]}
    assert {
        "check": "lan",
        "verdict": "failed",
        "evidence": "~/.venv: no route",
        "todo": "allow it for ~/.venv",
    } == made["checks"][-1]
    assert "joel" not in str(made)


def test_only_what_is_proved_is_a_pass() -> None:
    """A failure counts more than what is not proven."""
    assert 0 == exit_code([PROOFS["mux"]])
    assert 3 == exit_code([PROOFS["mux"], PROOFS["kqueue"]])
    assert 1 == exit_code(list(PROOFS.values()))
    assert Proof(Verdict.PROVED, "x") == proved("x")

"""Verdicts that probes and remedies share."""

from dataclasses import replace

import pytest

from healer.model.cluster import Condition, Node
from healer.model.verdicts import (
    WantedContainer,
    missing_modules,
    shutting_down,
    start_refusal,
)
from tests.fakes.engine import DOWN, UP
from tests.fakes.guest import WELL

GOING = Condition("Ready", "False", "KubeletNotReady", "node is shutting down")


def test_the_wanted_container_is_the_owners() -> None:
    """Each promised default, pinned."""
    wanted = WantedContainer()

    assert ("unless-stopped", 0, 6443, frozenset({3111})) == (
        wanted.restart_policy,
        wanted.memory,
        wanted.api_port,
        wanted.reserved_ports,
    )


def test_modules_are_named() -> None:
    """Only what is not loaded."""
    assert () == missing_modules(WELL)
    assert ("vxlan",) == missing_modules(replace(WELL, vxlan=False))


@pytest.mark.parametrize("status", ["exited", "created", "restarting"])
def test_a_container_without_an_error_may_start(status: str) -> None:
    """Nothing speaks against it."""
    assert "" == start_refusal(replace(DOWN, status=status))


def test_a_refusal_names_the_container() -> None:
    """The advice can be pasted."""
    assert "docker start joelclaw-controlplane-1" in start_refusal(
        replace(DOWN, error="Range of CPUs is from 0.01 to 4.00")
    )


def test_a_wanted_policy_differs_from_none() -> None:
    """Docker shows `no` or nothing for no policy."""
    for policy in ("", "no", "always"):
        assert WantedContainer().policy_differs(replace(UP, restart_policy=policy))
    assert not WantedContainer().policy_differs(UP)


@pytest.mark.parametrize(
    "condition",
    [
        replace(GOING, status="True"),
        replace(GOING, status="Unknown", reason="NodeStatusUnknown"),
        replace(GOING, message="container runtime network not ready"),
        replace(GOING, type="MemoryPressure"),
    ],
)
def test_only_the_exact_condition_is_a_shutdown(condition: Condition) -> None:
    """Status, reason and message must all be the kubelet's."""
    assert shutting_down(Node("n", "u", "1", conditions=(condition,))) is None
    assert shutting_down(Node("n", "u", "1")) is None


def test_the_message_may_stand_among_others() -> None:
    """The kubelet joins its reasons in one message."""
    among = replace(GOING, message="[container runtime is down, node is shutting down]")

    assert among == shutting_down(Node("n", "u", "1", conditions=(among,)))

"""Whose process is this."""

from pathlib import Path

import pytest

from healer.model.identity import Ours, is_caddy
from healer.model.machine import ColimaPaths
from tests.fakes.host import HOSTAGENT, LIMA, MUX, OURS, USERNET, process

INSTANCE = LIMA / "colima"
QEMU = f"/usr/bin/qemu-system-x86_64 -m 3072 -drive file={INSTANCE}/disk"
WORK = Ours(501, ColimaPaths(LIMA.parent, "work"), frozenset({LIMA}))
ELSEWHERE = Ours(501, ColimaPaths(Path("/Users/ann/.colima")), frozenset({Path("/Users/ann/x")}))


@pytest.mark.parametrize("command", [HOSTAGENT, MUX, QEMU])
def test_a_process_belongs_to_one_instance(command: str) -> None:
    """By the instance folder in its command line, by profile, root and user."""

    def is_one(ours: Ours, uid: int = 501) -> bool:
        one = process(7, command, uid=uid)
        return ours.is_hostagent(one) or ours.is_mux(one) or ours.is_driver(one)

    assert is_one(OURS)
    assert not is_one(WORK)
    assert not is_one(ELSEWHERE)
    assert not is_one(OURS, uid=502)


def test_a_usernet_serves_every_profile_of_one_root() -> None:
    """The network process of Lima, and not whoever greps for it."""
    one = process(7, USERNET)

    assert (True, True, False) == tuple(who.is_usernet(one) for who in (OURS, WORK, ELSEWHERE))
    assert not OURS.is_usernet(process(7, USERNET, uid=502))
    assert not OURS.is_usernet(process(7, f"rg {USERNET}"))
    assert not OURS.is_usernet(process(7, HOSTAGENT))


def test_a_root_that_is_a_link_has_two_names() -> None:
    """Lima resolves the links in its root, and Colima passes it on as it was given."""
    disk = Path("/Volumes/My Disk/_lima")
    ours = Ours(501, OURS.paths, frozenset({LIMA, disk}))

    for command in (HOSTAGENT, USERNET, MUX, QEMU):
        other = process(7, command.replace(str(LIMA), str(disk)))
        assert ours.listens_for_vm(other) or ours.is_driver(other)
        assert not OURS.listens_for_vm(other)


@pytest.mark.parametrize(
    "command",
    [
        "",
        "sirittsd",
        "limactl",
        f"vim {HOSTAGENT}",
        "limactl start colima",
        f"grep {HOSTAGENT}",
        HOSTAGENT.replace("limactl", "limactl-hostagent"),
        HOSTAGENT.replace(" colima", " colima-work"),
        f"vim {INSTANCE}/lima.yaml",
        f"vi {MUX}",
        f"{MUX} x",
        "ssh: /Users/joel/.ssh/other [mux]",
        "ssh -L 6379:127.0.0.1:6379 other",
    ],
)
def test_strangers_are_none_of_ours(command: str) -> None:
    """A reused pid belongs to a stranger, and a human's own tunnel does too."""
    one = process(7, command)

    assert not OURS.listens_for_vm(one)
    assert not OURS.is_driver(one)


@pytest.mark.parametrize(
    ("server", "command"),
    [
        (True, "/opt/homebrew/bin/caddy run --config x"),
        (True, "[caddy]"),
        (False, "caddy start"),
        (False, "vim caddy run"),
        (False, "[caddy] run"),
        (False, ""),
    ],
)
def test_caddy_is_known_by_its_argv_or_its_name_alone(server: bool, command: str) -> None:  # noqa: FBT001  (a table's column)
    """macOS shows of root's Caddy nothing but the name."""
    assert server is is_caddy(command)

"""Somebody else's work on the tower, told from the process list."""

import pytest

from healer.core.observation import ForeignOperation
from healer.core.tower import Layer
from healer.model.machine import ProcessInfo
from healer.model.operations import foreign_operations, operation_layer

NODE = "joelclaw-controlplane-1"
NODE_ID = "4f66ad9a0b2e1c33d5b0e1f2a3b4c5d6e7f8091a2b3c4d5e6f708192a3b4c5d6"


def process(pid: int, command: str, ppid: int = 1) -> ProcessInfo:
    """A process of joel's that runs for 20 s."""
    return ProcessInfo(pid, ppid, "joel", 20.0, command)


@pytest.mark.parametrize(
    ("layer", "command"),
    [
        (Layer.COLIMA, "colima start"),
        (Layer.COLIMA, "/opt/homebrew/bin/colima start --cpu 4 --memory 8"),
        (Layer.COLIMA, "colima -p default --verbose stop"),
        (Layer.COLIMA, "colima --profile=work restart --force"),
        (Layer.COLIMA, "colima delete -f"),
        (Layer.COLIMA, "/bin/sh /usr/local/bin/colima start"),
        (Layer.COLIMA, "/usr/bin/python3.11 /lab/bin/colima start"),
        (Layer.COLIMA, "limactl start colima"),
        (Layer.COLIMA, "limactl --tty=false --log-level debug stop --force colima"),
        (Layer.TALOS, "talosctl -n 10.5.0.2 reboot"),
        (Layer.TALOS, "talosctl --talosconfig /Users/joel/.talos/config -e 127.0.0.1 upgrade -i x"),
        (Layer.TALOS, "talosctl reset --graceful=false"),
        (Layer.TALOS, f"docker stop {NODE}"),
        (Layer.TALOS, f"docker --context colima restart -t 120 {NODE}"),
        (Layer.TALOS, f"docker container pause redis {NODE}"),
        (Layer.TALOS, f"docker start {NODE_ID[:12]}"),
        (Layer.TALOS, "docker start 4f66"),
    ],
)
def test_work_is_recognised(layer: Layer, command: str) -> None:
    """The program and its verb decide, wherever flags stand."""
    assert layer is operation_layer(command, (NODE, NODE_ID))


@pytest.mark.parametrize(
    "command",
    [
        "",
        "colima",
        "colima list --json",
        "colima status",
        "colima ssh -- systemctl start docker",
        "colima -p start list",
        "vim colima start.txt",
        "vim colima start",
        "grep colima start",
        "grep -r colima start",
        'bash -c "colima start"',
        "bash -lc colima start",
        "tail -f /tmp/colima start",
        "(colima)",
        "[colima] <defunct>",
        "/usr/local/bin/colima-start.sh start",
        "bash /usr/local/bin/colima-start.sh",
        "limactl hostagent --pidfile /Users/joel/.colima/_lima/colima/ha.pid colima",
        "limactl usernet -p /Users/joel/.colima/_lima/_networks/user-v2/usernet_user-v2.pid",
        "limactl list colima --json",
        "limactl shell colima start",
        "talosctl -n 10.5.0.2 health",
        "talosctl get reset",
        "docker ps --filter name=start",
        "docker stop redis",
        f"docker logs -f {NODE}",
        f"docker kill {NODE}",
        f"docker container kill -s TERM redis {NODE}",
        f"docker exec {NODE} restart",
        "docker stop joelclaw",
        "docker start 4f6",
        "docker run --rm alpine docker stop",
    ],
)
def test_what_only_looks_like_work_is_not(command: str) -> None:
    """Neither a word in another command's arguments nor a look is an operation."""
    assert operation_layer(command, (NODE, NODE_ID)) is None


def test_an_operation_says_who_and_for_how_long() -> None:
    """Layer, command, pid and age, as a person is told them."""
    found = foreign_operations([process(77, "colima start")], own_pids=())

    assert (ForeignOperation(Layer.COLIMA, "colima start", 77, 20.0),) == found


def test_a_start_and_its_helpers_are_one_operation() -> None:
    """`colima start` runs `limactl start`, which is the same piece of work."""
    processes = [
        process(77, "colima start"),
        process(78, "sh -c limactl", ppid=77),
        process(79, "limactl start colima", ppid=78),
    ]

    assert [77] == [one.pid for one in foreign_operations(processes, own_pids=())]


def test_our_own_offspring_is_not_foreign() -> None:
    """Neither what healer runs now nor what an unfinished intent left running."""
    processes = [
        process(50, "healer --once"),
        process(60, "colima stop", ppid=50),
        process(70, "colima start"),
        process(71, "limactl start colima", ppid=70),
        process(80, "limactl start colima"),
    ]

    assert [80] == [one.pid for one in foreign_operations(processes, own_pids=(50, 70))]


def test_parents_in_a_circle_end() -> None:
    """A list taken while pids are re-issued may name parents in a circle."""
    processes = [process(7, "colima start", ppid=8), process(8, "sh", ppid=7)]

    assert [7] == [one.pid for one in foreign_operations(processes, own_pids=())]

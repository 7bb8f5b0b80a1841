"""Somebody else's work on the tower, told from the process list."""

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

import pytest

from healer.core.observation import ForeignOperation
from healer.core.tower import Layer
from healer.model.identity import Ours
from healer.model.machine import ColimaPaths, ProcessInfo
from healer.model.operations import foreign_operations, operation_layer
from tests.fakes.host import LIMA, OURS, UID

NODE = "joelclaw-controlplane-1"
NODE_ID = "4f66ad9a0b2e1c33d5b0e1f2a3b4c5d6e7f8091a2b3c4d5e6f708192a3b4c5d6"


CONTAINERS = (NODE, NODE_ID)


def process(pid: int, command: str, ppid: int = 1, uid: int = UID) -> ProcessInfo:
    """A process of joel's that runs for 20 s."""
    return ProcessInfo(pid, ppid, uid, 20.0, command)


def pids(*processes: ProcessInfo, own: Collection[int] = (), ours: Ours = OURS) -> list[int]:
    """Of the operations found among these."""
    return [one.pid for one in foreign_operations(processes, own, ours, CONTAINERS)]


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
    found = foreign_operations([process(77, "colima start")], (), OURS)

    assert (ForeignOperation(Layer.COLIMA, "colima start", 77, 20.0),) == found


def test_a_start_and_its_helpers_are_one_operation() -> None:
    """`colima start` runs `limactl start`, which is the same piece of work."""
    processes = [
        process(77, "colima start"),
        process(78, "sh -c limactl", ppid=77),
        process(79, "limactl start colima", ppid=78),
    ]

    assert [77] == pids(*processes)


def test_our_own_offspring_is_not_foreign() -> None:
    """Neither what healer runs now nor what an unfinished intent left running."""
    processes = [
        process(50, "healer --once"),
        process(60, "colima stop", ppid=50),
        process(70, "colima start"),
        process(71, "limactl start colima", ppid=70),
        process(80, "limactl start colima"),
    ]

    assert [80] == pids(*processes, own=(50, 70))


def test_parents_in_a_circle_end() -> None:
    """A list taken while pids are re-issued may name parents in a circle."""
    processes = [process(7, "colima start", ppid=8), process(8, "sh", ppid=7)]

    assert [7] == pids(*processes)


WORK = Ours(UID, ColimaPaths(LIMA.parent, "work"), frozenset({LIMA}))


@pytest.mark.parametrize(
    ("default", "work", "command"),
    [
        (True, False, "colima start"),
        (True, False, "colima start default"),
        (True, False, "colima stop colima"),
        (True, False, "colima start --cpu 4 --memory 8"),
        (True, False, "colima --profile=default restart -f"),
        (False, True, "colima start work"),
        (False, True, "colima stop -f work"),
        (False, True, "colima start --cpu 4 --edit work"),
        (False, True, "colima -p work start"),
        (False, True, "colima start --profile work"),
        (False, True, "colima stop --profile=work default"),
        (False, True, "colima start -pwork"),
        (False, True, "colima start -p colima-work"),
        (False, False, "colima start other"),
        (True, True, "colima start --some-new-flag work"),
        (True, False, "limactl start colima"),
        (False, True, "limactl stop --force colima-work"),
        (False, False, "limactl start"),
        (False, False, "limactl --tty=false start default"),
        (True, False, "limactl start --name=colima template://docker"),
        (False, True, "limactl start --tty=false /x/colima-work.yaml"),
        (True, True, "limactl stop --all"),
    ],
)
def test_work_on_another_profile_is_not_ours(default: bool, work: bool, command: str) -> None:  # noqa: FBT001  (a table's columns)
    """By flag, argument or environment; what cannot be told apart counts as ours."""
    one = process(7, command)

    assert (default, work) == (bool(pids(one)), bool(pids(one, ours=WORK)))


@pytest.mark.parametrize(
    ("default", "work", "command"),
    [(False, True, "colima start"), (True, False, "colima start -p default")],
)
def test_the_environment_may_name_the_profile(default: bool, work: bool, command: str) -> None:  # noqa: FBT001  (a table's columns)
    """Whatever is said on the command line counts before it."""
    one = replace(process(7, command), profile="work")

    assert (default, work) == (bool(pids(one)), bool(pids(one, ours=WORK)))


@pytest.mark.parametrize("command", ["colima start", "limactl stop colima"])
def test_work_of_another_user_or_in_another_root_is_not_ours(command: str) -> None:
    """Their VM has the same name, and is none of our business."""
    one = process(7, command)

    assert [] == pids(replace(one, uid=502))
    assert [] == pids(replace(one, uid=0))
    assert [] == pids(replace(one, lima_home=Path("/Users/joel/.lima")))
    assert [7] == pids(replace(one, lima_home=LIMA))


@pytest.mark.parametrize("command", [f"docker stop {NODE}", "talosctl -n 10.5.0.2 reboot"])
def test_root_reaches_our_container_and_another_user_does_not(command: str) -> None:
    """`sudo docker stop` works on any socket."""
    assert [7] == pids(process(7, command, uid=0))
    assert [] == pids(process(7, command, uid=502))

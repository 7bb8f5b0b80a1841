"""Start and stop of the VM, over scripted tools and true processes."""

import os
import signal
from dataclasses import replace

import anyio
import pytest

from healer.core.facts import Act
from healer.model.machine import VmStatus
from healer.ports import ActFailed, CannotLook, JournalError
from tests.unit.adapters.colima_mac import ACT, BEFORE, QUICK, Mac
from tests.unit.adapters.helpers import alive, fifo, told, until

REFUSED = (
    'echo \'time="x" level=info msg="Using the existing instance `colima`"\'\n'
    'echo \'time="x" level=fatal msg="errors inspecting instance: [connection refused]"\'\n'
    'echo \'time="x" level=fatal msg="error starting vm: error at starting"\' >&2\n'
    "exit 1"
)


async def test_a_start_is_told_line_by_line_and_verified(mac: Mac) -> None:
    """Only the profile is given; each line reaches the person; `list` says Running."""
    mac.create()
    mac.lists("Running")
    mac.script(
        "colima-start",
        'echo \'time="x" level=info msg="starting colima"\' >&2\n'
        'echo \'time="x" level=info msg="starting ..." context=vm\' >&2',
    )

    said = await mac.hands().start(ACT)

    assert ["colima -p default start"] == mac.calls()
    assert ["starting colima", "vm: starting ..."] == mac.progress
    assert said.startswith("colima start ended well after")


async def test_the_process_of_a_start_is_told_at_once(mac: Mac) -> None:
    """With pid and start time, by which a later healer recognises it (design §10)."""
    mac.create()
    mac.lists("Running")
    mac.script("colima-start", f"echo $$ > {mac.home}/pid")

    await mac.hands().start(ACT)

    [(act, pid, started)] = mac.children.seen
    assert (ACT, int((mac.home / "pid").read_text(encoding="utf-8"))) == (act, pid)
    assert started > 0


async def test_a_first_creation_is_never_caused(mac: Mac) -> None:
    """Without lima.yaml nothing is run (facts/colima.md §1.5)."""
    with pytest.raises(ActFailed, match=r"lima\.yaml is not there"):
        await mac.hands().start(ACT)

    assert [] == mac.calls()


async def test_a_failed_start_tells_why(mac: Mac) -> None:
    """Colima's fatal lines, and the reason that only the hostagent's log knows."""
    mac.create()
    mac.lists("Stopped")
    mac.script("colima-start", REFUSED)
    mac.write(mac.instance / "ha.stderr.log", '{"level":"fatal","msg":"disk in use"}\n')

    with pytest.raises(ActFailed) as caught:
        await mac.hands().start(ACT)

    assert caught.value.detail == (
        "exit 1, list says Stopped: errors inspecting instance: [connection refused]; "
        "error starting vm: error at starting; disk in use"
    )


async def test_exit_1_with_a_running_vm_is_a_start(mac: Mac) -> None:
    """A degraded boot ends with 1 and leaves the VM up (facts/colima.md §1.5)."""
    mac.create()
    mac.lists("Running")
    mac.script("colima-start", "echo 'level=fatal msg=\"degraded\"'; exit 1")

    said = await mac.hands().start(ACT)

    assert said.endswith("yet the VM runs: degraded")


async def test_exit_0_without_a_running_vm_is_no_start(mac: Mac) -> None:
    """Only `list` knows."""
    mac.create()
    mac.lists("Broken")
    mac.script("colima-start", "exit 0")

    with pytest.raises(ActFailed, match="exit 0, list says Broken"):
        await mac.hands().start(ACT)


async def test_a_silent_start_is_left_alone(mac: Mac) -> None:
    """Stuck means that we stop waiting, not that it is killed."""
    mac.create()
    pipe = fifo(mac.home)
    mac.script("colima-start", f"echo waiting for ssh; echo $$ > {pipe}; exec sleep 600")
    pids: list[int] = []

    async def note() -> None:
        pids.append(int(await told(pipe)))

    async with anyio.create_task_group() as group:
        group.start_soon(note)
        with pytest.raises(ActFailed, match=r"no new line for 2 s, left running .*waiting for ssh"):
            await mac.hands(replace(QUICK, silence=2.0)).start(ACT)

    assert alive(pids[0])
    os.kill(pids[0], signal.SIGKILL)
    await until(lambda: not alive(pids[0]))


async def test_a_lock_on_the_disk_is_only_told(mac: Mac) -> None:
    """It may be what stops the start; removing it is a human's (design §10)."""
    mac.create()
    mac.lists("Running")
    mac.script("colima-start", "exit 0")
    disk = mac.paths.lima_home / "_disks" / "colima"
    disk.mkdir(parents=True)
    (disk / "in_use_by").symlink_to(mac.instance)

    await mac.hands().start(ACT)

    assert [f"the data disk is marked in use by {mac.instance}"] == mac.progress
    assert (disk / "in_use_by").is_symlink()


async def test_a_missing_tool_is_a_failed_act(mac: Mac) -> None:
    """Nothing was started, and the words say why."""
    mac.create()
    (mac.home / "bin" / "colima").unlink()

    with pytest.raises(ActFailed, match="not found on PATH"):
        await mac.hands().start(ACT)


async def test_a_journal_that_cannot_take_the_child_is_told(mac: Mac) -> None:
    """The start goes on by itself; that it is unaccounted for is not swallowed."""
    pids: list[int] = []

    class Full:
        def spawned(self, act: Act, pid: int, started: float) -> None:
            del act, started
            pids.append(pid)
            raise JournalError("no space left on device")

    mac.create()
    mac.script("colima-start", "exit 0")
    hands = mac.hands()
    hands._children = Full()

    with pytest.raises(JournalError):
        await hands.start(ACT)

    await until(lambda: not alive(pids[0]))


async def test_a_stop_is_believed_when_list_says_so(mac: Mac) -> None:
    """It may take a moment after the command has ended."""
    mac.lists("Running", "Running", "Stopped")
    mac.script("colima-stop", "exit 0")

    said = await mac.hands().stop(ACT)

    assert said.endswith("list says Stopped")
    assert [0.5, 0.5] == mac.clock.slept
    assert ["colima -p default stop"] == mac.calls()


@pytest.mark.parametrize("status", [VmStatus.RUNNING, VmStatus.BROKEN])
async def test_a_stop_that_did_nothing_has_failed(status: VmStatus, mac: Mac) -> None:
    """Of a Broken VM `stop` says done with 0, and nothing is done (facts/colima.md §1.6)."""
    mac.lists(status.value)
    mac.script("colima-stop", "echo 'level=info msg=\"not running\" context=vm' >&2")

    with pytest.raises(ActFailed, match=f"exit 0, list says {status}: vm: not running"):
        await mac.hands().stop(ACT)

    assert QUICK.settle == mac.clock.now()


async def test_stale_files_are_removed_by_name(mac: Mac) -> None:
    """What was removed is said, and a second time there is nothing."""
    mac.write(mac.instance / "ha.pid", "7\n", BEFORE)
    hands = mac.hands()

    assert "removed ha.pid" == await hands.remove_stale_files()
    assert "nothing is proven stale" == await hands.remove_stale_files()


async def test_without_a_boot_time_nothing_is_removed(mac: Mac) -> None:
    """Staleness that cannot be proved is no staleness."""
    file = mac.write(mac.instance / "ha.pid", "7\n", BEFORE)
    mac.host.fault = CannotLook("boot time", "line 'btime' not found")

    with pytest.raises(ActFailed, match="line 'btime' not found"):
        await mac.hands().remove_stale_files()

    assert file.exists()

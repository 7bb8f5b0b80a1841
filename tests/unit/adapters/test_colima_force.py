"""The power cut and its three rungs."""

import sys
from dataclasses import replace

import pytest

from healer.ports import ActFailed, CannotLook
from tests.unit.adapters.colima_mac import ACT, BEFORE, QUICK, Mac

COLIMA = "colima -p default stop --force"
LIMACTL = "limactl stop --force colima"

LIVES = """
status=Stopped
{python} -c '
import psutil, sys
pid = int(sys.argv[1])
sys.exit(not psutil.pid_exists(pid) or psutil.Process(pid).status() == "zombie")
' "$(cat {pid})" && status=Running
echo '{{"name":"default","status":"'$status'"}}'
"""


async def test_colima_does_it(mac: Mac) -> None:
    """The first rung suffices when list then says Stopped."""
    mac.lists("Broken", "Stopped")
    mac.script("colima-stop", "exit 0")

    said = await mac.hands().force_stop(ACT)

    assert f"{COLIMA}: exit 0, list says Stopped" == said
    assert [COLIMA] == mac.calls()
    assert [f"{COLIMA} (at most 10 s)"] == mac.progress


async def test_a_colima_that_asks_the_hung_guest_is_passed_by(mac: Mac) -> None:
    """0.10.2 and 0.10.3 hang even with --force; limactl never asks (facts/colima.md §1.6)."""
    mac.script("colima-stop", "exec sleep 600")
    mac.script("limactl-stop", f"touch {mac.home}/stopped")
    mac.script(
        "colima-list",
        f"[ -e {mac.home}/stopped ] && status=Stopped || status=Running\n"
        """echo '{"name":"default","status":"'$status'"}'""",
    )

    said = await mac.hands(replace(QUICK, force=1.0)).force_stop(ACT)

    assert f"{LIMACTL}: exit 0, list says Stopped" == said
    assert [COLIMA, LIMACTL] == mac.calls()


async def test_the_last_rung_kills_the_identified_hostagent(mac: Mac) -> None:
    """When both commands did nothing, and only with `limactl hostagent … colima` in ha.pid."""
    pid = mac.run_hostagent()
    for tool in ("colima", "limactl"):
        mac.script(f"{tool}-stop", "echo 'level=fatal msg=no' >&2; exit 1")
    mac.script("colima-list", LIVES.format(pid=mac.instance / "ha.pid", python=sys.executable))

    said = await mac.hands().force_stop(ACT)

    assert f"SIGKILL to the hostagent, pid {pid}, list says Stopped" == said
    assert -9 == mac.processes[0].wait()
    assert [COLIMA, LIMACTL] == mac.calls()


async def test_every_rung_without_effect_is_told(mac: Mac) -> None:
    """A VM that will not go is a human's, with all that was tried."""
    mac.lists("Broken")
    mac.script("colima-stop", "echo 'level=fatal msg=no' >&2; exit 1")
    mac.script("limactl-stop", "exit 0")

    with pytest.raises(ActFailed) as caught:
        await mac.hands().force_stop(ACT)

    expected = f"{COLIMA}: exit 1, no; {LIMACTL}: exit 0; ha.pid names no hostagent (pid None)"
    assert expected == caught.value.detail
    assert 3 * QUICK.settle == mac.clock.now()


async def test_a_number_that_changed_hands_meanwhile_is_not_killed(mac: Mac) -> None:
    """Who owns it is asked again just before the SIGKILL."""
    stranger = mac.run_process("/usr/libexec/sirittsd")
    mac.lists("Broken")
    mac.script("colima-stop", f"echo {stranger} > {mac.instance}/ha.pid")
    mac.script("limactl-stop", "exit 0")

    with pytest.raises(ActFailed, match=rf"ha.pid names no hostagent \(pid {stranger}\)"):
        await mac.hands().force_stop(ACT)

    assert mac.processes[0].poll() is None


@pytest.mark.parametrize("name", ["ha.pid", "vz.pid"])
async def test_a_stranger_with_the_number_is_never_hit(name: str, mac: Mac) -> None:
    """Lima would SIGKILL whoever owns the number now, so nothing is run at all."""
    pid = mac.run_process("/usr/libexec/sirittsd")
    mac.write(mac.instance / name, f"{pid}\n", BEFORE)

    with pytest.raises(ActFailed, match=rf"{name} names pid {pid}, which is `/usr/libexec/siri"):
        await mac.hands().force_stop(ACT)

    assert [] == mac.calls()
    assert mac.processes[0].poll() is None


async def test_a_stranger_behind_usernets_number_is_never_hit(mac: Mac) -> None:
    """`stop --force` ends usernet by its pid file too."""
    pid = mac.run_process("/usr/libexec/sirittsd")
    mac.write(mac.usernet_pid, f"{pid}\n", BEFORE)

    with pytest.raises(ActFailed, match=r"usernet_user-v2\.pid names"):
        await mac.hands().force_stop(ACT)

    assert [] == mac.calls()


async def test_another_towers_usernet_is_never_hit(mac: Mac) -> None:
    """A stale pid file may name the one that serves another Lima root."""
    pid = mac.run_process("/opt/bin/limactl usernet -p /x/usernet_user-v2.pid -e x")
    mac.write(mac.usernet_pid, f"{pid}\n", BEFORE)

    with pytest.raises(ActFailed, match=r"usernet_user-v2\.pid names"):
        await mac.hands().force_stop(ACT)

    assert [] == mac.calls()


async def test_limas_own_processes_are_no_strangers(mac: Mac) -> None:
    """Hostagent, a driver of its own, and usernet."""
    mac.run_hostagent()
    qemu = mac.run_process(f"/usr/bin/qemu-system-aarch64 -drive file={mac.instance}/disk")
    usernet = mac.run_process(f"/opt/bin/limactl usernet -p {mac.usernet_pid} -e x")
    mac.write(mac.instance / "qemu.pid", f"{qemu}\n")
    mac.write(mac.usernet_pid, f"{usernet}\n")
    mac.lists("Stopped")
    mac.script("colima-stop", "exit 0")

    await mac.hands().force_stop(ACT)

    assert [COLIMA] == mac.calls()


async def test_without_a_process_list_nothing_is_forced(mac: Mac) -> None:
    """Who owns the numbers cannot be told, so nobody is hit."""
    mac.host.fault = CannotLook("process table", "denied")

    with pytest.raises(ActFailed, match="process table: denied"):
        await mac.hands().force_stop(ACT)

    assert [] == mac.calls()

"""What every way of asking the VM promises (ports.GuestEyes), checked against a real sshd."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Final, Protocol

import pytest

from healer.adapters.guest_script import Question
from healer.ports import CannotLook, Denied, GuestEyes, PortError, TargetIll
from tests.unit.adapters.ssh_door import free_port

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from tests.unit.adapters.ssh_door import Door

ENDS_WITHIN: Final = 60.0
"""Seconds: above every deadline of a look, so that a hang is seen as one."""


class Way(Protocol):
    """One implementation, made for a door and ended with its test."""

    def __call__(self, door: Door, port: int | None, question: Question) -> GuestEyes:
        """Eyes on the VM whose hostagent names that port."""
        ...


async def failure(call: Awaitable[object]) -> PortError:
    """What it raised, in time."""
    with pytest.raises(PortError) as caught:
        await asyncio.wait_for(call, ENDS_WITHIN)
    return caught.value


def eyes(way: Way, door: Door, *ports: int) -> GuestEyes:
    """On a VM whose hostagent tells the truth."""
    return way(door, door.port, Question("talos", 6443, ports))


def at(way: Way, door: Door, port: int | None) -> GuestEyes:
    """On a VM whose hostagent names that port."""
    return way(door, port, Question("talos"))


async def the_banner_is_sshd_s_own(way: Way, door: Door) -> None:
    """A living sshd introduces itself."""
    assert (await eyes(way, door).banner()).startswith("SSH-2.0-OpenSSH")


async def one_question_tells_everything(way: Way, door: Door) -> None:
    """Engine, container, API, kernel, ports and clock are of this very moment."""
    before, closed = time.time(), free_port()
    facts = await eyes(way, door, door.port, closed).facts()
    assert (True, True, True) == (facts.engine_answers, facts.api_answers, facts.bridge_netfilter)
    assert ("running", 55_001) == (facts.container_status, facts.api_port)
    assert frozenset({door.port}) == facts.open_ports
    assert not facts.persisted
    assert before - 1 <= facts.clock <= time.time() + 1
    assert before <= facts.asked_at <= time.time()


async def each_question_is_answered_anew(way: Way, door: Door) -> None:
    """What has changed between two questions is in the second answer."""
    guest = eyes(way, door)
    await guest.facts()
    (door.guest / "bridge").unlink()
    door.play("docker", "echo exited - 10.5.0.2")
    facts = await guest.facts()
    assert ("exited", None, False) == (
        facts.container_status,
        facts.api_port,
        facts.bridge_netfilter,
    )


async def a_hung_inspect_leaves_the_engine_alive(way: Way, door: Door) -> None:
    """A container's lock that hangs `inspect` for everyone must not silence the whole VM."""
    door.play("timeout", 'shift; [ "$1" = docker ] && exit 124; exec "$@"')
    door.play("docker", "exec tail -f /dev/null")
    facts = await eyes(way, door).facts()
    assert (True, "", None) == (facts.engine_answers, facts.container_status, facts.api_answers)


async def a_dead_engine_is_told_from_a_dead_vm(way: Way, door: Door) -> None:
    """The VM answers, and says that its engine does not."""
    door.play("curl", "exit 28")
    assert not (await eyes(way, door).facts()).engine_answers


async def an_engine_asleep_is_not_touched(way: Way, door: Door) -> None:
    """systemd would start it at the first connect, so nobody connects, as root or not."""
    door.play(
        "systemctl",
        "printf 'ActiveState=inactive\\nResult=success\\n"
        "InactiveEnterTimestampMonotonic=1000000\\n\\nActiveState=active\\nResult=success\\n'",
    )
    for tool in ("curl", "docker"):
        door.play(tool, f"echo touched >> {door.guest}/touched; echo OK")
    facts = await eyes(way, door).facts()
    assert (True, True, False) == (
        facts.docker.sleeps,
        facts.docker.stopped,
        facts.engine_answers,
    )
    assert facts.docker.inactive_for is not None
    assert not (door.guest / "touched").exists()


async def an_engine_whose_socket_is_down_too_is_asked(way: Way, door: Door) -> None:
    """Nothing would start it: a refusal is an answer."""
    door.play(
        "systemctl",
        "printf 'ActiveState=failed\\nResult=signal\\n\\nActiveState=failed\\n'",
    )
    facts = await eyes(way, door).facts()
    assert (False, True) == (facts.docker.sleeps, facts.engine_answers)


async def each_disk_is_told_by_what_lies_on_it(way: Way, door: Door) -> None:
    """Docker's own disk may be full while the root's has room."""
    door.play(
        "df",
        'shift; echo "Filesystem 1024-blocks Used Available Capacity Mounted on"\n'
        'for one; do case $one in /) echo "/dev/vda1 9 1 8 5% /" ;;\n'
        '*) echo "/dev/vdb1 9 9 0 98% $one" ;; esac; done',
    )
    first, *rest = (await eyes(way, door).facts()).disks
    assert ("/dev/vda1", 0.05, ("/",)) == (first.device, first.used, first.paths)
    assert all(("/dev/vdb1", 0.98) == (one.device, one.used) for one in rest)


async def a_talkative_rc_file_changes_nothing(way: Way, door: Door) -> None:
    """Words before the answer, even without an end of line, are no part of it."""
    door.before_shell("printf 'Welcome!\\nuptime=soon\\nLast login: '")
    facts = await eyes(way, door).facts()
    assert facts.engine_answers


async def a_cut_answer_is_no_dead_engine(way: Way, door: Door) -> None:
    """A shell that dies half-way has told nothing about the engine."""
    door.play("sh", r"printf 'uptime=5\nclock=7\nbridge=1\nvxlan=1\n'; exit 137")
    said = await failure(eyes(way, door).facts())
    assert TargetIll is type(said)
    assert "answered nonsense" in said.detail


async def a_flood_is_no_answer(way: Way, door: Door) -> None:
    """A far end that talks without end is ill, and its words are not kept."""
    door.play("sh", "yes healer | head -c 3000000")
    assert isinstance(await failure(eyes(way, door).facts()), TargetIll)


async def a_vm_without_a_shell_cannot_be_looked_into(way: Way, door: Door) -> None:
    """What runs nothing says nothing of the engine."""
    door.play("sh", "echo no such program >&2; exit 127")
    assert CannotLook is type(await failure(eyes(way, door).facts()))


async def a_closed_port_is_ill_in_the_kernel_s_words(way: Way, door: Door) -> None:
    """Nobody listens."""
    port = free_port()
    for call in (at(way, door, port).banner, at(way, door, port).facts):
        said = await failure(call())
        assert TargetIll is type(said)
        assert "refused" in said.detail


async def a_port_that_nobody_knows_is_not_asked(way: Way, door: Door) -> None:
    """A cached port could be a stranger's: who was not asked is not dead."""
    said = await failure(at(way, door, None).facts())
    assert CannotLook is type(said)
    assert "names no ssh port" in said.detail


async def a_refused_key_is_no_dead_vm(way: Way, door: Door) -> None:
    """Somebody alive refused us: authentication is not life."""
    door.configure(door.port, key="host")
    assert Denied is type(await failure(eyes(way, door).facts()))


async def a_broken_configuration_is_ours(way: Way, door: Door) -> None:
    """An ssh that never set out says nothing about the VM."""
    door.paths.ssh_config.write_text("Nonsense yes\n", "utf-8")
    assert CannotLook is type(await failure(eyes(way, door).facts()))


async def without_a_vm_nothing_is_ill(way: Way, door: Door) -> None:
    """No ssh.config: the VM was never made, which is not its illness."""
    door.paths.ssh_config.unlink()
    for call in (eyes(way, door).banner, eyes(way, door).facts):
        said = await failure(call())
        assert CannotLook is type(said)
        assert str(door.paths.ssh_config) in said.detail


async def nobody_becomes_the_master(way: Way, door: Door) -> None:
    """Becoming Lima's master by looking would take every forward along at the end (§3)."""
    await eyes(way, door).facts()
    assert not (door.paths.instance / "ssh.sock").exists()


CHECKS: Sequence[Callable[[Way, Door], Awaitable[None]]] = (
    the_banner_is_sshd_s_own,
    one_question_tells_everything,
    each_question_is_answered_anew,
    a_hung_inspect_leaves_the_engine_alive,
    a_dead_engine_is_told_from_a_dead_vm,
    an_engine_asleep_is_not_touched,
    an_engine_whose_socket_is_down_too_is_asked,
    each_disk_is_told_by_what_lies_on_it,
    a_talkative_rc_file_changes_nothing,
    a_cut_answer_is_no_dead_engine,
    a_flood_is_no_answer,
    a_vm_without_a_shell_cannot_be_looked_into,
    a_closed_port_is_ill_in_the_kernel_s_words,
    a_port_that_nobody_knows_is_not_asked,
    a_refused_key_is_no_dead_vm,
    a_broken_configuration_is_ours,
    without_a_vm_nothing_is_ill,
    nobody_becomes_the_master,
)

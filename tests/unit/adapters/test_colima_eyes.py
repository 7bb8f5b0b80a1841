"""The eyes on Colima, over true files, processes and sockets."""

import asyncio
import json
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NoReturn

import anyio
import pytest

from healer.adapters.colima_commands import parse_list, plain
from healer.adapters.colima_files import configured_ssh_port
from healer.adapters.colima_info import Info, ask_usernet, hostagent_info
from healer.model.machine import (
    ColimaPaths,
    Forwarder,
    Hostagent,
    ProcessInfo,
    VmStatus,
    known_ssh_port,
)
from healer.ports import CannotLook, TargetIll, TargetSilent
from tests.unit.adapters.colima_mac import AFTER, BEFORE, NOW, Mac
from tests.unit.adapters.helpers import open_files

RECORDINGS = Path(__file__).parents[2] / "recordings" / "colima"

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def reply(body: bytes, status: str = "200 OK") -> Serve:
    """Answer as Go's HTTP server does."""
    head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    return raw(head + body)


def raw(data: bytes) -> Serve:
    """Say just these bytes."""

    async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(data)
        await writer.drain()

    return serve


@asynccontextmanager
async def hostagent_socket(path: Path, serve: Serve) -> AsyncIterator[None]:
    """A listener on ha.sock that reads the request's head and then serves."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            await serve(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the client has seen enough
        finally:
            writer.close()

    server = await asyncio.start_unix_server(handle, path)
    async with server:
        yield


async def silence(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    """Accept and never answer, until the other side goes."""
    await reader.read()


async def test_the_socket_tells_the_true_ssh_port(short_folder: Path) -> None:
    """`GET /v1/info` on ha.sock is the only truth about the port (facts/colima.md §3)."""
    async with hostagent_socket(short_folder / "ha.sock", reply(b'{"sshLocalPort":41419}')):
        found = await hostagent_info(short_folder / "ha.sock")

    assert Info(41419) == found


@pytest.mark.parametrize("body", [b"{}", b'{"sshLocalPort":0}', b'{"sshLocalPort":"x"}'])
async def test_a_hostagent_may_not_know_its_port_yet(body: bytes, short_folder: Path) -> None:
    """It answers, and that is a sign of its life."""
    async with hostagent_socket(short_folder / "ha.sock", reply(body)):
        assert Info(None) == await hostagent_info(short_folder / "ha.sock")


@pytest.mark.parametrize(
    "serve",
    [
        silence,
        reply(b"{}", "500 Internal Server Error"),
        reply(b"[]"),
        reply(b"not json"),
        reply(b"\xff\xff"),
        raw(b"SSH-2.0-OpenSSH_9.6\r\n"),
        raw(b""),
        raw(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"),
    ],
)
async def test_everything_else_is_no_answer(serve: Serve, short_folder: Path) -> None:
    """Silent, endless, wrong or torn: bounded in time and memory, and nothing stays open."""
    async with hostagent_socket(short_folder / "ha.sock", serve):
        before = open_files()
        assert await hostagent_info(short_folder / "ha.sock", 1.0) is None
        await anyio.wait_all_tasks_blocked()
        after = open_files()

    assert set() == {one for one in after - before if "socket" not in one}


async def test_a_torrent_is_cut_off(short_folder: Path) -> None:
    """Of a hundred megabytes only a beginning is taken."""
    taken = 0

    async def torrent(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal taken
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 104857600\r\n\r\n")
        while taken < 100 << 20:
            writer.write(b" " * (1 << 16))
            await writer.drain()
            taken += 1 << 16

    async with hostagent_socket(short_folder / "ha.sock", torrent):
        assert await hostagent_info(short_folder / "ha.sock", 60.0) is None

    assert taken < 10 << 20


async def test_a_dead_socket_is_no_answer(short_folder: Path) -> None:
    """Refused, absent and not even a socket are the same: nobody answers."""
    dead = short_folder / "ha.sock"
    assert await hostagent_info(dead) is None
    async with hostagent_socket(dead, silence):
        pass
    if not dead.exists():
        dead.write_text("", encoding="utf-8")
    assert await hostagent_info(dead) is None


async def test_a_vm_that_was_never_made(mac: Mac) -> None:
    """Nothing is there, and nothing is guessed."""
    assert Hostagent(created=False) == await mac.eyes().hostagent()


async def test_a_running_vm(mac: Mac) -> None:
    """Process, identity, answer, port and READY, and no word of having stopped."""
    mac.create()
    pid = mac.run_hostagent()
    mac.write(mac.instance / "ha.stdout.log", '{"status":{"running":true}}\n', AFTER)
    async with hostagent_socket(mac.instance / "ha.sock", reply(b'{"sshLocalPort":41419}')):
        found = await mac.eyes().hostagent()

    expected = Hostagent(
        created=True,
        pid=pid,
        pid_alive=True,
        pid_is_ours=True,
        answers=True,
        ssh_port=41419,
        ready=True,
        leftovers=("ha.pid", "ha.sock"),
        logged_at=AFTER,
    )
    assert expected == found


async def test_after_a_reboot_a_stranger_may_own_the_number(mac: Mac) -> None:
    """The pid lives and is not ours, the file is older than the boot, nothing answers."""
    mac.create()
    pid = mac.run_process("/usr/libexec/sirittsd colima")
    mac.write(mac.instance / "ha.pid", f"{pid}\n", BEFORE)
    mac.write(mac.instance / "ha.stdout.log", '{"status":{"running":true}}\n', BEFORE)
    mac.write(mac.instance / "ha.sock", "", BEFORE)

    found = await mac.eyes().hostagent()

    assert (True, False, True) == (found.pid_alive, found.pid_is_ours, found.pid_file_stale)
    assert (False, False, BEFORE) == (found.answers, found.ready, found.logged_at)


async def test_a_stop_in_this_boot_is_dated_by_the_logs(mac: Mac) -> None:
    """Not by the folder, which a mere `colima list` touches when it deletes a dead pid file."""
    mac.create()
    mac.write(mac.instance / "ha.stdout.log", "", AFTER)
    mac.write(mac.instance / "ha.stderr.log", "", AFTER + 60)
    os.utime(mac.instance, (NOW, NOW))

    found = await mac.eyes().hostagent()

    assert AFTER + 60 == found.logged_at


async def test_a_hostagent_of_another_profile_is_not_ours(mac: Mac) -> None:
    """The last word of its command line is another instance."""
    mac.run_hostagent("colima-work")

    found = await mac.eyes().hostagent()

    assert (True, False) == (found.pid_alive, found.pid_is_ours)


async def test_a_root_behind_a_link_is_the_same_root(mac: Mac) -> None:
    """Lima writes the resolved path into its command line."""
    mac.run_hostagent()
    real = mac.paths.root
    mac.paths = ColimaPaths(mac.home / "link")
    mac.paths.root.symlink_to(real)

    assert (await mac.eyes().hostagent()).pid_is_ours


async def test_the_lock_of_the_disk_is_seen(mac: Mac) -> None:
    """Reported with its target; whether it is stale is for the probe to say."""
    disk = mac.paths.lima_home / "_disks" / "colima"
    disk.mkdir(parents=True)
    (disk / "in_use_by").symlink_to(mac.instance)

    assert str(mac.instance) == (await mac.eyes().hostagent()).disk_locked_by


@pytest.mark.parametrize("status", [VmStatus.RUNNING, VmStatus.STOPPED, VmStatus.BROKEN])
async def test_status_is_colimas_own_word(status: VmStatus, mac: Mac) -> None:
    """What `colima list --json` says of the profile."""
    mac.create()
    mac.lists(status.value)

    assert status is await mac.eyes().status()


async def test_no_line_means_missing(mac: Mac) -> None:
    """An empty list, or one of others only, while the VM was never made."""
    mac.lists("missing")
    assert VmStatus.MISSING is await mac.eyes().status()
    mac.script("colima-list", """echo '{"name":"work","status":"Running"}'""")
    assert VmStatus.MISSING is await mac.eyes().status()


async def test_a_created_vm_that_is_not_listed_is_a_riddle(mac: Mac) -> None:
    """colima then looks into another folder than we do, and says nothing of our VM."""
    mac.create()
    mac.lists("missing")

    with pytest.raises(CannotLook, match=r"does not show .*lima\.yaml"):
        await mac.eyes().status()


async def test_colima_is_told_which_vm_is_meant(mac: Mac) -> None:
    """Both roots are passed, and somebody's COLIMA_PROFILE is not."""
    mac.script(
        "colima-list",
        f'echo "$COLIMA_HOME $LIMA_HOME $HOME ${{COLIMA_PROFILE-unset}}" > {mac.home}/seen',
    )

    await mac.eyes().status()

    expected = f"{mac.paths.root} {mac.paths.lima_home} {mac.home} unset\n"
    assert expected == (mac.home / "seen").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("words", "script"),
    [
        (
            "executable file not found in \\$PATH",
            """echo 'level=fatal msg="exec: \\"limactl\\": executable file not found in $PATH"' >&2
            exit 1""".replace("$PATH", r"\$PATH"),
        ),
        ("exit 1: error retrieving instances", "echo error retrieving instances >&2; exit 1"),
        ("not understood", "echo PROFILE STATUS ARCH"),
        ("not understood", "echo '[]'; echo 7"),
        ("unknown status 'Melted'", """echo '{"name":"default","status":"Melted"}'"""),
        ("unknown status ''", """echo '{"name":"default"}'"""),
        ("unknown status 7", """echo '{"name":"default","status":7}'"""),
    ],
)
async def test_what_is_not_a_status_is_no_evidence(words: str, script: str, mac: Mac) -> None:
    """A failing or babbling colima says nothing of the VM; its words are kept."""
    mac.script("colima-list", script)

    with pytest.raises(CannotLook, match=words):
        await mac.eyes().status()


async def test_a_list_that_hangs_with_its_guest_is_asked_of_lima(mac: Mac) -> None:
    """With network.address on colima asks the guest; Lima's own list does not (§1.4)."""
    mac.create()
    mac.script("colima-list", "sleep 600")
    mac.script("limactl-list", """echo '{"name":"colima","status":"Running"}'""")

    assert VmStatus.RUNNING is await mac.eyes(list_deadline=1.0).status()


async def test_when_lima_hangs_too_the_silence_is_told(mac: Mac) -> None:
    """Silence is evidence, and bounded."""
    for tool in ("colima", "limactl"):
        mac.script(f"{tool}-list", "sleep 600")

    with pytest.raises(TargetSilent, match="limactl list --json"):
        await mac.eyes(list_deadline=0.5).status()


async def test_without_colima_nothing_is_known(mac: Mac) -> None:
    """A tool that launchd's PATH hides says nothing of the VM."""
    (mac.home / "bin" / "colima").unlink()

    with pytest.raises(CannotLook, match="colima: not found on PATH"):
        await mac.eyes().status()


@pytest.mark.parametrize("file", sorted(RECORDINGS.glob("*.json")), ids=lambda path: path.stem)
def test_recorded_lists_are_understood(file: Path) -> None:
    """Colima's and Lima's recorded answers agree on the status, whichever is asked."""
    runs = json.loads(file.read_text(encoding="utf-8"))
    ours = [run["stdout"] for run in runs if run["command"].startswith("colima list --json")]
    limas = [run["stdout"] for run in runs if run["command"].startswith("limactl list")]

    said = {parse_list(text, "default") for text in ours}

    assert said <= {VmStatus.RUNNING, VmStatus.STOPPED}
    assert {parse_list(text, "colima") for text in limas} <= said


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("done", 'time="2026-11-23T09:26:16Z" level=info msg=done'),
        ("vm: starting ...", 'time="x" level=info msg="starting ..." context=vm'),
        ('instance "colima"', r'time="x" level=info msg="instance \"colima\""'),
        ("plain words", "  plain words "),
    ],
)
def test_a_person_is_told_the_message_only(text: str, line: str) -> None:
    """Without logrus' time and level."""
    assert text == plain(line)


def test_eyes_know_the_forwarder(mac: Mac) -> None:
    """Read from the saved profile."""
    mac.write(mac.paths.profile_folder / "colima.yaml", "portForwarder: grpc\n")

    assert Forwarder.GRPC is mac.eyes().forwarder()


async def test_a_hostagent_is_looked_up_once_in_its_life(mac: Mac) -> None:
    """A process list is dear; the end of a known process is seen without one."""
    mac.create()
    pid = mac.run_hostagent()
    mac.write(mac.instance / "vz.pid", f"{pid}\n")
    eyes = mac.eyes()
    first = await eyes.hostagent()
    asked = mac.host.asked
    again = await eyes.hostagent()
    assert (True, True) == (first.pid_is_ours, again.pid_is_ours)
    assert asked == mac.host.asked
    mac.end()

    gone = await eyes.hostagent()
    assert (False, False) == (gone.pid_alive, gone.pid_is_ours)
    assert asked < mac.host.asked


async def test_a_stranger_is_looked_up_each_time(mac: Mac) -> None:
    """A process that is not ours now may become so: limactl is started before it is a hostagent."""
    mac.create()
    pid = mac.run_process("/opt/bin/limactl")
    mac.write(mac.instance / "ha.pid", f"{pid}\n")
    eyes = mac.eyes()
    assert not (await eyes.hostagent()).pid_is_ours
    line = f"/opt/bin/limactl hostagent --pidfile {mac.instance}/ha.pid colima"
    mac.host.table = [ProcessInfo(pid, 1, os.getuid(), 7.0, line)]

    assert (await eyes.hostagent()).pid_is_ours


QEMU = "qemu-system-aarch64 -m 8192 -pidfile {instance}/qemu.pid"


@pytest.mark.parametrize(
    ("command", "file", "lives"),
    [
        (QEMU, "", True),
        (QEMU, "qemu.pid", True),
        ("krunkit --restful-uri unix://{instance}/krunkit.sock", "krunkit.pid", True),
        ("/opt/bin/limactl hostagent --pidfile {instance}/ha.pid colima", "vz.pid", True),
        ("/opt/bin/limactl hostagent --pidfile {instance}/ha.pid colima", "", False),
        ("qemu-system-aarch64 -pidfile /Users/else/.lima/colima/qemu.pid", "", False),
        ("vi {instance}/qemu.pid", "qemu.pid", False),
    ],
)
async def test_a_driver_outlives_its_hostagent(
    command: str,
    file: str,
    lives: bool,  # noqa: FBT001  (a table's column)
    mac: Mac,
) -> None:
    """By its own process, whatever became of ha.sock; with vz the hostagent's process is both."""
    mac.create()
    pid = mac.run_process(command.format(instance=mac.instance))
    if file:
        mac.write(mac.instance / file, f"{pid}\n")
    assert lives is (await mac.eyes().hostagent()).driver_alive
    mac.end()

    assert (await mac.eyes().hostagent()).driver_alive is False


async def test_an_unseen_process_list_tells_nothing_of_the_driver(
    mac: Mac, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither alive nor dead."""
    mac.create()

    async def denied() -> NoReturn:
        raise CannotLook("process table", "denied")

    monkeypatch.setattr(mac.host, "processes", denied)

    assert (await mac.eyes().hostagent()).driver_alive is None


LEASES = b'{"192.168.5.1":"5a:94:ef:e4:0c:dd"}'


async def test_usernet_answers_for_itself(short_folder: Path) -> None:
    """Its leases are in its own memory: no guest is needed for the answer."""
    async with hostagent_socket(short_folder / "ep.sock", reply(LEASES)):
        await ask_usernet(short_folder / "ep.sock")
    async with hostagent_socket(short_folder / "ep.sock", reply(b"", "404 Not Found")):
        await ask_usernet(short_folder / "ep.sock")


@pytest.mark.parametrize(
    ("serve", "kind"),
    [(silence, TargetSilent), (raw(b"SSH-2.0-x\r\n"), TargetIll), (raw(b""), TargetIll)],
)
async def test_a_usernet_that_says_nothing_of_its_own_is_dead(
    serve: Serve, kind: type[Exception], short_folder: Path
) -> None:
    """Silent, torn or another protocol."""
    async with hostagent_socket(short_folder / "ep.sock", serve):
        with pytest.raises(kind) as caught:
            await ask_usernet(short_folder / "ep.sock", 0.5)
    assert kind is type(caught.value)


async def test_a_usernet_that_was_killed_refuses_and_one_that_is_absent_is_not_asked(
    short_folder: Path,
) -> None:
    """A kill leaves the socket's file; a clean end, or another network, leaves none."""
    path = short_folder / "ep.sock"
    with pytest.raises(CannotLook):
        await ask_usernet(path)
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))

    with pytest.raises(TargetIll, match="refused"):
        await ask_usernet(path)


@pytest.mark.parametrize(
    ("config", "port"),
    [
        ("Host lima-colima\n  Hostname 127.0.0.1\n  Port 41419\n", 41419),
        ("Host lima-colima\n  Port 0\n", None),
        ("Host lima-colima\n  Port 99999\n", None),
        ("Host lima-colima\n  Port x\n  #Port 22\n", None),
        ("", None),
        (None, None),
    ],
)
def test_the_port_of_ssh_config(config: str | None, port: int | None, mac: Mac) -> None:
    """As each start of a hostagent writes it."""
    if config is not None:
        mac.write(mac.paths.ssh_config, config)

    assert port == configured_ssh_port(mac.paths)


@pytest.mark.parametrize(
    ("told", "lives", "known"),
    [(5, True, 5), (5, False, 5), (None, True, 7), (None, False, None)],
)
def test_ssh_config_is_right_while_its_vm_lives(
    told: int | None,
    lives: bool,  # noqa: FBT001  (a table's column)
    known: int | None,
) -> None:
    """The hostagent's own word comes first; of a VM that ended the file may name a stranger."""
    assert known == known_ssh_port(told, 7, driver_alive=lives)

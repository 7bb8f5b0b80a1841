"""Checks of `healer doctor --prove` that any process of the user can run.

Each asks the real system, takes back whatever it changes, and says what it saw.
"""

import os
import plistlib
import pwd
import re
import socket
import stat
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from enum import IntEnum
from pathlib import Path
from typing import Final

import anyio

from healer.adapters import colima_files as files
from healer.adapters.launchctl import LOOK, Launchctl
from healer.adapters.process import ProcessRunner
from healer.adapters.process_hold import Hold
from healer.adapters.process_table import ProcessTable, limit_of, listening_ports
from healer.model.launch_agent import LABEL
from healer.model.launchd import Domain
from healer.model.machine import ColimaPaths, ProcessInfo
from healer.model.proof import Proof, failed, not_a_mac, proved, unproven
from healer.ports import ActFailed, PortError

TRIAL: Final = f"{LABEL}.proof"
"""Label of the throw-away job."""
_STARTS: Final = 15.0
"""Seconds for launchd to run a job; it holds back one that ran within the last ten."""
_ENDS: Final = 5.0
"""Seconds for the end of a killed child to be seen; kernels take microseconds."""
_CALL: Final = 10.0
_ISSUE: Final = "paste this into an issue"
_DAEMON: Final = "start the daemon: healer install"
_MAC: Final = "run it on the Mac"
_START_VM: Final = "start the VM, then run this again"
_MASTER: Final = re.compile(r"Master running \(pid=(\d+)\)")
_CELLAR: Final = "Cellar"
"""Homebrew's folder of versions; `brew upgrade` removes the old one."""


async def throwaway_job(launchctl: Launchctl | None, domain: Domain) -> Proof:
    """A job of its own is bootstrapped, runs to its end and leaves again."""
    if launchctl is None:
        return not_a_mac()
    target = domain.target(TRIAL)
    with _trial_plist() as plist:
        try:
            if not await launchctl.exists(domain):
                words = f"there is no domain {domain} now"
                return unproven(words, "log in at the screen, or: sudo healer doctor --prove")
            try:
                await launchctl.bootstrap(str(domain), TRIAL, plist)
                how = await _ran(launchctl, target)
            finally:
                with anyio.CancelScope(shield=True):
                    await launchctl.bootout(target)
        except ActFailed as error:
            return failed(str(error), "paste this into an issue; healer install would fail too")
        except PortError as error:
            return unproven(str(error), f"launchctl print {domain}")
    if how != "0":
        return failed(f"{target} ended with {how or 'no exit code'}", _ISSUE)
    return proved(f"{target} was loaded, ran, ended with 0 and is gone")


@contextmanager
def _trial_plist() -> Iterator[Path]:
    job = {"Label": TRIAL, "ProgramArguments": ["/usr/bin/true"], "RunAtLoad": True}
    with tempfile.TemporaryDirectory(prefix="healer-proof-") as folder:
        plist = Path(folder).resolve() / f"{TRIAL}.plist"
        plist.write_bytes(plistlib.dumps(job))
        yield plist


async def _ran(launchctl: Launchctl, target: str) -> str:
    """How it ended; '' when it had not ended in time."""
    with anyio.move_on_after(_STARTS):
        while True:
            job = await launchctl.job(target)
            if job is not None and not job.running and job.last_exit[:1].isalnum():
                return job.last_exit
            await anyio.sleep(LOOK)
    return ""


async def processes(paths: ColimaPaths) -> Proof:
    """The process table shows a listener of our own, the hostagent and Lima's ssh master."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        ports = await listening_ports((os.getpid(),))
        if server.getsockname()[1] not in ports:
            words = f"our own listener is not seen; seen are {sorted(ports) or 'none'}"
            return failed(words, _ISSUE)
    noted, ours, table = (
        files.read_pid(paths.instance / "ha.pid"),
        files.ours(paths),
        await _table(),
    )
    agent = table.get(noted or 0)
    if agent is None:
        return unproven("our own listener is seen; no hostagent runs", _START_VM)
    if not ours.is_hostagent(agent):
        shown = agent.command.partition(" ")[0]
        return failed(f"pid {noted} of ha.pid shows {shown}, not our hostagent", _ISSUE)
    master = mux_of(paths, table)
    if master is None:
        return unproven(f"our own listener and hostagent {noted} are seen; no mux", _START_VM)
    return proved(f"our own listener, hostagent {noted} and mux {master} are seen")


async def limits_of(paths: ColimaPaths) -> dict[str, int | None]:
    """Open files that mux and hostagent may have; None = not there, or not shown here."""
    ours, table = files.ours(paths), await _table()
    agent = next((one.pid for one in table.values() if ours.is_hostagent(one)), None)
    found = {"mux": mux_of(paths, table), "hostagent": agent}
    return {name: None if pid is None else limit_of(pid) for name, pid in found.items()}


async def _table() -> Mapping[int, ProcessInfo]:
    return {one.pid: one for one in await ProcessTable().read()}


def mux_of(paths: ColimaPaths, table: Mapping[int, ProcessInfo]) -> int | None:
    """Lima's ssh master by its title; the youngest, since orphans stay."""
    ours = files.ours(paths)
    found = [one for one in table.values() if ours.is_mux(one)]
    return min(found, key=lambda one: one.age).pid if found else None


async def mux(runner: ProcessRunner, paths: ColimaPaths, environment: Mapping[str, str]) -> Proof:
    """The master's title is on the process that `ssh -O check` names."""
    if not paths.ssh_config.exists():
        return unproven("there is no ssh.config of the VM", _START_VM)
    name = f"lima-{paths.instance_name}"
    argv = ("ssh", "-F", str(paths.ssh_config), "-O", "check", name)
    try:
        done = await runner.run(argv, deadline=_CALL, env=environment)
    except PortError as error:
        return unproven(str(error), _START_VM)
    said = _MASTER.search(done.stderr + done.stdout)
    if said is None:
        return unproven("no master answers ssh -O check", _START_VM)
    named, table = int(said[1]), await _table()
    by_title = mux_of(paths, table)
    if by_title != named:
        shown = table[named].command.partition(" [")[0] if named in table else "nothing"
        words = f"ssh -O check names pid {named}, which shows {shown}"
        return failed(f"{words}; the title is on {by_title or 'no process'}", _ISSUE)
    return proved(f"pid {by_title} has the title that ssh -O check means")


def killed_child(watch: Callable[[int], Hold | None] | None) -> Proof:
    """The end of a killed child is seen; `watch` None: this system has no kqueue."""
    if watch is None:
        return not_a_mac()
    child = subprocess.Popen(
        ["/bin/sleep", "60"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        held = watch(child.pid)
        if held is None or not held.lives():
            return failed("a living child is not held", _ISSUE)
        child.kill()
        child.wait(_ENDS)
        if held.lives():
            return failed("the end of a killed child was not seen", _ISSUE)
    finally:
        child.kill()
        child.wait(_ENDS)
    return proved("a living child was held, and its end was seen when it was killed")


def stranger(control: Path, request: bytes, user: str = "nobody") -> Proof:
    """Another user gets no answer from the control socket."""
    try:
        mode = stat.S_IMODE(control.stat().st_mode)
    except OSError as error:
        return unproven(f"the control socket: {error.strerror}", _DAEMON)
    if mode & 0o077:
        return failed(f"the control socket has mode {mode:o}, not 600", _ISSUE)
    if os.geteuid() != 0:
        words = "its mode is 600; only root can try it as another user"
        return unproven(words, "sudo healer doctor --prove")
    try:
        uid = pwd.getpwnam(user).pw_uid
    except KeyError:
        return unproven(f"there is no user {user}", _ISSUE)
    return {
        _Said.REFUSED: proved(f"uid {uid} was refused"),
        _Said.ANSWERED: failed(f"uid {uid} was answered", _ISSUE),
        _Said.NOTHING: unproven(f"uid {uid} may ask, and nobody answers", _DAEMON),
    }[_asked_by(uid, control, request)]


class _Said(IntEnum):
    """What the other user heard; the exit code of the child that asked."""

    REFUSED = 0
    ANSWERED = 1
    NOTHING = 2


def _asked_by(uid: int, control: Path, request: bytes) -> _Said:
    """Ask as that user, in a child that becomes it.

    A fork and no new program, since that user may not be able to read this interpreter.
    """
    child = os.fork()
    if child == 0:
        os._exit(_ask(uid, control, request))
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    return _Said(code) if code in set(_Said) else _Said.NOTHING


def _ask(uid: int, control: Path, request: bytes) -> _Said:
    """A daemon that says only who may ask has refused, and so has the file's mode."""
    try:
        os.setgroups([])
        os.setuid(uid)
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(_ENDS)
            connection.connect(str(control))
            connection.sendall(request)
            heard = connection.recv(4096)
    except PermissionError:
        return _Said.REFUSED
    except OSError:
        return _Said.NOTHING
    if not heard:
        return _Said.NOTHING
    return _Said.REFUSED if b'"forbidden"' in heard else _Said.ANSWERED


async def interpreter(
    program: Path, runner: ProcessRunner, environment: Mapping[str, str], *, mac: bool
) -> Proof:
    """Its links name no versioned folder that an upgrade removes; its signature is good."""
    real = _real(program)
    if isinstance(real, Proof) or not mac:
        return real if isinstance(real, Proof) else unproven(f"{real}; codesign is macOS'", _MAC)
    argv = ("codesign", "--verify", str(real))
    try:
        done = await runner.run(argv, deadline=_CALL, env=environment)
    except PortError as error:
        return unproven(str(error), f"codesign --verify {real}")
    if done.code:
        words = f"codesign --verify {real}: exit {done.code}: {done.stderr.strip()[:200]}"
        return failed(words, "install this Python anew, then healer install")
    return proved(f"{real}, signed as it was installed")


def _real(program: Path) -> Path | Proof:
    """Where its links end, or why that will not last."""
    if not program.exists():
        return failed(f"{program} is not there", "healer install")
    versioned = _into_the_cellar(program)
    if versioned is not None:
        todo = "make the virtual environment with $(brew --prefix)/bin/python3; healer install"
        return failed(f"{versioned} names a version, which brew upgrade removes", todo)
    return program.resolve()


def _into_the_cellar(program: Path) -> str | None:
    """The first step that names a version; Homebrew renews the links in its own bin and opt."""
    one = program
    while True:
        if _CELLAR in one.parts:
            return str(one)
        if not one.is_symlink():
            return None
        target = one.parent / one.readlink()
        if _CELLAR in target.parts and {"opt", "bin"} & set(one.parts):
            prefix = Path(os.path.normpath(target))
            prefix = Path(*prefix.parts[: prefix.parts.index(_CELLAR)])
            if one.is_relative_to(prefix / "opt") or one.is_relative_to(prefix / "bin"):
                return None
        one = Path(os.path.normpath(target))

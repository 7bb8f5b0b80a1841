"""The VM by a direct ssh of our own, past Lima's mux.

Both Control options are needed: a probe without them may become Lima's master in the
background, and take every forward with it when it is ended (facts/colima.md §3).
"""

import shlex
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final

import anyio

from healer.adapters.connecting import words_of
from healer.adapters.exchange import tcp
from healer.adapters.guest_script import (
    MODULES,
    MODULES_FILE,
    SYSCTL,
    Question,
    is_whole,
    read_answer,
    script,
)
from healer.adapters.process import Completed, ProcessRunner
from healer.model.machine import ColimaPaths, GuestFacts
from healer.ports import ActFailed, CannotLook, Denied, PortError, TargetIll, TargetSilent

CONNECT_SECONDS: Final = 5
OUTER_SECONDS: Final = 12.0
"""facts/colima.md §3, Rules."""
ENGINE_SECONDS: Final = 90.0
"""A restart of docker, facts/colima.md §6, L2."""
_BANNER_BYTES: Final = 255
"""RFC 4253 §4.2: an identification line is no longer."""
SSH_FAILED: Final = 255
"""ssh's own failure, whatever the far end would have said."""
_OURS: Final = ("Bad owner or permissions", "bad configuration option", "Can't open user config")
"""Words of an ssh that never set out: our side's trouble, not the VM's."""


@dataclass(frozen=True, slots=True)
class DirectSsh:
    """How the VM is reached: Lima's own configuration, but none of its sharing."""

    runner: ProcessRunner
    paths: ColimaPaths
    environment: Mapping[str, str]
    port_of: Callable[[], Awaitable[int | None]]
    """Where the VM's sshd is reached, None when nobody knows (`known_ssh_port`)."""

    @property
    def place(self) -> str:
        """How errors name it."""
        return f"ssh lima-{self.paths.instance_name}"

    async def port(self) -> int:
        """Raises CannotLook without a VM, and when its port is not known: nothing was asked."""
        if not self.paths.ssh_config.exists():
            # A VM that was never made is not ill; whether one is wanted is Colima's to say.
            raise CannotLook(self.place, f"{self.paths.ssh_config} does not exist")
        port = await self.port_of()
        if port is None:
            config = self.paths.ssh_config
            lacks = f"the hostagent names no ssh port, and the VM that {config} was written for"
            raise CannotLook(self.place, f"{lacks} has no process")
        return port

    async def run(
        self,
        command: str,
        *,
        stdin: bytes = b"",
        deadline: float,
        whole: Callable[[bytes], bool] | None = None,
    ) -> Completed:
        """Run one already quoted command line there; raises what keeps it from running.

        A session that does not end once its answer is `whole` is not waited for.
        """
        done = await self.runner.run(
            (*self.command(await self.port()), command),
            deadline=deadline,
            env=self.environment,
            stdin=stdin,
            whole=whole,
        )
        if done.code == SSH_FAILED:
            raise refused(self.place, done.stderr)
        return done

    def command(self, port: int) -> tuple[str, ...]:
        """An ssh to that port, to which the far end's command line is added."""
        options = {
            "ControlMaster": "no",
            "ControlPath": "none",
            "ConnectTimeout": str(CONNECT_SECONDS),
            "ServerAliveInterval": "5",
            "ServerAliveCountMax": "2",
            "Port": str(port),
        }
        given = [word for name, value in options.items() for word in ("-o", f"{name}={value}")]
        host = f"lima-{self.paths.instance_name}"
        return ("ssh", "-F", str(self.paths.ssh_config), *given, host)


def refused(place: str, stderr: str) -> PortError:
    """255 is ssh's own failure; a refused key means that somebody alive refused it."""
    words = stderr.strip().splitlines()
    said = words[-1] if words else "ssh ended with 255 and said nothing"
    if "Permission denied" in said or "Host key verification failed" in said:
        return Denied(place, said)
    if any(one in said for one in _OURS):
        return CannotLook(place, said)
    return TargetIll(place, said)


class SshGuest:
    """ports.GuestEyes and ports.GuestHands by direct ssh."""

    def __init__(self, ssh: DirectSsh, question: Question) -> None:
        self._ssh = ssh
        self._question = question

    async def banner(self) -> str:
        """The first line that sshd says; a bare connect would only meet usernet (§2)."""
        place = f"{self._ssh.place} banner"
        port = await self._ssh.port()
        try:
            with anyio.fail_after(CONNECT_SECONDS):
                return await _first_line(port, place)
        except TimeoutError as error:
            raise TargetSilent(place, f"no banner within {CONNECT_SECONDS} s") from error
        except OSError as error:
            raise TargetIll(place, words_of(error)) from error

    async def facts(self) -> GuestFacts:
        """Everything in one round trip."""
        began = time.time()
        command = shlex.join(("sh", "-s", "--", *self._question.arguments))
        done = await self._ssh.run(command, stdin=script(), deadline=OUTER_SECONDS, whole=is_whole)
        if done.code != 0 and not done.stdout:
            raise CannotLook(self._ssh.place, f"the VM's shell said: {done.stderr.strip()[:200]}")
        return read_answer(done.stdout, self._ssh.place, (began + time.time()) / 2)

    async def load_modules(self) -> str:
        """Load both modules and keep them over a reboot; what is there already is left."""
        await self._ask(_load_and_persist(), deadline=OUTER_SECONDS)
        return f"loaded {' and '.join(MODULES)}; kept in {MODULES_FILE}"

    async def restart_engine(self) -> str:
        """Restart docker's unit."""
        await self._ask("sudo -n systemctl restart docker", deadline=ENGINE_SECONDS)
        return "systemctl restart docker: done"

    async def start_engine(self) -> str:
        """Start docker's unit."""
        await self._ask("sudo -n systemctl start docker", deadline=ENGINE_SECONDS)
        return "systemctl start docker: done"

    async def _ask(self, script: str, *, deadline: float) -> None:
        done = await self._ssh.run("sh -s", stdin=script.encode(), deadline=deadline)
        if done.code != 0:
            words = done.stderr.strip() or done.stdout.strip()
            raise ActFailed(self._ssh.place, f"exit {done.code}: {words[-300:]}")


def _load_and_persist() -> str:
    """Written beside and renamed, so that a cut leaves the old file or the new one whole."""
    wanted = shlex.quote("".join(f"{one}\n" for one in MODULES))
    loads = "\n".join(f"sudo -n modprobe {one}" for one in MODULES)
    return f"""set -e
{loads}
if [ "$(cat {MODULES_FILE} 2>/dev/null)" != "$(printf %s {wanted})" ]; then
  printf %s {wanted} | sudo -n tee {MODULES_FILE}.new >/dev/null
  sudo -n mv {MODULES_FILE}.new {MODULES_FILE}
fi
test -e {SYSCTL}
"""


async def _first_line(port: int, place: str) -> str:
    async with tcp(port) as exchange:
        said = await exchange.hear(lambda heard: b"\n" in heard, _BANNER_BYTES)
    line = said.split(b"\n", 1)[0].decode("ascii", "replace").strip()
    if not line.startswith("SSH-2.0-"):
        raise TargetIll(place, f"no ssh banner but {line!r}" if line else "closed without a word")
    return line

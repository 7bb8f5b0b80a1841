"""The VM's facts over one ssh that lives on: a fresh one costs 0.1 CPU-seconds (design §10).

The far end runs the same constant script again for each line it is sent, and ends its answer
with that line, a word that no answer holds. Whatever goes wrong, this ssh is ended and the
question is put once more directly, so that the verdict is the same as without it.
"""

import secrets
import shlex
import time
from typing import Final

import anyio

from healer.adapters.guest_script import Question, read_answer, script
from healer.adapters.resident import Resident
from healer.adapters.ssh import OUTER_SECONDS, DirectSsh, SshGuest
from healer.model.machine import GuestFacts
from healer.ports import PortError

_LARGEST: Final = 64 * 1024
"""Bytes of one answer; a healthy one has one."""
_OLDEST: Final = 6 * 3600.0
"""Seconds after which it is made anew: a keepalive of hours tells nothing of a new login."""
_AGAIN: Final = 30.0
"""Seconds between two of them at the least: a VM whose shell dies is asked directly."""
_LOOP: Final = (
    'facts=$1; shift; while IFS= read -r mark; do sh -c "$facts" healer "$@" </dev/null; '
    "printf '\\n%s\\n' \"$mark\"; done"
)
"""Runs in the VM, as an argument of `sh -c`; the script and its parameters are arguments too."""


class ResidentGuest:
    """ports.GuestEyes over one long ssh, and directly when there is none."""

    def __init__(self, ssh: DirectSsh, question: Question) -> None:
        self._ssh = ssh
        self._question = question
        self._direct = SshGuest(ssh, question)
        self._one: Resident | None = None
        self._port: int | None = None
        self._began = float("-inf")
        self._asking = anyio.Lock()

    async def banner(self) -> str:
        """The `SSH-2.0-…` line of the true port."""
        return await self._direct.banner()

    async def facts(self) -> GuestFacts:
        """Everything, over the long ssh if it lives."""
        async with self._asking:
            one = await self._resident()
            if one is None:
                return await self._direct.facts()
            try:
                return await self._asked(one)
            except (PortError, TimeoutError):
                await self._end()
                return await self._direct.facts()
            except BaseException:
                # An answer that was not waited for would be taken for the next one.
                await self._end()
                raise

    async def close(self) -> None:
        """End it."""
        await self._end()

    async def _asked(self, one: Resident) -> GuestFacts:
        asked, mark = time.time(), f"healer-{secrets.token_hex(8)}".encode()
        with anyio.fail_after(OUTER_SECONDS):
            said = await one.ask(mark, mark)
        middle = (asked + time.time()) / 2
        return read_answer(said.decode("utf-8", "replace"), self._ssh.place, middle)

    async def _resident(self) -> Resident | None:
        """The living one, or a new one; None when it is too early for another."""
        port = await self._ssh.port()
        now = anyio.current_time()
        if self._one is not None and (port != self._port or now - self._began > _OLDEST):
            await self._end()
        if self._one is None and now - self._began >= _AGAIN:
            self._one, self._port, self._began = self._made(port), port, now
        return self._one

    def _made(self, port: int) -> Resident:
        words = ("sh", "-c", _LOOP, "sh", script().decode(), *self._question.arguments)
        argv = (*self._ssh.command(port), shlex.join(words))
        return Resident(argv, self._ssh.environment, _LARGEST)

    async def _end(self) -> None:
        one, self._one = self._one, None
        if one is not None:
            await one.close()

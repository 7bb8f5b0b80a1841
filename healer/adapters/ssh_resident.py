"""The VM's facts over one ssh that lives on: a fresh one costs 0.1 CPU-seconds (design §10).

The far end runs the same constant script again for each line it is sent, and ends its answer
with that line, a word that no answer holds. Whatever goes wrong, this ssh is ended and the
question is put once more directly, so that the verdict is the same as without it.

It ends by itself when the VM does, or the way to it: that is news, long before the next look.
"""

import secrets
import shlex
import time
from collections.abc import Callable
from typing import Final

import anyio

from healer.adapters.guest_script import Question, read_answer, script
from healer.adapters.resident import Gone, Program, Resident
from healer.adapters.ssh import SSH_FAILED, DirectSsh, SshGuest, refused
from healer.core.tower import Layer
from healer.model.machine import GuestFacts
from healer.ports import TargetIll, Wake

ANSWER_SECONDS: Final = 6.0
"""1.6 were seen under emulation (facts/colima.md §8). With the direct question's own 12 after
it, a look still ends within its 20 seconds."""
_LARGEST: Final = 64 * 1024
"""Bytes of one answer, cut in the VM already; a healthy one has less than one thousand."""
_OLDEST: Final = 3600.0
"""Seconds after which it is made anew: a session outlives an sshd that takes no more logins."""
_AGAIN: Final = 30.0
"""Seconds between two of them at the least: a VM whose shell dies is asked directly."""
_LOOP: Final = (
    "facts=$1; shift; while IFS= read -r mark; do "
    f'answer=$(sh -c "$facts" healer "$@" </dev/null | head -c {_LARGEST}); '
    'printf \'%s\\n%s\\n\' "$answer" "$mark"; done'
)
"""Runs in the VM, as an argument of `sh -c`; the script and its parameters are arguments too.
It answers in one piece: word by word it would wake ssh and us twenty times."""


def _unheard() -> None:
    """Nobody listens."""


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
        self._on_end: Callable[[], None] = _unheard

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
            except (TargetIll, TimeoutError) as error:
                await self._end()
                if isinstance(error, Gone) and error.code == SSH_FAILED and not one.answered:
                    # The very same ssh was refused a moment ago.
                    raise refused(self._ssh.place, error.stderr) from error
                return await self._direct.facts()
            except BaseException:
                # An answer that was not waited for would be taken for the next one.
                await self._end()
                raise

    async def close(self) -> None:
        """End it."""
        await self._end()

    def on_end(self, call: Callable[[], None]) -> None:
        """Call this whenever it ends by itself."""
        self._on_end = call

    def _heard_end(self, one: Resident) -> None:
        if one is self._one:
            self._on_end()

    async def _asked(self, one: Resident) -> GuestFacts:
        asked, mark = time.time(), f"healer-{secrets.token_hex(8)}".encode()
        with anyio.fail_after(ANSWER_SECONDS):
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
        return Resident(Program(argv, self._ssh.environment, 2 * _LARGEST), self._heard_end)

    async def _end(self) -> None:
        one, self._one = self._one, None
        if one is not None:
            await one.close()


class ResidentNews:
    """ports.News: the end of the long ssh tells of the end of the VM, or of the way to it."""

    name = "resident ssh"
    layers = frozenset({Layer.COLIMA, Layer.SSH})

    def __init__(self, guest: ResidentGuest) -> None:
        self._guest = guest

    async def listen(self, wake: Wake) -> None:
        """For ever."""
        self._guest.on_end(lambda: wake(self.layers))
        try:
            await anyio.sleep_forever()
        finally:
            self._guest.on_end(_unheard)

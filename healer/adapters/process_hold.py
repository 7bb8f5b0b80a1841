"""Whether a process is still the one that was looked at, without another process list.

A pid says little: it may belong to another process a moment later. A pidfd (Linux) or a kqueue
(macOS) belongs to one process and tells of its end, and costs one system call to ask.
"""

import os
import select
import sys
import weakref
from typing import Protocol


class Hold(Protocol):
    """Stays with one process."""

    pid: int

    def lives(self) -> bool:
        """Whether it has not ended, nor become another program."""
        ...


if sys.platform == "darwin":

    class _Held:
        """An event comes once, so it is kept."""

        def __init__(self, pid: int) -> None:
            self.pid = pid
            self._queue = select.kqueue()
            self._ended = False
            wanted = select.kevent(
                pid,
                select.KQ_FILTER_PROC,
                select.KQ_EV_ADD,
                select.KQ_NOTE_EXIT | select.KQ_NOTE_EXEC,
            )
            self._queue.control([wanted], 0, 0)

        def lives(self) -> bool:
            self._ended = self._ended or bool(self._queue.control(None, 1, 0))
            return not self._ended

else:

    class _Held:
        """Linux 5.3 and later; a zombie has ended."""

        def __init__(self, pid: int) -> None:
            self.pid = pid
            descriptor = os.pidfd_open(pid)
            weakref.finalize(self, os.close, descriptor)
            self._poll = select.poll()
            self._poll.register(descriptor, select.POLLIN)

        def lives(self) -> bool:
            return not self._poll.poll(0)


def hold(pid: int) -> Hold | None:
    """None when there is no such process, or the kernel cannot tell of its end.

    Take it before looking who the process is: what is seen then is true of the held one.
    """
    try:
        return _Held(pid)
    except (OSError, AttributeError):
        # AttributeError: a Python or a kernel without either.
        return None

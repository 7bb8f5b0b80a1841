"""Whether there is a process of a number; which one it is, process_hold and the list can tell."""

import os


def lives(pid: int) -> bool:
    """By a signal that is never sent; a process of another user lives too.

    0 and below name groups, and what no kernel counts to is nobody's number.
    """
    if pid <= 0:
        return False
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True

"""Who is at the other end of a unix socket, as the system itself says it."""

import os
import socket
import struct
import sys
from collections.abc import Sequence
from typing import Final

_LOCAL_PEERCRED: Final = (0, 1)
"""macOS: level SOL_LOCAL and option LOCAL_PEERCRED of <sys/un.h>, unnamed in Python."""
_XUCRED: Final = struct.Struct("=II")
"""The head of `struct xucred` of <sys/ucred.h>: version, then effective uid."""
_XUCRED_SIZE: Final = 76
_UCRED: Final = struct.Struct("=iII")
"""Linux, unix(7): pid, uid, gid."""


def peer_uid(peer: socket.socket) -> int | None:
    """The effective uid of whoever connected; None where the system does not tell."""
    if sys.platform == "darwin":
        uid = uid_of_xucred(peer.getsockopt(*_LOCAL_PEERCRED, _XUCRED_SIZE))
    else:
        uid = _uid_of_ucred(peer)
    return uid


def _uid_of_ucred(peer: socket.socket) -> int | None:
    option = getattr(socket, "SO_PEERCRED", None)
    if option is None:
        return None
    _, uid, _ = _UCRED.unpack(peer.getsockopt(socket.SOL_SOCKET, option, _UCRED.size))
    return int(uid)


def uid_of_xucred(answer: bytes) -> int | None:
    """The uid in macOS' answer; None for a layout that we do not know."""
    if len(answer) < _XUCRED.size:
        return None
    version, uid = _XUCRED.unpack_from(answer)
    return int(uid) if version == 0 else None


def welcome(uid: int | None, ours: Sequence[int] = ()) -> bool:
    """Whether that user may ask: ourselves and root; the file's mode keeps out the others."""
    return uid is None or uid in (ours or (os.geteuid(), 0))

"""Who is at the other end."""

import os
import socket
import struct

import pytest

from healer.serving.peers import peer_uid, uid_of_xucred, welcome


def test_this_system_says_who_it_is() -> None:
    """We, at the other end of our own pair."""
    one, other = socket.socketpair(socket.AF_UNIX)
    with one, other:
        assert os.geteuid() == peer_uid(one)


@pytest.mark.parametrize(
    ("answer", "uid"),
    [
        (struct.pack("=IIh2x16I", 0, 501, 1, *range(16)), 501),
        (struct.pack("=IIh2x16I", 7, 501, 1, *range(16)), None),
        (b"", None),
    ],
)
def test_what_macos_answers(answer: bytes, uid: int | None) -> None:
    """`struct xucred`: a version other than 0 is a layout that we do not know."""
    assert uid == uid_of_xucred(answer)


def test_who_is_welcome() -> None:
    """Ourselves, root, and whoever the file's mode let in where the system does not tell."""
    assert welcome(os.geteuid())
    assert welcome(0)
    assert welcome(None)
    assert not welcome(os.geteuid() + 4711)

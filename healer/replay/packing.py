"""Packed bytes with a checksum: damage is noticed, never read.

A dictionary is what the packed bytes repeat: steps repeat the names, targets and evidence that
stand in the beginning before them, which makes a lone step a quarter of its size.
"""

import zlib
from typing import Final

from healer.replay.codec import CodecError

_WINDOW: Final = 32_768
"""Bytes that zlib looks back."""


def packed(plain: bytes, dictionary: bytes = b"") -> bytes:
    """Compressed, with a checksum; the dictionary must be the same on the way back."""
    if not dictionary:
        return zlib.compress(plain)
    packer = zlib.compressobj(zdict=dictionary[-_WINDOW:])
    return packer.compress(plain) + packer.flush()


def unpacked(body: bytes, place: str, dictionary: bytes = b"") -> bytes:
    """The plain bytes. Raises CodecError for damage."""
    opener = zlib.decompressobj(zdict=dictionary[-_WINDOW:])
    try:
        plain = opener.decompress(body) + opener.flush()
    except zlib.error as error:
        raise CodecError(place, f"damaged: {error}") from error
    if not opener.eof:
        raise CodecError(place, "damaged: it is cut off")
    return plain

"""What the kernel said about a connect."""

import os


def words_of(error: OSError) -> str:
    """`Connection refused` instead of anyio's and asyncio's own words around it."""
    cause = error.__cause__
    inner = cause if isinstance(cause, OSError) else error
    return str(inner) if inner.errno is None else os.strerror(inner.errno)

"""Who may vouch for a server's certificate: the system's own authorities, on every Python."""

import ssl
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Final

MACOS: Final = Path("/etc/ssl/cert.pem")
"""macOS ships them there; python.org's Python knows none until its user runs a script."""


def trusting() -> ssl.SSLContext:
    """A new context that verifies. It takes a tenth of a second: call it in a thread."""
    context = ssl.create_default_context()
    if not knows_anybody(context) and MACOS.exists():
        context.load_verify_locations(MACOS)
    return context


@cache
def trusting_once() -> ssl.SSLContext:
    """One for the life of the process, to which nobody may add; call it in a thread too."""
    return trusting()


def knows_anybody(context: ssl.SSLContext) -> bool:
    """Whether any authority is there; a folder of them is read only when it is needed."""
    folder = ssl.get_default_verify_paths().openssl_capath
    with suppress(OSError):
        if any(Path(folder).iterdir()):
            return True
    return context.cert_store_stats()["x509_ca"] > 0

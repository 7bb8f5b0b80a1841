"""The certificate that a server shows, and whether a CA vouches for it; nothing else is said."""

import ssl
from typing import Final

import anyio
from anyio.abc import ByteStream
from anyio.streams.tls import TLSAttribute

from healer.ports import CannotLook, TargetIll, TargetSilent

SECONDS: Final = 3.0


async def shown_by(host: str, port: int, seconds: float = SECONDS) -> bytes:
    """The server's certificate in DER; it is read, not trusted.

    Raises TargetSilent, TargetIll.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return await _handshake(host, port, context, seconds)


async def vouches(ca: bytes, host: str, port: int, seconds: float = SECONDS) -> bool:
    """Whether this CA (PEM) verifies the server. Raises TargetSilent, TargetIll, CannotLook.

    The name is not compared: Talos may be reached by an address that its certificate lacks.
    """
    try:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.load_verify_locations(cadata=ca.decode("ascii"))
    except (ssl.SSLError, ValueError) as error:
        raise CannotLook("certificate-authority-data", "is no certificate") from error
    try:
        await _handshake(host, port, context, seconds)
    except _Refused:
        return False
    return True


class _Refused(TargetIll):
    """The chain did not verify."""


async def _handshake(host: str, port: int, context: ssl.SSLContext, seconds: float) -> bytes:
    place = f"TLS {host}:{port}"
    try:
        with anyio.fail_after(seconds):
            stream = await anyio.connect_tcp(
                host, port, ssl_context=context, tls=True, tls_standard_compatible=False,
                tls_hostname=host,
            )  # fmt: skip
            return await _certificate(stream)
    except TimeoutError as error:
        raise TargetSilent(place, f"no handshake within {seconds:g} s") from error
    except ssl.SSLCertVerificationError as error:
        raise _Refused(place, "another CA signed it") from error
    except (OSError, anyio.EndOfStream, anyio.BrokenResourceError) as error:
        raise TargetIll(place, _words_of(error)) from error


async def _certificate(stream: ByteStream) -> bytes:
    """Dropped without a farewell: a server that hangs must not keep us waiting for one."""
    try:
        found = stream.extra(TLSAttribute.peer_certificate_binary)  # noqa: S610  (no Django here)
    finally:
        await anyio.aclose_forcefully(stream)
    return found or b""


def _words_of(error: Exception) -> str:
    cause = error.__cause__ or error.__context__
    if isinstance(error, ssl.SSLError) or isinstance(cause, ssl.SSLError):
        return "speaks no TLS, or broke the handshake off"
    return getattr(error, "strerror", None) or str(error) or "the connection was refused"

"""Each way in which an engine's answer can be ill, most of them with the secret in it."""

import asyncio
import json
import socket

from tests.unit.adapters.docker_engine import SECRET, Ill, inspected, say

HUGE = b"x" * 2**20


async def hung(writer: asyncio.StreamWriter) -> None:
    """Take the request and never answer."""
    del writer
    await asyncio.Event().wait()


async def slow_body(writer: asyncio.StreamWriter) -> None:
    """Begin an answer and never end it."""
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nO")
    await asyncio.Event().wait()


async def torn(writer: asyncio.StreamWriter) -> None:
    """Close in the middle of the body."""
    half = json.dumps(inspected()).encode()[:300]
    assert SECRET.encode() in half
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n" + half)
    await writer.drain()


async def reset(writer: asyncio.StreamWriter) -> None:
    """Reset in the middle of the body."""
    await torn(writer)
    one = writer.get_extra_info("socket")
    one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    writer.transport.abort()


async def bad_chunk(writer: asyncio.StreamWriter) -> None:
    """Say the secret where a chunk's length should be, which aiohttp quotes."""
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    writer.write(head + f"2\r\n{{}}\r\n{SECRET}={SECRET}\r\n".encode())
    await writer.drain()


async def no_http(writer: asyncio.StreamWriter) -> None:
    """Say the secret instead of a status line, which aiohttp quotes."""
    writer.write(f"USERDATA={SECRET} {SECRET}\r\n\r\n".encode())
    await writer.drain()


async def no_json(writer: asyncio.StreamWriter) -> None:
    """Say JSON that is none, with the secret in it."""
    await say(writer, 200, f'{{"Env": ["{SECRET}"'.encode())


async def half_inspect(writer: asyncio.StreamWriter) -> None:
    """Leave out what every engine says."""
    await say(writer, 200, json.dumps({"Config": inspected()["Config"]}).encode())


async def odd_value(writer: asyncio.StreamWriter) -> None:
    """Put the secret where a number should be."""
    state = {"Status": "running", "ExitCode": SECRET}
    await say(writer, 200, json.dumps(inspected(State=state)).encode())


async def refusal_that_tells(writer: asyncio.StreamWriter) -> None:
    """Fail with a body that is not Docker's."""
    await say(writer, 500, f"<html>{SECRET}</html>".encode())


async def refusal_of_bytes(writer: asyncio.StreamWriter) -> None:
    """Fail with a body that is no text."""
    await say(writer, 502, b"\xff\xfe" + SECRET.encode())


async def deep(writer: asyncio.StreamWriter) -> None:
    """Nest deeper than a decoder may."""
    await say(writer, 200, b"[" * 200_000)


async def huge(writer: asyncio.StreamWriter) -> None:
    """Offer 100 MB."""
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 104857600\r\n\r\n")
    for _ in range(100):
        writer.write(HUGE)
        await writer.drain()


async def huge_refusal(writer: asyncio.StreamWriter) -> None:
    """Fail with 100 MB."""
    writer.write(b"HTTP/1.1 500 X\r\nContent-Length: 104857600\r\n\r\n")
    for _ in range(100):
        writer.write(HUGE)
        await writer.drain()


ILL: list[Ill] = [
    torn,
    reset,
    bad_chunk,
    no_http,
    no_json,
    half_inspect,
    odd_value,
    refusal_that_tells,
    refusal_of_bytes,
    deep,
    huge,
    huge_refusal,
]

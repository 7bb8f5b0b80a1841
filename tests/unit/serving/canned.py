"""A process that serves canned answers on a control socket: `python -m tests.unit.serving.canned`.

Arguments: the socket's path. It prints `ready`, then each thing that befell an answer.
"""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import anyio

from healer.serving.control import ControlServer
from healer.serving.conversation import Patience, Refused, Say
from tests.unit.serving.documents import STATUS

QUICK = Patience(request=2.0, write=0.5, working=0.05, again=0.05, connections=4)
DOCUMENT = {"schema_version": 1, "exit_code": 1, "acts": []}


def note(words: str) -> None:
    """Tell the test."""
    sys.stdout.write(words + "\n")
    sys.stdout.flush()


async def status(arguments: Mapping[str, Any], say: Say) -> Mapping[str, Any]:
    """A healthy tower."""
    del arguments, say
    return STATUS


async def echo(arguments: Mapping[str, Any], say: Say) -> Mapping[str, Any]:
    """What it was told; lines before it, one a word."""
    for word in str(arguments.get("words", "")).split():
        await say({"line": word})
    return dict(arguments)


async def flood(arguments: Mapping[str, Any], say: Say) -> Mapping[str, Any]:
    """More lines than any socket's buffer holds, until nobody takes them."""
    del arguments
    try:
        while True:
            await say({"line": "x" * 1000})
    finally:
        note("flood ended")


async def wait(arguments: Mapping[str, Any], say: Say) -> Mapping[str, Any]:
    """Until the client wants nothing new, or is gone."""
    del arguments
    note("wait begun")
    await say({"line": "waiting"})
    try:
        await say.hurried.wait()
        note("wait hurried")
        await anyio.sleep(0.2)
    except anyio.get_cancelled_exc_class():
        note("wait cancelled")
        raise
    return {"why": "hurried"}


async def slow(arguments: Mapping[str, Any], say: Say) -> Mapping[str, Any]:
    """So many seconds."""
    del say
    await anyio.sleep(float(arguments["seconds"]))
    return {"slow": True}


async def once(arguments: Mapping[str, Any], say: Say) -> Mapping[str, Any]:
    """A pass that ends ill, at once or when it is hurried."""
    await say({"line": "    0.0 s  talos: acting"})
    why = "settled"
    if arguments.get("deadline") == 60.0:
        note("once begun")
        await say.hurried.wait()
        why = "interrupted"
    return {
        "exit_code": 1,
        "why": why,
        "journal_error": "",
        "text": f"the report ({why})",
        "document": DOCUMENT,
    }


async def refuse(arguments: Mapping[str, Any], say: Say) -> Mapping[str, Any]:
    """Understood, and no."""
    del arguments, say
    raise Refused("journal: disk full; free space")


async def explain(arguments: Mapping[str, Any], say: Say) -> Mapping[str, Any]:
    """One line."""
    del say
    return {"lines": [f"{arguments['layer']} is ok, says the daemon"]}


async def broken(arguments: Mapping[str, Any], say: Say) -> Mapping[str, Any]:
    """A fault of ours; its words may hold a secret."""
    del arguments, say
    raise RuntimeError("password=hunter2")


async def vanish(arguments: Mapping[str, Any], say: Say) -> Mapping[str, Any]:
    """The daemon dies in the middle."""
    del arguments
    await say({"line": "dying"})
    sys.exit(9)


VERBS = (status, echo, flood, wait, slow, once, refuse, explain, broken, vanish)
ANSWERS = {one.__name__: one for one in VERBS}


async def serve(path: Path, *, holds_lock: bool = True, patience: Patience = QUICK) -> None:
    """Until killed."""

    def said(words: str) -> None:
        note(words or "ready")

    server = ControlServer(
        path,
        ANSWERS,
        holds_lock=lambda: holds_lock,
        patience=patience,
        broke=lambda verb, error: note(f"{verb} broke: {type(error).__name__}"),
    )
    await server.keep_open(said)


if __name__ == "__main__":
    anyio.run(serve, Path(sys.argv[1]))

"""A stand-in for docker, helm, kubectl and talosctl: one file, called by each of the names.

It reads STATE (JSON beside it): `answers` by tool and verb, and `moods` that make one verb hang,
refuse, babble or never stop. Every argument list is appended to a log, so that a test can see
all that was ever asked.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
SECRET = "hunter2-top-secret"


def verb_of(name: str, words: list[str]) -> str:
    """The word that says what is asked, with what it is asked of."""
    rest = list(words)
    while rest and rest[0].startswith("--"):
        rest = rest[2:]
    if name == "kubectl" and rest[0] == "get":
        return f"get {rest[1].partition(',')[0]}"
    return " ".join(rest[:2]) if rest[0] in {"repo", "get", "container"} else rest[0]


def main() -> int:
    """Answer one call."""
    name, words = Path(sys.argv[0]).name, sys.argv[1:]
    state: dict[str, Any] = json.loads((HERE / "state.json").read_text())
    with (HERE / "calls.jsonl").open("a") as log:
        log.write(json.dumps([name, *words]) + "\n")
    key = f"{name} {verb_of(name, words)}"
    match state["moods"].get(key):
        case "hang":
            sys.stdout.write(f"password: {SECRET}\n")
            sys.stdout.flush()
            (HERE / "hanging").write_text(str(os.getpid()))
            time.sleep(600)
        case "refuse":
            sys.stdout.write(f"password: {SECRET}\n")
            sys.stderr.write("Warning: old\nError: connection refused\n")
            return 1
        case "garbage":
            sys.stdout.write(f"\x00\x1b[31m}} {SECRET}: [not: json: yaml\n")
            return 0
        case "huge":
            for _ in range(65):
                sys.stdout.write("x" * (1 << 20))
            return 0
        case _:
            pass
    if key == "kubectl cp":
        shutil.copytree(HERE / "pds", words[-1], symlinks=True)
        return 0
    sys.stdout.write(state["answers"][key])
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""`python -m tests.mutation` tells whether a test fails for every small change to the core.

It takes minutes to an hour of one processor and is no part of CI. It fails when a mutant lives
that `survivors.toml` does not explain, and when an explanation is no longer needed.
"""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.mutation.survivors import KEPT, Explanation, compare, load
from tests.mutation.tool import Mutant, Tool, ToolError

DANGER = (
    "refusing",
    "deciding",
    "judging",
    "limiting",
    "verifying",
    "hearing",
    "machine",
    "incidents",
    "outlook",
    "ledger",
    "pacing",
    "world",
)
"""The modules of the core, most dangerous first: what may act before what only tells."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run; 0 = every mutant is dead or explained, 1 = not so, 2 = could not be told."""
    asked = _parser().parse_args(arguments)
    modules = asked.modules or DANGER
    with tempfile.TemporaryDirectory(prefix="healer-mutation-") as scratch:
        try:
            tool = Tool.prepared(Path(asked.folder or scratch))
            lived = [mutant for one in modules for mutant in _run(tool, one)]
        except ToolError as error:
            print(error, file=sys.stderr)
            return 2
    files = {f"healer/core/{one}.py" for one in modules}
    return _judge(lived, [one for one in load(KEPT) if one.file in files])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument("modules", nargs="*", help=f"some of {', '.join(DANGER)}; default: all")
    parser.add_argument("--folder", help="work in this folder and leave it there to be looked at")
    return parser


def _run(tool: Tool, module: str) -> list[Mutant]:
    print(f"{module}: ", end="", flush=True)
    mutants = tool.run(module)
    lived = [one for one in mutants if one.lived]
    typed = sum(one.verdict == "caught by type check" for one in mutants)
    print(f"{len(mutants)} mutants, {typed} refused by mypy, {len(lived)} lived", flush=True)
    return lived


def _judge(lived: list[Mutant], kept: list[Explanation]) -> int:
    unexplained, needless = compare(lived, kept)
    for mutant in unexplained:
        print(f"\nunexplained ({mutant.verdict}): {mutant.name}\n{mutant.as_toml()}")
    for one in needless:
        print(f"\nneedless: {one.file} {one.function}: `{one.becomes}` did not live")
    print(f"\n{len(lived)} lived, {len(unexplained)} of them unexplained; {len(needless)} needless")
    return 1 if unexplained or needless else 0


if __name__ == "__main__":
    sys.exit(main())

"""`python -m tests.mutation` tells whether a test fails for every small change to the core.

It takes minutes to an hour of one processor and is no part of CI. It fails when a mutant lives
that `survivors.toml` does not explain, and when an explanation is no longer needed.
"""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.mutation.survivors import KEPT, compare, load
from tests.mutation.tool import REFUSED_BY_TYPES, Tool, ToolError

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
    with tempfile.TemporaryDirectory(prefix="healer-mutation-") as scratch:
        try:
            tool = Tool.prepared(Path(asked.folder or scratch))
            verdicts = [_try(tool, one) for one in asked.modules or DANGER]
        except ToolError as error:
            print(error, file=sys.stderr)
            return 2
    return 0 if all(verdicts) else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument("modules", nargs="*", help=f"some of {', '.join(DANGER)}; default: all")
    parser.add_argument("--folder", help="work in this folder and leave it there to be looked at")
    return parser


def _try(tool: Tool, module: str) -> bool:
    """Try every mutant of a module, and tell at once: a run that is cut short loses nothing."""
    print(f"{module}: ", end="", flush=True)
    mutants = tool.run(module)
    lived = [one for one in mutants if one.lived]
    typed = sum(one.verdict == REFUSED_BY_TYPES for one in mutants)
    print(f"{len(mutants)} mutants, {typed} refused by mypy, {len(lived)} lived", flush=True)
    kept = [one for one in load(KEPT) if one.file == f"healer/core/{module}.py"]
    unexplained, needless = compare(lived, kept)
    for mutant in unexplained:
        print(f"  unexplained ({mutant.verdict}): {mutant.name}\n{mutant.as_toml()}\n", flush=True)
    for one in needless:
        print(f"  needless: in {one.function} no `{one.becomes}` lived", flush=True)
    return not unexplained and not needless


if __name__ == "__main__":
    sys.exit(main())

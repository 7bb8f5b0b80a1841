"""`python -m tests.mutation` tells whether a test fails for every small change to what decides.

It covers the core, the engine, the remedies, the probes and the journal, takes hours of one
processor in all and is no part of CI. It fails when a mutant lives
that `survivors.toml` does not explain, and when an explanation is no longer needed.
"""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.mutation.packages import NAMES, PACKAGES
from tests.mutation.survivors import KEPT, compare, load
from tests.mutation.tool import REFUSED_BY_TYPES, Tool, ToolError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run; 0 = every mutant is dead or explained, 1 = not so, 2 = could not be told."""
    asked = _parser().parse_args(arguments)
    names = [full for one in asked.names for full in _full(one)] or list(NAMES)
    with tempfile.TemporaryDirectory(prefix="healer-mutation-") as scratch:
        try:
            tool = Tool.prepared(Path(asked.folder or scratch))
            verdicts = [_try(tool, one) for one in names]
        except ToolError as error:
            print(error, file=sys.stderr)
            return 2
    return 0 if all(verdicts) else 1


def _full(name: str) -> list[str]:
    """A module's own name, or all modules of a package."""
    return [one for one in NAMES if name in {one, one.partition(".")[0]}]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument(
        "names",
        nargs="*",
        choices=[*PACKAGES, *NAMES, []],
        metavar="NAME",
        help=f"a package ({', '.join(PACKAGES)}) or a module such as engine.stepping; default: all",
    )
    parser.add_argument("--folder", help="work in this folder and leave it there to be looked at")
    return parser


def _try(tool: Tool, name: str) -> bool:
    """Try every mutant of a module, and tell at once: a run that is cut short loses nothing."""
    print(f"{name}: ", end="", flush=True)
    mutants, file = tool.run(name)
    lived = [one for one in mutants if one.lived]
    typed = sum(one.verdict == REFUSED_BY_TYPES for one in mutants)
    print(f"{len(mutants)} mutants, {typed} refused by mypy, {len(lived)} lived", flush=True)
    kept = [one for one in load(KEPT) if one.file == file]
    unexplained, needless = compare(lived, kept)
    for mutant in unexplained:
        print(f"  unexplained ({mutant.verdict}): {mutant.name}\n{mutant.as_toml()}\n", flush=True)
    for one in needless:
        print(f"  needless: in {one.function} no `{one.becomes}` lived", flush=True)
    return not unexplained and not needless


if __name__ == "__main__":
    sys.exit(main())

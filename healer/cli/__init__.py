"""The command line: the only exit codes, the only `anyio.run`, the only printing.

Data goes to stdout, talk to stderr. Each command lives in a file of its own and is imported
only when it is called, so that a quick command never pays for a client library.
"""

import sys
from collections.abc import Sequence

from healer.cli.parser import build_parser
from healer.cli.running import CONFIGURATION, USAGE, Interrupted, Misconfigured, tell


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code (design §5)."""
    parser = build_parser()
    arguments = parser.parse_args(argv)
    command = arguments.command
    if command is None:
        parser.print_usage(sys.stderr)
        tell("healer: say --once, or a command; `healer --help` lists them")
        return USAGE
    try:
        code: int = command(arguments)
    except Misconfigured:
        return CONFIGURATION
    except Interrupted as interrupted:
        return interrupted.code
    except BrokenPipeError:
        sys.stderr.close()
        return 0
    return code

"""The command line: the only exit codes, the only `anyio.run`, the only printing.

Data goes to stdout, talk to stderr. Each command lives in a file of its own and is imported
only when it is called, so that a quick command never pays for a client library.
"""

import sys
from collections.abc import Sequence

from healer.cli.parser import parse
from healer.cli.sudo import become_who_asked
from healer.cli.talking import (
    CONFIGURATION,
    INTERRUPTED,
    Interrupted,
    Misconfigured,
    let_any_terminal_show,
    mute,
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code (design §5)."""
    let_any_terminal_show()
    arguments = parse(argv)
    if not arguments.as_root:
        become_who_asked()
    try:
        code: int = arguments.command(arguments)
        sys.stdout.flush()
    except Misconfigured:
        return CONFIGURATION
    except Interrupted as interrupted:
        return interrupted.code
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        mute(sys.stdout)
        return 0
    return code

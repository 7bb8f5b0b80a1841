"""`healer completion bash|zsh|fish`: a script made from the very parser that reads the words."""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from healer.cli.completion_scripts import bash, fish, zsh
from healer.cli.talking import put
from healer.drills.names import names

_OFFERED: Final = {"scenario": names}
"""What is offered without being all that may stand there: a scenario may be a file as well."""
_SCRIPTS: Final = {"bash": bash, "zsh": zsh, "fish": fish}


@dataclass(frozen=True, slots=True)
class Option:
    """A flag, or a word that stands without one."""

    names: tuple[str, ...]
    """() for a positional."""
    about: str
    takes: str
    """What its value is called; '' = it takes none."""
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Place:
    """Where one is after some commands: `/`, `/pause`, `/config/show`."""

    path: str
    commands: tuple[tuple[str, str], ...]
    """Name and what it is for."""
    options: tuple[Option, ...]

    def after(self, command: str) -> str:
        """The place to which a command leads."""
        return f"{self.path.rstrip('/')}/{command}"


def completion(arguments: argparse.Namespace) -> int:
    """Print the script."""
    from healer.cli.parser import build_parser  # noqa: PLC0415  (the parser names this module)

    put(_SCRIPTS[arguments.shell](list(places_of(build_parser()))))
    return 0


def places_of(parser: argparse.ArgumentParser, path: str = "/") -> Iterator[Place]:
    """Every place of a command line, the root first."""
    commands: list[tuple[str, str]] = []
    inner: list[Place] = []
    options: list[Option] = []
    for action in parser._actions:  # noqa: SLF001  (argparse shows its actions nowhere else)
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001  (as above)
            about = {one.dest: one.help or "" for one in action._choices_actions}  # noqa: SLF001  (as above)
            for name, one in action.choices.items():
                commands.append((name, about.get(name, "")))
                inner += places_of(one, f"{path.rstrip('/')}/{name}")
        else:
            options.append(_option(action))
    yield Place(path, tuple(commands), tuple(options))
    yield from inner


def _option(action: argparse.Action) -> Option:
    takes = "" if action.nargs == 0 else str(action.metavar or action.dest)
    offered = _OFFERED.get(action.dest, tuple)()
    choices = tuple(str(one) for one in action.choices or offered)
    return Option(tuple(action.option_strings), action.help or "", takes, choices)

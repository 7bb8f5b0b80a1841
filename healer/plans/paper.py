"""A shell document for a human: comments and commands, each word quoted."""

import json
import shlex
import textwrap
from dataclasses import dataclass, field
from typing import Any, Final

_WIDTH: Final = 96


@dataclass(frozen=True, slots=True)
class Asked:
    """A word that only a human knows: the name of a shell variable."""

    name: str


Word = str | Asked


@dataclass(slots=True)
class Paper:
    """Lines of the document, in order."""

    lines: list[str] = field(default_factory=list)

    def heading(self, words: str) -> None:
        """A step's name."""
        self.lines += ["", f"# --- {_plain(words)} ---"]

    def say(self, words: str) -> None:
        """A comment; nothing in `words` can end it."""
        self.lines += textwrap.wrap(
            _plain(words),
            _WIDTH,
            initial_indent="# ",
            subsequent_indent="# ",
            break_long_words=False,
            break_on_hyphens=False,
        )

    def trap(self, words: str) -> None:
        """A comment about what went wrong before."""
        self.say(f"TRAP: {words}")

    def ask(self, name: str, why: str) -> Asked:
        """A variable that must be set before the next line; the shell stops there if not."""
        self.lines.append(
            f': "${{{name}:?{"".join(one for one in why if one.isalnum() or one in " .,-")}}}"'
        )
        return Asked(name)

    def run(self, *words: Word, may_fail: bool = False) -> None:
        """A command. `may_fail`: the next is right also when this one finds nothing to do."""
        line = " ".join(_quoted(one) for one in words)
        self.lines.append(f"{line} || true" if may_fail else line)

    def text(self) -> str:
        """The whole document."""
        return "\n".join(self.lines) + "\n"


def compact(value: Any) -> str:  # noqa: ANN401  (whatever JSON can hold)
    """JSON for an argument: the same value is the same bytes."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def _quoted(word: Word) -> str:
    return f'"${word.name}"' if isinstance(word, Asked) else shlex.quote(word)


def _plain(words: str) -> str:
    return "".join(one if one.isprintable() else "?" for one in words)

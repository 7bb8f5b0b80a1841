"""Secrets: read from a file or the environment when they are used, and kept nowhere."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from healer.files import read_regular, readable_by_others
from healer.ports import CannotLook

_LARGEST: Final = 8192
"""Bytes; a URL or a header is shorter."""


@dataclass(frozen=True, slots=True)
class Secret:
    """Where a secret is; its name may be told, its value never."""

    file: Path | None
    variable: str
    environment: Mapping[str, str]

    def __repr__(self) -> str:
        """Without the environment, which holds the secret."""
        return f"Secret({self.place})"

    @property
    def place(self) -> str:
        """The file, or the variable, as a person names it."""
        return str(self.file) if self.file is not None else f"${self.variable}"

    def read(self) -> str:
        """Its one line. Raises CannotLook, which names the place and not the value."""
        text = self._from_file(self.file) if self.file is not None else self._from_environment()
        value = text.strip()
        if not value or any(not one.isprintable() for one in value):
            raise CannotLook(self.place, "should hold one line of text, and nothing else")
        return value

    def check(self) -> str:
        """What is wrong with where it is kept; '' = nothing."""
        try:
            self.read()
        except CannotLook as error:
            return str(error)
        if self.file is None:
            return ""
        return readable_by_others(self.file)

    def _from_environment(self) -> str:
        value = self.environment.get(self.variable)
        if value is None:
            raise CannotLook(self.place, "is not set; launchd gives only what its plist names")
        return value

    def _from_file(self, path: Path) -> str:
        try:
            data = read_regular(path, _LARGEST, trusted=True)
        except OSError as error:
            raise CannotLook(self.place, error.strerror or "cannot be read") from error
        try:
            text = data.decode("utf-8")
        except UnicodeDecodeError:
            text = ""
        if not text:
            raise CannotLook(self.place, "should hold one line of text, and nothing else")
        return text

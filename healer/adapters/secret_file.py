"""Secrets: read from a file or the environment when they are used, and kept nowhere."""

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

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
        mode = stat.S_IMODE(self.file.stat().st_mode)
        if mode & 0o077:
            return f"{self.file}: others may read it ({mode:04o}); run: chmod 600 {self.file}"
        return ""

    def _from_environment(self) -> str:
        value = self.environment.get(self.variable)
        if value is None:
            raise CannotLook(self.place, "is not set; launchd gives only what its plist names")
        return value

    def _from_file(self, path: Path) -> str:
        try:
            # A pipe in its place must not keep the event loop waiting for a writer.
            descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
            with os.fdopen(descriptor, "rb") as file:
                data = file.read(_LARGEST + 1) or b""
        except OSError as error:
            raise CannotLook(self.place, error.strerror or "cannot be read") from error
        try:
            text = data.decode("utf-8")
        except UnicodeDecodeError:
            text = ""
        if not text or len(data) > _LARGEST:
            raise CannotLook(self.place, "should hold one line of text, and nothing else")
        return text

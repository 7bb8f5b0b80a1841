"""Words of a closed set, as the core's tables are keyed by them."""

from enum import StrEnum


class Word(StrEnum):
    """A StrEnum that hashes as the word which it equals.

    Enum's own hash is of the member's name and written in Python: `step` asks for thousands.
    """

    __hash__ = str.__hash__

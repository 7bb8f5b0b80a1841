"""The exact bytes of what the core knows, hears and says, and the way back.

Every value has one spelling: fields stand in the order of their class, sets are sorted, and
mappings keep their own order, since `step` walks over them in it. Only an empty value that is
its field's default is left out. `VERSION` counts the spellings; a test pins their bytes.
"""

import json
from collections.abc import Callable
from functools import cached_property
from typing import Any, Final, Generic, TypeVar, cast

from healer.core.facts import Decision, Fact
from healer.core.ledger import Ledger
from healer.core.observation import Observation
from healer.core.policy import Policy
from healer.core.world import World
from healer.replay.shapes import CodecError, Shape, shape_of

__all__ = [
    "DECISION",
    "FACT",
    "LEDGER",
    "OBSERVATION",
    "POLICY",
    "VERSION",
    "WORLD",
    "Codec",
    "CodecError",
    "read_json",
    "spelled",
]

T = TypeVar("T")

VERSION: Final = 1
"""Bytes of another version are refused by name, never guessed at."""


class Codec(Generic[T]):
    """Between values of one kind and their bytes."""

    def __init__(self, name: str, kind: object) -> None:
        self._name = name
        self._kind = kind

    @cached_property
    def _shape(self) -> Shape:
        """Made at first use: most runs of a command need none."""
        return shape_of(self._kind)

    @property
    def plain(self) -> Callable[[T], Any]:
        """As what JSON can hold."""
        return self._shape.plain

    def value(self, plain: object, place: str = "") -> T:
        """The value again. Raises CodecError, which names the place."""
        return cast("T", self._shape.value(plain, place or self._name))

    def pack(self, value: T) -> bytes:
        """As bytes that name their version and kind."""
        return spelled([VERSION, self._name, self._shape.plain(value)])

    def unpack(self, packed: bytes) -> T:
        """The value of such bytes. Raises CodecError."""
        found = read_json(packed, self._name)
        match found:
            case [int() as version, str(), _] if version != VERSION:
                raise CodecError(self._name, f"it is of version {version}; known is {VERSION}")
            case [int(), name, plain] if name == self._name:
                return self.value(plain)
            case _:
                raise CodecError(self._name, "these are not its bytes")


WORLD: Final = Codec[World]("World", World)
LEDGER: Final = Codec[Ledger]("Ledger", Ledger)
OBSERVATION: Final = Codec[Observation]("Observation", Observation)
POLICY: Final = Codec[Policy]("Policy", Policy)
FACT: Final = Codec[Fact]("Fact", Fact)
DECISION: Final = Codec[Decision]("Decision", Decision)


def spelled(plain: object) -> bytes:
    """The one spelling of what JSON can hold; ASCII, so that any text survives."""
    return json.dumps(plain, separators=(",", ":")).encode("ascii")


def read_json(packed: bytes, place: str) -> Any:  # noqa: ANN401  (whatever JSON can hold)
    """What such bytes hold. Raises CodecError."""
    try:
        return json.loads(packed.decode("ascii"))
    except (ValueError, RecursionError) as error:
        raise CodecError(place, f"damaged: {error}") from error

"""Faults that any fake can be given: an error of the port, any other exception, or silence."""

from dataclasses import dataclass
from typing import Final

import anyio


@dataclass(frozen=True, slots=True)
class Hang:
    """Never answers; only a deadline or a cancellation ends it."""


HANG: Final = Hang()
Fault = Exception | Hang


class Faulty:
    """A fake with faults by method name, and a list of what was asked of it, in order."""

    def __init__(self) -> None:
        self.faults: dict[str, Fault] = {}
        self.calls: list[str] = []
        self.hanging = anyio.Event()

    @property
    def acts(self) -> list[str]:
        """The calls of hands alone."""
        return [call.removeprefix("act: ") for call in self.calls if call.startswith("act: ")]

    async def meet(self, method: str, *, act: str = "") -> None:
        """Note the call, then fail or hang as told; `act` is how a hand shows in `acts`."""
        self.calls.append(f"act: {act}" if act else method)
        if isinstance(self.faults.get(method), Hang):
            self.hanging.set()
            await anyio.sleep_forever()
        self.meet_now(method)

    def meet_now(self, method: str) -> None:
        """Fail as told; for methods that never wait."""
        fault = self.faults.get(method)
        if isinstance(fault, Exception):
            raise fault

"""A channel that behaves as it is told, and a notice for it."""

from dataclasses import dataclass, field

import anyio

from healer.model.notice import Delivery, Kind, Notice
from healer.ports import TargetIll


def a_notice(number: int = 1, *, kind: Kind = Kind.OPENED, at: float = 1_700_000_000.0) -> Notice:
    """A notice with every field told apart."""
    return Notice(
        kind=kind,
        incident=f"run-i{number}",
        layer="colima",
        reason="colima.stopped",
        title=f"title {number}",
        text=f"text {number}\nsecond line",
        evidence="status Stopped",
        advice="colima start",
        at=at,
    )


@dataclass
class FakeChannel:
    """ports.Channel and ports.Beacon; `fails` counts down, `hangs` never answers."""

    name: str = "webhook"
    fails: int = 0
    hangs: bool = False
    broken: bool = False
    poison: frozenset[str] = frozenset()
    """Ids that it never takes."""
    problem: str = ""
    how: Delivery = Delivery.SENT
    took: list[tuple[float, str]] = field(default_factory=list)
    tried: list[tuple[float, str]] = field(default_factory=list)

    @property
    def ids(self) -> list[str]:
        """What it took, in order."""
        return [one for _, one in self.took]

    @property
    def confirms(self) -> bool:
        """Whether it says that what it sent arrived."""
        return self.how is Delivery.SENT

    async def send(self, notice: Notice) -> Delivery:
        """Take it, or not."""
        await self._meet(notice.id)
        return self.how

    async def ping(self) -> None:
        """The same without a notice."""
        await self._meet("ping")

    def check(self) -> str:
        """As told."""
        return self.problem

    async def _meet(self, what: str) -> None:
        self.tried.append((anyio.current_time(), what))
        if self.hangs:
            await anyio.sleep_forever()
        if self.broken:
            raise ZeroDivisionError("https://secret.example/token")
        if self.fails or what in self.poison:
            self.fails = max(0, self.fails - 1)
            raise TargetIll(self.name, "HTTP 500")
        self.took.append((anyio.current_time(), what))

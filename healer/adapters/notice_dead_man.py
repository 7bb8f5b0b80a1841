"""The dead-man ping: a call to a URL that is a secret."""

from dataclasses import dataclass
from typing import Final

from healer.adapters.outgoing import Call, call, fault_of_url
from healer.adapters.secret_file import Secret

SECONDS: Final = 10.0


@dataclass(frozen=True, slots=True)
class PingedUrl:
    """ports.Beacon; the address is read anew for each ping."""

    url: Secret
    method: str = "GET"
    deadline: float = SECONDS
    name: str = "dead_man"

    async def ping(self) -> None:
        """Call it once."""
        await call(Call(self.method, self.url.read()), self.name, self.deadline)

    def check(self) -> str:
        """Whether the address can be read and is one."""
        if said := self.url.check():
            return said
        fault = fault_of_url(self.url.read())
        return f"{self.url.place}: {fault}" if fault else ""

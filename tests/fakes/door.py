"""The door to docker.sock."""

from healer.ports import NotAsked


class FakeDoor:
    """Implements EngineDoor: open, until a test shuts it."""

    def __init__(self) -> None:
        self.is_shut = False
        self.entered: list[str] = []
        self.streams = 0
        self.forgotten = 0

    async def enter(self, place: str) -> None:
        """Let it in."""
        if self.is_shut:
            raise NotAsked(place, "docker.service is inactive in the VM: not asked")
        self.entered.append(place)

    def listening(self, *, begins: bool) -> None:
        """Count."""
        self.streams += 1 if begins else -1

    def forget(self) -> None:
        """Count."""
        self.forgotten += 1

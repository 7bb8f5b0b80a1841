"""The ways to services, each place answering as it is told to."""

from collections.abc import Mapping, Sequence

import anyio

from healer.model.cluster import Deployment, Listing, ServicePort
from healer.model.container import Container
from healer.model.published import PublishedService
from healer.ports import PortError, TargetIll
from tests.fakes.engine import UP


class FakePath:
    """Implements PathEyes."""

    def __init__(self) -> None:
        self.mac: dict[int, str | PortError] = {}
        self.by_lima: dict[int, bool] = {}
        self.vm: dict[int, str | PortError] | PortError = {}
        self.pods: dict[str, str | PortError] = {}
        self.box: Container | PortError = UP
        self.ports: Sequence[ServicePort] | PortError = ()
        self.deployments: Sequence[Deployment] = ()
        self.hung: set[str] = set()
        """Methods that never answer."""

    async def _may_hang(self, name: str) -> None:
        if name in self.hung:
            await anyio.sleep_forever()

    async def on_mac(self, service: PublishedService) -> str:
        """Refused, unless it is told otherwise."""
        await self._may_hang("on_mac")
        return _said(self.mac.get(service.host_port, TargetIll("mac", "Connection refused")))

    async def listener_is_ours(self, port: int) -> bool:
        """Lima's, unless it is told otherwise."""
        await self._may_hang("listener_is_ours")
        return self.by_lima.get(port, True)

    async def in_vm(self, services: Sequence[PublishedService]) -> Mapping[int, str | PortError]:
        """What it was told of those that are asked for."""
        await self._may_hang("in_vm")
        if isinstance(self.vm, PortError):
            raise self.vm
        asked = {one.host_port for one in services}
        return {port: said for port, said in self.vm.items() if port in asked}

    async def by_api(self, service: PublishedService, port: int) -> str:
        """By the Service's name."""
        await self._may_hang("by_api")
        del port
        return _said(self.pods.get(service.name, TargetIll("pod", "connection refused")))

    async def container(self) -> Container:
        """The one box."""
        await self._may_hang("container")
        if isinstance(self.box, PortError):
            raise self.box
        return self.box

    async def services(self) -> Listing[ServicePort]:
        """The cluster's."""
        await self._may_hang("services")
        if isinstance(self.ports, PortError):
            raise self.ports
        return Listing(tuple(self.ports), 0.0)

    async def livekit(self) -> Listing[Deployment]:
        """LiveKit's."""
        await self._may_hang("livekit")
        return Listing(tuple(self.deployments), 0.0)


def _said(answer: str | PortError) -> str:
    if isinstance(answer, PortError):
        raise answer
    return answer

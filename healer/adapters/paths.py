"""The way to a service, looked at from each of its ends: ports.PathEyes.

Nothing here changes anything: ports are spoken to as any client would, and the pod is asked
through the API server by a GET, never through a port-forward (design §4, "Never").
"""

import base64
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Final

import anyio

from healer.adapters.docker import DockerEngine
from healer.adapters.kubernetes import KubernetesCluster
from healer.adapters.published import PublishedPorts
from healer.adapters.serving_certificate import shown_by
from healer.adapters.spoken import understood, web_answer, words_for
from healer.adapters.ssh import DirectSsh
from healer.model.cluster import Deployment, Listing, ServicePort
from healer.model.container import Container
from healer.model.published import PublishedService
from healer.ports import CannotLook, PortError, TargetIll, TargetSilent

MAC_SECONDS: Final = 1.5
POD_SECONDS: Final = 1.5
GUEST_SECONDS: Final = 2.7
"""A trace ends within three, and silence must have been heard out by then: the far end of the ssh
gives each port of the VM 1.3."""
_BEGINS: Final = "\nsaid=0 begin\n"


@dataclass(frozen=True, slots=True)
class RealPath:
    """ports.PathEyes."""

    published: PublishedPorts
    ssh: DirectSsh
    engine: DockerEngine
    cluster: KubernetesCluster

    async def on_mac(self, service: PublishedService) -> str:
        """What the Mac's port says; who speaks TLS alone has shown a certificate."""
        if service.protocol == "tls":
            await shown_by("127.0.0.1", service.host_port, MAC_SECONDS)
            return "speaks TLS"
        return await self.published.ask(service, MAC_SECONDS)

    async def listener_is_ours(self, port: int) -> bool:
        """Whether Lima listens on the Mac's port."""
        return await self.published.listener_is_ours(port)

    async def in_vm(self, services: Sequence[PublishedService]) -> Mapping[int, str | PortError]:
        """What the same ports of the VM say, by host port; one that is missing was not asked."""
        words = [
            word
            for one in services
            for word in (str(one.host_port), base64.b64encode(words_for(one)).decode())
        ]
        script = files("healer.adapters").joinpath("guest_speak.sh").read_bytes()
        command = shlex.join(("sh", "-s", "--", *words))
        done = await self.ssh.run(command, stdin=script, deadline=GUEST_SECONDS)
        if _BEGINS not in done.stdout:
            raise CannotLook(self.ssh.place, f"the VM's shell said: {done.stderr.strip()[:200]}")
        return _answers(done.stdout.rpartition(_BEGINS)[2], services)

    async def by_api(self, service: PublishedService, port: int) -> str:
        """What the pod behind a port of a Service says when the API server asks it."""
        place = f"the pod of {service.namespace}/{service.name}"
        try:
            with anyio.fail_after(POD_SECONDS):
                return web_answer(service, await self.cluster.ask_service(service, port), place)
        except TimeoutError as error:
            raise TargetSilent(place, f"no answer within {POD_SECONDS:g} s") from error

    async def container(self) -> Container:
        """The Talos container."""
        return await self.engine.container()

    async def services(self) -> Listing[ServicePort]:
        """Ports of all Services, with a NodePort or without."""
        return await self.cluster.services()

    async def livekit(self) -> Listing[Deployment]:
        """Of LiveKit, which no Service stands before."""
        return await self.cluster.livekit()


def _answers(text: str, services: Sequence[PublishedService]) -> dict[int, str | PortError]:
    by_port = {str(one.host_port): one for one in services}
    found: dict[int, str | PortError] = {}
    for line in text.splitlines():
        port, _, said = line.removeprefix("said=").partition(" ")
        service = by_port.get(port)
        if service is not None and line.startswith("said="):
            found[service.host_port] = _answer(service, said)
    return found


def _answer(service: PublishedService, said: str) -> str | PortError:
    place = f"{service.protocol} port {service.host_port} in the VM"
    word, _, encoded = said.partition(" ")
    if word == "refused":
        return TargetIll(place, "Connection refused")
    try:
        heard = base64.b64decode(encoded, validate=True)
        if not heard and words_for(service):
            return TargetSilent(place, "accepts and says nothing")
        return understood(service, heard, place)
    except PortError as error:
        return error
    except ValueError:
        return CannotLook(place, f"no base64 but {encoded[:80]!r}")

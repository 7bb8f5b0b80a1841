"""The eyes of the ports, over the simulated tower."""

from collections.abc import Sequence
from pathlib import Path

import anyio

from healer.model.cluster import (
    DaemonSet,
    Deployment,
    Event,
    Listing,
    Node,
    Pod,
    Readiness,
    ServicePort,
)
from healer.model.container import Container, PortBinding
from healer.model.machine import (
    Forwarder,
    GuestFacts,
    Hostagent,
    Mux,
    MuxState,
    ProcessInfo,
    Unit,
    VmStatus,
)
from healer.ports import NotThere, TargetIll
from healer.simulation import objects
from healer.simulation.physics import Tower

PUBLISHED = (6379, 8108, 8288, 8289, 3838, 7880, 7881, 9627, 6443, 50000)
"""The owner's published ports (facts/incidents.md §6)."""


class SimulatedClock:
    """The tower's virtual time."""

    def __init__(self, tower: Tower) -> None:
        self._tower = tower

    def now(self) -> float:
        """Virtual seconds."""
        return self._tower.now()

    def awake(self) -> float:
        """Virtual seconds without the Mac's sleep."""
        return self._tower.now() - self._tower.slept

    def wall(self) -> float:
        """Virtual epoch seconds."""
        return self._tower.wall()

    def boot_id(self) -> str:
        """One boot of the Mac a run."""
        return f"boot-{self._tower.mac_booted_at:.0f}"

    async def sleep(self, seconds: float) -> None:
        """Wait on virtual time."""
        await anyio.sleep(seconds)


class SimulatedHost:
    """A Mac with everything installed, and no rival."""

    def __init__(self, tower: Tower) -> None:
        self._tower = tower

    def tool(self, name: str) -> Path | None:
        """Homebrew has them all."""
        return Path("/opt/homebrew/bin") / name

    async def processes(self) -> Sequence[ProcessInfo]:
        """Only what belongs to the VM."""
        self._tower.now()
        if not self._tower.machine.on:
            return ()
        command = "limactl hostagent --pidfile ha.pid --socket ha.sock colima"
        return (ProcessInfo(12_695, 1, "joel", 60.0, command),)

    def boot_time(self) -> float:
        """Epoch seconds."""
        return self._tower.wall(self._tower.mac_booted_at)

    def disk_free(self) -> int:
        """Plenty."""
        return 200 * 2**30

    async def loaded_rivals(self) -> Sequence[str]:
        """None."""
        return ()


class SimulatedVm:
    """Colima's files, hostagent and `colima list`."""

    def __init__(self, tower: Tower) -> None:
        self._tower = tower

    async def hostagent(self) -> Hostagent:
        """What the instance folder says."""
        await anyio.sleep(0.01)
        now, machine = self._tower.now(), self._tower.machine
        return Hostagent(
            created=machine.created,
            pid=12_695 if machine.on or "ha.pid" in machine.leftovers else None,
            pid_alive=machine.on,
            pid_is_ours=machine.on,
            pid_file_stale="ha.pid" in machine.leftovers and machine.leftovers_stale,
            answers=machine.on,
            ssh_port=machine.ssh_port if machine.on else None,
            ready=machine.ready,
            leftovers=machine.leftovers,
            stopped_ago=None if machine.on else now - machine.changed_at,
            ran_this_boot=machine.changed_at > self._tower.mac_booted_at,
        )

    async def status(self) -> VmStatus:
        """`colima list --json` takes a moment."""
        await anyio.sleep(0.3)
        self._tower.now()
        return VmStatus(self._tower.machine.listed)

    def forwarder(self) -> Forwarder:
        """The owner's profile says grpc (facts/incidents.md §2)."""
        return Forwarder.GRPC


class SimulatedGuest:
    """The VM by direct ssh."""

    def __init__(self, tower: Tower) -> None:
        self._tower = tower

    async def banner(self) -> str:
        """sshd's first words."""
        await anyio.sleep(0.02)
        self.require_ssh("ssh banner")
        return "SSH-2.0-OpenSSH_9.6p1"

    def require_ssh(self, place: str) -> None:
        """Refuse as a closed port does."""
        self._tower.now()
        if not self._tower.machine.ssh:
            raise TargetIll(place, "Connection refused")

    async def facts(self) -> GuestFacts:
        """One round trip."""
        await anyio.sleep(0.2)
        self.require_ssh("ssh lima-colima")
        now, machine = self._tower.now(), self._tower.machine
        return GuestFacts(
            uptime=now - machine.booted_at,
            clock=self._tower.wall(),
            asked_at=self._tower.wall(),
            bridge_netfilter=machine.module,
            vxlan=machine.module,
            persisted=machine.persisted,
            disk_used=0.41,
            engine_answers=machine.engine,
            docker=Unit(machine.engine_unit, "success"),
            container_status=self._tower.box.status if machine.engine else "",
            api_answers=self._tower.cluster.api,
            open_ports=open_ports(self._tower),
        )


def open_ports(tower: Tower) -> frozenset[int]:
    """Published ports behind which something answers, as the VM sees them."""
    if tower.box.status != "running" or not tower.machine.engine:
        return frozenset()
    serving = {one.port for one in tower.cluster.workloads if one.up and one.port}
    return frozenset({*serving, *({6443} if tower.cluster.api else ())})


class SimulatedForward:
    """Lima's mux."""

    def __init__(self, tower: Tower) -> None:
        self._tower = tower

    async def mux(self) -> Mux:
        """Whether a master lives."""
        await anyio.sleep(0.02)
        self._tower.now()
        pid = self._tower.machine.mux_pid
        return Mux(MuxState.DEAD if pid is None else MuxState.LIVE, pid)


class SimulatedEngine:
    """Docker through docker.sock."""

    def __init__(self, tower: Tower) -> None:
        self._tower = tower

    async def ping(self) -> None:
        """`/_ping`."""
        await anyio.sleep(0.005)
        self.require_engine("docker.sock /_ping")

    def require_engine(self, place: str) -> None:
        """Refuse as a dead forward, or reset as a dead engine behind a live one."""
        self._tower.now()
        if not self._tower.machine.forward:
            raise TargetIll(place, "Connection refused")
        if not self._tower.machine.engine:
            raise TargetIll(place, "Connection reset by peer")

    async def container(self) -> Container:
        """`docker inspect`, without Env."""
        await anyio.sleep(0.01)
        self.require_engine("docker inspect")
        now, box = self._tower.now(), self._tower.box
        if box.status == "missing":
            raise NotThere("docker inspect", f"No such container: {objects.NODE}")
        started = None if box.started_at is None else now - box.started_at
        return Container(
            id=box.id,
            name=objects.NODE,
            status=box.status,
            exit_code=box.exit_code,
            error=box.error,
            started_ago=started,
            finished_ago=None if box.finished_at is None else now - box.finished_at,
            started_at=objects.stamp(self._tower.wall(box.started_at or 0.0)),
            restart_policy=box.restart_policy,
            memory=box.memory,
            memory_swap=box.memory,
            oom_killed=False,
            ports=tuple(PortBinding(port, "0.0.0.0", port) for port in PUBLISHED),  # noqa: S104  (as published on the Mac)
            labels={"talos.owned": "true", "talos.cluster.name": "joelclaw"},
            addresses=("10.5.0.2",),
        )

    async def stopped_by_human_ago(self, container: Container) -> float | None:
        """From Docker's events, which a reboot of the VM forgets."""
        await anyio.sleep(0.01)
        return container.finished_ago if self._tower.box.stopped_by_human else None


class SimulatedCluster:
    """The Kubernetes API."""

    def __init__(self, tower: Tower) -> None:
        self._tower = tower

    async def _ask(self, place: str) -> None:
        await anyio.sleep(0.02)
        self._tower.now()
        if not (self._tower.cluster.api and self._tower.machine.port_forwards):
            raise TargetIll(place, "Connection refused")

    async def readiness(self) -> Readiness:
        """`/readyz`."""
        await self._ask("GET /readyz")
        return Readiness(ready=True, port=6443, detail="ok", certificate_days=300.0)

    async def node(self) -> Listing[Node]:
        """The node."""
        await self._ask("GET node")
        return Listing((objects.node(self._tower),), self._tower.wall())

    async def pods(self) -> Listing[Pod]:
        """All pods."""
        await self._ask("GET pods")
        return Listing(tuple(objects.pods(self._tower)), self._tower.wall())

    async def warnings(self) -> Listing[Event]:
        """FailedCreatePodSandBox events of the last hour."""
        await self._ask("GET events")
        failures = self._tower.cluster.sandbox_failures.values()
        events = tuple(objects.sandbox_event(self._tower, one) for one in failures)
        return Listing(events, self._tower.wall())

    async def flannel(self) -> Listing[DaemonSet]:
        """kube-flannel."""
        await self._ask("GET daemonset")
        return Listing((objects.daemonset(self._tower),), self._tower.wall())

    async def livekit(self) -> Listing[Deployment]:
        """livekit-server."""
        await self._ask("GET deployment")
        return Listing((objects.livekit(self._tower),), self._tower.wall())

    async def services(self) -> Listing[ServicePort]:
        """NodePorts."""
        await self._ask("GET services")
        listed = (objects.service(one) for one in self._tower.cluster.workloads)
        return Listing(tuple(one for one in listed if one is not None), self._tower.wall())

    async def owner_exists(self, pod: Pod) -> bool:
        """Controllers outlive everything here; one of another uid never was."""
        await self._ask("GET owner")
        owners = {one.owner.uid for one in objects.pods(self._tower) if one.owner is not None}
        return pod.owner is not None and pod.owner.uid in owners


_ANSWERS = {6379: "+PONG", 7880: "OK", 8108: '{"ok":true}', 8288: '{"status":200}'}


class SimulatedPublished:
    """Published ports from the Mac."""

    def __init__(self, tower: Tower) -> None:
        self._tower = tower

    async def speak(self, port: int, protocol: str, path: str, expect: str) -> str:
        """Speak the protocol; through a dead forward nothing listens."""
        await anyio.sleep(0.01)
        self._tower.now()
        place = f"{protocol} 127.0.0.1:{port}{path}"
        if not self._tower.machine.port_forwards:
            raise TargetIll(place, "Connection refused")
        if port - port % 10 == 7880 and 7880 in open_ports(self._tower):  # noqa: PLR2004  (LiveKit's pair of ports)
            return "OK"
        if port not in open_ports(self._tower):
            raise TargetIll(place, "Connection reset by peer")
        return _ANSWERS.get(port, expect)

    async def listener_is_ours(self, port: int) -> bool:
        """The hostagent listens for what is published."""
        return self._tower.machine.on and port in PUBLISHED

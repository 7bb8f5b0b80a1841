"""The Talos container as Docker describes it, without its Env (it holds CA keys)."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class PortBinding:
    """One published port."""

    container_port: int
    host_ip: str
    host_port: int
    protocol: str = "tcp"


@dataclass(frozen=True, slots=True)
class Container:
    """What `docker inspect` says of a container, as far as healer may know it."""

    id: str
    name: str
    status: str
    """State.Status: created, running, paused, restarting, exited, dead, removing."""
    exit_code: int
    error: str
    """State.Error: Docker's words about the last failed start."""
    started_ago: float | None
    """Seconds since State.StartedAt; None if it never started."""
    finished_ago: float | None
    """Seconds since State.FinishedAt; None if it never ended."""
    started_at: str
    """State.StartedAt, verbatim: the identity of this run."""
    restart_policy: str
    memory: int
    """HostConfig.Memory in bytes; 0 = no limit."""
    memory_swap: int
    oom_killed: bool
    ports: tuple[PortBinding, ...] = ()
    labels: dict[str, str] = field(default_factory=dict)
    addresses: tuple[str, ...] = ()
    """Its addresses in Docker's networks, as the VM reaches it."""

    @property
    def running(self) -> bool:
        """Whether its init runs; says nothing about the cluster inside."""
        return self.status == "running"

    def host_port(self, container_port: int) -> int | None:
        """The Mac's port for a port of the container, or None when it is not published."""
        for one in self.ports:
            if one.container_port == container_port and one.host_port:
                return one.host_port
        return None

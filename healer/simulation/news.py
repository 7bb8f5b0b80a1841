"""Everything that a daemon listens to, over the simulated tower (wiring/real.py)."""

from collections.abc import Callable

from healer.core.tower import Layer
from healer.ports import EngineDoor, News, Wake
from healer.simulation.ears import Mark, Topic
from healer.simulation.forwards import Way
from healer.simulation.physics import Tower

_VM = frozenset({Layer.COLIMA, Layer.SSH, Layer.DOCKER})
_DOCKER = frozenset({Layer.DOCKER})
_NODE = frozenset({Layer.NODE, Layer.TALOS})
_FLANNEL = frozenset({Layer.FLANNEL})
_LIVEKIT = frozenset({Layer.LIVEKIT})
_PODS = frozenset({Layer.PODS, Layer.FLANNEL, Layer.LIVEKIT})


class SimulatedNews:
    """ports.News over one topic."""

    def __init__(self, tower: Tower, topic: Topic) -> None:
        self.name = topic.name
        self.layers = topic.layers
        self._tower = tower
        self._topic = topic

    async def listen(self, wake: Wake) -> None:
        """Until the connection ends or breaks. Raises TargetIll, TargetSilent."""
        await self._tower.ears.hear(self._topic, wake)


class SimulatedDockerEvents:
    """ports.News over Docker's events, whose every connect knocks at the engine's door."""

    def __init__(self, tower: Tower, door: EngineDoor | None) -> None:
        self._tower = tower
        self._door = door
        self._topic = _docker_events(tower)
        self.name, self.layers = self._topic.name, self._topic.layers

    async def listen(self, wake: Wake) -> None:
        """Until the connection ends or breaks. Raises NotAsked, TargetIll, TargetSilent."""
        door, tower = self._door, self._tower
        if door is None:
            _knock(tower)
            await tower.ears.hear(self._topic, wake)
            return
        await door.enter(self.name)
        _knock(tower)
        listening = False

        def heard(layers: frozenset[Layer]) -> None:
            nonlocal listening
            if not listening:
                listening = True
                door.listening(begins=True)
            door.forget()
            wake(layers)

        try:
            await tower.ears.hear(self._topic, heard)
        finally:
            if listening:
                door.listening(begins=False)


def _knock(tower: Tower) -> None:
    if tower.machine.to_socket() is Way.OPEN:
        tower.dockerd.touched()


class SimulatedResidentNews:
    """ports.News: a long ssh whose end tells of the VM's; it is made anew in silence."""

    name = "resident ssh"
    layers = frozenset({Layer.COLIMA, Layer.SSH})

    def __init__(self, tower: Tower) -> None:
        machine = tower.machine
        self._tower = tower
        self._topic = Topic(
            self.name,
            frozenset(),
            self.layers,
            lambda: machine.to_ssh() is Way.REFUSED,
            lambda: Way.OPEN,
            breaks=False,
        )

    async def listen(self, wake: Wake) -> None:
        """For ever."""
        await self._tower.ears.hear(self._topic, wake)


def news_of(tower: Tower, door: EngineDoor | None = None) -> tuple[News, ...]:
    """Docker's events, a watch for each kind of object, the files of the VM, and the long ssh."""
    return (
        SimulatedDockerEvents(tower, door),
        *(SimulatedNews(tower, one) for one in _watches(tower)),
        *(SimulatedNews(tower, one) for one in _files(tower)),
        SimulatedResidentNews(tower),
    )


def _docker_events(tower: Tower) -> Topic:
    def reached() -> Way:
        way = tower.machine.to_socket()
        return way if tower.dockerd.up or way is Way.SILENT else Way.REFUSED

    return Topic(
        "docker events",
        frozenset({Layer.DOCKER, Layer.TALOS}),
        frozenset({Layer.TALOS, Layer.APISERVER}),
        lambda: tower.box.heard,
        reached,
    )


def _watches(tower: Tower) -> tuple[Topic, ...]:
    objects, cluster = tower.objects, tower.cluster
    server = frozenset({Layer.APISERVER})

    def reached() -> Way:
        way = tower.machine.to_port(cluster.api.port)
        if way is not Way.OPEN:
            return way
        refused = not (tower.box.running and cluster.api.up) or cluster.api.unauthorized
        if refused or tower.troubles.api_errors:
            return Way.REFUSED
        return Way.SILENT if tower.troubles.api_silent else Way.OPEN

    def watch(
        path: str, layers: frozenset[Layer], mark: Callable[[], Mark], link: frozenset[Layer]
    ) -> Topic:
        return Topic(f"watch {path}", layers | link, layers, mark, reached)

    nothing: frozenset[Layer] = frozenset()
    return (
        watch("/api/v1/nodes", _NODE, lambda: cluster.node.version, server),
        watch("/api/v1/pods", _PODS, objects.pods, nothing),
        watch("/apis/apps/v1/daemonsets", _FLANNEL, objects.flannel, nothing),
        watch("/apis/apps/v1/deployments", _LIVEKIT, objects.livekit, nothing),
        watch("/api/v1/events", _FLANNEL, objects.warnings, nothing),
    )


def _files(tower: Tower) -> tuple[Topic, ...]:
    """Files are looked at each second and never read: they cannot break."""

    def file(name: str, about: frozenset[Layer], mark: Callable[[], Mark]) -> Topic:
        return Topic(name, frozenset(), about, mark, lambda: Way.OPEN, breaks=False)

    return (
        file("file ha.pid", _VM, lambda: tower.machine.file),
        file("file docker.sock", _DOCKER, lambda: tower.forwards.file),
        file(
            "file kubeconfig",
            frozenset({Layer.HOST, Layer.APISERVER}),
            lambda: (tower.cluster.api.kubeconfig_port, tower.mac.papers.current),
        ),
        file(
            "file talosconfig",
            frozenset({Layer.HOST}),
            lambda: tower.mac.papers.talos_port,
        ),
    )

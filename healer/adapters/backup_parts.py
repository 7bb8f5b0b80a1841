"""What a backup gathers, part by part: one that fails is named, and the others are saved."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final

import yaml

from healer.adapters.backup_files import StrangeFile, close_to_others, take_away, write_new
from healer.adapters.cluster_tools import ClusterTools
from healer.adapters.kubeconfig import read_kubeconfig
from healer.adapters.sqlite_check import is_sqlite, why_not_whole
from healer.adapters.talos_machine import text_in
from healer.plans import names, objects, reading
from healer.plans.container import NotUnderstood, Shape, shape_of
from healer.plans.manifest import Failure
from healer.plans.reading import KubeAccess
from healer.ports import CannotLook, EngineDoor, PortError, TargetIll

Json = Any
"""Whatever JSON can hold."""
_COPIES: Final = 3
"""Tries to copy databases that are written to meanwhile, until a copy is whole."""


@dataclass(frozen=True, slots=True)
class Pds:
    """Where the PDS keeps its databases."""

    namespace: str
    deployment: str
    selector: str | None
    """None: the Deployment's own."""
    path: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be saved, and where to ask for it."""

    container: str
    socket: Path
    kubeconfig: Path
    talosconfig: Path
    api_port: int
    """In the container, as the next one."""
    talos_port: int
    namespaces: tuple[str, ...]
    releases: tuple[tuple[str, str], ...]
    """Namespace and name."""
    pds: Pds | None


@dataclass(slots=True)
class Gathering:
    """One backup in the making."""

    tools: ClusterTools
    wanted: Wanted
    draft: Path
    tell: Callable[[str], None]
    door: EngineDoor
    failures: list[Failure] = field(default_factory=list)
    shape: Shape | None = None
    access: KubeAccess | None = None

    async def all(self) -> list[Failure]:
        """Every part in turn; what could not be saved."""
        await self._part("container", self._container)
        await self._part("machine config", self._machine_config)
        await self._part("helm repositories", self._repositories)
        await self._part("kubernetes", self._connect)
        if self.access is not None:
            await self._in_the_cluster(self.access)
        return self.failures

    async def _in_the_cluster(self, access: KubeAccess) -> None:
        await self._part("cluster objects", partial(self._cluster, access))
        for one in self.wanted.namespaces:
            await self._part(f"objects of {one}", partial(self._objects, access, one))
        await self._part("helm releases", partial(self._releases, access))
        for space, name in self.wanted.releases:
            await self._part(
                f"helm values of {space}/{name}",
                partial(self._values, access, space, name),
            )
        if self.wanted.pds is not None:
            pds = self.wanted.pds
            await self._part("PDS databases", partial(self._pds, access, pds))

    async def _part(self, name: str, save: Callable[[], Awaitable[None]]) -> None:
        try:
            await save()
        except (PortError, NotUnderstood, OSError) as error:
            why = error.strerror or str(error) if isinstance(error, OSError) else str(error)
            self.failures.append(Failure(name, why))
            self.tell(f"not saved: {name}: {why}")
        else:
            self.tell(f"saved: {name}")

    async def _container(self) -> None:
        argv = reading.inspect_container(self.wanted.socket, self.wanted.container)
        await self.door.enter("docker inspect")
        said = await self.tools.ask(argv)
        self.shape = shape_of(said)
        self._write(names.CONTAINER, said.encode())

    async def _machine_config(self) -> None:
        port = None if self.shape is None else self.shape.host_port(self.wanted.talos_port)
        if self.shape is None or port is None:
            raise CannotLook("talosctl", f"docker names no port for {self.wanted.talos_port}/tcp")
        node = self.shape.address or "127.0.0.1"
        argv = reading.get_machine_config(self.wanted.talosconfig, port, node)
        config = text_in(await self.tools.ask(argv))
        self._write(names.MACHINE_CONFIG, config.encode())

    async def _repositories(self) -> None:
        said = await self.tools.ask(reading.list_repositories())
        self._write(names.REPOSITORIES, _listed(said, "helm repo list").encode())

    async def _connect(self) -> None:
        published = None if self.shape is None else self.shape.host_port(self.wanted.api_port)
        refused = ""
        for context in read_kubeconfig(self.wanted.kubeconfig).contexts:
            port = published or context.port
            if port is None:
                continue
            access = KubeAccess(self.wanted.kubeconfig, context.name, port)
            try:
                await self.tools.ask(reading.get_node(access, self.wanted.container))
            except TargetIll as error:
                refused = f"; {context.name}: {error.detail}"
            else:
                self.access = access
                return
        node = self.wanted.container
        raise CannotLook("kubectl", f"no context of {self.wanted.kubeconfig} finds {node}{refused}")

    async def _cluster(self, access: KubeAccess) -> None:
        items = objects.items_of(await self.tools.ask(reading.get_cluster_objects(access)))
        self._write(names.CLUSTER, objects.document(objects.restorable(items)))

    async def _objects(self, access: KubeAccess, namespace: str) -> None:
        items = objects.items_of(await self.tools.ask(reading.get_objects(access, namespace)))
        data = objects.document(objects.restorable(items))
        self._write(names.objects_of(namespace), data)
        inside = [names.summary(one) for one in items if one["kind"] in names.SUMMED]
        data = (json.dumps(inside, indent=1, sort_keys=True) + "\n").encode()
        self._write(names.inventory_of(namespace), data)

    async def _releases(self, access: KubeAccess) -> None:
        said = await self.tools.ask(reading.list_releases(access))
        self._write(names.RELEASES, _listed(said, "helm list").encode())

    async def _values(self, access: KubeAccess, namespace: str, name: str) -> None:
        said = await self.tools.ask(reading.get_values(access, namespace, name))
        if not isinstance(_yaml(said, "helm get values"), dict | None):
            raise NotUnderstood("helm get values: the answer is no table")
        self._write(names.values_of(namespace, name), said.encode())

    async def _pds(self, access: KubeAccess, pds: Pds) -> None:
        selector = pds.selector or await self._selector(access, pds)
        pod = await self._pod(access, pds, selector)
        name = str(pod["metadata"]["name"])
        folder, wrong = self.draft / names.PDS, "nothing was copied"
        try:
            for _ in range(_COPIES):
                if folder.exists():
                    take_away(folder)
                argv = reading.copy_from(access, pds.namespace, name, pds.path, folder)
                await self.tools.ask(argv)
                wrong = _why_not_whole(folder, self.tools.deadline)
                if not wrong:
                    break
        except StrangeFile:
            take_away(folder)  # what is not a plain file could lead anywhere
            raise
        if not folder.is_dir():
            raise TargetIll("kubectl", f"cp copied no folder {pds.path} out of {name}")
        close_to_others(folder)
        facts = {"claim": names.claim_at(pod, pds.path), "path": pds.path}
        told = {"namespace": pds.namespace, "deployment": pds.deployment, **facts}
        self._write(names.PDS_FACTS, (json.dumps(told, indent=1, sort_keys=True) + "\n").encode())
        if wrong:
            raise TargetIll("PDS", f"{wrong}, in each of {_COPIES} copies")

    async def _selector(self, access: KubeAccess, pds: Pds) -> str:
        said = await self.tools.ask(reading.get_deployment(access, pds.namespace, pds.deployment))
        labels = names.match_labels(said)
        return ",".join(f"{key}={value}" for key, value in sorted(labels.items()))

    async def _pod(self, access: KubeAccess, pds: Pds, selector: str) -> Json:
        said = await self.tools.ask(reading.get_pods(access, pds.namespace, selector))
        running = [
            one
            for one in objects.items_of(said)
            if (one.get("status") or {}).get("phase") == "Running"
            and "deletionTimestamp" not in one["metadata"]
        ]
        if len(running) != 1:
            where = f"{selector} in {pds.namespace}"
            raise CannotLook("PDS", f"{len(running)} running pods of {where}, should be one")
        return running[0]

    def _write(self, name: str, data: bytes) -> None:
        write_new(self.draft / name, data)


def _listed(said: str, what: str) -> str:
    try:
        good = isinstance(json.loads(said), list)
    except (ValueError, RecursionError):
        good = False
    if not good:
        raise NotUnderstood(f"{what}: the answer is no list")
    return said


def _yaml(said: str, what: str) -> Json:
    try:
        return yaml.safe_load(said)
    except (yaml.YAMLError, RecursionError):
        # Not chained: a YAML error quotes the line, which may hold a key.
        raise NotUnderstood(f"{what}: the answer is no YAML") from None


def _why_not_whole(folder: Path, seconds: float) -> str:
    """Of the databases in a copied folder; a copy without any is not what is wanted either."""
    if not folder.is_dir():
        return "no folder came"
    close_to_others(folder)
    databases = [one for one in sorted(folder.rglob("*")) if one.is_file() and is_sqlite(one)]
    for one in databases:
        if why := why_not_whole(one, seconds):
            return f"{one.relative_to(folder)}: {why}"
    return "" if databases else "no SQLite database is in it"

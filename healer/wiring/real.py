"""The outside of this Mac, and a pass over it with its journal and its lock."""

import os
import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from healer import __version__
from healer.adapters.api_port import API_PORT, ApiPort
from healer.adapters.clock import SystemClock
from healer.adapters.cluster_tools import ClusterTools
from healer.adapters.colima_commands import ColimaCommands
from healer.adapters.colima_eyes import ColimaEyes
from healer.adapters.colima_files import configured_ssh_port, driver_lives, resolve_root
from healer.adapters.colima_files import ours as our_processes
from healer.adapters.colima_hands import ColimaHands
from healer.adapters.colima_info import hostagent_info
from healer.adapters.colima_settling import Settling
from healer.adapters.docker import DockerEngine
from healer.adapters.docker_events import DockerEvents
from healer.adapters.file_news import FileNews
from healer.adapters.front import Front
from healer.adapters.guest_script import Question
from healer.adapters.host import HostAdapter
from healer.adapters.journal import SqliteJournal
from healer.adapters.kubernetes import KubernetesCluster, Names
from healer.adapters.launchctl import Launchctl
from healer.adapters.launchd_jobs import LaunchdJobs
from healer.adapters.listeners import Listeners
from healer.adapters.lock import WriterLock
from healer.adapters.mux import LimaForward
from healer.adapters.paths import RealPath
from healer.adapters.process import ProcessRunner
from healer.adapters.published import PublishedPorts
from healer.adapters.ssh import DirectSsh, SshGuest
from healer.adapters.ssh_resident import ResidentGuest, ResidentNews
from healer.adapters.talos_machine import TalosMachine
from healer.core.ledger import Ledger
from healer.core.policy import Policy
from healer.core.tower import Layer
from healer.engine.listening import untold
from healer.engine.passing import Mode, Pass
from healer.engine.quiet import BrokenJournal, Snapshot
from healer.engine.recording import EvidenceRecorder
from healer.engine.telling import Listener
from healer.model.launchd import rivals_of
from healer.model.machine import ColimaPaths, known_ssh_port
from healer.model.published import POD
from healer.ports import Clock, HostEyes, Journal, JournalError
from healer.probes.ages import AGES
from healer.probes.door import EngineDoor
from healer.settings import Settings
from healer.settings.places import Places, places_of
from healer.settings.policy import policy_of
from healer.wiring.credentials import credentials_of
from healer.wiring.front import authorities_of
from healer.wiring.parts import OurChildren, Outside, parts_of

_TALOSCTL_SECONDS: Final = 2.5
"""Less than what a look at the set-up waits for all its answers."""
_AT_ONCE: Final = 0.2
"""Seconds between TERM and KILL of a tool that only prints: nobody waits for one that hangs."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A pass that is ready to run, and what must be said before it."""

    one_pass: Pass
    policy: Policy
    warnings: tuple[str, ...]
    close: Callable[[], Awaitable[None]]
    """Lets go of journal, lock and connections."""


def _unsaid(line: str) -> None:
    """Nobody watches the progress of a start."""
    del line


@dataclass(frozen=True, slots=True)
class Manner:
    """How the outside is asked."""

    environment: Mapping[str, str]
    """What HOME, PATH and the rest are for us and our children."""
    progress: Callable[[str], None] = _unsaid
    """Told each line of a long start."""
    resident: bool = False
    """Ask the VM over one ssh that lives on, as a daemon does."""


def prepare(
    settings: Settings,
    listener: Listener,
    mode: Mode,
    *,
    progress: Callable[[str], None] = lambda _: None,
    environment: Mapping[str, str] = os.environ,
) -> Prepared:
    """Wire one pass over the real tower."""
    places = places_of(settings, environment, Path(environment.get("HOME", str(Path.home()))))
    run = f"{SystemClock().wall():.0f}-{secrets.token_hex(2)}"
    policy = policy_of(settings, run=run, one_pass=True)
    keeping = _keep(places, mode)
    if keeping.no_acts_because:
        policy = replace(policy, no_acts_because=keeping.no_acts_because)
    children = OurChildren(keeping.journal, os.getpid())
    manner = Manner(environment, progress)
    outside = real_outside(settings, places, children, manner)
    parts = parts_of(outside, settings, keeping.journal, listener, children)
    if keeping.recorder is not None:
        parts = replace(parts, began=keeping.recorder.began, stepped=keeping.recorder.stepped)

    async def close() -> None:
        try:
            await outside.close()
        finally:
            keeping.close()

    warnings = _warnings(keeping, outside.clock)
    return Prepared(Pass(parts, policy, mode), policy, warnings, close)


def _warnings(keeping: "_Keeping", clock: Clock) -> tuple[str, ...]:
    """Why nothing may be done, and whose word keeps parts of the tower from being touched."""
    if keeping.no_acts_because:
        return (keeping.no_acts_because,)
    try:
        pauses = keeping.journal.ledger().pauses
    except JournalError as error:
        return (str(error),)
    return tuple(
        f"{one.scope or 'everything'} is paused by {one.author}: {one.reason}"
        for one in pauses
        if one.until is None or one.until > clock.now()
    )


def real_outside(
    settings: Settings,
    places: Places,
    children: OurChildren,
    manner: Manner,
) -> Outside:
    """The Mac that we run on."""
    environment = manner.environment
    home = Path(environment.get("HOME", str(Path.home())))
    path = ":".join(settings.files.path) or environment.get("PATH", "")
    children_environment = {**environment, "PATH": path, "HOME": str(home)}
    clock, runner = SystemClock(), ProcessRunner()
    paths = ColimaPaths(
        places.colima_home or resolve_root(environment, home), settings.tower.profile
    )
    rivals = rivals_of(paths.instance_name)
    host = HostAdapter(runner, places.state, path=path, rivals=rivals)
    commands = ColimaCommands(runner, paths, host, children_environment)
    vm = ColimaEyes(commands)
    vm_hands = ColimaHands(
        commands, Settling(vm, clock), children, places.state / "runs", progress=manner.progress
    )
    ssh = DirectSsh(runner, paths, children_environment, _ssh_port_of(paths, host))
    hands = SshGuest(ssh, _question(settings))
    eyes = ResidentGuest(ssh, _question(settings)) if manner.resident else hands
    door = EngineDoor(eyes, clock)
    forward = LimaForward(runner, paths, children_environment, host, door)
    tower = settings.tower
    engine = DockerEngine(paths.docker_socket, tower.container, tower.cluster, door)
    cluster = KubernetesCluster(
        places.kubeconfig,
        _names(settings),
        ApiPort(engine, door, children.journal, settings.tower.api_port),
    )
    watched = cluster.watched(clock)
    ours = our_processes(paths)
    published = PublishedPorts(Listeners(host, ours))
    tool = host.tool("launchctl")
    launchctl = None if tool is None else Launchctl(runner, tool, path)
    jobs = LaunchdJobs(launchctl, os.getuid(), published)
    return Outside(
        clock=clock,
        host=host,
        ours=ours,
        vm=vm,
        vm_hands=vm_hands,
        guest=door,
        door=door,
        guest_hands=hands,
        forward=forward,
        forward_hands=forward,
        engine=engine,
        engine_hands=engine,
        cluster=cluster,
        cluster_hands=cluster,
        published=published,
        path=RealPath(published, ssh, engine, cluster),
        credentials=credentials_of(settings, places, home, clock),
        front=Front(
            ProcessRunner(term_grace=_AT_ONCE),
            host,
            children_environment,
            authorities_of(settings, home),
        ),
        setup=cluster.setup(),
        talos=TalosMachine(
            ClusterTools(runner, path, environment, _TALOSCTL_SECONDS),
            places.talosconfig,
            engine,
            tower.talos_port,
        ),
        jobs=jobs,
        job_hands=jobs,
        close=_closing(cluster, eyes),
        news=(
            DockerEvents(paths.docker_socket, tower.container, door),
            *watched.news,
            FileNews(_files(paths, places), clock),
            *([ResidentNews(eyes)] if isinstance(eyes, ResidentGuest) else []),
        ),
        watched=watched.eyes,
    )


def _closing(
    cluster: KubernetesCluster, guest: SshGuest | ResidentGuest
) -> Callable[[], Awaitable[None]]:
    async def close() -> None:
        await cluster.close()
        if isinstance(guest, ResidentGuest):
            await guest.close()

    return close


def _files(paths: ColimaPaths, places: Places) -> Mapping[Path, frozenset[Layer]]:
    """What a start, an end or a break of the VM, its forwards or the kubeconfig changes."""
    vm = frozenset({Layer.COLIMA, Layer.SSH, Layer.DOCKER})
    return {
        paths.instance / "ha.pid": vm,
        paths.instance / "ssh.sock": frozenset({Layer.DOCKER}),
        paths.docker_socket: frozenset({Layer.DOCKER}),
        places.kubeconfig: frozenset({Layer.HOST, Layer.APISERVER}),
        places.talosconfig: frozenset({Layer.HOST}),
    }


def _ssh_port_of(paths: ColimaPaths, host: HostEyes) -> Callable[[], Awaitable[int | None]]:
    """By the hostagent: who it is does not matter to a question that proves itself."""

    async def port() -> int | None:
        info = await hostagent_info(paths.instance / "ha.sock")
        if info is not None and info.ssh_port is not None:
            return info.ssh_port
        lives = driver_lives(await host.processes(), paths)
        return known_ssh_port(None, configured_ssh_port(paths), driver_alive=lives)

    return port


def _names(settings: Settings) -> Names:
    tower, livekit = settings.tower, settings.livekit
    return Names(
        tower.container,
        (tower.flannel_namespace, tower.flannel_daemonset),
        (livekit.namespace, livekit.deployment),
    )


def _question(settings: Settings) -> Question:
    carried = (one.host_port for one in settings.services if one.where == POD)
    ports = {*carried} - set(settings.tower.reserved_ports)
    return Question(settings.tower.container, settings.tower.api_port, tuple(sorted(ports)))


@dataclass(frozen=True, slots=True)
class _Keeping:
    """The journal of this run, and why nothing may be done if it cannot be kept."""

    journal: Journal
    no_acts_because: str
    close: Callable[[], None]
    recorder: EvidenceRecorder | None = None
    """None for a run that leaves no trace."""


def _keep(places: Places, mode: Mode) -> _Keeping:
    """Open what this kind of run needs; a rehearsal or a look leaves no trace."""
    clock = SystemClock()
    if mode is not Mode.HEAL:
        return _looking(places, clock, "")
    lock = WriterLock(places.lock)
    try:
        holder = lock.acquire()
        if holder is not None:
            who = f"another healer (pid {holder or 'unknown'}) is at work: looking only"
            return _looking(places, clock, who)
        journal = SqliteJournal.open(places.journal, clock)
    except JournalError as error:
        lock.release()
        return _Keeping(BrokenJournal(error), str(error), lambda: None)

    def close() -> None:
        journal.close()
        lock.release()

    recorder = EvidenceRecorder(journal, untold, __version__)
    return _Keeping(journal, "", close, recorder)


def _looking(places: Places, clock: Clock, why: str) -> _Keeping:
    """What the journal holds now; nothing is added to it."""
    journal: Journal = Snapshot(Ledger())
    try:
        kept = SqliteJournal.for_reading(places.journal, clock)
        if kept is not None:
            journal = Snapshot(kept.ledger(), _known(kept))
            kept.close()
    except JournalError as error:
        journal = BrokenJournal(error)
    return _Keeping(journal, why, lambda: None)


def _known(journal: SqliteJournal) -> dict[str, str]:
    known = {word: journal.known(word) for word in (API_PORT, *AGES)}
    return {word: value for word, value in known.items() if value is not None}

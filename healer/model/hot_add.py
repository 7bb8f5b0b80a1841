"""The hot-add of a published port, as data: its steps, their proofs, and how far one has come.

The order is that of facts/talos-kubernetes.md §9: dockerd writes both files from memory whenever
it likes, so they may only be changed while it is down, and its socket must be stopped before it,
since any client that touches the socket starts it again.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from healer.core.word import Word
from healer.model.container import PortBinding
from healer.model.port_edit import WantedPort


class Step(Word):
    """One step, in the order in which they are taken."""

    PAUSE = "pause"
    STOP_CONTAINER = "stop the container"
    STOP_DOCKER = "stop docker"
    SAVE = "save both files"
    EDIT = "edit both files"
    START_DOCKER = "start docker"
    CHECK = "check the bindings"
    START_CONTAINER = "start the container"
    VERIFY = "verify"
    RESUME = "resume"


@dataclass(frozen=True, slots=True)
class Words:
    """What a step does, what proves it, and how it is undone."""

    does: str
    proof: str
    undo: str


STEPS: Final[Mapping[Step, Words]] = {
    Step.PAUSE: Words(
        "pause healer for all layers", "the journal has the pause and no act is under way", "resume"
    ),
    Step.STOP_CONTAINER: Words(
        "stop the container with 120 s of patience", "Docker says exited", "start the container"
    ),
    Step.STOP_DOCKER: Words(
        "stop docker.socket, then docker.service",
        "systemd says that neither is active",
        "start both",
    ),
    Step.SAVE: Words(
        "copy both files to the Mac, 0600", "their SHA-256 as the VM says it", "nothing to undo"
    ),
    Step.EDIT: Words(
        "write both files beside themselves, sync, rename; owner and mode stay",
        "their SHA-256 as the VM says it, and docker is still down",
        "stop docker, put both copies back",
    ),
    Step.START_DOCKER: Words(
        "start docker.socket and docker.service", "Docker answers", "as above"
    ),
    Step.CHECK: Words(
        "inspect the container before it starts",
        "it is there with every old binding and the new one",
        "as above",
    ),
    Step.START_CONTAINER: Words("start the container", "Docker says running", "stop it, as above"),
    Step.VERIFY: Words(
        "listen in the VM, connect on the Mac, ask the API for readiness", "all three", "as above"
    ),
    Step.RESUME: Words("end the pause", "the journal says so", "nothing to undo"),
}


@dataclass(frozen=True, slots=True)
class Started:
    """What was true before the first step; enough to put everything back."""

    wanted: WantedPort
    container: str
    """Its full id."""
    root: str
    """Docker's data root in the VM."""
    was_running: bool
    was_ready: bool
    """Whether the API was ready: only then can it be asked for again."""
    pauses: bool
    """Whether a pause of ours is needed: a human's own stays theirs."""
    ports: tuple[PortBinding, ...]
    """All that was published."""

    def path(self, name: str) -> str:
        """One of the two files in the VM."""
        return f"{self.root}/containers/{self.container}/{name}"


@dataclass(frozen=True, slots=True)
class Units:
    """systemd's ActiveState of both."""

    socket: str
    service: str

    @property
    def down(self) -> bool:
        """Whether neither runs; a service that ended badly is down, too."""
        return {self.socket, self.service} <= {"inactive", "failed"}


@dataclass(frozen=True, slots=True)
class Progress:
    """How far it had come, by its journal."""

    started: Started
    begun: frozenset[Step] = frozenset()
    done: frozenset[Step] = frozenset()
    rolling_back: bool = False
    finished: str = ""
    """How it ended; '' = it has not."""
    hashes: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """By file: SHA-256 of the saved copy, and of the edited file."""

    @property
    def can_finish(self) -> bool:
        """Whether only steps are left that can be taken again without harm."""
        return Step.CHECK in self.done and not self.rolling_back


def left(progress: Progress) -> Iterable[Step]:
    """Steps that are not known to be done."""
    return (one for one in Step if one not in progress.done)

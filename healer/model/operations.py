"""Somebody else's work on the tower, recognised in the process list.

healer yields while it runs (design §10, "Humans and rivals"): Colima and Lima have no lock
of their own, and two starts at once destroy each other's network (facts/colima.md §1.5).
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from types import MappingProxyType
from typing import Final

from healer.core.observation import ForeignOperation
from healer.core.tower import Layer
from healer.model.identity import Ours
from healer.model.machine import ProcessInfo, instance_of


@dataclass(frozen=True, slots=True)
class _Tool:
    layer: Layer
    verbs: frozenset[str]
    valued: frozenset[str]
    """Flags before the verb whose value is a word of its own."""


_TOOLS: Final[Mapping[str, _Tool]] = MappingProxyType(
    {
        "colima": _Tool(
            Layer.COLIMA,
            frozenset({"start", "stop", "restart", "delete"}),
            frozenset({"-p", "--profile"}),
        ),
        "limactl": _Tool(
            Layer.COLIMA,
            frozenset({"start", "stop", "restart", "delete", "remove", "rm", "factory-reset"}),
            frozenset({"--log-level", "--log-format"}),
        ),
        "talosctl": _Tool(
            Layer.TALOS,
            frozenset(
                {
                    "apply-config",
                    "bootstrap",
                    "reboot",
                    "reset",
                    "rollback",
                    "shutdown",
                    "upgrade",
                    "upgrade-k8s",
                }
            ),
            frozenset(
                {"-n", "--nodes", "-e", "--endpoints", "--talosconfig", "--context", "--cluster"}
            ),
        ),
        "docker": _Tool(
            Layer.TALOS,
            # A kill is over at once and leaves a crash behind, which is answered as one.
            frozenset({"start", "stop", "restart", "pause", "unpause", "rm", "update"}),
            frozenset({"-H", "--host", "-c", "--context", "--config", "-l", "--log-level"}),
        ),
    }
)

_SWITCHES: Final = frozenset(
    {"-e", "-f", "-k", "-v", "--edit", "--force", "--foreground", "--kubernetes", "--verbose"}
)
"""Flags that take no value and may well stand between `colima start` and a profile."""
_INTERPRETERS: Final = frozenset({"sh", "bash", "zsh", "dash", "python"})
_SHORTEST_ID: Final = 4
"""Characters of a container's id that we take for one."""
_FULL_ID: Final = 12
"""Least length of what Docker itself prints as an id."""


Foreign = Callable[[Sequence[ProcessInfo]], tuple[ForeignOperation, ...]]
"""Finds somebody else's work on our tower in a process list."""


def foreign_operations(
    processes: Sequence[ProcessInfo],
    own_pids: Collection[int],
    ours: Ours,
    containers: Collection[str] = (),
) -> tuple[ForeignOperation, ...]:
    """Every operation on our tower that neither is nor comes from a process of ours.

    `own_pids` are processes whose whole offspring is ours: healer itself and what the
    unfinished intents have spawned. `containers` are the names and ids of the one container
    that matters; docker commands that name none of them are nobody's business. A `limactl
    start` under somebody's `colima start` is one operation, the upper one. Work of other
    users, on other profiles and in other Lima roots is on another tower; what cannot be told
    apart counts as work on ours.
    """
    parents = {one.pid: one.ppid for one in processes}
    found = {
        one.pid: ForeignOperation(layer, one.command, one.pid, one.age)
        for one in processes
        if (layer := operation_layer(one.command, containers)) is not None and _is_here(one, ours)
    }
    covered = {*own_pids, *found}
    return tuple(
        operation
        for pid, operation in found.items()
        if pid not in own_pids and covered.isdisjoint(_ancestors(pid, parents))
    )


def operation_layer(command: str, containers: Collection[str] = ()) -> Layer | None:
    """The lowest layer that this command works on, or None when it changes nothing here."""
    program, arguments = _program(command.split())
    tool = _TOOLS.get(program)
    if tool is None:
        return None
    words = _without_flags(arguments, tool.valued)
    if program == "docker" and words[:1] == ["container"]:
        words = words[1:]
    if not words or words[0] not in tool.verbs:
        return None
    if program == "docker" and not _names_one(words[1:], containers):
        return None
    return tool.layer


def _is_here(one: ProcessInfo, ours: Ours) -> bool:
    program, words = _program(one.command.split())
    if program not in {"colima", "limactl"}:
        # Root reaches every engine's socket, while colima and limactl refuse to run as root.
        return one.uid in {ours.uid, 0}
    if one.uid != ours.uid or (one.lima_home and one.lima_home not in ours.lima_homes):
        return False
    _, *after_verb = _without_flags(words, _TOOLS[program].valued)
    if program == "limactl":
        return not {"--all", ours.paths.instance_name}.isdisjoint(_lima_names(after_verb))
    names = [_profile_flag(words)] if _profile_flag(words) else _profiles(after_verb, one.profile)
    return ours.paths.instance_name in {instance_of(name) for name in names}


def _lima_names(words: Iterable[str]) -> set[str]:
    """Whatever may be an instance's name: an argument, a flag's value, or a template's name."""
    values = {word.partition("=")[2] or word for word in words}
    return values | {PurePath(value).stem for value in values}


def _profile_flag(words: Sequence[str]) -> str:
    """The value of `-p NAME`, `-pNAME`, `--profile NAME` or `--profile=NAME`; '' without one."""
    for word, following in zip(words, (*words[1:], ""), strict=True):
        if word in {"-p", "--profile"}:
            return following
        if word.startswith("--profile="):
            return word.partition("=")[2]
        if word.startswith("-p"):
            return word[2:].removeprefix("=")
    return ""


def _profiles(words: Sequence[str], by_environment: str) -> list[str]:
    """The argument, else the environment's or the default, and what an unknown flag may hide."""
    hidden = []
    rest = iter(words)
    for word in rest:
        if not word.startswith("-"):
            return [word]
        if "=" not in word and word not in _SWITCHES:
            hidden.append(next(rest, ""))
    return [by_environment or "default", *hidden]


def _program(words: list[str]) -> tuple[str, list[str]]:
    """Name and arguments; a script shows its interpreter first, and that word is skipped."""
    if len(words) > 1 and PurePath(words[0]).name.lower().rstrip("0123456789.") in _INTERPRETERS:
        words = words[1:]
    return (PurePath(words[0]).name if words else ""), words[1:]


def _without_flags(words: Iterable[str], valued: frozenset[str]) -> list[str]:
    """The words after the leading flags and their values."""
    rest = list(words)
    while rest and rest[0].startswith("-"):
        rest = rest[2:] if rest[0] in valued else rest[1:]
    return rest


def _names_one(words: Sequence[str], containers: Collection[str]) -> bool:
    return any(
        word == one or (len(word) >= _SHORTEST_ID and one.startswith(word) and _is_id(one))
        for word in words
        for one in containers
    )


def _is_id(text: str) -> bool:
    return len(text) >= _FULL_ID and set(text) <= set("0123456789abcdef")


def _ancestors(pid: int, parents: Mapping[int, int]) -> set[int]:
    found: set[int] = set()
    one = parents.get(pid)
    while one is not None and one not in found and one != pid:
        found.add(one)
        one = parents.get(one)
    return found

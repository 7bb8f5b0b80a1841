"""What `healer install` and `healer uninstall` do, step by step, as data that can be shown.

A plan follows from what is seen alone, so a run that was cut off anywhere is finished by the
next one: it sees what is done already. What is retired is remembered first, then ended, then
moved; what is put back is forgotten last.
"""

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import assert_never

from healer.model.launch_agent import LABEL
from healer.model.launchd import Domain, LoadedJob, bootout_advice
from healer.model.set_aside import RETIRED, Kept, PlistFile, merged


@dataclass(frozen=True, slots=True)
class Seen:
    """What there is of healer, of what it retires and of what it cannot live beside."""

    domains: tuple[Domain, ...]
    """Those that exist."""
    jobs: Mapping[str, LoadedJob]
    """Loaded jobs by target (`user/501/com.joel.healer`)."""
    files: tuple[PlistFile, ...]
    disabled: frozenset[str]
    """Targets that launchd refuses to load until they are enabled."""
    kept: tuple[Kept, ...]
    asides: frozenset[str]
    """Names of the plists that are set aside."""
    elsewhere: frozenset[Path] = frozenset()
    """Plists of retired jobs that exist outside the folders that launchd loads from."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Where healer shall live."""

    domain: Domain
    path: Path
    data: bytes
    """Its plist."""


@dataclass(frozen=True, slots=True)
class Keep:
    """Write and sync the manifest; without an entry it goes."""

    kept: tuple[Kept, ...]

    def __str__(self) -> str:
        labels = ", ".join(dict.fromkeys(one.label for one in self.kept))
        return f"note what is retired: {labels or 'nothing'}"


@dataclass(frozen=True, slots=True)
class Bootout:
    """End a job and wait until it is gone."""

    target: str

    def __str__(self) -> str:
        return f"launchctl bootout {self.target}"


@dataclass(frozen=True, slots=True)
class SetAside:
    """Move a plist out of the folders that launchd loads from."""

    path: Path
    aside: str

    def __str__(self) -> str:
        return f"set aside {shlex.quote(str(self.path))}"


@dataclass(frozen=True, slots=True)
class PutBack:
    """Move it back."""

    aside: str
    path: Path

    def __str__(self) -> str:
        return f"put back {shlex.quote(str(self.path))}"


@dataclass(frozen=True, slots=True)
class Remove:
    """Remove a plist of healer's own."""

    path: Path

    def __str__(self) -> str:
        return f"remove {shlex.quote(str(self.path))}"


@dataclass(frozen=True, slots=True)
class Write:
    """Write healer's plist, 0644, in one piece or not at all."""

    path: Path
    data: bytes

    def __str__(self) -> str:
        return f"write {shlex.quote(str(self.path))}"


@dataclass(frozen=True, slots=True)
class Enable:
    """Let launchd load it again."""

    target: str

    def __str__(self) -> str:
        return f"launchctl enable {self.target}"


@dataclass(frozen=True, slots=True)
class Bootstrap:
    """Load a job."""

    domain: str
    label: str
    path: Path

    def __str__(self) -> str:
        return f"launchctl bootstrap {self.domain} {shlex.quote(str(self.path))}"


@dataclass(frozen=True, slots=True)
class Note:
    """Nothing is done; the person should know."""

    words: str

    def __str__(self) -> str:
        return self.words


# Each reads as what is done; what can be typed stands as it is typed.
Step = Keep | Bootout | SetAside | PutBack | Remove | Write | Enable | Bootstrap | Note


def obstacles(seen: Seen) -> list[str]:
    """Why healer must not be installed now, each with the command that clears it."""
    ours = (LABEL, *RETIRED)
    rivals = [target for target in seen.jobs if _label(target) not in ours]
    lost = [
        target for target in seen.jobs if _label(target) in RETIRED and not _has_plist(seen, target)
    ]
    return [
        *(
            f"{one} owns the tower too; end it with: {bootout_advice([one])} "
            f"({seen.jobs[one].path or 'its plist'} would load it again at the next login)"
            for one in rivals
        ),
        *(
            f"{one} is loaded, and its plist is not there any more, so that it could not be put "
            f"back; end it yourself with: {bootout_advice([one])}"
            for one in lost
        ),
    ]


def _has_plist(seen: Seen, target: str) -> bool:
    source = _source(seen, target)
    return source in seen.elsewhere or any(one.path == source for one in seen.files)


def needs_root(steps: Sequence[Step], home: Path) -> bool:
    """Whether one of the steps changes the system's domain, or a file outside the home."""
    return any(_is_the_systems(step, home) for step in steps)


def _is_the_systems(step: Step, home: Path) -> bool:
    match step:
        case Bootout() | Enable():
            return step.target.startswith("system/")
        case Bootstrap():
            return step.domain == "system"
        case SetAside() | PutBack() | Remove() | Write():
            return not step.path.is_relative_to(home)
        case Keep() | Note():
            return False
        case _:
            assert_never(step)


def plan_install(seen: Seen, wanted: Wanted) -> list[Step]:
    """Retire the old jobs, then let healer, and it alone, be loaded in its one place."""
    target = wanted.domain.target(LABEL)
    steps: list[Step] = [*_retire(seen)]
    steps += [Bootout(one) for one in _targets(seen, LABEL)]
    steps += [Remove(one.path) for one in _files(seen, LABEL) if one.path != wanted.path]
    steps.append(Write(wanted.path, wanted.data))
    if target in seen.disabled:
        steps.append(Enable(target))
    steps.append(Bootstrap(str(wanted.domain), LABEL, wanted.path))
    return steps


def _retire(seen: Seen) -> Iterator[Step]:
    files = [one for label in RETIRED for one in _files(seen, label)]
    targets = [one for label in RETIRED for one in _targets(seen, label)]
    sources = {target: _source(seen, target) for target in targets}
    now = [Kept(one.label, one.path, one.aside, _loaded_from(one.path, sources)) for one in files]
    homes = {one.path for one in files}
    now += [
        Kept(_label(target), path, "", (_domain(target),))
        for target, path in sources.items()
        if path is not None and path not in homes
    ]
    kept = merged(seen.kept, now)
    if kept != seen.kept:
        yield Keep(kept)
    for target in targets:
        yield Bootout(target)
    for one in files:
        yield SetAside(one.path, one.aside)


def plan_uninstall(seen: Seen) -> list[Step]:
    """Unload healer and remove its plist, then let the retired jobs be as they were."""
    steps: list[Step] = [Bootout(one) for one in _targets(seen, LABEL)]
    steps += [Remove(one.path) for one in _files(seen, LABEL)]
    taken = {one.path for one in seen.files}
    left = list(seen.kept)
    # The newest first: of two for one place it is what was there last.
    for one in reversed(seen.kept):
        steps += _bring_back(one, seen, taken)
        taken.add(one.path)
        left.remove(one)
        steps.append(Keep(tuple(left)))
    return steps


def _bring_back(one: Kept, seen: Seen, taken: set[Path]) -> Iterator[Step]:
    there = one.aside in seen.asides
    in_place = any(file.path == one.path and file.aside == one.aside for file in seen.files)
    if one.aside and not in_place and one.path in taken:
        if there:
            yield Note(f"{one.path} is there already; the older one stays as {one.aside}")
        return
    if one.aside and there:
        yield PutBack(one.aside, one.path)
    elif not in_place and one.path not in seen.elsewhere:
        yield Note(f"{one.path} is neither there nor set aside: it cannot be put back")
        return
    for domain in one.domains:
        if domain not in {str(there) for there in seen.domains}:
            yield Note(f"{domain} is not there now: {one.label} is loaded with it")
        elif f"{domain}/{one.label}" not in seen.jobs:
            yield Bootstrap(domain, one.label, one.path)


def _source(seen: Seen, target: str) -> Path | None:
    """The plist that a job was loaded from: as launchd says, else the only one of its name."""
    files = _files(seen, _label(target))
    return seen.jobs[target].path or (files[0].path if len(files) == 1 else None)


def _loaded_from(path: Path, sources: Mapping[str, Path | None]) -> tuple[str, ...]:
    return tuple(_domain(target) for target, source in sources.items() if source == path)


def _targets(seen: Seen, label: str) -> list[str]:
    return [target for target in seen.jobs if _label(target) == label]


def _files(seen: Seen, label: str) -> list[PlistFile]:
    return [one for one in seen.files if one.label == label]


def _label(target: str) -> str:
    return target.rpartition("/")[2]


def _domain(target: str) -> str:
    return target.rpartition("/")[0]

"""What `healer install` and `healer uninstall` do, step by step, as data that can be shown.

A plan follows from what is seen alone, so a run that was cut off anywhere is finished by the
next one: it sees what is done already. An installation notes what runs now, ends it, loads healer,
and moves the old plists away only once healer stays up: until then `plan_restore` brings back what
was there, and a reboot finds an owner of the tower, the old or the new one.
"""

import shlex
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import assert_never

from healer.model.launch_agent import LABEL, TRIAL
from healer.model.launchd import Domain, LoadedJob, bootout_advice
from healer.model.set_aside import RETIRED, Kept, Manifest, PlistFile, merged


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
    manifest: Manifest
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
    trial_path: Path
    trial: bytes
    """The plist of the throw-away job that is loaded there first."""


@dataclass(frozen=True, slots=True)
class Keep:
    """Write and sync the manifest; one that says nothing is removed."""

    manifest: Manifest

    def __str__(self) -> str:
        begun = self.manifest.before is not None
        entries = (self.manifest.before if begun else self.manifest.kept) or ()
        labels = ", ".join(dict.fromkeys(one.label for one in entries))
        return f"note what {'is there now' if begun else 'is retired'}: {labels or 'nothing'}"


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
class BackUp:
    """Copy healer's plist of before, beside it; a copy that is there already stays."""

    path: Path

    def __str__(self) -> str:
        return f"back up {shlex.quote(str(self.path))}"


@dataclass(frozen=True, slots=True)
class Revert:
    """Put that copy back into its place, if there is one."""

    path: Path

    def __str__(self) -> str:
        return f"restore {shlex.quote(str(self.path))}"


@dataclass(frozen=True, slots=True)
class EndsWell:
    """Wait until a job has run and ended with 0; anything else is a failure."""

    target: str

    def __str__(self) -> str:
        return f"wait until {self.target} has run"


@dataclass(frozen=True, slots=True)
class StaysUp:
    """Wait until a job has kept one pid for a while; anything else is a failure."""

    target: str

    def __str__(self) -> str:
        return f"wait until {self.target} stays up"


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
FileStep = Keep | SetAside | PutBack | Remove | Write | BackUp | Revert
LaunchdStep = Bootout | Enable | Bootstrap | EndsWell | StaysUp
Step = FileStep | LaunchdStep | Note


def obstacles(seen: Seen) -> list[str]:
    """Why healer must not be installed now, each with the command that clears it."""
    ours = (LABEL, TRIAL, *RETIRED)
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
        case SetAside() | PutBack() | Remove() | Write() | BackUp() | Revert():
            return not step.path.is_relative_to(home)
        case Keep() | EndsWell() | StaysUp() | Note():
            return False
        case _:
            assert_never(step)


def plan_install(seen: Seen, wanted: Wanted) -> list[Step]:
    """Prove that launchd loads such a job there, end the old ones, load healer, and it alone."""
    target = wanted.domain.target(LABEL)
    retired = [one for label in RETIRED for one in _now(seen, label)]
    ours = _now(seen, LABEL) if seen.manifest.before is None else ()
    before = merged(seen.manifest.before or (), (*ours, *retired))
    kept = merged(seen.manifest.kept, retired)
    begun = Manifest(kept, before)
    steps: list[Step] = [*_without_trial(seen), *_trial(wanted)]
    if begun != seen.manifest:
        steps.append(Keep(begun))
    if any(one.label == LABEL and one.path == wanted.path for one in before):
        steps.append(BackUp(wanted.path))
    steps.append(Write(wanted.path, wanted.data))
    steps += [Bootout(one) for label in (*RETIRED, LABEL) for one in _targets(seen, label)]
    if target in seen.disabled:
        steps.append(Enable(target))
    steps += [Bootstrap(str(wanted.domain), LABEL, wanted.path), StaysUp(target)]
    steps += [SetAside(one.path, one.aside) for label in RETIRED for one in _files(seen, label)]
    steps += [Remove(one.path) for one in _files(seen, LABEL) if one.path != wanted.path]
    steps.append(Keep(Manifest(kept)))
    return steps


def _trial(wanted: Wanted) -> Iterator[Step]:
    target = wanted.domain.target(TRIAL)
    yield Write(wanted.trial_path, wanted.trial)
    yield Bootstrap(str(wanted.domain), TRIAL, wanted.trial_path)
    yield EndsWell(target)
    yield Bootout(target)
    yield Remove(wanted.trial_path)


def _without_trial(seen: Seen) -> Iterator[Step]:
    """A run that was cut off may have left its throw-away job."""
    yield from (Bootout(one) for one in _targets(seen, TRIAL))
    yield from (Remove(one.path) for one in _files(seen, TRIAL))


def _now(seen: Seen, label: str) -> Iterator[Kept]:
    """The plists of a job, each with the domains in which it is loaded now."""
    sources = {target: _source(seen, target) for target in _targets(seen, label)}
    files = {one.path: one for one in _files(seen, label)}
    for path, one in files.items():
        domains = tuple(_domain(target) for target, source in sources.items() if source == path)
        # healer's own is replaced or removed, and never moved.
        yield Kept(label, path, "" if label == LABEL else one.aside, domains)
    for target, source in sources.items():
        if source is not None and source not in files and label != LABEL:
            yield Kept(label, source, "", (_domain(target),))


def plan_restore(seen: Seen) -> list[Step]:
    """Undo an installation that failed, or that was cut off: everything is as it was before."""
    steps: list[Step] = [*_without_trial(seen)]
    before = seen.manifest.before
    if before is None:
        return steps
    ours = [one for one in before if one.label == LABEL]
    steps += [Bootout(one) for one in _targets(seen, LABEL)]
    stay = {one.path for one in ours}
    steps += [Remove(one.path) for one in _files(seen, LABEL) if one.path not in stay]
    for one in ours:
        steps += [Revert(one.path), *_load_again(one, seen, loaded=())]
    retired = [one for one in before if one.label != LABEL]
    taken = {one.path for one in seen.files}
    for one in retired:
        steps += _bring_back(one, seen, taken)
    back = {(one.path, one.aside) for one in retired}
    kept = [one for one in seen.manifest.kept if (one.path, one.aside) not in back]
    steps.append(Keep(Manifest(tuple(kept))))
    return steps


def plan_uninstall(seen: Seen) -> list[Step]:
    """Unload healer and remove its plist, then let the retired jobs be as they were."""
    steps: list[Step] = [*_without_trial(seen)]
    steps += [Bootout(one) for one in _targets(seen, LABEL)]
    steps += [Remove(one.path) for one in _files(seen, LABEL)]
    taken = {one.path for one in seen.files}
    left = list(seen.manifest.kept)
    # The newest first: of two for one place it is what was there last.
    for one in reversed(seen.manifest.kept):
        steps += _bring_back(one, seen, taken)
        taken.add(one.path)
        left.remove(one)
        steps.append(Keep(Manifest(tuple(left))))
    if seen.manifest.before is not None and not seen.manifest.kept:
        steps.append(Keep(Manifest()))
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
    yield from _load_again(one, seen, seen.jobs)


def _load_again(one: Kept, seen: Seen, loaded: Collection[str]) -> Iterator[Step]:
    for domain in one.domains:
        if domain not in {str(there) for there in seen.domains}:
            yield Note(f"{domain} is not there now: {one.label} is loaded with it")
        elif f"{domain}/{one.label}" not in loaded:
            yield Bootstrap(domain, one.label, one.path)


def _source(seen: Seen, target: str) -> Path | None:
    """The plist that a job was loaded from: as launchd says, else the only one of its name."""
    files = _files(seen, _label(target))
    return seen.jobs[target].path or (files[0].path if len(files) == 1 else None)


def _targets(seen: Seen, label: str) -> list[str]:
    return [target for target in seen.jobs if _label(target) == label]


def _files(seen: Seen, label: str) -> list[PlistFile]:
    return [one for one in seen.files if one.label == label]


def _label(target: str) -> str:
    return target.rpartition("/")[2]


def _domain(target: str) -> str:
    return target.rpartition("/")[0]

"""Runs what was kept through `step` again, and finds the first thing that differs."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from healer.core.facts import Decision
from healer.core.machine import step
from healer.core.world import World
from healer.replay.codec import DECISION, WORLD, CodecError, spelled
from healer.replay.packing import unpacked
from healer.replay.policies import KnownPolicies
from healer.replay.records import Beginning, Checkpoint, KeptSegment, Taken
from healer.replay.tape import Place, read_beginning, read_steps


@dataclass(frozen=True, slots=True)
class Bundle:
    """Steps in a row, read again."""

    row: int
    wall: float
    """When the last of them was, in epoch seconds."""
    steps: tuple[Taken, ...]

    def wall_of(self, taken: Taken) -> float:
        """When a step of it was, in epoch seconds."""
        return self.wall - (self.steps[-1].now - taken.now)


@dataclass(frozen=True, slots=True)
class Segment:
    """A beginning and its steps, read again."""

    number: int
    run: str
    version: str
    follows: bool
    lost: bool
    """Whether decisions before it could not be kept."""
    beginning: Beginning
    bundles: tuple[Bundle, ...]
    damage: str = ""
    """Why the steps after these could not be read; '' = all were."""


@dataclass(frozen=True, slots=True)
class Spoilt:
    """A segment of which nothing can be read."""

    number: int
    version: str
    damage: str


@dataclass(frozen=True, slots=True)
class Again:
    """A step that was run again."""

    run: str
    wall: float
    """Epoch seconds."""
    taken: Taken
    decisions: tuple[Decision, ...]
    """What was decided this time."""


@dataclass(frozen=True, slots=True)
class Difference:
    """The first thing that came out otherwise."""

    wall: float
    kept: str
    """As it was written down; '' = nothing was."""
    again: str
    """As it came out this time."""


@dataclass(slots=True)
class Rerun:
    """What came of running segments again."""

    steps: list[Again] = field(default_factory=list)
    difference: Difference | None = None
    damages: list[str] = field(default_factory=list)

    @property
    def decisions(self) -> int:
        """How many decisions came out again."""
        return sum(len(one.decisions) for one in self.steps)

    @property
    def same(self) -> bool:
        """Whether everything could be read, and came out as it was."""
        return self.difference is None and not self.damages


def read_segment(kept: KeptSegment, policies: KnownPolicies) -> Segment | Spoilt:
    """What was kept; damage ends it where it is, and harms no other segment."""
    one, where = kept.beginning, f"segment {kept.number}"
    try:
        dictionary = unpacked(one.body, f"{where}, beginning")
        beginning = read_beginning(dictionary, policies)
    except CodecError as error:
        return Spoilt(kept.number, one.version, f"{where}: {error}")
    bundles, damage = [], ""
    place = Place.after(beginning)
    for row, wall, body in kept.steps:
        try:
            plain = unpacked(body, f"{where}, steps {row}", dictionary)
            steps, place = read_steps(plain, place, policies)
        except CodecError as error:
            damage = f"{where}, steps {row}: {error}"
            break
        bundles.append(Bundle(row, wall, steps))
    return Segment(
        number=kept.number,
        run=one.run,
        version=one.version,
        follows=one.follows,
        lost=one.lost,
        beginning=beginning,
        bundles=tuple(bundles),
        damage=damage,
    )


def read_segments(
    kept: Sequence[KeptSegment], policies: Mapping[str, bytes]
) -> list[Segment | Spoilt]:
    """All of them."""
    known = KnownPolicies(policies)
    return [read_segment(one, known) for one in kept]


def run_again(segments: Sequence[Segment | Spoilt]) -> Rerun:
    """Run all of them, until something differs."""
    rerun, before, world = Rerun(), None, World()
    for one in segments:
        if isinstance(one, Spoilt):
            rerun.damages.append(one.damage)
            before = None
            continue
        begins = one.beginning.world(one.beginning.policy)
        if before is not None and joins(before, one):
            rerun.difference = _other_world(one, world, begins)
        world = _run_segment(one, begins, rerun)
        before = one
        if rerun.difference is not None:
            break
    return rerun


def joins(before: Segment, after: Segment) -> bool:
    """Whether the second begins where the first ended."""
    whole = not before.damage and before.number + 1 == after.number
    return after.follows and whole and isinstance(after.beginning, Checkpoint)


def _other_world(one: Segment, again: World, kept: World) -> Difference | None:
    """A checkpoint is what came out of the steps before it."""
    first, second = WORLD.plain(kept), WORLD.plain(again)
    for name in {**first, **second}:
        was, now = spelled(first.get(name)).decode(), spelled(second.get(name)).decode()
        if was != now:
            wall = one.bundles[0].wall_of(one.bundles[0].steps[0]) if one.bundles else 0.0
            return Difference(wall, f"world.{name}: {was}", f"world.{name}: {now}")
    return None


def _run_segment(one: Segment, world: World, rerun: Rerun) -> World:
    if rerun.difference is not None:
        return world
    for wall, taken in steps_of(one):
        came = step(world, taken.fact, taken.now, taken.policy)
        world = came.world
        rerun.steps.append(Again(one.run, wall, taken, came.decisions))
        rerun.difference = _first_difference(wall, taken.decisions, came.decisions)
        if rerun.difference is not None:
            return world
    if one.damage:
        rerun.damages.append(one.damage)
    return world


def steps_of(one: Segment) -> Iterator[tuple[float, Taken]]:
    """Each step with its time in epoch seconds."""
    for bundle in one.bundles:
        for taken in bundle.steps:
            yield bundle.wall_of(taken), taken


def _first_difference(
    wall: float, kept: tuple[Decision, ...], again: tuple[Decision, ...]
) -> Difference | None:
    """By their bytes: values that are equal are not enough (0 and 0.0, a set's order)."""
    first = [spelled(DECISION.plain(one)).decode() for one in kept]
    second = [spelled(DECISION.plain(one)).decode() for one in again]
    for number in range(max(len(first), len(second))):
        was, now = "".join(first[number : number + 1]), "".join(second[number : number + 1])
        if was != now:
            return Difference(wall, was, now)
    return None

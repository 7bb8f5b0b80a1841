"""The sections of the page of figures, one for each kind of record.

A record may be older than a figure: what it does not hold is left out, never shown as a zero.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any, Final

from healer.promises.table import PROMISES
from tests.mutants import core_bugs, engine_bugs

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Record = dict[str, Any]
RULE_OF_THREE: Final = 3.0
"""Zero failures in n trials bound the rate by about 3/n, at 95 %."""
DAY: Final = 86_400.0
CAME_TO_PASS: Final = "crash at an await that came to pass"
_OVER: Final = {
    "core": "the pure core",
    "engine": "the real daemon, probes and remedies",
}


def section(record: Record) -> Iterator[str]:
    """The lines of one record."""
    match record["level"]:
        case "healthy":
            yield from _healthy(record)
        case "liveness":
            yield from _liveness(record)
        case "seen":
            yield from _seen(record)
        case _:
            yield from _explored(record)


def _seen(record: Record) -> Iterator[str]:
    answers = sum(times for one, times in record["drawn"].items() if _is_answer(one))
    yield f"## Seen on real parts: {record['where']}"
    yield ""
    yield f"{answers} answers of probes in {record['journals']} journals, {len(record['drawn'])}"
    yield "sightings of different kinds."


def _is_answer(sighting: str) -> bool:
    return not any(one in sighting for one in (" -> ", ": sign of ", ", then ", ": reported "))


def _explored(record: Record) -> Iterator[str]:
    yield f"## Level {record['level']}: {_OVER[record['level']]} at `{record['commit'][:12]}`"
    yield from _table(("figure", "value"), _rows(record))
    yield from _table(
        ("promise", "", "asked of runs", "broken", "rules out more than", "bugs seeded"),
        _promises(record),
    )
    yield from _table(
        ("root of the incident", "resolved", "p50 s", "p95 s", "at most s"),
        ((layer, *one) for layer, one in _times(record["recovered"]).items()),
    )
    if record.get("fell"):
        times = ("p50 s", "p95 s", "max s")
        head = ("layer", "fell ill", "seen", *times, "acted on", *times)
        yield from _table(head, _reactions(record))
        yield ""
        yield "A layer falls ill when it truly is, with nothing ill below it. It is seen with the"
        yield "first bad answer, and counted as seen or acted on while it is still ill; deaths of"
        yield "healer, the Mac's sleep, pauses and a human's own time to work are part of the time."


def _table(head: tuple[str, ...], rows: Iterator[tuple[object, ...]]) -> Iterator[str]:
    yield ""
    yield f"| {' | '.join(head)} |".replace("|  |", "| |")
    yield "|---" * len(head) + "|"
    for row in rows:
        yield f"| {' | '.join(str(one) for one in row)} |"


def _promises(record: Record) -> Iterator[tuple[object, ...]]:
    bugs = Counter(one.promise for one in (*core_bugs.BUGS, *engine_bugs.BUGS))
    for name, promise in PROMISES.items():
        asked = record["checked"].get(name, 0)
        broken = sum(f": {name} at" in one for one in record["violations"])
        bound = f"{RULE_OF_THREE / asked:.1e}" if asked and not broken else ""
        yield name, promise.words, asked, broken, bound, bugs[name]


def _rows(record: Record) -> Iterator[tuple[str, object]]:
    acts, wrong = sum(record["acts"].values()), record["violations_in_all"]
    bound = f" (rules out more than {RULE_OF_THREE / acts:.1e} an act)" if acts else ""
    yield from _origin(record)
    yield "facts stepped, lives of healer", f"{record['steps']}, {record['lives']}"
    several = len(record.get("stretches", ())) > 1
    states = f"at least {record['states']}" if several else record["states"]
    yield "distinct states of the tower as healer saw it", states
    yield "distinct changes of a layer's state", len(record["transitions"])
    yield "faults, by kind", _listed(record["faults"])
    yield "pairs of faults", f"{sum(record['pairs'].values())}, {len(record['pairs'])} distinct"
    yield "beside faults", _listed(record["others"])
    yield "acts, by remedy", f"{acts}: {_listed(record['acts'])}"
    yield "wrong acts and other broken promises", f"{wrong}{'' if wrong else bound}"
    if wrong:
        yield "which", "; ".join(record["violations"])
    yield "acts refused, by rule", _listed(record["refused"])
    yield "most acts within an hour", f"{record['most_acts_an_hour']} (20 allowed)"
    yield "covered by a ladder, and well at the end", f"{record['healed']} of {record['covered']}"
    if record.get("fell"):
        yield from _outside(record)


def _origin(record: Record) -> Iterator[tuple[str, object]]:
    hours = record["simulated"] / 3600
    stretches = record.get("stretches", [(record["first_seed"], record["schedules"])])
    seeds = ", ".join(f"{first} to {first + count - 1}" for first, count in stretches)
    commits = " and ".join(f"`{one[:12]}`" for one in record["commit"].split(" and "))
    yield "schedules", f"{record['schedules']}, of the seeds {seeds}"
    yield "commit, Python", f"{commits}, {record['python']}"
    yield "CPU hours", f"{record['seconds'] / 3600:.2f}"
    yield "simulated hours", f"{hours:.0f} ({hours / record['seconds']:.2f} a CPU second)"


def _outside(record: Record) -> Iterator[tuple[str, object]]:
    """What is counted against the truth, the notices and the awaits."""
    rooted, told = record["rooted"], record["told"]
    incidents = sum(rooted.values())
    notices = sum(int(each) * count for each, count in told.items())
    others = {name: count for name, count in rooted.items() if name != "right"}
    beside = f" (otherwise: {_listed(others)})" if others else ""
    yield "root cause named first and rightly", f"{rooted.get('right', 0)} of {incidents}{beside}"
    each = ", ".join(f"{one}: {told[one]}" for one in sorted(told))
    mean = f"{notices / incidents:.2f}" if incidents else "none"
    yield "notices an incident", f"{mean} (how many had so many: {each})"
    yield "notices, by kind", _listed(record["notices"])
    yield (
        "crash points covered",
        (
            f"{len(record['crash_points'])} of the {len(record['stood'])} awaits at which tasks "
            f"were seen to stand, in {record['others'].get(CAME_TO_PASS, 0)} crashes; healer's "
            f"engine, probes and remedies have {record['awaits']} awaits in their source"
        ),
    )
    alone = record["alone"]
    yield "faults that befell alone", f"{sum(alone.values())}, {len(alone)} kinds"
    yield (
        "of them without one bad answer by the end of the run",
        _listed(record["unseen"]) or "none",
    )


def _reactions(record: Record) -> Iterator[tuple[object, ...]]:
    none = ("0", "", "", "")
    seen, acted = _times(record["detected"]), _times(record["acted"])
    for layer, count in record["fell"].items():
        yield layer, count, *seen.get(layer, none), *acted.get(layer, none)


def _listed(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.items())


def _times(counted: Mapping[str, int]) -> dict[str, tuple[str, str, str, str]]:
    """Of each layer: how many, the middle, what 95 of 100 stay within, and the longest."""
    lasted: dict[str, dict[float, int]] = defaultdict(dict)
    for name, count in counted.items():
        layer, seconds = name.split()
        lasted[layer][float(seconds)] = count
    return {layer: _summed(times) for layer, times in lasted.items()}


def _summed(times: Mapping[float, int]) -> tuple[str, str, str, str]:
    middle, most = percentile(times, 0.5), percentile(times, 0.95)
    return str(sum(times.values())), f"{middle:g}", f"{most:g}", f"{max(times):g}"


def percentile(times: Mapping[float, int], part: float) -> float:
    """The least time that so large a part of all stays within."""
    wanted, seen = part * sum(times.values()), 0
    for seconds in sorted(times):
        seen += times[seconds]
        if seen >= wanted:
            return seconds
    return max(times)


def _healthy(record: Record) -> Iterator[str]:
    yield "## Healthy days: nothing is wrong, and life makes its noise"
    yield from _table(("figure", "value"), _calm(record))


def _calm(record: Record) -> Iterator[tuple[str, object]]:
    days = record["simulated"] / DAY
    yield from _origin(record)
    yield "healthy days", f"{days:.1f}"
    yield "noise", _listed(record["faults"])
    counts = {
        "acts": sum(record["acts"].values()),
        "incidents opened": record["said"].get("IncidentOpened", 0),
        "notices": sum(record["notices"].values()),
        "broken promises": record["violations_in_all"],
    }
    for name, count in counts.items():
        yield f"{name} in 30 healthy days", _a_month(count, days)


def _a_month(count: int, days: float) -> str:
    if count:
        return f"{count * 30 / days:.2f} ({count} in {days:.1f} days)"
    return f"0 (rules out more than {RULE_OF_THREE * 30 / days:.1f})"


def _liveness(record: Record) -> Iterator[str]:
    schedules = record["schedules"]
    yield "## Liveness: beside two naive policies on the same schedules"
    yield ""
    yield f"{schedules} schedules of one hour each, all of it answered by a ladder of healer's,"
    yield f"from seed {record['first_seed']}; commit `{record['commit'][:12]}`, {record['python']}."
    head = ("policy", "down h", "ill at end", "under a human's cordon")
    yield from _table((*head, "disruptions", "acts", "harm"), _policies(record))
    yield ""
    yield "A human's cordon stays where it is, whatever was replaced under it: what then finds no"
    yield "node is ill until that human lifts it, and healer says so."


def _policies(record: Record) -> Iterator[tuple[object, ...]]:
    for name, one in record["policies"].items():
        ill, under = one["ill_at_end"], one["ill_under_cordon"]
        yield name, f"{one['down'] / 3600:.2f}", ill, under, *_deeds(one)


def _deeds(one: Mapping[str, Any]) -> tuple[object, ...]:
    return one["disruptions"], one["acts"], one["harm"]

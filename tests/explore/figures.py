"""What was counted, as a record with its origin, and all records together as one page.

`python -m tests.explore.figures RECORD...` makes `FIGURES.md` anew from the records that
`python -m tests.explore --out RECORD` wrote; nothing on that page is written by hand.
"""

from __future__ import annotations

import json
import platform
import shutil
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from healer.promises.table import PROMISES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

PAGE: Final = Path(__file__).with_name("FIGURES.md")
_RULE_OF_THREE: Final = 3.0
"""Zero failures in n trials bound the rate by about 3/n, at 95 %."""
_ONLY_THE_LAB: Final = {
    "seconds to detected, act and verified on real parts": "python -m tests.bench faults",
    "memory, descriptors and zombies over hours": "python -m tests.bench soak",
    "CPU and memory of a calm daemon": "python -m tests.bench steady",
    "the simulation against real parts": "pytest tests/lab/tower",
    "downtime beside naive policies": "python -m tests.explore.liveness",
    "mutants of the core": "python -m tests.mutation",
    "a bug seeded for each promise": "pytest tests/mutants",
}


def written(level: str, first: int, counted: Mapping[str, Any]) -> str:
    """The record of a run as JSON."""
    head = {
        "level": level,
        "first_seed": first,
        "commit": _commit(),
        "python": platform.python_version(),
    }
    return json.dumps({**head, **counted}, indent=1) + "\n"


def _commit() -> str:
    """'unknown' outside of a checkout, or without git."""
    git = shutil.which("git")
    if git is None:
        return "unknown"
    said = subprocess.run([git, "rev-parse", "HEAD"], check=False, capture_output=True, text=True)
    return said.stdout.strip() or "unknown"


def page(records: Iterable[dict[str, Any]]) -> str:
    """All records as one page of Markdown."""
    lines = [
        "# Figures",
        "",
        "Made by `python -m tests.explore.figures` from the records of exploration runs.",
        "A zero is followed by the rate that it rules out at 95 % (3/n).",
    ]
    for record in records:
        lines += ["", *_section(record)]
    lines += ["", "## What this page cannot hold", "", "| figure | command |", "|---|---|"]
    lines += [f"| {what} | `{command}` |" for what, command in _ONLY_THE_LAB.items()]
    return "\n".join(lines) + "\n"


def _section(record: dict[str, Any]) -> Iterator[str]:
    level, schedules = record["level"], record["schedules"]
    over = "the pure core" if level == "core" else "the real daemon, probes and remedies"
    yield f"## Level {level}: {over}"
    yield ""
    yield "| figure | value |"
    yield "|---|---|"
    for name, value in _rows(record, schedules):
        yield f"| {name} | {value} |"
    yield ""
    yield "| promise | | asked of runs | broken | rules out more than |"
    yield "|---|---|---|---|---|"
    for name, promise in PROMISES.items():
        asked = record["checked"].get(name, 0)
        broken = sum(f": {name} at" in one for one in record["violations"])
        bound = f"{_RULE_OF_THREE / asked:.1e}" if asked and not broken else ""
        yield f"| {name} | {promise.words} | {asked} | {broken} | {bound} |"
    yield ""
    yield "| root of the incident | resolved | p50 s | p95 s | at most s |"
    yield "|---|---|---|---|---|"
    yield from _recoveries(record["recovered"])


def _rows(record: dict[str, Any], schedules: int) -> Iterator[tuple[str, object]]:
    acts, wrong = sum(record["acts"].values()), record["violations_in_all"]
    bound = f" (rules out more than {_RULE_OF_THREE / acts:.1e} an act)" if acts else ""
    hours = record["simulated"] / 3600
    yield "schedules", f"{schedules}, from seed {record['first_seed']}"
    yield "commit, Python", f"`{record['commit'][:12]}`, {record['python']}"
    yield "CPU hours", f"{record['seconds'] / 3600:.2f}"
    yield "simulated hours", f"{hours:.0f} ({hours / record['seconds']:.2f} a CPU second)"
    yield "facts stepped, lives of healer", f"{record['steps']}, {record['lives']}"
    yield "distinct states of the tower as healer saw it", record["states"]
    yield "distinct changes of a layer's state", len(record["transitions"])
    yield "faults, by kind", _listed(record["faults"])
    yield "pairs of faults", f"{sum(record['pairs'].values())}, {len(record['pairs'])} distinct"
    yield "beside faults", _listed(record["others"])
    yield "acts, by remedy", f"{acts}: {_listed(record['acts'])}"
    yield "wrong acts and other broken promises", f"{wrong}{'' if wrong else bound}"
    yield "acts refused, by rule", _listed(record["refused"])
    yield "most acts within an hour", f"{record['most_acts_an_hour']} (20 allowed)"
    yield "covered by a ladder, and well at the end", f"{record['healed']} of {record['covered']}"


def _listed(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.items())


def _recoveries(recovered: dict[str, int]) -> Iterator[str]:
    lasted: dict[str, dict[int, int]] = defaultdict(dict)
    for name, count in recovered.items():
        layer, seconds = name.split()
        lasted[layer][int(seconds)] = count
    for layer, times in lasted.items():
        total = sum(times.values())
        middle, most = _percentile(times, 0.5), _percentile(times, 0.95)
        yield f"| {layer} | {total} | {middle} | {most} | {max(times)} |"


def _percentile(times: dict[int, int], part: float) -> int:
    wanted, seen = part * sum(times.values()), 0
    for seconds in sorted(times):
        seen += times[seconds]
        if seen >= wanted:
            return seconds
    return max(times)


def main(words: list[str]) -> int:
    """Write the page."""
    records = [json.loads(Path(one).read_text(encoding="utf-8")) for one in words]
    PAGE.write_text(page(records), encoding="utf-8")
    print(f"wrote {PAGE.name} from {len(records)} records")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

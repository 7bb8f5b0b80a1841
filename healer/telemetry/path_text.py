"""The way to a service as a person reads it, and as a program does."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from healer.model.path import Path, Step, Verdict

SCHEMA_VERSION: Final = 1
_MARKS: Final = {
    Verdict.OK: "✔",
    Verdict.BROKEN: "✘",
    Verdict.UNSEEN: "?",
    Verdict.BLOCKED: "·",
    Verdict.UNWANTED: "∅",
}
_COLOURS: Final = {
    Verdict.OK: "green",
    Verdict.BROKEN: "red",
    Verdict.UNSEEN: "yellow",
    Verdict.BLOCKED: "dim",
    Verdict.UNWANTED: "dim",
}
_WIDTH: Final = 10
"""Of the longest hop's name."""


def path_lines(path: Path) -> Iterator[tuple[str, str]]:
    """Each line, and the colour of its mark."""
    yield _title(path), "bold"
    for step in path.steps:
        yield _line(step), _COLOURS[step.verdict]
    broken = path.broken
    if broken is None:
        return
    beyond = ", ".join(path.alive_beyond)
    yield (
        f"  broken at the {broken.hop}" + (f"; alive beyond it: {beyond}" if beyond else ""),
        "red",
    )
    if broken.command:
        yield f"    {broken.command}", ""


def _title(path: Path) -> str:
    service = path.service
    port = f"127.0.0.1:{service.host_port}" if service.host_port else "not published"
    needs = f"  (needs {', '.join(service.needs)})" if service.needs else ""
    return f"{service.name}  {port}{needs}"


def _line(step: Step) -> str:
    took = "" if step.took is None else f"  {step.took * 1000:.0f} ms"
    return f"  {_MARKS[step.verdict]} {step.hop.value:<{_WIDTH}} {step.words}{took}"


def path_document(paths: Sequence[Path]) -> dict[str, Any]:
    """For `--json`."""
    return {"schema_version": SCHEMA_VERSION, "services": [_of(one) for one in paths]}


def _of(path: Path) -> dict[str, Any]:
    service = path.service
    return {
        "name": service.name,
        "namespace": service.namespace,
        "port": service.host_port,
        "verdict": path.verdict.value,
        "broken": None if path.broken is None else path.broken.hop.value,
        "alive_beyond": [one.value for one in path.alive_beyond],
        "hops": [
            {
                "hop": one.hop.value,
                "verdict": one.verdict.value,
                "said": one.words,
                "seconds": one.took,
                "command": one.command,
            }
            for one in path.steps
        ],
    }

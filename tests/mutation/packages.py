"""What the mutation run covers: each package with the tests that mirror it, and they alone.

They are quick enough for thousands of runs, and no mutant may count on being found by luck
from afar.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Package:
    """A part of the product whose every small mistake is tried."""

    folder: str
    tests: tuple[str, ...]
    """What pytest selects."""
    modules: tuple[str, ...]
    """In the order in which they are tried: what may act before what only reports."""

    def path(self, module: str) -> str:
        """The file of one of its modules."""
        return f"{self.folder}/{module}.py"

    def settings(self, module: str) -> str:
        """The section of mutmut in `pyproject.toml` that tries one module."""
        values = {
            "source_paths": [self.folder],
            "only_mutate": [self.path(module)],
            "also_copy": ["healer"],
            "do_not_mutate_patterns": list(_NO_RULES),
            "pytest_add_cli_args": ["-p", "no:cacheprovider", "-p", _QUICKEST_FIRST],
            "pytest_add_cli_args_test_selection": list(self.tests),
            "type_check_command": [*_TYPES, self.path(module)],
            # CPU seconds a mutant may take: four times what its tests take, and eight.
            "timeout_multiplier": 2.0,
            "timeout_constant": 2.0,
        }
        lines = [f"{key} = {json.dumps(value)}" for key, value in values.items()]
        return "\n".join(["[tool.mutmut]", *lines, ""])


_QUICKEST_FIRST: Final = "tests.mutation.quickest_first"
_TYPES: Final = (
    # What mypy refuses cannot be committed. Its word on unreachable code is not asked: a mutant
    # that forces a branch always has some, which says nothing of the tests. The settings of the
    # repository would ask it, and cannot be overruled, so this run has its own.
    *("python", "-m", "mypy", "--config-file=", "--strict", "--python-version=3.11"),
    *("--no-warn-unused-ignores", "--enable-error-code=possibly-undefined", "--output=json"),
    *("--ignore-missing-imports", "--explicit-package-bases"),
    # Each mutant of a method stands beside the others in its class: an attribute that `__init__`
    # annotates is then defined many times over, which says nothing of the mutant.
    "--disable-error-code=no-redef",
)
_NO_RULES: Final = (
    *(r"\bname=f?\"", r"^\s*raise \w+\($", r"^\s*raise \w+\(f?\""),
    *(r"^\s*case _:$", r"\bassert_never\("),
)
"""Names of tasks, the words of errors, and what the types say is never reached: whoever changes
those changes nothing that is done."""

PACKAGES: Final[Mapping[str, Package]] = {
    "core": Package(
        "healer/core",
        (
            "tests/unit/core",
            "--ignore=tests/unit/core/test_promises.py",
            "--ignore=tests/unit/core/test_remembering.py",
            "--ignore=tests/unit/core/test_rules_matter.py",
        ),
        (
            *("refusing", "deciding", "judging", "limiting", "verifying", "hearing", "machine"),
            *("incidents", "outlook", "ledger", "pacing", "world"),
        ),
    ),
    "engine": Package(
        "healer/engine",
        ("tests/unit/engine",),
        (
            *("stepping", "performing", "daemon", "passing", "watching", "recording", "quiet"),
            *("guests", "listening", "bells"),
        ),
    ),
    "remedies": Package(
        "healer/remedies",
        ("tests/unit/remedies",),
        ("colima", "docker", "talos", "pods", "flannel", "node", "livekit", "kernel", "launchd"),
    ),
    "probes": Package(
        "healer/probes",
        ("tests/unit/probes",),
        (
            *("colima", "ssh", "services", "docker", "talos", "apiserver", "node", "kernel"),
            *("flannel", "pods", "livekit", "launchd", "host", "asking", "sharing", "shared"),
            *("heartbeats", "fresh_news", "quiet_pods", "resync", "guest", "job_past", "named"),
        ),
    ),
    "journal": Package(
        "healer/adapters",
        (
            "tests/contracts/test_journal_contract.py",
            "tests/unit/adapters/test_journal_boots.py",
            "tests/unit/adapters/test_journal_disks.py",
            "tests/unit/adapters/test_journal_evidence.py",
            "tests/unit/adapters/test_journal_faults.py",
            "tests/unit/adapters/test_journal_notices.py",
            "tests/unit/adapters/test_journal_runs.py",
        ),
        (
            *("journal", "journal_rows", "journal_reading", "journal_writing", "journal_schema"),
            *("journal_again", "journal_errors", "journal_evidence", "journal_notices"),
            *("journal_keeping", "journal_runs", "journal_timeline"),
        ),
    ),
}


def named(name: str) -> tuple[Package, str]:
    """The package and module of a name such as `engine.stepping`; KeyError when there is none."""
    package, _, module = name.partition(".")
    found = PACKAGES[package]
    if module not in found.modules:
        raise KeyError(name)
    return found, module


NAMES: Final = tuple(f"{name}.{one}" for name, found in PACKAGES.items() for one in found.modules)

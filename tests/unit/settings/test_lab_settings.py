"""The settings that benchmarks and soaks print are ones that healer takes."""

from pathlib import Path

from healer.settings import check
from tests.bench.faults import SETTINGS


def test_the_benchmarks_settings_are_good(tmp_path: Path) -> None:
    """Raised limits only, and no pair that cancels itself out."""
    file = tmp_path / "config.toml"
    file.write_text(SETTINGS, encoding="utf-8")

    assert [] == check(file)

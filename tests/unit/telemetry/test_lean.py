"""What a daemon does not load."""

import subprocess
import sys

import pytest

from healer.telemetry.lean import without


def test_a_package_is_hidden_for_a_moment() -> None:
    """Afterwards it can be imported as ever."""
    with without("wave"), pytest.raises(ImportError):
        import wave  # noqa: PLC0415  (what the test is about)
    import wave  # noqa: PLC0415  (as above)

    assert wave is sys.modules["wave"]


def test_what_is_loaded_already_stays() -> None:
    """Nobody else may lose a module that is in use."""
    with without("sys"):
        assert sys.modules["sys"] is sys


def test_a_daemon_loads_no_rich_and_no_models() -> None:
    """Memory that is held all day for tracebacks in colour, or for objects never made."""
    code = (
        "import sys; import healer.cli.run, healer.wiring.pages; "
        "from healer.adapters.kubernetes_client import _modules; _modules(); "
        "print(sorted(set(sys.modules) & {'rich', 'pygments', 'kubernetes_asyncio.client.models'}))"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)

    assert "[]\n" == done.stdout

"""Every scenario that comes with healer, played whole: expectations and promises hold."""

import pytest

from healer.drills.judging import judge
from healer.drills.library import packaged
from healer.drills.names import names
from healer.drills.playing import run


@pytest.mark.parametrize("name", names())
def test_it_goes_as_it_should(name: str) -> None:
    """What must happen does, what must not does not, and every promise is kept."""
    verdict = judge(run(packaged(name)))

    assert ((), (), ()) == (verdict.missed, verdict.broken, verdict.harm)

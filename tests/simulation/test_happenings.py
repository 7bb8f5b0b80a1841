"""The registry of what can befall a tower."""

import pytest

from healer.simulation.happenings import HAPPENINGS, Choice, Kind, Number
from tests.simulation.stage import Stage

NAMES = sorted(HAPPENINGS)
PASSING = frozenset({"slow", "starved", "noise", "events_lost", "stale_reads"})


@pytest.mark.parametrize("name", NAMES)
def test_each_tells_of_itself_in_a_sentence(name: str) -> None:
    """One that a person can choose by."""
    one = HAPPENINGS[name]

    assert name == one.name
    assert one.about.endswith(".")
    assert "\n" not in one.about


@pytest.mark.parametrize("name", NAMES)
def test_each_can_befall_a_tower_that_is_well_and_one_that_is_dead(name: str) -> None:
    """With its defaults and at both ends of each parameter; time goes on after it."""
    for befallen in (None, "vm_power_cut", "docker_kill", "vm_frozen"):
        for parameters in _extremes(name):
            stage = Stage()
            if befallen:
                stage.befall(befallen)
            stage.befall(name, **parameters).wait(400.0)
            assert stage.tower.now() >= 400.0


def _extremes(name: str) -> list[dict[str, str | float]]:
    found: list[dict[str, str | float]] = [{}]
    for word, one in HAPPENINGS[name].parameters.items():
        match one:
            case Number():
                found += [{word: one.least}, {word: one.most}]
            case Choice():
                assert one.default in one.values
                found += [{word: value} for value in one.values]
    return found


@pytest.mark.parametrize("name", NAMES)
def test_noise_and_time_make_no_layer_ill_and_a_fault_that_nobody_answers_stays(name: str) -> None:
    """Truth and table agree: what is not covered, and is not a human's, is never well alone."""
    one = HAPPENINGS[name]
    stage = Stage().befall(name).wait(2000.0)

    if one.kind in {Kind.NOISE, Kind.TIME} and not one.ends_healer:
        assert stage.tower.well
    if not one.covered:
        assert not stage.tower.well


def test_a_parameter_that_does_not_exist_is_an_error_that_names_those_that_do() -> None:
    """So that a scenario's slip is found at once."""
    with pytest.raises(ValueError, match="mac_sleeps has no parameter minutes; it has: seconds"):
        Stage().befall("mac_sleeps", minutes=5.0)


def test_two_towers_of_one_seed_are_the_same() -> None:
    """No chance but the seed's."""
    stories = []
    for _ in range(2):
        stage = Stage(seed=7).befall("noise", percent=3.0).befall("docker_kill")
        stage.tower.box.start_by_hand()
        lost = [stage.tower.troubles.loses_this_one() for _ in range(300)]
        stories.append((lost, stage.wait(600.0).tower.happened))

    assert stories[0] == stories[1]
    assert 0 < sum(stories[0][0]) < 30

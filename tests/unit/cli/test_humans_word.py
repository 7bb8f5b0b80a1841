"""`pause`, `resume`, `reset`, `config`, `paths`: without a daemon, and without a tower."""

import tomllib

import pytest

from tests.unit.cli.command import Machine


def test_a_pause_is_kept_and_taken_back(machine: Machine) -> None:
    """The round trip; talk is on stderr, since there is no data."""
    paused = machine.healer("pause", "--for", "1h", "--reason", "moving house")
    looked = machine.healer("--once")
    resumed = machine.healer("resume")
    again = machine.healer("resume")
    after = machine.healer("--once")

    assert (0, "", "paused everything for 1 h: moving house\n") == (
        paused.code,
        paused.out,
        paused.err,
    )
    assert "everything is paused by " in looked.err
    assert ": moving house" in looked.err
    assert (0, "ended 1 pause\n") == (resumed.code, resumed.err)
    assert (0, "nothing was paused\n") == (again.code, again.err)
    assert "moving house" not in after.err


def test_a_pause_of_one_layer(machine: Machine) -> None:
    """Its scope is said, and it ends alone."""
    machine.healer("pause", "--layer", "node", "--reason", "maintenance")

    assert "node is paused by" in machine.healer("--once", "--dry-run").err
    assert "nothing was paused\n" == machine.healer("resume", "--layer", "docker").err
    assert "ended 1 pause\n" == machine.healer("resume", "--layer", "node").err


def test_reset_rearms(machine: Machine) -> None:
    """One layer, or all."""
    assert "talos may be tried again; 0 holds ended\n" == machine.healer("reset", "talos").err
    assert "every layer may be tried again; 0 holds ended\n" == machine.healer("reset").err


def test_a_state_folder_that_is_a_file_is_said(machine: Machine) -> None:
    """A word that could not be kept ends with 1, and names the cause."""
    (machine.home / ".local").mkdir()
    (machine.home / ".local/state").write_text("in the way")
    said = machine.healer("pause", "--reason", "x")

    assert 1 == said.code
    assert "journal" in said.err


def test_config_show_reads_back(machine: Machine) -> None:
    """TOML on stdout; with --origin each value's source, down to the line."""
    plain, origins = machine.healer("config", "show"), machine.healer("config", "show", "--origin")

    assert ["/nonexistent/bin"] == tomllib.loads(plain.out)["files"]["path"]
    assert tomllib.loads(plain.out) == tomllib.loads(origins.out)
    assert "config.toml:2" in origins.out
    assert plain.out == machine.healer("config").out


def test_config_check(machine: Machine) -> None:
    """Good, bad, none, and a named file that is not there."""
    assert (0, f"{machine.config}: good\n") == _checked(machine)
    machine.write("[once]\ndeadlin = '5m'\n")
    assert 78 == _checked(machine)[0]
    machine.config.unlink()
    assert "there is none, so the defaults are in force" in _checked(machine)[1]
    assert 78 == machine.healer("config", "check", HEALER_CONFIG="/nonexistent/it.toml").code
    assert 78 == machine.healer("config", "check", "/nonexistent/it.toml").code


def _checked(machine: Machine) -> tuple[int, str]:
    said = machine.healer("config", "check")
    return said.code, said.err


def test_paths_as_words_and_as_a_document(machine: Machine) -> None:
    """Every file that healer uses, all below this home."""
    words, document = machine.healer("paths"), machine.healer("paths", "--json").document

    assert [
        "config",
        "state",
        "journal",
        "lock",
        "control",
        "log",
        "kubeconfig",
        "talosconfig",
    ] == list(document)
    assert all(path.startswith(str(machine.home)) for path in document.values())
    assert all(path in words.out for path in document.values())


def test_the_drill_needs_nothing(machine: Machine) -> None:
    """What a newcomer runs first: no Mac, no Docker, no network, and no trace left behind."""
    said = machine.healer("drill", "reboot")

    assert 0 == said.code
    assert "the tower is well again" in said.out
    assert said.out.startswith("reboot (seed 0)\nThe Mac has rebooted")
    assert not (machine.home / ".local").exists()


@pytest.mark.parametrize(
    "words",
    [
        ("pause", "--reason", "x", "--for"),
        ("history", "--since"),
        ("--once", "--dry-run", "--deadline"),
    ],
    ids=" ".join,
)
@pytest.mark.parametrize("length", ["9" * 400 + "d", "3651d", "9" * 5000])
def test_a_time_that_no_clock_counts_is_refused(
    machine: Machine, words: tuple[str, ...], length: str
) -> None:
    """It would stand in the journal, and break whoever shows how long it lasts."""
    said = machine.healer(*words, length)

    assert 2 == said.code
    assert "should be a time of " in said.err
    assert not (machine.home / ".local/state/healer/journal.sqlite").exists()

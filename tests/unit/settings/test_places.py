"""Which files healer uses."""

from pathlib import Path

from healer.settings import Settings
from healer.settings.places import places_of
from healer.settings.tree import FileSettings, TowerSettings

HOME = Path("/Users/joel")


def test_the_places_of_a_mac() -> None:
    """As design §6 has them."""
    places = places_of(Settings(), {}, HOME)

    assert HOME / ".config/healer/config.toml" == places.config
    assert HOME / ".local/state/healer" == places.state
    assert HOME / ".local/state/healer/journal.sqlite" == places.journal
    assert HOME / ".local/state/healer/lock" == places.lock
    assert HOME / ".local/state/healer/control.sock" == places.control
    assert HOME / ".local/log/healer.log" == places.log
    assert HOME / ".kube/config" == places.kubeconfig


def test_the_environment_moves_them() -> None:
    """XDG's folders, if absolute, and the first file of KUBECONFIG."""
    places = places_of(Settings(), {"XDG_STATE_HOME": "/xdg", "KUBECONFIG": "/k/one:/k/two"}, HOME)

    assert (Path("/xdg/healer"), Path("/k/one")) == (places.state, places.kubeconfig)
    assert (
        HOME / ".local/state/healer" == places_of(Settings(), {"XDG_STATE_HOME": "x"}, HOME).state
    )


def test_the_settings_stand_over_the_environment() -> None:
    """And `~/` is the home folder."""
    settings = Settings(
        files=FileSettings(state="~/s", log="/l"),
        tower=TowerSettings(kubeconfig="~/k", colima_home="~/c"),
    )
    places = places_of(settings, {"XDG_STATE_HOME": "/xdg", "KUBECONFIG": "/k/one"}, HOME)

    assert (HOME / "s", Path("/l"), HOME / "k") == (places.state, places.log, places.kubeconfig)
    assert HOME / "c" == places.colima_home
    assert places_of(Settings(), {}, HOME).colima_home is None

"""What `config show` prints can be put in a file, and means the same."""

import string
import tomllib
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from healer.core.ladders import Remedy
from healer.core.reasons import Reason
from healer.model.published import PublishedService
from healer.settings import Settings, load
from healer.settings.decoding import Problems, decode
from healer.settings.showing import show
from healer.settings.tree import (
    ConfirmSettings,
    EngineSettings,
    FileSettings,
    GraceSettings,
    JobSettings,
    LimitSettings,
    LivekitSettings,
    OnceSettings,
    PodSettings,
    TowerSettings,
)

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
NAME = TEXT.filter(lambda one: bool(one.strip()))
PLACE = TEXT.map(lambda one: f"/{one}")
SECONDS = st.floats(min_value=0.0, max_value=3e8)
COUNT = st.integers(1, 100_000)
PORT = st.integers(1, 65_535)

SETTINGS = st.builds(
    Settings,
    tower=st.builds(
        TowerSettings,
        profile=NAME,
        colima_home=st.none() | PLACE,
        cluster=NAME,
        container=NAME,
        kubeconfig=st.none() | PLACE,
        api_port=PORT,
        talos_port=PORT,
        restart_policy=TEXT,
        memory=st.none() | st.integers(0, 2**50),
        namespaces=st.lists(NAME, max_size=3).map(tuple),
        flannel_namespace=NAME,
        flannel_daemonset=NAME,
        reserved_ports=st.lists(PORT, max_size=3).map(tuple),
    ),
    livekit=st.builds(LivekitSettings, NAME, NAME, NAME, st.sampled_from(["not_ready", "always"])),
    pods=st.builds(PodSettings, st.booleans()),
    files=st.builds(
        FileSettings, st.none() | PLACE, st.none() | PLACE, st.lists(PLACE, max_size=3).map(tuple)
    ),
    once=st.builds(OnceSettings, SECONDS, SECONDS, SECONDS),
    engine=st.builds(EngineSettings, COUNT, SECONDS, COUNT, COUNT),
    grace=st.builds(GraceSettings, *[st.none() | SECONDS] * 4),
    limits=st.dictionaries(
        st.sampled_from(Remedy),
        st.builds(LimitSettings, st.none() | COUNT, *[st.none() | SECONDS] * 6),
        max_size=2,
    ),
    confirm=st.dictionaries(
        st.sampled_from(Reason),
        st.builds(ConfirmSettings, st.none() | COUNT, *[st.none() | SECONDS] * 3),
        max_size=2,
    ),
    services=st.lists(
        st.builds(
            PublishedService,
            name=TEXT,
            host_port=st.integers(),
            protocol=TEXT,
            path=TEXT,
            expect=TEXT,
            container_port=st.integers(-(2**62), 2**62),
            namespace=TEXT,
            host_network=st.booleans(),
        ),
        max_size=3,
    ).map(tuple),
    jobs=st.sampled_from(
        [
            (),
            (JobSettings("a"),),
            (JobSettings("\u00fc", "http://localhost:1/x", 0.5, kickstart=False), JobSettings("b")),
        ]
    ),
)


@given(SETTINGS, st.booleans())
def test_what_is_shown_reads_back_to_the_same_settings(
    settings: Settings,
    with_origins: bool,  # noqa: FBT001  (drawn by the property test)
) -> None:
    """Whatever the values are, with origins as comments or without."""
    problems = Problems(lambda _: "shown")
    text = show(settings, {} if with_origins else None)

    assert settings == decode(Settings, tomllib.loads(text), "", problems)
    assert [] == problems.found


def test_the_defaults_shown_are_a_valid_file(tmp_path: Path) -> None:
    """The quickest way to a settings file of one's own."""
    path = tmp_path / "config.toml"
    path.write_text(show(Settings()))

    assert Settings() == load({}, tmp_path, path).settings


def test_origins_stand_beside_the_values(tmp_path: Path) -> None:
    """Where each value comes from, the unset ones too."""
    path = tmp_path / "config.toml"
    path.write_text('[tower]\nprofile = "work"\n[limits.untaint]\ncount = 3\n')
    loaded = load({"HEALER_ONCE_DEADLINE": "5m"}, tmp_path, path)
    lines = show(loaded.settings, loaded.origins).splitlines()

    assert f'profile = "work"  # file {path}:2' in lines
    assert "# colima_home is not set  # default" in lines
    assert 'cluster = "joelclaw"  # default' in lines
    assert 'deadline = "5m"  # environment HEALER_ONCE_DEADLINE' in lines
    place = lines.index('[limits."untaint"]')
    assert f"count = 3  # file {path}:4" == lines[place + 1]


def test_odd_characters_are_escaped() -> None:
    """A quote, a backslash and a control character cannot break the file."""
    odd = string.printable + "\x00\x7f\u2028é😀"
    settings = Settings(tower=TowerSettings(cluster=odd))

    assert odd == tomllib.loads(show(settings))["tower"]["cluster"]

"""Settings that nobody in their right mind would write: refused in a sentence."""

import os
import signal
import tomllib
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from healer.core.reasons import Reason
from healer.settings import Loaded, Settings, SettingsError, load
from healer.settings.places import places_of
from healer.settings.policy import policy_of
from healer.settings.showing import show

SECTIONS = [one.name for one in fields(Settings)]
KEYS = sorted(
    {
        one.name
        for section in fields(Settings)
        if is_dataclass(getattr(Settings(), section.name))
        for one in fields(getattr(Settings(), section.name))
    }
    | {"start_vm", "untaint", "count", "window", "label", "host_port", Reason.NODE_TAINTED.value}
)
DIGITS = "9" * 5000


def read(path: Path, text: str | bytes, environment: dict[str, str] | None = None) -> Loaded:
    """The settings of a file with that text."""
    path.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass"))
    return load(environment or {}, path.parent, path)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A settings file that a test writes."""
    return tmp_path / "config.toml"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[tower]\nmemory = inf", ":2: tower.memory: inf should be a whole number of bytes"),
        ("[tower]\nmemory = nan", ":2: tower.memory: nan should be a whole number of bytes"),
        ("[tower]\nmemory = -inf", ":2: tower.memory: -inf should be a whole number of bytes"),
        ("[tower]\nmemory = 1e300", ":2: tower.memory: 1e+300 should be a whole number of bytes"),
        (f'[tower]\nmemory = "{DIGITS}TiB"', ":2: tower.memory: '99999"),
        (f"[tower]\nmemory = {DIGITS}", ":2: a number of 5000 digits; write at most 18"),
        (f"[tower]\nmemory = 0x{DIGITS}", ":2: tower.memory: a number of 20000 bits; write one"),
        (f"[once]\ndeadline = {DIGITS}", ":2: a number of 5000 digits; write at most 18"),
        (f'[once]\ndeadline = "{DIGITS}s"', ":2: once.deadline: '99999"),
        ("[once]\ndeadline = 1e300", ":2: once.deadline: 1e+300 should be a time of at most 3650d"),
        ("[once]\ndeadline = 0x1" + "0" * 400, ":2: once.deadline: a number of 1601 bits"),
        ("[[services]]\nname = 'a'\nhost_port = 0x1" + "0" * 5000, ":3: services[1].host_port: a"),
        (f"services = {'[' * 3000}{']' * 3000}", ": nested too deeply; write at most 20 levels"),
        (f"services = {'[' * 30}{']' * 30}", ": nested too deeply; write at most 20 levels"),
        (f"{'a.' * 3000}b = 1", ": nested too deeply; write at most 20 levels"),
        (f"[{'a.' * 3000}b]\nc = 1", ": nested too deeply; write at most 20 levels"),
        ('[files]\nstate = "/a\\u0000b"', ":2: files.state: '/a\\x00b' holds a NUL character"),
        ('[tower]\ncluster = "a\\u0000"', ":2: tower.cluster: 'a\\x00' holds a NUL character"),
        ('[tower]\nrestart_policy = "a\\u0000"', ":2: tower.restart_policy: 'a\\x00' holds a NUL"),
        (b'[files]\nstate = "/\xff"', ": byte 18 is not UTF-8"),
        ('[files]\nstate = "/\ud800"', ": byte 18 is not UTF-8"),
        ('"\\u001b[31m" = 1', "\\x1b[31m: unknown key"),
        ("a" * 200_000, ": is larger than 131072 bytes"),
        ("[tower]\nprofile = " + "[1, " * 15 + "]" * 15, ":2: tower.profile: [1, [1, [1"),
        ("[tower]\nprofile = [", ": not valid TOML: "),
    ],
    ids=lambda one: ascii(one)[:40],
)
def test_what_no_number_or_text_can_be_is_said(path: Path, text: str | bytes, said: str) -> None:
    """Place, value and remedy, in a line that a terminal can show."""
    with pytest.raises(SettingsError) as raised:
        read(path, text)

    (problem,) = raised.value.problems
    assert problem.startswith(f"{path}:")
    assert said in problem
    assert problem.isprintable()
    assert len(problem) < 400 + len(str(path))


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("HEALER_TOWER_API_PORT", DIGITS, "should be a whole number"),
        ("HEALER_TOWER_MEMORY", f"{DIGITS}TiB", "should be a whole number of bytes"),
        ("HEALER_ONCE_DEADLINE", "9" * 400, "should be a time of 0s or more"),
        ("HEALER_FILES_STATE", "/a\udcff", "holds what is not UTF-8"),
        ("HEALER_FILES_PATH", "/a:/b\udcff", "holds what is not UTF-8"),
    ],
)
def test_a_variable_that_no_value_can_be_is_said(
    path: Path, name: str, text: str, said: str
) -> None:
    """It names the variable."""
    with pytest.raises(SettingsError) as raised:
        read(path, "", {name: text})

    (problem,) = raised.value.problems
    assert problem.startswith(f"environment {name}: ")
    assert said in problem


@pytest.mark.parametrize("kind", ["FIFO", "device", "folder", "socket"])
def test_what_is_no_file_is_refused_at_once(tmp_path: Path, kind: str) -> None:
    """A FIFO would keep a daemon waiting for ever, and /dev/zero never ends."""
    path = Path("/dev/zero") if kind == "device" else tmp_path / "config.toml"
    if kind == "FIFO":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    elif kind == "socket":
        os.mknod(path, 0o140600)

    signal.alarm(30)
    try:
        with pytest.raises(SettingsError, match=f"{path}: is a {kind}, not a file"):
            load({}, tmp_path, path)
    finally:
        signal.alarm(0)


def test_a_home_that_is_nobodys_is_said(tmp_path: Path) -> None:
    """`~nobody-there/x` means no file, and no traceback."""
    with pytest.raises(SettingsError, match=r"~nobody-there/config\.toml: no such file"):
        load({"HEALER_CONFIG": "~nobody-there/config.toml"}, tmp_path)


scalars = (
    st.integers()
    | st.floats()
    | st.booleans()
    | st.text(max_size=30)
    | st.sampled_from(["", "1h", "18GiB", "~/x", "/x", "~x", "::", "-1s", "9" * 400 + "d"])
    | st.integers(min_value=2**60, max_value=2**2000)
)
values: st.SearchStrategy[Any] = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=5), inner, max_size=4)
    ),
    max_leaves=10,
)
tables = st.dictionaries(st.sampled_from(SECTIONS) | st.text(max_size=5), values, max_size=4)


def written(value: object) -> str:
    """As TOML, on one line; None when it cannot be written."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return hex(value) if value >= 0 else str(value)
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, list):
        return f"[{', '.join(map(written, value))}]"
    assert isinstance(value, dict)
    return f"{{{', '.join(f'{quoted(key)} = {written(one)}' for key, one in value.items())}}}"


def quoted(text: str) -> str:
    """A basic string in which all but letters and digits is escaped; surrogates cannot be."""
    inner = (one if one.isalnum() and one.isascii() else f"\\U{ord(one):08x}" for one in text)
    return f'"{"".join(inner)}"'


def judged(path: Path, text: str | bytes, environment: dict[str, str] | None = None) -> None:
    """Either settings that can be used and shown, or sentences."""
    try:
        loaded = read(path, text, environment)
    except SettingsError as error:
        problems = error.problems
    else:
        usable(loaded, path.parent)
        problems = ["none"]
    assert problems
    assert all(one.isprintable() for one in problems), problems


def usable(loaded: Loaded, home: Path) -> None:
    """What is made of settings, and how they are shown."""
    policy_of(loaded.settings, run="r", one_pass=False)
    places_of(loaded.settings, {}, home)
    tomllib.loads(show(loaded.settings, loaded.origins))


fuzzed = settings(
    max_examples=100,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@fuzzed
@given(table=tables)
def test_any_table_is_settings_or_sentences(path: Path, table: dict[str, Any]) -> None:
    """Values of every kind under every key."""
    judged(path, "\n".join(f"{quoted(key)} = {written(one)}" for key, one in table.items()))


@fuzzed
@given(
    section=st.sampled_from(SECTIONS),
    key=st.sampled_from(KEYS),
    value=values,
    more=st.binary(max_size=20),
)
def test_any_value_of_a_known_key_is_settings_or_sentences(
    path: Path, section: str, key: str, value: object, more: bytes
) -> None:
    """Known keys reach the deepest checks; a few bytes of noise reach the parser's."""
    judged(path, f"[{section}]\n{key} = {written(value)}\n".encode() + more)


@fuzzed
@given(noise=st.binary(max_size=200))
def test_any_bytes_are_settings_or_sentences(path: Path, noise: bytes) -> None:
    """A file that was overwritten by something else."""
    judged(path, noise)


@fuzzed
@given(
    name=st.sampled_from(["TOWER_MEMORY", "TOWER_API_PORT", "ONCE_DEADLINE", "FILES_PATH"]),
    text=st.text(st.characters(exclude_characters="\0"), max_size=20)
    | st.from_regex(r"[0-9]{1,5000}(\.[0-9]+)?[a-zA-Z]{0,3}", fullmatch=True),
)
def test_any_variable_is_settings_or_sentences(path: Path, name: str, text: str) -> None:
    """The environment holds what no TOML file can."""
    judged(path, "", {f"HEALER_{name}": text})

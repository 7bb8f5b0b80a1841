"""How the VM's answer reads: what it says, what it leaves out, and nonsense."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from healer.adapters.guest_script import Question, is_whole, read_answer, script
from healer.model.machine import FileSystem, GuestFacts, Unit
from healer.ports import TargetIll

LINES = {
    "uptime": "100.50",
    "clock": "1700000000.5",
    "bridge": "1",
    "vxlan": "1",
    "modules": "br_netfilter vxlan ",
    "docker_root": "/var/lib/docker",
    "disk": "21% /dev/vda1 /",
    "data_disk": "1",
    "ping": "OK",
    "unit.ActiveState": "active",
    "unit.Result": "success",
    "unit.InactiveEnterTimestampMonotonic": "0",
    "unit.ExecMainStartTimestampMonotonic": "20000000",
    "unit.ActiveEnterTimestampMonotonic": "21000000",
    "socket.ActiveState": "active",
    "container": "running",
    "published": "55001",
    "api": "401",
    "ended": "1700000001.5",
}
REQUIRED = ("uptime", "clock", "bridge", "vxlan", "ping", "ended")


def answer(*ports: int, **changed: str | None) -> str:
    """What the script says in a healthy VM, with some lines changed or (None) left out."""
    values = {**LINES, **{key.replace("__", "."): value for key, value in changed.items()}}
    lines = [f"{key}={value}\n" for key, value in values.items() if value is not None]
    return "".join([*(f"port={port}\n" for port in ports), *lines])


def read(text: str) -> GuestFacts:
    """The facts in it."""
    return read_answer(text, "ssh", 1_700_000_001.0)


def test_a_healthy_vm_reads_whole() -> None:
    """Every line has its field, and the clock is of the middle of the question."""
    expected = GuestFacts(
        uptime=100.5,
        clock=1_700_000_001.0,
        asked_at=1_700_000_001.0,
        bridge_netfilter=True,
        vxlan=True,
        persisted=True,
        disks=(FileSystem("/dev/vda1", 0.21, ("/",)),),
        engine_answers=True,
        docker=Unit("active", "success", None, (80.5, 79.5), "active"),
        docker_root="/var/lib/docker",
        has_data_disk=True,
        container_status="running",
        api_answers=True,
        api_port=55_001,
        open_ports=frozenset({6379, 7880}),
    )
    assert expected == read(answer(6379, 7880))


@pytest.mark.parametrize("key", REQUIRED)
def test_a_cut_answer_is_no_answer(key: str) -> None:
    """A missing line must not read as a module that is gone or an engine that is dead."""
    with pytest.raises(TargetIll, match="nonsense"):
        read(answer(**{key: None}))


@pytest.mark.parametrize("key", [key for key in LINES if key not in REQUIRED])
def test_an_optional_line_may_be_missing(key: str) -> None:
    """What a VM without that tool cannot say leaves the rest as it is."""
    assert read(answer(**{key.replace(".", "__"): None})).engine_answers


@pytest.mark.parametrize("key", ["uptime", "clock", "ended"])
@pytest.mark.parametrize("value", ["", "-1", "1e9", "inf", "nan", "²", "٣", "9" * 5000, "x"])
def test_a_time_that_is_none_is_nonsense(key: str, value: str) -> None:
    """Only a plain finite number is a time."""
    with pytest.raises(TargetIll):
        read(answer(**{key: value}))


def test_busybox_prints_the_format_as_it_stands() -> None:
    """`date +%s.%N` without nanoseconds still has its seconds."""
    facts = read(answer(clock="1700000000.%N", ended="1700000000.N"))
    assert 1_700_000_000.0 == facts.clock


@pytest.mark.parametrize(
    ("changed", "field", "expected"),
    [
        ({"bridge": "0"}, "bridge_netfilter", False),
        ({"vxlan": "0"}, "vxlan", False),
        ({"modules": ""}, "persisted", False),
        ({"modules": "br_netfilter"}, "persisted", False),
        ({"modules": "vxlan overlay br_netfilter"}, "persisted", True),
        ({"disk": "100% /dev/vda1 /"}, "disks", (FileSystem("/dev/vda1", 1.0, ("/",)),)),
        ({"disk": "-"}, "disks", ()),
        ({"disk": None}, "disks", ()),
        ({"data_disk": "0"}, "has_data_disk", False),
        ({"ping": ""}, "engine_answers", False),
        ({"ping": "<html>OK</html>"}, "engine_answers", False),
        ({"container": None}, "container_status", ""),
        ({"api": "000"}, "api_answers", False),
        ({"api": "200"}, "api_answers", True),
        ({"api": ""}, "api_answers", None),
        ({"api": None}, "api_answers", None),
    ],
)
def test_each_line_means(changed: dict[str, str | None], field: str, expected: object) -> None:
    """One line changes one field."""
    assert expected == getattr(read(answer(**changed)), field)


@pytest.mark.parametrize("active", ["inactive", "failed"])
def test_a_unit_that_ended_knows_since_when(active: str) -> None:
    """systemd counts microseconds since the VM's boot, for a failed unit as well."""
    text = answer(unit__ActiveState=active, unit__InactiveEnterTimestampMonotonic="90500000")
    assert Unit(active, "success", 10.0, (80.5, 79.5), "active") == read(text).docker


def test_file_systems_are_told_by_device_and_named_by_what_lies_on_them() -> None:
    """A bind mount is the same disk; two `tmpfs` are not, and a path may hold a blank."""
    text = answer(disk=None) + (
        "disk=5% /dev/vda1 /\ndisk=98% /dev/vdb1 /var/lib/docker\n"
        "disk=98% /dev/vdb1 /var/lib/my data\ndisk=1% tmpfs /a\ndisk=7% tmpfs /b\n"
    )
    assert (
        FileSystem("/dev/vda1", 0.05, ("/",)),
        FileSystem("/dev/vdb1", 0.98, ("/var/lib/docker", "/var/lib/my data")),
        FileSystem("tmpfs", 0.01, ("/a",)),
        FileSystem("tmpfs", 0.07, ("/b",)),
    ) == read(text).disks


@pytest.mark.parametrize(
    ("active", "socket", "sleeps"),
    [
        ("inactive", "active", True),
        ("deactivating", "active", True),
        ("failed", "active", True),
        ("active", "active", False),
        ("activating", "active", False),
        ("inactive", "inactive", False),
        ("inactive", None, False),
    ],
)
def test_a_unit_sleeps_while_its_socket_would_start_it(
    active: str, socket: str | None, *, sleeps: bool
) -> None:
    """One that is on its way down as well: systemd keeps the connection for afterwards."""
    text = answer(unit__ActiveState=active, socket__ActiveState=socket)
    assert sleeps == read(text).docker.sleeps


@pytest.mark.parametrize(
    ("data", "root", "awaits"),
    [("1", "/dev/vda1", True), ("1", "/dev/vdb1", False), ("0", "/dev/vda1", False)],
)
def test_docker_awaits_its_data_disk_while_its_folder_is_the_root_s(
    data: str, root: str, *, awaits: bool
) -> None:
    """A VM without such a disk awaits none."""
    text = answer(data_disk=data) + f"disk=5% {root} /var/lib/docker\n"
    assert awaits == read(text).awaits_data_disk


def test_a_unit_that_never_ran_has_no_end() -> None:
    """0 is systemd's never."""
    assert None is read(answer(unit__ActiveState="inactive")).docker.inactive_for


def test_ports_that_are_none_are_left_out() -> None:
    """A stray line does not open a port."""
    assert frozenset({80}) == read(f"port=²\nport={'9' * 5000}\nport=\n{answer(80)}").open_ports


def test_the_first_word_of_a_key_counts() -> None:
    """A container's name cannot overwrite what was said before it."""
    assert read(answer() + "ping=\n").engine_answers


def test_the_last_word_of_a_unit_counts() -> None:
    """A stop that begins during the question is in the answer."""
    assert read(answer() + "unit.ActiveState=deactivating\n").docker.sleeps


def test_the_question_has_no_blanks_of_its_own() -> None:
    """Container, API port and ports go in as positional parameters."""
    assert ("a b", "6443", "80", "443") == Question("a b", ports=(80, 443)).arguments


def test_the_script_says_every_line_that_is_read() -> None:
    """The two files that make one protocol have not drifted apart."""
    said = set(re.findall(r"\bsay (\w+)", script().decode()))
    assert {key for key in LINES if "." not in key} | {"port"} == said


@given(st.text())
def test_nothing_breaks_the_reader(text: str) -> None:
    """Whatever a VM says is facts, or ill."""
    try:
        read(text)
    except TargetIll:
        return


@given(st.dictionaries(st.sampled_from(sorted({*LINES, "port"})), st.text(), max_size=14))
def test_no_value_breaks_the_reader(values: dict[str, str]) -> None:
    """The right keys with any value are facts, or ill."""
    lines = {**LINES, **values}
    try:
        facts = read("".join(f"{key}={value}\n" for key, value in lines.items()))
    except TargetIll:
        return
    assert 0.0 <= facts.uptime < float("inf")


@pytest.mark.parametrize(
    ("said", "whole"),
    [
        (b"", False),
        (b"welcome\nended=1\n", False),
        (b"welcome\nfacts=1\nuptime=5\n", False),
        (b"welcome\nfacts=1\nuptime=5\nended=1", False),
        (b"welcome\nfacts=1\nuptime=5\nended=1.5\n", True),
    ],
)
def test_the_last_line_makes_an_answer_whole(said: bytes, *, whole: bool) -> None:
    """Whatever a user's rc file says before it."""
    assert whole is is_whole(said)

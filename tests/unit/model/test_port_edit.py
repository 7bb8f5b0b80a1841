"""A container's two files with one more port: nothing else changes, and what is odd is refused."""

import json
from typing import Any

import pytest

from healer.model.port_edit import (
    CONFIG,
    HOSTCONFIG,
    BadEdit,
    WantedPort,
    bindings,
    edited,
    parse_port,
)

PDS = WantedPort(9627, 3000)
HOST = (
    b'{"Binds":null,"Memory":19327352832,"NanoCpus":4000000000,"PortBindings":'
    b'{"6379/tcp":[{"HostIp":"127.0.0.1","HostPort":"6379"}],"50000/tcp":null},'
    b'"RestartPolicy":{"Name":"no","MaximumRetryCount":0},"Odd":"a\\u003cb \\ud800 \xc3\xa9"}\n'
)


def host(**changed: Any) -> bytes:  # noqa: ANN401  (any JSON)
    """A hostconfig with these keys."""
    return json.dumps({"Memory": 1, **changed}).encode()


def test_the_binding_is_added_and_all_else_stays() -> None:
    """The address is that of the others; keys keep their order, numbers their value."""
    before, after = json.loads(HOST), json.loads(edited(HOSTCONFIG, HOST, PDS))
    assert [{"HostIp": "127.0.0.1", "HostPort": "9627"}] == after["PortBindings"].pop("3000/tcp")
    assert before == after
    assert list(before) == list(after)
    assert edited(HOSTCONFIG, HOST, PDS).endswith(b"}\n")
    assert {("6379/tcp", "127.0.0.1", "6379")} == bindings(HOST)


@pytest.mark.parametrize("published", [{}, None])
def test_a_container_without_ports_gets_the_usual_address(published: object) -> None:
    """As talosctl publishes on a Mac."""
    after = json.loads(edited(HOSTCONFIG, host(PortBindings=published), PDS))
    assert {"3000/tcp": [{"HostIp": "0.0.0.0", "HostPort": "9627"}]} == after["PortBindings"]


def test_a_second_port_of_the_mac_for_one_of_the_container_joins_the_first() -> None:
    """Docker keeps a list for each (facts/talos-kubernetes.md §1)."""
    after = json.loads(edited(HOSTCONFIG, HOST, WantedPort(16379, 6379)))
    assert ["6379", "16379"] == [one["HostPort"] for one in after["PortBindings"]["6379/tcp"]]


@pytest.mark.parametrize(
    ("taken", "wanted"),
    [("9627", PDS), ("9000-9700", PDS), ("9627-9627", WantedPort(9627, 1))],
)
def test_a_port_of_the_mac_is_published_once(taken: str, wanted: WantedPort) -> None:
    """Also when a range covers it; the same number of the other protocol is another port."""
    data = host(PortBindings={"80/tcp": [{"HostIp": "", "HostPort": taken}]})
    with pytest.raises(BadEdit, match="published already, for 80/tcp"):
        edited(HOSTCONFIG, data, wanted)
    assert edited(HOSTCONFIG, data, WantedPort(9627, 3000, "udp"))


def test_the_port_is_exposed_in_the_other_file() -> None:
    """Env stays to the byte, and a port that is exposed already stays as it is."""
    data = json.dumps({"ID": "x", "Config": {"Env": ["A=1"], "ExposedPorts": None}}).encode()
    after = json.loads(edited(CONFIG, data, PDS))
    assert {"Env": ["A=1"], "ExposedPorts": {"3000/tcp": {}}} == after["Config"]
    assert edited(CONFIG, json.dumps(after).encode(), PDS) == edited(CONFIG, data, PDS)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        (HOSTCONFIG, b""),
        (HOSTCONFIG, b"[]"),
        (HOSTCONFIG, b'{"PortBindings":{}'),
        (HOSTCONFIG, b'{"PortBindings":{},"PortBindings":{}}'),
        (HOSTCONFIG, host(PortBindings=[])),
        (HOSTCONFIG, host(PortBindings={"80/tcp": {}})),
        (HOSTCONFIG, host(PortBindings={"80/tcp": [{"HostIp": "", "HostPort": 80}]})),
        (CONFIG, b'{"Config":null,"SECRET":1}'),
        (CONFIG, b'{"Config":{"ExposedPorts":["SECRET"]}}'),
        (CONFIG, b"[" * 100_000),
        (CONFIG, b'{"Config":{"Env":["SECRET'),
    ],
)
def test_what_docker_would_not_write_is_refused(name: str, data: bytes) -> None:
    """A value of the wrong type makes a container vanish; no word of the file is repeated."""
    with pytest.raises(BadEdit) as refused:
        edited(name, data, PDS)
    assert "SECRET" not in str(refused.value)
    assert refused.value.__cause__ is None
    assert refused.value.__context__ is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("8080", WantedPort(8080, 8080)),
        ("9627:3000", PDS),
        ("7882/udp", WantedPort(7882, 7882, "udp")),
        ("9627:3000/tcp", PDS),
    ],
)
def test_a_port_is_read_as_docker_writes_it(text: str, expected: WantedPort) -> None:
    """HOST[:CONTAINER][/proto]."""
    assert expected == parse_port(text)


@pytest.mark.parametrize(
    "text", ["", "0", "65536", "x", "80:", ":80", "80:80:80", "80/", "80/sctp", "0080", "٨", "-1"]
)
def test_what_is_no_port_is_refused_by_its_name(text: str) -> None:
    """The message quotes what was given."""
    with pytest.raises(ValueError, match=r"port|protocol"):
        parse_port(text)

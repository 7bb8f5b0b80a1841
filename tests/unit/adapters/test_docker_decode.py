"""From `docker inspect` to what healer may know: each field, odd forms, and nonsense."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from healer.adapters.docker_decode import container_of, epoch
from healer.model.container import Container, PortBinding
from healer.ports import TargetIll
from tests.unit.adapters.docker_engine import NOW, inspected

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def decoded(raw: Any) -> Container:  # noqa: ANN401  (Docker's JSON)
    """What healer may know of it."""
    return container_of(raw, float(NOW), "docker inspect")


def test_every_field_is_read() -> None:
    """A running Talos container as talosctl makes it."""
    expected = Container(
        id="abc123",
        name="talos-1",
        status="running",
        exit_code=0,
        error="",
        started_ago=59.5,
        finished_ago=None,
        started_at="2023-11-14T22:12:20.5Z",
        restart_policy="no",
        memory=2**31,
        memory_swap=2**32,
        oom_killed=False,
        ports=(PortBinding(6443, "0.0.0.0", 6443),),
        labels={"talos.owned": "true", "talos.cluster.name": "joel"},
        addresses=("10.5.0.2",),
    )
    assert expected == decoded(inspected())


def test_one_port_may_be_bound_twice() -> None:
    """talosctl 1.13 keeps its own random port beside the user's (§1)."""
    two = [{"HostIp": "", "HostPort": "64784"}, {"HostIp": "127.0.0.1", "HostPort": "6443"}]
    found = decoded(inspected(HostConfig={"PortBindings": {"6443/tcp": two}}))
    expected = (PortBinding(6443, "", 64784), PortBinding(6443, "127.0.0.1", 6443))
    assert expected == found.ports
    assert 64784 == found.host_port(6443)


@pytest.mark.parametrize(
    ("bindings", "expected"),
    [
        (None, ()),
        ({"53/udp": [{"HostIp": "", "HostPort": "53"}]}, (PortBinding(53, "", 53, "udp"),)),
        ({"80": [{"HostPort": "80"}]}, (PortBinding(80, "", 80),)),
        ({"80/tcp": None}, ()),
        ({"80/tcp": [{"HostIp": "", "HostPort": ""}]}, ()),
        ({"80/tcp": [{"HostIp": "", "HostPort": "8000-8010"}]}, ()),
    ],
)
def test_bindings_have_many_forms(
    bindings: dict[str, Any] | None, expected: tuple[PortBinding, ...]
) -> None:
    """Ephemeral ports and ranges are no fixed door, and are left out."""
    assert expected == decoded(inspected(HostConfig={"PortBindings": bindings})).ports


@pytest.mark.parametrize("missing", ["Config", "NetworkSettings"])
def test_what_an_engine_may_leave_out(missing: str) -> None:
    """Older and newer engines drop fields; the rest is read."""
    raw = inspected()
    del raw[missing]
    assert "running" == decoded(raw).status


def test_nulls_are_empty() -> None:
    """Go's empty maps come as null."""
    raw = inspected(
        Config={"Labels": None}, NetworkSettings={"Networks": None}, HostConfig={"Memory": None}
    )
    found = decoded(raw)
    assert ({}, (), (), 0, "no") == (
        found.labels,
        found.addresses,
        found.ports,
        found.memory,
        found.restart_policy,
    )


@pytest.mark.parametrize("field", ["Id", "Name", "State", "HostConfig"])
def test_a_missing_field_is_named(field: str) -> None:
    """The field's name only, never a value."""
    raw = inspected()
    del raw[field]
    with pytest.raises(TargetIll, match=f"makes no sense at {field}"):
        decoded(raw)


@pytest.mark.parametrize(
    ("stamp", "expected"),
    [
        ("2023-11-14T22:13:20Z", 1_700_000_000.0),
        ("2023-11-14T22:13:20.5Z", 1_700_000_000.5),
        ("2023-11-14T22:13:20.123456789Z", 1_700_000_000.123456789),
        ("2023-11-15T00:13:20.25+02:00", 1_700_000_000.25),
        ("0001-01-01T00:00:00Z", None),
        ("9999-12-31T23:59:59-23:59", None),
        ("2023-13-45T99:00:00Z", None),
        ("yesterday", None),
        ("", None),
        (None, None),
        (1_700_000_000, None),
    ],
)
def test_docker_s_time(stamp: object, expected: float | None) -> None:
    """RFC 3339 with nanoseconds; never and nonsense are no time."""
    assert expected == epoch(stamp)


def test_what_is_yet_to_come_is_now() -> None:
    """The Date header has whole seconds, so a fresh start may lie just after it."""
    state = {"Status": "running", "ExitCode": 0, "StartedAt": "2023-11-14T22:13:20.9Z"}
    assert 0.0 == decoded(inspected(State=state)).started_ago


@given(st.text())
def test_no_stamp_breaks_the_reader(stamp: str) -> None:
    """Any text is a time, or none."""
    assert isinstance(epoch(stamp), float | None)


@given(JSON)
def test_nothing_breaks_the_decoder(raw: Any) -> None:  # noqa: ANN401  (any JSON)
    """Whatever JSON an engine sends is no container, and ill."""
    with pytest.raises(TargetIll):
        decoded(raw)


@given(st.sampled_from(["Id", "Name", "State", "Config", "HostConfig", "NetworkSettings"]), JSON)
def test_no_field_breaks_the_decoder(field: str, value: Any) -> None:  # noqa: ANN401  (any JSON)
    """An inspect with any one field replaced is a container, or ill."""
    try:
        assert isinstance(decoded(inspected(**{field: value})), Container)
    except TargetIll:
        return


@given(st.sampled_from(["PortBindings", "Memory", "MemorySwap", "RestartPolicy"]), JSON)
def test_no_host_config_breaks_the_decoder(key: str, value: Any) -> None:  # noqa: ANN401  (any JSON)
    """The same one level deeper."""
    config = {**inspected()["HostConfig"], key: value}
    try:
        assert isinstance(decoded(inspected(HostConfig=config)), Container)
    except TargetIll:
        return

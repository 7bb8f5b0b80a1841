"""What is read of how a cluster was set up."""

from typing import Any

import pytest

from healer.model.setup import (
    Address,
    Addressing,
    Place,
    addressing,
    node_port_range,
    outside_range,
)

Json = dict[str, Any]
SECRET = "hunter2"


def deployment(*containers: Json, inits: tuple[Json, ...] = ()) -> Json:
    """A Deployment of those containers."""
    spec = {"containers": list(containers), "initContainers": list(inits)}
    metadata = {"namespace": "joelclaw", "name": "w"}
    return {"metadata": metadata, "spec": {"template": {"spec": spec}}}


def container(name: str = "app", **env: str) -> Json:
    """One with that environment."""
    return {"name": name, "env": [{"name": key, "value": one} for key, one in env.items()]}


def inngest(*args: str, **env: str) -> Addressing:
    """What is read of an Inngest with those arguments."""
    return addressing("StatefulSet", deployment({**container("inngest", **env), "args": [*args]}))


def addresses(found: Addressing) -> list[tuple[str, str]]:
    """Who says which."""
    return [(one.said_by, one.words) for one in found.addresses]


def test_variables_that_name_k3ds_host_are_told_by_name() -> None:
    """Of init containers too; the value itself is not kept."""
    url = f"http://u:{SECRET}@host.k3d.internal:8288"
    first = container("init", REDIS_URL=url)
    found = addressing("Deployment", deployment(container(A="x", B=url), inits=(first,)))

    assert ["REDIS_URL", "B"] == [one.variable for one in found.mentions]
    assert "Deployment joelclaw/w, container app" == found.mentions[1].place.words
    assert SECRET not in repr(found)


@pytest.mark.parametrize(
    "args",
    [
        ("start", "--sdk-url", "http://mac:3111/api/inngest"),
        ("start", "--sdk-url=http://mac:3111/api/inngest"),
        ("start", "-u", "http://mac:3111"),
        ("sh", "-c", "exec inngest start -u 'http://mac:3111/api' --port 8288"),
    ],
)
def test_a_flag_of_inngest_names_the_worker(args: tuple[str, ...]) -> None:
    """In each of the forms that its command line takes, and in a shell's one string."""
    ((_, words),) = addresses(inngest(*args))

    assert "mac:3111" == words


def test_several_apps_are_several_addresses() -> None:
    """Each with the port of its scheme when it names none."""
    found = inngest("-u", f"http://u:{SECRET}@a:1,https://b/x,http://[::1]:3")

    assert [("-u", "a:1"), ("-u", "b:443"), ("-u", "[::1]:3")] == addresses(found)
    assert SECRET not in repr(found)


def test_variables_of_addresses_are_read_where_they_mean_one() -> None:
    """The SDK's anywhere, Inngest's own in its container alone."""
    assert [("INNGEST_SDK_URL", "m:3111")] == addresses(inngest(INNGEST_SDK_URL="http://m:3111"))
    other = container(INNGEST_SDK_URL="http://m:3111", INNGEST_SERVE_HOST="http://h:3111")
    found = addressing("Deployment", deployment(other))
    assert [("INNGEST_SERVE_HOST", "h:3111")] == addresses(found)


def test_an_address_that_names_k3d_is_told_once() -> None:
    """As a variable that names its host."""
    found = inngest(INNGEST_SERVE_HOST="http://host.k3d.internal:3111")

    assert (1, 0) == (len(found.mentions), len(found.addresses))


@pytest.mark.parametrize(
    "url", ["", "mac", "http://$(HOST):3111", "http://mac:port", "http://[::1", "ftp://mac"]
)
def test_what_is_no_url_says_nothing(url: str) -> None:
    """Nor one that is yet to be filled in."""
    assert [] == addresses(inngest(INNGEST_SDK_URL=url))


def test_other_flags_and_other_containers_are_not_read() -> None:
    """`-u` means something else to everybody else."""
    assert [] == addresses(inngest("--redis-uri", "redis://r:6379", "--u", "http://x:1"))
    other = {"name": "app", "args": ["-u", "http://x:1"]}
    assert Addressing() == addressing("Deployment", deployment(other))


@pytest.mark.parametrize(
    "raw", [{}, {"spec": []}, {"spec": {"template": {"spec": {"containers": [1, {"env": 3}]}}}}]
)
def test_nonsense_says_nothing(raw: Json) -> None:
    """Whatever an API may hold there."""
    assert Addressing() == addressing("Deployment", raw)


def test_a_value_from_a_secret_is_not_read() -> None:
    """It has no value of its own."""
    env = [{"name": "INNGEST_SERVE_HOST", "valueFrom": {"secretKeyRef": {"name": "k"}}}]
    assert Addressing() == addressing("Deployment", deployment({"name": "a", "env": env}))


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--service-node-port-range=1-65535"], "1-65535"),
        (["--service-node-port-range", "80-90"], "80-90"),
        (["--secure-port=6443"], "30000-32767"),
        ([], "30000-32767"),
    ],
)
def test_the_range_is_read_from_command_or_args(words: list[str], expected: str) -> None:
    """The default where nothing is said."""
    for key in ("command", "args"):
        assert expected == node_port_range({"spec": {"containers": [{key: words}]}})


def test_ports_outside_a_range_are_told_in_order() -> None:
    """Both ends are inside; a range that makes no sense leaves nothing out."""
    assert (6379, 8108) == outside_range([8108, 30000, 32767, 6379, 6379], "30000-32767")
    assert () == outside_range([6379], "0")
    assert () == outside_range([6379], "1-65535")


def test_a_place_is_spelled_for_kubectl() -> None:
    """Its workload, and an address in brackets when it must be."""
    place = Place("ns", "StatefulSet", "inngest", "inngest")

    assert "statefulset/inngest" == place.workload
    assert "mac:1" == Address(place, "-u", "mac", 1).words

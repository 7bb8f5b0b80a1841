"""Which Services get which NodePort, and which are left alone."""

import json
from dataclasses import replace

import pytest

from healer.model.cluster import ServicePort
from healer.model.container import PortBinding
from healer.model.port_fix import patches
from healer.model.published import HOST, PublishedService
from tests.fakes.engine import UP

REDIS = PublishedService("redis", 6379, "redis")
PDS = PublishedService("bluesky-pds", 9627, "http", container_port=3000)
BOX = replace(UP, ports=(PortBinding(6379, "", 6379), PortBinding(3000, "", 9627)))


def port(name: str, number: int, node_port: int) -> ServicePort:
    """A port of a Service in joelclaw."""
    return ServicePort("joelclaw", name, node_port, number, str(number), 1, 1)


@pytest.mark.parametrize(
    ("expected", "service", "services"),
    [
        ([6379], REDIS, [port("redis", 6379, 31379)]),
        ([6379], REDIS, [port("redis", 6379, 0)]),
        ([3000], PDS, [port("bluesky-pds", 3000, 9627)]),
        ([], REDIS, [port("redis", 6379, 6379)]),
        ([], REDIS, [port("redis", 6379, 0), port("valkey", 6379, 6379)]),
        ([], REDIS, [port("valkey", 6379, 0)]),
        ([], replace(REDIS, host_port=6380), [port("redis", 6379, 0)]),
        ([], replace(REDIS, host_network=True), [port("redis", 6379, 0)]),
        ([], replace(REDIS, where=HOST), [port("redis", 6379, 0)]),
    ],
)
def test_only_a_published_port_without_its_node_port_is_patched(
    expected: list[int], service: PublishedService, services: list[ServicePort]
) -> None:
    """Not one that is right, held by another Service, unpublished, or no NodePort's business."""
    assert expected == [one.node_port for one in patches([service], BOX, services)]


def test_what_is_printed_is_what_is_sent() -> None:
    """The command that a human is shown carries the very patch that healer sends."""
    for had in (0, 31379):
        (one,) = patches([REDIS], BOX, [port("redis", 6379, had)])
        assert one.body == json.loads(one.command.split(" -p ")[1].strip("'"))

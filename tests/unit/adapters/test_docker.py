"""Docker through its socket: what is asked, what is decoded, and what must never be seen."""

import asyncio
import json
import logging
import socket
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from healer.adapters.docker import DockerEngine
from healer.ports import (
    ActFailed,
    CannotLook,
    NotAsked,
    NotThere,
    PortError,
    TargetIll,
    TargetSilent,
)
from tests.fakes.door import FakeDoor
from tests.unit.adapters.docker_engine import (
    NOW,
    SECRET,
    SYSTEM_TIME,
    Engine,
    Ill,
    engine,
    inspected,
)
from tests.unit.adapters.docker_faults import ILL, hung, reset, slow_body

INSPECT = "/containers/abc123/json"


@pytest.fixture
async def served(short_folder: Path) -> AsyncIterator[Engine]:
    """A healthy engine."""
    async with engine(short_folder / "docker.sock") as one:
        yield one


@pytest.fixture
def docker(short_folder: Path) -> DockerEngine:
    """The adapter before that socket."""
    return DockerEngine(short_folder / "docker.sock", "talos-1", "joel", FakeDoor())


async def test_a_shut_door_is_not_knocked_at(served: Engine) -> None:
    """No question and no act: each of them would start a dockerd that somebody has stopped."""
    door = FakeDoor()
    door.is_shut = True
    docker = DockerEngine(served.socket, "talos-1", "joel", door)
    for call in (docker.ping, docker.container, lambda: docker.start("abc123")):
        assert isinstance(await failure(call()), NotAsked)
    assert [] == served.asked


async def failure(call: Awaitable[object]) -> PortError:
    """What it raised."""
    with pytest.raises(PortError) as caught:
        await call
    return caught.value


async def test_a_ping_is_ok(served: Engine, docker: DockerEngine) -> None:
    """`OK` and nothing else, asked without a version, which every engine understands."""
    await docker.ping()
    assert ["/_ping"] == [one.path for one in served.asked]


@pytest.mark.parametrize("said", [b"", b"NOT OK", b"\xff\xfe", b"<html>OK</html>"])
async def test_another_ping_is_ill(served: Engine, docker: DockerEngine, said: bytes) -> None:
    """Whoever answers there is not Docker."""
    served.answers["/_ping"] = (200, said)
    assert TargetIll is type(await failure(docker.ping()))


@pytest.mark.parametrize("ill", [hung, slow_body])
async def test_silence_is_told_from_refusal(served: Engine, ill: Ill) -> None:
    """A half-dead forward accepts and never answers."""
    served.ill["/_ping"] = ill
    hasty = DockerEngine(served.socket, "talos-1", "joel", FakeDoor(), deadline=0.3)
    assert TargetSilent is type(await failure(hasty.ping()))


async def test_a_missing_socket_is_ill(docker: DockerEngine) -> None:
    """Docker's socket is gone: nobody serves it."""
    said = await failure(docker.ping())
    assert TargetIll is type(said)
    assert "No such file" in said.detail


async def test_a_stale_socket_refuses(docker: DockerEngine, short_folder: Path) -> None:
    """The file stays when its master dies (facts/colima.md §3)."""
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(short_folder / "docker.sock"))
    said = await failure(docker.ping())
    assert TargetIll is type(said)
    assert "refused" in said.detail


async def test_a_forbidden_connect_is_ours(
    docker: DockerEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No permission says nothing of the engine."""

    async def forbidden(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    loop = asyncio.get_running_loop()
    monkeypatch.setattr(loop, "sock_connect", forbidden)
    assert CannotLook is type(await failure(docker.ping()))


async def test_the_container_is_found_by_its_labels(served: Engine, docker: DockerEngine) -> None:
    """By label and name, and from then on by its id."""
    served.answers["/containers/json"] = (
        200,
        [
            "nonsense",
            {"Id": "other", "Names": ["/talos-2"]},
            {"Id": "abc123", "Names": ["/talos-1"]},
        ],
    )
    first, second = await docker.container(), await docker.container()
    assert "abc123" == first.id
    assert first == second
    assert ["/containers/json", INSPECT, INSPECT] == [one.path for one in served.asked]
    labels = {"label": ["talos.owned=true", "talos.cluster.name=joel"]}
    assert {"all": "1", "filters": json.dumps(labels)} == served.asked[0].query


async def test_a_recreated_container_is_found_anew(served: Engine, docker: DockerEngine) -> None:
    """An id that is gone is forgotten."""
    await docker.container()
    del served.answers[INSPECT]
    served.answers["/containers/json"] = (200, [{"Id": "new", "Names": ["/talos-1"]}])
    served.answers["/containers/new/json"] = (200, inspected(Id="new"))
    assert "new" == (await docker.container()).id


async def test_without_labels_its_name_counts(served: Engine, docker: DockerEngine) -> None:
    """A container that was made by hand."""
    served.answers["/containers/json"] = (200, [])
    served.answers["/containers/talos-1/json"] = (200, inspected())
    assert "abc123" == (await docker.container()).id


async def test_a_name_stays_a_name(served: Engine) -> None:
    """A name is one part of a path and never more."""
    served.answers["/containers/json"] = (200, [])
    odd = DockerEngine(served.socket, "a/../../b?c", "joel", FakeDoor())
    assert NotThere is type(await failure(odd.container()))
    assert "/containers/a%2F..%2F..%2Fb%3Fc/json" == served.asked[-1].path


async def test_no_container_is_not_there(served: Engine, docker: DockerEngine) -> None:
    """Docker's own word for it."""
    served.answers = {"/containers/json": (200, [])}
    said = await failure(docker.container())
    assert NotThere is type(said)
    assert "No such container" in said.detail


async def test_an_engine_s_failure_keeps_its_words(served: Engine, docker: DockerEngine) -> None:
    """What Docker says is what a human needs."""
    served.answers[INSPECT] = (500, {"message": "layer store is broken"})
    said = await failure(docker.container())
    assert TargetIll is type(said)
    assert "500: layer store is broken" == said.detail


async def test_ages_are_by_the_engine_s_clock(served: Engine, docker: DockerEngine) -> None:
    """A Mac whose clock is elsewhere changes no age."""
    assert 59.5 == (await docker.container()).started_ago
    served.date = "Tue, 14 Nov 2023 22:14:20 GMT"
    assert 119.5 == (await docker.container()).started_ago


@pytest.mark.parametrize("date", ["", "yesterday"])
async def test_an_engine_without_a_clock_has_ages(
    served: Engine, docker: DockerEngine, date: str
) -> None:
    """Then the Mac's clock must do."""
    served.date = date
    ago = (await docker.container()).started_ago
    assert ago is not None
    assert ago > 0


@pytest.mark.parametrize("ill", ILL)
async def test_ill_answers_are_ill_and_tell_no_secret(
    served: Engine,
    docker: DockerEngine,
    ill: Ill,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Config.Env holds the cluster's CA keys: no error, repr, cause or log may carry it (§0.7)."""
    caplog.set_level(logging.DEBUG)
    served.ill[INSPECT] = ill
    said = await failure(docker.container())
    assert TargetIll is type(said)
    assert [] == [one for one in told(said) if SECRET in one]
    assert SECRET not in caplog.text
    assert len(said.detail) < 1000


def told(error: BaseException | None) -> list[str]:
    """Every word of an error and of those behind it."""
    found = []
    while error is not None:
        found += [str(error), repr(error), *traceback.format_exception(error)]
        found.append(str(getattr(error, "doc", "")))
        error = error.__cause__ or error.__context__
    return found


async def test_a_healthy_container_tells_no_secret(
    served: Engine, docker: DockerEngine, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither its repr nor a log has the Env."""
    caplog.set_level(logging.DEBUG)
    assert SECRET not in repr(await docker.container())
    assert SECRET not in repr(vars(docker))
    assert SECRET not in caplog.text
    assert 2 == len(served.asked)


def event(action: str, ago: float) -> dict[str, Any]:
    """One of Docker's events, so many seconds ago."""
    return {"Type": "container", "Action": action, "timeNano": int((NOW - ago) * 1e9)}


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([], None),
        ([event("stop", 30)], 30.25),
        ([event("stop", 30), event("stop", 20)], 20.25),
        ([event("start", 90), event("stop", 30)], 30.25),
        ([event("stop", 30), event("start", 10)], None),
        ([event("stop", 30), event("start", 20), event("stop", 5)], 5.25),
        ([event("stop", -2)], 0.0),
        ([event("kill", 30)], None),
        ([event("stop", 30), "nonsense", {}, {"timeNano": "x"}], 30.25),
    ],
)
async def test_a_human_s_stop_is_known_by_its_event(
    served: Engine, docker: DockerEngine, events: list[Any], expected: float | None
) -> None:
    """A stop after which nobody started it again; its age by the engine's clock."""
    served.answers["/events"] = (200, "\n".join(json.dumps(one) for one in events).encode())
    container = await docker.container()
    assert expected == await docker.stopped_by_human_ago(container)
    query = served.asked[-1].query
    assert {"since": str(NOW - 24 * 3600), "until": f"{NOW}.250000"}.items() <= query.items()
    assert ["abc123"] == json.loads(query["filters"])["container"]


async def test_events_are_asked_up_to_a_time_that_is_over(
    served: Engine, docker: DockerEngine
) -> None:
    """An end in the future is waited for; only an engine that tells no time is asked for one."""
    container = await docker.container()
    ends = []
    clocks: list[Any] = [{"SystemTime": SYSTEM_TIME}, {}, {"SystemTime": "x"}, []]
    for said in clocks:
        served.answers["/info"] = (200, said)
        assert await docker.stopped_by_human_ago(container) is None
        ends.append(served.asked[-1].query["until"])
    assert [f"{NOW}.250000", *[str(NOW + 1)] * 3] == ends


async def test_torn_events_are_ill(served: Engine, docker: DockerEngine) -> None:
    """Half an event is no event, and not `nobody stopped it`."""
    container = await docker.container()
    served.answers["/events"] = (200, b'{"Type": "contai')
    assert TargetIll is type(await failure(docker.stopped_by_human_ago(container)))


@pytest.mark.parametrize("status", [204, 304])
async def test_a_start_is_posted(served: Engine, docker: DockerEngine, status: int) -> None:
    """304 says that it ran already, which is success."""
    served.answers["/containers/abc123/start"] = (status, b"")
    assert "talos-1 is running" == await docker.start("abc123")
    assert ("POST", "/containers/abc123/start") == (served.asked[0].method, served.asked[0].path)


async def test_a_restart_gives_talos_its_time(served: Engine, docker: DockerEngine) -> None:
    """Docker's own ten seconds always cut it short (§1)."""
    served.answers["/containers/abc123/restart"] = (204, b"")
    assert "talos-1 is running" == await docker.restart("abc123")
    assert {"t": "120"} == served.asked[0].query


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ({"memory": 2**34}, {"Memory": 2**34, "MemorySwap": 2**34}),
        ({"restart_policy": "unless-stopped"}, {"RestartPolicy": {"Name": "unless-stopped"}}),
    ],
)
async def test_an_update_changes_what_is_given(
    served: Engine, docker: DockerEngine, given: dict[str, Any], sent: dict[str, Any]
) -> None:
    """Memory goes with MemorySwap, without which raising it fails (§1)."""
    served.answers["/containers/abc123/update"] = (200, {"Warnings": []})
    await docker.update("abc123", **given)
    assert sent == served.asked[0].body


ACTS: list[tuple[str, Callable[[DockerEngine], Awaitable[str]]]] = [
    ("start", lambda docker: docker.start("abc123")),
    ("restart", lambda docker: docker.restart("abc123")),
    ("update", lambda docker: docker.update("abc123", memory=2**34)),
]


@pytest.mark.parametrize(("path", "act"), ACTS)
async def test_a_refused_act_keeps_docker_s_words(
    served: Engine, docker: DockerEngine, path: str, act: Callable[[DockerEngine], Awaitable[str]]
) -> None:
    """Why it will not start is for a human to read."""
    words = "range of CPUs is from 0.01 to 2.00, as there are only 2 CPUs available"
    served.answers[f"/containers/abc123/{path}"] = (400, {"message": words})
    said = await failure(act(docker))
    assert ActFailed is type(said)
    assert words in said.detail


@pytest.mark.parametrize(("path", "act"), ACTS)
async def test_an_act_on_nothing_says_so(
    served: Engine, docker: DockerEngine, path: str, act: Callable[[DockerEngine], Awaitable[str]]
) -> None:
    """The container went meanwhile."""
    del path
    del served.answers[INSPECT]
    assert NotThere is type(await failure(act(docker)))


@pytest.mark.parametrize(("path", "act"), ACTS)
async def test_a_broken_act_has_failed(
    served: Engine, docker: DockerEngine, path: str, act: Callable[[DockerEngine], Awaitable[str]]
) -> None:
    """Whether it was done nobody knows; the next look tells."""
    served.ill[f"/containers/abc123/{path}"] = reset
    assert ActFailed is type(await failure(act(docker)))

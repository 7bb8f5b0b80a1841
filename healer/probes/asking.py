"""Errors as values: a probe weighs what it heard, also when that is a failure."""

from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

import anyio

from healer.core.observation import Component, Sign
from healer.model.machine import Forwarder
from healer.ports import Denied, PortError, TargetIll, VmEyes, WrongAnswer, as_value

T = TypeVar("T")
U = TypeVar("U")

HOSTAGENT: Final = "hostagent /v1/info"
DRIVER: Final = "the VM's process"
USERNET: Final = "usernet's own socket"
BANNER: Final = "ssh banner"
GUEST: Final = "ssh into the VM"
DOCKER_SOCKET: Final = "docker.sock /_ping"
ENGINE_INSIDE: Final = "docker ping inside the VM"
API_INSIDE: Final = "API asked from inside the VM"
"""What was asked names the sign, so two probes that ask the same add one witness and not two."""

_VM: Final = frozenset({Component.DRIVER, Component.GUEST})
BY_SSH: Final = frozenset({Component.USERNET, Component.SSHD, *_VM})
"""A login of our own, past the mux."""
BY_MUX: Final = frozenset({Component.MUX, Component.USERNET, Component.DOCKERD, *_VM})
"""docker.sock."""
ENGINE_BY_SSH: Final = BY_SSH | {Component.DOCKERD}
API_BY_SSH: Final = ENGINE_BY_SSH | {Component.CONTAINER, Component.API_SERVER}
CONTROL_BY_SSH: Final = ENGINE_BY_SSH | {Component.CONTAINER, Component.CONTROL}
_BY_PORT: Final = frozenset(
    {Component.PORT_FORWARDER, Component.DOCKERD, Component.CONTAINER, *_VM}
)
"""Docker's proxy stands in front of the container; it ends with dockerd."""


async def ask(call: Callable[[], Awaitable[T]]) -> T | PortError:
    """The answer, or the error of the port as a value; other exceptions propagate."""
    try:
        return await call()
    except PortError as error:
        return as_value(error)


async def ask_both(
    first: Callable[[], Awaitable[T]], second: Callable[[], Awaitable[U]]
) -> tuple[T | PortError, U | PortError]:
    """Ask two at once, so that two deadlines do not add up."""
    one: list[T | PortError] = []
    two: list[U | PortError] = []

    async def ask_first() -> None:
        one.append(await ask(first))

    async def ask_second() -> None:
        two.append(await ask(second))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(ask_first, name="ask the first")
        tasks.start_soon(ask_second, name="ask the second")
    return one[0], two[0]


def witness(answer: object, depends_on: frozenset[Component], what: str) -> tuple[Sign, ...]:
    """The sign that an answer gives; () when the failure says nothing of the target.

    A wrong answer is one: a server that says 500 lives.
    """
    if silent(answer):
        return (Sign(what, depends_on, alive=False),)
    if isinstance(answer, PortError) and not isinstance(answer, Denied | WrongAnswer):
        return ()
    return (Sign(what, depends_on, alive=True),)


def silent(answer: object) -> bool:
    """Whether nobody answered at all."""
    return isinstance(answer, TargetIll) and not isinstance(answer, WrongAnswer)


def by_port(vm: VmEyes) -> frozenset[Component]:
    """On what a published port depends: on the mux unless the profile says otherwise.

    With an unreadable profile it may be either: to suspect too much can only make healer wait.
    """
    try:
        forwarder = vm.forwarder()
    except PortError:
        return _BY_PORT | BY_MUX | {Component.HOSTAGENT}
    return _BY_PORT | ({Component.HOSTAGENT} if forwarder is Forwarder.GRPC else BY_MUX)


def by_api(vm: VmEyes) -> frozenset[Component]:
    """On what the API depends."""
    return by_port(vm) | {Component.API_SERVER}

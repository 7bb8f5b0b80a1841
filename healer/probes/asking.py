"""Errors as values: a probe weighs what it heard, also when that is a failure."""

from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

import anyio

from healer.core.observation import Group, Sign, Subject
from healer.model.machine import Forwarder
from healer.ports import Denied, PortError, TargetIll, VmEyes, WrongAnswer, as_value

T = TypeVar("T")
U = TypeVar("U")

HOSTAGENT: Final = "hostagent /v1/info"
BANNER: Final = "ssh banner"
GUEST: Final = "ssh into the VM"
DOCKER_SOCKET: Final = "docker.sock /_ping"
ENGINE_INSIDE: Final = "docker ping inside the VM"
API_INSIDE: Final = "API asked from inside the VM"
"""What was asked; with subject and group the name of a sign, so two probes that ask the same
add one witness and not two."""


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


def witness(answer: object, subject: Subject, group: Group, what: str) -> tuple[Sign, ...]:
    """The sign that an answer gives; () when the failure says nothing of the target.

    A wrong answer is one: a server that says 500 lives.
    """
    if silent(answer):
        return (Sign(subject, group, alive=False, what=what),)
    if isinstance(answer, PortError) and not isinstance(answer, Denied | WrongAnswer):
        return ()
    return (Sign(subject, group, alive=True, what=what),)


def silent(answer: object) -> bool:
    """Whether nobody answered at all."""
    return isinstance(answer, TargetIll) and not isinstance(answer, WrongAnswer)


def port_group(vm: VmEyes) -> Group:
    """How published ports travel: by the mux unless the profile says otherwise.

    An unreadable profile counts as ssh: taking two ways for one can only make healer wait.
    """
    try:
        forwarder = vm.forwarder()
    except PortError:
        return Group.MUX
    return Group.PORTS if forwarder is Forwarder.GRPC else Group.MUX

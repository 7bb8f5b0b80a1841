"""Files whose start, end or change is news."""

from collections.abc import Callable
from pathlib import Path

import anyio

from healer.adapters.file_news import FileNews
from healer.core.tower import Layer
from healer.simulation.virtual_time import run_virtually
from tests.unit.engine.tower import LoopClock

COLIMA = frozenset({Layer.COLIMA})
DOCKER = frozenset({Layer.DOCKER})


def woken_by(folder: Path, *changes: Callable[[], object]) -> list[list[frozenset[Layer]]]:
    """Whom each change woke within two seconds of it."""
    pid, socket = folder / "ha.pid", folder / "docker.sock"
    news = FileNews({pid: COLIMA, socket: DOCKER}, LoopClock())
    woken: list[frozenset[Layer]] = []
    heard: list[list[frozenset[Layer]]] = []

    async def watched() -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(news.listen, woken.append)
            await anyio.sleep(10.5)
            for change in changes:
                change()
                await anyio.sleep(2.0)
                heard.append(woken.copy())
                woken.clear()
            tasks.cancel_scope.cancel()

    run_virtually(watched)
    return heard


def test_a_file_that_comes_changes_or_goes_is_news(tmp_path: Path) -> None:
    """Each wakes the layers of that file, once."""
    pid, socket = tmp_path / "ha.pid", tmp_path / "docker.sock"

    def replaced() -> None:
        pid.unlink()
        pid.write_text("4711", encoding="ascii")

    heard = woken_by(
        tmp_path,
        lambda: pid.write_text("42", encoding="ascii"),
        replaced,
        lambda: pid.write_text("4711", encoding="ascii") and None,
        socket.touch,
        socket.unlink,
    )

    assert [[COLIMA], [COLIMA], [COLIMA], [DOCKER], [DOCKER]] == heard


def test_a_socket_that_lost_its_rights_is_news(tmp_path: Path) -> None:
    """Neither its time nor its size tells of it."""
    socket = tmp_path / "docker.sock"

    assert [[DOCKER], [DOCKER]] == woken_by(tmp_path, socket.touch, lambda: socket.chmod(0))


def test_what_stays_as_it_is_is_no_news(tmp_path: Path) -> None:
    """Nothing is told at the start, and nothing while nothing changes."""
    (tmp_path / "ha.pid").touch()

    assert [[]] == woken_by(tmp_path, lambda: None)


def test_a_folder_that_is_not_there_is_no_error(tmp_path: Path) -> None:
    """A VM that was never made has no files."""
    assert [[]] == woken_by(tmp_path / "missing", lambda: None)

"""Which signs fall silent with which part, on a VM whose process is not its hostagent.

What the page of independence tells of the simulation is true of real processes, too. Without
Kubernetes there is neither an API server to ask nor a published port.
"""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from healer.adapters import colima_files as files
from healer.cli.household import loaded_settings
from healer.core.ladders import LADDERS
from healer.core.reasons import Reason
from healer.core.refusing import independent
from healer.engine.passing import Mode
from healer.model.machine import ColimaPaths, Ending
from healer.telemetry.report import Report
from healer.wiring.real import prepare
from tests.explore.independence import PAGE
from tests.lab.virtual import census
from tests.lab.virtual.conftest import IMAGE
from tests.lab.virtual.layout import alive, read_pid
from tests.lab.virtual.test_mac import DIRECT, ssh, status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from healer.core.observation import Sign
    from tests.lab.virtual.mac import Mac

pytestmark = [
    pytest.mark.lab,
    pytest.mark.timeout(600),
    pytest.mark.parametrize("booted_mac", ["qemu"], indirect=True),
]

REPOSITORY: Final = Path(__file__).parents[3]
NAME: Final = "joelclaw-controlplane-1"
KUBERNETES: Final = ("API ", "port ")
"""How the signs begin that hang on what this lab has not."""


def send(mac: Mac, pid: int, number: signal.Signals) -> None:
    """Signal one process of the Mac's, which must be there."""
    assert pid in mac.processes()
    census.send(pid, number)


def kill_driver(mac: Mac) -> None:
    """The hostagent notices, and ends as well."""
    agent = mac.hostagent
    send(mac, mac.driver, signal.SIGKILL)
    mac.wait("the hostagent has ended", lambda: not alive(agent))


def freeze_driver(mac: Mac) -> None:
    """The guest is what this process does."""
    send(mac, mac.driver, signal.SIGSTOP)
    mac.freeze_guest()


PARTS: Final[dict[str, Callable[[Mac], object]]] = {
    "hostagent killed": lambda mac: mac.kill_hostagent(),
    "driver killed": kill_driver,
    "mux killed": lambda mac: mac.kill_mux(),
    "usernet killed": lambda mac: mac.kill_usernet(),
    "dockerd killed": lambda mac: mac.kill_engine(),
    "container killed": lambda mac: mac.docker(["kill", NAME]),
    "hostagent frozen": lambda mac: send(mac, mac.hostagent, signal.SIGSTOP),
    "driver frozen": freeze_driver,
    "mux frozen": lambda mac: mac.stop_mux(),
    "usernet frozen": lambda mac: send(mac, read_pid(mac.layout.usernet_pid), signal.SIGSTOP),
    "guest frozen": lambda mac: mac.freeze_guest(),
    "dockerd frozen": lambda mac: mac.guest(["pkill", "-STOP", "-x", "dockerd"]),
    "container frozen": lambda mac: mac.docker(["kill", "--signal=STOP", NAME]),
}
"""A guest that is killed alone takes the driver's process with it here."""
ENDS_GUEST: Final = {"driver killed", "driver frozen", "guest frozen"}
LOOK_DEADLINE: Final = 60.0


@pytest.fixture
def whole(mac: Mac) -> Iterator[Mac]:
    """A Mac with its container, and healer's memory empty; what was stopped goes on afterwards."""
    shutil.rmtree(mac.home / ".local", ignore_errors=True)
    mac.docker(["run", "--detach", "--name", NAME, IMAGE, "sleep", "100000"])
    yield mac
    mac.thaw_guest()
    for pid in (*mac.processes(), *census.inside_vm(mac.layout)):
        census.send(pid, signal.SIGCONT)


def heal(mac: Mac, begin_within: str) -> dict[str, Any]:
    """One pass of healer's, as the document that it prints."""
    done = subprocess.run(
        [sys.executable, "-m", "healer", "--once", "--json", "--deadline", begin_within],
        check=False,
        capture_output=True,
        text=True,
        timeout=300,
        stdin=subprocess.DEVNULL,
        cwd=REPOSITORY,
        env=mac.environment,
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def vm_calls(mac: Mac) -> list[tuple[str, ...]]:
    """Every start and stop that was asked of Colima or Lima."""
    return [call.argv for call in mac.calls if {"start", "stop", "restart"} & set(call.argv)]


async def look(mac: Mac) -> list[Sign]:
    """The signs that `healer check` hears."""
    settings = loaded_settings(mac.environment, mac.home)
    prepared = prepare(settings, Report(), Mode.LOOK, environment=mac.environment)
    try:
        ended = await prepared.one_pass.run(LOOK_DEADLINE)
    finally:
        await prepared.close()
    signs = [seen.sign for seen in ended.world.signs.values()]
    return [one for one in signs if not one.what.startswith(KUBERNETES)]


def simulated(gone: str) -> tuple[set[str], int]:
    """The page's row: which signs are silent, and how many count against the VM."""
    rows = [line.strip("|").split("|") for line in PAGE.read_text("utf-8").splitlines()]
    cells = next(row for row in rows if [one.strip() for one in row[:2]] == ["ssh", gone])
    silent, count = ([word.strip() for word in cell.split(", ")] for cell in cells[2:4])
    here = {one for one in silent if not one.startswith(KUBERNETES) and not one.endswith(" ports")}
    return here, len([one for one in count if one != "none"])


def counted(heard: list[Sign]) -> int:
    """How many independent witnesses against the VM these are."""
    against = LADDERS[Reason.COLIMA_ZOMBIE].rungs[0].witnesses
    assert against is not None
    if any(one.alive and one.depends_on & against.spares for one in heard):
        return 0
    return len(independent(heard, against))


def test_a_vm_outlives_its_hostagent_and_its_mux(mac: Mac) -> None:
    """Broken, and only the hostagent's own answers are gone; ssh.config still leads into it."""
    mac.kill_hostagent()
    assert "Broken" == status(mac)
    assert not (mac.layout.instance / "ha.pid").exists()
    assert mac.driver
    assert mac.engine_answers()
    mac.kill_mux()
    assert not mac.engine_answers()
    assert 0 == ssh(mac, *DIRECT, "lima-colima", "true").returncode
    assert 0 == mac.run("limactl", "stop", "--force", "colima").returncode
    assert "Stopped" == status(mac)
    assert not mac.driver


def test_a_hostagent_outlives_its_driver_and_cleans_up(mac: Mac) -> None:
    """It names the signal in its log; the driver's own sockets stay, which a clean stop removes."""
    paths = ColimaPaths(mac.layout.colima)
    kill_driver(mac)
    assert "Stopped" == status(mac)
    assert ("qmp.sock", "serial.sock", "serialv.sock") == files.leftovers(paths)
    assert Ending.CRASHED is files.ending(paths)
    mac.start_vm()
    mac.stop_vm()
    assert () == files.leftovers(paths)
    assert Ending.TOLD is files.ending(paths)


def test_a_vm_that_lost_its_hostagent_and_its_mux_is_never_stopped(whole: Mac) -> None:
    """Longer than its witnesses would have to be silent; docker.sock is forwarded anew."""
    driver = whole.driver
    whole.kill_hostagent()
    whole.kill_mux()
    document = heal(whole, "75s")

    assert [] == vm_calls(whole)
    assert driver == whole.driver
    assert "reforward" in [one["remedy"] for one in document["acts"]]
    assert whole.engine_answers()


def test_a_vm_whose_usernet_is_dead_is_never_stopped(whole: Mac) -> None:
    """No ssh and no docker.sock, for longer than its witnesses would have to be silent."""
    driver = whole.driver
    whole.kill_usernet()
    heal(whole, "75s")

    assert [] == vm_calls(whole)
    assert driver == whole.driver


@pytest.mark.parametrize("gone", PARTS)
async def test_one_part_silences_what_the_page_says(whole: Mac, gone: str) -> None:
    """The same signs as in the simulation, and none counts against a VM whose guest lives.

    As many count as there, but for a daemon that heard it live just before its end.
    """
    PARTS[gone](whole)
    heard = await look(whole)
    silent, count = simulated(gone)

    assert silent == {one.what for one in heard if not one.alive}
    assert (gone in ENDS_GUEST) == (counted(heard) > 0)
    assert count <= counted(heard)
    assert [] == vm_calls(whole)

"""`limactl stop`, with and without `--force` (facts/colima.md §1.6)."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from tests.lab.standin import words
from tests.lab.standin.instance import Instance, alive, driver_files, look, state
from tests.lab.standin.vm import thaw
from tests.lab.standin.words import FatalError

if TYPE_CHECKING:
    from pathlib import Path

    from tests.lab.standin.settings import Lab

LOOK: Final = 0.05
GONE_DEADLINE: Final = 60.0


def stop(lab: Lab, instance: Instance) -> int:
    """SIGINT to the hostagent, and wait for the end of it."""
    seen = look(instance, lab.settings.info_timeout)
    if seen.status != "Running" or seen.ha_pid is None:
        raise FatalError(f"expected status `Running`, got `{seen.status}`")
    words.info(f"Sending SIGINT to hostagent process {seen.ha_pid}")
    log = instance.inst / "ha.stderr.log"
    read = log.stat().st_size
    os.kill(seen.ha_pid, signal.SIGINT)
    words.info("Waiting for the host agent and the driver processes to shut down")
    await_gone(seen.ha_pid)
    show_log(log, read)
    words.info("Waiting for the instance to shut down")
    words.info(f"The instance {instance.name} has shut down")
    end_usernet(instance)
    return 0


def show_log(log: Path, start: int) -> None:
    """What the hostagent said since."""
    for line in log.read_text("utf-8")[start:].splitlines():
        entry = words.entry(line)
        if entry and entry["level"] != "debug":
            words.err(words.line(entry["level"], f"[hostagent] {entry['msg']}"))


def end_usernet(instance: Instance) -> None:
    """Nobody needs the network any more."""
    pid = alive(instance.usernet_pid)
    if pid is not None:
        os.kill(pid, signal.SIGTERM)
        await_gone(pid)


def await_gone(pid: int) -> None:
    """Until no process has that number; a zombie that waits for its parent counts as gone."""
    until = time.monotonic() + GONE_DEADLINE
    while state(pid) not in {"", "Z"} and time.monotonic() < until:
        time.sleep(LOOK)


def force_stop(lab: Lab, instance: Instance) -> int:
    """The power cut: SIGKILL to whoever has the pids now, then remove the files.

    The mux and usernet outlive it as orphans (facts/colima.md §8, `stop --force`).
    """
    if not (instance.inst / "lima.yaml").exists():
        raise FatalError(f"instance `{instance.name}` does not exist")
    driver = driver_files(instance) or [instance.inst / f"{lab.settings.driver}.pid"]
    # A frozen VM takes no signal, which a real one does: it is one process of the Mac.
    thaw(lab)
    _kill("driver", driver[0])
    instance.in_use_by.unlink(missing_ok=True)
    _kill("host agent", instance.inst / "ha.pid")
    _await_power_off(lab)
    folder = instance.inst
    words.info(f"Removing *.pid *.sock *.tmp under `{folder}`")
    for file in [*folder.glob("*.pid"), *folder.glob("*.sock"), *folder.glob("*.tmp")]:
        words.info(f"Removing `{file}`")
        file.unlink(missing_ok=True)
    return 0


def _kill(what: str, file: Path) -> None:
    pid = alive(file)
    if pid is None:
        words.info(f"The {what} process seems already stopped")
        return
    words.info(f"Sending SIGKILL to the {what} process {pid}")
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    await_gone(pid)


def _await_power_off(lab: Lab) -> None:
    """Lima's VM is one process; the stand-in's takes a moment to be gone altogether."""
    driver = lab.vm_pids().get("driver")
    if driver is not None:
        await_gone(driver)

"""A docker that somebody stopped in the VM stays stopped, whoever of healer's looks.

docker.socket is systemd's and stays active after `systemctl stop docker.service`: the first
connect to docker.sock, from the Mac or in the guest, starts dockerd anew.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from healer.cli.asking import AskError, ask
from healer.model.whereabouts import CONTROL
from tests.lab.virtual.conftest import IMAGE

if TYPE_CHECKING:
    from tests.lab.virtual.mac import Mac

pytestmark = [pytest.mark.lab, pytest.mark.timeout(600)]

REPOSITORY: Final = Path(__file__).parents[3]
NAME: Final = "joelclaw-controlplane-1"


def healer(mac: Mac, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a command of healer's on that Mac."""
    return subprocess.run(
        [sys.executable, "-m", "healer", *words],
        check=False,
        capture_output=True,
        text=True,
        timeout=300,
        stdin=subprocess.DEVNULL,
        cwd=REPOSITORY,
        env=mac.environment,
    )


def status(mac: Mac) -> dict[str, Any]:
    """What the daemon says of itself; {} while it says nothing."""
    try:
        return ask(mac.home / ".local" / "state" / "healer" / CONTROL, "status")
    except AskError:
        return {}


def docker_state(mac: Mac) -> str:
    """The state of docker's layer."""
    layers = status(mac).get("layers", ())
    return next((str(one["state"]) for one in layers if one["layer"] == "docker"), "")


def rules(mac: Mac) -> set[str]:
    """The rules by which something is refused now."""
    return {one["rule"] for one in status(mac).get("next", ())}


def run_container(mac: Mac, *flags: str) -> None:
    """The one container, as far as Docker is concerned."""
    mac.docker(["run", "--detach", "--name", NAME, *flags, IMAGE, "sleep", "100000"])


def test_a_touch_of_the_socket_starts_a_stopped_engine(mac: Mac) -> None:
    """The lab is no kinder than systemd: any client will do."""
    mac.stop_engine_alone()
    assert "inactive" == mac.unit()
    mac.docker(["ps"])

    assert "active" == mac.unit()


@pytest.mark.parametrize(
    "words",
    [
        ("check", "--json"),
        ("--once", "--json", "--deadline", "20s"),
        ("trace", "--all"),
        ("ports",),
        ("advice",),
        ("kubeconfig",),
        ("certificates",),
        ("doctor",),
        ("backup", "--to", "backups"),
        ("plan", "recreate"),
        ("ports", "add", "9090", "--dry-run"),
    ],
    ids=" ".join,
)
def test_no_command_starts_an_engine_that_somebody_stopped(
    mac: Mac, words: tuple[str, ...], tmp_path: Path
) -> None:
    """Each command looks, says what it can, and leaves the unit as it is."""
    run_container(mac)
    mac.stop_engine_alone()
    given = [str(tmp_path / one) if one == "backups" else one for one in words]
    ran = healer(mac, *given)

    assert "inactive" == mac.unit(), ran.stdout + ran.stderr
    if words[0] == "check":
        assert "docker.service was stopped in the VM" in ran.stdout


def test_a_daemon_leaves_a_stopped_engine_alone(mac: Mac) -> None:
    """Its probes look on, and its event stream is tried again and again."""
    run_container(mac, "--restart", "unless-stopped")
    mac.stop_engine_alone()
    argv = [sys.executable, "-m", "healer", "run"]
    with subprocess.Popen(argv, cwd=REPOSITORY, env=mac.environment) as process:
        try:
            mac.wait("the stop is respected", lambda: "human_stopped" in rules(mac), 240)
            assert "inactive" == mac.unit()
            mac.start_engine()
            mac.wait("docker is well again", lambda: docker_state(mac) == "ok", 120)
        finally:
            process.terminate()


def test_a_stop_that_is_dockerd_s_own_is_nobody_s(mac: Mac) -> None:
    """dockerd crashes, and the one that systemd starts ends the container as `docker stop` does."""
    run_container(mac, "--restart", "unless-stopped")
    mac.crash_engine()
    mac.wait("the container is down", lambda: "exited" in mac.docker(["inspect", NAME]))
    ran = healer(mac, "--once", "--json", "--deadline", "40s")

    begun = [one["remedy"] for one in json.loads(ran.stdout)["acts"]]
    assert "start_container" in begun, ran.stdout + ran.stderr

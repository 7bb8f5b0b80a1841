"""Lima's mux on the virtual Mac breaks as the real one does (facts/colima.md §3, §4, §8)."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

from tests.lab.asking import control, direct, hangs, info, ssh, tcp, unix, way
from tests.lab.machine import eventually, state

if TYPE_CHECKING:
    from tests.lab.mac import Mac

pytestmark = [pytest.mark.lab]

FAILED = "mux_client_forward: forwarding request failed: Port forwarding failed"


def free_port() -> int:
    """A port of the Mac that nobody has."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def publish(mac: Mac, image: str) -> tuple[int, str]:
    """A container that answers HTTP on a published port, reachable from the Mac; both."""
    port = free_port()
    serve = "echo hello > index.html; exec httpd -f -p 80"
    words = ("--publish", f"127.0.0.1:{port}:80", image, "sh", "-c", serve)
    container = mac.docker("run", "--detach", "--stop-timeout=1", *words)
    eventually("the port reaches the Mac", lambda: tcp(port) != "refused")
    return port, container


def test_published_port(mac: Mac, image: str) -> None:
    """A published port reaches the Mac by the mux alone, for as long as its container runs."""
    port, container = publish(mac, image)
    told = tcp(port)
    mac.docker("stop", container)
    eventually("its forward is cancelled", lambda: tcp(port) == "refused")
    mac.docker("start", container)
    eventually("it is forwarded anew", lambda: tcp(port) == told)
    mac.kill_mux()

    assert told != "refused"
    assert "refused" == tcp(port)


def test_killed(mac: Mac) -> None:
    """Killed: both files stay and refuse, and nothing of Colima's notices."""
    mac.kill_mux()

    assert ["refused", "refused"] == [unix(mac.docker_socket), unix(mac.instance.inst / "ssh.sock")]
    assert "Running" == mac.status()
    assert 0 == direct(mac, "true").returncode
    assert mac.run("colima", "start").stderr.endswith('msg="already running, ignoring"\n')
    assert 255 == control(mac, "check").returncode


def test_status_makes_a_master(mac: Mac) -> None:
    """Asking `colima status` makes a new master; docker.sock stays dead."""
    mac.kill_mux()
    asked = mac.run("colima", "status")
    check = control(mac, "check")

    assert (0, 0) == (asked.returncode, check.returncode)
    assert f"Master running (pid={mac.mux()})" == check.stderr.strip()
    assert "refused" == unix(mac.docker_socket)


def test_exit(mac: Mac) -> None:
    """A master that is asked to go removes its own socket and leaves docker.sock."""
    control(mac, "exit")
    eventually("it has gone", lambda: unix(mac.instance.inst / "ssh.sock") == "missing")

    assert "refused" == unix(mac.docker_socket)
    missing = control(mac, "check")
    assert 255 == missing.returncode
    assert "No such file or directory" in missing.stderr


def test_re_forward(mac: Mac) -> None:
    """The recipe, step by step: each step's exit code means what the facts say."""
    mac.kill_mux()
    made = ssh(mac, "lima-colima", "true")
    cancelled = control(mac, "cancel", "-L", way(mac))
    stale = control(mac, "forward", "-L", way(mac))
    mac.docker_socket.unlink()
    fresh = control(mac, "forward", "-L", way(mac))
    again = control(mac, "forward", "-L", way(mac))

    assert [0, 0, 255, 0, 0] == [one.returncode for one in (made, cancelled, stale, fresh, again)]
    assert "muxclient: master cancel forward request failed" in cancelled.stderr
    assert FAILED in stale.stderr
    assert "OK" == unix(mac.docker_socket)


def test_file_removed(mac: Mac) -> None:
    """A live master does not make a removed file anew unless its forward is cancelled first."""
    mac.docker_socket.unlink()
    useless = control(mac, "forward", "-L", way(mac))
    after = unix(mac.docker_socket)
    control(mac, "cancel", "-L", way(mac))
    control(mac, "forward", "-L", way(mac))

    assert (0, "missing") == (useless.returncode, after)
    assert "OK" == unix(mac.docker_socket)


def test_wedged(mac: Mac, image: str) -> None:
    """A stopped master accepts and is silent; whoever shares it hangs, a direct ssh does not."""
    port, _ = publish(mac, image)
    mac.stop_mux()

    assert ["silent", "silent"] == [unix(mac.docker_socket), tcp(port)]
    config = str(mac.instance.ssh_config)
    sharing = ("ssh", "-F", config, "-o", "ConnectTimeout=1", "lima-colima", "true")
    assert hangs(mac, *sharing)
    assert hangs(mac, "colima", "status")
    assert 0 == direct(mac, "true").returncode
    mac.cont_mux()
    eventually("it answers again", lambda: unix(mac.docker_socket) == "OK")


def test_frozen_guest(mac: Mac) -> None:
    """A hung guest: the hostagent and the master say all is well, and nothing else answers."""
    mac.freeze_guest()
    frozen = direct(mac, "true")

    assert ("Running", 0) == (mac.status(), control(mac, "check").returncode)
    assert info(mac) > 0
    assert "silent" == unix(mac.docker_socket)
    assert (255, True) == (frozen.returncode, "during banner exchange" in frozen.stderr)
    assert hangs(mac, "colima", "status")
    mac.thaw_guest()
    eventually("it answers again", lambda: unix(mac.docker_socket) == "OK")


def test_dead_usernet(mac: Mac) -> None:
    """Without usernet the ssh port refuses and the master dies, while Lima says Running."""
    mac.kill_usernet()
    eventually("the master has noticed", lambda: mac.mux() is None)

    assert ("Running", 255) == (mac.status(), direct(mac, "true").returncode)
    assert info(mac) > 0
    assert "refused" == unix(mac.docker_socket)


def test_stopped_sshd(mac: Mac, image: str) -> None:
    """A stopped sshd: ssh is accepted and silent; the engine in the guest lives."""
    mac.docker("run", "--detach", "--stop-timeout=1", image, "sleep", "600")
    mac.stop_sshd()

    assert 255 == direct(mac, "true").returncode
    assert "silent" == unix(mac.docker_socket)
    assert "OK" == unix(mac.lab.engine)
    mac.cont_sshd()
    eventually("it answers again", lambda: unix(mac.docker_socket) == "OK")


def test_stopped_hostagent(mac: Mac) -> None:
    """A mute hostagent makes the VM Broken while ssh, docker.sock and the engine answer."""
    mac.configure(info_timeout=0.5)
    mac.stop_hostagent()

    assert "Broken" == mac.status()
    assert ("OK", 0) == (unix(mac.docker_socket), direct(mac, "true").returncode)
    refused = mac.run("colima", "start")
    assert (1, True) == (refused.returncode, "errors inspecting instance" in refused.stdout)
    assert 0 == mac.run("colima", "stop").returncode
    assert "OK" == unix(mac.docker_socket)
    mac.cont_hostagent()
    assert "Running" == mac.status()


def test_split_brain_leaves_the_engine(mac: Mac, image: str) -> None:
    """What the mux's death takes away from the Mac goes on in the guest."""
    container = mac.docker("run", "--detach", "--stop-timeout=1", image, "sleep", "600")
    mac.kill_mux()

    assert "running" == mac.docker("inspect", "--format={{.State.Status}}", container)
    assert "S" == state(mac.hostagent() or 0)

"""The virtual Mac behaves as the real parts were seen to (facts/colima.md §3, §7, §8; lab.md)."""

from __future__ import annotations

import json
import os
import socket
import subprocess
from typing import TYPE_CHECKING, Final

import pytest

from healer.adapters import colima_files as files
from healer.model.machine import ColimaPaths, Ending
from tests.lab.virtual import lima
from tests.lab.virtual.conftest import IMAGE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.lab.virtual.mac import Mac

pytestmark = pytest.mark.lab

DEAF: Final = ("/bin/sleep", "1000000")
HEARS: Final = ("/bin/sh", "-c", "trap 'exit 0' TERM; while :; do sleep 0.1; done")
DIRECT: Final = ("-o", "ControlMaster=no", "-o", "ControlPath=none")
SHORT: Final = 2.0
"""Seconds after which a command that never ends is given up."""
ALREADY: Final = ["already running, ignoring"]
FAILED: Final = "error starting vm: error at 'starting': exit status 1"
NOT_RUNNING: Final = "colima is not running"
NO_RUNTIME: Final = "error retrieving current runtime: empty value"


def messages(text: str) -> list[str]:
    """What log lines say, without their frames."""
    found = []
    for line in text.splitlines():
        message = line.partition("msg=")[2].partition(" context=")[0]
        found.append(json.loads(message) if message.startswith('"') else message)
    return found


def answer(mac: Mac, *words: str) -> tuple[int, list[str]]:
    """Exit code and log messages of a command of Colima's."""
    done = mac.run("colima", *words)
    return done.returncode, messages(done.stderr)


def status(mac: Mac) -> str:
    """What Lima says of the VM, empty when it is missing."""
    text = mac.run("colima", "list", "--json").stdout
    return str(json.loads(text)["status"]) if text else ""


def ssh(mac: Mac, *words: str, deadline: float = 30) -> subprocess.CompletedProcess[str]:
    """Run ssh with Lima's configuration."""
    return mac.run("ssh", "-F", str(mac.layout.ssh_config), *words, deadline=deadline)


def forward(mac: Mac, verb: str) -> int:
    """The exit code of a control command for docker.sock."""
    way = f"{mac.docker_socket}:/var/run/docker.sock"
    return ssh(mac, "-O", verb, "-L", way, "lima-colima").returncode


def run(mac: Mac, name: str, *command: str, options: tuple[str, ...] = ()) -> None:
    """Start a container."""
    mac.docker(["run", "--detach", f"--name={name}", *options, IMAGE, *command])


def exits(mac: Mac) -> dict[str, tuple[str, int]]:
    """State and exit code of every container."""
    form = "{{.Name}} {{.State.Status}} {{.State.ExitCode}}"
    names = mac.docker(["ps", "--all", "--quiet"]).split()
    lines = mac.docker(["inspect", "--format", form, *names]).splitlines()
    words = [line.lstrip("/").split() for line in lines]
    return {name: (state, int(code)) for name, state, code in words}


def has_module(mac: Mac) -> bool:
    """Whether bridge-nf-call-iptables is there."""
    return mac.guest(["test", "-e", "/proc/sys/net/bridge/bridge-nf-call-iptables"]).returncode == 0


def refuses(port: int) -> bool:
    """Whether nothing listens on the Mac's loopback."""
    with socket.socket() as door:
        return door.connect_ex(("127.0.0.1", port)) != 0


@pytest.fixture
def stranger() -> Iterator[int]:
    """The pid of somebody else's process."""
    process = subprocess.Popen(["/bin/sleep", "1000"])
    yield process.pid
    process.kill()
    process.wait()


def test_a_killed_mux_is_a_split_brain(mac: Mac) -> None:
    """Everything of Colima's says that all is well while docker.sock refuses; ssh stays."""
    mac.kill_mux()
    assert "Running" == status(mac)
    assert (0, ALREADY) == answer(mac, "start")
    assert not mac.engine_answers()
    assert mac.docker_socket.is_socket()
    assert 255 == ssh(mac, "-O", "check", "lima-colima").returncode
    assert 0 == ssh(mac, *DIRECT, "lima-colima", "true").returncode
    assert [] == mac.muxes()
    assert 0 == answer(mac, "status")[0]
    assert 1 == len(mac.muxes())
    assert not mac.engine_answers()


def test_the_recipe_mends_a_split_brain(mac: Mac) -> None:
    """Forwarding over a stale file fails, after its removal it works, again is no change."""
    mac.kill_mux()
    assert 0 == ssh(mac, "lima-colima", "true").returncode
    assert 0 == forward(mac, "cancel")
    assert 255 == forward(mac, "forward")
    mac.docker_socket.unlink()
    assert 0 == forward(mac, "forward")
    assert 0 == forward(mac, "forward")
    assert mac.engine_answers()


def test_a_removed_file_needs_a_cancel_first(mac: Mac) -> None:
    """While the master has the forward, forwarding again makes no file."""
    mac.docker_socket.unlink()
    assert 0 == forward(mac, "forward")
    assert not mac.docker_socket.exists()
    assert 0 == forward(mac, "cancel")
    assert 0 == forward(mac, "forward")
    assert mac.engine_answers()


def test_an_ended_mux_leaves_docker_sock(mac: Mac) -> None:
    """`-O exit` removes ssh.sock; docker.sock stays and refuses."""
    assert 0 == ssh(mac, "-O", "exit", "lima-colima").returncode
    mac.wait("ssh.sock is gone", lambda: not (mac.layout.instance / "ssh.sock").exists())
    assert mac.docker_socket.is_socket()
    assert not mac.engine_answers()


def test_a_stopped_mux_accepts_and_is_silent(mac: Mac) -> None:
    """Through it nothing ends, past it all is well."""
    mac.stop_mux()
    assert not mac.engine_answers()
    with pytest.raises(subprocess.TimeoutExpired):
        ssh(mac, "-O", "check", "lima-colima", deadline=SHORT)
    assert 0 == ssh(mac, *DIRECT, "lima-colima", "true").returncode
    mac.cont_mux()
    mac.wait("the engine answers", mac.engine_answers)


def test_a_frozen_guest(mac: Mac) -> None:
    """List and mux call it well; direct ssh gets no banner, status hangs, docker.sock is mute."""
    mac.freeze_guest()
    assert "Running" == status(mac)
    assert 0 == ssh(mac, "-O", "check", "lima-colima").returncode
    late = ssh(mac, *DIRECT, "-o", "ConnectTimeout=1", "lima-colima", "true")
    assert (255, True) == (late.returncode, "banner exchange" in late.stderr)
    with pytest.raises(subprocess.TimeoutExpired):
        mac.run("colima", "status", deadline=SHORT)
    assert not mac.engine_answers()
    assert (0, ALREADY) == answer(mac, "start")
    mac.thaw_guest()
    mac.wait("the engine answers", mac.engine_answers)


@pytest.mark.parametrize("version", ["0.10.2", "0.10.3"])
def test_a_forced_stop_hangs_with_the_guest(mac: Mac, version: str) -> None:
    """Colima of that version asks the guest first; limactl does not."""
    mac.pretend(colima_version=version)
    mac.freeze_guest()
    with pytest.raises(subprocess.TimeoutExpired):
        mac.run("colima", "stop", "--force", deadline=SHORT)
    assert 0 == mac.run("limactl", "stop", "--force", "colima").returncode
    assert "Stopped" == status(mac)


def test_a_forced_stop_of_main(mac: Mac) -> None:
    """It gives a hung guest up; docker.sock and the usernet outlive it."""
    mac.pretend(colima_version="main")
    mac.freeze_guest()
    silent = "vm not responsive, skipping runtime shutdown"
    assert (0, ["stopping colima", silent, "stopping ...", "done"]) == answer(mac, "stop", "-f")
    assert "Stopped" == status(mac)
    assert mac.docker_socket.is_socket()
    assert 1 == len(mac.usernets())


def test_a_dead_usernet(mac: Mac) -> None:
    """The VM is Running and its ssh port refuses; stop still works."""
    mac.kill_usernet()
    assert "Running" == status(mac)
    assert (1, [NO_RUNTIME]) == answer(mac, "status")
    assert (0, ALREADY) == answer(mac, "start")
    warning = f"error retrieving runtimes: {NO_RUNTIME}"
    assert (0, ["stopping colima", warning, "stopping ...", "done"]) == answer(mac, "stop")
    assert "Stopped" == status(mac)


def test_a_missing_instance(mac: Mac) -> None:
    """Lists show nothing; what needs it fails, but for stop."""
    mac.stop_vm()
    yaml = mac.layout.instance / "lima.yaml"
    text = yaml.read_text("utf-8")
    yaml.unlink()
    try:
        assert "" == status(mac)
        assert (1, [NOT_RUNNING]) == answer(mac, "status")
        assert (1, "error stopping vm: error at 'stopping': exit status 1") == (
            (done := answer(mac, "stop", "-f"))[0],
            done[1][-1],
        )
        assert (1, ["error retrieving instance: exit status 1"]) == answer(mac, "restart")
        nowhere = answer(mac, "list", "-p", "nope", "--json")
        assert (1, ["error retrieving instances: exit status 1"]) == nowhere
    finally:
        yaml.write_text(text, "utf-8")


def test_a_reboot_leaves_old_files(mac: Mac) -> None:
    """No process lives, each pid file and socket is there and older than the boot."""
    mac.reboot()
    assert {} == mac.processes()
    boot = float(mac.run("sh", "-c", "awk '/^btime/ { print $2 }' /proc/stat").stdout)
    left = {one.name: one.stat().st_mtime for one in mac.layout.instance.iterdir()}
    assert {"ha.pid", "vz.pid", "ha.sock"} <= set(left)
    assert [] == [name for name, at in left.items() if at >= boot]
    assert mac.layout.in_use_by.is_symlink()
    mac.start_vm()
    assert "Running" == status(mac)


def test_a_reused_pid_is_broken(mac: Mac, stranger: int) -> None:
    """Start fails until the stale files are gone, stop does nothing and says 0."""
    mac.reboot()
    mac.reuse_pid(stranger)
    assert "Broken" == status(mac)
    assert (1, [NOT_RUNNING]) == answer(mac, "status")
    assert (1, ["starting colima", "runtime: docker", "starting ...", FAILED]) == answer(
        mac, "start"
    )
    assert (0, ["stopping colima", "not running", "done"]) == answer(mac, "stop")
    for name in ("ha.pid", "vz.pid", "ha.sock"):
        (mac.layout.instance / name).unlink()
    assert "Stopped" == status(mac)
    mac.start_vm()


def test_a_forced_stop_kills_a_stranger(mac: Mac, stranger: int) -> None:
    """Lima SIGKILLs whoever owns the pid: why healer must look first."""
    mac.reboot()
    mac.reuse_pid(stranger)
    assert 0 == answer(mac, "stop", "--force")[0]
    assert stranger == os.waitpid(stranger, 0)[0]


def test_a_left_disk_lock(mac: Mac) -> None:
    """Old Lima refuses it until it is unlocked, and names the reason in its log."""
    mac.pretend(lima_version="2.1.0")
    mac.cut_power()
    done = mac.run("colima", "start")
    assert (1, FAILED) == (done.returncode, messages(done.stderr)[-1])
    assert "exiting, status={Running:false Degraded:false Exiting:true" in done.stdout
    assert "failed to run attach disk" in (mac.layout.instance / "ha.stderr.log").read_text()
    assert 0 == mac.run("limactl", "disk", "unlock", "colima").returncode
    mac.start_vm()


def test_a_start_that_never_gets_ssh(mac: Mac) -> None:
    """It gives up with the VM up: exit 1 does not mean that none runs."""
    mac.stop_vm()
    mac.pretend(never_ssh=True, start_patience=2.0)
    done = mac.run("colima", "start")
    assert (1, FAILED) == (done.returncode, messages(done.stderr)[-1])
    assert "did not receive an event with the running status" == messages(done.stdout)[-1]
    assert "Running" == status(mac)
    assert '"running":true' not in (mac.layout.instance / "ha.stdout.log").read_text()


def test_a_degraded_start(mac: Mac) -> None:
    """Exit 1, and the engine answers."""
    mac.stop_vm()
    mac.pretend(degraded=True)
    done = mac.run("colima", "start")
    assert (1, True) == (done.returncode, "degraded, status={Running:true" in done.stdout)
    assert "Running" == status(mac)
    assert mac.engine_answers()


def test_the_engine_is_gone_while_colima_provisions(mac: Mac) -> None:
    """It answers, is gone, and answers again before the start has ended."""
    mac.stop_vm()
    mac.pretend(engine_gap=1.0)
    start = mac.begin("colima", "start")
    mac.wait("it answers", mac.engine_answers)
    mac.wait("it is gone", lambda: not mac.engine_answers())
    assert start.poll() is None
    mac.wait("the start ends", lambda: start.poll() == 0)
    assert mac.engine_answers()


def test_two_starts_at_once(mac: Mac) -> None:
    """A second one before the VM runs deletes the first one's networks."""
    mac.stop_vm()
    (mac.layout.networks / "user-v2").mkdir(parents=True, exist_ok=True)
    mac.reuse_pid(os.getpid())
    assert 1 == answer(mac, "start")[0]
    assert not mac.layout.networks.exists()


def test_a_cut_and_a_start(mac: Mac) -> None:
    """Without a restart policy a container stays exited with 255; with one it runs again."""
    run(mac, "left", *DEAF)
    run(mac, "kept", *DEAF, options=("--restart=unless-stopped",))
    mac.cut_power()
    assert "Stopped" == status(mac)
    mac.start_vm()
    mac.wait("kept runs", lambda: exits(mac)["kept"][0] == "running")
    assert ("exited", 255) == exits(mac)["left"]


def test_a_crash_leaves_what_a_stop_leaves_but_for_its_words(mac: Mac) -> None:
    """No pid file, no socket: only the hostagent's log tells that nobody stopped the VM."""
    log = mac.layout.instance / "ha.stderr.log"
    mac.stop_vm()
    stopped = (files.leftovers(paths(mac)), files.ending(paths(mac)))
    mac.start_vm()
    mac.crash()

    assert ((), Ending.TOLD) == stopped
    assert ((), Ending.CRASHED) == (files.leftovers(paths(mac)), files.ending(paths(mac)))
    assert "Stopped" == status(mac)
    assert "Driver stopped due to error" in log.read_text()


def paths(mac: Mac) -> ColimaPaths:
    """Where healer looks for the lab's Colima."""
    return ColimaPaths(mac.layout.colima)


def test_a_clean_stop_asks_containers(mac: Mac) -> None:
    """Who hears TERM exits with 0, who is deaf with 137."""
    run(mac, "hears", *HEARS)
    run(mac, "deaf", *DEAF, options=("--stop-timeout=1",))
    mac.stop_vm()
    mac.start_vm()
    assert {"hears": ("exited", 0), "deaf": ("exited", 137)} == exits(mac)


def test_a_published_port_follows_its_container(mac: Mac) -> None:
    """It reaches the Mac by the mux and goes with the container, or with the mux."""
    options = ("--publish=127.0.0.1:18999:80",)
    run(mac, "web", "/bin/httpd", "-f", "-p", "80", options=options)
    mac.wait("it is there", lambda: not refuses(18999))
    assert mac.run("curl", "--silent", "http://127.0.0.1:18999/").stdout.startswith("<HTML>")
    mac.docker(["kill", "web"])
    mac.wait("it is gone", lambda: refuses(18999))
    mac.docker(["start", "web"])
    mac.wait("it is there again", lambda: not refuses(18999))
    mac.kill_mux()
    assert refuses(18999)


def test_the_module_is_absent_after_each_boot(mac: Mac) -> None:
    """Loading it does not last over a boot, unless modules-load.d names it."""
    assert not has_module(mac)
    assert 0 == ssh(mac, "lima-colima", "sudo -n modprobe br_netfilter").returncode
    assert has_module(mac)
    assert (mac.guest_flags / "br_netfilter").exists()
    mac.cut_power()
    mac.start_vm()
    assert not has_module(mac)
    file = "/etc/modules-load.d/healer.conf"
    assert 0 == ssh(mac, "lima-colima", f"echo br_netfilter | sudo -n tee {file}").returncode
    mac.cut_power()
    mac.start_vm()
    assert has_module(mac)
    mac.drop_module()
    assert not has_module(mac)


def test_a_killed_engine_stays_failed_until_restarted(mac: Mac) -> None:
    """Its unit says so, docker.sock resets, and containers come back by their policy."""
    run(mac, "kept", *DEAF, options=("--restart=always",))
    mac.kill_engine()
    shown = mac.guest(["systemctl", "show", "docker", "-p", "ActiveState", "-p", "Result"])
    assert {"ActiveState=failed", "Result=signal"} == set(shown.stdout.split())
    assert not mac.engine_answers()
    assert 0 == ssh(mac, "lima-colima", "sudo -n systemctl restart docker").returncode
    mac.wait("kept runs", lambda: exits(mac)["kept"][0] == "running")
    assert "active\n" == mac.guest(["systemctl", "is-active", "docker"]).stdout


def test_ssh_ports_are_new_at_each_start(mac: Mac) -> None:
    """A stopped VM's port is stale; the file has the new one before sshd answers."""
    before = lima.look(mac.layout).port
    mac.cut_power()
    mac.pretend(never_ssh=True)
    mac.begin("colima", "start")
    mac.wait("it runs", lambda: lima.look(mac.layout).status == "Running")
    assert before != lima.look(mac.layout).port
    assert lima.old_port(mac.layout) == lima.look(mac.layout).port


def test_calls_are_recorded(mac: Mac) -> None:
    """What others than the lab ask of the stand-ins is noted, with its words."""
    subprocess.run(
        [mac.layout.binaries / "colima", "-p", "default", "list", "--json"],
        check=True,
        env=mac.environment,
        stdout=subprocess.DEVNULL,
    )
    mac.run("colima", "list")
    assert [("colima", ("-p", "default", "list", "--json"))] == [
        (one.tool, one.argv) for one in mac.calls
    ]


def test_delete_fails_the_test(mac: Mac) -> None:
    """Nobody may delete the VM unnoticed."""
    assert 1 == mac.run("colima", "delete", "--force").returncode
    with pytest.raises(AssertionError, match="colima delete"):
        mac.check()
    mac.layout.forbidden.unlink()
    assert mac.engine_answers()

"""The daemon's checks: each is seen to prove, to fail, and to prove nothing."""

import errno
import os
import socket
import ssl
from pathlib import Path

import pytest

from healer.adapters.launchctl import Launchctl
from healer.adapters.process import ProcessRunner
from healer.adapters.proving_job import (
    Connect,
    Started,
    authorities,
    clocks,
    cost,
    default_gateway,
    descriptors,
    down,
    labels,
    lan,
    reboot,
    without_environment,
)
from healer.model.proof import Verdict
from healer.ports import CannotLook
from tests.lab.kubernetes.machineconfig import Authority
from tests.unit.adapters.helpers import write_tool
from tests.unit.adapters.jobs_mac import JobsMac

PROVED, FAILED, NOT_PROVEN = Verdict.PROVED, Verdict.FAILED, Verdict.NOT_PROVEN
LABEL = "com.joel.gateway"
SECRET = "s3cr3t-marker"


@pytest.mark.parametrize(
    ("verdict", "words", "change"),
    [
        (PROVED, "boot 11111111: started 41 s after it, session Aqua", {}),
        (NOT_PROVEN, "installed since that boot", {"installed_ago": 60.0}),
        (NOT_PROVEN, "no plist", {"installed_ago": None}),
        (FAILED, "started by process 812, not by launchd", {"parent": 812}),
        (FAILED, "not by launchd", {"label": "application.com.apple.Terminal.1"}),
    ],
)
def test_reboot(verdict: Verdict, words: str, change: dict[str, object]) -> None:
    """Only launchd's own start, of a job that was installed before the boot, is one."""
    given: dict[str, object] = {
        "label": "com.joel.healer",
        "parent": 1,
        "session": "Aqua",
        "boot": "11111111-2222",
        "after": 41.0,
        "installed_ago": 9_000.0,
        "booted_ago": 600.0,
    }
    seen = Started(**{**given, **change})  # type: ignore[arg-type]
    said = reboot(seen, mac=True)

    assert verdict is said.verdict
    assert words in said.evidence
    assert bool(said.todo) is (verdict is not PROVED)
    assert NOT_PROVEN is reboot(seen, mac=False).verdict


def test_a_daemon_that_did_not_come_up_has_failed() -> None:
    """Installed before the boot, and not there; else nobody can say."""
    assert FAILED is down(9_000.0, 600.0, mac=True).verdict
    for ago, mac in ((60.0, True), (None, True), (9_000.0, False)):
        assert NOT_PROVEN is down(ago, 600.0, mac=mac).verdict


def the_launchctl(mac: JobsMac) -> Launchctl:
    """The stand-in."""
    return Launchctl(ProcessRunner(), mac.mac.bin / "launchctl", "/usr/bin:/bin")


async def test_labels(tmp_path: Path) -> None:
    """A page is understood, or goes into the report; nothing loaded proves nothing."""
    mac = JobsMac(tmp_path / "mac")
    tool = the_launchctl(mac)
    assert NOT_PROVEN is (await labels(tool, mac.mac.uid, [LABEL])).verdict
    assert NOT_PROVEN is (await labels(None, mac.mac.uid, [LABEL])).verdict

    mac.load(LABEL, "gui", pid=77)
    said = await labels(tool, mac.mac.uid, [LABEL])
    assert (PROVED, f"gui/{mac.mac.uid}/{LABEL} running") == (said.verdict, said.evidence)

    mac.change(LABEL, pid=None, state="in a state of Apple's own", runs=3)
    said = await labels(tool, mac.mac.uid, [LABEL])
    assert FAILED is said.verdict
    assert "state = in a state of Apple's own" in said.evidence
    assert "PATH" not in said.evidence

    mac.fault("print", "refuse", 9)
    assert NOT_PROVEN is (await labels(tool, mac.mac.uid, [LABEL])).verdict


def test_a_page_is_shown_without_environment_and_arguments() -> None:
    """Both may hold a token, however deep they stand."""
    page = (
        f"gui/501/x = {{\n\tstate = odd\n\targuments = {{\n\t\t--token={SECRET}\n\t}}\n"
        f"\tenvironment = {{\n\t\tA => {{\n\t\tB => {SECRET}\n\t}}\n"
        f"\tinherited environment = {{\n\t\tC => {SECRET}\n\t}}\n\truns = 1\n}}"
    )
    said = without_environment(page)

    assert "gui/501/x = {\n\tstate = odd\n\truns = 1\n}" == said


@pytest.mark.parametrize(
    ("verdict", "now", "awake", "missed", "woke"),
    [
        (PROVED, 9_000.0, 8_000.0, 0.0, True),
        (FAILED, 9_000.0, 8_000.0, 60.0, True),
        (FAILED, 8_000.0, 9_000.0, 0.0, True),
        (FAILED, 9_000.0, 9_000.0, 0.0, True),
        (NOT_PROVEN, 9_000.0, 8_000.0, 0.0, False),
        (NOT_PROVEN, 9_000.0, 9_000.0, 0.0, False),
    ],
)
def test_clocks(
    verdict: Verdict,
    now: float,
    awake: float,
    missed: float,
    woke: bool,  # noqa: FBT001  (a case)
) -> None:
    """A wake that stands in the journal proves; a sleep that was not noticed is a failure."""
    assert verdict is clocks(now, awake, missed, woke=woke).verdict


def refusing(number: int) -> Connect:
    """A network that says no."""

    async def connect(host: str, port: int) -> None:
        del host, port
        raise OSError(number, os.strerror(number))

    return connect


async def really(host: str, port: int) -> None:
    """A real connection to this machine, wherever it was meant to go."""
    del host
    with socket.create_connection(("127.0.0.1", port), 5.0):
        return


async def test_lan() -> None:
    """An answer is one, also a refusal; `No route to host` is how macOS withholds consent."""
    assert PROVED is (await lan("192.168.1.1", refusing(errno.ECONNREFUSED))).verdict
    said = await lan("192.168.1.1", refusing(errno.EHOSTUNREACH))
    assert (FAILED, True) == (said.verdict, "Local Network" in said.todo)
    assert "192.168" not in said.evidence
    for number in (errno.ETIMEDOUT, errno.EACCES):
        assert NOT_PROVEN is (await lan("192.168.1.1", refusing(number))).verdict
    assert NOT_PROVEN is (await lan(None, really)).verdict

    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

        async def connect(host: str, _port: int) -> None:
            await really(host, port)

        assert PROVED is (await lan("192.168.1.1", connect)).verdict


async def test_the_gateway_is_asked_of_macos(tmp_path: Path) -> None:
    """By its own tool; another machine has none."""
    write_tool(tmp_path, "route", 'test "$*" = "-n get default" && echo "    gateway: 10.0.0.1"')
    environment = {"PATH": f"{tmp_path}:/usr/bin:/bin"}
    assert "10.0.0.1" == await default_gateway(ProcessRunner(), environment)

    write_tool(tmp_path, "route", "echo '    gateway: fe80::1%en0'")
    assert await default_gateway(ProcessRunner(), environment) is None
    with pytest.raises(CannotLook):
        await default_gateway(ProcessRunner(), {"PATH": str(tmp_path / "none")})


@pytest.mark.parametrize(
    ("verdict", "daemon", "mux"),
    [
        (PROVED, 1024, 1024),
        (FAILED, 256, 1024),
        (FAILED, 1024, 65_536),
        (FAILED, 256, None),
        (NOT_PROVEN, 1024, None),
    ],
)
def test_descriptors(verdict: Verdict, daemon: int, mux: int | None) -> None:
    """Neither less nor more; what cannot be read is not passed."""
    limits = {"daemon": daemon, "mux": mux, "hostagent": 1024}

    assert verdict is descriptors(limits, mac=True).verdict
    assert NOT_PROVEN is descriptors(limits, mac=False).verdict


def test_authorities(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """This Python's own, a folder of them, what healer adds; else nothing can be judged."""
    folder = tmp_path / "certs"
    paths = ssl.get_default_verify_paths()._replace(openssl_capath=str(folder))
    monkeypatch.setattr(ssl, "get_default_verify_paths", lambda: paths)
    empty, full = (ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT) for _ in range(2))
    full.load_verify_locations(cadata=Authority.create().pem())

    assert FAILED is authorities(empty, empty).verdict
    folder.mkdir()
    assert FAILED is authorities(empty, empty).verdict
    assert "this Python knows none; healer reads /etc/ssl/cert.pem" == (
        authorities(empty, full).evidence
    )
    assert (PROVED, "1 authorities") == (
        authorities(full, full).verdict,
        authorities(full, full).evidence,
    )
    (folder / "one.pem").touch()
    assert "a folder of authorities" == authorities(empty, empty).evidence


@pytest.mark.parametrize(
    ("verdict", "cpu", "seconds"),
    [(PROVED, 0.25, 300.0), (FAILED, 30.0, 300.0), (NOT_PROVEN, 0.0, 299.0)],
)
def test_cost(verdict: Verdict, cpu: float, seconds: float) -> None:
    """Five minutes are needed, and a busy loop is a failure."""
    said = cost({"host": 0.01, "ssh": 1.234}, cpu, seconds)

    assert verdict is said.verdict
    assert "ssh 1.23 s" in said.evidence

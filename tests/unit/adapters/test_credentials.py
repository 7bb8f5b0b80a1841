"""Certificates of files and servers: read rarely, remembered, and never in the way."""

import datetime as dt
import json
from base64 import b64encode
from pathlib import Path

import pytest

from healer.adapters.credentials import Credentials, Wanted
from healer.model.certificates import SOON, URGENT, Certificate, Lasting, Read, names_of_files
from healer.model.certificates import words_of as said
from healer.model.client_config import Kind
from healer.ports import NotThere
from tests.fakes.clock import FakeClock
from tests.fakes.tls import tls_server
from tests.lab.kubernetes.machineconfig import Authority

AUTHORITY = Authority.create()


def eyes(folder: Path, clock: FakeClock, *endpoints: str) -> Credentials:
    """Eyes for a kubeconfig, a talosconfig, one file and these endpoints."""
    configs = {Kind.KUBECONFIG: folder / "config", Kind.TALOSCONFIG: folder / "talos"}
    return Credentials(Wanted(configs, "joelclaw", (folder / "caddy.crt",), endpoints), clock)


async def test_each_is_read_where_it_lies(tmp_path: Path) -> None:
    """Inline in the kubeconfig, PEM in a file, and as a server shows it."""
    AUTHORITY.write_kubeconfig(tmp_path / "config", "https://127.0.0.1:6443", "joelclaw")
    pem, _ = AUTHORITY.issue_client("caddy", "web", dt.timedelta(days=10))
    (tmp_path / "caddy.crt").write_text(pem)
    async with tls_server(AUTHORITY, tmp_path) as port:
        looking = eyes(tmp_path, FakeClock(), f"127.0.0.1:{port}")
        found = await looking.certificates()
        serving = await looking.serving(port)

    subjects = {one.name: one.read.subject for one in (*found, serving) if one.read}
    assert {
        "kubeconfig": "admin",
        "caddy.crt": "caddy",
        f"127.0.0.1:{port}": "kube-apiserver",
        "apiserver": "kube-apiserver",
    } == subjects
    assert ["talosconfig"] == [one.name for one in found if not one.there]
    assert subjects.keys() == looking.expiries().keys()


async def test_of_several_clusters_ours_is_meant(tmp_path: Path) -> None:
    """Whatever the current context is: another cluster's end is its owner's to mind."""
    people = {
        name: AUTHORITY.issue_client(f"{name}-admin", "x")[0] for name in ("cloud", "joelclaw")
    }
    config = {
        "current-context": "cloud",
        "clusters": [{"name": one, "cluster": {"server": "https://a"}} for one in people],
        "contexts": [{"name": one, "context": {"cluster": one, "user": one}} for one in people],
        "users": [
            {"name": one, "user": {"client-certificate-data": b64encode(pem.encode()).decode()}}
            for one, pem in people.items()
        ],
    }
    (tmp_path / "config").write_text(json.dumps(config))
    found = (await eyes(tmp_path, FakeClock()).certificates())[0]
    assert found.read is not None
    assert "joelclaw-admin" == found.read.subject


async def test_a_server_is_asked_once_an_hour(tmp_path: Path) -> None:
    """What is told are days; a server that could not be read is asked again in a minute."""
    clock = FakeClock()
    async with tls_server(AUTHORITY, tmp_path) as port:
        looking = eyes(tmp_path, clock)
        first = await looking.serving(port)
    clock.advance(3500.0)
    assert first == await looking.serving(port)
    clock.advance(200.0)
    gone = await looking.serving(port)
    assert (None, True) == (gone.read, bool(gone.unread))
    assert {} == looking.expiries()
    async with tls_server(AUTHORITY, tmp_path) as other:
        assert (await looking.serving(other)).read is not None


def test_a_configuration_is_parsed_anew_only_when_it_was_written(tmp_path: Path) -> None:
    """A daemon looks each minute; what is gone is told as that."""
    looking, path = eyes(tmp_path, FakeClock()), tmp_path / "config"
    AUTHORITY.write_kubeconfig(path, "https://127.0.0.1:6443", "joelclaw")
    first = looking.config(Kind.KUBECONFIG)
    assert first is looking.config(Kind.KUBECONFIG)
    AUTHORITY.write_kubeconfig(path, "https://127.0.0.1:64784", "joelclaw")
    assert first != looking.config(Kind.KUBECONFIG)
    path.unlink()
    with pytest.raises(NotThere):
        looking.config(Kind.KUBECONFIG)


@pytest.mark.parametrize(
    ("expected", "days"),
    [
        (Lasting.OK, SOON),
        (Lasting.SOON, SOON - 0.1),
        (Lasting.SOON, URGENT),
        (Lasting.URGENT, URGENT - 0.1),
        (Lasting.URGENT, 0.0),
        (Lasting.ENDED, -0.1),
    ],
)
def test_the_word_changes_at_30_and_at_7_days(expected: Lasting, days: float) -> None:
    """The bounds themselves still belong to the calmer word."""
    assert expected == Certificate("a", "b", Read("s", "i", days * 86_400.0)).lasting(0.0)


@pytest.mark.parametrize(
    ("expected", "days"),
    [("ends in 29 days", 29.2), ("ends in 1 day", 1.2), ("ends in 5 hours", 5 / 24),
     ("ended 2 days ago", -2.0), ("ended 1 hour ago", -1 / 24)],
)  # fmt: skip
def test_days_are_told_as_people_say_them(expected: str, days: float) -> None:
    """Below a day in hours."""
    assert expected == said(days)


def test_names_are_short_and_never_the_same() -> None:
    """A label is no path; two files of one name take their folders along."""
    paths = ["/a/x/cert.pem", "/b/x/cert.pem", "/c/other.pem", "/d/kubeconfig"]
    assert ("a/x/cert.pem", "b/x/cert.pem", "other.pem", "d/kubeconfig") == names_of_files(paths)


async def test_what_could_not_be_read_is_looked_at_again_in_a_minute(tmp_path: Path) -> None:
    """It may just be being written; what was read rests for an hour."""
    clock, path = FakeClock(), tmp_path / "caddy.crt"
    looking = eyes(tmp_path, clock)
    assert "is not there" == (await looking.certificates())[-1].unread
    path.write_text(AUTHORITY.pem())
    clock.advance(61.0)
    assert (await looking.certificates())[-1].read is not None
    path.unlink()
    clock.advance(61.0)
    assert (await looking.certificates())[-1].read is not None

"""`healer certificates`: the table, and what its exit code says."""

import datetime as dt

import pytest

from tests.lab.kubernetes.machineconfig import Authority
from tests.unit.cli.command import SETTINGS, Machine

AUTHORITY = Authority.create()


@pytest.mark.parametrize(
    ("code", "state", "days"),
    [(0, "ok", 90.0), (1, "soon", 20.0), (1, "urgent", 3.0), (1, "ended", -0.02)],
)
def test_a_listed_file_is_a_row_and_its_state_the_exit_code(
    machine: Machine, code: int, state: str, days: float
) -> None:
    """Names and days, never the certificate; one that ends makes the command 1."""
    machine.write(SETTINGS + '[certificates]\nfiles = ["~/caddy.crt"]\n')
    kube = machine.home / ".kube/config"
    kube.parent.mkdir()
    AUTHORITY.write_kubeconfig(kube, "https://127.0.0.1:6443", "joelclaw")
    pem, _ = AUTHORITY.issue_client("caddy", "web", dt.timedelta(days=days))
    (machine.home / "caddy.crt").write_text(pem)
    asked = machine.healer("certificates", "--json")
    shown = machine.healer("certificates")

    rows = {one["name"]: one for one in asked.document["certificates"]}
    assert (code, code) == (asked.code, shown.code)
    row = rows["caddy.crt"]
    assert (state, "caddy", "kubernetes") == (row["state"], row["subject"], row["issuer"])
    assert pytest.approx(days, abs=0.01) == row["days_left"]
    assert "ok" == rows["kubeconfig"]["state"]
    assert ("unread", "is not there") == (
        rows["talosconfig"]["state"],
        rows["talosconfig"]["unread"],
    )
    assert [["state", "name", "until"]] == [shown.out.split()[:3]]
    assert "BEGIN" not in shown.out + asked.out


def test_an_unread_certificate_is_unknown(machine: Machine) -> None:
    """Exit code 3: the kubeconfig is not there."""
    assert 3 == machine.healer("certificates").code


def test_an_endpoint_that_is_none_is_a_wrong_setting(machine: Machine) -> None:
    """78, with the form that is wanted."""
    machine.write('[certificates]\nendpoints = ["example.org", "example.org:70000"]\n')
    said = machine.healer("certificates")

    assert 78 == said.code
    assert 2 == said.err.count("should be host:port")

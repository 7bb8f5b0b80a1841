"""`healer kubeconfig` on a Mac whose Docker and whose API answer."""

import asyncio
import base64
import stat
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.fakes.tls import tls_server
from tests.lab.kubernetes.machineconfig import Authority
from tests.unit.adapters.docker_engine import engine, inspected
from tests.unit.cli.command import SETTINGS, Machine, Said

NAMES = '[tower]\ncontainer = "talos-1"\ncluster = "joel"\n'
AUTHORITY = Authority.create()


async def told(machine: Machine, *words: str) -> Said:
    """Run it in a thread, while the servers answer in the loop."""
    return await asyncio.to_thread(machine.healer, "kubeconfig", *words)


@asynccontextmanager
async def published(machine: Machine) -> AsyncIterator[int]:
    """A tower whose two APIs are published on one port, which is handed out."""
    machine.write(NAMES + SETTINGS)
    folder = machine.home / ".colima" / "default"
    folder.mkdir(parents=True)
    async with tls_server(AUTHORITY, machine.home) as port, engine(folder / "docker.sock") as one:
        there = [{"HostIp": "0.0.0.0", "HostPort": str(port)}]
        bindings = {"6443/tcp": there, "50000/tcp": there}
        more = inspected()["HostConfig"] | {"PortBindings": bindings}
        one.answers["/containers/abc123/json"] = (200, inspected(HostConfig=more))
        yield port


def stale(machine: Machine) -> Path:
    """Both files as a re-fetch and an older cluster left them."""
    kube, talos = machine.home / ".kube/config", machine.home / ".talos/config"
    kube.parent.mkdir()
    talos.parent.mkdir()
    AUTHORITY.write_kubeconfig(kube, "https://10.5.0.2:6443", "joel")
    ca = base64.b64encode(AUTHORITY.pem().encode()).decode()
    talos.write_text(
        "context: gone\ncontexts:\n  joel:\n    endpoints: [127.0.0.1:15000] # old\n"
        f"    nodes: [10.5.0.2]\n    ca: {ca}\n    key: TOPSECRET\n"
    )
    return kube


async def test_every_fault_is_named_with_its_command_and_mended_on_request(
    short_folder: Path,
) -> None:
    """First told, then shown, then written and found good; keys are never said."""
    machine = Machine(short_folder)
    kube = stale(machine)
    before = kube.read_text()
    async with published(machine) as port:
        asked = await told(machine, "--json")
        shown = await told(machine, "repair", "--dry-run")
        unasked = await told(machine, "repair")
        assert before == kube.read_text()
        mended = await told(machine, "repair", "--yes")
        after = await told(machine)

    files = asked.document["files"]
    assert [["in_cluster_endpoint"], ["wrong_port", "wrong_current_context"]] == [
        [fault["wrong"] for fault in one["faults"]] for one in files
    ]
    assert f"--server=https://127.0.0.1:{port}" in files[0]["faults"][0]["command"]
    assert "+context: joel" in shown.out
    assert "healer kubeconfig repair --yes" in unasked.err
    assert [1, 1, 1, 0, 0] == [one.code for one in (asked, shown, unasked, mended, after)]
    assert before.replace("10.5.0.2:6443", f"127.0.0.1:{port}") == kube.read_text()
    kept = sorted((machine.home / ".local/state/healer/backups").iterdir())
    assert [0o600, 0o600] == [stat.S_IMODE(one.stat().st_mode) for one in kept]
    assert before == kept[0].read_text()
    secret = before.rpartition("client-key-data: ")[2].strip()
    for said in (asked, shown, unasked, mended, after):
        assert secret not in said.out + said.err
        assert "TOPSECRET" not in said.out + said.err


def test_a_bare_machine_has_no_kubeconfig_and_is_unknown(machine: Machine) -> None:
    """Exit code 3: could not look; nothing is made."""
    said = machine.healer("kubeconfig")

    assert 3 == said.code
    assert "is not there" in said.out
    assert not (machine.home / ".kube").exists()


def test_a_file_that_is_no_yaml_is_unknown_and_left_alone(machine: Machine) -> None:
    """A repair has nothing to write, and quotes nothing of it."""
    kube = machine.home / ".kube/config"
    kube.parent.mkdir()
    kube.write_text("key: [TOPSECRET")
    said = machine.healer("kubeconfig", "repair", "--yes")

    assert (3, "key: [TOPSECRET") == (said.code, kube.read_text())
    assert "not valid YAML" in said.out
    assert "TOPSECRET" not in said.out + said.err

"""The document, from towers that lack something or are odd."""

import json
import shlex

import pytest

from healer.model.container import PortBinding
from healer.plans.container import NotUnderstood, Shape, shape_of
from healer.plans.recreate import document
from healer.plans.tower import Kept, Tower, Whereabouts, kept_in, without_user

WHERE = Whereabouts(
    profile="work",
    cluster="c",
    container="c-controlplane-1",
    kubeconfig="/k",
    talosconfig="/t",
    talos_folder="/talos",
    api_port=6443,
    talos_port=50000,
    livekit=("joelclaw", "livekit-server", "livekit-server"),
)
PORTS = (PortBinding(6443, "127.0.0.1", 1234), PortBinding(53, "0.0.0.0", 53, "udp"))
SHAPE = Shape("img", 1 << 30, 10**9, "no", PORTS, (), (), "10.5.0.2", "10.5.0.0/24")


def kept(**files: str) -> Kept:
    """A backup with these files; `_` stands for `-`, `.json` is added."""
    named = {f"{key.replace('_', '-')}.json": text for key, text in files.items()}
    return kept_in("/b", "20261124T000000Z", named, [("joelclaw", "pds", "")])


def plan(backup: Kept | None, shape: Shape = SHAPE) -> str:
    """The document of that tower."""
    return document(Tower(WHERE, shape, live=True, kept=backup, memory=0))


def said(text: str) -> str:
    """Its comments and commands with the comments' line breaks undone."""
    return text.replace("\n# ", " ")


def test_an_empty_namespace_is_not_applied_and_a_missing_provisioner_is_asked_for() -> None:
    """kubectl takes an empty list for an error, which would stop the document there."""
    text = plan(kept(objects_local_path_storage='{"items": []}', objects_x='{"items": [1]}'))

    assert "/b/objects-x.json" in text
    assert "objects-local-path-storage.json" not in text
    asked = text.index(': "${PROVISIONER:?')
    assert asked < text.index("label namespace local-path-storage") < text.index("rollout status")


def test_a_low_node_port_widens_the_servers_range() -> None:
    """A NodePort of 6379 is refused by a server whose range begins at 30000."""
    service = {"kind": "Service", "name": "redis", "node_ports": [6379, 31000]}

    assert '"service-node-port-range":"6379-32767"' in plan(
        kept(inventory_joelclaw=json.dumps([service]))
    )
    assert "service-node-port-range" not in plan(kept())


def test_bindings_to_several_addresses_are_told_and_protocols_kept() -> None:
    """talosctl takes one address for all."""
    text = plan(kept())

    assert "bound to several addresses (0.0.0.0, 127.0.0.1)" in said(text)
    assert "--host-ip" not in text
    assert {"1234:6443/tcp", "53:53/udp"} <= set(
        next(one for one in shlex.split(text, comments=True) if "6443/tcp" in one).split(",")
    )


def test_without_any_backup_the_loss_is_said_first() -> None:
    """Half a plan calls itself that."""
    text = plan(None)

    assert "WITHOUT A BACKUP" in text.partition("set -eu")[0]
    assert "set-cluster c --server https://127.0.0.1:1234" in text


def test_the_old_container_is_renamed_and_nothing_is_destroyed() -> None:
    """The document never removes a container, a volume or a cluster."""
    words = [shlex.split(line) for line in plan(kept()).splitlines() if line[:1].isalpha()]

    told = [one[3:] for one in words if one[:3] == ["docker", "--context", "colima-work"]]
    assert ["rename", "c-controlplane-1", "c-controlplane-1-before"] in told
    assert [] == [one for one in words if {"destroy", "rm", "prune", "reset"} & set(one)]


def test_restarting_by_no_policy_is_mended() -> None:
    """`no` is what talosctl leaves, and nobody wants it back."""
    assert "update --restart unless-stopped c-controlplane-1" in plan(kept())


@pytest.mark.parametrize("text", ["", "[]", '{"ports": 5}', '{"image": null}'])
def test_an_odd_container_is_refused(text: str) -> None:
    """A plan with guessed ports would be worse than none."""
    with pytest.raises(NotUnderstood):
        shape_of(text)


def test_a_broken_file_of_the_backup_is_refused_without_being_quoted() -> None:
    """Its content may be secret."""
    with pytest.raises(NotUnderstood) as caught:
        kept(helm_releases='[{"password": "hunter2"}]')
    assert "hunter2" not in str(caught.value)


def test_a_repositorys_password_is_not_printed() -> None:
    """Helm keeps it in the URL."""
    assert "https://charts.example.org/x" == without_user("https://u:p@charts.example.org/x?t=1")

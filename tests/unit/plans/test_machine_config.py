"""Machine configs of Talos 1.12 and 1.14: what is read of each, and the patches that each takes."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from healer.adapters.talos_machine import config_in, text_in
from healer.model.talos_config import TalosConfig, api_server_range, no_taint
from healer.plans.container import NotUnderstood
from healer.plans.machine_config import extra_mounts, has_documents, patches_of

TAINT = "node-role.kubernetes.io/control-plane"
FOLDER = Path(__file__).parent / "machineconfig"
VERSIONS = ("v1.12", "v1.14")


def read(version: str) -> TalosConfig:
    """That Talos' config."""
    return config_in((FOLDER / f"{version}.yaml").read_text("utf-8"))


@pytest.mark.parametrize(("version", "kubernetes"), [("v1.12", "1.35.0"), ("v1.14", "1.37.1")])
def test_both_forms_tell_the_same_things(version: str, kubernetes: str) -> None:
    """Each from the place where that Talos keeps it."""
    config = read(version)

    assert (kubernetes, "80-32767", True, True) == (
        config.kubernetes,
        config.node_ports,
        config.wants_taint,
        config.modules,
    )


def test_old_patches_are_for_the_one_document() -> None:
    """As talosctl before 1.14 takes it."""
    (patch,) = patches_of(read("v1.12"), (6379,), documents=False)

    assert True is patch["cluster"]["allowSchedulingOnControlPlanes"]
    assert {"service-node-port-range": "80-32767"} == patch["cluster"]["apiServer"]["extraArgs"]
    assert "PodSecurity" == patch["cluster"]["apiServer"]["admissionControl"][0]["name"]
    assert {"vm.overcommit_memory": "1"} == patch["machine"]["sysctls"]
    assert extra_mounts(read("v1.12")) == patch["machine"]["kubelet"]["extraMounts"]


@pytest.mark.parametrize("version", VERSIONS)
def test_new_patches_name_a_document_each(version: str) -> None:
    """Also those of a config of the old form, for a talosctl that writes the new one."""
    patches = {one["kind"]: one for one in patches_of(read(version), (6379,), documents=True)}

    assert {TAINT: {"$patch": "delete"}} == patches["KubeNodeConfig"]["taints"]
    assert {"service-node-port-range": "80-32767"} == patches["KubeAPIServerConfig"]["extraArgs"]
    assert "PodSecurity" == patches["KubeAdmissionControlConfig"]["name"]
    assert {"vm.overcommit_memory": "1"} == patches["SysctlConfig"]["params"]
    assert all("v1alpha1" == one["apiVersion"] for one in patches.values())
    assert not {"cluster", "machine"} & {key for one in patches.values() for key in one}


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("documents", [True, False])
def test_no_secret_gets_into_a_patch_or_a_repr(version: str, *, documents: bool) -> None:
    """The config is full of them; only what is named is taken over."""
    config = read(version)

    assert "SECRET" not in json.dumps(patches_of(config, (80,), documents=documents))
    assert "SECRET" not in repr(config)


@pytest.mark.parametrize(
    ("image", "documents"),
    [
        ("ghcr.io/siderolabs/talos:v1.12.4", False),
        ("ghcr.io/siderolabs/talos:v1.13.0", False),
        ("ghcr.io/siderolabs/talos:v1.14.7", True),
        ("ghcr.io/siderolabs/talos:v2.0.0-alpha.1", True),
        ("registry:5000/talos@sha256:ab", True),
    ],
)
def test_the_image_tells_which_form_a_new_config_has(image: str, *, documents: bool) -> None:
    """An upgraded cluster keeps the old form, a new one gets the new; else the old config tells."""
    assert documents == has_documents(read("v1.14"), image)


def test_each_patch_changes_what_the_config_says() -> None:
    """A merge as Talos does it makes the taint go and the range come."""
    old, new = read("v1.12").documents[0], dict(read("v1.14").of("KubeNodeConfig"))
    old = {**old, "cluster": {**old["cluster"], **no_taint(documents=False)["cluster"]}}
    gone = {**new, "taints": {}}

    assert not TalosConfig((old,)).wants_taint
    assert not TalosConfig((*read("v1.14").documents[:1], gone)).wants_taint
    ranged = (*read("v1.14").documents[:1], api_server_range("1-65535", documents=True))
    assert "1-65535" == TalosConfig(ranged).node_ports


@pytest.mark.parametrize("said", ["", "[]", "spec: 5", "spec: 'a: ['", "spec: 'kind: X'", "}{"])
def test_what_is_no_machine_config_is_refused_without_being_quoted(said: str) -> None:
    """It may hold a key."""
    with pytest.raises(NotUnderstood, match=r"machine config|no YAML"):
        text_in(said)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_backup_keeps_every_document(version: str) -> None:
    """As talosctl wraps them: one string of the resource."""
    text = (FOLDER / f"{version}.yaml").read_text("utf-8")
    answer: dict[str, Any] = {"metadata": {"id": "v1alpha1"}, "spec": text}

    assert text == text_in(yaml.safe_dump(answer))

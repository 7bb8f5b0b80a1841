"""The kubeconfig: what of it is used, and what its mistakes are called."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from healer.adapters.kubeconfig import read_kubeconfig
from healer.ports import CannotLook
from tests.apiserver.kubeconfig import Entry, write_kubeconfig
from tests.lab.kubernetes.machineconfig import Authority

FOREIGN: dict[str, Any] = {
    "clusters": [
        {"name": "minikube", "cluster": {"server": "https://1.2.3.4:8443"}},
        {"name": "cloud", "cluster": {"server": "https://cloud.invalid"}},
    ],
    "users": [
        {"name": "minikube", "user": {"client-certificate": "gone.crt", "client-key": "gone.key"}},
        {"name": "cloud", "user": {"exec": {"command": "cloud-login"}}},
    ],
    "contexts": [
        {"name": "minikube", "context": {"cluster": "minikube", "user": "minikube"}},
        {"name": "cloud", "context": {"cluster": "cloud", "user": "cloud"}},
        {"name": "dangling", "context": {"cluster": "nowhere", "user": "nobody"}},
    ],
}


@pytest.fixture(scope="module")
def authority() -> Authority:
    """A cluster's authority."""
    return Authority.create()


def test_a_talosctl_kubeconfig_is_read(tmp_path: Path, authority: Authority) -> None:
    """Name, port and the three pieces of PEM; none of the pieces is ever shown."""
    path = tmp_path / "kubeconfig"
    authority.write_kubeconfig(path, "https://127.0.0.1:64784", "joelclaw")
    (found,) = read_kubeconfig(path).contexts
    assert ("admin@joelclaw", 64784) == (found.name, found.port)
    for piece in (found.ca, found.certificate, found.key):
        assert piece.startswith(b"-----BEGIN ")
    assert "Context(name='admin@joelclaw', port=64784)" == repr(found)


def test_files_beside_it_are_read(tmp_path: Path, authority: Authority) -> None:
    """Certificates may be files named relative to the kubeconfig."""
    path = tmp_path / "kubeconfig"
    write_kubeconfig(path, Entry("ours", authority, 6443))
    raw = json.loads(path.read_text(encoding="utf-8"))
    data = raw["clusters"][0]["cluster"].pop("certificate-authority-data")
    (tmp_path / "ca.crt").write_bytes(base64.b64decode(data))
    raw["clusters"][0]["cluster"]["certificate-authority"] = "ca.crt"
    path.write_text(json.dumps(raw), encoding="utf-8")
    (found,) = read_kubeconfig(path).contexts
    assert authority.pem().encode() == found.ca


def test_other_clusters_do_not_blind_us(tmp_path: Path, authority: Authority) -> None:
    """Contexts that let in by other means are passed by; a missing file is remembered."""
    path = tmp_path / "kubeconfig"
    write_kubeconfig(path, Entry("ours", authority, 6443), more=FOREIGN)
    found = read_kubeconfig(path)
    assert ["ours"] == [one.name for one in found.contexts]
    assert ["client-certificate: No such file or directory: gone.crt"] == [
        one.detail for one in found.unusable
    ]


def test_a_server_line_without_a_port_is_no_port(tmp_path: Path, authority: Authority) -> None:
    """Docker's binding is what counts; a server line that cannot be read says nothing."""
    path = tmp_path / "kubeconfig"
    for server in ("https://127.0.0.1", "https://127.0.0.1:port", "nonsense"):
        authority.write_kubeconfig(path, server, "joelclaw")
        assert read_kubeconfig(path).contexts[0].port is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "holds no table"),
        ("- 1\n- 2\n", "holds no table"),
        ("a: [b\nc: d", "is not valid YAML at line 2"),
        ("\tx: 1", "is not valid YAML at line 1"),
        ("{}", "no context has a CA and a client certificate"),
        ("contexts: 1\nusers: x\nclusters: null", "no context has a CA"),
        (json.dumps(FOREIGN), "gone.crt; no context has a CA"),
        ("x" * (1 << 20) + "y", "larger than 1048576 bytes"),
    ],
)
def test_garbage_is_named_with_file_and_remedy(tmp_path: Path, text: str, words: str) -> None:
    """The message names the file and what is wrong in it; a secret in it is never quoted."""
    path = tmp_path / "kubeconfig"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(CannotLook) as caught:
        read_kubeconfig(path)
    assert f"kubeconfig {path}" == caught.value.place
    assert words in caught.value.detail


def test_a_secret_in_broken_yaml_is_not_quoted(tmp_path: Path) -> None:
    """YAML's own message quotes the line, so it goes no further, not even as a cause."""
    path = tmp_path / "kubeconfig"
    path.write_text("client-key-data: SECRET: [", encoding="utf-8")
    with pytest.raises(CannotLook) as caught:
        read_kubeconfig(path)
    assert "SECRET" not in str(caught.value)
    assert caught.value.__suppress_context__
    assert caught.value.__cause__ is None


def test_binary_garbage_and_folders_are_named(tmp_path: Path) -> None:
    """What is no text, and what is no file, cannot be looked at either."""
    binary = tmp_path / "binary"
    binary.write_bytes(b"\xff\xfe\x00")
    for path in (binary, tmp_path):
        with pytest.raises(CannotLook, match="kubeconfig"):
            read_kubeconfig(path)


def test_data_that_is_no_base64_is_named(tmp_path: Path, authority: Authority) -> None:
    """The field is named, and not what is in it."""
    path = tmp_path / "kubeconfig"
    write_kubeconfig(path, Entry("ours", authority, 6443))
    raw = json.loads(path.read_text(encoding="utf-8"))
    raw["users"][0]["user"]["client-key-data"] = "***"
    path.write_text(json.dumps(raw), encoding="utf-8")
    with pytest.raises(CannotLook, match="client-key-data is no base64; no context") as caught:
        read_kubeconfig(path)
    assert "***" not in str(caught.value)

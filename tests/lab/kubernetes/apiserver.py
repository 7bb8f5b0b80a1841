"""An API server with its etcd and nothing else: no node, no root, no container.

For contract tests, which ask what a real API server answers and need no pod to run. The programs
may be envtest's (``KUBEBUILDER_ASSETS``).
"""

from __future__ import annotations

import http
import socket
import subprocess
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from tests.lab.kubernetes import build
from tests.lab.kubernetes.api import ApiDoor
from tests.lab.kubernetes.machineconfig import Authority, service_account_key
from tests.lab.kubernetes.node import CLUSTER, eventually

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

START_DEADLINE: Final = 90.0
"""Seconds; 3 s were seen on an idle machine."""
STOP_DEADLINE: Final = 20.0


def free_ports(count: int) -> list[int]:
    """Ports of this machine's loopback that nobody listens on."""
    with ExitStack() as held:
        listeners = [held.enter_context(socket.socket()) for _ in range(count)]
        for one in listeners:
            one.bind(("127.0.0.1", 0))
        return [int(one.getsockname()[1]) for one in listeners]


@dataclass(slots=True)
class ApiServer:
    """A running API server; everything it writes is in its folder."""

    folder: Path
    kubeconfig: Path = field(init=False)
    port: int = field(init=False)
    _running: list[subprocess.Popen[bytes]] = field(default_factory=list, init=False)

    @property
    def api(self) -> ApiDoor:
        """The raw door to it."""
        return ApiDoor(self.kubeconfig)

    def start(self) -> None:
        """Start both programs and wait until the server is ready.

        Raises MissingPartError if they are not there, NodeError if it never gets ready.
        """
        programs = build.build_releases(build.API_SERVER)
        self.kubeconfig = self.folder / "kubeconfig"
        self.port, client, peer = free_ports(3)
        authority = Authority.create()
        authority.write_kubeconfig(self.kubeconfig, f"https://127.0.0.1:{self.port}", CLUSTER)
        self._write_secrets(authority)
        etcd = f"http://127.0.0.1:{client}"
        self._run(
            programs["etcd"],
            f"--data-dir={self.folder / 'etcd'}",
            "--unsafe-no-fsync",
            "--log-level=error",
            f"--listen-client-urls={etcd}",
            f"--advertise-client-urls={etcd}",
            f"--listen-peer-urls=http://127.0.0.1:{peer}",
        )
        self._run(programs["kube-apiserver"], *self._arguments(etcd))
        eventually("the API server is ready", self._ready, START_DEADLINE)

    def stop(self) -> None:
        """Stop both programs, the server first."""
        for process in reversed(self._running):
            process.terminate()
            try:
                process.wait(STOP_DEADLINE)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._running.clear()

    def _ready(self) -> bool:
        ready = self.api.request("GET", "/readyz", deadline=3.0).status == http.HTTPStatus.OK
        # The namespaces come a moment after readiness.
        namespace = self.api.request("GET", "/api/v1/namespaces/default", deadline=3.0)
        return ready and namespace.status == http.HTTPStatus.OK

    def _write_secrets(self, authority: Authority) -> None:
        certificate, key = authority.issue_serving("127.0.0.1")
        for name, text in {
            "ca.crt": authority.pem(),
            "server.crt": certificate,
            "server.key": key,
            "accounts.key": service_account_key(),
        }.items():
            path = self.folder / name
            path.touch(mode=0o600)
            path.write_text(text)

    def _arguments(self, etcd: str) -> Sequence[str]:
        accounts = self.folder / "accounts.key"
        return [
            f"--etcd-servers={etcd}",
            f"--secure-port={self.port}",
            "--bind-address=127.0.0.1",
            # Else it looks for a default route, which a machine need not have; nobody dials it.
            "--advertise-address=192.0.2.1",
            "--anonymous-auth=false",
            "--authorization-mode=RBAC",
            # Accounts are made by the controller manager, which is not here.
            "--disable-admission-plugins=ServiceAccount",
            f"--client-ca-file={self.folder / 'ca.crt'}",
            f"--tls-cert-file={self.folder / 'server.crt'}",
            f"--tls-private-key-file={self.folder / 'server.key'}",
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--service-account-key-file={accounts}",
            f"--service-account-signing-key-file={accounts}",
            "--service-cluster-ip-range=10.96.0.0/12",
            "--service-node-port-range=1-65535",
        ]

    def _run(self, program: Path, *arguments: str) -> None:
        with (self.folder / f"{program.name}.log").open("wb") as log:
            command = [str(program), *arguments]
            self._running.append(subprocess.Popen(command, stdout=log, stderr=log))

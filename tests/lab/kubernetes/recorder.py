"""Writes down what a node answers, without what no reader looks at."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from tests.lab.kubernetes import build
from tests.lab.kubernetes.api import TABLE
from tests.lab.kubernetes.node import eventually

if TYPE_CHECKING:
    from pathlib import Path

    from tests.lab.kubernetes.faults import Faults
    from tests.lab.kubernetes.node import Node

PODS: Final = "/api/v1/pods"
NOISE: Final = ("managedFields", "kubectl.kubernetes.io/last-applied-configuration")


def quiet(value: Any) -> Any:  # noqa: ANN401  any JSON
    """The same JSON without what no reader looks at."""
    if isinstance(value, dict):
        return {key: quiet(inner) for key, inner in value.items() if key not in NOISE}
    return [quiet(inner) for inner in value] if isinstance(value, list) else value


@dataclass(frozen=True, slots=True)
class Recorder:
    """Writes recordings of one node into a folder."""

    node: Node
    faults: Faults
    target: Path

    def save(self, name: str, body: object) -> None:
        """Write one recording."""
        build.say(f"recorded {name}")
        text = json.dumps(quiet(body), indent=1, sort_keys=True, ensure_ascii=False)
        (self.target / f"{name}.json").write_text(text + "\n")

    def save_object(self, name: str, path: str) -> None:
        """Write the object at a path."""
        self.save(name, self.node.api.get(path))

    def save_pods(self, name: str) -> None:
        """Write the pods of all namespaces beside the columns that the server prints for them."""
        while True:
            before = self.node.api.get(PODS)
            table = self.node.api.get(PODS, TABLE)
            after = self.node.api.get(PODS)
            # Columns of another moment than the objects would be worthless.
            if _versions(before) == _versions(after):
                break
        for row in table["rows"]:
            metadata = row["object"]["metadata"]
            row["object"] = {key: metadata[key] for key in ("namespace", "name", "uid")}
        table["columnDefinitions"] = [one["name"] for one in table["columnDefinitions"]]
        self.save(f"pods-{name}", {"list": before, "table": table})

    def save_events(self, name: str) -> None:
        """Write the warnings of all namespaces."""
        events = self.node.api.get("/api/v1/events")
        events["items"] = [one for one in events["items"] if one.get("type") == "Warning"]
        self.save(f"events-{name}", events)

    def save_answer(
        self, name: str, method: str, path: str, body: object = None, kind: str = "application/json"
    ) -> None:
        """Write a request and the status and body that it gets."""
        answer = self.node.api.request(method, path, body=body, headers={"Content-Type": kind})
        asked = {"method": method, "path": path, "content_type": kind, "body": body}
        self.save(
            f"answer-{name}", {"request": asked, "status": answer.status, "body": answer.body}
        )

    def settled(self, what: str, **wanted: str) -> None:
        """Wait until the pods whose names start so show the wanted columns."""

        def look() -> bool:
            now = self.node.statuses()
            return all(
                any(
                    name.startswith(start.replace("_", "-")) and status in wish.split("|")
                    for name, status in now.items()
                )
                for start, wish in wanted.items()
            )

        eventually(f"{what}: {wanted}", look)

    def save_log(self) -> None:
        """Write what flannel said before it ended."""
        log = self.node.kubectl("logs", "-n", "kube-system", "daemonset/kube-flannel", "--previous")
        (self.target / "flannel-previous.log").write_text(log)

    def save_readyz(self) -> None:
        """Write what /readyz says without etcd."""
        command = [str(self.node.kubectl_program), f"--kubeconfig={self.node.kubeconfig}"]
        answer = subprocess.run(
            [*command, "get", "--raw", "/readyz?verbose"],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        (self.target / "readyz-without-etcd.txt").write_text(answer.stdout + answer.stderr)


def _versions(pods: dict[str, Any]) -> list[str]:
    return [one["metadata"]["resourceVersion"] for one in pods["items"]]

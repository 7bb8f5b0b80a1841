"""The tests' own API server in a process of its own, full of pods: `FOLDER COUNT`.

Prints its port when it is ready. Each line on its input changes one pod, as a kubelet would.
"""

from __future__ import annotations

import copy
import sys
from pathlib import Path
from typing import Any

import anyio
from anyio import to_thread

from tests.apiserver.server import ApiServer
from tests.cluster_objects import recorded

Json = dict[str, Any]


def pods(count: int) -> list[Json]:
    """So many like the recorded healthy ones, each with a name and times of its own."""
    first, *others = sorted(recorded("pods-healthy")["list"]["items"], key=_is_other)
    return [
        _pod(others[number % len(others)] if number else first, number) for number in range(count)
    ]


def _is_other(pod: Json) -> bool:
    """Flannel's is the first, and the only one of its kind."""
    return bool(pod["metadata"]["ownerReferences"][0]["kind"] != "DaemonSet")


def _pod(model: Json, number: int) -> Json:
    found = copy.deepcopy(model)
    metadata = found["metadata"]
    metadata["name"] += f"-{number}"
    metadata["uid"] = f"{number:08x}-4af4-4326-b94f-8531877baec5"
    seconds = f"{number // 60 % 60:02}:{number % 60:02}Z"
    for one in found["status"]["conditions"]:
        one["lastTransitionTime"] = one["lastTransitionTime"][:14] + seconds
    # The recordings lack what a server keeps of each writer: half the weight of a real pod.
    metadata["managedFields"] = [
        {"manager": "kubelet", "operation": "Update", "fieldsV1": copy.deepcopy(found["status"])}
    ]
    return found


async def serve(folder: Path, count: int) -> None:
    """Until the input ends."""
    async with ApiServer() as api:
        api.put("Node", recorded("node-ready"))
        api.put("DaemonSet", recorded("daemonset-flannel-available"))
        for one in pods(count):
            api.put("Pod", one)
        api.store.history.clear()
        api.kubeconfig(folder / "kubeconfig")
        print(api.port, flush=True)
        while await to_thread.run_sync(sys.stdin.readline):
            (_, pod) = api.store.all("Pod")[-1]
            changed = copy.deepcopy(pod)
            changed["status"]["containerStatuses"][0]["restartCount"] += 1
            api.put("Pod", changed)


if __name__ == "__main__":
    anyio.run(serve, Path(sys.argv[1]), int(sys.argv[2]))

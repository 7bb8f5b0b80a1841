"""The client library is loaded late, without its models, and without spoiling it for others."""

import json
import subprocess
import sys

_SCRIPT = """
import json, sys
from healer.adapters.kubernetes import KubernetesCluster
from healer.adapters.kubernetes_client import _modules
before = sorted(one for one in sys.modules if one.startswith(("kubernetes_asyncio", "aiohttp")))
{first}
rest, configuration = _modules()
models = sum(one.startswith("kubernetes_asyncio.client.models") for one in sys.modules)
own = configuration.Configuration(host="https://127.0.0.1:1").host
import kubernetes_asyncio.client
whole = kubernetes_asyncio.client.CoreV1Api.__name__
print(json.dumps([before, models, rest.RESTClientObject.__name__, own, whole]))
"""


def run(first: str = "") -> list[object]:
    """What an interpreter of its own says after loading the client."""
    script = _SCRIPT.format(first=first)
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    found: list[object] = json.loads(ran.stdout)
    return found


def test_the_models_stay_out() -> None:
    """Importing the adapter costs nothing, and using it not one of the 38 MB of models (§7)."""
    assert [[], 0, "RESTClientObject", "https://127.0.0.1:1", "CoreV1Api"] == run()


def test_a_library_that_is_loaded_already_is_used_as_it_is() -> None:
    """Whoever imported the whole package before us keeps it."""
    before, models, rest, own, whole = run("import kubernetes_asyncio.client")
    assert [] == before
    assert isinstance(models, int)
    assert models > 100
    assert ["RESTClientObject", "https://127.0.0.1:1", "CoreV1Api"] == [rest, own, whole]

"""kubernetes-asyncio's REST client without its models.

The package imports all of its generated models when any part of it is imported: 38 MB and a
third of a second (facts/talos-kubernetes.md §7). Only the REST client and the Configuration
are needed here, so the packages above them stand in as empty ones while they load.
"""

import importlib
import importlib.util
import os
import sys
import tempfile
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from healer.adapters.kubeconfig import Context

_PACKAGE: Final = "kubernetes_asyncio"
_CLIENT: Final = f"{_PACKAGE}.client"


def rest_client(context: Context, port: int) -> Any:  # noqa: ANN401  (the library has no types)
    """A REST client for one context on 127.0.0.1; construct it inside a running loop.

    Raises ssl.SSLError or ValueError for certificates that cannot be loaded.
    """
    rest, configuration = _modules()
    made = configuration.Configuration(host=f"https://127.0.0.1:{port}")
    with tempfile.TemporaryDirectory(prefix="healer-") as folder:
        # The library reads files once, at construction; the folder is 0700 and gone after it.
        made.ssl_ca_cert = _written(folder, "ca", context.ca)
        made.cert_file = _written(folder, "certificate", context.certificate)
        made.key_file = _written(folder, "key", context.key)
        client = rest.RESTClientObject(made)
    # An HTTPS_PROXY in the environment would capture even 127.0.0.1 (§7).
    client.pool_manager._trust_env = False  # noqa: SLF001  (the library gives no other way)
    return client


def _written(folder: str, name: str, data: bytes) -> str:
    path = Path(folder) / name
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
    return str(path)


@cache
def _modules() -> tuple[ModuleType, ModuleType]:
    """`rest` and `configuration`, loaded under stand-ins for the packages that hold them."""
    if _CLIENT in sys.modules:
        return _submodule("rest"), _submodule("configuration")
    spec = importlib.util.find_spec(_PACKAGE)
    if spec is None or spec.submodule_search_locations is None:
        raise ImportError(f"{_PACKAGE} is not installed")
    root = Path(next(iter(spec.submodule_search_locations)))
    before = set(sys.modules)
    sys.modules[_PACKAGE] = _stand_in(_PACKAGE, root)
    sys.modules[_CLIENT] = _stand_in(_CLIENT, root / "client")
    try:
        return _submodule("rest"), _submodule("configuration")
    finally:
        # Whoever imports the whole package later must get the whole package.
        for name in set(sys.modules) - before:
            if name == _PACKAGE or name.startswith(f"{_PACKAGE}."):
                del sys.modules[name]


def _submodule(name: str) -> ModuleType:
    return importlib.import_module(f"{_CLIENT}.{name}")


def _stand_in(name: str, folder: Path) -> ModuleType:
    module = ModuleType(name)
    module.__path__ = [str(folder)]
    return module

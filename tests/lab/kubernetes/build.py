"""Builds the programs of the one-node Kubernetes and keeps them outside the checkout.

Run it as ``python -m tests.lab.kubernetes.build``: some ten minutes on two cores the first time,
nothing at all afterwards, because the folder's name is the hash of all that goes into it.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import platform
import shutil
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

HERE: Final = Path(__file__).parent
RELEASES: Final = HERE / "releases"
"""The module that names the released programs and pins what they are made of."""
PROGRAMS: Final = HERE / "programs"
"""The lab's own small programs; they need nothing but Go's standard library."""

VERSION: Final = "v1.37.2"
KUBERNETES: Final = "k8s.io/kubernetes/cmd/"
ETCD: Final = "go.etcd.io/etcd/server/v3"

API_SERVER: Final = ("kube-apiserver", "etcd", "kubectl")
"""What envtest's folder holds, too: enough for tests of the API, not for a node."""
NODE: Final = (
    *API_SERVER,
    "kube-controller-manager",
    "kube-scheduler",
    "kubelet",
    "kube-proxy",
)
OWN: Final = ("machined", "flannel", "standin")

LINKER_FLAGS: Final = (
    "-s -w"
    f" -X k8s.io/component-base/version.gitVersion={VERSION}"
    " -X k8s.io/component-base/version.gitMajor=1"
    " -X k8s.io/component-base/version.gitMinor=37"
)
GO_FLAGS: Final = ("-trimpath", "-buildvcs=false", "-ldflags", LINKER_FLAGS)
SYSTEM_PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
BUILD_DEADLINE: Final = 3600.0
"""Seconds; a cold build on two busy cores was seen to take 15 minutes."""


class MissingPartError(Exception):
    """A part of the lab is not on this machine; the message names it and how to get it."""


def program(name: str, package: str) -> Path:
    """Where the machine keeps a program; MissingPartError names the package to install."""
    found = shutil.which(name, path=SYSTEM_PATH)
    if found is None:
        raise MissingPartError(f"{name} is not installed: apt-get install {package}")
    return Path(found)


def cache_root() -> Path:
    """The folder that outlives checkouts, by the XDG rule."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "healer-lab"


def folder_for(sources: Sequence[Path], *extra: str) -> Path:
    """The cache folder whose name changes whenever what is built would."""
    digest = hashlib.sha256()
    for source in sources:
        digest.update(source.name.encode() + b"\0" + source.read_bytes())
    for text in (*extra, *GO_FLAGS, platform.machine()):
        digest.update(text.encode() + b"\0")
    return cache_root() / digest.hexdigest()[:16]


def release_folder() -> Path:
    """Where the released programs are kept, built or not."""
    return folder_for([RELEASES / "go.mod", RELEASES / "go.sum"])


def own_folder() -> Path:
    """Where the lab's own programs are kept, built or not."""
    return folder_for([*sorted(PROGRAMS.rglob("*.go")), PROGRAMS / "go.mod"])


def find(names: Sequence[str]) -> dict[str, Path] | None:
    """All the named programs from one folder, or None: programs of two releases never mix.

    ``KUBEBUILDER_ASSETS`` (envtest's convention) wins when it holds every one of them.
    """
    assets = os.environ.get("KUBEBUILDER_ASSETS")
    for folder in ([Path(assets)] if assets else []) + [release_folder(), own_folder()]:
        found = {name: folder / name for name in names}
        if all(os.access(path, os.X_OK) for path in found.values()):
            return found
    return None


def build_releases(names: Sequence[str] = NODE) -> dict[str, Path]:
    """Find the released programs, building those that are not there.

    Raises MissingPartError without Go, CalledProcessError if the build fails.
    """
    if found := find(names):
        return found
    folder = release_folder()
    with only_one(folder):
        for name in names:
            package = ETCD if name == "etcd" else KUBERNETES + name
            _build(RELEASES, package, folder / name)
    return {name: folder / name for name in names}


def build_own() -> dict[str, Path]:
    """Find the lab's own programs, building those that are not there; same errors."""
    if found := find(OWN):
        return found
    folder = own_folder()
    with only_one(folder):
        for name in OWN:
            _build(PROGRAMS, f"./{name}", folder / name)
    return {name: folder / name for name in OWN}


def _build(module: Path, package: str, target: Path) -> None:
    if target.exists():
        return
    go = shutil.which("go")
    if go is None:
        raise MissingPartError(f"{target.name} is not built and there is no Go to build it with")
    say(f"building {target.name}")
    began = time.monotonic()
    # The rename makes a build that was cut short invisible to the next one.
    unfinished = target.with_suffix(".unfinished")
    nice = [str(program("nice", "coreutils")), "-n", "5"]
    subprocess.run(
        [*nice, go, "build", "-mod=readonly", *GO_FLAGS, "-o", unfinished, package],
        cwd=module,
        env={**os.environ, "CGO_ENABLED": "0", "GOWORK": "off"},
        check=True,
        timeout=BUILD_DEADLINE,
    )
    unfinished.rename(target)
    say(f"built {target.name} in {time.monotonic() - began:.0f} s")


@contextmanager
def only_one(folder: Path) -> Iterator[None]:
    """Hold a folder of the cache, waiting for whoever fills it already."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def say(line: str) -> None:
    """One line of progress, beside whatever the caller prints."""
    sys.stderr.write(f"lab: {line}\n")
    sys.stderr.flush()


def main() -> int:
    """Build all that a node needs; 1 with the reason if a part is missing."""
    try:
        built = build_own() | build_releases()
    except MissingPartError as missing:
        say(str(missing))
        return 1
    for name, path in built.items():
        say(f"{name} {path.stat().st_size >> 20} MiB {path}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""The node's image and the images of its workloads.

What is inside: the released programs, the lab's own, and Debian's containerd, runc, nft, CNI
plugins, redis-server and busybox, each with the libraries it loads.
"""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.lab.kubernetes import build
from tests.lab.kubernetes.archive import ContainerImage, RootFolder
from tests.lab.kubernetes.build import program

if TYPE_CHECKING:
    from collections.abc import Sequence

REPOSITORY: Final = "lab.invalid"
"""Images are imported, never pulled: the name must not lead anywhere."""
SANDBOX_IMAGE: Final = f"{REPOSITORY}/pause:3.10"
BUSYBOX_IMAGE: Final = f"{REPOSITORY}/busybox:1"

CNI_FOLDER: Final = Path("/usr/lib/cni")
CNI_PLUGINS: Final = ("bridge", "host-local", "loopback")
BUSYBOX_LINKS: Final = (
    *("sh", "cat", "ls", "mount", "umount", "sleep", "ps", "touch", "mkdir", "rm", "tail"),
    *("wget", "nc", "kill", "ip", "true", "echo", "test", "cp", "stat", "df", "grep"),
)
PACKAGES: Final = {
    "containerd": "containerd",
    "containerd-shim-runc-v2": "containerd",
    "ctr": "containerd",
    "runc": "runc",
    "nft": "nftables",
}
IMPORT_DEADLINE: Final = 300.0
"""Seconds; half a gigabyte was seen to take 10 s on an idle machine."""


def busybox(root: RootFolder) -> None:
    """Add the small tools that tests reach for by ``docker exec``."""
    root.add_program(program("busybox", "busybox-static"), "/bin/busybox")
    root.add_links(BUSYBOX_LINKS, "/bin/busybox")


def standin_image() -> ContainerImage:
    """The lab's own workloads: one program, one name per part it plays."""
    root = RootFolder(files={"/standin": build.build_own()["standin"]}, folders={"/tmp"})
    names = ("pause:3.10", "flannel:v0.27.4", "livekit-server:v1.9.0", "typesense:30.1")
    return ContainerImage(
        names=[f"{REPOSITORY}/{name}" for name in (*names, "local-path-provisioner:v0.0.31")],
        root=root,
        config={"Entrypoint": ["/standin"], "Cmd": ["pause"]},
    )


def redis_image() -> ContainerImage:
    """Debian's Redis as it is."""
    root = RootFolder(folders={"/data", "/tmp"})
    root.add_program(program("redis-server", "redis-server"), "/bin/redis-server")
    busybox(root)
    return ContainerImage(
        names=[f"{REPOSITORY}/redis:7"],
        root=root,
        config={
            "Entrypoint": ["/bin/redis-server"],
            "Cmd": ["--save", "", "--protected-mode", "no"],
            "WorkingDir": "/data",
        },
    )


def busybox_image() -> ContainerImage:
    """A shell for the pods that tests make."""
    root = RootFolder(folders={"/tmp"})
    busybox(root)
    return ContainerImage(
        names=[BUSYBOX_IMAGE], root=root, config={"Cmd": ["/bin/sh"], "Env": ["PATH=/bin"]}
    )


def node_root(scratch: Path) -> RootFolder:
    """The node's root file system; the workloads' archives are written to the scratch folder.

    Raises MissingPartError naming the package that is not installed.
    """
    root = RootFolder(folders={"/tmp", "/run", "/system", "/var", "/opt", "/proc", "/sys", "/dev"})
    busybox(root)
    for name, path in build.build_releases().items():
        root.files[f"/usr/bin/{name}"] = path
    for name, package in PACKAGES.items():
        root.add_program(program(name, package), f"/usr/bin/{name}")
    for name in CNI_PLUGINS:
        plugin = CNI_FOLDER / name
        if not plugin.exists():
            raise build.MissingPartError(
                f"{plugin} is missing: apt-get install containernetworking-plugins"
            )
        root.add_program(plugin, f"/opt/cni/bin/{name}")
    own = build.build_own()
    root.files["/opt/cni/bin/flannel"] = own["flannel"]
    root.files["/sbin/init"] = own["machined"]
    root.texts["/etc/passwd"] = "root:x:0:0:root:/:/bin/sh\n"
    root.texts["/etc/group"] = "root:x:0:\n"
    root.texts["/etc/nsswitch.conf"] = "hosts: files dns\n"
    for image in (standin_image(), redis_image(), busybox_image()):
        archive = scratch / f"{image.names[0].rpartition('/')[2].replace(':', '-')}.tar"
        image.write(archive)
        root.files[f"/usr/share/lab/images/{archive.name}"] = archive
    return root


def node_archive() -> Path:
    """The node's root file system as a tar file, kept in the cache until what it holds changes."""
    folder = build.cache_root() / "images"
    with build.only_one(folder):
        return _node_archive(folder)


def _node_archive(folder: Path) -> Path:
    for unfinished in folder.glob("*.unfinished"):
        unfinished.unlink()
    root = node_root(folder)
    digest = hashlib.sha256(Path(__file__).read_bytes())
    for path, source in sorted(root.files.items()):
        status = source.stat()
        digest.update(f"{path} {source} {status.st_size} {status.st_mtime_ns}\n".encode())
    target = folder / f"node-{digest.hexdigest()[:16]}.tar"
    if not target.exists():
        build.say("writing the node's root file system")
        unfinished = target.with_suffix(".unfinished")
        with unfinished.open("wb") as stream:
            root.write(stream)
        for older in folder.glob("node-*.tar"):
            older.unlink()
        unfinished.rename(target)
    return target


def import_node_image(docker: Sequence[str]) -> str:
    """Make the node's image known to an engine, unless it is; its name.

    ``docker`` is the command that reaches the engine, for example
    ``["docker", "-H", "unix:///run/x.sock"]``. Raises CalledProcessError with what it said.
    """
    archive = node_archive()
    name = f"{REPOSITORY}/talos:{archive.stem}"
    known = subprocess.run(
        [*docker, "image", "inspect", "--format", "{{.Id}}", name],
        capture_output=True,
        check=False,
        timeout=30,
    )
    if known.returncode == 0:
        return name
    build.say("importing the node's image")
    with archive.open("rb") as stream:
        subprocess.run(
            [*docker, "import", "-c", 'ENTRYPOINT ["/sbin/init"]', "-", name],
            stdin=stream,
            capture_output=True,
            check=True,
            timeout=IMPORT_DEADLINE,
        )
    return name

"""What the virtual Mac needs of the machine that plays it."""

from __future__ import annotations

import os
import platform
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.lab.virtual.layout import SYSTEM_PATH

if TYPE_CHECKING:
    from collections.abc import Mapping

NEEDED: Final = {
    "dockerd": "docker.io",
    "containerd": "containerd",
    "docker": "docker.io or docker-cli",
    "sshd": "openssh-server",
    "ssh": "openssh-client",
    "ssh-keygen": "openssh-client",
    "unshare": "util-linux",
    "setpriv": "util-linux",
    "nsenter": "util-linux",
    "busybox": "busybox-static",
    "iptables": "iptables",
    "pkill": "procps",
    "curl": "curl",
    "tar": "tar",
}
BRIDGE: Final = Path("/proc/sys/net/bridge")


class MissingPartError(Exception):
    """The machine lacks a part; the message names it and where it comes from."""


def require() -> Mapping[str, str]:
    """Where each tool is; MissingPartError without one."""
    if platform.system() != "Linux" or os.geteuid() != 0:
        raise MissingPartError("the virtual Mac needs root on Linux")
    if not Path("/sys/fs/cgroup/freezer").is_dir():
        raise MissingPartError("the virtual Mac needs the controllers of cgroup v1")
    if not BRIDGE.is_dir():
        raise MissingPartError(f"{BRIDGE} is not there: the kernel's br_netfilter is not loaded")
    found = {name: shutil.which(name, path=SYSTEM_PATH) for name in NEEDED}
    missing = [f"{name} ({NEEDED[name]})" for name, path in found.items() if path is None]
    if missing:
        raise MissingPartError(f"the virtual Mac needs {', '.join(missing)}")
    return {name: path for name, path in found.items() if path is not None}

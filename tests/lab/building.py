"""The folders and files of a virtual Mac: what is on its disk before the first start."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.lab.machine import tool

if TYPE_CHECKING:
    from tests.lab.standin.settings import Lab, LabSettings

CHECKOUT: Final = Path(__file__).resolve().parents[2]
GUEST_SOURCES: Final = Path(__file__).with_name("guest")
SHIM: Final = """\
#!{python} -IS
import sys
sys.path.insert(0, {checkout!r})
from {module} import main
raise SystemExit(main({arguments}))
"""
LIMA_YAML: Final = "vmType: {driver}\narch: default\n"


def build(lab: Lab, settings: LabSettings) -> None:
    """A Mac whose VM was created once and stopped cleanly."""
    for folder in (lab.home, lab.bin, lab.guest / "bin", lab.root / "real"):
        folder.mkdir(parents=True)
    lab.write(settings)
    _write_commands(lab)
    _write_guest(lab)
    _write_disk(lab)
    _write_lima(lab, settings)


def _write_commands(lab: Lab) -> None:
    lab.real_docker.symlink_to(tool("docker"))
    for name in ("colima", "limactl", "docker"):
        shim(lab.bin / name, f"tests.lab.standin.{name}", f"{str(lab.root)!r}, sys.argv")
    shim(lab.guest / "vm", "tests.lab.standin.vm", f"{str(lab.root)!r}, sys.argv")


def _write_guest(lab: Lab) -> None:
    shim(lab.guest / "init", "tests.lab.guest.init", "sys.argv")
    shim(lab.guest / "bin" / "systemctl", "tests.lab.guest.system", "sys.argv")
    for name in ("sudo", "modprobe", "lsmod"):
        _copy(GUEST_SOURCES / name, lab.guest / "bin" / name)
    _copy(GUEST_SOURCES / "power-on.sh", lab.guest / "power-on.sh")


def _copy(source: Path, target: Path) -> None:
    target.write_bytes(source.read_bytes())
    target.chmod(0o755)


def shim(path: Path, module: str, arguments: str) -> None:
    """An executable that becomes that module's main.

    With the interpreter itself and not a virtual environment's: only the standard library is
    needed, and such a start is twice as fast.
    """
    python = Path(sys.base_prefix, "bin", f"python3.{sys.version_info.minor}")
    path.write_text(
        SHIM.format(python=str(python), checkout=str(CHECKOUT), module=module, arguments=arguments),
        "utf-8",
    )
    path.chmod(0o755)


def _write_disk(lab: Lab) -> None:
    for folder in ("docker", "containerd", "etc/upper", "etc/work", "log", "ssh"):
        (lab.disk / folder).mkdir(parents=True)
    # Opaque: what this machine loads at its boot is nothing to the VM.
    modules = lab.disk / "etc" / "upper" / "modules-load.d"
    modules.mkdir()
    os.setxattr(modules, "trusted.overlay.opaque", b"y")
    _new_key(lab.disk / "ssh" / "host_key")


def _write_lima(lab: Lab, settings: LabSettings) -> None:
    lima = lab.home / ".colima" / "_lima"
    inst, config, disk = lima / "colima", lima / "_config", lima / "_disks" / "colima"
    for folder in (inst, config, disk, lab.home / ".colima" / "default"):
        folder.mkdir(parents=True)
    _new_key(config / "user")
    keys = lab.disk / "ssh" / "authorized_keys"
    keys.write_bytes((config / "user.pub").read_bytes())
    (disk / "datadisk").touch()
    (inst / "lima-version").write_text(settings.lima_version, "utf-8")
    (inst / "lima.yaml").write_text(LIMA_YAML.format(driver=settings.driver), "utf-8")


def _new_key(path: Path) -> None:
    subprocess.run(
        [tool("ssh-keygen"), "-q", "-t", "ed25519", "-N", "", "-C", "lima", "-f", str(path)],
        check=True,
        timeout=30,
    )

"""What a new virtual Mac is furnished with: tools, keys, the files of a VM created once."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.lab.virtual.layout import SYSTEM_PATH, Layout, Settings, write

if TYPE_CHECKING:
    from collections.abc import Mapping

REPOSITORY: Final = Path(__file__).parents[3]
WRAPPER: Final = """\
#!{python} -IS
import sys
sys.path.insert(0, {repository!r})
from tests.lab.virtual.{module} import main
sys.exit(main({root!r}, sys.argv[1:]))
"""
PROGRAM: Final = """\
import sys
sys.path[:] = [{repository!r}, *(one for one in sys.path[1:] if "-packages" not in one)]
from tests.lab.virtual.{module} import main
sys.exit(main({root!r}))
"""
GUEST_TOOL: Final = """\
#!/bin/sh
exec {python} -IS {control} {tool} "$@"
"""
SUDO: Final = """\
#!/bin/sh
while [ "${1#-}" != "$1" ]; do shift; done
exec "$@"
"""
SSHD: Final = """\
ListenAddress 127.0.0.1
HostKey {root}/host_key
AuthorizedKeysFile {root}/home/.colima/_lima/_config/user.pub
PermitRootLogin yes
PasswordAuthentication no
KbdInteractiveAuthentication no
StrictModes no
UsePAM no
UseDNS no
PidFile /run/sshd.pid
MaxStartups 100
MaxSessions 100
SetEnv PATH={root}/guestbin:{path} HOME={root}
"""


def furnish(layout: Layout, tools: Mapping[str, str], vm_type: str) -> None:
    """Make everything below the layout's root; CalledProcessError if no key can be made."""
    python = os.path.realpath(sys.executable)
    settings = Settings(python, tools["docker"], str(REPOSITORY), vm_type)
    layout.write_settings(settings)
    values = {"python": python, "repository": str(REPOSITORY), "root": str(layout.root)}
    for tool in ("colima", "limactl", "docker"):
        text = WRAPPER.format(module=tool, **values)
        write(layout.binaries / tool, text, 0o755)
    for program in ("hostagent", "usernet"):
        write(layout.libexec / program, PROGRAM.format(module=program, **values))
    control = Path(__file__).parent / "guest" / "control.py"
    for tool in ("systemctl", "modprobe", "lsmod"):
        text = GUEST_TOOL.format(python=python, control=control, tool=tool)
        write(layout.guest_binaries / tool, text, 0o755)
    write(layout.guest_binaries / "sudo", SUDO, 0o755)
    write(layout.root / "sshd_config", SSHD.format(root=layout.root, path=SYSTEM_PATH))
    write(layout.root / "guest.passwd", _guest_passwd())
    write(layout.root / "guest.shadow", "root:*:19000:0:99999:7:::\n", 0o600)
    _create_instance(layout, tools["ssh-keygen"])


def _create_instance(layout: Layout, keygen: str) -> None:
    for key in (layout.key, layout.root / "host_key"):
        key.parent.mkdir(parents=True, exist_ok=True)
        argv = [keygen, "-q", "-t", "ed25519", "-N", "", "-C", "lima", "-f", str(key)]
        subprocess.run(argv, check=True)
    write(layout.instance / "lima.yaml", f"vmType: {layout.settings().vm_type}\n")
    write(layout.instance / "colima.yaml", "runtime: docker\n")
    write(layout.instance / "lima-version", layout.settings().lima_version)
    write(layout.colima / "_store" / "colima.json", "{}\n")
    write(layout.profile / "colima.yaml", "portForwarder: ssh\nruntime: docker\n")
    layout.disk.mkdir()
    # The root folder is entered by the guest's sshd, too, and is made private by mkdtemp.
    layout.root.chmod(0o755)


def _guest_passwd() -> str:
    """The machine's users, root with a shell that reads no file of the machine's root."""
    text = Path("/etc/passwd").read_text(encoding="utf-8")
    return re.sub(r"(?m)^(root:.*):[^:]*$", r"\1:/bin/sh", text)

"""A node on an engine of its own, without the virtual Mac around it."""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tests.lab.kubernetes.engine import Engine
from tests.lab.kubernetes.faults import Faults
from tests.lab.kubernetes.node import Node, Ports

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def running_node() -> Iterator[Faults]:
    """A node just created, with nothing deployed, whose VM has br_netfilter.

    Raises MissingPartError naming what the machine lacks.
    """
    # A socket's path must be short, so the disk is not below pytest's folders.
    disk = Path(tempfile.mkdtemp(prefix="lab-", dir="/tmp"))
    engine = Engine(disk)
    try:
        engine.start(Ports().mac_side())
        faults = Faults(Node(engine.docker, disk / "kubeconfig"), engine.guest_flags)
        faults.load_module()
        faults.node.create()
        yield faults
    finally:
        engine.stop()

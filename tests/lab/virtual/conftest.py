"""One virtual Mac for all tests that ask for it, booted once and mended before each of them."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING, Final

import pytest

from tests.lab.virtual.mac import Mac
from tests.lab.virtual.parts import MissingPartError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

APPLETS: Final = ("sh", "sleep", "nc", "httpd", "cat", "true", "kill")
IMAGE: Final = "lab/busybox:1"
"""A few kilobytes of links around Debian's static busybox."""


@pytest.fixture(scope="module")
def booted_mac(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Mac]:
    """A Mac with its VM up and IMAGE in its engine; skipped where a part is missing, but in CI.

    Its parameter is the VM's type.
    """
    try:
        mac = Mac(getattr(request, "param", "vz"))
    except MissingPartError as missing:
        if os.environ.get("CI") == "true":
            pytest.fail(str(missing))
        pytest.skip(str(missing))
    try:
        mac.start_vm()
        mac.import_image(_busybox(tmp_path_factory.mktemp("busybox"), mac.tools["busybox"]), IMAGE)
        yield mac
    finally:
        mac.close()


@pytest.fixture
def mac(booted_mac: Mac) -> Iterator[Mac]:
    """The same, healthy, without containers; afterwards nobody may have called the forbidden."""
    booted_mac.mend()
    yield booted_mac
    booted_mac.check()


def _busybox(folder: Path, program: str) -> Path:
    binaries = folder / "bin"
    binaries.mkdir()
    shutil.copy(program, binaries / "busybox")
    for name in APPLETS:
        (binaries / name).symlink_to("busybox")
    return folder

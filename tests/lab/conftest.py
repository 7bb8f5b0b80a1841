"""The virtual Mac for every test that asks for it: booted once, mended before each of them."""

from __future__ import annotations

import os
import tarfile
from typing import TYPE_CHECKING

import pytest

from tests.lab.mac import Mac
from tests.lab.machine import missing_parts, tool

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

IMAGE = "lab/busybox:1"
APPLETS = ("sh", "sleep", "nc", "httpd", "cat", "echo", "true", "wget")


@pytest.fixture(scope="session")
def lab_machine() -> None:
    """Skip with the reason where no virtual Mac can run; where it must, fail with it."""
    why = missing_parts()
    if why and (os.environ.get("CI") == "true" or os.environ.get("HEALER_LAB") == "required"):
        pytest.fail(why)
    if why:
        pytest.skip(why)


@pytest.fixture(scope="session")
def busybox_archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A root file system with busybox and nothing else."""
    archive = tmp_path_factory.mktemp("image") / "busybox.tar"
    with tarfile.open(archive, "w") as tar:
        tar.add(tool("busybox"), "bin/busybox")
        for applet in APPLETS:
            link = tarfile.TarInfo(f"bin/{applet}")
            link.type, link.linkname = tarfile.SYMTYPE, "busybox"
            tar.addfile(link)
    return archive


@pytest.fixture(scope="session")
def one_mac(lab_machine: None, busybox_archive: Path) -> Iterator[Mac]:
    """A booted Mac with the image; tests want `mac`, which is this one in health."""
    del lab_machine
    with Mac() as mac:
        mac.start_vm()
        mac.load_image(busybox_archive, IMAGE, "ENV PATH=/bin")
        yield mac


@pytest.fixture
def mac(one_mac: Mac) -> Iterator[Mac]:
    """A Mac in health, with no containers and no calls; nobody may call `delete` on it."""
    one_mac.mend()
    yield one_mac
    one_mac.check_calls()


@pytest.fixture
def image(one_mac: Mac) -> str:
    """An image with a shell, `sleep`, `nc` and `httpd`."""
    del one_mac
    return IMAGE


@pytest.fixture
def fresh_mac(lab_machine: None) -> Iterator[Mac]:
    """A Mac of the test's own, its VM created and off."""
    del lab_machine
    with Mac() as mac:
        yield mac

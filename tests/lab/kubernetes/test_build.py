"""Where the lab finds its programs, without building any."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.lab.kubernetes import build

if TYPE_CHECKING:
    from pathlib import Path


def fill(folder: Path, *names: str) -> Path:
    """Make a folder of empty programs."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).touch(mode=0o755)
    return folder


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache and no assets."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("KUBEBUILDER_ASSETS", raising=False)
    return tmp_path


@pytest.mark.usefixtures("cache")
def test_nothing_is_found_in_an_empty_cache() -> None:
    """Without a build and without assets there is nothing to run."""
    assert build.find(build.API_SERVER) is None


def test_envtest_assets_serve_the_api_server_only(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """KUBEBUILDER_ASSETS is honoured for what it holds; a node needs more than it has."""
    assets = fill(cache / "assets", *build.API_SERVER)
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(assets))
    found = build.find(build.API_SERVER)
    assert found == {name: assets / name for name in build.API_SERVER}
    assert build.find(build.NODE) is None


def test_programs_of_two_folders_never_mix(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where assets lack one program, all are taken from the cache."""
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(fill(cache / "assets", *build.API_SERVER)))
    built = fill(build.release_folder(), *build.NODE)
    assert build.find(build.NODE) == {name: built / name for name in build.NODE}


def test_the_folder_changes_with_what_is_built(cache: Path) -> None:
    """Another go.sum or another flag means another folder, the same ones the same."""
    sums = cache / "go.sum"
    sums.write_text("one")
    first = build.folder_for([sums])
    assert first == build.folder_for([sums])
    assert first != build.folder_for([sums], "-race")
    sums.write_text("two")
    assert first != build.folder_for([sums])


def test_a_missing_program_names_its_package() -> None:
    """Whoever lacks a program reads what to install."""
    with pytest.raises(build.MissingPartError, match="apt-get install some-package"):
        build.program("no-such-program", "some-package")


def test_without_go_the_builder_says_so(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without Go is told what is not built, not shown a traceback."""
    monkeypatch.setenv("PATH", str(cache))
    with pytest.raises(build.MissingPartError, match="kubectl is not built and there is no Go"):
        build.build_releases(["kubectl"])

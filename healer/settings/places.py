"""Which files healer uses, resolved from settings, environment and home."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from healer.model.whereabouts import CONTROL, LOCK, config_path, named_place, state_folder
from healer.settings.tree import Settings


@dataclass(frozen=True, slots=True)
class Places:
    """Every file and folder of healer's own, and the kubeconfig and talosconfig."""

    config: Path
    state: Path
    log: Path
    kubeconfig: Path
    talosconfig: Path
    colima_home: Path | None
    """None: wherever Colima itself finds it."""

    @property
    def journal(self) -> Path:
        """The SQLite journal."""
        return self.state / "journal.sqlite"

    @property
    def control(self) -> Path:
        """The daemon's control socket."""
        return self.state / CONTROL

    @property
    def lock(self) -> Path:
        """The writer's lock."""
        return self.state / LOCK


def places_of(settings: Settings, environment: Mapping[str, str], home: Path) -> Places:
    """Resolve them once."""
    kubeconfig = environment.get("KUBECONFIG", "").partition(":")[0]
    return Places(
        config=config_path(environment, home),
        state=state_folder(settings.files.state, environment, home),
        log=named_place(settings.files.log, home) or home / ".local" / "log" / "healer.log",
        kubeconfig=named_place(settings.tower.kubeconfig or kubeconfig, home)
        or home / ".kube" / "config",
        talosconfig=named_place(settings.tower.talosconfig or environment.get("TALOSCONFIG"), home)
        or home / ".talos" / "config",
        colima_home=named_place(settings.tower.colima_home, home),
    )

"""Which files healer uses, resolved from settings, environment and home."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from healer.settings.loading import config_path
from healer.settings.tree import Settings


@dataclass(frozen=True, slots=True)
class Places:
    """Every file and folder of healer's own, and the kubeconfig that it reads."""

    config: Path
    state: Path
    log: Path
    kubeconfig: Path
    colima_home: Path | None
    """None: wherever Colima itself finds it."""

    @property
    def journal(self) -> Path:
        """The SQLite journal."""
        return self.state / "journal.sqlite"

    @property
    def control(self) -> Path:
        """The daemon's control socket."""
        return self.state / "control.sock"

    @property
    def lock(self) -> Path:
        """The writer's lock."""
        return self.state / "lock"


def places_of(settings: Settings, environment: Mapping[str, str], home: Path) -> Places:
    """Resolve them once."""
    state = environment.get("XDG_STATE_HOME", "")
    kubeconfig = environment.get("KUBECONFIG", "").partition(":")[0]
    return Places(
        config=config_path(environment, home),
        state=_named(settings.files.state, home)
        or (Path(state) if state.startswith("/") else home / ".local" / "state") / "healer",
        log=_named(settings.files.log, home) or home / ".local" / "log" / "healer.log",
        kubeconfig=_named(settings.tower.kubeconfig or kubeconfig, home)
        or home / ".kube" / "config",
        colima_home=_named(settings.tower.colima_home, home),
    )


def _named(text: str | None, home: Path) -> Path | None:
    if not text:
        return None
    return home / text[2:] if text.startswith("~/") else Path(text)

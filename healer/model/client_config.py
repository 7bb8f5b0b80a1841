"""What the kubeconfig and the talosconfig say of whom they reach, without their secrets."""

from dataclasses import dataclass, field

from healer.core.word import Word


class Kind(Word):
    """Whose configuration a file is."""

    KUBECONFIG = "kubeconfig"
    TALOSCONFIG = "talosconfig"


@dataclass(frozen=True, slots=True)
class Spot:
    """A scalar, and where in the file's text it stands."""

    text: str
    start: int
    end: int
    line: int
    """From 1 on, as editors count."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One context: its name, and what it leads to."""

    name: str
    line: int
    cluster: str
    """The kubeconfig's cluster entry; a talosconfig's context is its own."""
    endpoints: tuple[Spot, ...] = ()
    nodes: tuple[str, ...] = ()
    """Of a talosconfig alone."""
    lacks: str = ""
    """What it names that is not there: `cluster joelclaw`; '' = nothing."""
    ca: bytes = field(default=b"", repr=False)
    certificate: bytes = field(default=b"", repr=False)
    """PEM; b"" where it lets in by other means."""


@dataclass(frozen=True, slots=True)
class Repeated:
    """A name that stands twice, where each may stand once."""

    what: str
    """clusters, users or contexts."""
    name: str
    lines: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ClientConfig:
    """One file, as far as healer may know it."""

    kind: Kind
    path: str
    current: Spot | None
    """None: it names no current context."""
    entries: tuple[Entry, ...]
    repeated: tuple[Repeated, ...] = ()

    def named(self, name: str) -> Entry | None:
        """The context of that name."""
        return next((one for one in self.entries if one.name == name), None)

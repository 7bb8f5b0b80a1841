"""Acts for tests of the journal."""

from healer.core.facts import Act
from healer.core.ladders import Remedy
from healer.core.reasons import Reason
from healer.core.tower import Layer


def an_act(number: int = 1, **changes: str) -> Act:
    """The start of the VM, with every field told apart."""
    return Act(
        id=f"run-{number}",
        remedy=Remedy.START_VM,
        layer=Layer.COLIMA,
        reason=Reason.COLIMA_STOPPED,
        evidence=changes.get("evidence", "status Stopped"),
        target=changes.get("target", "colima"),
        event="uid/reason/1",
        owner="joelclaw/Deployment/x",
        fingerprint="boot 7",
        incident="run-i1",
    )


def an_untaint(number: int = 1) -> Act:
    """An act on another layer."""
    return Act(
        id=f"run-u{number}",
        remedy=Remedy.UNTAINT,
        layer=Layer.NODE,
        reason=Reason.NODE_TAINTED,
        evidence="the taint is back",
    )

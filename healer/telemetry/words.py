"""How decisions and durations read, in one place for every face of healer."""

from healer.core.facts import (
    Act,
    Changed,
    Decision,
    Finished,
    GaveUp,
    Held,
    IncidentOpened,
    IncidentResolved,
    NotVerified,
    Outcome,
    Rearmed,
    Refused,
    Reported,
    Rule,
    State,
    Verified,
    VmBooted,
)
from healer.core.ladders import Remedy
from healer.telemetry.spelling import duration, short

WHAT_IT_DOES = {
    Remedy.START_VM: "start the VM (colima start)",
    Remedy.CYCLE_VM: "stop and start the VM",
    Remedy.FORCE_CYCLE_VM: "force-stop and start the VM",
    Remedy.CLEAN_STALE_FILES: "remove pid files and sockets left from before the boot",
    Remedy.REFORWARD: "make Lima's socket and port forwards anew",
    Remedy.TERM_MUX: "end Lima's wedged ssh master",
    Remedy.START_ENGINE: "start docker in the VM",
    Remedy.RESTART_ENGINE: "restart docker in the VM",
    Remedy.LOAD_MODULES: "load br_netfilter and vxlan in the VM, and persist them",
    Remedy.START_CONTAINER: "start the Talos container",
    Remedy.RESTART_CONTAINER: "restart the Talos container",
    Remedy.SET_RESTART_POLICY: "set the container's restart policy",
    Remedy.SET_MEMORY_LIMIT: "set the container's memory limit",
    Remedy.UNCORDON: "uncordon the node",
    Remedy.UNTAINT: "remove the control-plane taint",
    Remedy.DELETE_FLANNEL_POD: "delete the flannel pod",
    Remedy.DELETE_POD: "delete the pod",
    Remedy.FORCE_DELETE_POD: "force-delete the pod",
    Remedy.PATCH_LIVEKIT: "patch LiveKit's probes",
    Remedy.KICKSTART_JOB: "start the launchd job",
}
"""Every remedy as a person would say it."""


def doing(act: Act) -> str:
    """What an act does, and to what."""
    target = f" {act.target.partition('@')[0]}" if act.target else ""
    return WHAT_IT_DOES[act.remedy] + target


def sentence(decision: Decision, now: float, *, dry_run: bool = False) -> str:  # noqa: C901, PLR0911, PLR0912  (one return a kind of decision)
    """A decision as one line, without its time and layer; '' when it is not worth a line.

    `dry_run`: nothing is done, so an act is what would be done and no layer begins to heal.
    """
    match decision:
        case Act() if dry_run:
            return f"would {doing(decision)} (because: {short(decision.evidence)})"
        case Changed(now=State.HEALING) if dry_run:
            return ""
        case Act():
            return f"acting: {doing(decision)} (because: {short(decision.evidence)})"
        case Refused(rule=Rule.BLOCKED | Rule.BUSY_LAYER | Rule.BUSY_DISRUPTIVE):
            return ""
        case Refused(remedy=remedy, rule=rule, detail=detail, until=until):
            later = f", at the earliest in {duration(until - now)}" if until else ""
            return f"refused to {WHAT_IT_DOES[remedy]}: {rule} ({detail}{later})"
        case Changed(was=was, now=new, why=why):
            return f"{was} -> {new}" + (f": {short(why)}" if why else "")
        case IncidentOpened(reason=reason, evidence=evidence):
            return f"incident: {reason.word} ({short(evidence)})"
        case IncidentResolved(seconds=seconds):
            return f"incident resolved after {duration(seconds)}"
        case Verified(act=act, seconds=seconds):
            return f"verified: {act.remedy} helped, sure after {duration(seconds)}"
        case NotVerified(act=act, detail=detail):
            return f"{act.remedy} did not help: {detail}"
        case Held(detail=detail, until=until, target=target):
            return f"held{_of(target)} for {duration(until - now)}: {detail}"
        case GaveUp(detail=detail, advice=advice, target=target):
            return f"gave up{_of(target)}: {detail}. A human should: {advice}"
        case Rearmed(detail=detail):
            return f"may be acted on again: {detail}"
        case Reported(reason=reason, target=target, evidence=evidence, advice=advice):
            said = f"{reason.word}{_of(target)}: {short(evidence)}"
            return f"{said}. {advice}" if advice else said
        case VmBooted():
            return ""


def _of(target: str) -> str:
    return f" {target.partition('@')[0]}" if target else ""


def ending(finished: Finished, seconds: float) -> str:
    """How an act ended, as one line."""
    words = {
        Outcome.DONE: "done",
        Outcome.NOT_NEEDED: "not needed any more",
        Outcome.FAILED: "failed",
        Outcome.TIMED_OUT: "timed out",
        Outcome.INTERRUPTED: "interrupted",
    }
    how = words[finished.outcome]
    return f"{how} after {duration(seconds)}: {doing(finished.act)} ({short(finished.detail)})"

"""What ends a fault for good, and whether that is so now: advice that cures (design §4.6).

A remedy mends a fault each time it comes; the cure is a human's to apply, since it lies in files
that healer never edits: colima.yaml, Talos' machine config, versions of programs.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Final

from healer.core.ladders import LADDERS
from healer.core.observation import Finding
from healer.core.reasons import Reason
from healer.core.word import Word
from healer.model.cluster import CONTROL_PLANE_TAINT, Node, Readiness
from healer.model.container import Container
from healer.model.front import FrontSeen, WantedFront, WantedFunnel
from healer.model.front_findings import funnel_fault, is_down
from healer.model.machine import Forwarder, GuestFacts, Hostagent
from healer.model.talos_config import NODE, TalosConfig, command, either, no_taint
from healer.outside import cleaned

CURES: Final[Mapping[Reason, str]] = MappingProxyType(
    {
        Reason.COLIMA_STOPPED: "find who stops the VM: `last reboot`, memory pressure in "
        "INST/ha.stderr.log, or another program that runs `colima stop`",
        Reason.COLIMA_BROKEN: "macOS or somebody kills the VM's driver: give the VM less memory "
        "and set nestedVirtualization to false in colima.yaml",
        Reason.COLIMA_ZOMBIE: "give the VM less memory, set nestedVirtualization to false in "
        "colima.yaml, and update Colima and Lima",
        Reason.DOCKER_FORWARD_DEAD: "Lima makes this forward once, at the VM's start: find who "
        "ends its ssh master, and update Lima",
        Reason.SERVICE_FORWARD_DEAD: "update Lima; with portForwarder: grpc in colima.yaml "
        "published ports do not hang on its ssh master",
        Reason.BR_NETFILTER_MISSING: "load it at each boot, in colima.yaml under provision: "
        "{mode: system, script: modprobe -a br_netfilter vxlan}",
        Reason.TALOS_STOPPED: "docker update --restart unless-stopped the container, and read "
        "docker logs for why it ends",
        Reason.FLANNEL_CRASHING: "flannel crashes without br_netfilter: load it at each boot, in "
        "colima.yaml under provision",
        Reason.CADDY_DOWN: "let launchd keep it up: RunAtLoad and KeepAlive in its plist, with "
        "`caddy run` and not `caddy start` as its program",
        Reason.CADDY_CERTIFICATE: "let Caddy fetch certificates of ts.net names from tailscaled: "
        "tls { get_certificate tailscale } in the Caddyfile instead of files",
        Reason.JOB_NOT_RUNNING: "let launchd itself start it again: KeepAlive in its plist, and "
        "read its StandardErrorPath for why it ends",
    }
)
"""What ends a fault for good, where the ladder's own advice only mends it once more."""

_SOON: Final = 30.0
"""Days before its end in which a certificate is told."""


def cure_of(reason: Reason) -> str:
    """What a human should do so that it does not come back."""
    return CURES.get(reason) or LADDERS[reason].advice or "find out what brings it about"


class Applied(Word):
    """Whether a cure is in force."""

    YES = "applied"
    NO = "not applied"
    UNKNOWN = "cannot tell"


@dataclass(frozen=True, slots=True)
class Cure:
    """A fault that comes back, what ends it, and how that stands now."""

    fault: str
    applied: Applied
    why: str
    """What was seen, or why it could not be."""
    fix: str
    """What to do, with the exact command."""


@dataclass(frozen=True, slots=True)
class SetUp:
    """One question about how the cluster was set up, and what was found."""

    name: str
    findings: tuple[Finding, ...] = ()
    unseen: str = ""
    """Why it could not be asked; '' = it was."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What was seen of the tower; words say why a part could not be asked."""

    guest: GuestFacts | str
    container: Container | str
    readiness: Readiness | str
    node: Node | str
    machine: TalosConfig | str
    """Talos' machine config."""
    hostagent: Hostagent | str
    forwarder: Forwarder | str
    restart_policy: str
    """The one that the settings want; '' = any."""
    memory: int | None
    """Bytes that the settings want; None = none is asserted."""
    front: FrontSeen = field(default_factory=FrontSeen)
    """Caddy and the funnel."""
    wanted_front: WantedFront = field(default_factory=WantedFront)
    setup: tuple[SetUp, ...] = ()
    """How the cluster was set up, question by question."""


def cures(seen: Standing) -> tuple[Cure, ...]:
    """Every cure, lowest layer first."""
    found = (
        _disk_lock(seen.hostagent),
        _forwarder(seen.forwarder),
        _disk(seen.guest),
        _modules(seen.guest),
        _restart_policy(seen),
        _memory(seen),
        _kubeconfig(seen.readiness),
        _certificate(seen.readiness),
        _taint(seen.node, seen.machine),
        _caddy(seen.front),
        _funnel(seen.front, seen.wanted_front.funnel),
        *(_set_up(one) for one in seen.setup),
    )
    return tuple(replace(one, why=cleaned(one.why), fix=cleaned(one.fix)) for one in found)


def _set_up(one: SetUp) -> Cure:
    """What was lost since the cluster was made: each finding has its own command."""
    fault = f"set up otherwise than meant: {one.name}"
    if one.unseen:
        return Cure(fault, Applied.UNKNOWN, one.unseen, "healer doctor says what is not reached")
    if not one.findings:
        return Cure(fault, Applied.YES, "as it should be", "")
    why = "; ".join(finding.evidence for finding in one.findings)
    return Cure(fault, Applied.NO, why, "; ".join(finding.advice for finding in one.findings))


def _disk_lock(agent: Hostagent | str) -> Cure:
    fault = "the data disk stays locked after a crash"
    fix = "Lima 2.1.1 or newer clears a dead VM's lock: brew upgrade lima"
    if isinstance(agent, str):
        return Cure(fault, Applied.UNKNOWN, agent, fix)
    if agent.disk_locked_by:
        why = f"marked in use by {agent.disk_locked_by}; Lima's version was not asked"
        return Cure(fault, Applied.UNKNOWN, why, fix)
    return Cure(fault, Applied.UNKNOWN, "not locked now; Lima's version was not asked", fix)


def _forwarder(forwarder: Forwarder | str) -> Cure:
    fault, fix = "published ports die with Lima's ssh master", CURES[Reason.SERVICE_FORWARD_DEAD]
    if not isinstance(forwarder, Forwarder):
        return Cure(fault, Applied.UNKNOWN, forwarder, fix)
    applied = Applied.YES if forwarder is Forwarder.GRPC else Applied.NO
    return Cure(fault, applied, f"portForwarder: {forwarder}", fix)


def _disk(guest: GuestFacts | str) -> Cure:
    fault, fix = "the VM's disk fills up", LADDERS[Reason.VM_DISK].advice
    if isinstance(guest, str):
        return Cure(fault, Applied.UNKNOWN, guest, fix)
    if not guest.disks:
        return Cure(fault, Applied.UNKNOWN, "df said nothing in the VM", fix)
    is_free = not any(one.is_full for one in guest.disks)
    why = "; ".join(str(one) for one in guest.disks)
    return Cure(fault, Applied.YES if is_free else Applied.NO, why, fix)


def _modules(guest: GuestFacts | str) -> Cure:
    fault, fix = "br_netfilter is missing after a boot", CURES[Reason.BR_NETFILTER_MISSING]
    if isinstance(guest, str):
        return Cure(fault, Applied.UNKNOWN, guest, fix)
    if guest.persisted:
        return Cure(fault, Applied.YES, "named in /etc/modules-load.d/healer.conf", fix)
    return Cure(fault, Applied.NO, "/etc/modules-load.d/healer.conf does not name it", fix)


def _restart_policy(seen: Standing) -> Cure:
    fault, wanted = "the container stays down after a boot", seen.restart_policy
    if isinstance(seen.container, str):
        return Cure(fault, Applied.UNKNOWN, seen.container, _update(wanted, "the container"))
    is_so = not wanted or seen.container.restart_policy == wanted
    why = f"restart policy {seen.container.restart_policy or 'no'}"
    fix = _update(wanted or "unless-stopped", seen.container.name)
    return Cure(fault, Applied.YES if is_so else Applied.NO, why, fix)


def _update(policy: str, name: str) -> str:
    return f"docker update --restart {policy or 'unless-stopped'} {name}"


def _memory(seen: Standing) -> Cure:
    fault, wanted = "the container runs out of memory, or starves the VM", seen.memory
    if isinstance(seen.container, str):
        return Cure(fault, Applied.UNKNOWN, seen.container, "tower.memory in the settings")
    has = seen.container.memory
    why = f"{has >> 20} MiB" if has else "no limit"
    if wanted is None:
        return Cure(
            fault, Applied.UNKNOWN, f"{why}; none is wanted", "tower.memory in the settings"
        )
    fix = f"docker update --memory {wanted} --memory-swap {wanted} {seen.container.name}"
    return Cure(fault, Applied.YES if has == wanted else Applied.NO, why, fix)


def _kubeconfig(readiness: Readiness | str) -> Cure:
    fault, fix = "the kubeconfig names a port of the past", "healer kubeconfig repair"
    if isinstance(readiness, str):
        return Cure(fault, Applied.UNKNOWN, readiness, fix)
    named = readiness.kubeconfig_port
    is_so = named == readiness.port
    why = f"it names {named}; the API is at {readiness.port}"
    return Cure(fault, Applied.YES if is_so else Applied.NO, why, fix)


def _certificate(readiness: Readiness | str) -> Cure:
    fault, fix = "the client certificate ends", LADDERS[Reason.CERTIFICATE_EXPIRING].advice
    if isinstance(readiness, str):
        return Cure(fault, Applied.UNKNOWN, readiness, fix)
    days = readiness.certificate_days
    if days is None:
        return Cure(fault, Applied.UNKNOWN, "it could not be read", fix)
    return Cure(fault, Applied.YES if days > _SOON else Applied.NO, f"{days:.0f} days left", fix)


def _taint(node: Node | str, machine: TalosConfig | str) -> Cure:
    """Whether it comes back at the next start only Talos' machine config says."""
    fault = "Talos puts the control-plane taint back"
    old, new = no_taint(documents=False), no_taint(documents=True)
    if isinstance(machine, TalosConfig):
        fix = command(new if machine.of(NODE) else old)
        form = f"its {NODE}" if machine.of(NODE) else "its v1alpha1 document"
        if machine.wants_taint:
            return Cure(fault, Applied.NO, f"the machine config asks for it, by {form}", fix)
        return Cure(fault, Applied.YES, f"the machine config asks for none, by {form}", fix)
    fix = either(old, new, NODE)
    if isinstance(node, Node) and any(one.key == CONTROL_PLANE_TAINT for one in node.taints):
        return Cure(fault, Applied.NO, "it is there now", fix)
    return Cure(fault, Applied.UNKNOWN, f"the machine config was not read: {machine}", fix)


def _caddy(seen: FrontSeen) -> Cure:
    """Whether launchd would start it anew only its plist says."""
    fault, fix = "Caddy ends, and nothing starts it", CURES[Reason.CADDY_DOWN]
    if is_down(seen):
        return Cure(fault, Applied.NO, "it does not run now", fix)
    if seen.running is None:
        return Cure(fault, Applied.UNKNOWN, "not looked at", fix)
    return Cure(fault, Applied.UNKNOWN, "it runs now; its plist is launchd's to say", fix)


def _funnel(seen: FrontSeen, wanted: WantedFunnel) -> Cure:
    fault, fix = "the funnel ends with its terminal, or leads elsewhere", wanted.command
    if seen.funnels is None:
        why = seen.funnel_missing or seen.funnel_unseen or "not looked at"
        return Cure(fault, Applied.NO if seen.funnel_missing else Applied.UNKNOWN, why, fix)
    wrong = funnel_fault(tuple(one for one in seen.funnels if one.is_kept), wanted)
    why = wrong or f"{wanted.port} leads to {wanted.target}, in the background"
    return Cure(fault, Applied.NO if wrong else Applied.YES, why, fix)

"""How an observation becomes part of the world: troubles, signs, rivals, boots."""

from dataclasses import replace

from healer.core.facts import State
from healer.core.observation import Finding, Observation
from healer.core.policy import Policy
from healer.core.reasons import ORDER, Reason
from healer.core.tower import Layer
from healer.core.world import Foreign, SeenSign, Trouble, TroubleKey, View, World

_SAME_BOOT_WITHIN = 30.0
"""Two boot times closer than this are one boot: uptime is read over a slow line."""
_BOOTS_KEPT = 10


def after_hearing(world: World, heard: Observation, now: float, policy: Policy) -> World:
    """Take one observation into the world."""
    if heard.layer is Layer.HOST and not heard.others_unseen:
        world = _follow_foreign(world, heard, now, policy)
        heard = replace(heard, findings=(*heard.findings, *_lasting(world, now, policy)))
    views = {**world.views, heard.layer: _view(world, heard, now)}
    signs = _signs(world, heard, now) if heard.signs else world.signs
    world = replace(world, views=views, signs=signs)
    if heard.layer is Layer.SSH and heard.uptime is not None:
        world = _after_boot(world, now - heard.uptime, now, policy)
    return world


def _follow_foreign(world: World, heard: Observation, now: float, policy: Policy) -> World:
    """An operation that is no longer seen has ended; what it did comes up for a while yet."""
    known = {(one.operation.pid, one.operation.command): one.since for one in world.foreign}
    running = tuple(
        Foreign(one, now, known.pop((one.pid, one.command), now - one.age)) for one in heard.foreign
    )
    pids = {one.operation.pid for one in running}
    ended = [replace(one, at=now) for one in world.foreign if one.operation.pid not in pids]
    recent = [one for one in world.foreign_ended if now < one.at + policy.foreign_patience]
    return replace(world, foreign=running, foreign_ended=(*recent, *ended))


def _lasting(world: World, now: float, policy: Policy) -> tuple[Finding, ...]:
    """Operations that have run for too long to be a start or stop that goes well."""
    return tuple(
        Finding(
            Reason.OPERATION_LASTS,
            f"`{one.operation.command}` (pid {one.operation.pid}) has been running for "
            f"{(now - one.since) / 60.0:.0f} min; healer does nothing to {one.operation.layer} and "
            "what stands on it until it ends",
            target=str(one.operation.pid),
            fingerprint=one.operation.command,
            advice=f"find out what it waits for, or end it: kill {one.operation.pid}",
        )
        for one in world.foreign
        if now - one.since >= policy.foreign_patience
    )


def _view(world: World, heard: Observation, now: float) -> View:
    """Follow troubles from the look before; a look that saw nothing keeps what was known."""
    if heard.unknown and not heard.findings:
        return View(heard, now, {})
    before = world.views.get(heard.layer)
    old = {} if before is None else before.troubles
    since = _judged_since(world, heard.layer, now)
    findings = sorted(heard.findings, key=lambda one: ORDER[one.reason])
    return View(
        heard, now, dict(_followed(old.get(_key(one)), one, now, since) for one in findings)
    )


def _judged_since(world: World, layer: Layer, now: float) -> float:
    """When what the layer stands on was last found to stand."""
    if world.states.get(layer) is State.BLOCKED:
        return now
    return world.since.get(layer, now)


def _key(finding: Finding) -> TroubleKey:
    return (finding.reason, finding.target)


def _followed(
    old: Trouble | None, finding: Finding, now: float, judged_since: float
) -> tuple[TroubleKey, Trouble]:
    """A new fingerprint is a new trouble: its confirmation begins anew."""
    if old is None or old.finding.fingerprint != finding.fingerprint:
        return _key(finding), Trouble(finding, now, now, now, 1)
    return _key(finding), old.seen_again(finding, now, judged_since)


def _signs(world: World, heard: Observation, now: float) -> dict[str, SeenSign]:
    """The newest word of each sign; `since` moves only when it says something else."""
    signs = dict(world.signs)
    for sign in heard.signs:
        before = signs.get(sign.what)
        same = before is not None and before.sign.alive == sign.alive
        since = before.since if before is not None and same else now
        signs[sign.what] = SeenSign(sign, since, now)
    return signs


def _after_boot(world: World, booted: float, now: float, policy: Policy) -> World:
    """Remember when the VM booted, for the crash-loop detector (R18)."""
    boots = world.ledger.vm_boots
    if any(abs(booted - one) < _SAME_BOOT_WITHIN for one in boots):
        return world
    recent = tuple(one for one in boots if one > now - policy.crash_loop_window)
    boots = tuple(sorted((*recent, booted)))[-_BOOTS_KEPT:]
    return replace(world, ledger=replace(world.ledger, vm_boots=boots))

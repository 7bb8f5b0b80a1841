"""How notices read: a title for a small screen, then what, why, what was tried, what to do."""

from collections.abc import Sequence
from typing import Final

from healer.core.facts import Refused, State
from healer.core.incidents import stopped_by_human
from healer.core.ladders import LADDERS
from healer.core.ledger import Attempt, Hold, Incident
from healer.core.reasons import Reason
from healer.core.tower import Layer
from healer.core.world import Trouble
from healer.model.notice import Ended, Kind, Notice
from healer.notices.scene import Moment, Scene
from healer.telemetry.spelling import duration
from healer.telemetry.words import WHAT_IT_DOES, doing

_EVIDENCE: Final = 1000
"""Characters; the journal has all of them."""
_TRIED: Final = 8
"""Acts that one notice names."""


def opened(scene: Scene, incident: Incident, trouble: Trouble) -> Notice:
    """Something is ill, and was not healed at once."""
    what = spoken(trouble.finding.reason)
    human = stopped_by_human(scene.world, incident)
    if human is not None:
        return _stopped(scene, incident, trouble, human)
    open_for = duration(scene.at.now - incident.opened)
    lines = [
        f"{what}: ill for {open_for}, and not healed so far.",
        *_tried(scene, incident),
        *_holds(scene, incident),
        *_blocked(scene),
    ]
    return _about(Kind.OPENED, scene, incident, trouble, f"{what}: not healed", lines)


def _stopped(scene: Scene, incident: Incident, trouble: Trouble, human: Refused) -> Notice:
    """A human wanted it so for now; what will follow is announced."""
    what, until = spoken(trouble.finding.reason), human.until or scene.at.now
    later = duration(max(0.0, until - scene.at.now))
    lines = [
        f"Somebody stopped it. In {later} healer will {WHAT_IT_DOES[human.remedy]}.",
        f"To keep it stopped: healer pause --layer {human.layer}",
        *_blocked(scene),
    ]
    return _about(Kind.OPENED, scene, incident, trouble, f"{what} by somebody", lines)


def gave_up(scene: Scene, incident: Incident, trouble: Trouble, hold: Hold) -> Notice:
    """A human is needed."""
    what = spoken(trouble.finding.reason)
    lines = [
        f"{what}: healer gave up after {duration(scene.at.now - incident.opened)}: {hold.detail}.",
        *_tried(scene, incident),
        *_blocked(scene),
        f"To let healer try again: healer reset {hold.layer}",
    ]
    return _about(Kind.GAVE_UP, scene, incident, trouble, f"{what}: healer gave up", lines)


def resolved(scene: Scene, ended: Ended) -> Notice:
    """What was told is over: what was done, and how long it took."""
    told = ended.told
    mine = [one for one in scene.world.ledger.attempts if one.act.incident == told.incident]
    helped = ", ".join(dict.fromkeys(doing(one.act) for one in mine if one.verified))
    title = f"{spoken(told.reason)}: resolved after {duration(ended.seconds)}"
    what = f"What helped: {helped}." if helped else "Nothing that healer did was seen to help."
    return _notice(Kind.RESOLVED, told.incident, (told.layer, told.reason), title, [what], scene.at)


def impaired(name: str, part: str, why: str, advice: str, at: Moment) -> Notice:
    """healer cannot see, or cannot keep, something."""
    title = f"healer is impaired: {part}"
    layer = part if part in {one.value for one in Layer} else ""
    lines = [f"For a while now: {cut(why)}", f"A human should: {advice}"]
    return _notice(Kind.IMPAIRED, name, (layer, ""), title, lines, at, cut(why), advice)


def recurring(name: str, reason: Reason, count: int, cure: str, at: Moment) -> Notice:
    """It went away each time, and comes back."""
    title = f"{spoken(reason)}: {count} times within a day"
    lines = [f"It comes back again and again. What ends it for good: {cure}"]
    about = (reason.layer.value, reason.value)
    return _notice(Kind.RECURRING, name, about, title, lines, at, advice=cure)


def digest(name: str, title: str, lines: Sequence[str], at: Moment) -> Notice:
    """The day behind us."""
    return _notice(Kind.DIGEST, name, ("", ""), title, lines, at)


def trial(name: str, wall: float) -> Notice:
    """Somebody asked whether a channel works."""
    lines = ["healer can reach you here. Nothing is wrong."]
    at = Moment(0.0, 0.0, wall, "", 0)
    return _notice(Kind.TEST, f"test-{name}", ("", ""), "a test, nothing is wrong", lines, at)


def spoken(reason: str) -> str:
    """`colima.stopped` as `colima stopped`."""
    return reason.replace(".", " ").replace("_", " ")


def advice_of(trouble: Trouble) -> str:
    """What the finding says, else the table."""
    return trouble.finding.advice or LADDERS[trouble.finding.reason].advice


def cut(words: str) -> str:
    """Evidence can be long; a message should not be."""
    return words if len(words) <= _EVIDENCE else f"{words[:_EVIDENCE]} …"


def _about(
    kind: Kind, scene: Scene, incident: Incident, trouble: Trouble, title: str, lines: Sequence[str]
) -> Notice:
    finding, advice = trouble.finding, advice_of(trouble)
    evidence = cut(finding.evidence)
    first, *rest = lines
    body = [first, f"Seen: {evidence}", *rest]
    if advice:
        body.append(f"A human should: {advice}")
    about = (finding.reason.layer.value, finding.reason.value)
    return _notice(kind, incident.id, about, title, body, scene.at, evidence, advice)


def _notice(  # noqa: PLR0913, PLR0917  (a notice is as wide as this, and this is where one is made)
    kind: Kind,
    incident: str,
    about: tuple[str, str],
    title: str,
    lines: Sequence[str],
    at: Moment,
    evidence: str = "",
    advice: str = "",
) -> Notice:
    layer, reason = about
    text = "\n".join([title, *lines])
    return Notice(kind, incident, layer, reason, title, text, evidence, advice, at.wall)


def _tried(scene: Scene, incident: Incident) -> list[str]:
    mine = [
        one for one in scene.world.ledger.attempts if one.act.incident == incident.id and one.counts
    ]
    return [_attempt(one, scene.at.now) for one in mine[-_TRIED:]] or ["Tried: nothing."]


def _attempt(one: Attempt, now: float) -> str:
    how = {True: "it helped", False: "it did not help", None: "not proved yet"}[one.verified]
    how = "under way" if one.outcome is None else how
    return f"Tried {duration(max(0.0, now - one.at))} ago: {doing(one.act)}: {how}."


def _holds(scene: Scene, incident: Incident) -> list[str]:
    now = scene.at.now
    return [
        f"{one.layer}: no further try for {duration(one.until - now)}: {one.detail}."
        for one in scene.world.ledger.holds
        if one.layer in incident.layers and one.until is not None and one.until > now
    ]


def _blocked(scene: Scene) -> list[str]:
    down = [one for one in Layer if scene.world.states.get(one) is State.BLOCKED]
    return [f"Cannot be judged meanwhile: {', '.join(down)}."] if down else []

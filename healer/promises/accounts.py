"""I10 and I17: everything is written down beforehand, and can be decided again."""

from collections.abc import Iterator

from healer.core.facts import NotVerified, Remembered, Verified, WasReset
from healer.core.machine import step
from healer.promises.history import Broken, Deed, History, Violation


def intent_comes_first(history: History) -> Broken:
    """I10: no deed without an intent in the journal, and none again until the first is judged."""
    decided = {act.id: moment.at for moment in history.moments for act in moment.acts}
    for deed in history.deeds:
        at = decided.get(deed.act.id)
        if at is None or at > deed.began:
            yield Violation("I10", deed.began, f"{deed.act.remedy} was never decided")
        if not deed.journalled:
            yield Violation("I10", deed.began, f"{deed.act.remedy} without an intent")
    yield from _repeated(history)


def _repeated(history: History) -> Iterator[Violation]:
    """After a crash the unfinished act is verified before anything like it is begun."""
    judged = _judged(history)
    for number, later in enumerate(history.deeds):
        for earlier in history.deeds[:number]:
            if later.life > earlier.life and _alike(earlier, later):
                end = judged.get(earlier.act.id)
                if (end is None or end > later.began) and not _forgotten(history, earlier, later):
                    what = f"{later.act.remedy} again before the first was judged"
                    yield Violation("I10", later.began, what)


def _alike(earlier: Deed, later: Deed) -> bool:
    one, other = earlier.act, later.act
    same = (one.remedy, one.reason, one.target) == (other.remedy, other.reason, other.target)
    return same and earlier.outcome is None


def _judged(history: History) -> dict[str, float]:
    """When each act was said to have helped or not."""
    return {
        one.act.id: moment.at
        for moment in history.moments
        for one in moment.decisions
        if isinstance(one, Verified | NotVerified)
    }


def _forgotten(history: History, earlier: Deed, later: Deed) -> bool:
    """A human's reset makes a ladder begin anew."""
    return any(
        isinstance(moment.fact, WasReset | Remembered) and earlier.began <= moment.at <= later.began
        for moment in history.moments
    )


def can_be_decided_again(history: History) -> Broken:
    """I17: the same world, fact, time and policy give the same world and the same words."""
    before = None
    for moment in history.moments:
        again = step(moment.before, moment.fact, moment.at, moment.policy)
        if again.decisions != moment.decisions or again.world != moment.after:
            yield Violation("I17", moment.at, f"{type(moment.fact).__name__} decided otherwise")
        same_life = before is not None and before.life == moment.life
        if same_life and before is not None and before.after != moment.before:
            yield Violation("I17", moment.at, "the world changed between two facts")
        before = moment

"""All promises by their number (design §4), and who has broken one."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from healer.promises.accounts import can_be_decided_again, intent_comes_first
from healer.promises.evidence import (
    an_answering_port_vetoes,
    disruption_needs_witnesses,
    never_acts_above_a_failing_layer,
    never_acts_on_unknown,
)
from healer.promises.history import Broken, History, Violation
from healer.promises.limits import (
    limits_hold_for_ever,
    never_acts_while_paused,
    one_at_a_time,
    one_event_one_act,
)
from healer.promises.recovery import (
    gives_up_once_and_says_so,
    heals_what_it_can,
    success_is_proved,
)
from healer.promises.respect import (
    does_only_what_its_table_names,
    leaves_the_healthy_alone,
    time_alone_causes_nothing,
    what_a_human_set_stays,
)


@dataclass(frozen=True, slots=True)
class Promise:
    """A promise in words, and as a predicate."""

    words: str
    check: Callable[[History], Broken]


PROMISES: Final[Mapping[str, Promise]] = MappingProxyType(
    {
        "I1": Promise("never acts on what it does not know", never_acts_on_unknown),
        "I2": Promise("never acts above a failing layer", never_acts_above_a_failing_layer),
        "I3": Promise("never acts while paused", never_acts_while_paused),
        "I4": Promise("limits hold across restarts and clocks", limits_hold_for_ever),
        "I5": Promise("disruption needs two witnesses over 30 s", disruption_needs_witnesses),
        "I6": Promise("any answering port vetoes stopping the VM", an_answering_port_vetoes),
        "I7": Promise("one act a layer, one disruption in all", one_at_a_time),
        "I8": Promise("leaves what is healthy alone", leaves_the_healthy_alone),
        "I9": Promise("does only what its table names", does_only_what_its_table_names),
        "I10": Promise("intent before act, no blind repetition", intent_comes_first),
        "I11": Promise("one event causes at most one act", one_event_one_act),
        "I12": Promise("heals what it can within a bound", heals_what_it_can),
        "I13": Promise("gives up once, says so, stays quiet", gives_up_once_and_says_so),
        "I14": Promise("calls nothing healed before its window", success_is_proved),
        "I15": Promise("never undoes what a human set", what_a_human_set_stays),
        "I16": Promise("sleep, wake and clocks cause nothing", time_alone_causes_nothing),
        "I17": Promise("every decision can be decided again", can_be_decided_again),
    }
)


def broken(history: History, without: Collection[str] = ()) -> tuple[Violation, ...]:
    """Every violation of every promise, but those `without` which are not asked."""
    return tuple(
        one
        for name, promise in PROMISES.items()
        if name not in without
        for one in promise.check(history)
    )

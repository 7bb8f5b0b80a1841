"""Beginnings and steps become bytes and come back exactly, and only what changed takes room."""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from healer.core.facts import Decision, Observed, Ticked
from healer.core.ledger import Ledger
from healer.core.observation import Component, Observation, Sign
from healer.core.policy import Policy
from healer.core.tower import Layer
from healer.core.world import World
from healer.replay.codec import DECISION, FACT, CodecError, spelled
from healer.replay.packing import packed, unpacked
from healer.replay.policies import KnownPolicies, Policies
from healer.replay.records import Begun, Checkpoint, Taken
from healer.replay.tape import Place, read_beginning, read_steps, write_beginning, write_steps
from tests.unit.replay.values import FACTS, NUMBERS, any_of, looks_at

POLICY = Policy("life1")
OTHERS = (POLICY, replace(POLICY, one_pass=True), replace(POLICY, stable=1.0, act_before=7.5))
STEPS = st.lists(
    st.builds(
        Taken,
        fact=FACTS | looks_at((Layer.SSH, Layer.NODE)).map(Observed) | st.just(Ticked()),
        now=NUMBERS,
        policy=st.sampled_from(OTHERS),
        decisions=st.lists(any_of(Decision), max_size=2).map(tuple),
    ),
    max_size=6,
)


def exact(steps: list[Taken] | tuple[Taken, ...]) -> list[bytes]:
    """Steps by their bytes: equal values may be spelled differently."""
    return [
        spelled([FACT.plain(one.fact), one.now, [DECISION.plain(said) for said in one.decisions]])
        for one in steps
    ]


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps=STEPS, more=STEPS)
def test_any_steps_come_back_as_they_were(steps: list[Taken], more: list[Taken]) -> None:
    """Facts, times, policies and decisions, over two bundles of one segment."""
    policies = Policies()
    beginning = Checkpoint(World(), 3.25, POLICY)
    plain = write_beginning(beginning, policies)
    first, place = write_steps(Place.after(beginning), steps, policies)
    second, _ = write_steps(place, more, policies)

    known = KnownPolicies(dict(policies.bodies()))
    again = read_beginning(plain, known)
    found, place = read_steps(first, Place.after(again), known)
    later, _ = read_steps(second, place, known)

    assert beginning == again
    assert [*steps, *more] == [*found, *later]
    assert exact(steps + more) == exact(found + later)


@pytest.mark.parametrize("now", [0.0, 0.1 + 0.2, 7, -0.0, 1.8e299, float("inf"), 1e12, 0.123456789])
def test_any_time_comes_back_as_it_was(now: float) -> None:
    """Clocks count nanoseconds; what else a float can be is written as it is."""
    steps = [Taken(Ticked(), one, POLICY, ()) for one in (now, 1.5, now, now)]
    plain, _ = write_steps(Place(3.25, POLICY, {}), steps, Policies())
    again, _ = read_steps(plain, Place(3.25, POLICY, {}), KnownPolicies({}))

    assert [repr(one.now) for one in steps] == [repr(one.now) for one in again]


@pytest.mark.parametrize("alive", [frozenset[str](), frozenset({"b", "a"})])
def test_the_begin_of_a_life_comes_back(alive: frozenset[str]) -> None:
    """Ledger, time, policy and the acts that lived on."""
    policies, begun = Policies(), Begun(Ledger(vm_boots=(1.5,)), 12.0, POLICY, alive)
    plain = write_beginning(begun, policies)

    assert begun == read_beginning(plain, KnownPolicies(dict(policies.bodies())))


def test_a_look_that_says_the_same_takes_a_few_bytes() -> None:
    """Most looks of a day do; a new uptime is all that is written of another one."""
    sign = Sign("ssh lima-colima true", frozenset({Component.GUEST}), alive=True)
    looked = Observation(Layer.SSH, signs=(sign,), uptime=100.0, summary="up, 4 CPU")
    later = replace(looked, uptime=115.25)
    steps = [
        Taken(Observed(one), now, POLICY, ())
        for now, one in ((15.0, looked), (30.0, looked), (45.0, later))
    ]
    plain, _ = write_steps(Place(0.0, POLICY, {}), steps, Policies())

    assert plain.endswith(b',[15000000000,"ssh"],[15000000000,["ssh",{"uptime":115.25}]]]')


def test_a_policy_is_kept_once() -> None:
    """Runs and deadlines differ from run to run; the tables do not."""
    policies = Policies()
    for run in ("a", "b"):
        policies.terms(replace(POLICY, run=run, act_before=3.0, no_acts_because="no lock"))

    assert 1 == len(policies.bodies())


@pytest.mark.parametrize(
    ("plain", "why"),
    [
        (b'[2,["x"]]', "steps: it is of version 2, and this healer reads 1"),
        (b'{"a":1}', "steps: damaged: no version"),
        (b"[1,7]", "step 0: no step"),
        (b"[1,[0,null],[true,null,3]]", "step 1: no decisions"),
        (b'[1,["noon",null]]', "step 0: 'noon' is no time"),
        (b"[1,[1" + b"0" * 400 + b",null]]", "step 0: 1000.* is no time"),
        (b'[1,[0,"attic"]]', "step 0: 'attic' is none of"),
        (b"[1,[0,null,[],[1]]]", r"policy: no terms: \[1\]"),
        (b'[1,[0,null,[],["ff","r",false,"",null,0]]]', "policy: ff was not kept"),
    ],
)
def test_steps_that_cannot_be_read_name_the_place(plain: bytes, why: str) -> None:
    """Never a guess, and never another exception."""
    with pytest.raises(CodecError, match=why):
        read_steps(plain, Place(0.0, POLICY, {}), KnownPolicies({}))


@pytest.mark.parametrize("plain", [b'[1,"dream",3]', b'[1,"world",0.0]', b"[]"])
def test_a_beginning_that_cannot_be_read_is_told(plain: bytes) -> None:
    """Neither a begin nor a checkpoint."""
    with pytest.raises(CodecError, match="beginning: "):
        read_beginning(plain, KnownPolicies({}))


def test_no_spoilt_byte_goes_unseen() -> None:
    """Packed bytes have a checksum: what is changed or cut off is damage, whatever it says."""
    plain, dictionary = b"the steps of a night, the steps of a day" * 9, b"the steps of a day"
    body = packed(plain, dictionary)
    spoilt = [body[:at] + bytes([body[at] ^ 1]) + body[at + 1 :] for at in range(len(body))]
    cut = [body[:at] for at in range(len(body))]

    assert plain == unpacked(body, "here", dictionary)
    for one in (*spoilt, *cut):
        with pytest.raises(CodecError, match="here: damaged"):
            unpacked(one, "here", dictionary)


def test_the_wrong_dictionary_is_damage() -> None:
    """Steps of another segment cannot be read by mistake."""
    with pytest.raises(CodecError, match="damaged"):
        unpacked(packed(b"abc" * 20, b"abcabc"), "here", b"another beginning")

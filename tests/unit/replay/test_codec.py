"""Worlds, ledgers, facts, decisions and policies become bytes and come back exactly."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from healer.core.facts import (
    Act,
    Changed,
    Decision,
    Fact,
    Finished,
    Outcome,
    Refused,
    Rule,
    State,
    Ticked,
)
from healer.core.ladders import Remedy
from healer.core.ledger import Incident, Ledger
from healer.core.observation import Finding, Observation
from healer.core.policy import Policy
from healer.core.reasons import Reason
from healer.core.tower import Layer
from healer.core.world import View, World
from healer.replay.codec import (
    DECISION,
    FACT,
    LEDGER,
    OBSERVATION,
    POLICY,
    WORLD,
    Codec,
    CodecError,
)
from tests.unit.replay.values import any_of

CODECS: dict[str, tuple[Codec[Any], Any]] = {
    "world": (WORLD, World),
    "ledger": (LEDGER, Ledger),
    "observation": (OBSERVATION, Observation),
    "policy": (POLICY, Policy),
    "fact": (FACT, Fact),
    "decision": (DECISION, Decision),
}
ACT = Act("r-1", Remedy.UNTAINT, Layer.NODE, Reason.NODE_TAINTED, "it has it", incident="r-i1")


@pytest.mark.parametrize("name", CODECS)
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_any_value_comes_back_as_it_was(name: str, data: st.DataObject) -> None:
    """The value is equal, and the bytes of what came back are the same: 0 is not 0.0."""
    codec, kind = CODECS[name]
    value = data.draw(any_of(kind))
    packed = codec.pack(value)
    again = codec.unpack(packed)

    assert value == again
    assert packed == codec.pack(again)
    assert repr(value).count("-0.0") == repr(again).count("-0.0")


def test_the_order_of_a_mapping_is_kept() -> None:
    """`step` walks over views in their order, so two orders are two worlds."""
    views = {layer: View(Observation(layer), 1.0) for layer in (Layer.TALOS, Layer.HOST)}
    world = World(views=views)
    turned = World(views=dict(reversed(views.items())))

    assert [Layer.TALOS, Layer.HOST] == list(WORLD.unpack(WORLD.pack(world)).views)
    assert WORLD.pack(world) != WORLD.pack(turned)


def test_a_set_has_one_spelling() -> None:
    """Whatever order a set happens to have in this process."""
    layers = [Layer.TALOS, Layer.HOST, Layer.NODE]
    one, other = (
        Ledger(incidents=(Incident("i", 1.0, frozenset(some)),)) for some in (layers, layers[::-1])
    )

    assert LEDGER.pack(one) == LEDGER.pack(other)
    assert b'["host","node","talos"]' in LEDGER.pack(one)


def test_the_bytes_of_this_version() -> None:
    """What was written once must be read for a month: other bytes need another version."""
    finding = Finding(Reason.NODE_TAINTED, "tainted", ripe_in=1.5)
    looked = Observation(Layer.NODE, (finding,), uptime=5.0)
    refused = Refused(Layer.NODE, Remedy.UNTAINT, Reason.NODE_TAINTED, "", Rule.GRACE, "so soon")

    assert b'[1,"Fact",["Ticked",{}]]' == FACT.pack(Ticked())
    assert (
        b'[1,"Fact",["Finished",{"act":{"id":"r-1","remedy":"untaint","layer":"node",'
        b'"reason":"node.tainted","evidence":"it has it","incident":"r-i1"},'
        b'"outcome":"done","detail":""}]]' == FACT.pack(Finished(ACT, Outcome.DONE, ""))
    )
    assert (
        b'[1,"Observation",{"layer":"node","findings":[{"reason":"node.tainted",'
        b'"evidence":"tainted","ripe_in":1.5}],"uptime":5.0,"targets":0}]'
        == OBSERVATION.pack(looked)
    )
    assert (
        b'[1,"Decision",["Refused",{"layer":"node","remedy":"untaint","reason":"node.tainted",'
        b'"target":"","rule":"grace","detail":"so soon"}]]' == DECISION.pack(refused)
    )
    assert (
        b'[1,"Decision",["Changed",{"layer":"node","was":"ok","now":"failing","why":"x"}]]'
        == DECISION.pack(Changed(Layer.NODE, State.OK, State.FAILING, "x"))
    )
    assert (
        b'[1,"World",{"ledger":{},"grace_until":0.0,"last_progress":0.0,"serial":0}]'
        == WORLD.pack(World())
    )


@pytest.mark.parametrize(
    ("packed", "why"),
    [
        (b'[2,"Fact",["Ticked",{}]]', "Fact: it is of version 2; known is 1"),
        (b'[1,"World",{}]', "Fact: these are not its bytes"),
        (b'[1,"Fact",["Ticked",{}]', "Fact: damaged: Expecting"),
        (b"\xff\xfe", "Fact: damaged"),
        (b'[1,"Fact",["Grew",{}]]', "is none of Observed, Finished, Ticked"),
        (b'[1,"Fact",["Ticked",{"size":3}]]', "Fact.Ticked: no Ticked"),
        (b'[1,"Fact",["Woke",{}]]', "Fact.Woke: a Woke without grace"),
        (b'[1,"Fact",["Woke",{"grace":"60"}]]', "Fact.Woke.grace: '60' is no float"),
        (b'[1,"Fact",["Woke",{"grace":true}]]', "Fact.Woke.grace: True is no float"),
        (
            b'[1,"Fact",["Observed",{"observation":{"layer":"attic"}}]]',
            "Fact.Observed.observation.layer: 'attic' is no Layer",
        ),
        (
            b'[1,"Fact",["Observed",{"observation":{"layer":"node","findings":[{}]}}]]',
            r"observation.findings\[0\]: a Finding without reason",
        ),
        (
            b'[1,"Fact",["Observed",{"observation":{"layer":"node","signs":3}}]]',
            "observation.signs: no list: 3",
        ),
        (b"[" * 100_000, "Fact: damaged"),
    ],
)
def test_what_cannot_be_read_names_the_place(packed: bytes, why: str) -> None:
    """Bytes of another version, of another kind, or damaged, are an error that says where."""
    with pytest.raises(CodecError, match=why):
        FACT.unpack(packed)

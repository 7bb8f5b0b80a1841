"""The look at what stands in front of the ports: rare, bounded, and in nobody's way."""

from dataclasses import dataclass, field, replace

import pytest

from healer.core.observation import Finding, Observation
from healer.core.reasons import Reason
from healer.core.tower import Layer
from healer.model.front import (
    DEFAULT_URLS,
    FrontSeen,
    WantedCaddy,
    WantedFront,
    WantedFunnel,
    Watch,
)
from healer.model.funnel import Funnelled
from healer.model.published import DEFAULT_PUBLISHED
from healer.ports import CannotLook, NotThere, PortError, TargetIll, TargetSilent
from healer.probes import front
from healer.probes.front import AGAIN, EVERY, FrontLook, FrontParts, look_in_front
from tests.fakes.clock import FakeClock
from tests.fakes.front import GOOD, ON, FakeFront
from tests.fakes.host import FakeHost, process
from tests.fakes_cluster import FakePorts

CADDY = "/opt/homebrew/bin/caddy run --config /Users/joel/.local/caddy/Caddyfile"
WANTED = WantedFront(WantedCaddy(urls=DEFAULT_URLS))
SERVICES = Observation(Layer.SERVICES, summary="8 of 8 ports answer")
ILL = replace(SERVICES, findings=(Finding(Reason.SERVICE_SILENT, "8108: silent", "8108"),))
WRONG = replace(GOOD, wrong="HTTP 404")
REFUSED = TargetIll("url", "Connection refused")
OFF = (Funnelled(443, "http://127.0.0.1:3111", is_public=False),)


@dataclass
class Stage:
    """A Mac with Caddy and Tailscale."""

    wanted: WantedFront = WANTED
    eyes: FakeFront = field(default_factory=FakeFront)
    host: FakeHost = field(default_factory=FakeHost)
    ports: FakePorts = field(default_factory=lambda: FakePorts(p8288="well", p3111="well"))
    clock: FakeClock = field(default_factory=FakeClock)

    def __post_init__(self) -> None:
        """Both are there."""
        self.host.tools |= {"caddy", "tailscale"}
        self.host.table = [process(9347, CADDY)]
        self.daily = FrontLook(self.parts, self.wanted, self.clock)

    @property
    def parts(self) -> FrontParts:
        """Everything that is looked through."""
        return FrontParts(self.eyes, self.host, self.ports, DEFAULT_PUBLISHED)

    async def seen(self) -> FrontSeen:
        """One look."""
        return await look_in_front(self.parts, self.wanted)

    async def reasons(self) -> list[Reason]:
        """What a first look finds."""
        told = await FrontLook(self.parts, self.wanted, self.clock).beside(SERVICES)
        return [one.reason for one in told.findings]


def watching(caddy: Watch, funnel: Watch) -> WantedFront:
    """Both watched like that."""
    return WantedFront(replace(WANTED.caddy, watch=caddy), WantedFunnel(funnel))


async def test_all_well_is_a_few_words() -> None:
    """Beside what was seen of the ports."""
    told = await Stage().daily.beside(SERVICES)

    assert () == told.findings
    expected = "8 of 8 ports answer, 5 of 5 URLs of Caddy's answer; funnel 443 on"
    assert expected == told.summary


async def test_each_fault_is_found() -> None:
    """All three at once, and a layer that is well all the same."""
    stage = Stage()
    untrusted = replace(GOOD, untrusted="certificate has expired")
    stage.eyes = FakeFront({9443: WRONG, 3443: untrusted}, OFF)
    expected = [Reason.CADDY_URL_WRONG, Reason.CADDY_CERTIFICATE, Reason.FUNNEL_WRONG]
    assert expected == await stage.reasons()

    told = await FrontLook(stage.parts, WANTED, stage.clock).beside(SERVICES)
    assert told.well
    assert "4 of 5 URLs of Caddy's answer; funnel 443 not as wanted" in told.summary


async def test_a_caddy_that_is_gone_is_down() -> None:
    """Its tool is there, its process is not, and every URL refuses."""
    stage = Stage()
    stage.host.table = [process(1, "/usr/bin/vim caddy run"), process(2, "caddy version")]
    stage.eyes.urls = {one.listens: REFUSED for one in DEFAULT_URLS}
    assert [Reason.CADDY_DOWN] == await stage.reasons()


async def test_a_dead_backend_is_asked_itself_and_exonerates_caddy() -> None:
    """Only what answers wrongly costs that question."""
    stage = Stage()
    stage.eyes.urls = {9443: replace(GOOD, wrong="HTTP 502"), 3443: WRONG}
    stage.ports.answers[8288] = REFUSED
    seen = await stage.seen()

    assert frozenset({8288}) == seen.backends
    assert {8288, 3111} == set(stage.ports.asked)
    assert [Reason.CADDY_URL_WRONG] == await stage.reasons()


async def test_silence_is_evidence_and_ignorance_is_not() -> None:
    """One was asked in vain, the other could not be asked."""
    stage = Stage()
    stage.eyes.urls = {9443: TargetSilent("url", "no answer within 1.5 s")}
    assert [Reason.CADDY_URL_WRONG] == await stage.reasons()
    stage.eyes.urls = {9443: CannotLook("/ca.pem", "No such file or directory")}
    assert [] == await stage.reasons()
    assert ("/ca.pem: No such file or directory",) == (await stage.seen()).unseen


async def test_without_authorities_nothing_is_accused() -> None:
    """It is said that it could not be judged."""
    stage = Stage()
    stage.eyes.urls = {9443: replace(GOOD, unjudged="no authority is known here")}
    assert [] == await stage.reasons()
    assert ("no authority is known here",) == (await stage.seen()).unseen


@pytest.mark.parametrize("words", [CannotLook("tailscale", "exit 1"), NotThere("tailscale", "no")])
async def test_a_funnel_that_cannot_be_looked_at_is_no_finding(words: PortError) -> None:
    """Nor does it make a layer unknown."""
    stage = Stage()
    stage.eyes.funnels = words
    told = await FrontLook(stage.parts, WANTED, stage.clock).beside(SERVICES)
    assert ((), True) == (told.findings, told.well)


async def test_a_mac_without_either_is_left_alone() -> None:
    """No tool, no process: not one URL is asked."""
    stage = Stage()
    stage.host.tools -= {"caddy", "tailscale"}
    stage.host.table = []
    stage.eyes.funnels = NotThere("tailscale", "is not on PATH")

    assert FrontSeen() == await stage.seen()
    assert ["funnel"] == stage.eyes.asked


async def test_a_caddy_that_runs_is_found_without_its_tool() -> None:
    """It may lie anywhere."""
    stage = Stage()
    stage.host.tools.discard("caddy")
    assert len(DEFAULT_URLS) == len((await stage.seen()).answers)


async def test_what_must_be_there_is_missed() -> None:
    """`always` turns an absence into a finding."""
    stage = Stage(watching(Watch.ALWAYS, Watch.ALWAYS))
    stage.host.tools -= {"caddy", "tailscale"}
    stage.host.table = []
    stage.eyes = FakeFront(
        {one.listens: REFUSED for one in DEFAULT_URLS}, NotThere("tailscale", "is not on PATH")
    )
    assert [Reason.CADDY_DOWN, Reason.FUNNEL_WRONG] == await stage.reasons()


async def test_what_must_not_be_looked_at_is_not() -> None:
    """`never` asks nobody."""
    stage = Stage(watching(Watch.NEVER, Watch.NEVER))
    assert FrontSeen() == await stage.seen()
    assert [] == stage.eyes.asked


async def test_without_a_process_list_urls_are_asked_all_the_same() -> None:
    """And nothing is said of the process."""
    stage = Stage()
    stage.host.faults["processes"] = CannotLook("process table", "not found")
    seen = await stage.seen()

    assert (None, len(DEFAULT_URLS)) == (seen.running, len(seen.answers))
    assert ("whether Caddy runs is not known: process table: not found",) == seen.unseen


@pytest.mark.parametrize(("hung", "other"), [("url", "funnels"), ("funnel", "answers")])
async def test_what_hangs_is_not_waited_for(
    hung: str, other: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What has come back by then is kept, and nothing is accused of the rest."""
    monkeypatch.setattr(front, "SECONDS", 0.05)
    stage = Stage()
    stage.eyes.hung = {hung}
    seen = await stage.seen()

    assert getattr(seen, other)
    assert ("not all was heard within 0.05 s",) == seen.unseen
    assert [] == await stage.reasons()


async def test_a_daemon_looks_every_ten_minutes() -> None:
    """And says meanwhile what it knows."""
    stage = Stage()
    for _ in range(3):
        told = await stage.daily.beside(SERVICES)
        assert "funnel 443 on" in told.summary
        stage.clock.advance(EVERY / 2)
    assert 2 == stage.eyes.asked.count("funnel")


async def test_what_is_new_is_looked_at_once_more_and_then_rarely() -> None:
    """A Caddy that is being reloaded is gone a minute later; what stays is told till it is not."""
    stage = Stage()
    stage.eyes.funnels = OFF
    for rest in (AGAIN, EVERY, 0.0):
        told = await stage.daily.beside(SERVICES)
        assert [Reason.FUNNEL_WRONG] == [one.reason for one in told.findings]
        stage.clock.advance(rest)
    assert 3 == stage.eyes.asked.count("funnel")
    stage.clock.advance(EVERY)
    stage.eyes.funnels = ON
    assert () == (await stage.daily.beside(SERVICES)).findings


async def test_what_passes_is_taken_back_after_a_minute() -> None:
    """Before the table believes it."""
    stage = Stage()
    stage.eyes.urls = {9443: WRONG}
    assert 1 == len((await stage.daily.beside(SERVICES)).findings)
    stage.eyes.urls.clear()
    stage.clock.advance(AGAIN)
    assert () == (await stage.daily.beside(SERVICES)).findings


async def test_an_ill_layer_is_told_before_anybody_is_asked() -> None:
    """And nothing that is known is taken back for it."""
    stage = Stage()
    assert ILL.findings == (await stage.daily.beside(ILL)).findings
    assert [] == stage.eyes.asked

    stage.eyes.funnels = OFF
    await stage.daily.beside(SERVICES)
    told = await stage.daily.beside(ILL)
    assert [Reason.SERVICE_SILENT, Reason.FUNNEL_WRONG] == [one.reason for one in told.findings]


async def test_an_unknown_layer_stays_as_it_was_seen() -> None:
    """What could not be looked at gets no words of ours."""
    stage = Stage()
    unknown = replace(SERVICES, unknown="the API did not answer")
    assert unknown == await stage.daily.beside(unknown)
    assert [] == stage.eyes.asked

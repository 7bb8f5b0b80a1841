"""The look at how the cluster was set up, and the questions of each layer."""

from dataclasses import replace

import anyio
import pytest

from healer.core.observation import Finding, Observation
from healer.core.reasons import Reason
from healer.core.tower import Layer
from healer.model.container import Container, PortBinding
from healer.model.published import PublishedService
from healer.model.setup import Address, Addressing, Place, RedisSettings
from healer.ports import CannotLook, Denied, TargetIll, TargetSilent
from healer.probes import setup as looking
from healer.probes.resync import Resync
from healer.probes.setup import NOTHING, Check, SetupLook
from healer.probes.setup_checks import SetupChecks, Wanted
from tests.fakes.clock import FakeClock
from tests.fakes.engine import UP
from tests.fakes.setup import FakeSetup
from tests.fakes.talos import NEW, OLD, FakeTalos

FINDING = Finding(Reason.METRICS_ABSENT, "absent")
WELL = Observation(Layer.APISERVER, summary="answers")
REDIS = PublishedService("redis", 6379, "redis", expect="PONG")
WEB = PublishedService("pds", 9627, "http", "/", "", 3000)
LIVEKIT = PublishedService("livekit", 7880, "http", "/", "", host_network=True)
WORKER = PublishedService("worker", 3111, "http", "/", where="host")
WANTED = Wanted(
    namespaces=("joelclaw", "default"),
    worker=("mac:3111",),
    privileged=("joelclaw",),
    storage_class="local-path",
    metrics_server=True,
    redis_policy="noeviction",
    redis_appendonly=True,
    services=(REDIS, WEB, LIVEKIT, WORKER),
)
BOX = replace(
    UP,
    started_ago=3600.0,
    ports=(
        PortBinding(6379, "0.0.0.0", 6379),
        PortBinding(50_000, "0.0.0.0", 50_001),
        PortBinding(7880, "0.0.0.0", 7880),
    ),
)


class Asked:
    """A question with the given answers, one after the other."""

    def __init__(self, *answers: tuple[Finding, ...] | Exception) -> None:
        self.answers = list(answers)
        self.times = 0

    async def __call__(self) -> tuple[Finding, ...]:
        """The next answer."""
        self.times += 1
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def look(clock: FakeClock, *asked: Asked) -> SetupLook:
    """One that asks these, every ten minutes."""
    return SetupLook([Check(f"q{n}", one) for n, one in enumerate(asked)], Resync(clock, 600.0))


async def test_what_is_found_stands_beside_what_was_seen() -> None:
    """The layer is as well as it was, and nothing else of it changes."""
    seen = await look(FakeClock(), Asked((FINDING,))).added_to(WELL)

    assert replace(WELL, findings=(FINDING,)) == seen
    assert seen.well


async def test_it_is_asked_every_ten_minutes_and_stands_in_between() -> None:
    """A look of the layer in between costs nothing."""
    clock, asked = FakeClock(), Asked((FINDING,), ())
    one = look(clock, asked)
    for expected in (1, 1):
        assert (FINDING,) == (await one.added_to(WELL)).findings
        assert expected == asked.times
    clock.advance(600.0)
    assert () == (await one.added_to(WELL)).findings
    assert 2 == asked.times


@pytest.mark.parametrize(
    "error",
    [TargetIll("api", "500"), TargetSilent("api", "hung"), Denied("api", "403"),
     CannotLook("api", "no")],
)  # fmt: skip
async def test_what_cannot_be_looked_at_is_named_and_no_more(error: Exception) -> None:
    """The layer is no less known for it, and what was known before still stands."""
    clock = FakeClock()
    one = look(clock, Asked((FINDING,), error), Asked((), ()))
    await one.added_to(WELL)
    clock.advance(600.0)
    seen = await one.added_to(WELL)

    assert ("", (FINDING,)) == (seen.unknown, seen.findings)
    assert "answers; not looked at: q0" == seen.summary


async def test_a_question_that_hangs_holds_nobody_up_for_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The others' answers count, and it is not asked again at once."""
    monkeypatch.setattr(looking, "PATIENCE", 0.05)
    times: list[str] = []

    async def hang() -> tuple[Finding, ...]:
        times.append("asked")
        await anyio.sleep_forever()
        raise AssertionError

    checks = (Check("hung", hang), Check("well", Asked((FINDING,))))
    one = SetupLook(checks, Resync(FakeClock(), 600.0))
    with anyio.fail_after(5.0):
        seen = await one.added_to(WELL)
        await one.added_to(WELL)

    assert ("answers; not looked at: hung", (FINDING,)) == (seen.summary, seen.findings)
    assert ["asked"] == times


@pytest.mark.parametrize(
    "seen",
    [
        Observation(Layer.APISERVER, unknown="no kubeconfig"),
        Observation(Layer.APISERVER, (Finding(Reason.API_UNREACHABLE, "refused"),)),
    ],
)
async def test_a_layer_that_is_not_well_is_asked_nothing_more(seen: Observation) -> None:
    """It has other worries, and is not held up."""
    asked = Asked((FINDING,))

    assert seen == await look(FakeClock(), asked).added_to(seen)
    assert 0 == asked.times


async def test_what_was_found_stands_while_the_layer_is_ill() -> None:
    """It is not gone because nobody looks."""
    one = look(FakeClock(), Asked((FINDING,)))
    await one.added_to(WELL)
    ill = Observation(Layer.APISERVER, (Finding(Reason.API_UNREACHABLE, "refused"),))

    assert (*ill.findings, FINDING) == (await one.added_to(ill)).findings


async def test_a_bug_of_ours_is_not_taken_for_a_failed_look() -> None:
    """Only the port's own errors are."""
    with pytest.raises(ExceptionGroup):
        await look(FakeClock(), Asked(ValueError("bug"))).added_to(WELL)


async def test_without_questions_nothing_changes() -> None:
    """Not even the object."""
    assert WELL is await NOTHING.added_to(WELL)


# The questions.


def checks(
    eyes: FakeSetup,
    box: Container | None = BOX,
    wanted: Wanted = WANTED,
    talos: FakeTalos | None = None,
) -> SetupChecks:
    """Over these eyes."""
    return SetupChecks(eyes, wanted, lambda: box, talos or FakeTalos())


async def answers(*asked: Check) -> list[Reason]:
    """What all of them find."""
    return [finding.reason for one in asked for finding in await one.ask()]


async def test_a_good_set_up_is_asked_in_full_and_finds_nothing() -> None:
    """Every question of the eyes is put to them once."""
    eyes = FakeSetup()
    one = checks(eyes)
    asked = (*one.of_talos(), *one.of_apiserver(), *one.of_pods(), *one.of_services())

    assert [] == await answers(*asked)
    assert [
        "talos 50001",
        "metrics",
        "node_ports",
        "addressing joelclaw",
        "addressing default",
        "pod_security joelclaw",
        "storage_classes",
        "provisioner",
        "redis 6379",
    ] == eyes.calls


async def test_what_the_settings_do_not_want_is_not_asked() -> None:
    """No metrics-server, no StorageClass, no namespace, no Redis."""
    eyes = FakeSetup()
    one = checks(eyes, wanted=Wanted(namespaces=()))

    assert [] == await answers(*one.of_apiserver(), *one.of_pods(), *one.of_services())
    assert ["node_ports"] == eyes.calls


async def test_each_layer_tells_its_own() -> None:
    """By the reasons of that layer."""
    eyes = FakeSetup()
    eyes.served, eyes.range, eyes.enforced, eyes.classes = None, "30000-32767", "", ()
    eyes.made, eyes.kept = None, RedisSettings("no", "", "noeviction", 0)
    one = checks(eyes)

    assert [Reason.METRICS_ABSENT, Reason.NODE_PORT_RANGE] == await answers(*one.of_apiserver())
    expected = [Reason.POD_SECURITY, Reason.STORAGE_CLASS, Reason.PROVISIONER]
    assert expected == await answers(*one.of_pods())
    assert [Reason.REDIS_SETTINGS] == await answers(*one.of_services())


async def test_an_address_that_is_no_workers_is_asked_for_as_a_service() -> None:
    """Once, and only then; a Service that exists is right."""
    place = Place("joelclaw", "StatefulSet", "inngest", "inngest")
    said = (Address(place, "INNGEST_SERVE_HOST", "system-bus-worker", 3111),)
    eyes = FakeSetup()
    eyes.said = (Addressing((), said),)
    wanted = Wanted(worker=("mac:3111",), namespaces=("joelclaw",))

    assert [Reason.WORKER_ADDRESS] == await answers(*checks(eyes, wanted=wanted).of_pods())
    assert ["addressing joelclaw", "has_service joelclaw/system-bus-worker"] == eyes.calls
    eyes.services = frozenset({("joelclaw", "system-bus-worker")})
    assert [] == await answers(*checks(eyes, wanted=wanted).of_pods())


@pytest.mark.parametrize(
    ("talos", "words", "not_words"),
    [
        (FakeTalos(OLD), '"cluster":{"apiServer"', "KubeAPIServerConfig"),
        (FakeTalos(NEW), '"kind":"KubeAPIServerConfig"', '"cluster"'),
    ],
)
async def test_the_form_of_the_machine_config_decides_the_patch_of_the_range(
    talos: FakeTalos, words: str, not_words: str
) -> None:
    """Talos 1.14 rejects the old key beside its own document; nobody is asked without need."""
    eyes = FakeSetup()
    eyes.range = "30000-32767"
    (check,) = [one for one in checks(eyes, talos=talos).of_apiserver() if "Ports" in one.name]
    (found,) = await check.ask()

    assert words in found.advice
    assert not_words not in found.advice


async def test_a_machine_config_that_cannot_be_read_leaves_both_patches() -> None:
    """And a range that fits asks nobody."""
    eyes, talos = FakeSetup(), FakeTalos()
    talos.faults["machine_config"] = CannotLook("talosctl", "not found")
    (check,) = [one for one in checks(eyes, talos=talos).of_apiserver() if "Ports" in one.name]
    assert ((), []) == (await check.ask(), talos.calls)
    eyes.range = "30000-32767"
    (found,) = await check.ask()

    assert "KubeAPIServerConfig" in found.advice
    assert '"cluster":{"apiServer"' in found.advice


async def test_only_published_node_ports_must_fit_the_range() -> None:
    """9627 is not published, 7880 needs no NodePort, and 3111 is the Mac's."""
    eyes = FakeSetup()
    eyes.range = "30000-32767"
    (found,) = [one for check in checks(eyes).of_apiserver() for one in await check.ask()]

    assert found.evidence.endswith("which leaves out 6379")


async def test_before_docker_was_asked_nothing_is_concluded() -> None:
    """What is published is not known then."""
    one = checks(FakeSetup(), box=None)
    for check in (*one.of_talos(), one.of_apiserver()[1], *one.of_services()):
        with pytest.raises(CannotLook):
            await check.ask()


@pytest.mark.parametrize(
    "box", [replace(BOX, ports=()), replace(BOX, started_ago=10.0), replace(BOX, started_ago=None)]
)
async def test_a_talos_that_is_not_published_or_just_begun_is_not_asked(box: Container) -> None:
    """There is nothing to be ill yet."""
    eyes = FakeSetup()

    assert [] == await answers(*checks(eyes, box).of_talos())
    assert [] == eyes.calls


async def test_a_talos_that_refuses_is_asked_twice() -> None:
    """One lost connection is no news."""
    eyes = FakeSetup()
    eyes.faults["talos 50001"] = TargetIll("TLS", "refused")

    assert [Reason.TALOS_API_SILENT] == await answers(*checks(eyes).of_talos())
    assert ["talos 50001"] * 2 == eyes.calls


async def test_a_silent_talos_counts_at_the_second_look() -> None:
    """At the first it may be the Mac that is slow; an answer in between begins anew."""
    eyes = FakeSetup()
    one = checks(eyes)
    silence = TargetSilent("TLS", "no handshake within 2.5 s")
    for fault in (silence, None, silence):
        eyes.faults = {} if fault is None else {"talos 50001": fault}
        if fault is None:
            assert [] == await answers(*one.of_talos())
            continue
        with pytest.raises(TargetSilent):
            await answers(*one.of_talos())

    assert [Reason.TALOS_API_SILENT] == await answers(*one.of_talos())


async def test_a_redis_that_wants_a_password_is_not_looked_at() -> None:
    """Nothing is said of what it does not tell."""
    eyes = FakeSetup()
    eyes.faults["redis 6379"] = Denied("redis", "NOAUTH")
    one = SetupLook(checks(eyes).of_services(), Resync())
    seen = await one.added_to(WELL)

    assert ((), True) == (seen.findings, "settings of Redis on 6379" in seen.summary)

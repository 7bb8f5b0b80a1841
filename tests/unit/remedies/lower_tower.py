"""The lower half of a tower on fakes, driven by the real core, probes and remedies."""

from pathlib import Path

from healer.core.facts import Act, Decision, Fact, Finished, Observed, Outcome, Refused, Rule
from healer.core.ladders import Remedy
from healer.core.ledger import Ledger
from healer.core.machine import begin, step
from healer.core.observation import Observation
from healer.core.policy import Policy
from healer.core.tower import Layer
from healer.engine.quiet import Snapshot
from healer.engine.watching import Probe
from healer.model.machine import Mux, MuxState
from healer.model.verdicts import WantedContainer
from healer.ports import PortError, Remedial, TargetIll
from healer.probes.ages import Ages
from healer.probes.colima import ColimaProbe
from healer.probes.docker import DockerProbe
from healer.probes.guest import GuestLook
from healer.probes.host import HostProbe
from healer.probes.kernel import KernelProbe
from healer.probes.ssh import SshProbe
from healer.probes.talos import TalosProbe
from healer.remedies.colima import (
    AnsweringPort,
    CleanStaleFiles,
    CycleVm,
    ForceCycleVm,
    Life,
    Others,
    StartVm,
)
from healer.remedies.docker import Forwards, Reforward, RestartEngine, TermMux
from healer.remedies.kernel import LoadModules
from healer.remedies.talos import (
    RestartContainer,
    SetMemoryLimit,
    SetRestartPolicy,
    StartContainer,
)
from tests.fakes.api import FakeApi
from tests.fakes.clock import FakeClock
from tests.fakes.engine import FakeEngine
from tests.fakes.forward import SILENT, FakeForward
from tests.fakes.guest import FakeGuest
from tests.fakes.host import OURS, FakeHost, foreign
from tests.fakes.published import FakePublished
from tests.fakes.vm import FakeVm

PORTS = frozenset({6443, 6379, 7880})


class LowerTower:
    """Host to Talos; a VM that was started comes up with everything alive in it."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.host, self.vm, self.guest, self.api = FakeHost(), FakeVm(), FakeGuest(), FakeApi()
        self.engine = FakeEngine()
        self.forward = FakeForward(self.engine)
        self.forward.ports = set(PORTS)
        self.look = GuestLook(self.guest, self.clock)
        self.done: list[Act] = []
        self.refused: set[Rule] = set()
        self._policy = Policy("run", one_pass=True)
        self._world = begin(Ledger(), self.clock.now(), self._policy)
        self._probes = self._make_probes()
        self._remedies = {one.remedy: one for one in self._make_remedies()}

    def die(self) -> None:
        """Nobody in the VM answers any more."""
        self.guest.die()
        self.engine.faults.update(ping=SILENT, container=SILENT)
        self.api.fail(TargetIll("API 6443", "Connection refused"))

    async def live(self, seconds: float) -> None:
        """Look every two seconds, act as the core says, until so much time has gone by."""
        end = self.clock.now() + seconds
        while self.clock.now() < end:
            for probe in self._probes:
                await self._take(Observed(await probe.look()))
            # Ports that were not asked forbid every disruption (I6); here nothing is published.
            await self._take(Observed(Observation(Layer.SERVICES, unknown="nothing published")))
            self.clock.advance(2.0)

    async def _take(self, fact: Fact) -> None:
        taken = step(self._world, fact, self.clock.now(), self._policy)
        self._world = taken.world
        for decision in taken.decisions:
            await self._follow(decision)

    async def _follow(self, decision: Decision) -> None:
        if isinstance(decision, Refused):
            self.refused.add(decision.rule)
        if isinstance(decision, Act):
            outcome, detail = await self._perform(decision)
            self.look.forget()
            await self._take(Finished(decision, outcome, detail))

    async def _perform(self, act: Act) -> tuple[Outcome, str]:
        remedy = self._remedies[act.remedy]
        try:
            why_not = await remedy.needed(act)
            if why_not:
                return Outcome.NOT_NEEDED, why_not
            self.done.append(act)
            said = await remedy.act(act)
        except PortError as error:
            return Outcome.FAILED, str(error)
        self._come_up(act)
        return Outcome.DONE, said

    def _come_up(self, act: Act) -> None:
        """What a start of the VM, or of the engine in it, brings back."""
        if act.remedy is Remedy.RESTART_ENGINE:
            self.engine.faults.clear()
            self.api.faults.clear()
        if "start" in self.vm.acts[-1:]:
            for part in (self.guest, self.engine, self.api):
                part.faults.clear()
            self.forward.master, self.forward.ports = Mux(MuxState.LIVE, 1), set(PORTS)

    def _make_probes(self) -> tuple[Probe, ...]:
        ages = Ages(self.clock, Snapshot(Ledger()))
        return (
            HostProbe(self.host, Path("/Users/joel"), foreign),
            ColimaProbe(self.vm, self.look, self.engine, self.host, ages),
            SshProbe(self.look, self.host, self.vm, OURS),
            DockerProbe(self.engine, self.look, self.forward),
            KernelProbe(self.look),
            TalosProbe(self.engine, self.api, self.look, self.vm, ages),
        )

    def _make_remedies(self) -> tuple[Remedial, ...]:
        others = Others(self.host, foreign)
        published = FakePublished(self.forward)
        life = Life(self.vm, self.guest, self.engine, self.api, AnsweringPort(published, ()))
        forwards = Forwards(self.engine, self.vm, published, self.forward)
        wanted = WantedContainer()
        return (
            StartVm(self.vm, self.vm, others),
            CycleVm(self.vm, self.vm, others, life, self.clock),
            ForceCycleVm(self.vm, self.vm, others, life, self.clock),
            CleanStaleFiles(self.vm, self.vm),
            Reforward(forwards, self.guest),
            TermMux(self.forward, self.forward, forwards, self.guest),
            RestartEngine(forwards, self.guest, self.guest),
            LoadModules(self.guest, self.guest),
            StartContainer(self.engine, self.engine),
            RestartContainer(self.engine, self.api, self.engine),
            SetRestartPolicy(self.engine, self.engine, wanted),
            SetMemoryLimit(self.engine, self.engine, wanted),
        )

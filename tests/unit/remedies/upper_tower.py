"""The upper half of a tower on a fake cluster, driven by the real core, probes and remedies."""

from healer.core.facts import Act, Decision, Fact, Finished, Observed, Outcome, Reported, Rule
from healer.core.facts import Refused as RefusedBy
from healer.core.ladders import Remedy
from healer.core.ledger import Ledger
from healer.core.machine import begin, step
from healer.core.observation import Observation
from healer.core.policy import Policy
from healer.core.tower import Layer
from healer.model.cluster import ServicePort
from healer.model.published import PublishedService
from healer.ports import PortError, Remedial
from healer.probes.apiserver import ApiserverProbe
from healer.probes.flannel import FlannelProbe
from healer.probes.kernel import always
from healer.probes.livekit import LivekitProbe
from healer.probes.node import NodeProbe
from healer.probes.pods import PodsProbe
from healer.probes.services import ServiceEyes, ServicesProbe
from healer.remedies.flannel import DeleteFlannelPod
from healer.remedies.livekit import PatchLivekit
from healer.remedies.node import Uncordon, Untaint
from healer.remedies.pods import DeletePod, ForceDeletePod
from tests.cluster_objects import NOW, flannel_pod, running
from tests.fakes.engine import FakeEngine
from tests.fakes.guest import FakeGuest
from tests.fakes.vm import FakeVm
from tests.fakes_cluster import FakeCluster, FakePorts
from tests.unit.remedies.upper import Probe

LOWER = (Layer.HOST, Layer.COLIMA, Layer.SSH, Layer.DOCKER, Layer.KERNEL, Layer.TALOS)
STARTED = 1000.0
REDIS = PublishedService("redis", 6379, "redis", expect="PONG")


class UpperTower:
    """API server to services over layers that are well; the server's clock is the tower's."""

    def __init__(self) -> None:
        self.cluster = FakeCluster(flannel_pod(running("kube-flannel")))
        self.cluster.service_ports = [ServicePort("joelclaw", "redis", 6379, 6379, "6379", 1, 1)]
        self.guest, self.ports = FakeGuest(), FakePorts(p6379="PONG", p7880="OK")
        self.now = STARTED
        self.done: list[tuple[float, Act]] = []
        self.told: list[Reported] = []
        self.refused: set[Rule] = set()
        self._policy = Policy("run", one_pass=True)
        self._world = begin(Ledger(), self.now, self._policy)
        self._probes = self._make_probes()
        self._remedies = {one.remedy: one for one in self._make_remedies()}

    @property
    def acts(self) -> list[Remedy]:
        """What was done, in order."""
        return [act.remedy for _, act in self.done]

    async def live(self, seconds: float) -> None:
        """Look every two seconds and act as the core says, until so much time has gone by."""
        end = self.now + seconds
        while self.now < end:
            self.cluster.now = NOW + self.now - STARTED
            for layer in LOWER:
                await self._take(Observed(Observation(layer, uptime=36_000.0)))
            for probe in self._probes:
                await self._take(Observed(await probe.look()))
            self.now += 2.0

    async def _take(self, fact: Fact) -> None:
        taken = step(self._world, fact, self.now, self._policy)
        self._world = taken.world
        for decision in taken.decisions:
            await self._follow(decision)

    async def _follow(self, decision: Decision) -> None:
        if isinstance(decision, RefusedBy):
            self.refused.add(decision.rule)
        if isinstance(decision, Reported):
            self.told.append(decision)
        if isinstance(decision, Act):
            outcome, detail = await self._perform(decision)
            await self._take(Finished(decision, outcome, detail))

    async def _perform(self, act: Act) -> tuple[Outcome, str]:
        remedy = self._remedies[act.remedy]
        try:
            why_not = await remedy.needed(act)
            if why_not:
                return Outcome.NOT_NEEDED, why_not
            self.done.append((self.now, act))
            return Outcome.DONE, await remedy.act(act)
        except PortError as error:
            return Outcome.FAILED, str(error)

    def _make_probes(self) -> tuple[Probe, ...]:
        vm = FakeVm()
        eyes = ServiceEyes(self.ports, self.cluster, FakeEngine(), vm, self._open_in_vm)
        return (
            ApiserverProbe(self.cluster, vm),
            NodeProbe(self.cluster),
            FlannelProbe(self.cluster),
            PodsProbe(self.cluster),
            LivekitProbe(self.cluster, self.ports),
            ServicesProbe(eyes, (REDIS,)),
        )

    async def _open_in_vm(self) -> frozenset[int]:
        return frozenset({6379})

    def _make_remedies(self) -> tuple[Remedial, ...]:
        cluster = self.cluster
        return (
            Uncordon(cluster, cluster),
            Untaint(cluster, cluster),
            DeleteFlannelPod(cluster, self.guest, cluster, always),
            DeletePod(cluster, cluster),
            ForceDeletePod(cluster, cluster),
            PatchLivekit(cluster, cluster),
        )

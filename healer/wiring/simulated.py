"""The outside of a drill: a simulated tower on virtual time."""

from healer.ports import Children
from healer.probes.door import EngineDoor
from healer.simulation.cluster_eyes import SimulatedCluster
from healer.simulation.cluster_hands import SimulatedClusterHands
from healer.simulation.credentials import SimulatedCredentials
from healer.simulation.engine_ports import SimulatedEngine, SimulatedEngineHands
from healer.simulation.forward_ports import SimulatedForward, SimulatedForwardHands
from healer.simulation.front_ports import SimulatedFront
from healer.simulation.guest_ports import SimulatedGuest, SimulatedGuestHands
from healer.simulation.job_ports import SimulatedJobHands, SimulatedJobs
from healer.simulation.mac_ports import OUR_PROCESSES, SimulatedClock, SimulatedHost
from healer.simulation.news import news_of
from healer.simulation.physics import Tower
from healer.simulation.published_ports import SimulatedPath, SimulatedPublished
from healer.simulation.setup_eyes import SimulatedSetup, SimulatedTalos
from healer.simulation.vm_ports import SimulatedVm, SimulatedVmHands
from healer.wiring.parts import Outside


def simulated_outside(tower: Tower, children: Children | None = None) -> Outside:
    """A tower on virtual time.

    With `children` a start or stop of the VM shows in the process list while it runs, and its
    pid is told, so that a later life of healer recognises it.
    """

    async def close() -> None:
        """Nothing was opened."""

    clock = SimulatedClock(tower)
    door = EngineDoor(SimulatedGuest(tower), clock)
    engine, cluster = SimulatedEngine(tower, door), SimulatedCluster(tower)
    return Outside(
        clock=clock,
        host=SimulatedHost(tower),
        ours=OUR_PROCESSES,
        vm=SimulatedVm(tower),
        vm_hands=SimulatedVmHands(tower, children),
        guest=door,
        door=door,
        guest_hands=SimulatedGuestHands(tower),
        forward=SimulatedForward(tower, door),
        forward_hands=SimulatedForwardHands(tower),
        engine=engine,
        engine_hands=SimulatedEngineHands(tower, door),
        cluster=cluster,
        cluster_hands=SimulatedClusterHands(tower),
        published=SimulatedPublished(tower),
        path=SimulatedPath(tower, engine, cluster),
        credentials=SimulatedCredentials(tower),
        front=SimulatedFront(tower),
        setup=SimulatedSetup(tower),
        talos=SimulatedTalos(tower),
        jobs=SimulatedJobs(tower),
        job_hands=SimulatedJobHands(tower),
        close=close,
        news=news_of(tower, door),
    )

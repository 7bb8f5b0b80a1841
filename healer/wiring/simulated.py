"""The outside of a drill: a simulated tower on virtual time."""

from healer.simulation import eyes, hands
from healer.simulation.physics import Tower
from healer.wiring.parts import Outside


def simulated_outside(tower: Tower) -> Outside:
    """A tower on virtual time."""

    async def close() -> None:
        """Nothing was opened."""

    return Outside(
        clock=eyes.SimulatedClock(tower),
        host=eyes.SimulatedHost(tower),
        vm=eyes.SimulatedVm(tower),
        vm_hands=hands.SimulatedVmHands(tower),
        guest=eyes.SimulatedGuest(tower),
        guest_hands=hands.SimulatedGuestHands(tower),
        forward=eyes.SimulatedForward(tower),
        forward_hands=hands.SimulatedForwardHands(tower),
        engine=eyes.SimulatedEngine(tower),
        engine_hands=hands.SimulatedEngineHands(tower),
        cluster=eyes.SimulatedCluster(tower),
        cluster_hands=hands.SimulatedClusterHands(tower),
        published=eyes.SimulatedPublished(tower),
        close=close,
    )

"""Kubelet, scheduler and controllers: how pods get lost, start, end and are made anew."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from healer.simulation.clockwork import Clockwork
from healer.simulation.flannel import BACKOFF, Flannel
from healer.simulation.life import Life
from healer.simulation.node import NodeState
from healer.simulation.workloads import LIVEKIT, REDIS, Workload, owners_workloads

SANDBOX_EVERY = 11.0
"""kubelet tries a failed sandbox again."""
EVENTS_AT_ONCE = 25
EVENTS_LATER = 300.0
"""What it may tell is thinned to one event in 300 s after a burst of 25 (client-go)."""
EVENTS_KEPT = 3600.0
"""The API keeps events for an hour (talos-kubernetes.md §5)."""
READY_AFTER = 4.0
GONE_AFTER = 2.0
"""A dead container's ordinary delete ends in seconds (§4)."""
KILLED_BY_LIVENESS_AFTER = 30.0
STARVES_AFTER = 35.0
"""Seconds without Redis that fail LiveKit's liveness (livekit/livekit#4663, §6)."""
OVERDUE_AFTER = 120.0


@dataclass(slots=True)
class SandboxEvent:
    """A FailedCreatePodSandBox event, as the API keeps it."""

    pod: Workload
    uid: str
    name: str
    last_seen: float
    count: int = 1


class Kubelet:
    """All pods but flannel's. It mends most by itself, once flannel works (§3)."""

    def __init__(self, clock: Clockwork, life: Life, node: NodeState, flannel: Flannel) -> None:
        self.clock = clock
        self.life = life
        self.node = node
        self.flannel = flannel
        self.workloads = owners_workloads()
        self.failures: dict[str, SandboxEvent] = {}
        self.shutting_down = False

    def named(self, name: str) -> Workload:
        """One of them. Raises KeyError."""
        for one in self.workloads:
            if one.name == name:
                return one
        raise KeyError(name)

    def shut_out(self, workload: Workload) -> bool:
        """Whether the scheduler finds no node for its pod."""
        if workload.scheduled:
            return False
        return workload.shut_out(tainted=self.node.tainted, cordoned=self.node.cordoned)

    # The node's life.

    def halt(self) -> None:
        """Every container is gone; what the API shows stays as it is."""
        for one in self.workloads:
            one.shown = one.view(shut_out=self.shut_out(one))
            one.attempt += 1
            one.lose_container()
            one.holds_on = False  # a new kubelet ends what it finds half ended (§4)

    def resume(self) -> None:
        """A kubelet lives again: it says what it found, and goes on from there."""
        self.shutting_down = False
        for one in self.workloads:
            was_running = one.shown is not None and one.shown.state == "running"
            one.shown = None
            if not one.desired or one.failed:
                continue
            if one.kind == "Node":
                self._run(one)
            elif was_running:
                one.found_lost(self.clock.at)
            self._finish_deletion(one)

    def start_all(self) -> None:
        """The node is Ready: pods are started, and made anew where a shutdown failed them."""
        for one in self.workloads:
            if not one.desired or one.up:
                continue
            if one.failed:
                one.new_pod(self.clock.at)
            self.try_later(one, 1.0)

    def shut_down(self) -> None:
        """Graceful shutdown fails pods for good; new ones are rejected (§1, Stuck states)."""
        self.shutting_down = True
        for one in self.workloads:
            if one.desired and one.kind != "Node":
                one.lose_container()
                one.attempt += 1
                one.failed, one.ready_since = True, self.clock.at

    # Starting pods.

    def try_later(self, workload: Workload, seconds: float) -> None:
        """Plan another attempt in place of what was planned before."""
        workload.attempt += 1
        self.life.after(seconds, partial(self._attempt, workload, workload.attempt))

    def reschedule(self) -> None:
        """The node's taints or cordon have changed: the scheduler looks at once."""
        for one in self.workloads:
            if one.desired and not one.up and not one.scheduled:
                self.try_later(one, 1.0)

    def _attempt(self, workload: Workload, attempt: int) -> None:
        """Make a pod's sandbox, which needs flannel's subnet.env (§3, §5)."""
        if workload.attempt != attempt or workload.up or not workload.desired:
            return
        if workload.stuck or self.shutting_down or self.shut_out(workload):
            return
        workload.scheduled = True
        if workload.image_bad or workload.mount_hangs:
            return
        if not (self.flannel.subnet_env or workload.host_network):
            self._sandbox_failed(workload)
            self.try_later(workload, SANDBOX_EVERY)
            return
        self._run(workload)

    def _sandbox_failed(self, workload: Workload) -> None:
        known = self.failures.get(workload.pod_uid)
        at = self.clock.at
        if known is None:
            event = SandboxEvent(workload, workload.pod_uid, workload.pod_name, at)
            self.failures[workload.pod_uid] = event
        elif known.count < EVENTS_AT_ONCE or at - known.last_seen >= EVENTS_LATER:
            known.count += 1
            known.last_seen = at

    def recent_failures(self) -> list[SandboxEvent]:
        """Those that the API still keeps."""
        since = self.clock.at - EVENTS_KEPT
        for uid in [uid for uid, one in self.failures.items() if one.last_seen < since]:
            del self.failures[uid]
        return list(self.failures.values())

    def _run(self, workload: Workload) -> None:
        workload.up, workload.scheduled, workload.started_at = True, True, self.clock.at
        workload.lost_at = workload.crashed_at = None
        workload.attempt += 1
        later = partial(self._in_run, workload, workload.attempt)
        if workload.kind == "Node":
            self._ready(workload)
        elif workload.crashes_after is not None:
            self.life.after(workload.crashes_after, lambda: later(self._crash))
        else:
            self.life.after(READY_AFTER, lambda: later(self._ready))

    def _in_run(self, workload: Workload, attempt: int, happen: Callable[[Workload], None]) -> None:
        if workload.up and workload.attempt == attempt:
            happen(workload)

    def _ready(self, workload: Workload) -> None:
        """A pod is Ready when its probe can pass at all (LiveKit's trap: §6)."""
        if workload.probes_drifted:
            self._liveness_kill_later(workload)
            return
        if workload.name == LIVEKIT and not self.named(REDIS).ready:
            return
        workload.become(ready=True, at=self.clock.at)
        self.clock.tell(f"{workload.name} is Ready")
        if workload.name == REDIS:
            self.life.after(READY_AFTER, self._feed_livekit)

    def _liveness_kill_later(self, workload: Workload) -> None:
        """Probes of the pod's address are refused, so kubelet kills a healthy LiveKit (§6)."""
        attempt = workload.attempt

        def kill() -> None:
            if workload.attempt == attempt and workload.up and workload.probes_drifted:
                workload.restarts += 1
                self._run(workload)

        self.life.after(KILLED_BY_LIVENESS_AFTER, kill)

    def _feed_livekit(self) -> None:
        livekit, redis = self.named(LIVEKIT), self.named(REDIS)
        if redis.ready and livekit.up and not livekit.ready and not livekit.probes_drifted:
            livekit.become(ready=True, at=self.clock.at)
            self.clock.tell(f"{LIVEKIT} is Ready")

    def _starve_livekit(self) -> None:
        livekit, redis = self.named(LIVEKIT), self.named(REDIS)
        if not redis.ready and livekit.ready:
            livekit.become(ready=False, at=self.clock.at)
            self.clock.tell(f"{LIVEKIT} is not Ready for want of Redis")

    # Ending pods.

    def end_container(self, workload: Workload) -> None:
        """Its process is gone; LiveKit lives on Redis for a while without it (§6)."""
        workload.up = False
        workload.become(ready=False, at=self.clock.at)
        if workload.name == REDIS:
            self.life.after(STARVES_AFTER, self._starve_livekit)

    def _crash(self, workload: Workload) -> None:
        """It ends with an error, and is started again after a back-off."""
        self.end_container(workload)
        workload.crashed_at = self.clock.at
        wait = BACKOFF[min(workload.restarts, len(BACKOFF) - 1)]
        workload.restarts += 1
        self.try_later(workload, wait)

    def replace(self, workload: Workload) -> None:
        """A controller makes a new pod, which must be scheduled anew."""
        self.end_container(workload)
        workload.new_pod(self.clock.at)
        self.try_later(workload, 1.0)

    def delete(self, workload: Workload, grace: float) -> str:
        """A DELETE; a second one can only shorten the grace (§4). What harm it did, or ''."""
        harm = _harm_of_delete(workload, grace)
        if grace:
            self._delete_politely(workload, grace)
        else:
            self._gone(workload, workload.serial)
        return harm

    def _delete_politely(self, workload: Workload, grace: float) -> None:
        due = self.clock.at + grace
        if workload.deletion_due is None or due < workload.deletion_due:
            workload.deletion_due = due
        self.life.after(grace + OVERDUE_AFTER, partial(self._overdue, workload, workload.serial))
        self._finish_deletion(workload)

    def _finish_deletion(self, workload: Workload) -> None:
        """A kubelet that lives ends it within seconds, unless it hangs on."""
        if workload.deletion_due is None or workload.holds_on or workload.shown is not None:
            return
        self.life.after(GONE_AFTER, partial(self._gone, workload, workload.serial))

    def _gone(self, workload: Workload, serial: int) -> None:
        if workload.serial != serial:
            return
        if workload.recreated:
            self.replace(workload)
        else:
            self.end_container(workload)
            workload.desired = 0

    def _overdue(self, workload: Workload, serial: int) -> None:
        if workload.serial == serial and workload.deletion_due is not None:
            workload.overdue = True

    def scale(self, workload: Workload, replicas: int) -> None:
        """Somebody wants so many."""
        workload.desired = replicas
        workload.generation += 1
        if replicas:
            workload.new_pod(self.clock.at)
            self.try_later(workload, 1.0)
        else:
            self.end_container(workload)


def _harm_of_delete(workload: Workload, grace: float) -> str:
    if not workload.recreated:
        return f"{workload.name} was deleted, and nothing makes it anew"
    if workload.kind == "Node":
        return f"{workload.name} mirrors a static pod, and was deleted"
    if workload.ready:
        return f"{workload.name} was Ready, and was deleted"
    if workload.kind == "StatefulSet" and not grace:
        return f"{workload.name} of a StatefulSet was deleted by force"
    return ""

"""What a pod's own log or its events name as its illness, asked once for each time it ends."""

from collections.abc import Sequence
from typing import Final

import anyio

from healer.core.reasons import Reason
from healer.model.cluster import Pod
from healer.model.named_illness import (
    corrupt_line,
    corrupt_report,
    hanging,
    looping_redis,
    mount_report,
    waits_for_mount,
)
from healer.model.pod_parts import restarts
from healer.model.pod_reports import Report
from healer.model.workload import workload_of
from healer.ports import PortError, SetupEyes
from healer.probes.asking import ask

PATIENCE: Final = 2.0
"""Seconds for one log or one list of events; the sign itself is told without it."""


class NamedIllness:
    """Tells one illness in place of the signs that follow from it.

    What was named once stays so while that pod is ill: a log that cannot be read for a moment
    must not make the same illness be told by another name.
    """

    def __init__(self, eyes: SetupEyes) -> None:
        self._eyes = eyes
        self._named: dict[str, Report] = {}
        self._asked: dict[str, int] = {}
        self._causes: dict[str, tuple[str, str]] = {}

    async def instead_of(self, pod: Pod, told: Report) -> Report:
        """The same report, or the one that names the illness."""
        known = self._named.get(pod.uid)
        if known is not None and told.reason in {Reason.POD_CRASH_LOOP, Reason.POD_PENDING}:
            return known
        found = await self._ask(pod, told)
        if found is None:
            return told
        self._named[pod.uid] = found
        return found

    def cause_of(self, workload: str) -> str:
        """What a Service's pod, by `namespace/name`, named as its illness; '' = nothing."""
        return self._causes.get(workload, ("", ""))[1]

    def forget_all_but(self, suspects: Sequence[Pod]) -> None:
        """Whoever is well, or gone, has nothing named any more."""
        ill = {one.uid for one in suspects}
        self._named = {uid: one for uid, one in self._named.items() if uid in ill}
        self._asked = {uid: one for uid, one in self._asked.items() if uid in ill}
        self._causes = {name: one for name, one in self._causes.items() if one[0] in ill}

    async def _ask(self, pod: Pod, told: Report) -> Report | None:
        if told.reason is Reason.POD_CRASH_LOOP:
            return await self._corrupt(pod)
        if told.reason is Reason.POD_PENDING and waits_for_mount(pod):
            return await self._hanging(pod)
        return None

    async def _corrupt(self, pod: Pod) -> Report | None:
        """A log is asked for once an end: nothing is added to it in between."""
        container, ended = looping_redis(pod), restarts(pod.raw)
        if not container or self._asked.get(pod.uid) == ended:
            return None
        self._asked[pod.uid] = ended
        line = ""
        with anyio.move_on_after(PATIENCE):
            log = await ask(lambda: self._eyes.last_words(pod, container))
            line = "" if isinstance(log, PortError) else corrupt_line(log)
        if not line:
            return None
        namespace, _, name = workload_of(pod).split("/", 2)
        self._causes[f"{namespace}/{name}"] = (pod.uid, f"its own log says: {line}")
        return corrupt_report(pod, line)

    async def _hanging(self, pod: Pod) -> Report | None:
        found = None
        with anyio.move_on_after(PATIENCE):
            events = await ask(lambda: self._eyes.mount_failures(pod))
            found = None if isinstance(events, PortError) else hanging(events)
        return None if found is None else mount_report(pod, found)

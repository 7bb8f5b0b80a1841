"""What lets us into the cluster and a human too: wrong configurations, certificates that end."""

import shlex
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from healer.core.observation import Finding
from healer.core.reasons import Reason
from healer.model.certificates import (
    KUBECONFIG,
    TALOSCONFIG,
    Certificate,
    Lasting,
    words_of,
)
from healer.model.client_config import Kind
from healer.model.config_faults import Fault, Known, Wrong, faults_of
from healer.ports import CredentialEyes, PortError

_REASONS: Final = {
    Kind.KUBECONFIG: Reason.KUBECONFIG_WRONG,
    Kind.TALOSCONFIG: Reason.TALOSCONFIG_WRONG,
}
_TOLD_ELSEWHERE: Final = frozenset({(Kind.KUBECONFIG, Wrong.WRONG_PORT)})
"""The API server's own layer tells it, as of the context that really is ours."""
_REPAIR: Final = "healer kubeconfig repair"


@dataclass(frozen=True, slots=True)
class CredentialsLook:
    """A part of the look at the Mac; every finding is advisory, and none has a remedy.

    `known` says what is known of the cluster now, without asking anybody.
    """

    eyes: CredentialEyes
    wall: Callable[[], float]
    known: Callable[[Kind], Known]

    async def __call__(self) -> tuple[Finding, ...]:
        """Look once. What cannot be read is the API server's layer to tell, or nobody's."""
        found = [finding for kind in Kind for finding in self._wrong(kind)]
        for one in await self.eyes.certificates():
            found += of_file(one, self.wall())
        return tuple(found)

    def _wrong(self, kind: Kind) -> Iterator[Finding]:
        try:
            config = self.eyes.config(kind)
        except PortError:
            return
        for one in faults_of(config, self.known(kind)):
            # Another cluster's context is a human's wish: `healer kubeconfig` tells of it.
            if one.wrong is not Wrong.OTHER_CONTEXT and (kind, one.wrong) not in _TOLD_ELSEWHERE:
                yield _finding(one)


def _finding(fault: Fault) -> Finding:
    advice = f"{_REPAIR}, or: {fault.command}" if fault.edits else fault.command
    return Finding(
        _REASONS[fault.kind],
        f"{fault.kind}: {fault.words}",
        # What follows an @ is a pod's uid wherever a target is shown.
        target=f"{fault.wrong} {fault.name.replace('@', '/')}",
        advice=advice,
    )


def of_file(one: Certificate, wall: float) -> tuple[Finding, ...]:
    """What is to be said of a certificate that is not the cluster's own to renew.

    The kubeconfig's is told by the API server's layer, whose door it opens.
    """
    if one.name == KUBECONFIG:
        return ()
    if one.read is None and one.name != TALOSCONFIG:
        words = f"the certificate {one.where} cannot be read: {one.unread}"
        advice = "mend it, or take it out of [certificates] in the settings"
        return (Finding(Reason.CERTIFICATE_UNREAD, words, target=one.name, advice=advice),)
    return ending(one, wall, Reason.HOST_CERTIFICATE_EXPIRING, one.where, _renewal(one))


def ending(
    one: Certificate, wall: float, reason: Reason, what: str, advice: str
) -> tuple[Finding, ...]:
    """A finding from 30 days before its end on, which begins anew at 7 days and at its end."""
    lasting, days = one.lasting(wall), one.days(wall)
    if days is None or lasting is Lasting.OK:
        return ()
    words = f"the certificate of {what} {words_of(days)}"
    return (
        Finding(
            reason,
            words if lasting is Lasting.SOON else f"{lasting}: {words}",
            target=one.name,
            fingerprint=lasting,
            advice=advice,
        ),
    )


def _renewal(one: Certificate) -> str:
    if one.name == TALOSCONFIG:
        tool = f"talosctl --talosconfig {shlex.quote(one.where)}"
        new = f"{shlex.quote(one.where)}.new"
        return f"while it lasts: {tool} config new {new} && {tool} config merge {new}"
    if one.where.startswith("/"):
        check = f"openssl x509 -noout -enddate -in {shlex.quote(one.where)}"
    else:
        check = f"openssl s_client -connect {one.where} </dev/null | openssl x509 -noout -enddate"
    return f"let its issuer renew it and its server read it anew; then: {check}"

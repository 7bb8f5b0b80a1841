"""What is to be said of Caddy and of the funnel: one finding a cause, each with its command."""

import shlex
from collections.abc import Iterator
from pathlib import PurePath

from healer.core.observation import Finding
from healer.core.reasons import Reason
from healer.model.front import CaddyUrl, FrontSeen, WantedCaddy, WantedFront, WantedFunnel
from healer.model.funnel import Funnelled, leads_there


def front_findings(seen: FrontSeen, wanted: WantedFront) -> tuple[Finding, ...]:
    """All of them; what was not looked at is not accused."""
    return (
        *_caddy(seen, wanted.caddy),
        *_certificates(seen, wanted.caddy),
        *_funnel(seen, wanted.funnel),
    )


def is_down(seen: FrontSeen) -> bool:
    """Not in the process list, and nothing speaks in its stead."""
    return seen.running is False and not seen.answers


def start_command(wanted: WantedCaddy) -> str:
    """What makes launchd start it anew; `gui` is where the reference loads it."""
    return f"launchctl kickstart -k gui/$(id -u)/{shlex.quote(wanted.label)}"


def typed(path: str) -> str:
    """A path as a shell takes it; a quoted tilde would be a folder of that name."""
    return f"~/{shlex.quote(path[2:])}" if path.startswith("~/") else shlex.quote(path)


def _caddy(seen: FrontSeen, wanted: WantedCaddy) -> Iterator[Finding]:
    if is_down(seen):
        refused = "".join(f"; {one.url}: {why}" for one, why in seen.silent[:1])
        yield Finding(
            Reason.CADDY_DOWN,
            f"no `caddy run` is in the process list{refused}",
            advice=start_command(wanted),
            cause=wanted.label,
        )
        return
    wrong = [(one, f"does not answer: {why}") for one, why in seen.silent]
    wrong += [(one, f"answers {said.wrong}") for one, said in seen.answers if said.wrong]
    for one, why in wrong:
        # A backend that is dead by itself is told by its own layer, or is nobody's here.
        if one.port not in seen.backends:
            yield Finding(Reason.CADDY_URL_WRONG, why, one.url, advice=url_command(one, wanted))


def url_command(one: CaddyUrl, wanted: WantedCaddy) -> str:
    """What shows the answer, and what makes Caddy read a mended file."""
    place = f"{one.name}:{one.listens}:127.0.0.1"
    config = typed(wanted.config)
    return (
        f"curl -v --resolve {place} {shlex.quote(one.url)} shows it; after a change of {config}: "
        f"caddy reload --config {config}"
    )


def _certificates(seen: FrontSeen, wanted: WantedCaddy) -> Iterator[Finding]:
    """One certificate serves many URLs: told once a name and fault, with all its ports."""
    ports: dict[tuple[str, str], list[int]] = {}
    for one, answer in seen.answers:
        if answer.untrusted:
            ports.setdefault((one.name, answer.untrusted), []).append(one.listens)
    for (name, why), listens in ports.items():
        shown = ", ".join(str(port) for port in sorted(listens))
        yield Finding(
            Reason.CADDY_CERTIFICATE,
            f"the certificate of {name} at {shown} does not verify: {why}",
            target=name,
            fingerprint=why,
            advice=renewal(name, wanted),
        )


def renewal(name: str, wanted: WantedCaddy) -> str:
    """Tailscale issues certificates for its own names; Caddy reads files anew on a reload."""
    reload = f"caddy reload --force --config {typed(wanted.config)}"
    if not name.endswith(".ts.net"):
        return f"renew the certificate that {wanted.config} names for {name}; then: {reload}"
    path = next((one for one in wanted.certificates if PurePath(one).stem == name), "")
    files = ""
    if path:
        key = f"{path.rpartition('.')[0]}.key"
        files = f" --cert-file {typed(path)} --key-file {typed(key)}"
    return f"tailscale cert{files} {name} && {reload}"


def _funnel(seen: FrontSeen, wanted: WantedFunnel) -> Iterator[Finding]:
    if seen.funnel_missing:
        yield _of_funnel(seen.funnel_missing, "missing", wanted)
    elif seen.funnels is not None:
        fault = funnel_fault(seen.funnels, wanted)
        if fault:
            yield _of_funnel(fault, fault, wanted)


def _of_funnel(words: str, fingerprint: str, wanted: WantedFunnel) -> Finding:
    return Finding(Reason.FUNNEL_WRONG, words, str(wanted.port), fingerprint, advice=wanted.command)


def funnel_fault(funnels: tuple[Funnelled, ...], wanted: WantedFunnel) -> str:
    """Why the funnel is not as wanted; '' = it is."""
    here = [one for one in funnels if one.port == wanted.port]
    public = [one for one in here if one.is_public]
    if not here:
        return f"nothing is funnelled on {wanted.port}"
    if not public:
        return f"{wanted.port} is served to the tailnet alone: the funnel is off"
    if any(_is_wanted(one, wanted) for one in public):
        return ""
    leads = ", ".join(dict.fromkeys(one.target or "no handler for /" for one in public))
    return f"{wanted.port} is funnelled to {leads}, not to {wanted.target}"


def _is_wanted(one: Funnelled, wanted: WantedFunnel) -> bool:
    if leads_there(one.target, wanted.target):
        return True
    # Tailscale may end TLS itself and forward the bare stream: to a plain server it is the same.
    bare = one.target.replace("tcp://", "http://", 1)
    return one.target.startswith("tcp://") and leads_there(bare, wanted.target)

"""A stand-in for `launchctl` that keeps state in a JSON file and answers as the real one does.

Called as `launchctl.py STATE.json VERB …`. Codes and words are those of public reports: 3 and 113
of a job that is not there, 112 and 125 of a domain, 36 and 37 of a job on its way out, 119 and 5
of a disabled label, 134 of a plist that is for another session, 5 of nearly all else.

Three verbs are not launchctl's but what happens to a Mac: `@reboot` (nobody is logged in, the
LaunchDaemons are loaded), `@login` (at the screen: LaunchAgents are offered to `gui/UID`, and to
no other domain) and `@ssh` (there is a `user/UID`, and nothing is loaded into it).
"""

from __future__ import annotations

import fcntl
import json
import os
import sys
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:  # it is called by the thousand: what one verb needs, that verb imports
    from collections.abc import Callable

State = dict[str, Any]

WORDS = {
    1: "Operation not permitted",
    3: "No such process",
    5: "Input/output error",
    17: "File exists",
    36: "Operation now in progress",
    37: "Operation already in progress",
    112: "Could not find specified domain",
    119: "Service is disabled",
    125: "Domain does not support specified action",
    134: "Service cannot load in requested session",
}
SESSIONS = {"user": "Background", "gui": "Aqua"}
"""What a plist must allow to be loaded there; without a word it allows Aqua."""
FIRST_PID = 4242


class Answer(Exception):
    """How a call ends."""

    def __init__(self, code: int, err: str = "", out: str = "") -> None:
        super().__init__(code)
        self.code, self.err, self.out = code, err, out


def fails(what: str, code: int) -> NoReturn:
    """As launchctl complains; of a code 5 it advises root, whoever asks."""
    advice = "\nTry re-running the command as root for richer errors." if code == 5 else ""
    raise Answer(code, f"{what} failed: {code}: {WORDS[code]}{advice}")


def lives(pid: int) -> bool:
    """Whether a process runs; one that nobody has reaped yet does not."""
    try:
        with open(f"/proc/{pid}/stat") as stat:  # noqa: PTH123  (pathlib takes as long as all else)
            return stat.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def split(target: str) -> tuple[str, str]:
    """Domain and label."""
    parts = target.split("/")
    cut = 1 if parts[0] == "system" else 2
    return "/".join(parts[:cut]), "/".join(parts[cut:])


def speak_of(domain: str) -> str:
    """A domain in launchctl's words."""
    kind, _, uid = domain.partition("/")
    return "system" if kind == "system" else f"user {kind}: {uid}"


def no_domain(state: State, what: str) -> NoReturn:
    """Nobody is logged in there."""
    fails(what, state.get("no_domain", 125))


def do_print(state: State, target: str) -> NoReturn:
    """A domain or a job."""
    domain, label = split(target)
    if domain not in state["domains"]:
        if state.get("no_domain", 125) == 112:
            raise Answer(112, f"Bad request.\nCould not find domain for {speak_of(domain)}")
        no_domain(state, "Could not print domain")
    if not label:
        raise Answer(0, out=f"{domain} = {{\n\ttype = {domain.partition('/')[0]}\n}}\n")
    job = state["jobs"].get(target)
    if job is None:
        words = f'Could not find service "{label}" in domain for {speak_of(domain)}'
        raise Answer(113, f"Bad request.\n{words}")
    page = shown(target, job)
    if job.get("flaps"):
        job["pid"] += 1
    if job.get("runs_once"):  # it has ended by the next look
        job |= {"pid": None, "last_exit": job.get("last_exit", "0")}
    raise Answer(0, out=page)


def shown(target: str, job: State) -> str:
    """The parts of the real page that people read, and those that lead them astray."""
    running = job.get("pid") is not None and (not job.get("real") or lives(job["pid"]))
    never = running and job.get("runs_once")
    last_exit = "(never exited)" if never else job.get("last_exit", "(never exited)")
    lines = [
        f"{target} = {{",
        f"\tactive count = {int(running)}",
        *([f"\tpath = {job['path']}"] if job.get("path") else []),
        "\ttype = LaunchAgent",
        f"\tstate = {'running' if running else job.get('state', 'not running')}",
        "",
        "\tprogram = /bin/sh",
        "\tdefault environment = {",
        "\t\tPATH => /usr/bin:/bin:/usr/sbin:/sbin",
        "\t}",
        "",
        "\tdomain = user/501 [100015]",
        f"\tminimum runtime = {job.get('throttle', 30)}",
        f"\texit timeout = {job.get('exit_timeout', 5)}",
        f"\truns = {job.get('runs', 1)}",
        *([f"\tpid = {job['pid']}"] if running else []),
        *(
            [f"\tlast terminating signal = {job['last_signal']}"]
            if job.get("last_signal")
            else [f"\tlast exit code = {last_exit}"]
        ),
        *([f"\tlast exit reason = {job['reason']}"] if job.get("reason") else []),
        *shown_of_its_plist(job),
        "",
        "\tresource coalition = {",
        "\t\tID = 1033",
        "\t\tstate = active",
        "\t\tpid = 1",
        "\t}",
        "}",
    ]
    return "\n".join(lines) + "\n"


def shown_of_its_plist(job: State) -> list[str]:
    """What tells one kind of job from another."""
    lines: list[str] = []
    if job.get("rests"):
        lines += ["", "\tsemaphores = {", "\t\tsuccessful exit => 0", "\t}"]
    if job.get("calendar"):
        stream = "\t\t\tstream = com.apple.launchd.calendarinterval"
        lines += ["", "\tevent triggers = {", "\t\tdaily => {", stream, "\t\t}", "\t}"]
    if job.get("every"):
        lines.append(f"\trun interval = {job['every']} seconds")
    words = [*(["keepalive"] if job.get("kept") else []), "runatload", "inferred program"]
    words += ["needs LWCR update", "managed LWCR"] if job.get("stale_signature") else []
    return [*lines, f"\tproperties = {' | '.join(words)}"]


def do_bootout(state: State, target: str) -> NoReturn:
    """Not instant: with `slow` the job stays for so many calls."""
    domain, _ = split(target)
    if domain not in state["domains"]:
        no_domain(state, "Boot-out")
    job = state["jobs"].get(target)
    if job is None:
        fails("Boot-out", 3)
    if job.get("real"):
        os.kill(job["pid"], 15)
    if state.get("slow") or job.get("real"):
        job["leaving"] = state.get("slow", 1)
        if state.get("slow_says"):
            fails("Boot-out", state["slow_says"])
    else:
        del state["jobs"][target]
    raise Answer(0)


def do_bootstrap(state: State, domain: str, path: str) -> NoReturn:
    """Load a plist, unless something speaks against it; then mostly 5 is said, whatever it is."""
    if domain not in state["domains"]:
        no_domain(state, "Bootstrap")
    load(state, domain, path)
    raise Answer(0)


def load(state: State, domain: str, path: str) -> None:
    """What bootstrap and a login do; raises the Answer that says why not."""
    plist = loaded(path, domain)
    target = f"{domain}/{plist['Label']}"
    if target in state["disabled"]:
        fails("Bootstrap", state.get("disabled_says", 119))
    if target in state["jobs"]:
        fails("Bootstrap", state.get("busy_says", 5))
    job: State = {"path": path, "exit_timeout": plist.get("ExitTimeOut", 5)}
    if plist.get("RunAtLoad") or plist.get("KeepAlive"):
        job["pid"] = state["next_pid"] = state.get("next_pid", FIRST_PID) + 1
    if plist.get("RunAtLoad") and not plist.get("KeepAlive"):
        job["runs_once"] = True
    if state.get("spawn") and plist.get("KeepAlive"):
        job |= {"pid": spawned(plist), "real": True}
    job |= state.get("comes_up", {}).get(plist["Label"], {})
    state["jobs"][target] = job


def loaded(path: str, domain: str) -> State:
    """The plist as launchd would take it."""
    import plistlib  # noqa: PLC0415  (as above)
    from pathlib import Path  # noqa: PLC0415

    file = Path(path)
    try:
        plist: State = plistlib.loads(file.read_bytes())
    except Exception:  # noqa: BLE001  (whatever is wrong with it, launchd says 5)
        fails("Bootstrap", 5)
    writable = file.stat().st_mode & 0o022
    if writable or "Label" not in plist:
        fails("Bootstrap", 5)
    allowed = plist.get("LimitLoadToSessionType", "Aqua")
    session = SESSIONS.get(domain.partition("/")[0])
    if session and session not in (allowed if isinstance(allowed, list) else [allowed]):
        fails("Bootstrap", 134)
    return plist


def spawned(plist: State) -> int:
    """Start the program with what launchd gives, and nothing of our own."""
    import subprocess  # noqa: PLC0415  (as above)
    from pathlib import Path  # noqa: PLC0415

    environment = {
        "PATH": "/usr/bin:/bin:/usr/sbin:/sbin",
        "XPC_SERVICE_NAME": plist["Label"],
        **plist.get("EnvironmentVariables", {}),
    }
    with (
        Path(plist["StandardOutPath"]).open("ab") as out,
        Path(plist["StandardErrorPath"]).open("ab") as err,
    ):
        process = subprocess.Popen(
            plist["ProgramArguments"],
            env=environment,
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            start_new_session=True,
        )
    process.returncode = 0  # it outlives us, as it does launchctl
    return process.pid


def do_enable(state: State, target: str) -> NoReturn:
    """Undo a disable; a label that nobody disabled is fine."""
    state["disabled"] = [one for one in state["disabled"] if one != target]
    raise Answer(0)


def do_disable(state: State, target: str) -> NoReturn:
    """Refuse to load it from now on."""
    state["disabled"] = [*{*state["disabled"], target}]
    raise Answer(0)


def do_print_disabled(state: State, domain: str) -> NoReturn:
    """Everything that was ever switched; the words changed with macOS 13."""
    off, on = ("true", "false") if state.get("old_words") else ("disabled", "enabled")
    labels = [split(one)[1] for one in state["disabled"] if split(one)[0] == domain]
    lines = [f'\t\t"{label}" => {off}' for label in labels] + [f'\t\t"com.apple.on" => {on}']
    raise Answer(0, out="\n".join(["", "\tdisabled services = {", *lines, "\t}", ""]))


def do_kickstart(state: State, target: str) -> NoReturn:
    """Run it now; without `-k` what runs goes on."""
    domain, label = split(target)
    if domain not in state["domains"]:
        no_domain(state, "Kickstart")
    job = state["jobs"].get(target)
    if job is None:
        raise Answer(113, f'Could not find service "{label}" in domain for {speak_of(domain)}')
    if job.get("pid") is not None:
        raise Answer(0)
    job["runs"] = job.get("runs", 1) + 1
    if job.get("dies"):
        job["last_exit"] = "1"
    else:
        job["pid"] = state["next_pid"] = state.get("next_pid", FIRST_PID) + 1
    raise Answer(0)


def do_managername(state: State) -> NoReturn:
    """The session of whoever asks."""
    raise Answer(0, out=state.get("manager", "Aqua") + "\n")


def do_reboot(state: State) -> NoReturn:
    """Power off and on: what was disabled stays so, and nobody is logged in."""
    state |= {"jobs": {}, "domains": ["system"]}
    offer(state, "system", state["daemons"])
    raise Answer(0)


def do_login(state: State) -> NoReturn:
    """The user logs in at the screen."""
    user, gui = f"user/{state['uid']}", f"gui/{state['uid']}"
    state["domains"] = [*dict.fromkeys([*state["domains"], user, gui])]
    offer(state, gui, state["agents"])
    raise Answer(0)


def do_ssh(state: State) -> NoReturn:
    """The user comes in by ssh: launchd reads no folder for that."""
    state["domains"] = [*dict.fromkeys([*state["domains"], f"user/{state['uid']}"])]
    raise Answer(0)


def offer(state: State, domain: str, folder: str) -> None:
    """Load a folder's plists; what cannot be loaded there is passed over in silence."""
    for name in sorted(os.listdir(folder)):  # noqa: PTH208  (as above)
        if not name.endswith(".plist"):
            continue
        try:
            load(state, domain, f"{folder}/{name}")
        except Answer as refused:
            state["refused"] = [*state.get("refused", []), [name, refused.code]]


VERBS: dict[str, Callable[..., NoReturn]] = {
    "@login": do_login,
    "@reboot": do_reboot,
    "@ssh": do_ssh,
    "bootout": do_bootout,
    "bootstrap": do_bootstrap,
    "disable": do_disable,
    "enable": do_enable,
    "kickstart": do_kickstart,
    "managername": do_managername,
    "print": do_print,
    "print-disabled": do_print_disabled,
}


def time_goes_by(state: State) -> None:
    """Jobs on their way out come nearer to their end with each call."""
    for target, job in list(state["jobs"].items()):
        if "leaving" not in job:
            continue
        job["leaving"] -= 1
        if job["leaving"] < 0 and not (job.get("real") and lives(job["pid"])):
            del state["jobs"][target]


def faulty(state: State, arguments: list[str]) -> str:
    """The fault that befalls this call, or ''; `of` is a part of what the call names."""
    for fault in state.get("faults", []):
        meant = fault["verb"] == arguments[0] and fault.get("of", "") in " ".join(arguments[1:])
        if meant and fault.get("left", 1) > 0:
            fault["left"] = fault.get("left", 1) - 1
            return str(fault["how"])
    return ""


def suffer(how: str, verb: str) -> None:
    """Hang, speak nonsense, refuse or answer with a code."""
    if how == "hang":
        import time  # noqa: PLC0415  (as above)

        time.sleep(600)
    if how == "garbage":
        sys.stdout.buffer.write(b"\xff\xfe\x00{{{ \t= = pid = x\n\tstate\n" * 50)
        sys.exit(0)
    if how == "huge":
        sys.stdout.write("\tstate = not running\n" + "\tx = y\n" * 400_000)
        sys.exit(0)
    if how == "refuse":
        fails("Operation", 1)
    if how.isdecimal():
        what = {"bootout": "Boot-out", "bootstrap": "Bootstrap"}
        fails(what.get(verb, "Operation"), int(how))


def answer(path: str, arguments: list[str]) -> Answer:
    """One call."""
    with open(path, "r+") as file:  # noqa: PTH123
        fcntl.flock(file, fcntl.LOCK_EX)
        state = json.load(file)
        state["calls"] = [*state.get("calls", []), arguments]
        how = faulty(state, arguments)
        verb = VERBS.get(arguments[0] if arguments else "")
        given = Answer(64, "Unrecognized subcommand")
        try:
            time_goes_by(state)
            if not how and verb:
                verb(state, *arguments[1:])
        except Answer as said:
            given = said
        file.seek(0)
        file.truncate()
        json.dump(state, file)
    try:
        suffer(how, arguments[0])
    except Answer as said:
        return said
    return given


def main() -> None:
    """As a program."""
    path, *arguments = sys.argv[1:]
    given = answer(path, arguments)
    sys.stdout.write(given.out)
    if given.err:
        sys.stderr.write(given.err + "\n")
    sys.exit(given.code)


if __name__ == "__main__":
    main()

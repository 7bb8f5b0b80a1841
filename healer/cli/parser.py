"""Every command and flag; what each does is imported when it runs."""

import argparse
import importlib
from collections.abc import Callable, Sequence
from typing import Any, Final

from healer import __version__
from healer.core.tower import Layer
from healer.model.channels import CHANNELS

Command = Callable[[argparse.Namespace], int]

_EPILOG: Final = """exit codes: 0 healthy or healed, 1 unhealthy, 2 usage,
3 unknown (could not look), 4 held or gave up, 78 configuration, 130 interrupted"""


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    """What was asked for; exits with 2 on wrong usage."""
    parser = build_parser()
    arguments = parser.parse_args(argv)
    if arguments.once and arguments.command is not None:
        parser.error("--once is a command of its own: leave one of the two out")
    if not arguments.once and (arguments.dry_run or arguments.deadline is not None):
        parser.error("--dry-run and --deadline go with --once")
    if arguments.once:
        arguments.command = _lazily("healer.cli.handing", "once")
    elif arguments.command is None:
        arguments.command = _lazily("healer.cli.run", "run")
    return arguments


def build_parser() -> argparse.ArgumentParser:
    """The whole command line."""
    parser = argparse.ArgumentParser(
        prog="healer",
        description="Watches a Colima, Docker, Talos and Kubernetes tower, and brings it back.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(command=None, as_root=False)
    parser.add_argument("--version", action="version", version=f"healer {__version__}")
    parser.add_argument(
        "--once",
        action="store_true",
        help="one pass: look, heal what may be healed, verify, report",
    )
    _pass_flags(parser)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    _add(commands, "run", "healer.cli.run", "run", "the daemon; also what a bare `healer` is")
    _add_looking(commands)
    _add_human(commands)
    _add_settings(commands)
    _add_launchd(commands)
    _add_notify(commands)
    _add_drill(commands)
    _add_export(commands)
    _add_plans(commands)
    _add_completion(commands)
    return parser


def _lazily(module: str, function: str) -> Command:
    """A command whose module is imported when it runs."""

    def run(arguments: argparse.Namespace) -> int:
        command: Command = getattr(importlib.import_module(module), function)
        return command(arguments)

    return run


def _pass_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--dry-run", "-n", action="store_true", help="say what would be done")
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")
    parser.add_argument(
        "--deadline",
        metavar="TIME",
        type=_seconds,
        help="begin no act after so long, e.g. 90s or 20m (default: the settings' 20m)",
    )


def _seconds(text: str) -> float:
    from healer.settings.forms import DURATION  # noqa: PLC0415  (only who gives a time pays)

    try:
        return float(DURATION.read(text))
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


_Commands = Any
"""argparse's own name for this type is private."""


def _add(
    commands: _Commands, name: str, module: str, function: str, about: str
) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(name, help=about, description=about)
    parser.set_defaults(command=_lazily(module, function))
    return parser


def _json(parser: argparse.ArgumentParser) -> None:
    """Left unset when it is not given, so that `healer --json check` means the same."""
    parser.add_argument(
        "--json",
        action="store_true",
        default=argparse.SUPPRESS,
        help="one JSON document on stdout",
    )


def _layer(parser: argparse.ArgumentParser, flag: str, **options: Any) -> None:  # noqa: ANN401  (argparse's own options)
    parser.add_argument(flag, metavar="LAYER", choices=[one.value for one in Layer], **options)


def _add_looking(commands: _Commands) -> None:
    status = _add(
        commands, "status", "healer.cli.status", "status", "ask the running daemon how things are"
    )
    _json(status)
    status.add_argument("--watch", action="store_true", help="draw it anew every two seconds")
    check = _add(
        commands, "check", "healer.cli.once", "check", "look at every layer, change nothing"
    )
    _json(check)
    explain = _add(
        commands,
        "explain",
        "healer.cli.explain",
        "explain",
        "why a layer is as it is, what was refused and by which rule, what would be done next",
    )
    _layer(explain, "layer", help="which one")
    trace = _add(
        commands,
        "trace",
        "healer.cli.trace",
        "trace",
        "every hop to a service, the first that is broken, and what mends it",
    )
    which = trace.add_mutually_exclusive_group()
    which.add_argument("service", nargs="?", metavar="SERVICE", help="its name or port of the Mac")
    which.add_argument("--all", action="store_true", help="every service that the settings name")
    _json(trace)
    ports = _add(
        commands,
        "ports",
        "healer.cli.ports",
        "ports",
        "every port from the Mac to a Service, each with its rule checked",
    )
    _json(ports)
    _add_port_verbs(ports)
    advice = _add(
        commands,
        "advice",
        "healer.cli.advice",
        "advice",
        "what ends each recurring fault for good, and whether that is so now",
    )
    _json(advice)
    history = _add(
        commands, "history", "healer.cli.history", "history", "what happened, from the journal"
    )
    history.add_argument(
        "--since",
        metavar="TIME",
        type=_seconds,
        default=86_400.0,
        help="how far back, e.g. 90m or 48h (default: 24h)",
    )
    _layer(history, "--layer", help="only this layer; default: all")
    _json(history)
    _add_replay(commands)
    doctor = _add(
        commands,
        "doctor",
        "healer.cli.doctor",
        "doctor",
        "what is missing here, and how to mend it",
    )
    _json(doctor)
    doctor.add_argument(
        "--prove",
        action="store_true",
        help="try what only a Mac can prove; sends a test notice, and asks whether it was seen",
    )
    _add_files(commands)
    _add(commands, "table", "healer.cli.explain", "table", "print every reason, ladder and limit")


def _add_files(commands: _Commands) -> None:
    kubeconfig = _add(
        commands,
        "kubeconfig",
        "healer.cli.kubeconfig",
        "show",
        "what is wrong in kubeconfig and talosconfig, and how to mend it",
    )
    _json(kubeconfig)
    verbs = kubeconfig.add_subparsers(metavar="VERB")
    about = "write what is wrong anew, and nothing else; the old file is kept"
    repair = _add(verbs, "repair", "healer.cli.kubeconfig", "repair", about)
    # Of its own name, since `--dry-run` before a command goes with `--once` alone.
    repair.add_argument(
        "--dry-run", "-n", dest="only_say", action="store_true", help="only show the difference"
    )
    repair.add_argument("--yes", "-y", action="store_true", help="write without asking")
    about = "every certificate that healer knows of, and how long it lasts yet"
    _json(_add(commands, "certificates", "healer.cli.certificates", "certificates", about))


def _add_replay(commands: _Commands) -> None:
    replay = _add(
        commands,
        "replay",
        "healer.cli.replay",
        "replay",
        "decide an incident again from the journal's facts: 0 when it comes out the same, else 1",
    )
    replay.add_argument(
        "incident", metavar="INCIDENT", help="its name, the beginning of it, or: last"
    )
    replay.add_argument(
        "--config",
        metavar="FILE",
        help="show beside it what would have been decided with these settings",
    )
    _json(replay)


def _add_human(commands: _Commands) -> None:
    pause = _add(commands, "pause", "healer.cli.pauses", "pause", "do nothing for a while")
    pause.add_argument(
        "--for", dest="length", metavar="TIME", help="e.g. 1h; default: until resume"
    )
    pause.add_argument("--reason", required=True, help="why; it is shown wherever healer is asked")
    _layer(pause, "--layer", help="only this layer; default: all")
    resume = _add(commands, "resume", "healer.cli.pauses", "resume", "end a pause")
    _layer(resume, "--layer", help="only pauses of this layer; default: all")
    reset = _add(
        commands,
        "reset",
        "healer.cli.pauses",
        "reset",
        "let a held or given-up layer be tried again",
    )
    _layer(reset, "layer", nargs="?", help="default: all layers")


def _add_settings(commands: _Commands) -> None:
    config = _add(commands, "config", "healer.cli.config", "show", "the settings in force")
    verbs = config.add_subparsers(metavar="VERB")
    show = _add(verbs, "show", "healer.cli.config", "show", "print the settings as TOML")
    show.add_argument("--origin", action="store_true", help="say where each value comes from")
    check = _add(verbs, "check", "healer.cli.config", "check", "check the settings file")
    check.add_argument("file", nargs="?", help="another file than the one in force")
    config.set_defaults(origin=False)
    paths = _add(commands, "paths", "healer.cli.config", "paths", "which files healer uses")
    _json(paths)


def _add_launchd(commands: _Commands) -> None:
    install = _add(commands, "install", "healer.cli.install", "install", "let launchd run healer")
    where = install.add_mutually_exclusive_group()
    where.add_argument(
        "--system",
        action="store_true",
        help="from boot on, for a Mac that nobody logs in to; needs sudo",
    )
    where.add_argument(
        "--user",
        action="store_true",
        help="in user/UID, which needs no screen; ends with the next reboot",
    )
    uninstall = _add(
        commands,
        "uninstall",
        "healer.cli.install",
        "uninstall",
        "undo install, and bring back the jobs that it retired",
    )
    for parser in (install, uninstall):
        parser.set_defaults(as_root=True)
        # Of its own name, since `--dry-run` before a command goes with `--once` alone.
        parser.add_argument(
            "--dry-run", "-n", dest="only_say", action="store_true", help="say what would be done"
        )


def _add_notify(commands: _Commands) -> None:
    about = "send a test notice through every configured channel"
    notify = _add(commands, "notify", "healer.cli.notify", "notify", about)
    notify.add_argument(
        "--test", action="store_true", required=True, help="the only thing to send by hand"
    )
    notify.add_argument("--channel", choices=CHANNELS, help="only this one; default: all")


def _add_drill(commands: _Commands) -> None:
    drill = _add(
        commands,
        "drill",
        "healer.cli.drill",
        "drill",
        "watch healer mend a simulated tower; needs no Mac, Docker or network",
    )
    drill.add_argument("scenario", nargs="?", help="its name, or a TOML file")
    drill.add_argument("--list", action="store_true", help="name every scenario and happening")
    drill.add_argument("--all", action="store_true", help="play every one that healer brings")
    drill.add_argument("--random", action="store_true", help="play one that is drawn by chance")
    drill.add_argument(
        "--seed", metavar="N", type=int, help="of chance: the same seed plays the same (default: 0)"
    )
    drill.add_argument(
        "--speed",
        metavar="SPEED",
        type=_speed,
        help="real, or how many times as fast (default: as suits the eye, or as fast as it can)",
    )
    _json(drill)


def _add_export(commands: _Commands) -> None:
    export = _add(
        commands,
        "export",
        "healer.cli.export",
        "export",
        "print alert rules for Prometheus, or a dashboard for Grafana",
    )
    export.add_argument("what", choices=["rules", "dashboard"], help="which of the two")


def _add_plans(commands: _Commands) -> None:
    about = "save what a recreation of the cluster needs; only reads from it"
    backup = _add(commands, "backup", "healer.cli.backup", "backup", about)
    what = backup.add_mutually_exclusive_group()
    what.add_argument("--list", action="store_true", help="name every backup, the newest first")
    what.add_argument("--verify", metavar="DIR", help="whether this backup is whole and unchanged")
    backup.add_argument("--to", metavar="FOLDER", help="where backups are (default: the settings')")
    backup.add_argument("--keep", metavar="N", type=_count, help="how many complete ones stay")
    _json(backup)
    plan = _add(commands, "plan", "healer.cli.plan", "recreate", "print a plan; nothing is run")
    plans = plan.add_subparsers(metavar="PLAN", required=True)
    about = "the whole recreation of this cluster, as a shell document to read"
    recreate = _add(plans, "recreate", "healer.cli.plan", "recreate", about)
    recreate.add_argument(
        "--force", action="store_true", help="also without a complete backup of the last day"
    )
    recreate.add_argument(
        "--from",
        dest="source",
        metavar="FOLDER",
        help="where backups are (default: the settings')",
    )


def _add_port_verbs(ports: argparse.ArgumentParser) -> None:
    verbs = ports.add_subparsers(metavar="VERB")
    about = "give a Service the NodePort that Docker publishes; shown first"
    fix = _add(verbs, "fix", "healer.cli.ports_fix", "fix", about)
    fix.add_argument("service", metavar="SERVICE", help="its name, its port of the Mac, or both")
    # Of its own name, since `--dry-run` before a command goes with `--once` alone.
    fix.add_argument(
        "--dry-run", "-n", dest="only_say", action="store_true", help="only show the patch"
    )
    fix.add_argument("--yes", "-y", action="store_true", help="change it without asking")
    about = "publish one more port of the container; stops and starts it and docker"
    add = _add(verbs, "add", "healer.cli.ports_add", "add", about)
    add.add_argument("port", metavar="HOST[:CONTAINER][/PROTO]", help="e.g. 9627:3000, 7882/udp")
    add.add_argument("--service", metavar="NAMESPACE/NAME", help="the Service that it leads to")
    add.add_argument(
        "--dry-run", "-n", dest="only_say", action="store_true", help="only look and show the plan"
    )
    add.add_argument("--yes", "-y", action="store_true", help="do it without asking")
    about = "finish or undo a `ports add` that was killed"
    _add(verbs, "recover", "healer.cli.ports_add", "recover", about)


def _count(text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"{text!r} is no count: write 1 or more")
    return int(text)


def _speed(text: str) -> float:
    try:
        speed = 1.0 if text == "real" else float(text)
    except ValueError:
        speed = 0.0
    if not 0.0 < speed < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is no speed: write real, or a number like 20")
    return speed


def _add_completion(commands: _Commands) -> None:
    completion = _add(
        commands,
        "completion",
        "healer.cli.completion",
        "completion",
        "print the completion script of a shell",
    )
    completion.add_argument("shell", choices=["bash", "zsh", "fish"], help="for which shell")

"""What may not exist as code (design §4, Never), looked for in what a source could execute.

Looked at are the words that stand beside each other in a call, a tuple or a list: there an
argument list must be. What is printed for a human to type is one string, and is let be.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

_NEVER: Final = frozenset(
    {
        "delete",
        "destroy",
        "drain",
        "factory-reset",
        "killall",
        "pkill",
        "port-forward",
        "prune",
        "reset",
        "rm",
        "rmi",
        "unlock",
        "wipe",
    }
)
"""Words of colima, limactl, talosctl, docker and kubectl that no argument list may hold."""
_NEVER_CALLED: Final = frozenset(
    {
        "create_subprocess_shell",
        "delete_collection_namespaced_pod",
        "delete_namespace",
        "delete_namespaced_deployment",
        "delete_namespaced_persistent_volume_claim",
        "delete_namespaced_stateful_set",
        "delete_node",
        "delete_persistent_volume",
        "rmtree",
        "system",
    }
)
_IN_A_SHELL: Final = re.compile(
    r"\b(colima|limactl|talosctl|docker|ctr|kubectl)\b[^\n|;&]*\b(delete|destroy|prune|reset|rm|wipe)\b"
    r"|\b(pkill|killall)\b|\brm -[a-z]*r"
)
"""The same in a line that a shell in the VM would run; such lines are kept in `adapters` only."""
_HEARD: Final = {"adapters/docker_events.py": "destroy"}
"""A name of an event that is listened to."""
_DELETES: Final = frozenset({"delete_pod"})
"""The functions that may send a DELETE to the API server, with the uid of one pod."""
_EXECUTING: Final = ("adapters", "engine", "probes", "remedies", "wiring")
"""The packages that can reach the outside."""


def forbidden_in(root: Path) -> list[str]:
    """Every forbidden thing in the executing packages below a root, with its place."""
    return [
        f"{path.relative_to(root)}:{line}: {what}"
        for package in _EXECUTING
        for path in sorted((root / package).rglob("*.*"))
        for line, what in _read(path, path.relative_to(root).as_posix())
    ]


def _read(path: Path, name: str) -> Iterator[tuple[int, str]]:
    text = path.read_text(encoding="utf-8") if path.suffix in {".py", ".sh"} else ""
    if path.suffix == ".sh":
        yield from _scripted(text)
        return
    tree = ast.parse(text)
    yield from _forbidden(tree, name)
    if name.startswith("adapters/"):
        yield from _shell_lines(tree)


def _forbidden(tree: ast.AST, name: str) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        match node:
            case ast.Call() | ast.Tuple() | ast.List():
                for word in _words(node):
                    if word in _NEVER and _HEARD.get(name) != word:
                        yield node.lineno, f"`{word}` in an argument list"
            case ast.FunctionDef(name=called) | ast.AsyncFunctionDef(name=called):
                if called not in _DELETES and _sends_delete(node):
                    yield node.lineno, f"a DELETE in {called}"
            case _:
                pass
        if isinstance(node, ast.Call):
            yield from _forbidden_call(node)


def _scripted(script: str) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(script.splitlines(), 1):
        found = _IN_A_SHELL.search(line)
        if found is not None:
            yield number, f"`{found.group()}` in a script"


def _forbidden_call(call: ast.Call) -> Iterator[tuple[int, str]]:
    if _name(call) in _NEVER_CALLED:
        yield call.lineno, f"a call of {_name(call)}"
    if any(one.arg == "shell" for one in call.keywords):
        yield call.lineno, "a shell string"


def _sends_delete(function: ast.AST) -> bool:
    return any(
        isinstance(node, ast.Call) and "DELETE" in _words(node) for node in ast.walk(function)
    )


def _shell_lines(tree: ast.AST) -> Iterator[tuple[int, str]]:
    said = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in said:
            found = _IN_A_SHELL.search(node.value)
            if found is not None:
                yield node.lineno, f"`{found.group()}` in a line for a shell"


def _words(node: ast.AST) -> list[str]:
    match node:
        case ast.Call(args=parts) | ast.Tuple(elts=parts) | ast.List(elts=parts):
            constants = (one.value for one in parts if isinstance(one, ast.Constant))
            return [one for one in constants if isinstance(one, str)]
        case _:
            return []


def _name(call: ast.Call) -> str:
    match call.func:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case _:
            return ""

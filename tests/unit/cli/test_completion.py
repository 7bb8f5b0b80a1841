"""Completion as the real shells do it, each where it is installed (bash wherever tests run)."""

import shutil
import subprocess
from pathlib import Path
from typing import Final

import pytest

from healer.cli.completion import places_of
from healer.cli.completion_scripts import bash
from healer.cli.parser import build_parser
from healer.core.tower import Layer
from tests.unit.cli.command import Machine

SHELLS = [one for one in ("bash", "zsh", "fish", "bash3.2") if shutil.which(one)]
"""macOS ships bash 3.2, for ever; where one is on PATH as `bash3.2` it is tried too."""
NEWER: Final = (
    *("declare -A", "local -A", "typeset -A", "declare -n", "local -n", "mapfile", "readarray"),
    *(
        "compgen -V",
        "compopt",
        "|&",
        "&>>",
        ";&",
        ";;&",
        "[[ -v",
        "coproc",
        "wait -n",
        "printf '%(",
    ),
    *(",,", "^^", "[-1]", "@Q}", "@A}", "EPOCHSECONDS", "globstar", "${!@"),
)
"""Words of bash 4.0 and later."""
LAYERS = [one.value for one in Layer]
BASH = """
eval "$(cat "$1")"; shift
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
_healer; printf '%s\\n' "${COMPREPLY[@]}"
"""
ZSH = """
compdef() { }
_describe() { local one; for one in ${(P)4}; do print -r -- "${one%%:*}"; done }
compadd() { [[ $1 == -a ]] && print -rl -- ${(P)2} || print -rl -- "$@" }
_message() { print -r -- "($1)" }
_files() { print -r -- "(files)" }
source "$1"; shift
words=("$@"); CURRENT=$#
_healer
"""


@pytest.fixture(name="script", params=SHELLS, scope="module")
def fixture_script(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, str]:
    """The shell, and the file that holds its script."""
    shell = str(request.param)
    said = Machine(tmp_path_factory.mktemp("home")).healer("completion", shell.rstrip("3.2"))
    assert (0, "") == (said.code, said.err)
    file = tmp_path_factory.mktemp("script") / f"healer.{shell}"
    file.write_text(said.out)
    return shell, str(file)


def offered(script: tuple[str, str], *words: str) -> list[str]:
    """What the shell offers for the last word that begins as it does."""
    shell, file = script
    if shell == "fish":
        line = " ".join(words)
        argv = ["fish", "--no-config", "-c", f"source {file}; complete -C '{line}'"]
    else:
        program, flag = (ZSH, "-f") if shell == "zsh" else (BASH, "--norc")
        argv = [shell, flag, "-c", program, shell, file, *words]
    ran = subprocess.run(argv, capture_output=True, text=True, check=True)
    assert "" == ran.stderr
    found = [line.partition("\t")[0] for line in ran.stdout.splitlines()]
    begin = words[-1].removeprefix("=")
    return [one for one in found if one and one.startswith((begin, "("))]


def test_the_shell_can_read_it(script: tuple[str, str]) -> None:
    """Its own check of the grammar finds nothing."""
    shell, file = script
    ran = subprocess.run([shell, "-n", file], capture_output=True, text=True, check=False)

    assert (0, "") == (ran.returncode, ran.stderr)


def test_commands_are_offered(script: tuple[str, str]) -> None:
    """All of them, and by their beginning."""
    commands = {name for name, _ in next(iter(places_of(build_parser()))).commands}

    assert commands <= set(offered(script, "healer", ""))
    assert ["pause"] == offered(script, "healer", "pau")


def test_commands_of_a_command_are_offered(script: tuple[str, str]) -> None:
    """`config` has some."""
    assert {"show", "check"} <= set(offered(script, "healer", "config", ""))
    assert ["--origin"] == offered(script, "healer", "config", "show", "--o")


@pytest.mark.parametrize("before", [("explain",), ("reset",), ("pause", "--layer")])
def test_layers_are_offered(script: tuple[str, str], before: tuple[str, ...]) -> None:
    """Where a layer is asked for."""
    assert set(LAYERS) <= set(offered(script, "healer", *before, ""))
    assert ["docker"] == offered(script, "healer", *before, "doc")


def test_flags_are_offered_where_they_belong(script: tuple[str, str]) -> None:
    """A pause has a reason, a status has none."""
    assert ["--reason"] == offered(script, "healer", "pause", "--rea")
    assert [] == offered(script, "healer", "status", "--rea")
    assert ["--deadline"] == offered(script, "healer", "--dead")


def test_a_time_is_nothing_to_choose(script: tuple[str, str]) -> None:
    """No word is offered in its place."""
    found = offered(script, "healer", "pause", "--for", "")

    assert found in ([], ["(TIME)"])


def test_bash_parts_words_at_an_equals_sign(tmp_path: Path) -> None:
    """`--layer=doc` reaches the function as three words."""
    file = tmp_path / "healer.bash"
    file.write_text(bash(list(places_of(build_parser()))))

    assert ["docker"] == offered(("bash", str(file)), "healer", "pause", "--layer", "=", "doc")
    assert LAYERS == offered(("bash", str(file)), "healer", "pause", "--layer", "=")


def test_bashs_script_has_nothing_that_is_newer_than_3_2() -> None:
    """And says the one way in which 3.2 loads it: from `source <(…)` it reads nothing."""
    script = bash(list(places_of(build_parser())))

    assert [] == [one for one in NEWER if one in script]
    assert 'load it with: eval "$(healer completion bash)"' in script
    assert "<(" not in script


def test_every_word_of_the_parser_has_words_of_help() -> None:
    """They are what zsh and fish show beside it."""
    places = list(places_of(build_parser()))

    assert all(about for place in places for _, about in place.commands)
    assert all(one.about for place in places for one in place.options)

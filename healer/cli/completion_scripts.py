"""The completion scripts of three shells, each as its shell has them.

All three know where they are (`/`, `/pause`, `/config/show`) by walking over the words before
the cursor. bash's keeps to version 3.2, which macOS ships.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from healer.cli.completion import Option, Place


def bash(places: Sequence[Place]) -> str:
    """For `eval "$(healer completion bash)"`, or a file in bash-completion's folder.

    bash 3.2, which macOS ships, loads nothing from `source <(…)`.
    """
    return f"""\
# bash completion for healer; load it with: eval "$(healer completion bash)"
_healer() {{
  local place=/ words='' i
  local cur=${{COMP_WORDS[COMP_CWORD]}} prev=${{COMP_WORDS[COMP_CWORD-1]}}
  # bash makes a word of its own of each `=`
  if [ "$cur" = = ]; then cur=''; elif [ "$prev" = = ]; then prev=${{COMP_WORDS[COMP_CWORD-2]}}; fi
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "$place ${{COMP_WORDS[i]}}" in
{_steps(places, "      ")}
    esac
  done
  case "$place $prev" in
{_lines(_bash_values(places))}
    *)
      case $place in
{_lines(_bash_words(places), "        ")}
      esac ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
}}
complete -F _healer healer"""


def _bash_values(places: Sequence[Place]) -> Iterator[str]:
    for place, option in _with_values(places):
        for name in option.names:
            action = f"words='{' '.join(option.choices)}'" if option.choices else "return"
            yield f"'{place.path} {name}') {action} ;;"


def _bash_words(places: Sequence[Place]) -> Iterator[str]:
    for place in places:
        flags = [name for one in place.options for name in one.names]
        words = " ".join([*(name for name, _ in place.commands), *_positionals(place), *flags])
        if any(_is_file(one) for one in place.options):
            yield f'{place.path}) COMPREPLY=($(compgen -f -- "$cur")); return ;;'
        else:
            yield f"{place.path}) words='{words}' ;;"


def zsh(places: Sequence[Place]) -> str:
    """For `source <(healer completion zsh)`, or a file `_healer` in a folder of $fpath."""
    return f"""\
#compdef healer
# zsh completion for healer; load it with: source <(healer completion zsh)
_healer() {{
  local place=/ i
  local -a commands options values
  for ((i = 2; i < CURRENT; i++)); do
    case "$place ${{words[i]}}" in
{_steps(places, "      ")}
    esac
  done
  case "$place ${{words[CURRENT-1]}}" in
{_lines(_zsh_values(places))}
  esac
  case $place in
{_lines(_zsh_words(places))}
  esac
  (( $#commands )) && _describe -t commands command commands
  (( $#values )) && compadd -a values
  (( $#options )) && _describe -t options option options
}}
if [[ $funcstack[1] == _healer ]]; then _healer "$@"; else compdef _healer healer; fi"""


def _zsh_values(places: Sequence[Place]) -> Iterator[str]:
    for place, option in _with_values(places):
        for name in option.names:
            action = (
                f"compadd {' '.join(option.choices)}"
                if option.choices
                else f"_message {_quoted(option.takes)}"
            )
            yield f"'{place.path} {name}') {action}; return ;;"


def _zsh_words(places: Sequence[Place]) -> Iterator[str]:
    for place in places:
        commands = " ".join(_described(name, about) for name, about in place.commands)
        flags = " ".join(_described(name, one.about) for one in place.options for name in one.names)
        values = " ".join(_positionals(place))
        files = "_files; " if any(_is_file(one) for one in place.options) else ""
        yield f"{place.path}) {files}commands=({commands}) values=({values}) options=({flags}) ;;"


def _described(name: str, about: str) -> str:
    """A colon parts word and description; one in the word itself would be escaped."""
    return _quoted(f"{name.replace(':', chr(92) + ':')}:{about}")


def fish(places: Sequence[Place]) -> str:
    """For `healer completion fish | source`, or ~/.config/fish/completions/healer.fish."""
    return f"""\
# fish completion for healer; load it with: healer completion fish | source
function __healer_place
    set -l place /
    for word in (commandline -opc)[2..-1]
        switch "$place $word"
{_fish_steps(places)}
        end
    end
    echo $place
end
complete -c healer -f
{_lines(_fish_words(places), "")}"""


def _fish_steps(places: Sequence[Place]) -> str:
    return "\n".join(
        f"            case '{place.path} {name}'\n                set place {place.after(name)}"
        for place in places
        for name, _ in place.commands
    )


def _fish_words(places: Sequence[Place]) -> Iterator[str]:
    for place in places:
        here = f"complete -c healer -n 'test (__healer_place) = {place.path}'"
        for name, about in place.commands:
            yield f"{here} -a {name} -d {_fish_quoted(about)}"
        for option in place.options:
            yield f"{here} {_fish_option(option)}"


def _fish_option(option: Option) -> str:
    about = f"-d {_fish_quoted(option.about)}"
    choices = f"-a '{' '.join(option.choices)}'"
    if not option.names:
        return f"{choices} {about}" if option.choices else f"-F {about}"
    names = " ".join(
        f"-l {name[2:]}" if name.startswith("--") else f"-s {name[1:]}" for name in option.names
    )
    if not option.takes:
        return f"{names} {about}"
    return f"{names} -x {choices} {about}" if option.choices else f"{names} -x {about}"


def _steps(places: Sequence[Place], indent: str) -> str:
    """How a command leads on, for the `case` of a POSIX-like shell."""
    steps = (
        f"'{place.path} {name}') place={place.after(name)} ;;"
        for place in places
        for name, _ in place.commands
    )
    return _lines(steps, indent)


def _with_values(places: Sequence[Place]) -> Iterator[tuple[Place, Option]]:
    for place in places:
        for option in place.options:
            if option.names and option.takes:
                yield place, option


def _positionals(place: Place) -> list[str]:
    return [choice for one in place.options if not one.names for choice in one.choices]


def _is_file(option: Option) -> bool:
    return not option.names and not option.choices


def _lines(lines: Iterator[str], indent: str = "    ") -> str:
    return "\n".join(f"{indent}{line}" for line in lines)


def _quoted(words: str) -> str:
    return "'" + words.replace("'", "'\\''") + "'"


def _fish_quoted(words: str) -> str:
    return "'" + words.replace("\\", "\\\\").replace("'", "\\'") + "'"

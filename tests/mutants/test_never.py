"""I9: nothing from the never-list exists as code, and whoever wrote some would be found."""

from pathlib import Path

import pytest

import healer
from tests.mutants.never import forbidden_in

HEALER = Path(healer.__file__).parent


def test_nothing_of_the_never_list_exists_as_code() -> None:
    """Design §4, Never: no argument list, no request and no shell line could do it."""
    assert [] == forbidden_in(HEALER)


@pytest.mark.parametrize(
    ("place", "source", "what"),
    [
        ("remedies", 'run("colima", "delete", "--force")', "`delete` in an argument list"),
        ("adapters", 'commands.limactl("factory-reset")', "`factory-reset` in an argument list"),
        ("adapters", 'words = [docker, "volume", "rm", name]', "`rm` in an argument list"),
        ("engine", 'words = ("talosctl", "reset")', "`reset` in an argument list"),
        ("probes", 'run("kubectl", "port-forward", "svc/redis")', "`port-forward` in an argument"),
        ("wiring", "subprocess.run(line, shell=True)", "a shell string"),
        ("adapters", "await create_subprocess_shell(line)", "a call of create_subprocess_shell"),
        ("remedies", "shutil.rmtree(folder)", "a call of rmtree"),
        ("adapters", 'def tidy(): send(Request("DELETE", claim))', "a DELETE in tidy"),
        ("adapters", 'LINE = "sudo docker system prune -f"', "`docker system prune` in a line"),
        ("adapters", 'LINE = f"pkill {name}"', "`pkill` in a line"),
    ],
)
def test_a_forbidden_thing_is_found(place: str, source: str, what: str, tmp_path: Path) -> None:
    """Wherever it could be executed."""
    package = tmp_path / place
    package.mkdir()
    (package / "new.py").write_text(source)
    (found,) = forbidden_in(tmp_path)

    assert found.startswith(f"{place}/new.py:1: {what}")


def test_a_script_for_the_vm_is_read_too(tmp_path: Path) -> None:
    """Line by line."""
    package = tmp_path / "adapters"
    package.mkdir()
    (package / "guest.sh").write_text("docker ps\nsudo rm -rf /run/flannel\n")

    assert ["adapters/guest.sh:2: `rm -r` in a script"] == forbidden_in(tmp_path)


def test_what_is_printed_for_a_human_is_let_be(tmp_path: Path) -> None:
    """Advice is one string, and no adapter gives any."""
    package = tmp_path / "probes"
    package.mkdir()
    (package / "advice.py").write_text('ADVICE = "when you are sure: colima delete"')

    assert [] == forbidden_in(tmp_path)

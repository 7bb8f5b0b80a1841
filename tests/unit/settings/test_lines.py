"""On which line a key stands."""

import pytest

from healer.settings.lines import line_of, lines_of

TEXT = """\
# a comment = 1
services = []

[tower]  # the owner's
profile = "x"
 once.deadline = 3
[confirm."docker.forward_dead"]
over = 1
namespaces = [
  "a",
]
[[services]]
name = "a"
[[ services ]]
"host_port" = 2
"""


@pytest.mark.parametrize(
    ("key", "line"),
    [
        ("services", 2),
        ("tower", 4),
        ("tower.profile", 5),
        ("tower.once.deadline", 6),
        ("confirm.docker.forward_dead.over", 8),
        ("confirm.docker.forward_dead.namespaces[1]", 9),
        ("services[1].name", 13),
        ("services[2].host_port", 15),
        ("services[2].name", 14),
        ("tower.profile.deeper", 5),
        ("nowhere", None),
    ],
)
def test_a_key_is_found_or_what_holds_it(key: str, line: int | None) -> None:
    """Tables, lists of tables, dotted and quoted keys."""
    assert line == line_of(key, lines_of(TEXT))

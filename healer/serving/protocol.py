"""What client and server of the control socket agree on: JSON lines, one request a connection.

The client sends one line, `{"verb": …, "arguments": {…}, "version": 1}`. The server sends any
number of `{"line": "…"}` and `{"event": {…}}`, then exactly one `{"answer": {…}}` or
`{"error": {"code": …, "words": …}}`, and closes. The first event, `heard`, comes at once; while
an answer takes long, `working` comes every few seconds. A client that will wait, but wants
nothing new begun, shuts down its writing half.
"""

from typing import Final

VERSION: Final = 1
"""Counts up when an old client or server could misunderstand a new one."""
LONGEST_REQUEST: Final = 65_536
"""Bytes of a request; the longest that `healer` sends is a pause with its reason."""
WORKING_EVERY: Final = 5.0
"""Seconds between two signs of life while an answer takes long."""
FIRST_WITHIN: Final = 5.0
"""A daemon that says nothing for so long does not answer (design §10, "One pass")."""

BAD_REQUEST: Final = "bad_request"
BROKE: Final = "broke"
BUSY: Final = "busy"
FORBIDDEN: Final = "forbidden"
TOO_LONG: Final = "too_long"
TOO_SLOW: Final = "too_slow"
UNKNOWN_VERB: Final = "unknown_verb"
VERSION_DIFFERS: Final = "version"
REFUSED: Final = "refused"
"""The daemon understood and could not: its words say why."""

"""What a page of launchctl says of a job, and what all of its pages mean."""

import pytest

from healer.model.jobs import (
    LocalUrl,
    PlacedJob,
    Standing,
    WatchedJob,
    parse_local_url,
    parse_page,
    respawn_in,
    stands,
)
from healer.model.launchd import DomainKind
from tests.fakes.jobs import CADDY, placed

WATCHED = WatchedJob(CADDY)

PAGE = """gui/502/org.example.agent = {
	active count = 0
	path = (submitted by smd.5159)
	type = Submitted
	managed_by = com.apple.xpc.ServiceManagement
	state = not running

	program identifier = Contents/Helpers/agent (mode: 2)
	endpoints = {
		"org.example.agent" = {
			port = 0xdeadbeef
			active = 0
			managed = 1
			state = active
		}
	}

	domain = gui/502 [101536]
	minimum runtime = 12
	exit timeout = 10
	runs = 2
	last exit code = 0
	job state = exited

	semaphores = {
		successful exit => 0
	}
	properties = partial import | keepalive | runatload | resolve program
}
"""


def test_a_page_of_a_real_mac_is_read() -> None:
    """State, runs, rest between starts, and what brings it back; nothing of what is nested."""
    page = parse_page(PAGE)

    assert page is not None
    assert ("not running", None, "0") == (page.job.state, page.job.pid, page.job.last_exit)
    assert (2, 12.0) == (page.runs, page.throttle)
    assert (True, True, False) == (page.kept, page.rests, page.timer)


def test_what_launchd_is_about_to_start_is_kept_by_it() -> None:
    """Whatever brought it there."""
    page = parse_page("\tstate = spawn scheduled\n\truns = 7\n")

    assert page is not None
    assert page.kept
    assert not page.running


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\x00\ufffd{{{ \t= = pid = x\n\tstate\n",
        "\tstate = not running\n",
        "\truns = 1\n",
        "\tstate = running\n\truns = 1\n",
        "\tstate = not running\n\tpid = 7\n\truns = 1\n",
        "\tstate = dancing\n\truns = 1\n",
        "\tstate = not running\n\truns = -1\n",
        "\t\tstate = not running\n\t\truns = 1\n",
        "\tstate = not running\n\truns = 99999999999999999999\n",
    ],
)
def test_what_is_not_understood_is_nothing(text: str) -> None:
    """No act may follow from it."""
    assert parse_page(text) is None


@pytest.mark.parametrize(
    ("places", "how", "words"),
    [
        ([], Standing.ABSENT, "not hosted here"),
        ([placed()], Standing.RUNS, "running as pid 700"),
        ([placed(pid=None)], Standing.DOWN, "not running"),
        ([placed(pid=None, kept=True)], Standing.DOWN, "not running"),
        ([placed(pid=None, timer=True)], Standing.TIMER, "not running"),
        ([placed(timer=True)], Standing.TIMER, "running"),
        ([placed(pid=None, disabled=True)], Standing.LEFT, "somebody disabled it"),
        ([placed(pid=None, rests=True, last_exit="0")], Standing.LEFT, "lets it rest"),
        ([placed(pid=None, rests=True, last_exit="1")], Standing.DOWN, "last exit 1"),
        ([placed(pid=None, last_exit="0")], Standing.DOWN, "last exit 0"),
        ([placed(kind=DomainKind.SYSTEM, pid=None)], Standing.OF_ROOT, "system/"),
        ([placed(kind=DomainKind.SYSTEM)], Standing.RUNS, "system/"),
        (
            [placed(pid=None), placed(kind=DomainKind.USER, pid=None)],
            Standing.LEFT,
            "loaded more than once",
        ),
        ([placed(pid=None), placed(kind=DomainKind.SYSTEM)], Standing.RUNS, "system/"),
    ],
)
def test_how_a_job_stands(places: list[PlacedJob], how: Standing, words: str) -> None:
    """A job is ours to start only when it is down, in one domain of ours, and nobody's wish."""
    stood = stands(WATCHED, places)

    assert how is stood.how
    assert words in stood.why


def test_the_settings_may_leave_a_job_alone_or_call_it_a_timer() -> None:
    """`kickstart = false`, and `every` for a job by the calendar."""
    down = [placed(pid=None)]

    assert Standing.LEFT is stands(WatchedJob(CADDY, startable=False), down).how
    assert Standing.TIMER is stands(WatchedJob(CADDY, every=60.0), down).how


@pytest.mark.parametrize(
    ("place", "advice"),
    [
        (placed(kind=DomainKind.SYSTEM, pid=None), f"sudo launchctl kickstart system/{CADDY}"),
        (
            placed(pid=None, disabled=True),
            f"launchctl enable gui/501/{CADDY} && launchctl kickstart gui/501/{CADDY}",
        ),
    ],
)
def test_the_advice_can_be_typed(place: PlacedJob, advice: str) -> None:
    """Word for word."""
    assert advice == stands(WATCHED, [place]).advice


def test_launchd_has_its_turn_first() -> None:
    """As long as its own rest between two starts lasts, and a little more."""
    kept = placed(pid=None, kept=True, throttle=60.0).page

    assert 65.0 == respawn_in(kept, 0.0)
    assert 0.0 == respawn_in(kept, 70.0)
    assert 0.0 == respawn_in(placed(pid=None).page, 0.0)


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("http://127.0.0.1:3111/api/inngest", LocalUrl(3111, "/api/inngest")),
        ("http://localhost:80", LocalUrl(80, "/")),
        ("http://127.0.0.1:70000/", None),
        ("http://127.0.0.1/", None),
        ("https://127.0.0.1:1/", None),
        ("http://example.org:80/", None),
        ("http://127.0.0.1:80/ HTTP/1.1\r\nX: y", None),
        ("http://user@127.0.0.1:80/", None),
    ],
)
def test_a_jobs_address_is_on_this_mac(text: str, url: LocalUrl | None) -> None:
    """And cannot carry another line of the request."""
    assert url == parse_local_url(text)

"""Where a setting comes from, and what is said of one that is wrong."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from healer.adapters import journal_reading
from healer.core.ladders import Backoff, Budget, Remedy
from healer.core.reasons import Reason
from healer.core.tower import Layer
from healer.model.front import CaddyUrl
from healer.settings import Loaded, SettingsError, check, checking, config_path, load
from healer.settings.policy import policy_of
from healer.settings.showing import show
from healer.settings.tree import JobSettings


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A settings file that a test writes."""
    return tmp_path / "config.toml"


def read(
    path: Path, text: str, environment: Mapping[str, str] | None = None, **flags: str
) -> Loaded:
    """The settings of a file with that text."""
    path.write_text(text, encoding="utf-8")
    named = {key.replace("__", "."): value for key, value in flags.items()}
    return load(environment or {}, path.parent, path, named)


def problems(path: Path, text: str, environment: Mapping[str, str] | None = None) -> list[str]:
    """Everything that is said of it, without the name of the file."""
    with pytest.raises(SettingsError) as raised:
        read(path, text, environment)
    assert "\n".join(raised.value.problems) == str(raised.value)
    return [one.replace(f"{path}", "FILE") for one in raised.value.problems]


def test_the_named_file_counts_before_the_standard_places(tmp_path: Path) -> None:
    """$HEALER_CONFIG, then $XDG_CONFIG_HOME if it is absolute, then ~/.config."""
    home = tmp_path
    named = {"HEALER_CONFIG": "/etc/healer.toml", "XDG_CONFIG_HOME": "/xdg"}

    assert Path("/etc/healer.toml") == config_path(named, home)
    assert Path("/xdg/healer/config.toml") == config_path({"XDG_CONFIG_HOME": "/xdg"}, home)
    assert home / ".config/healer/config.toml" == config_path({"XDG_CONFIG_HOME": "x"}, home)
    assert home / ".config/healer/config.toml" == config_path({}, home)


def test_no_file_is_no_problem_unless_it_was_named(tmp_path: Path) -> None:
    """The defaults fit the owner; but a file that was asked for must be there."""
    assert load({}, tmp_path).path is None
    with pytest.raises(SettingsError, match="no such file; name another with \\$HEALER_CONFIG"):
        load({"HEALER_CONFIG": str(tmp_path / "gone.toml")}, tmp_path)


def test_a_flag_stands_over_the_environment_over_the_file(path: Path) -> None:
    """And `origins` says which of them it was, the line of the file included."""
    text = '[once]\ndeadline = "5m"\nlook_every = 3\n\n[tower]\nprofile = "work"\n'
    environment = {"HEALER_ONCE_DEADLINE": "6m", "HEALER_ONCE_LOOK_EVERY": "4s"}
    loaded = read(path, text, environment, once__deadline="7m")

    once, tower = loaded.settings.once, loaded.settings.tower
    assert (420.0, 4.0, "work") == (once.deadline, once.look_every, tower.profile)
    assert {
        "once.deadline": "flag",
        "once.look_every": "environment HEALER_ONCE_LOOK_EVERY",
        "tower.profile": f"file {path}:6",
    } == loaded.origins
    assert path == loaded.path


@pytest.mark.parametrize(
    ("name", "text", "section", "key", "value"),
    [
        ("HEALER_TOWER_MEMORY", "18GiB", "tower", "memory", 18 * 2**30),
        ("HEALER_TOWER_API_PORT", "7443", "tower", "api_port", 7443),
        ("HEALER_TOWER_NAMESPACES", "a:b", "tower", "namespaces", ("a", "b")),
        ("HEALER_TOWER_RESERVED_PORTS", "3111:8081", "tower", "reserved_ports", (3111, 8081)),
        ("HEALER_PODS_FORCE_STATEFULSETS", "true", "pods", "force_statefulsets", True),
        ("HEALER_LIVEKIT_WHEN", "always", "livekit", "when", "always"),
        ("HEALER_ENGINE_ACTS_PER_HOUR", "7", "engine", "acts_per_hour", 7),
        ("HEALER_ENGINE_STABLE", "90", "engine", "stable", 90.0),
        ("HEALER_GRACE_NODE", "2m", "grace", "node", 120.0),
        ("HEALER_FILES_STATE", "", "files", "state", None),
    ],
)
def test_the_environment_gives_every_scalar(
    tmp_path: Path, name: str, text: str, section: str, key: str, value: object
) -> None:
    """HEALER_<SECTION>_<KEY>, lists by colons; an empty variable counts as unset."""
    settings = load({name: text}, tmp_path).settings

    assert value == getattr(getattr(settings, section), key)


def test_overrides_reach_the_policy_and_leave_the_rest(path: Path) -> None:
    """What a file does not say of a remedy or a reason stays as in the table."""
    text = """
[limits.start_vm]
count = 2
backoff_cap = "5m"
[limits.reforward]
window = "20m"
cooldown = 1
settle = "30s"
cap = "40s"
[confirm."docker.forward_dead"]
samples = 4
over = "20s"
hold = "1h"
[confirm."colima.stopped"]
patience = "0s"
[grace]
apiserver = "3m"
[engine]
acts_per_hour = 5
"""
    policy = policy_of(read(path, text).settings, run="r", one_pass=False)

    start, reforward = policy.limits[Remedy.START_VM], policy.limits[Remedy.REFORWARD]
    assert (Budget(2, 3600.0), Backoff(30.0, 300.0), 780.0) == (
        start.budget,
        start.backoff,
        start.cap,
    )
    assert (Budget(3, 1200.0), 1.0, 30.0, 40.0) == (
        reforward.budget,
        reforward.cooldown,
        reforward.settle,
        reforward.cap,
    )
    dead, stopped = (
        policy.ladders[Reason.DOCKER_FORWARD_DEAD],
        policy.ladders[Reason.COLIMA_STOPPED],
    )
    assert (4, 20.0, 3600.0, 2) == (dead.samples, dead.over, dead.hold, len(dead.rungs))
    assert (2, 0.0) == (stopped.samples, stopped.patience)
    assert (Layer.TALOS, 180.0) == policy.grace[Layer.APISERVER]
    assert (Layer.TALOS, 60.0) == policy.grace[Layer.NODE]
    assert Budget(5, 3600.0) == policy.total


def test_given_services_replace_the_defaults(path: Path) -> None:
    """Another cluster has other ports; none at all is a choice too."""
    one = '[[services]]\nname = "web"\nhost_port = 80\nprotocol = "http"\npath = "/"\n'

    assert [80] == [each.host_port for each in read(path, one).settings.services]
    assert () == read(path, "services = []\n").settings.services


def test_given_jobs_replace_the_defaults(path: Path) -> None:
    """And none at all is a choice, too; a rival may be watched, if it is not to be started."""
    one = '[[jobs]]\nlabel = "com.joel.colima"\nkickstart = false\nevery = "5m"\n'

    assert [JobSettings("com.joel.colima", "", 300.0, kickstart=False)] == list(
        read(path, one).settings.jobs
    )
    assert () == read(path, "jobs = []\n").settings.jobs


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[tower]\nprofil = 1", 'FILE:2: tower.profil: unknown key; did you mean "profile"?'),
        ("[towr]\nx = 1", 'FILE:2: towr: unknown key; did you mean "tower"?'),
        (
            "[limits.start]\ncount = 1",
            'FILE:2: limits.start: unknown key; did you mean "start_vm"?',
        ),
        (
            '[confirm."docker.forwarddead"]\nover = 1',
            'FILE:2: confirm.docker.forwarddead: unknown key; did you mean "docker.forward_dead"?',
        ),
        (
            "[pods]\nzzz = 1",
            "FILE:2: pods.zzz: unknown key; known here: force_statefulsets",
        ),
        ("tower = 3", "FILE:1: tower: 3 should be a table of keys"),
        ("limits = {start_vm = 3}", "FILE:1: limits.start_vm: 3 should be a table of keys"),
        ("[tower]\napi_port = true", "FILE:2: tower.api_port: True should be a whole number from "),
        ("[tower]\napi_port = 70000", "FILE:2: tower.api_port: 70000 should be a whole number "),
        ("[tower]\nprofile = 3", "FILE:2: tower.profile: 3 should be text"),
        ('[tower]\nprofile = " "', "FILE:2: tower.profile: ' ' should not be empty"),
        ("[tower]\nrestart_policy = 3", "FILE:2: tower.restart_policy: 3 should be text"),
        ('[tower]\nmemory = "18g"', "FILE:2: tower.memory: '18g' is no size: write it as 18GiB"),
        ("[tower]\nmemory = 1.5", "FILE:2: tower.memory: 1.5 should be a whole number of bytes"),
        ("[tower]\nmemory = true", "FILE:2: tower.memory: True should be a size: 18GiB"),
        ('[tower]\nnamespaces = "a"', "FILE:2: tower.namespaces: 'a' should be a list"),
        ('[tower]\nnamespaces = ["a", 1]', "FILE:2: tower.namespaces[2]: 1 should be text"),
        ('[tower]\ncolima_home = "c"', "FILE:2: tower.colima_home: 'c' should begin with / or ~/"),
        ('[files]\npath = ["~/bin"]', "FILE:2: files.path[1]: '~/bin' should begin with /"),
        ('[livekit]\nwhen = "soon"', "FILE:2: livekit.when: 'soon' should be one of: not_ready, "),
        ("[pods]\nforce_statefulsets = 1", "FILE:2: pods.force_statefulsets: 1 should be true or"),
        ('[once]\ndeadline = "soon"', "FILE:2: once.deadline: 'soon' is no time: write it as 90s"),
        ("[once]\ndeadline = -1", "FILE:2: once.deadline: -1 should be a time of 0s or more"),
        ("[once]\ndeadline = inf", "FILE:2: once.deadline: inf should be a time of 0s or more"),
        ("[once]\ndeadline = nan", "FILE:2: once.deadline: nan should be a time of 0s or more"),
        ("[once]\ndeadline = false", "FILE:2: once.deadline: False should be a time: 90s, "),
        ("[limits.untaint]\ncount = 0", "FILE:2: limits.untaint.count: 0 should be a whole number"),
        ("services = [1]", "FILE:1: services[1]: 1 should be a table of keys"),
        (
            '[[services]]\nname = "a"\nhost_port = 1\n[[services]]\nname = "b"',
            "FILE:5: services[2]: needs host_port",
        ),
        (
            '[[jobs]]\nlabel = "a"\nhealth = "http://example.org/"',
            "FILE:3: jobs[1].health: 'http://example.org/' should be http://127.0.0.1:PORT/PATH",
        ),
        (
            '[[services]]\nname = "a"\nhost_port = "80"',
            "FILE:3: services[1].host_port: '80' should be a whole number",
        ),
    ],
)
def test_a_wrong_key_or_value_is_said_with_place_and_wanted_form(
    path: Path, text: str, said: str
) -> None:
    """File, line, key, the value as given and the form it should have; once."""
    (problem,) = problems(path, text)

    assert said in problem


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[once]\ndeadline = "10s"', "FILE: once.look_deadline: longer than once.deadline"),
        ("[daemon]\nalert_every = 0", "FILE:2: daemon.alert_every: 0 would never rest"),
        ('[calm]\ndocker = "1s"', "FILE:2: calm.docker: 1 s is a shorter rest than daemon.alert"),
        ("[once]\nlook_every = 0", "FILE:2: once.look_every: 0 would never rest"),
        ("[once]\nlook_deadline = 0", "FILE:2: once.look_deadline: 0 would make every look"),
        (
            '[limits.start_vm]\nbackoff_cap = "2h"',
            "FILE:2: limits.start_vm.backoff_cap: 7200 s is longer than the budget's window of",
        ),
        (
            '[limits.start_vm]\nbackoff_first = "20m"',
            "FILE:2: limits.start_vm.backoff_first: greater than backoff_cap",
        ),
        (
            '[limits.untaint]\nwindow = "10s"',
            "FILE: limits.untaint.cooldown: 5 s between runs never lets 12 runs happen within 10 s",
        ),
        ('[limits.untaint]\nwindow = "9d"', "FILE:2: limits.untaint.window: should be longer than"),
        ('[limits.untaint]\ncap = "0s"', "FILE:2: limits.untaint.cap: 0 would end every run"),
        (
            "[limits.force_cycle_vm]\ncount = 99\ncooldown = 1",
            "FILE:2: limits.force_cycle_vm.count: 99 runs of a disruptive remedy is no limit",
        ),
        (
            '[confirm."node.tainted"]\nover = "1h"',
            "FILE:2: confirm.node.tainted.over: takes 3600 s, and once.deadline ends a pass",
        ),
        (
            '[confirm."node.tainted"]\nsamples = 1000',
            "FILE:2: confirm.node.tainted.samples: takes 2000 s, and once.deadline",
        ),
        (
            '[[services]]\nname = "a"\nhost_port = 3111',
            "FILE:3: services[1].host_port: 3111 is in tower.reserved_ports",
        ),
        (
            '[[services]]\nname = "a"\nhost_port = 0',
            "FILE:3: services[1].host_port: 0 should be from 1 to 65535",
        ),
        (
            '[[services]]\nname = "a"\nhost_port = 1\ncontainer_port = -1',
            "FILE:4: services[1].container_port: -1 should be from 0 to 65535",
        ),
        (
            '[[services]]\nname = "a"\nhost_port = 1\nprotocol = "udp"',
            "FILE:4: services[1].protocol: 'udp' should be one of: http, redis, tcp",
        ),
        (
            '[[services]]\nname = "a"\nhost_port = 1\nprotocol = "http"',
            "services[1].path: '' should begin with /",
        ),
        (
            '[[services]]\nname = "a"\nhost_port = 1\n[[services]]\nname = "b"\nhost_port = 1',
            "FILE:6: services[2].host_port: 1 is named twice",
        ),
        (
            '[[jobs]]\nlabel = "a"\n[[jobs]]\nlabel = "a"',
            "FILE:4: jobs[2].label: a is named twice",
        ),
        ('[[jobs]]\nlabel = "-k"', "FILE:2: jobs[1].label: '-k' should be a label"),
        ('[[jobs]]\nlabel = "a/b"', "FILE:2: jobs[1].label: 'a/b' should be a label"),
        (
            '[[jobs]]\nlabel = "com.joel.colima"',
            "jobs[1].kickstart: com.joel.colima owns the tower too, and is never started",
        ),
        (
            '[tower]\nprofile = "work"\n[[jobs]]\nlabel = "io.lima-vm.autostart.colima-work"',
            "jobs[1].kickstart: io.lima-vm.autostart.colima-work owns the tower too",
        ),
        ('[[jobs]]\nlabel = "a"\nevery = "0s"', "FILE:3: jobs[1].every: 0 would be overdue"),
    ],
)
def test_settings_that_cancel_each_other_out_are_said(path: Path, text: str, said: str) -> None:
    """Each is right by itself, and together they would make one of them useless."""
    (problem,) = problems(path, text)

    assert said in problem


def test_a_bad_cooldown_beyond_the_journals_memory_is_said(path: Path) -> None:
    """The journal would forget the run before the wait was over."""
    found = problems(path, '[limits.untaint]\ncooldown = "9d"')

    assert "FILE:2: limits.untaint.cooldown: should be at most 8d" in found


def test_all_problems_are_said_at_once(path: Path) -> None:
    """Nobody mends a file one message at a time."""
    text = '[tower]\nprofil = 1\napi_port = "x"\n[once]\nlook_every = 0\n'
    found = problems(path, text, {"HEALER_ONCE_DEADLINE": "soon", "HEALER_TOWR_PROFILE": "x"})

    assert 5 == len(found)
    assert 'environment HEALER_TOWR_PROFILE: unknown; did you mean "HEALER_TOWER_PROFILE"?' in found
    assert (
        "environment HEALER_ONCE_DEADLINE: once.deadline: 'soon' is no time: "
        "write it as 90s, 10m or 1h30m" in found
    )


def test_a_variable_over_a_broken_section_is_no_traceback(path: Path) -> None:
    """The section is told; the variable cannot mend it."""
    assert ["FILE:1: tower: 3 should be a table of keys"] == problems(
        path, "tower = 3", {"HEALER_TOWER_PROFILE": "x"}
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[tower]\nprofile = work\n", "FILE: not valid TOML: Invalid value (at line 2, column 11)"),
        ("[tower\n", "(at line 1, column 7)"),
        ("[once]\ndeadline = 1\ndeadline = 2\n", "(at line 3, column 13)"),
    ],
)
def test_broken_toml_is_said_with_line_and_column(path: Path, text: str, said: str) -> None:
    """As an editor counts them."""
    (problem,) = problems(path, text)

    assert said in problem


def test_a_file_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    """A folder, or bytes that are no text: file, cause and what to do."""
    (tmp_path / "bytes.toml").write_bytes(b"[tower]\n\xff")

    assert [f"{tmp_path}: is a folder, not a file; look at it with: ls -l {tmp_path}"] == check(
        tmp_path
    )
    (said,) = check(tmp_path / "bytes.toml")
    assert said.endswith("byte 8 is not UTF-8; save the file as UTF-8")


def test_check_reads_the_file_alone(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the environment says is no fault of the file."""
    monkeypatch.setenv("HEALER_ONCE_DEADLINE", "soon")
    path.write_text("[tower]\nprofile = 'work'\n")

    assert [] == check(path)
    path.write_text("[tower]\nprofil = 'work'\n")
    assert [f'{path}:2: tower.profil: unknown key; did you mean "profile"?'] == check(path)


def test_the_journal_remembers_as_long_as_a_limit_may_be() -> None:
    """The two numbers stand in strangers' files, and are one."""
    assert checking.REMEMBERED == journal_reading.REMEMBERED


def test_a_variable_that_the_file_names_as_a_secrets_holder_is_no_setting(path: Path) -> None:
    """It may have any name, ours too; others of ours that mean nothing are still told."""
    text = '[notices]\nwebhook_url_env = "HEALER_WEBHOOK"\n'
    environment = {"HEALER_WEBHOOK": "https://h/s3cr3t"}

    assert "HEALER_WEBHOOK" == read(path, text, environment).settings.notices.webhook_url_env
    (said,) = problems(path, "", environment)
    assert said.startswith("environment HEALER_WEBHOOK: unknown")
    assert "s3cr3t" not in said


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('webhook_url_file = "/u"\nwebhook_url_env = "U"', "webhook_url_file names it too"),
        ('dead_man_url_file = "/u"\ndead_man_url_env = "U"', "dead_man_url_file names it too"),
        ('webhook_header_file = "/h"', "a header without notices.webhook_url_file is never sent"),
        ('dead_man_every = "1s"', "should be at least 5s"),
        ('digest = "hourly"', "should be one of: news, daily, off"),
        ("digest_hour = 24", "should be a whole number from 0 to 23"),
        ('webhook_url = "https://h/s3cr3t"', 'did you mean "webhook_url_env"?'),
    ],
)
def test_wrong_notices_are_told_with_their_place(path: Path, text: str, words: str) -> None:
    """Pairs that cancel each other, and secrets in the file itself, which are not quoted."""
    (said,) = problems(path, f"[notices]\n{text}\n")

    assert said.startswith("FILE:")
    assert words in said
    assert "s3cr3t" not in said


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            '[caddy]\nwatch = "maybe"',
            "FILE:2: caddy.watch: 'maybe' should be one of: found",
        ),
        ("[[caddy.urls]]\nport = 1", "caddy.urls[1]: needs url"),
        ('[[caddy.urls]]\nurl = "a.example"', "FILE:2: caddy.urls[1].url: 'a.example' should be a"),
        (
            '[[caddy.urls]]\nurl = "https://me:pw@a.example/"',
            "caddy.urls[1].url: should hold neither a user nor a fragment",
        ),
        (
            '[[caddy.urls]]\nurl = "http://a"\nport = 70000',
            "FILE:3: caddy.urls[1].port: 70000 should be from 0 to 65535",
        ),
        (
            '[[caddy.urls]]\nurl = "http://a"\nstatus = 99',
            "FILE:3: caddy.urls[1].status: 99 should be an HTTP status, or 0",
        ),
        (
            '[[caddy.urls]]\nurl = "http://a"\n[[caddy.urls]]\nurl = "http://a"',
            "FILE:4: caddy.urls[2].url: http://a is named twice",
        ),
        ("[funnel]\nport = 80", "FILE:2: funnel.port: 80 should be one of: 443, 8443, 10000"),
        ('[funnel]\ntarget = "3111"', "FILE:2: funnel.target: '3111' should be a URL such as"),
        ('[funnel]\ntarget = "http://a b"', "should be a URL such as http://127.0.0.1:3111"),
    ],
)
def test_a_wrong_wish_for_caddy_or_the_funnel_is_told(path: Path, text: str, words: str) -> None:
    """A user's password in a URL is not quoted."""
    (said,) = problems(path, text)

    assert words in said
    assert "pw" not in said


def test_urls_that_are_given_replace_the_owners(path: Path) -> None:
    """And what `config show` prints of them reads back to the same."""
    text = """
[caddy]
watch = "always"
authorities = "~/root.pem"

[[caddy.urls]]
url = "https://a.example:9443/health"
port = 8288
status = 200
expect = 'say "OK"'
"""
    settings = read(path, text).settings
    expected = CaddyUrl("https://a.example:9443/health", 8288, 200, 'say "OK"')
    assert (expected,) == settings.caddy.urls
    assert settings == read(path, show(settings)).settings

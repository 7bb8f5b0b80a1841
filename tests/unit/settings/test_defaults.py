"""Every promised default, pinned: the owner's cluster needs no file at all."""

from dataclasses import asdict
from pathlib import Path

from healer.core.ladders import GRACE, LADDERS, LIMITS, Budget
from healer.model.published import HOST_ONLY, PublishedService
from healer.settings import Settings, load
from healer.settings.policy import policy_of

DEFAULTS = {
    "tower": {
        "profile": "default",
        "colima_home": None,
        "cluster": "joelclaw",
        "container": "joelclaw-controlplane-1",
        "kubeconfig": None,
        "talosconfig": None,
        "api_port": 6443,
        "talos_port": 50000,
        "restart_policy": "unless-stopped",
        "memory": None,
        "namespaces": ("joelclaw", "default", "local-path-storage"),
        "flannel_namespace": "kube-system",
        "flannel_daemonset": "kube-flannel",
        "reserved_ports": (3111,),
    },
    "livekit": {
        "namespace": "joelclaw",
        "deployment": "livekit-server",
        "container": "livekit-server",
        "when": "not_ready",
    },
    "pods": {"force_statefulsets": False},
    "setup": {
        "worker": (
            "host.lima.internal:3111",
            "host.docker.internal:3111",
            "192.168.5.2:3111",
            "192.168.64.1:3111",
        ),
        "privileged": ("joelclaw", "local-path-storage"),
        "storage_class": "local-path",
        "metrics_server": True,
        "redis_policy": "noeviction",
        "redis_appendonly": True,
    },
    "files": {
        "state": None,
        "log": None,
        "path": (
            "/opt/homebrew/bin",
            "/usr/local/bin",
            "/usr/bin",
            "/bin",
            "/usr/sbin",
            "/sbin",
        ),
    },
    "once": {"deadline": 1200.0, "look_every": 2.0, "look_deadline": 20.0},
    "http": {"enabled": True, "port": 10120},
    "daemon": {
        "alert_every": 2.0,
        "wake_grace": 60.0,
        "boot_grace": 20.0,
        "crashes": 3,
        "crash_window": 600.0,
        "looking_only": 1800.0,
    },
    "calm": {
        "host": 60.0,
        "colima": 15.0,
        "ssh": 15.0,
        "docker": 15.0,
        "kernel": 15.0,
        "talos": 30.0,
        "apiserver": 15.0,
        "node": 60.0,
        "flannel": 60.0,
        "pods": 600.0,
        "livekit": 60.0,
        "services": 15.0,
        "launchd": 15.0,
    },
    "engine": {
        "acts_per_hour": 20,
        "stable": 600.0,
        "disable_after": 5,
        "holds_before_giving_up": 3,
        "crash_loop_boots": 3,
    },
    "grace": {"docker": None, "apiserver": None, "node": None, "flannel": None},
    "evidence": {"redact": ()},
    "certificates": {"files": (), "endpoints": ()},
    "notices": {
        "desktop": True,
        "command": (),
        "webhook_url_file": None,
        "webhook_url_env": None,
        "webhook_header_file": None,
        "webhook_header_env": None,
        "dead_man_url_file": None,
        "dead_man_url_env": None,
        "dead_man_every": 60.0,
        "dead_man_method": "GET",
        "opened_after": 120.0,
        "reported_after": 30.0,
        "healing_at_most": 900.0,
        "impaired_after": 900.0,
        "recurring": 3,
        "digest": "news",
        "digest_hour": 9,
    },
    "backup": {
        "folder": None,
        "keep": 7,
        "deadline": 120.0,
        "releases": (
            "joelclaw/livekit-server=livekit/livekit-server",
            "joelclaw/bluesky-pds",
        ),
        "pds_namespace": "joelclaw",
        "pds_deployment": "bluesky-pds",
        "pds_selector": None,
        "pds_path": "/pds",
    },
    "caddy": {
        "watch": "found",
        "label": "com.joel.caddy",
        "config": "~/.local/caddy/Caddyfile",
        "authorities": None,
        "urls": (
            *(
                {"url": f"https://panda.tail7af24.ts.net:{url}", "port": port, **more}
                for url, port, more in (
                    ("9443/health", 8288, {"status": 0, "expect": '"status":200'}),
                    ("8290/", 8289, {"status": 0, "expect": ""}),
                    ("3443/api/inngest", 3111, {"status": 200, "expect": ""}),
                    ("7443/", 7880, {"status": 0, "expect": "OK"}),
                )
            ),
            {"url": "http://localhost:8443/", "port": 0, "status": 0, "expect": ""},
        ),
    },
    "funnel": {"watch": "found", "port": 443, "target": "http://127.0.0.1:3111"},
    "limits": {},
    "confirm": {},
}


def test_every_default_is_what_was_promised() -> None:
    """A default changes on purpose, with this table, and never by accident."""
    given = asdict(Settings())
    del given["services"]
    del given["jobs"]

    assert given == DEFAULTS


def test_the_published_ports_are_the_owners() -> None:
    """Ports, protocols and answers of facts/incidents.md §6; 3111 belongs to the host."""
    expected = {
        6379: ("redis", "redis", "", "PONG"),
        8108: ("typesense", "http", "/health", '"ok":true'),
        8288: ("inngest-svc", "http", "/health", '"status":200'),
        8289: ("inngest-svc", "tcp", "", ""),
        8080: ("restate", "tcp", "", ""),
        9070: ("restate", "http", "/deployments", "deployments"),
        9071: ("restate", "tcp", "", ""),
        3838: ("docs-api", "tcp", "", ""),
        7880: ("livekit-server", "http", "/", "OK"),
        7881: ("livekit-server", "tcp", "", ""),
        9627: ("bluesky-pds", "http", "/xrpc/_health", "version"),
        30900: ("minio", "tcp", "", ""),
        30901: ("minio", "tcp", "", ""),
        31000: ("aistor", "tcp", "", ""),
        31001: ("aistor", "tcp", "", ""),
        3111: ("system-bus-worker", "http", "/api/inngest", ""),
    }

    def spoken(one: PublishedService) -> tuple[str, str, str, str]:
        return one.name, one.protocol, one.path, one.expect

    services = Settings().services
    assert expected == {one.host_port: spoken(one) for one in services}
    assert {9627: 3000} == {
        one.host_port: one.inner_port for one in services if one.inner_port != one.host_port
    }
    assert frozenset(Settings().tower.reserved_ports) == HOST_ONLY


def test_the_jobs_are_the_owners() -> None:
    """Labels and the worker's address of facts/incidents.md §2 and §6; each may be started."""
    expected = [
        ("com.joel.system-bus-worker", "http://127.0.0.1:3111/api/inngest", None, True),
        ("com.joel.caddy", "", None, True),
        ("com.joel.gateway", "", None, True),
    ]

    assert expected == [
        (one.label, one.health, one.every, one.kickstart) for one in Settings().jobs
    ]


def test_without_a_file_the_policy_is_the_tables(tmp_path: Path) -> None:
    """The numbers of limits stand in one place, the core's tables; the settings repeat none."""
    policy = policy_of(load({}, tmp_path).settings, run="r", one_pass=True)

    assert dict(LADDERS) == policy.ladders
    assert dict(LIMITS) == policy.limits
    assert dict(GRACE) == policy.grace
    assert Budget(20, 3600.0) == policy.total
    assert (600.0, 5, 3) == (policy.stable, policy.disable_after, policy.holds_before_giving_up)
    assert 3 == policy.crash_loop_boots
    assert ("r", True) == (policy.run, policy.one_pass)

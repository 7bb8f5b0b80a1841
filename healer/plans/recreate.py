"""`healer plan recreate`: the whole recreation of the cluster as a commented shell document.

Each step says why, and corrects what went wrong when it was done from memory
(facts/talos-kubernetes.md). Nothing here is ever executed by healer.
"""

from typing import Final

from healer.model.talos_config import TalosConfig
from healer.plans import machine_config, names
from healer.plans.paper import Asked, Paper, Word, compact
from healer.plans.restoring import restore
from healer.plans.tower import Tower

_GUARD: Final = (
    '[ "${PLAN_READ:-}" = yes ] || '
    '{ echo "read the plan first, then set PLAN_READ=yes" >&2; exit 64; }'
)
"""Whoever pipes it into a shell by mistake has done nothing."""
_STOP: Final = 120
"""Seconds for a clean end of Talos (facts/talos-kubernetes.md §1)."""
_MIB: Final = 1 << 20
_BILLION: Final = 10**9
_TAINT: Final = "node-role.kubernetes.io/control-plane:NoSchedule-"


def document(tower: Tower) -> str:
    """The document; the same tower is the same bytes."""
    paper = Paper()
    _head(paper, tower)
    _what_is_lost(paper, tower)
    _still(paper, tower)
    _set_aside(paper, tower)
    _create(paper, tower)
    _mend_after_create(paper, tower)
    restore(paper, tower)
    _end(paper, tower)
    return paper.text()


def _head(paper: Paper, tower: Tower) -> None:
    where = tower.where
    paper.lines.append("#!/bin/sh")
    paper.say(f"Recreation of the Talos cluster {where.cluster} (container {where.container}).")
    paper.say("healer wrote this and ran none of it. Read it whole; then run it step by step.")
    source = "the container as it is now" if tower.live else "the backup: the container is gone"
    paper.say(f"Ports, memory and CPUs are those of {source}.")
    if tower.kept is None:
        paper.say(
            "WITHOUT A BACKUP: this is only half of a plan, and what is in the cluster is lost."
        )
    else:
        paper.say(
            f"Everything else is from the backup {tower.kept.folder}, made {tower.kept.made}."
        )
    paper.lines += ["set -eu", _GUARD]


def _what_is_lost(paper: Paper, tower: Tower) -> None:
    paper.heading("What is not in the backup")
    paper.say("Data of local volumes lives in the container's anonymous volumes, and stays there.")
    for claim in tower.kept.claims if tower.kept else ():
        pds = tower.kept.pds if tower.kept else {}
        saved = claim == f"{pds.get('namespace')}/{pds.get('claim')}"
        paper.say(f"  {claim}: {'its databases are in the backup' if saved else 'not saved'}")
    paper.trap(
        "never remove the old container or prune volumes before the new cluster holds its data."
    )


def _still(paper: Paper, tower: Tower) -> None:
    profile = tower.where.profile
    paper.heading("Keep healer still, and load what the VM's kernel must have")
    paper.run("healer", "pause", "--reason", "the cluster is being recreated")
    paper.trap(
        "machine.kernel.modules, or a KernelModuleConfig, in the machine config does nothing: "
        "Talos in a container loads no module. They belong into the VM, or flannel cannot start."
    )
    vm = ("colima", "ssh", "--profile", profile, "--", "sudo")
    paper.run(*vm, "modprobe", "-a", "br_netfilter", "vxlan")
    line = "printf '%s\\n' br_netfilter vxlan > /etc/modules-load.d/healer.conf"
    paper.run(*vm, "sh", "-c", line)


def _set_aside(paper: Paper, tower: Tower) -> None:
    where = tower.where
    old = f"{where.container}-before"
    paper.heading("Set the old cluster aside, with its data")
    paper.say("A stopped container frees its ports and its address, and a renamed one its name.")
    if not tower.live:
        paper.say("There was no such container when this was written.")
    context = ("docker", "--context", _docker_context(where.profile))
    for words in (
        ("update", "--restart", "no", where.container),
        ("stop", "--time", str(_STOP), where.container),
        ("rename", where.container, old),
    ):
        paper.run(*context, *words, may_fail=not tower.live)
    paper.trap(
        "talosctl adds -1 to names that are taken (admin@joelclaw-1), and old clients then ask a "
        "dead cluster. The old entries go first, and copies of both files stay."
    )
    for path in (where.kubeconfig, where.talosconfig):
        paper.run("cp", "-p", path, f"{path}.before-recreate", may_fail=True)
    config = ("kubectl", "--kubeconfig", where.kubeconfig, "config")
    paper.run(*config, "delete-context", f"admin@{where.cluster}", may_fail=True)
    paper.run(*config, "delete-cluster", where.cluster, may_fail=True)
    paper.run(*config, "delete-user", f"admin@{where.cluster}", may_fail=True)
    talos = ("talosctl", "--talosconfig", where.talosconfig, "config")
    paper.run(*talos, "remove", where.cluster, "--noconfirm", may_fail=True)
    folder = f"{where.talos_folder}/{where.cluster}"
    paper.run("mv", "-n", folder, f"{folder}.before-recreate", may_fail=True)


def _create(paper: Paper, tower: Tower) -> None:
    where, shape = tower.where, tower.shape
    paper.heading("Create the cluster")
    config = tower.kept.config if tower.kept else TalosConfig()
    documents = machine_config.has_documents(config, shape.image)
    words: list[Word] = ["talosctl", "cluster", "create", "docker", "--name", where.cluster]
    words += ["--workers", "0", "--image", shape.image]
    if config.kubernetes:
        words += ["--kubernetes-version", config.kubernetes]
    words += ["--memory-controlplanes", _memory(paper, tower)]
    words += ["--cpus-controlplanes", _cpus(paper, tower)]
    if shape.subnet:
        words += ["--subnet", shape.subnet]
    words += _ports(paper, tower)
    for source, target, writable in shape.binds:
        words += [
            "--mount",
            f"type=bind,source={source},target={target}{'' if writable else ',readonly'}",
        ]
    paper.trap(
        "the control-plane taint comes back after each restart when it is only removed; the patch "
        "below lets Talos set none."
    )
    form = "in documents of their own" if documents else "inside of cluster and machine"
    paper.trap(
        "talosctl generates the machine config of its own version: use the one of the image "
        f"({shape.image}). From 1.14 on Kubernetes' settings stand in documents of their own, and "
        f"a patch of the other form is rejected. The patches below name them {form}."
    )
    if config.modules:
        paper.say("The old config asked for kernel modules; that was left out, see above.")
    if documents and machine_config.extra_mounts(config):
        paper.say("The old config has machine.kubelet.extraMounts, for which 1.14 has no place.")
    for patch in machine_config.patches_of(config, _node_ports(tower), documents=documents):
        words += ["--config-patch-controlplanes", compact(patch)]
    words += ["--talosconfig-destination", where.talosconfig]
    paper.run(*words)


def _node_ports(tower: Tower) -> tuple[int, ...]:
    """Those in use; a Service's node port must be the container's port that Docker publishes."""
    return tower.kept.node_ports if tower.kept else ()


def _memory(paper: Paper, tower: Tower) -> Word:
    limit = tower.shape.memory or tower.memory
    if limit:
        return f"{limit // _MIB}MiB"
    paper.say("The container has no limit of memory, and talosctl's default is only 2 GiB.")
    return paper.ask("MEMORY", "how much memory, e.g. 18GiB")


def _cpus(paper: Paper, tower: Tower) -> Word:
    paper.trap(
        "Docker refuses to start it with more CPUs than the VM has: range of CPUs is from 0.01 to N"
    )
    if tower.shape.nano_cpus:
        return f"{tower.shape.nano_cpus / _BILLION:.3f}".rstrip("0").rstrip(".")
    paper.say("The container has no limit of CPUs, and talosctl's default is only 2.")
    return paper.ask("CPUS", "how many CPUs, at most as many as the VM has")


def _ports(paper: Paper, tower: Tower) -> list[Word]:
    shape, where = tower.shape, tower.where
    paper.trap(
        f"{where.api_port} and {where.talos_port} get new random ports on the Mac unless they are "
        "named here; talosctl 1.13 and later publish both, the named and a random one."
    )
    for one in shape.chosen:
        paper.say(f"Docker chose a port for {one} at each start; it is left out.")
    ips = sorted({one.host_ip for one in shape.ports})
    words: list[Word] = []
    if len(ips) > 1:
        paper.say(
            f"The ports were bound to several addresses ({', '.join(ips)}): talosctl takes one."
        )
    elif ips:
        words += ["--host-ip", ips[0]]
    listed = ",".join(f"{one.host_port}:{one.container_port}/{one.protocol}" for one in shape.ports)
    return [*words, "--exposed-ports", listed] if listed else words


def _mend_after_create(paper: Paper, tower: Tower) -> None:
    where, shape = tower.where, tower.shape
    docker = ("docker", "--context", _docker_context(where.profile))
    paper.heading("What talosctl does not set")
    paper.trap(
        "talosctl sets no restart policy: after a reboot of the VM the container stays down."
    )
    policy = shape.restart if shape.restart not in {"", "no"} else "unless-stopped"
    paper.run(*docker, "update", "--restart", policy, where.container)
    if shape.memory:
        limit = str(shape.memory)
        paper.trap("memory above the stored swap limit is refused: both are set together.")
        words = ("--memory", limit, "--memory-swap", limit)
        paper.run(*docker, "update", *words, where.container)
    paper.run(*docker, "port", where.container)
    paper.trap(
        "kubeconfig as talosctl kubeconfig writes it names the address inside of Docker, which the "
        "Mac cannot reach. Compare with the ports above."
    )
    server = _server(paper, tower)
    config = ("kubectl", "--kubeconfig", where.kubeconfig, "config")
    paper.run(*config, "set-cluster", where.cluster, "--server", server)
    paper.run(*config, "use-context", f"admin@{where.cluster}")
    cluster = ("kubectl", "--kubeconfig", where.kubeconfig, "--context", f"admin@{where.cluster}")
    node = f"node/{where.container}"
    paper.run(*cluster, "wait", "--for=condition=Ready", node, "--timeout=600s")
    paper.say("If the patch was taken there is no such taint, and nothing to do here:")
    paper.run(*cluster, "taint", "node", where.container, _TAINT, may_fail=True)


def _server(paper: Paper, tower: Tower) -> Word:
    port = tower.shape.host_port(tower.where.api_port)
    if port is not None:
        return f"https://127.0.0.1:{port}"
    why = f"https and 127.0.0.1 with the port that docker gives {tower.where.api_port}"
    asked: Asked = paper.ask("API_SERVER", why)
    return asked


def _end(paper: Paper, tower: Tower) -> None:
    where = tower.where
    paper.heading("Let healer look, and mend what is left")
    paper.trap(
        "LiveKit's chart probes an address that cannot answer with hostNetwork, and its rolling "
        "update never ends; healer patches probes and strategy once it may."
    )
    paper.run("healer", "resume")
    paper.run("healer", "--once")
    paper.run("healer", "check")
    old = f"{where.container}-before"
    paper.say(f"Keep {old} until the new cluster has all its data: its volumes have no other name.")
    if tower.kept is not None:
        paper.say(f"The old machine config is in {tower.kept.folder}/{names.MACHINE_CONFIG}.")


def _docker_context(profile: str) -> str:
    return "colima" if profile == "default" else f"colima-{profile}"

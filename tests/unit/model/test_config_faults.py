"""What is wrong in a kubeconfig and a talosconfig, and the words that mend it."""

from pathlib import Path

import pytest

from healer.adapters.client_config import parse
from healer.model.client_config import Kind
from healer.model.config_editing import diff_of, edited
from healer.model.config_faults import Fault, Known, Wrong, faults_of, shown

CONFIG = Path("/k/my config")
KUBECONFIG = """\
apiVersion: v1
kind: Config
clusters: # by hand
- name: joelclaw
  cluster: {server: "https://127.0.0.1:64784", certificate-authority-data: c2VjcmV0}
- cluster:
    server: https://cloud.invalid
  name: cloud
contexts:
- context: {cluster: joelclaw, user: admin@joelclaw}
  name: admin@joelclaw
- {name: cloud, context: {cluster: cloud, user: cloud}}
users:
- {name: admin@joelclaw, user: {client-key-data: TOPSECRET}}
- {name: cloud, user: {token: TOPSECRET}}
current-context: admin@joelclaw
"""
TALOSCONFIG = """\
context: joelclaw
contexts:
    joelclaw:
        endpoints: ['127.0.0.1:50000'] # Docker's
        nodes:
            - 10.5.0.2
        crt: TOPSECRET
        key: TOPSECRET
"""


def judged(text: str, known: Known, kind: Kind = Kind.KUBECONFIG) -> tuple[Fault, ...]:
    """The faults of a file of this text."""
    return faults_of(parse(text, CONFIG, kind), known)


def told(faults: tuple[Fault, ...]) -> list[tuple[Wrong, str]]:
    """Kind and command of each."""
    return [(one.wrong, one.command) for one in faults]


def kubectl(words: str) -> str:
    """The command for our file."""
    return f"kubectl --kubeconfig '/k/my config' config {words}"


def talosctl(words: str) -> str:
    """The command for our file."""
    return f"talosctl --talosconfig '/k/my config' {words}"


def test_a_good_file_has_no_faults() -> None:
    """Another cluster in the same file is nobody's fault."""
    assert () == judged(KUBECONFIG, Known("joelclaw", 64784))
    assert () == judged(TALOSCONFIG, Known("joelclaw", 50000), Kind.TALOSCONFIG)


def test_a_port_that_docker_does_not_publish_is_wrong() -> None:
    """Incident 17: Docker chose another one, and it read as an API that is down."""
    command = kubectl("set-cluster joelclaw --server=https://127.0.0.1:6443")
    assert [(Wrong.WRONG_PORT, command)] == told(judged(KUBECONFIG, Known("joelclaw", 6443)))


def test_without_a_known_port_none_is_judged() -> None:
    """Not knowing is no reason to find fault."""
    assert () == judged(KUBECONFIG, Known("joelclaw"))


def test_the_endpoint_in_the_cluster_is_wrong_whatever_its_port() -> None:
    """`talosctl kubeconfig` writes it (facts/talos-kubernetes.md §1); it is one cluster's alone."""
    text = KUBECONFIG.replace("127.0.0.1:64784", "10.5.0.2:6443")
    (fault,) = judged(text, Known("joelclaw", 6443))
    assert Wrong.IN_CLUSTER == fault.wrong
    assert "https://10.5.0.2:6443" in fault.words


def test_a_name_of_somebodys_own_is_left_alone() -> None:
    """A human may reach the API by another way."""
    text = KUBECONFIG.replace("127.0.0.1:64784", "mac.tail.net:443")
    assert () == judged(text, Known("joelclaw", 6443))


def test_a_context_that_leads_nowhere_is_dead() -> None:
    """It is named with the command that removes it, and a repair never loses it."""
    text = KUBECONFIG.replace("cluster: cloud,", "cluster: gone,")
    (fault,) = judged(text, Known("joelclaw", 64784))
    assert (Wrong.DEAD_CONTEXT, kubectl("delete-context cloud")) == (fault.wrong, fault.command)
    assert "cluster gone" in fault.words
    assert () == fault.edits


CLASH = (
    KUBECONFIG.replace("contexts:\n", "contexts:\n- name: admin@joelclaw-1\n"
                       "  context: {cluster: joelclaw-1, user: cloud}\n")
    .replace("clusters: # by hand\n", "clusters:\n- name: joelclaw-1\n"
             "  cluster: {server: 'https://127.0.0.1:6443'}\n")
)  # fmt: skip


def test_a_context_of_an_earlier_cluster_is_dead_once_its_successor_is_proved() -> None:
    """Its CA fits no more; the current context that names it is wrong, too."""
    known = Known("joelclaw", 6443, proved=frozenset({"admin@joelclaw-1"}))
    expected = [
        (Wrong.DEAD_CONTEXT, kubectl("delete-context admin@joelclaw")),
        (Wrong.CURRENT_CONTEXT, kubectl("use-context admin@joelclaw-1")),
    ]
    assert expected == told(judged(CLASH, known))


def test_where_no_ca_fits_no_context_is_dead() -> None:
    """The stranger may be who answers."""
    assert () == judged(CLASH, Known("joelclaw", 6443, proved=frozenset()))


@pytest.mark.parametrize("line", ["", 'current-context: ""\n', "current-context: gone\n",
                                  "current-context:\n"])  # fmt: skip
def test_a_current_context_that_is_none_is_wrong(line: str) -> None:
    """Absent, empty or gone: kubectl asks localhost:8080 then."""
    text = KUBECONFIG.replace("current-context: admin@joelclaw\n", line)
    (fault,) = judged(text, Known("joelclaw", 64784))
    assert (Wrong.CURRENT_CONTEXT, kubectl("use-context admin@joelclaw")) == (
        fault.wrong,
        fault.command,
    )
    mended = edited(text, fault.edits)
    assert () == judged(mended, Known("joelclaw", 64784))
    assert mended.startswith(text[: text.rindex("- {name: cloud")])


def test_another_clusters_context_is_told_and_never_changed() -> None:
    """A human chose it (I15)."""
    text = KUBECONFIG.replace("current-context: admin@joelclaw", "current-context: cloud")
    (fault,) = judged(text, Known("joelclaw", 64784))
    assert (Wrong.OTHER_CONTEXT, ()) == (fault.wrong, fault.edits)


def test_a_name_that_stands_twice_is_told_with_its_lines() -> None:
    """kubectl refuses the whole file for it."""
    text = KUBECONFIG.replace("- {name: cloud, user: {token: TOPSECRET}}",
                              "- {name: admin@joelclaw, user: {}}\n- {name: cloud}")  # fmt: skip
    (fault, *_) = judged(text, Known("joelclaw", 64784))
    assert (Wrong.DUPLICATE, "vi +15 '/k/my config'") == (fault.wrong, fault.command)
    assert "lines 14 and 15" in fault.words


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("127.0.0.1:50000", "127.0.0.1:15000",
         (Wrong.WRONG_PORT, talosctl("--context joelclaw config endpoint 127.0.0.1:50000"))),
        ("127.0.0.1:50000", "10.5.0.2",
         (Wrong.IN_CLUSTER, talosctl("--context joelclaw config endpoint 127.0.0.1:50000"))),
        ("['127.0.0.1:50000']", "[]",
         (Wrong.NO_ENDPOINT, talosctl("--context joelclaw config endpoint 127.0.0.1:50000"))),
        ("- 10.5.0.2", "- 10.6.0.2",
         (Wrong.NO_NODE, talosctl("--context joelclaw config node 10.5.0.2"))),
        ("context: joelclaw", "context: old",
         (Wrong.CURRENT_CONTEXT, talosctl("config context joelclaw"))),
    ],
)  # fmt: skip
def test_a_talosconfig_is_judged_by_the_same_rules(
    old: str, new: str, expected: tuple[Wrong, str]
) -> None:
    """Endpoint, node and context, each with talosctl's own command."""
    text = TALOSCONFIG.replace(old, new, 1)
    assert [expected] == told(judged(text, Known("joelclaw", 50000), Kind.TALOSCONFIG))


def test_an_edit_moves_nothing_else() -> None:
    """Comments, order, quotes and keys stay byte for byte."""
    faults = judged(KUBECONFIG, Known("joelclaw", 6443))
    mended = edited(KUBECONFIG, [edit for one in faults for edit in one.edits])
    assert KUBECONFIG.replace("64784", "6443") == mended


def test_a_difference_never_shows_a_key() -> None:
    """In flow style the key stands on the very line that changes."""
    oneline = '{"current-context": "admin@joelclaw", "clusters": [{"name": "joelclaw", "cluster": '
    oneline += '{"server": "https://me:TOPSECRET@127.0.0.1:1", "certificate-authority-data": "'
    oneline += 'TOPSECRET"}}], "contexts": [{"name": "admin@joelclaw", "context": '
    oneline += '{"cluster": "joelclaw", "user": ""}}]}'
    faults = judged(oneline, Known("joelclaw", 6443))
    said = "\n".join(diff_of("/k", faults)) + "".join(one.words + one.command for one in faults)
    assert "TOPSECRET" not in said
    assert "-server: https://…@127.0.0.1:1" in said
    assert "+server: https://127.0.0.1:6443" in said


def test_shown_endpoints_are_whole_where_they_hold_no_password() -> None:
    """Nothing is hidden without need."""
    assert "https://a:1" == shown("https://a:1")

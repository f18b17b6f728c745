"""Who may reach whom by NetworkPolicies: against a brute force over all pairs, ports and addresses, and by hand."""

from __future__ import annotations

import itertools
import json
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st

from kubelint_ack.cli import main
from kubelint_ack.data import read_data
from kubelint_ack.decode import decode
from kubelint_ack.existence import Existence
from kubelint_ack.extract import extract
from kubelint_ack.facts import WorkloadFact, empty_facts
from kubelint_ack.knowledge import Knowledge
from kubelint_ack.ports import EVERY_PORT, NO_PORT, Ports, some_ports
from kubelint_ack.project import Member, Project
from kubelint_ack.queries.reach import ALL_IPV4, ANYBODY, Block, Connection, End, Reach, allowed, block
from kubelint_ack.report.display import width
from kubelint_ack.resource import resources
from kubelint_ack.views import view
from tests.harness import lint, write

Manifest = dict[str, Any]


def project_of(documents: list[Manifest], *, complete: bool | tuple[str, ...] = True) -> Project:
    facts = empty_facts()
    for number, document in enumerate(documents, 1):
        for resource in resources(document)[0]:
            extract(view(resource), "all.yaml", number, facts)
    return Project([Member(facts)], Knowledge(complete=complete), Existence([facts]))


def project(text: str, *, complete: bool | tuple[str, ...] = True) -> Project:
    return project_of([one.data for one in decode(text.encode()).documents], complete=complete)


def connection(text: str, source: str, target: str, *, complete: bool | tuple[str, ...] = True) -> Connection:
    answers = Reach(project(text, complete=complete), "default")
    ends = {end.label: end for end in answers.ends()}
    sides: list[End | Block] = [ends.get(one) or block(one) or ALL_IPV4 for one in (source, target)]
    return answers.connection(*sides)


# --- Against a brute force that reads the manifests themselves

NAMESPACES = ("a", "b")
LABELS = ({}, {"app": "x"}, {"app": "y"}, {"app": "x", "tier": "t"})
PORTS = ((80, "TCP"), (81, "TCP"), (82, "UDP"), (90, "TCP"), (90, "UDP"), (65535, "SCTP"))
ADDRESSES = ("10.0.0.1", "10.0.0.129", "10.1.0.1", "203.0.113.5", "255.255.255.255")
CIDRS = ("0.0.0.0/0", "10.0.0.0/8", "10.0.0.0/24", "10.0.0.128/25", "203.0.113.5/32")

labels_of = st.sampled_from(({}, {"app": "x"}, {"app": "y"}, {"tier": "t"}, {"team": "one"}))
expressions = st.lists(
    st.sampled_from(
        (
            {"key": "app", "operator": "In", "values": ["x", "z"]},
            {"key": "app", "operator": "NotIn", "values": ["x"]},
            {"key": "tier", "operator": "Exists"},
            {"key": "tier", "operator": "DoesNotExist"},
            {"key": "kubernetes.io/metadata.name", "operator": "In", "values": ["b"]},
        )
    ),
    max_size=1,
)
selectors = st.builds(
    lambda labels, parts: {
        **({"matchLabels": labels} if labels else {}),
        **({"matchExpressions": parts} if parts else {}),
    },
    labels_of,
    expressions,
)
blocks = st.builds(
    lambda cidr, without: {
        "cidr": cidr,
        "except": [one for one in without if ip_network(one).subnet_of(ip_network(cidr)) and one != cidr],
    },
    st.sampled_from(CIDRS),
    st.lists(st.sampled_from(CIDRS), max_size=2, unique=True),
)
peers = st.one_of(
    st.builds(lambda one: {"podSelector": one}, selectors),
    st.builds(lambda one: {"namespaceSelector": one}, selectors),
    st.builds(lambda one, other: {"podSelector": one, "namespaceSelector": other}, selectors, selectors),
    st.builds(lambda one: {"ipBlock": one}, blocks),
)
ports = st.one_of(
    st.just({}),
    st.builds(lambda protocol: {"protocol": protocol}, st.sampled_from(("TCP", "UDP", "SCTP"))),
    st.builds(lambda one: {"port": one[0], "protocol": one[1]}, st.sampled_from(PORTS)),
    st.builds(lambda first: {"port": first, "endPort": first + 10}, st.sampled_from((71, 80, 85))),
    st.sampled_from(({"port": "web"}, {"port": "dns", "protocol": "UDP"}, {"port": "dns"}, {"port": "none"})),
)


def rules(key: str) -> st.SearchStrategy[list[Manifest]]:
    one = st.fixed_dictionaries(
        {}, optional={key: st.lists(peers, max_size=2), "ports": st.lists(ports, min_size=1, max_size=2)}
    )
    return st.lists(one, max_size=2)


policies = st.lists(
    st.builds(
        lambda namespace, own, types, into, out: {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "NetworkPolicy",
            "metadata": {"name": "p", "namespace": namespace},
            "spec": {
                "podSelector": own,
                **({"policyTypes": types} if types else {}),
                **({"ingress": into} if into is not None else {}),
                **({"egress": out} if out is not None else {}),
            },
        },
        st.sampled_from(NAMESPACES),
        selectors,
        st.sampled_from(([], ["Ingress"], ["Egress"], ["Ingress", "Egress"])),
        st.none() | rules("from"),
        st.none() | rules("to"),
    ),
    max_size=4,
)
pods = st.lists(
    st.builds(
        lambda namespace, labels, named: {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"namespace": namespace, "labels": labels},
            "spec": {"containers": [{"name": "c", "image": "c:1", "ports": named}]},
        },
        st.sampled_from(NAMESPACES),
        st.sampled_from(LABELS),
        st.sampled_from(
            ([], [{"name": "web", "containerPort": 80}], [{"name": "dns", "containerPort": 82, "protocol": "UDP"}])
        ),
    ),
    min_size=2,
    max_size=3,
)
namespaces = st.builds(
    lambda *labels: [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": own}}
        for name, own in zip(NAMESPACES, labels)
    ],
    *(st.sampled_from(({}, {"team": "one"}, {"app": "x"})) for _ in NAMESPACES),
)


def selects(selector: Manifest, labels: Manifest) -> bool:
    if any(labels.get(key) != value for key, value in selector.get("matchLabels", {}).items()):
        return False
    for one in selector.get("matchExpressions", []):
        key, operator, values = one["key"], one["operator"], one.get("values")
        there = key in labels
        if operator == "In" and not (there and labels[key] in values):
            return False
        if operator == "NotIn" and there and labels[key] in values:
            return False
        if (operator == "Exists" and not there) or (operator == "DoesNotExist" and there):
            return False
    return True


def is_peer(peer: Manifest, policy: Manifest, other: Manifest | str, labels_of_namespaces: Manifest) -> bool:
    if "ipBlock" in peer:
        if not isinstance(other, str):
            return False
        inside = ip_address(other) in ip_network(peer["ipBlock"]["cidr"])
        return inside and not any(ip_address(other) in ip_network(one) for one in peer["ipBlock"]["except"])
    if isinstance(other, str):
        return False
    where = other["metadata"]["namespace"]
    if "namespaceSelector" in peer:
        if not selects(peer["namespaceSelector"], labels_of_namespaces[where]):
            return False
    elif where != policy["metadata"]["namespace"]:
        return False
    return "podSelector" not in peer or selects(peer["podSelector"], other["metadata"]["labels"])


def is_port(entry: Manifest, target: Manifest | str, port: int, protocol: str) -> bool:
    if entry.get("protocol", "TCP") != protocol:
        return False
    wanted = entry.get("port")
    if wanted is None:
        return True
    if isinstance(wanted, int):
        return bool(wanted <= port <= entry.get("endPort", wanted))
    if isinstance(target, str):
        return False
    return any(
        one.get("name") == wanted and one["containerPort"] == port and one.get("protocol", "TCP") == protocol
        for one in target["spec"]["containers"][0]["ports"]
    )


def lets(
    documents: list[Manifest], direction: str, pod: Manifest, other: Manifest | str, port: int, protocol: str
) -> bool:
    labels = {
        one["metadata"]["name"]: {**one["metadata"]["labels"], "kubernetes.io/metadata.name": one["metadata"]["name"]}
        for one in documents
        if one["kind"] == "Namespace"
    }
    isolated = False
    for policy in documents:
        if policy["kind"] != "NetworkPolicy" or policy["metadata"]["namespace"] != pod["metadata"]["namespace"]:
            continue
        spec = policy["spec"]
        types = spec.get("policyTypes") or (["Ingress", "Egress"] if spec.get("egress") else ["Ingress"])
        if direction not in types or not selects(spec["podSelector"], pod["metadata"]["labels"]):
            continue
        isolated = True
        key, peers_key = ("ingress", "from") if direction == "Ingress" else ("egress", "to")
        target = pod if direction == "Ingress" else other
        for rule in spec.get(key) or []:
            peer_met = not rule.get(peers_key) or any(is_peer(one, policy, other, labels) for one in rule[peers_key])
            port_met = not rule.get("ports") or any(is_port(one, target, port, protocol) for one in rule["ports"])
            if peer_met and port_met:
                return True
    return not isolated


def may(documents: list[Manifest], source: Manifest | str, target: Manifest | str, port: int, protocol: str) -> bool:
    out = isinstance(source, str) or lets(documents, "Egress", source, target, port, protocol)
    return out and (isinstance(target, str) or lets(documents, "Ingress", target, source, port, protocol))


def named(given: list[Manifest], prefix: str) -> list[Manifest]:
    return [{**one, "metadata": {**one["metadata"], "name": f"{prefix}{number}"}} for number, one in enumerate(given)]


def pairs(documents: list[Manifest]) -> list[tuple[Manifest | str, Manifest | str]]:
    every: list[Manifest | str] = [one for one in documents if one["kind"] == "Pod"]
    inside = [(one, other) for one in every for other in every if one is not other]
    outside = [pair for one in every for address in ADDRESSES for pair in ((one, address), (address, one))]
    return inside + outside


def answer(
    answers: Reach, facts: dict[str, WorkloadFact], source: Manifest | str, target: Manifest | str
) -> Connection:
    ends = [
        (block(one) or ALL_IPV4) if isinstance(one, str) else answers.pods(facts[one["metadata"]["name"]])
        for one in (source, target)
    ]
    return answers.between(ends[0], ends[1])


@settings(max_examples=150, deadline=None)
@given(namespaces, pods, policies)
def test_all_that_is_known_is_answered_as_the_brute_force_does(
    spaces: list[Manifest], some_pods: list[Manifest], some_policies: list[Manifest]
) -> None:
    documents = spaces + named(some_pods, "pod") + named(some_policies, "policy")
    made = project_of(documents)
    facts = {one.resource.id.name or "": one for one in made.workloads}
    answers = Reach(made)
    for source, target in pairs(documents):
        found = answer(answers, facts, source, target)
        assert found.sure == found.perhaps
        for port, protocol in PORTS:
            assert found.sure.has(protocol, port) == may(documents, source, target, port, protocol)


@settings(max_examples=100, deadline=None)
@given(namespaces, pods, policies, st.integers(0, 2))
def test_what_is_not_known_is_never_promised_or_excluded(
    spaces: list[Manifest], some_pods: list[Manifest], some_policies: list[Manifest], left_out: int
) -> None:
    """Without the Namespaces, or without the namespaces of policies: the truth lies between the two answers."""
    documents = spaces + named(some_pods, "pod") + named(some_policies, "policy")
    shown = documents[len(spaces) :]
    if left_out == 1:
        shown = [
            {**one, "metadata": {**one["metadata"], "namespace": None}} if one["kind"] == "NetworkPolicy" else one
            for one in documents
        ]
    if left_out == 2:
        shown = [
            {**one, "metadata": {**one["metadata"], "namespace": None}} if one["kind"] == "Pod" else one
            for one in documents
        ]
    made = project_of(shown, complete=False)
    facts = {one.resource.id.name or "": one for one in made.workloads}
    answers = Reach(made)
    for source, target in pairs(documents):
        found = answer(answers, facts, source, target)
        for port, protocol in PORTS:
            truth = may(documents, source, target, port, protocol)
            assert found.perhaps.has(protocol, port) or not truth
            assert truth or not found.sure.has(protocol, port)


@settings(max_examples=100, deadline=None)
@given(policies)
def test_the_stretches_of_addresses_are_answered_alike_throughout(some_policies: list[Manifest]) -> None:
    pod = named([{"kind": "Pod", "apiVersion": "v1", "metadata": {"namespace": "a", "labels": {"app": "x"}},
                  "spec": {"containers": [{"name": "c", "image": "c:1", "ports": []}]}}], "pod")  # fmt: skip
    made = project_of(pod + named(some_policies, "policy"))
    answers = Reach(made)
    own = answers.pods(made.workloads[0])
    stretches = answers.blocks("ingress")
    assert stretches[0].first == 0
    assert stretches[-1].last == 2**32 - 1
    assert all(one.last + 1 == other.first for one, other in itertools.pairwise(stretches))
    for one in stretches:
        found = answers.between(one, own)
        assert found.sure == found.perhaps
        for edge in (one.first, one.last):
            assert answers.between(Block(4, edge, edge), own).sure == found.sure


# --- Sets of ports

some_sets = st.lists(st.tuples(st.sampled_from(("TCP", "UDP")), st.integers(1, 20), st.integers(0, 5)), max_size=4)


@given(some_sets, some_sets)
def test_sets_of_ports_are_sets(one: list[tuple[str, int, int]], other: list[tuple[str, int, int]]) -> None:
    def made(given: list[tuple[str, int, int]]) -> tuple[Ports, set[tuple[str, int]]]:
        found = NO_PORT
        for protocol, first, more in given:
            found = found.union(some_ports(protocol, first, first + more))
        return found, {(protocol, port) for protocol, first, more in given for port in range(first, first + more + 1)}

    (a, plain_a), (b, plain_b) = made(one), made(other)
    for result, plain in ((a.union(b), plain_a | plain_b), (a.meet(b), plain_a & plain_b)):
        assert {(p, n) for p in ("TCP", "UDP") for n in range(1, 30) if result.has(p, n)} == plain
        for ranges in result:
            assert all(last + 1 < first for (_, last), (first, _) in itertools.pairwise(ranges))
    assert a.holds(b) == (plain_b <= plain_a)
    assert a.empty == (not plain_a)


def test_ports_are_written_as_people_do() -> None:
    found = some_ports("TCP", 80, 80).union(some_ports("TCP", 8000, 9000)).union(some_ports("UDP"))
    assert found.texts("ALL") == ["TCP 80,8000-9000", "UDP ALL"]
    assert some_ports("TCP", 1, 1).texts("ALL") == ["TCP 1"]
    assert EVERY_PORT.everything
    assert some_ports("ICMP") == NO_PORT
    assert some_ports("TCP", 70000, 70000) == NO_PORT


# --- By hand

SHOP = """
apiVersion: v1
kind: Namespace
metadata: {name: shop, labels: {team: shop}}
---
apiVersion: v1
kind: Namespace
metadata: {name: ops, labels: {team: ops}}
---
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop, labels: {app: web}}
spec: {containers: [{name: web, image: "web:1.0", ports: [{name: http, containerPort: 8080}]}]}
---
apiVersion: v1
kind: Pod
metadata: {name: api, namespace: shop, labels: {app: api}}
spec:
  containers:
    - {name: api, image: "api:1.0", ports: [{name: http, containerPort: 9000}, {name: metrics, containerPort: 9100}]}
---
apiVersion: v1
kind: Pod
metadata: {name: db, namespace: shop, labels: {app: db}}
spec: {containers: [{name: db, image: "db:1.0", ports: [{containerPort: 5432}]}]}
---
apiVersion: v1
kind: Pod
metadata: {name: prometheus, namespace: ops, labels: {app: prometheus}}
spec: {containers: [{name: prometheus, image: "prometheus:1.0"}]}
---
# Everything in shop is closed in both directions unless another policy opens it.
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: closed, namespace: shop}
spec:
  podSelector: {}
  policyTypes: [Ingress, Egress]
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: web, namespace: shop}
spec:
  podSelector: {matchLabels: {app: web}}
  policyTypes: [Ingress, Egress]
  ingress:
    - from: [{ipBlock: {cidr: 0.0.0.0/0, except: [10.0.0.0/8]}}]
      ports: [{port: http}]
  egress:
    - to: [{podSelector: {matchExpressions: [{key: app, operator: In, values: [api, db]}]}}]
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: api, namespace: shop}
spec:
  podSelector: {matchLabels: {app: api}}
  ingress:
    - from: [{podSelector: {matchLabels: {app: web}}}]
      ports: [{port: 9000, endPort: 9099}]
    - from: [{namespaceSelector: {matchLabels: {team: ops}}, podSelector: {matchLabels: {app: prometheus}}}]
      ports: [{port: metrics}]
  egress:
    - to: [{podSelector: {matchLabels: {app: db}}}]
      ports: [{port: 5432}]
---
# Nobody sends anything by UDP: what closed leaves of the egress of api decides.
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: db, namespace: shop}
spec:
  podSelector: {matchLabels: {app: db}}
  ingress:
    - from: [{podSelector: {matchLabels: {app: api}}}]
      ports: [{port: 5432}, {port: 5433, protocol: UDP}]
"""

# Rows: who opens the connection. What web sends to db is stopped by db alone, what db sends by closed.
MATRIX = {
    ("shop/web", "shop/api"): "TCP 9000-9099",
    ("shop/web", "shop/db"): "",
    ("shop/web", "ops/prometheus"): "",
    ("shop/api", "shop/web"): "",
    ("shop/api", "shop/db"): "TCP 5432",
    ("shop/api", "ops/prometheus"): "",
    ("shop/db", "shop/web"): "",
    ("shop/db", "shop/api"): "",
    ("shop/db", "ops/prometheus"): "",
    ("ops/prometheus", "shop/web"): "",
    ("ops/prometheus", "shop/api"): "TCP 9100",
    ("ops/prometheus", "shop/db"): "",
    ("203.0.113.9", "shop/web"): "TCP 8080",
    ("10.1.2.3", "shop/web"): "",
    ("203.0.113.9", "shop/api"): "",
    ("203.0.113.9", "ops/prometheus"): "everything",
    ("shop/web", "203.0.113.9"): "",
    ("ops/prometheus", "203.0.113.9"): "everything",
}


@pytest.mark.parametrize(("source", "target"), MATRIX, ids=lambda one: one.replace("/", "-"))
def test_two_namespaces(source: str, target: str) -> None:
    found = connection(SHOP, source, target)
    assert found.sure == found.perhaps
    text = "everything" if found.sure.everything else ", ".join(found.sure.texts("ALL"))
    assert text == MATRIX[source, target]


def test_which_policy_decides() -> None:
    found = connection(SHOP, "shop/web", "shop/db")
    assert [one.policy.name for one in found.egress.grants] == ["web"]
    assert found.ingress.grants == ()
    assert [one.name for one in found.ingress.policies] == ["closed", "db"]
    found = connection(SHOP, "ops/prometheus", "shop/api")
    assert found.egress.isolated is False
    assert [(one.policy.name, one.rule.at.route) for one in found.ingress.grants] == [("api", ("spec", "ingress", 1))]


POD = """
apiVersion: v1
kind: Pod
metadata: {{name: {name}, namespace: {namespace}, labels: {{app: {name}}}}}
spec:
  hostNetwork: {host}
  containers: [{{name: c, image: "c:1.0"}}]
"""
ONLY_TEAM = """
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: only-team, namespace: a}
spec:
  podSelector: {}
  ingress: [{from: [{namespaceSelector: {matchLabels: {team: one}}}]}]
"""


def pod(name: str, namespace: str = "a", host: str = "false") -> str:
    return POD.format(name=name, namespace=namespace, host=host)


def test_labels_of_a_namespace_outside_the_input_are_not_known() -> None:
    text = "---".join([pod("web"), pod("client", "b"), ONLY_TEAM])
    found = connection(text, "b/client", "a/web", complete=False)
    assert (found.sure, found.perhaps) == (NO_PORT, EVERY_PORT)
    # Where the input is said to hold all namespaces, one that it does not hold has no labels but its name.
    assert connection(text, "b/client", "a/web").perhaps == NO_PORT
    text = text.replace("{matchLabels: {team: one}}", "{matchLabels: {kubernetes.io/metadata.name: b}}")
    assert connection(text, "b/client", "a/web", complete=False).sure == EVERY_PORT


def test_pods_on_the_network_of_their_node_are_not_isolated_and_may_be_neighbours() -> None:
    closed = ONLY_TEAM.replace("ingress: [{from: [{namespaceSelector: {matchLabels: {team: one}}}]}]", "")
    closed = closed.replace("podSelector: {}", "podSelector: {}\n  policyTypes: [Ingress, Egress]")
    text = "---".join([pod("web"), pod("agent", host="true"), closed])
    assert connection(text, "b/unknown", "a/agent").sure == EVERY_PORT
    for source, target in (("a/agent", "a/web"), ("a/web", "a/agent")):
        found = connection(text, source, target)
        assert (found.sure, found.perhaps) == (NO_PORT, EVERY_PORT)


def test_what_a_template_leaves_open_is_perhaps_allowed() -> None:
    base = "---".join([pod("web"), pod("client"), ONLY_TEAM])
    for old, new in (
        ("{team: one}", '{team: "${TEAM}"}'),
        ("podSelector: {}", 'podSelector: "${SELECTOR}"'),
        ("ingress: [{from: [{namespaceSelector: {matchLabels: {team: one}}}]}]", 'ingress: "${RULES}"'),
        ("[{namespaceSelector: {matchLabels: {team: one}}}]", '[{ipBlock: {cidr: "${CIDR}"}}]'),
    ):
        found = connection(base.replace(old, new), "a/client", "a/web", complete=False)
        assert (found.sure, found.perhaps) == (NO_PORT, EVERY_PORT), new


def test_a_named_port_has_the_protocol_of_the_container() -> None:
    made = project(
        SHOP.replace("{name: metrics, containerPort: 9100}", "{name: metrics, containerPort: 9100, protocol: UDP}")
    )
    answers = Reach(made)
    _, api, _, prometheus = (answers.pods(one) for one in made.workloads)
    assert answers.between(prometheus, api).perhaps == NO_PORT


def test_the_question_of_access_by_port() -> None:
    made = project(SHOP)
    web, api, db, _ = made.workloads
    assert allowed(made, web, api, 9000) is True
    assert allowed(made, web, db, 5432) is False
    assert allowed(made, "100.64.0.1", web, 8080) is True
    assert allowed(made, "10.0.0.1", web, 8080) is False
    # A part of what is outside: it depends on the address.
    assert allowed(made, None, web, 8080) is None
    assert allowed(made, None, db, 5432) is False
    assert allowed(made, "nonsense", web, 8080) is None


def test_other_kinds_of_policies_leave_the_answer_open() -> None:
    made = project(SHOP + "---\napiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {name: x}\n")
    web, _, db, _ = made.workloads
    assert Reach(made).hidden
    assert allowed(made, web, db, 5432) is None


def test_somebody_of_whom_nothing_is_known() -> None:
    """An ingress controller: it may enter where a rule may mean it."""
    made = project(SHOP)
    answers = Reach(made)
    web, api, db, _ = (answers.pods(one) for one in made.workloads)
    assert answers.between(ANYBODY, web).perhaps == NO_PORT
    assert answers.between(ANYBODY, db).perhaps == NO_PORT
    found = answers.between(ANYBODY, api)
    assert (found.sure, found.perhaps.texts("ALL")) == (NO_PORT, ["TCP 9100"])


def test_pods_of_one_controller_are_one_end_and_static_pods_are_not() -> None:
    text = ""
    for name, kind in (("one", "ReplicaSet"), ("two", "ReplicaSet"), ("static", "Node")):
        owner = f"ownerReferences: [{{kind: {kind}, name: x, controller: true}}]"
        text += pod(name).replace("namespace: a,", f"namespace: a, {owner},") + "---"
    ends = Reach(project(text)).ends()
    assert [(end.kind, end.name, len(end.facts)) for end in ends] == [("ReplicaSet", "x", 2), ("Pod", "static", 1)]


def test_ipv6_has_stretches_of_its_own_where_rules_name_it() -> None:
    made = project(pod("web") + "---" + ONLY_TEAM.replace(
        "[{namespaceSelector: {matchLabels: {team: one}}}]", '[{ipBlock: {cidr: "fd00::/8"}}]'
    ))  # fmt: skip
    answers = Reach(made)
    web = answers.pods(made.workloads[0])
    got = [(one.version, answers.between(one, web).sure) for one in answers.blocks("ingress")]
    assert got == [(4, NO_PORT), (6, NO_PORT), (6, EVERY_PORT), (6, NO_PORT)]
    assert answers.blocks("ingress")[2].texts() == ["fd00::/8"]


# --- The command


def run(folder: Path, *args: str, manifest: str = SHOP, config: str = "") -> Result:
    (folder / "shop.yaml").write_text(manifest, encoding="utf-8")
    (folder / ".kubelint-ack.yaml").write_text(config, encoding="utf-8")
    return CliRunner().invoke(main, ["reach", "--root", str(folder), "-p", str(folder), *args], catch_exceptions=False)


def test_the_command_lists_what_policies_restrict_and_still_allow(tmp_path: Path) -> None:
    result = run(tmp_path)
    assert result.stdout == (
        "shop/web (Pod)\n"
        "  TCP 9000-9099: shop/api\n"
        "      egress allowed by web egress[0]; ingress allowed by api ingress[0]\n"
        "shop/api (Pod)\n"
        "  TCP 5432: shop/db\n"
        "      egress allowed by api egress[0]; ingress allowed by db ingress[0]\n"
        "ops/prometheus (Pod)\n"
        "  TCP 9100: shop/api\n"
        "      ingress allowed by api ingress[1]\n"
        "outside except 10.0.0.0/8\n"
        "  TCP 8080: shop/web\n"
        "      ingress allowed by web ingress[0]\n"
        "15 other connections are not allowed; name FROM or TO to see them.\n"
        "Selected by no policy, open to each other and to the outside: ops/prometheus\n"
    )
    assert result.exit_code == 0


def test_the_command_says_what_stands_in_the_way(tmp_path: Path) -> None:
    assert run(tmp_path, "shop/web", "shop/db").stdout == (
        "shop/web (Pod)\n  nothing: shop/db\n      ingress not allowed by closed, db\n"
    )
    assert run(tmp_path, "web", "internet", "--lang", "zh").stdout == (
        "shop/web (Pod)\n  不通: 公网\n      出方向未被 closed, web 放行\n"
    )
    assert run(tmp_path, "10.1.2.3", "shop/w*").stdout == (
        "10.1.2.3/32\n  nothing: shop/web\n      ingress not allowed by closed, web\n"
    )


def test_the_command_knows_its_parties(tmp_path: Path) -> None:
    result = run(tmp_path, "shop/wbe")
    assert result.exit_code == 2
    assert "did you mean 'shop/web'?" in result.stderr
    assert "nor an address, nor a CIDR" in run(tmp_path, "nothing-like-it").stderr
    assert "no workload" in run(tmp_path, manifest="# empty\n").stderr


def test_lines_have_at_most_80_cells(tmp_path: Path) -> None:
    long = SHOP.replace("name: closed", "name: everything-is-closed-unless-somebody-opens-it-for-a-reason")
    for language in ("en", "zh"):
        for args in ([], ["*"], ["outside"]):
            lines = run(tmp_path, *args, "--lang", language, manifest=long).stdout.splitlines()
            assert max(map(width, lines)) <= 80


def test_json_passes_its_schema_and_names_the_rules(tmp_path: Path) -> None:
    schema = json.loads(read_data("schemas/reach.schema.json"))
    jsonschema.Draft202012Validator.check_schema(schema)
    for args in ([], ["shop/web"], ["outside"]):
        data = json.loads(run(tmp_path, *args, "--format", "json").stdout)
        assert list(jsonschema.Draft202012Validator(schema).iter_errors(data)) == []
    data = json.loads(run(tmp_path, "ops/prometheus", "shop/api", "--format", "json").stdout)
    (found,) = data["targets"][0]["connections"]
    assert (found["verdict"], found["ports"]) == ("allowed", [{"protocol": "TCP", "from": 9100, "to": 9100}])
    assert [one["rule"] for one in found["ingress"]["allowedBy"]] == ["ingress[1]"]
    assert found["egress"] == {"isolated": False, "policies": [], "allowedBy": []}


def test_mermaid_groups_by_namespace_and_dots_what_is_not_certain(tmp_path: Path) -> None:
    lines = run(tmp_path, "--format", "mermaid").stdout.splitlines()
    assert lines[:2] == ["flowchart LR", '  subgraph s0_0 ["shop"]']
    assert '  n0_0 -->|"TCP 9000-9099"| n0_1' in lines
    assert '  n0_4(["outside except 10.0.0.0/8"])' in lines
    unsure = "---".join([pod("web"), pod("client", "b"), ONLY_TEAM])
    lines = run(tmp_path, "--format", "mermaid", manifest=unsure).stdout.splitlines()
    assert any('-.->|"perhaps everything"|' in line for line in lines)


INGRESS = """
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: shop, namespace: shop}
spec: {defaultBackend: {service: {name: api, port: {name: metrics}}}}
---
apiVersion: v1
kind: Service
metadata: {name: api, namespace: shop}
spec:
  selector: {app: api}
  ports: [{name: web, port: 80, targetPort: http}, {name: metrics, port: 81, targetPort: metrics}]
"""


def test_the_ingress_controller_is_a_source_that_may_be_let_in(tmp_path: Path) -> None:
    result = run(tmp_path, manifest=SHOP + "---" + INGRESS)
    assert "ingress controller\n  perhaps TCP 9100: shop/api\n" in result.stdout
    opened = SHOP.replace("{matchLabels: {team: ops}}, podSelector: {matchLabels: {app: prometheus}}", "{}")
    assert "ingress controller\n  TCP 9100: shop/api\n" in run(tmp_path, manifest=opened + "---" + INGRESS).stdout


@pytest.mark.parametrize(
    ("profile", "noted"),
    [
        ("{cni: flannel}", True),
        ("{cni: terway, terway: {networkPolicy: false}}", True),
        ("{cni: terway, terway: {mode: exclusive-eni}}", True),
        ("{cni: terway, terway: {networkPolicy: true}}", False),
        ("{cni: terway}", False),
        ("{cni: other}", False),
    ],
)
def test_a_cluster_that_enforces_nothing_is_said_to(tmp_path: Path, profile: str, noted: bool) -> None:
    result = run(tmp_path, config=f"cluster: {profile}\n")
    assert ("enforces no NetworkPolicy" in result.stdout) is noted


def test_several_targets_are_told_apart(tmp_path: Path) -> None:
    for name in ("one", "two"):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "kustomization.yaml").write_text("resources: [all.yaml]\n", encoding="utf-8")
        (folder / "all.yaml").write_text(SHOP, encoding="utf-8")
    result = run(tmp_path, "shop/web", "shop/api", manifest="# empty\n")
    assert [line for line in result.stdout.splitlines() if line.startswith("@")] == ["@one", "@two"]
    asked = ["reach", "--root", str(tmp_path), "-p", str(tmp_path / "two"), "shop/web", "shop/api"]
    only = CliRunner().invoke(main, asked, catch_exceptions=False).stdout
    assert only.startswith("shop/web")
    assert "@" not in only, "what was not asked about is not shown"


# --- Sets of policies that no cluster takes, or that cannot mean what they say

OWN = "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: own, namespace: a}\nspec:\n  "
TO_ALL = "to: [{ipBlock: {cidr: 0.0.0.0/0}}]"
SELECTED = OWN + "podSelector: {matchLabels: {app: web}}\n  "


@pytest.mark.parametrize(
    ("policies", "severity", "rule"),
    [
        (OWN + "podSelector: {matchLabels: {app@b: web}}\n", "error", "label-selector-invalid"),
        (SELECTED + "ingress: [{from: [{}]}]\n", "error", "netpol-peer-invalid"),
        (SELECTED + "ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/40}}]}]\n", "error", "netpol-ip-block-invalid"),
        # The API server takes it, and the rule opens nothing.
        (
            SELECTED
            + "policyTypes: [Egress]\n  egress: [{to: [{ipBlock: {cidr: 0.0.0.0/0}}], ports: [{port: abc}]}]\n",
            "warning",
            "netpol-port-unresolved",
        ),
        (SELECTED + "ingress: [{}]\n---\n" + SELECTED + "ingress: []\n", "warning", "duplicate-resource"),
    ],
)
def test_invalid_sets_of_policies_are_reported(tmp_path: Path, policies: str, severity: str, rule: str) -> None:
    write(tmp_path, {"all.yaml": pod("web") + "---\n" + policies})
    found = {(one.severity, one.rule) for one in lint(tmp_path, select=[]).findings}
    assert (severity, rule) in found

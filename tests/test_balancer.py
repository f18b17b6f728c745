"""What the controller makes of a Service, value by value: columns, severities and what stays silent."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from kubelint_ack import catalog
from kubelint_ack.ack import catalogue
from kubelint_ack.annotations import atoi, entries, items, port_range
from kubelint_ack.balancer import Balancer
from kubelint_ack.records import Finding, Unknown
from tests.harness import lint, write

PREFIX = "service.beta.kubernetes.io/alibaba-cloud-loadbalancer-"
NLB = "alibabacloud.com/nlb"


def balancer(kind: str = "clb", ports: str = "80", **values: object) -> Balancer:
    """Of annotations (`_` for `-`) and ports such as `80 53/UDP`."""
    annotations = {PREFIX + name.replace("_", "-"): value for name, value in values.items()}
    listed = [one.partition("/") for one in ports.split()]
    numbered = [(index, int(port), transport or "TCP", int(port)) for index, (port, _, transport) in enumerate(listed)]
    return Balancer("nlb" if kind == "nlb" else "clb", annotations, numbered)


def findings(
    folder: Path, annotations: dict[str, str], *, nlb: bool = False, ports: str = "[{port: 80}]"
) -> list[Finding]:
    lines = [f'    {PREFIX}{name}: "{value}"' for name, value in annotations.items()]
    spec = f"  loadBalancerClass: {NLB}\n" if nlb else ""
    manifest = (
        "apiVersion: v1\nkind: Service\nmetadata:\n  name: web\n  annotations:\n"
        + "\n".join(lines)
        + f"\nspec:\n  type: LoadBalancer\n{spec}  selector: {{app: web}}\n  ports: [{{port: 80}}]\n"
    )
    write(folder, {"manifest.yaml": manifest})
    return list(lint(folder, select=["loadbalancer"], presets=[]).findings)


# --- Parts of values


def test_parts_know_where_they_stand() -> None:
    value = "cn-a:vsw-1, cn-b:vsw-2::eip-3"
    assert [value[part.start : part.end] for part in items(value)] == ["cn-a:vsw-1", " cn-b:vsw-2::eip-3"]
    first, second = entries(value)
    assert [field.text for field in second.fields] == [" cn-b", "vsw-2", "", "eip-3"]
    assert value[second.fields[3].start : second.fields[3].end] == "eip-3"
    assert (second.whole.bare.text, second.whole.blank, first.whole.blank) == ("cn-b:vsw-2::eip-3", True, False)
    assert (second.field(0), second.field(9)) == ("cn-b", "")


@pytest.mark.parametrize(
    ("text", "number"),
    [("5", 5), ("+5", 5), ("-520", -520), ("5M", None), (" 5", None), ("", None), ("1e3", None), ("５", None)],
)
def test_numbers_are_read_as_go_reads_them(text: str, number: int | None) -> None:
    assert atoi(text) == number


@pytest.mark.parametrize(
    ("text", "bounds"),
    [("1-65535", (1, 65535)), ("80-80", None), ("90-80", None), ("0-5", None), ("1-65536", None), ("80", None)],
)
def test_ranges_of_ports(text: str, bounds: tuple[int, int] | None) -> None:
    assert port_range(text) == bounds


# --- What the controller finds


def test_the_newer_prefix_wins_even_if_it_is_empty() -> None:
    older = "service.beta.kubernetes.io/alicloud-loadbalancer-spec"
    both = Balancer("clb", {older: "slb.s1.small", PREFIX + "spec": ""}, [])
    assert both.state("spec") is False
    assert Balancer("clb", {older: "slb.s1.small"}, []).value("spec") == "slb.s1.small"


def test_what_only_rendering_will_show_is_neither_there_nor_absent() -> None:
    own = balancer(id=Unknown("${ID}"), spec="<size>", name="shop", cert_id="")
    assert [own.state(name) for name in ("id", "spec", "name", "cert-id", "ip")] == [None, True, True, False, False]
    assert (own.value("id"), own.value("spec"), own.value("name")) == (None, None, "shop")
    assert own.reuses is None
    assert own.manages_listeners is None


@pytest.mark.parametrize(
    ("values", "managed"),
    [
        ({}, True),
        ({"id": "lb-1"}, False),
        ({"id": "lb-1", "force_override_listeners": "true"}, True),
        ({"id": "lb-1", "force_override_listeners": "True"}, False),
        ({"id": "lb-1", "force_override_listeners": Unknown("${X}")}, None),
        ({"id": Unknown("${X}")}, None),
        ({"id": Unknown("${X}"), "force_override_listeners": "true"}, True),
    ],
)
def test_who_makes_the_listeners(values: dict[str, object], managed: bool | None) -> None:
    assert balancer(**values).manages_listeners is managed


@pytest.mark.parametrize(
    ("kind", "listed", "ports", "protocols"),
    [
        ("clb", "https:443,http:80", "443 80", ["https", "http"]),
        ("clb", "https:443", "443 22", ["https", "tcp"]),
        ("clb", "HTTPS:443", "443", [None]),
        ("nlb", "TcpSSL:443", "443 53/UDP", ["tcpssl", "udp"]),
        ("nlb", "http:80", "80", [None]),
        ("clb", "http:80,tcp:80", "80", ["http"]),
        ("clb", "http:80:x", "80", ["http"]),
        ("clb", "https:443, http:80", "443 80", ["https", None]),
        ("clb", "https:443 ", "443", ["tcp"]),
        ("clb", "http", "80", [None]),
        ("clb", "${P}:80", "80", [None]),
    ],
)
def test_protocols_of_listeners(kind: str, listed: str, ports: str, protocols: list[str | None]) -> None:
    own = balancer(kind, ports, protocol_port=listed)
    assert [one.protocol for one in own.listeners] == protocols
    assert own.listeners_known is (None not in protocols)


@pytest.mark.parametrize(
    ("kind", "values", "checked"),
    [
        ("clb", {"protocol_port": "http:80", "health_check_flag": "on"}, True),
        ("clb", {"protocol_port": "http:80", "health_check_type": "http"}, False),
        ("clb", {"health_check_type": "http"}, True),
        ("clb", {"health_check_flag": "on"}, False),
        ("clb", {"protocol_port": "http:80", "health_check_flag": Unknown("${X}")}, None),
        ("nlb", {"health_check_flag": "ON", "health_check_type": "HTTP"}, True),
        ("nlb", {"health_check_type": "http"}, False),
        ("nlb", {"health_check_flag": Unknown("${X}"), "health_check_type": "http"}, None),
    ],
)
def test_whether_a_health_check_is_by_http(kind: str, values: dict[str, object], checked: bool | None) -> None:
    assert balancer(kind, **values).http_check is checked


# --- Places inside values


@pytest.mark.parametrize(
    ("nlb", "name", "value", "rule", "piece"),
    [
        (True, "zone-maps", "cn-a:vsw-1,vsw-2:cn-b", "nlb-zone-maps-format", "vsw-2:cn-b"),
        (True, "zone-maps", "cn-a:vsw-1, vsw-2:cn-b ", "nlb-zone-maps-format", "vsw-2:cn-b"),
        (True, "zone-maps", "cn-a:vsw-1:nowhere,cn-b:vsw-2", "nlb-zone-maps-format", "nowhere"),
        (True, "zone-maps", "cn-a:vsw-1,cn-a:vsw-2", "nlb-zone-maps-single-zone", "cn-a:vsw-2"),
        (True, "security-group-ids", "sg-1, sg-2", "lb-value-whitespace", " sg-2"),
        (True, "security-group-ids", "sg-1,acl-2", "lb-value-malformed", "acl-2"),
        (True, "listener-port-range", "100-50:80", "nlb-port-range-invalid", "100-50"),
        (False, "protocol-port", "http:80,https:8443", "lb-protocol-port-unmatched", "8443"),
        (False, "protocol-port", "HTTP:80", "lb-protocol-port-protocol", "HTTP"),
        (False, "protocol-port", "http:80,tcp:80", "lb-protocol-port-unmatched", "tcp:80"),
        (False, "additional-resource-tags", "a=b, c:d", "lb-value-malformed", "c:d"),
        (False, "vgroup-port", "rsp-1:80,rsp-2", "lb-vgroup-port-format", "rsp-2"),
    ],
)
def test_the_part_that_is_wrong_is_pointed_at(
    tmp_path: Path, nlb: bool, name: str, value: str, rule: str, piece: str
) -> None:
    found = [one for one in findings(tmp_path, {name: value}, nlb=nlb) if one.rule == rule]
    assert found, "the rule reports it"
    line = f'    {PREFIX}{name}: "{value}"'
    assert [line[one.place.span.column - 1 : one.place.span.end_column - 1] for one in found] == [piece]


def test_codes_of_an_http_check_are_judged_one_by_one(tmp_path: Path) -> None:
    values = {"protocol-port": "http:80", "health-check-flag": "on", "health-check-httpcode": "http_2xx,302"}
    [found] = [one for one in findings(tmp_path, values) if one.rule == "lb-enum-invalid"]
    assert (found.severity, found.values["value"]) == ("error", "302")
    assert found.place.span.end_column - found.place.span.column == 3


@pytest.mark.parametrize(
    ("values", "rule", "message", "severity"),
    [
        ({"protocol-port": "http:80", "forward-port": "80:https"}, "clb-forward-port-invalid", "number", "error"),
        ({"protocol-port": "http:80", "forward-port": "80:443,"}, "clb-forward-port-invalid", "empty", "warning"),
        ({"vgroup-port": "rsp-1:80,", "id": "lb-1"}, "lb-vgroup-port-format", "empty", "error"),
        (
            {"ip": "10.0.0.1", "address-type": "intranet", "network-type": "classic"},
            "clb-ip-requires-intranet-vswitch",
            "classic",
            "error",
        ),
        (
            {"additional-resource-tags": ",".join(f"k{number}=v" for number in range(11))},
            "lb-value-malformed",
            "many",
            "warning",
        ),
        ({"acl-id": "acl-1,,acl-2", "acl-status": "on", "acl-type": "white"}, "lb-value-malformed", "empty", "warning"),
        ({"hostname": "Shop.example.com"}, "lb-value-malformed", "hostname", "warning"),
        ({"spec": "slb.s4.large", "instance-charge-type": "PayBySpec"}, "lb-enum-invalid", "near", "info"),
    ],
)
def test_wordings_and_severities(
    tmp_path: Path, values: dict[str, str], rule: str, message: str, severity: str
) -> None:
    told = [one for one in findings(tmp_path, values) if (one.rule, one.message) == (rule, message)]
    assert [one.severity for one in told] == [severity]
    [found] = told
    placeholders = set(re.findall(r"\{([a-z_]+)\}", catalog.texts(catalog.rules()[rule], "en").messages[message]))
    assert placeholders <= set(found.values)


def test_listeners_are_counted_over_all_services_of_a_load_balancer(tmp_path: Path) -> None:
    def service(name: str, first: int) -> str:
        ports = "".join(f"    - {{name: p{port}, port: {port}}}\n" for port in range(first, first + 30))
        return (
            f"apiVersion: v1\nkind: Service\nmetadata:\n  name: {name}\n  annotations:\n    {PREFIX}id: lb-1\n"
            f"spec:\n  type: LoadBalancer\n  selector: {{app: web}}\n  ports:\n{ports}"
        )

    services = [service(name, 1000 * index) for index, name in enumerate(("one", "two", "three"), 1)]
    write(tmp_path, {"manifest.yaml": "---\n".join(services)})
    found = [one for one in lint(tmp_path, select=["lb-too-many-ports"]).findings if one.rule == "lb-too-many-ports"]
    assert [(one.message, one.values["count"]) for one in found] == [("shared", 60)], "once, where the limit is passed"
    assert found[0].resource is not None
    assert (found[0].resource.name, len(found[0].related)) == ("two", 1)


# --- One mistake, one finding


@pytest.mark.parametrize(
    ("nlb", "values", "rules"),
    [
        (True, {"health-check-flag": "true", "health-check-interval": "5"}, ["lb-flag-invalid"]),
        (False, {"id": "lb-1", "force-override-listeners": "yes"}, ["lb-flag-invalid"]),
        (False, {"acl-type": "white"}, ["clb-acl-incomplete"]),
        (False, {"spec": "slb.s9.small"}, ["clb-spec-with-lcu"]),
        (False, {"protocol-port": "http:80,ws:81", "health-check-flag": "off"}, ["lb-protocol-port-protocol"]),
        (False, {"ip": "10.0.0.1"}, ["clb-ip-requires-intranet-vswitch"]),
        (True, {"acl-id": "acl-1"}, ["lb-annotation-ignored"]),
        (False, {"bandwidth": "50M", "charge-type": "paybybandwidth"}, ["lb-integer-invalid"]),
        (False, {"weight": "50"}, ["lb-annotation-needs-another"]),
        (False, {"persistence-time": "60"}, ["lb-annotation-unknown"]),
    ],
)
def test_each_mistake_is_told_once(tmp_path: Path, nlb: bool, values: dict[str, str], rules: list[str]) -> None:
    needed = {"zone-maps": "cn-hangzhou-k:vsw-1,cn-hangzhou-j:vsw-2"} if nlb else {}
    found = findings(tmp_path, {**needed, "address-type": "internet", **values}, nlb=nlb)
    assert [one.rule for one in found] == rules


@pytest.mark.parametrize("kind", ["clb", "nlb"])
def test_every_annotation_of_the_other_kind_is_told(tmp_path: Path, kind: str) -> None:
    known = catalogue("service").known
    foreign = [
        name
        for name, row in known.items()
        if kind not in row["readers"] and row["type"] != "special" and "/" not in name
    ]
    assert len(foreign) > 15
    found = findings(tmp_path, dict.fromkeys(foreign, "on"), nlb=kind == "nlb")
    told = [one.values["name"] for one in found if one.rule == "lb-annotation-ignored"]
    assert told == foreign
    others = {one.rule for one in found} - {"lb-annotation-ignored", "nlb-zone-maps-missing", "lb-internet-by-default"}
    assert others == set(), "what is ignored is not judged further"


@pytest.mark.parametrize("kind", ["clb", "nlb"])
def test_the_default_of_every_annotation_is_a_good_value(tmp_path: Path, kind: str) -> None:
    """Nothing is wrong with a Service that writes out what holds anyway."""
    values = {
        name: row["readers"][kind]["default"]
        for name, row in catalogue("service").known.items()
        if "default" in row["readers"].get(kind, {})
    }
    needed = {"zone-maps": "cn-hangzhou-k:vsw-1,cn-hangzhou-j:vsw-2"} if kind == "nlb" else {}
    found = findings(tmp_path, {**needed, **values}, nlb=kind == "nlb")
    assert {one.rule for one in found if one.severity == "error"} == set()
    assert {one.rule for one in found} <= {
        "lb-annotation-needs-another",
        "lb-annotation-needs-listener",
        "lb-annotation-needs-backends",
        "clb-spec-with-lcu",
        "nlb-health-check-needs-flag",
    }


# --- Whom the rules leave alone


CLOUDS = {
    "aws": "service.beta.kubernetes.io/aws-load-balancer-type: nlb-ip",
    "eks": "service.beta.kubernetes.io/aws-load-balancer-nlb-target-type: ip",
    "azure": 'service.beta.kubernetes.io/azure-load-balancer-internal: "true"',
    "gke": "networking.gke.io/load-balancer-type: Internal",
    "gcp": "cloud.google.com/load-balancer-type: Internal",
    "tke": "service.kubernetes.io/qcloud-loadbalancer-internal-subnetid: subnet-1",
    "huawei": "kubernetes.io/elb.class: union",
    "metallb": "metallb.universe.tf/address-pool: main",
}


@pytest.mark.parametrize("profile", ["", "provider: eks", "{provider: eks, kubeProxyMode: iptables}"])
def test_services_of_other_clouds_are_left_alone(tmp_path: Path, profile: str) -> None:
    """With every rule asked for, and every field in it that some rule about load balancers reads."""
    services = "---\n".join(
        f"apiVersion: v1\nkind: Service\nmetadata:\n  name: {name}\n  annotations:\n    {annotation}\n"
        "spec:\n  type: LoadBalancer\n  loadBalancerIP: 203.0.113.10\n  sessionAffinity: ClientIP\n"
        "  loadBalancerSourceRanges: [203.0.113.0/24]\n  allocateLoadBalancerNodePorts: false\n"
        "  selector: {app: web}\n  ports: [{name: a, port: 53}, {name: b, port: 53, protocol: UDP}]\n"
        for name, annotation in CLOUDS.items()
    )
    write(tmp_path, {"manifest.yaml": services})
    if profile:
        write(tmp_path, {"cluster.yaml": profile, ".kubelint-ack.yaml": "cluster: cluster.yaml\n"})
    assert [(one.rule, one.resource) for one in lint(tmp_path, select=["loadbalancer"]).findings] == []


def test_a_patch_lacks_nothing(tmp_path: Path) -> None:
    """What it does not say may stand in the object that it changes."""
    spec = f"spec:\n  type: LoadBalancer\n  loadBalancerClass: {NLB}\n"
    patch = f"apiVersion: v1\nkind: Service\nmetadata: {{name: web}}\n{spec}"
    write(tmp_path, {"patch.yaml": patch})
    found = {one.rule for one in lint(tmp_path, select=["loadbalancer"]).findings}
    assert found <= {"lb-internet-by-default"}

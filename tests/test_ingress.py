"""Which controller reads an Ingress, what an ALB makes of it, and paths as controllers read them."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from harness import write

from kubelint_ack import catalog, config, configfile, engine, sources
from kubelint_ack.facts import IngressFact
from kubelint_ack.paths import ListenPort, capture_groups, is_prefix, listen_ports, references, regex_error
from kubelint_ack.profile import Profile
from kubelint_ack.project import Project
from kubelint_ack.queries.ingress import Reading, alb_config, listeners, reading, uses_regex

ALB = "alb.ingress.kubernetes.io/"
NGINX = "nginx.ingress.kubernetes.io/"


def ingress(name: str | None = None, annotations: dict[str, str] | None = None, **spec: object) -> str:
    content: dict[str, object] = {"defaultBackend": {"service": {"name": "web", "port": {"number": 80}}}, **spec}
    if name is not None:
        content["ingressClassName"] = name
    metadata = {"name": "web", "annotations": annotations or {}}
    return yaml.safe_dump(
        {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": metadata, "spec": content}
    )


def ingress_class(name: str, controller: str, *, default: bool = False, parameters: str = "") -> str:
    annotations = {"ingressclass.kubernetes.io/is-default-class": "true"} if default else {}
    spec: dict[str, object] = {"controller": controller}
    if parameters:
        spec["parameters"] = {"apiGroup": "alibabacloud.com", "kind": "AlbConfig", "name": parameters}
    metadata = {"name": name, "annotations": annotations}
    return yaml.safe_dump(
        {"apiVersion": "networking.k8s.io/v1", "kind": "IngressClass", "metadata": metadata, "spec": spec}
    )


def alb_config_of(name: str, *ports: int) -> str:
    spec = {"listeners": [{"port": port, "protocol": "HTTP"} for port in ports]}
    return yaml.safe_dump(
        {"apiVersion": "alibabacloud.com/v1", "kind": "AlbConfig", "metadata": {"name": name}, "spec": spec}
    )


def project_of(folder: Path, documents: list[str], profile: str = "") -> tuple[IngressFact, Project, Profile]:
    """The Ingress of the documents, in the project and under the profile that a run would have."""
    files = {"all.yaml": "---\n".join(documents)}
    if profile:
        files[".kubelint-ack.yaml"] = f"cluster: {profile}\n"
    write(folder, files)
    root = str(folder)
    own = config.find_config(root)
    given = configfile.load(own, root, explicit=False) if own else config.DEFAULT
    inputs = sources.collect([root], root=root, has_root=True, exclude=(".kubelint-ack.yaml",))
    found = list(engine.projects(engine.Request(inputs, given, catalog.select(), jobs=1)))
    assert len(found) == 1
    _, project, declared = found[0]
    return project.ingresses[0], project, declared


def read(folder: Path, documents: list[str], profile: str = "") -> Reading:
    return reading(*project_of(folder, documents, profile))


ACK, AWS = "ingress.k8s.alibabacloud/alb", "ingress.k8s.aws/alb"


@pytest.mark.parametrize(
    ("documents", "profile", "controller", "certain"),
    [
        # A class in the input says all, whatever its name.
        ([ingress("nginx"), ingress_class("nginx", "nginx.org/ingress-controller")], "", "other", True),
        ([ingress("public"), ingress_class("public", "k8s.io/ingress-nginx")], "", "nginx", True),
        ([ingress("public"), ingress_class("public", "example.com/internal-ingress-nginx")], "", "nginx", True),
        ([ingress("alb", {ALB + "scheme": "internal"}), ingress_class("alb", ACK)], "", "alb", True),
        ([ingress("alb", {ALB + "order": "1"}), ingress_class("alb", AWS)], "", "other", True),
        ([ingress("gate"), ingress_class("gate", "mse.alibabacloud.com/ingress")], "", "mse", True),
        # So does one that is declared, unless the input has it too.
        ([ingress("edge")], "{ingressClasses: [{name: edge, controller: k8s.io/ingress-nginx}]}", "nginx", True),
        (
            [ingress("edge"), ingress_class("edge", ACK)],
            "{ingressClasses: [{name: edge, controller: k8s.io/ingress-nginx}]}",
            "alb",
            True,
        ),
        # A name alone.
        ([ingress("nginx")], "", "nginx", False),
        ([ingress("nginx-internal")], "", "nginx", False),
        ([ingress("apig")], "", "mse", False),
        ([ingress("higress")], "", "higress", False),
        ([ingress("traefik", {NGINX + "ssl-redirect": "true"})], "", "other", False),
        ([ingress("edge")], "", None, False),
        ([ingress("edge", {NGINX + "ssl-redirect": "true"})], "", "nginx", False),
        ([ingress("nginx", {"nginx.org/rewrites": "x"})], "", "other", False),
        ([ingress("nginx", {NGINX + "canary": "true", "mse.ingress.kubernetes.io/timeout": "1"})], "", "mse", False),
        # `alb` is AWS's name as well as Alibaba Cloud's.
        ([ingress("alb")], "", None, False),
        ([ingress("alb")], "{provider: ack}", "alb", False),
        ([ingress("alb")], "{provider: eks}", "other", False),
        ([ingress("alb", {ALB + "listen-ports": "[]"})], "", None, False),
        ([ingress("alb", {ALB + "order": "1"})], "", "alb", False),
        ([ingress("alb", {ALB + "group.name": "a"})], "{provider: ack}", "other", False),
        ([ingress("alb"), alb_config_of("shop", 80)], "", "alb", False),
        # No class: the default one, else the only controller, else whose annotations it has.
        ([ingress(None), ingress_class("alb", ACK, default=True)], "", "alb", True),
        ([ingress(None), ingress_class("alb", ACK)], "", None, False),
        ([ingress(None)], "{ingressControllers: [alb]}", "alb", False),
        ([ingress(None)], "{ingressControllers: [alb, nginx]}", None, False),
        ([ingress(None, {NGINX + "canary": "true"})], "{ingressControllers: [alb, nginx]}", "nginx", False),
        # Unknown before rendering, or two names.
        ([ingress("${CLASS}")], "", None, False),
        ([ingress("nginx", {"kubernetes.io/ingress.class": "alb"})], "{provider: ack}", None, False),
        ([ingress(None, {"kubernetes.io/ingress.class": "nginx"})], "", "nginx", False),
    ],
)
def test_who_reads_an_ingress(
    documents: list[str], profile: str, controller: str | None, certain: bool, tmp_path: Path
) -> None:
    found = read(tmp_path, documents, profile)
    assert (found.controller, found.certain) == (controller, certain)


RULES = [{"host": "a.example.com", "http": {"paths": [{"path": "/", "pathType": "Prefix"}]}}]
SECURE = [{"hosts": ["a.example.com"], "secretName": "a"}]
HTTP, HTTPS = ListenPort(80, "HTTP"), ListenPort(443, "HTTPS")


@pytest.mark.parametrize(
    ("annotations", "spec", "expected"),
    [
        ({}, {}, [HTTP]),
        ({}, {"tls": SECURE}, [HTTPS]),
        ({}, {"rules": RULES}, [HTTP]),
        ({}, {"rules": RULES, "tls": SECURE}, [HTTPS]),
        ({}, {"rules": [*RULES, {**RULES[0], "host": "b.example.com"}], "tls": SECURE}, [HTTP, HTTPS]),
        # A wildcard or an empty list covers no host, but a wildcard is one.
        ({}, {"rules": RULES, "tls": [{"hosts": ["*.example.com"]}]}, [HTTP, HTTPS]),
        ({}, {"rules": RULES, "tls": [{"secretName": "a"}]}, [HTTP]),
        ({ALB + "ssl-redirect": "true"}, {"rules": RULES, "tls": SECURE}, [HTTP, HTTPS]),
        ({NGINX + "ssl-redirect": "true"}, {"rules": RULES, "tls": SECURE}, [HTTP, HTTPS]),
        # NGINX's annotation wins, and only the very word counts.
        ({ALB + "ssl-redirect": "true", NGINX + "ssl-redirect": "1"}, {"rules": RULES, "tls": SECURE}, [HTTPS]),
        ({ALB + "listen-ports": '[{"HTTPS":8443}]'}, {"rules": RULES}, [ListenPort(8443, "HTTPS")]),
        ({ALB + "listen-ports": "[]"}, {"rules": RULES}, None),
        ({ALB + "listen-ports": "${PORTS}"}, {"rules": RULES}, None),
        ({}, {"rules": RULES, "tls": [{"hosts": ["${HOST}"]}]}, None),
    ],
)
def test_listeners_of_an_alb(
    annotations: dict[str, str], spec: dict[str, object], expected: list[ListenPort] | None, tmp_path: Path
) -> None:
    one, _, _ = project_of(tmp_path, [ingress("alb", annotations, **spec)])
    assert listeners(one) == expected


def test_the_configuration_of_an_alb_is_that_of_the_class(tmp_path: Path) -> None:
    documents = [ingress("b"), ingress_class("b", ACK, parameters="shop"), alb_config_of("shop", 80)]
    one, project, profile = project_of(tmp_path, [*documents, alb_config_of("other", 443)])
    found = alb_config(one, reading(one, project, profile), project)
    assert found is not None
    assert found.resource.id.name == "shop"
    assert [listener.port for listener in found.listeners] == [80]


def test_regular_expressions_of_an_alb(tmp_path: Path) -> None:
    """Any value of use-regex counts, a rewrite to the path itself does not, and the root never."""
    one, _, _ = project_of(tmp_path / "a", [ingress("alb", {ALB + "use-regex": "false"})])
    assert uses_regex(one, "/api")
    assert not uses_regex(one, "/")
    two, _, _ = project_of(tmp_path / "b", [ingress("alb", {ALB + "rewrite-target": "/api"})])
    assert not uses_regex(two, "/api")
    assert uses_regex(two, "/web")


@pytest.mark.parametrize(
    ("pattern", "groups"),
    [
        ("/api", 0),
        ("/api(/|$)(.*)", 2),
        ("/(?:a|b)/(.*)", 1),
        ("/(?P<name>a)(?<other>b)", 2),
        ("/(?=a)(?!b)(?<=c)(?<!d)x", 0),
        (r"/\(a\)(b)", 1),
        ("/[(]x(y)", 1),
        ("/[^)(]*", 0),
        ("/((a)(b))", 3),
    ],
)
def test_capture_groups(pattern: str, groups: int) -> None:
    assert capture_groups(pattern) == groups


@pytest.mark.parametrize(
    ("pattern", "place"),
    [("/a(b)", None), ("/a(b", (2, 3)), ("/a)b", (2, 3)), ("/[a", (1, 2)), (r"/\(a", None), ("/[(]", None)],
)
def test_what_no_regular_expression_can_have(pattern: str, place: tuple[int, int] | None) -> None:
    found = regex_error(pattern)
    assert (found and (found.start, found.end)) == place


def test_references_in_rewrite_targets() -> None:
    assert [(number, braces, part.start, part.end) for number, braces, part in references("/$1/x${12}$host")] == [
        (1, False, 1, 3),
        (12, True, 5, 10),
    ]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ('[{"HTTP":80},{"HTTPS":443}]', [HTTP, HTTPS]),
        ('[{"HTTP":80,"HTTPS":443},{"HTTP":80}]', [HTTP, HTTPS]),
        ("80", "shape"),
        ("[80]", "shape"),
        ("{", "json"),
        ("null", "empty"),
        ('[{"http":80}]', "protocol"),
        ('[{"HTTP":"80"}]', "port"),
        ('[{"HTTP":0}]', "port"),
        ('[{"HTTP":true}]', "port"),
    ],
)
def test_listen_ports(value: str, expected: list[ListenPort] | str) -> None:
    assert listen_ports(value) == expected


def test_prefixes_go_by_elements() -> None:
    assert is_prefix("/", "/a")
    assert is_prefix("/a/", "/a/b")
    assert not is_prefix("/a", "/ab")

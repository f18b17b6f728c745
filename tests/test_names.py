"""`names.py`: every expectation was judged by apimachinery/pkg/util/validation/validation.go."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubelint_ack import names
from kubelint_ack.records import Unknown

CHECKS: list[Callable[[object], str]] = [
    names.dns1123_label,
    names.dns1123_subdomain,
    names.dns1035_label,
    names.qualified_name,
    names.annotation_key,
    names.label_value,
    names.port_name,
    names.env_name,
    names.strict_env_name,
    names.config_key,
]


@pytest.mark.parametrize(
    ("check", "text", "problem"),
    [
        (names.dns1123_label, "web-1", ""),
        (names.dns1123_label, "1web", ""),
        (names.dns1123_label, "a" * 63, ""),
        (names.dns1123_label, "a" * 64, "length"),
        (names.dns1123_label, "", "empty"),
        (names.dns1123_label, "web.shop", "dots"),
        (names.dns1123_label, "Web", "case"),
        (names.dns1123_label, "Web_1", "characters"),
        (names.dns1123_label, "wéb", "characters"),
        (names.dns1123_label, "web\n", "characters"),
        (names.dns1123_label, "-web", "edge"),
        (names.dns1123_label, "web-", "edge"),
        (names.dns1123_subdomain, "web.shop-1.2", ""),
        (names.dns1123_subdomain, "a" * 253, ""),
        (names.dns1123_subdomain, "a" * 254, "length"),
        (names.dns1123_subdomain, "", "empty"),
        (names.dns1123_subdomain, "web..shop", "edge"),
        (names.dns1123_subdomain, "web-.shop", "edge"),
        (names.dns1123_subdomain, ".web", "edge"),
        (names.dns1123_subdomain, "Web.shop", "case"),
        (names.dns1123_subdomain, "web_shop", "characters"),
        (names.dns1123_subdomain, "web.shop\n", "characters"),
        (names.dns1035_label, "web-1", ""),
        (names.dns1035_label, "1web", "start"),
        (names.dns1035_label, "web-", "edge"),
        (names.dns1035_label, "a" * 64, "length"),
        (names.qualified_name, "app", ""),
        (names.qualified_name, "app.kubernetes.io/Name_1", ""),
        (names.qualified_name, "a" * 63, ""),
        (names.qualified_name, "x/" + "a" * 63, ""),
        (names.qualified_name, "x/" + "a" * 64, "length"),
        (names.qualified_name, "", "empty"),
        (names.qualified_name, "x/", "empty"),
        (names.qualified_name, "/app", "prefix"),
        (names.qualified_name, "Example.com/app", "prefix"),
        (names.qualified_name, "a_b/app", "prefix"),
        (names.qualified_name, "a/b/c", "slash"),
        (names.qualified_name, "_app", "edge"),
        (names.qualified_name, "my app", "characters"),
        (names.qualified_name, "app\n", "characters"),
        (names.annotation_key, "Example.com/App", ""),
        (names.annotation_key, "Example.com/App name", "characters"),
        (names.label_value, "", ""),
        (names.label_value, "V1.0_rc-2", ""),
        (names.label_value, "a" * 63, ""),
        (names.label_value, "a" * 64, "length"),
        (names.label_value, "1.0-", "edge"),
        (names.label_value, "my app", "characters"),
        (names.label_value, "a/b", "characters"),
        (names.label_value, "web\n", "characters"),
        (names.port_name, "http", ""),
        (names.port_name, "h2", ""),
        (names.port_name, "a" * 15, ""),
        (names.port_name, "a" * 16, "length"),
        (names.port_name, "", "empty"),
        (names.port_name, "8080", "letter"),
        (names.port_name, "http--2", "hyphens"),
        (names.port_name, "-http", "edge"),
        (names.port_name, "http-", "edge"),
        (names.port_name, "HTTP", "case"),
        (names.port_name, "http_2", "characters"),
        (names.port_name, "http.2", "characters"),
        (names.env_name, "JAVA_OPTS", ""),
        (names.env_name, "1 (a): ~", ""),
        (names.env_name, "", "empty"),
        (names.env_name, "A=B", "characters"),
        (names.env_name, "A\tB", "characters"),
        (names.env_name, "变量", "characters"),
        (names.env_name, "A\x7f", "characters"),
        (names.strict_env_name, "JAVA_OPTS", ""),
        (names.strict_env_name, "my.env-name", ""),
        (names.strict_env_name, ".a", ""),
        (names.strict_env_name, "", "empty"),
        (names.strict_env_name, "1A", "start"),
        (names.strict_env_name, "A B", "characters"),
        (names.strict_env_name, ".", "dot-name"),
        (names.strict_env_name, "..a", "dot-name"),
        (names.config_key, "app.properties", ""),
        (names.config_key, ".dockerconfigjson", ""),
        (names.config_key, "1_A-b", ""),
        (names.config_key, "a" * 253, ""),
        (names.config_key, "a" * 254, "length"),
        (names.config_key, "", "empty"),
        (names.config_key, "conf/app", "characters"),
        (names.config_key, "my key", "characters"),
        (names.fully_qualified_name, "pods.hooks.example.com", ""),
        (names.fully_qualified_name, "example.com", "parts"),
        (names.fully_qualified_name, "Pods.example.com", "case"),
        (names.domain_prefixed_path, "ingress.k8s.alibabacloud/alb", ""),
        (names.domain_prefixed_path, "k8s.io/ingress-nginx", ""),
        (names.domain_prefixed_path, "nginx", "prefix"),
        (names.domain_prefixed_path, "/nginx", "prefix"),
        (names.domain_prefixed_path, "example.com/a b", "characters"),
        (names.path_segment, "system:node", ""),
        (names.path_segment, "a/b", "characters"),
        (names.path_segment, "..", "dot-name"),
        (names.config_key, ".", "dot-name"),
        (names.config_key, "..", "dot-name"),
        (names.config_key, "..data", "dot-name"),
    ],
)
def test_grammar(check: Callable[[object], str], text: str, problem: str) -> None:
    assert check(text) == problem


@pytest.mark.parametrize("check", CHECKS)
def test_only_strings_are_judged(check: Callable[[object], str]) -> None:
    assert check(Unknown("{{ .Values.name }}")) == ""
    for value in (5, True, None, ["web"]):
        assert check(value) == "type"


@pytest.mark.parametrize(
    ("host", "service"),
    [
        ("web", ("web", None)),
        ("web.shop", ("web", "shop")),
        ("web.shop.svc", ("web", "shop")),
        ("web.shop.svc.cluster.local", ("web", "shop")),
        ("Web.Shop.svc.cluster.local.", ("web", "shop")),
        ("db-0.db.shop.svc.cluster.local", ("db", "shop")),
        ("db-0.db.shop.svc", ("db", "shop")),
        ("web.shop.pod", None),
        ("www.example.com", None),
        ("web.shop.svc.example.com", None),
        ("a.db-0.db.shop.svc", None),
        ("svc.cluster.local", None),
        ("10.1", None),
        ("10.1.2.3", None),
        ("web:80", None),
        ("http://web", None),
        ("web..svc", None),
        (".", None),
        ("", None),
        (None, None),
    ],
)
def test_service_dns(host: object, service: tuple[str, str | None] | None) -> None:
    assert names.service_dns(host) == service


def test_service_dns_of_another_cluster_domain() -> None:
    assert names.service_dns("web.shop.svc.example.com", domain="example.com") == ("web", "shop")
    assert names.service_dns("web.shop.svc.cluster.local", domain="example.com") is None


@settings(deadline=None)
@given(st.one_of(st.text(), st.text("ab1A-_./= \n", max_size=8), st.integers(), st.lists(st.text())))
def test_no_input_raises(value: Any) -> None:
    for check in CHECKS:
        assert isinstance(check(value), str)
    names.service_dns(value)

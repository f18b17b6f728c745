"""Webhook configurations and ValidatingAdmissionPolicies, with their bindings.

Restates pkg/apis/admissionregistration/validation/validation.go and apiserver/pkg/util/webhook/validation.go.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from kubelint_ack.names import dns1123_subdomain
from kubelint_ack.records import FieldPath, Hit, Route
from kubelint_ack.values import is_to_fill_in
from kubelint_ack.views import View, mapping, sequence


def _webhooks(view: View) -> Iterator[tuple[int, Mapping[str, Any]]]:
    for index, webhook in enumerate(sequence(view.data.get("webhooks"))):
        if isinstance(webhook, dict):
            yield index, webhook


# --- Where a webhook is called


def client_configs(view: View) -> Iterator[Hit]:
    """The address of a webhook, or the path at its Service."""
    for index, webhook in _webhooks(view):
        config = mapping(webhook.get("clientConfig"))
        url, path = config.get("url"), mapping(config.get("service")).get("path")
        if isinstance(url, str) and url and not is_to_fill_in(url):
            problem = _url_problem(url)
            if problem:
                yield Hit(view.at("webhooks", index, "clientConfig", "url"), message=problem, url=url)
        if isinstance(path, str) and path not in ("", "/") and not is_to_fill_in(path):
            at = view.at("webhooks", index, "clientConfig", "service", "path")
            if not path.startswith("/"):
                yield Hit(at, message="relative", path=path)
                continue
            for step in path[1:].removesuffix("/").split("/"):
                if not step or dns1123_subdomain(step):
                    yield Hit(at, message="segment" if step else "empty-segment", path=path, segment=step)
                    break


def _url_problem(url: str) -> str:
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(url)
    except ValueError:
        return "url"
    if parts.scheme != "https":
        return "scheme"
    if not parts.netloc:
        return "url"
    if "@" in parts.netloc:
        return "user"
    return "query" if parts.query or parts.fragment else ""


def review_versions(view: View) -> Iterator[Hit]:
    """Versions of the review that a webhook understands, none of which the server speaks."""
    for index, webhook in _webhooks(view):
        versions = sequence(webhook.get("admissionReviewVersions"))
        if versions and all(isinstance(one, str) and one not in ("v1", "v1beta1") for one in versions):
            at = view.at("webhooks", index, "admissionReviewVersions")
            yield Hit(at, versions=list(versions))


# --- What a webhook or a policy is asked for


def rules(view: View) -> Iterator[Hit]:
    """`*` beside what it already covers, in the rules of webhooks and policies (validateRule, validateResources)."""
    for route, rule in _rules(view):
        for field, words in (("operations", "operation"), ("apiGroups", "group"), ("apiVersions", "version")):
            listed = sequence(rule.get(field))
            if len(listed) > 1 and "*" in listed:
                yield _beside(route, field, listed, "*", words, None)
        resources = [one for one in sequence(rule.get("resources")) if isinstance(one, str)]
        if len(resources) < 2 or len(resources) < len(sequence(rule.get("resources"))):
            continue
        if "*/*" in resources:
            yield _beside(route, "resources", resources, "*/*", "resource", None)
            continue
        plain = [one for one in resources if "/" not in one and one != "*"]
        if "*" in resources and plain:
            yield _beside(route, "resources", resources, "*", "plain", plain[0])
            continue
        for one in resources:
            kind, slash, part = one.partition("/")
            covering = (f"{kind}/*", f"*/{part}") if slash and "*" not in (kind, part) else ()
            found = next((other for other in resources if other in covering), None)
            if found:
                yield _beside(route, "resources", resources, found, "covered", one)
                break


def _beside(route: Route, field: str, listed: Any, star: str, message: str, other: str | None) -> Hit:
    index = list(listed).index(star)
    beside = other or next((one for one in listed if one != star), star)
    return Hit(
        FieldPath((*route, field, index)),
        message=message,
        depends=(FieldPath((*route, field)),),
        star=star,
        other=beside,
    )


def _rules(view: View) -> Iterator[tuple[Route, Mapping[str, Any]]]:
    lists: list[tuple[Route, Any]] = []
    if view.kind.endswith("WebhookConfiguration"):
        lists = [(("webhooks", index, "rules"), webhook.get("rules")) for index, webhook in _webhooks(view)]
    else:
        field = "matchResources" if view.kind.endswith("Binding") else "matchConstraints"
        for key in ("resourceRules", "excludeResourceRules"):
            lists.append((("spec", field, key), mapping(view.spec.get(field)).get(key)))
    for route, rules in lists:
        for index, rule in enumerate(sequence(rules)):
            if isinstance(rule, dict):
                yield (*route, index), rule


# --- Policies


def policy(view: View) -> Iterator[Hit]:
    """A policy that decides nothing, or whose validations say nothing (validateValidatingAdmissionPolicySpec)."""
    validations, audits = view.spec.get("validations"), view.spec.get("auditAnnotations")
    if not isinstance(view.data.get("spec"), dict):
        return
    if not validations and not audits:
        yield Hit(view.at("spec", "validations"), message="nothing", depends=(view.at("spec", "auditAnnotations"),))
    constraints = view.spec.get("matchConstraints")
    if isinstance(constraints, dict) and not constraints.get("resourceRules"):
        yield Hit(view.at("spec", "matchConstraints", "resourceRules"), message="rules")
    for index, one in enumerate(sequence(validations)):
        for field in ("expression", "message", "messageExpression"):
            written = mapping(one).get(field)
            at = view.at("spec", "validations", index, field)
            if not isinstance(written, str) or (field == "expression" and not written):
                continue
            if written and not written.strip():
                yield Hit(at, message="blank", field=field)
            elif field == "message" and "\n" in written.strip():
                yield Hit(at, message="lines")


def binding(view: View) -> Iterator[Hit]:
    """Actions of a binding that repeat each other."""
    actions = view.spec.get("validationActions")
    if "Deny" in sequence(actions) and "Warn" in sequence(actions):
        at = view.at("spec", "validationActions", list(sequence(actions)).index("Warn"))
        yield Hit(at, depends=(view.at("spec", "validationActions"),))

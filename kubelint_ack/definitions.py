"""CustomResourceDefinitions: what the API server refuses in them, apart from the mistakes that any object may have.

Restates apiextensions-apiserver, pkg/apis/apiextensions/validation/validation.go of kubernetes/kubernetes. All but the
name is asked of apiextensions.k8s.io/v1 only. The schemas are walked once for all rules.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

from kubelint_ack import cel
from kubelint_ack.crd_schema import VALIDATIONS, SchemaMistake, children, schema_mistakes
from kubelint_ack.custom_schema import compile_custom
from kubelint_ack.names import dns1035_label, dns1123_subdomain
from kubelint_ack.records import FieldPath, Hit, Related, Route, Unknown, field_text
from kubelint_ack.schema import Node, validate
from kubelint_ack.views import View, mapping, sequence


def name_mismatch(view: View) -> Iterator[Hit]:
    """A name that is not the plural and the group."""
    plural, group = view.get("spec", "names", "plural"), view.get("spec", "group")
    if view.name and isinstance(plural, str) and isinstance(group, str) and plural and group:
        expected = f"{plural}.{group}"
        if view.name != expected:
            yield Hit(view.at("metadata", "name").value, name=view.name, expected=expected)


_APPROVAL = "api-approved.kubernetes.io"


def group_invalid(view: View) -> Iterator[Hit]:
    """A group that is no domain, or one of the community's without its approval."""
    group = view.spec.get("group")
    if not isinstance(group, str) or not group or not _is_current_crd(view):
        return
    at = view.at("spec", "group").value
    if dns1123_subdomain(group):
        yield Hit(at, group=group)
    elif "." not in group:
        yield Hit(at, message="dot", group=group)
    elif f".{group}".endswith((".k8s.io", ".kubernetes.io")):
        approval = view.annotations.get(_APPROVAL)
        if approval in (None, ""):
            yield Hit(at, message="approval", group=group, annotation=_APPROVAL)
        elif isinstance(approval, str) and not approval.startswith("unapproved") and not _is_url(approval):
            where = view.at("metadata", "annotations", _APPROVAL).value
            yield Hit(where, message="approval-invalid", group=group, annotation=_APPROVAL, value=approval)


def _is_url(text: str) -> bool:
    scheme, separator, rest = text.partition("://")
    return bool(scheme and separator and rest.partition("/")[0])


def _is_current_crd(view: View) -> bool:
    return view.id.version == "v1"


def names_invalid(view: View) -> Iterator[Hit]:
    """Names of the kind and its resource that are no DNS labels, and a list kind that equals the kind."""
    names = mapping(view.spec.get("names"))
    for key in ("plural", "singular", "kind", "listKind"):
        name = names.get(key)
        if isinstance(name, str) and name and dns1035_label(name.lower() if "ind" in key else name):
            yield Hit(view.at("spec", "names", key).value, message="kind" if "ind" in key else "default", name=name)
    for key in ("shortNames", "categories"):
        for index, name in enumerate(sequence(names.get(key))):
            if isinstance(name, str) and dns1035_label(name):
                yield Hit(view.at("spec", "names", key, index), name=name)
    kind = names.get("kind")
    if isinstance(kind, str) and kind and kind == names.get("listKind"):
        yield Hit(view.at("spec", "names", "listKind").value, message="same", name=kind)


_MOST_WARNING = 256


def versions_invalid(view: View) -> Iterator[Hit]:
    """Versions of equal or wrong names, none or several that are stored, and wrong warnings of deprecation."""
    if not _is_current_crd(view) or not isinstance(view.spec.get("versions"), list):
        return
    stored: list[FieldPath] = []
    known = True
    first: dict[str, FieldPath] = {}
    for index, version in _versions(view):
        name, storage = version.get("name"), version.get("storage")
        at = view.at("spec", "versions", index, "name").value
        if isinstance(name, str) and name:
            if name in first:
                yield Hit(at, message="twice", name=name, related=(Related(first[name], note="first"),))
            elif dns1035_label(name):
                yield Hit(at, message="name", name=name)
            first.setdefault(name, at)
        known = known and (storage is None or isinstance(storage, bool))
        if storage is True:
            stored.append(view.at("spec", "versions", index, "storage"))
        yield from _deprecation_warning(view, index, version)
    if len(stored) > 1:
        yield Hit(stored[1], message="storage-several", related=(Related(stored[0], note="storage"),))
    elif not stored and known and not any(isinstance(one, Unknown) for one in view.spec["versions"]):
        yield Hit(view.at("spec", "versions").key, message="storage-none")


def _versions(view: View) -> Iterator[tuple[int, Mapping[str, Any]]]:
    for index, version in enumerate(sequence(view.spec.get("versions"))):
        if isinstance(version, dict):
            yield index, version


def _deprecation_warning(view: View, index: int, version: Mapping[str, Any]) -> Iterator[Hit]:
    warning = version.get("deprecationWarning")
    at = view.at("spec", "versions", index, "deprecationWarning")
    if not isinstance(warning, str):
        return
    if version.get("deprecated") in (None, False):
        yield Hit(at, message="warning-not-deprecated")
    elif not warning:
        yield Hit(at, message="warning-empty")
    elif len(warning) > _MOST_WARNING:
        yield Hit(at, message="warning-long", length=len(warning), limit=_MOST_WARNING)
    elif not warning.isprintable():
        yield Hit(at, message="warning-characters")


def schema_missing(view: View) -> Iterator[Hit]:
    """Versions without a schema, and the switch that keeps unknown fields everywhere."""
    if not _is_current_crd(view):
        return
    if view.spec.get("preserveUnknownFields") is True:
        yield Hit(view.at("spec", "preserveUnknownFields"), message="preserve")
    for index, version in _versions(view):
        schema = version.get("schema")
        if schema is None or (isinstance(schema, dict) and schema.get("openAPIV3Schema") is None):
            at = ("schema", "openAPIV3Schema") if isinstance(schema, dict) else ("schema",)
            yield Hit(view.at("spec", "versions", index, *at), name=str(version.get("name", "")))


@lru_cache(maxsize=1)
def _schema_mistakes(view: View) -> list[SchemaMistake]:
    """The mistakes in the schemas of all versions, with their routes in the object."""
    found = []
    for index, version in _versions(view) if _is_current_crd(view) else ():
        schema = mapping(version.get("schema")).get("openAPIV3Schema")
        if isinstance(schema, dict):
            has_status = mapping(version.get("subresources")).get("status") is not None
            top = ("spec", "versions", index, "schema", "openAPIV3Schema")
            found += [one._replace(route=(*top, *one.route)) for one in schema_mistakes(schema, has_status)]
    return found


def schema_hits(view: View, rule: str) -> Iterator[Hit]:
    """The mistakes in the schemas that a rule reports."""
    for one in _schema_mistakes(view):
        if one.rule == rule:
            yield Hit(view.at(*one.route), message=one.message, **one.values)


def rule_syntax(view: View) -> Iterator[Hit]:
    """CEL rules that are no CEL; nothing without the library."""
    if not cel.is_available():
        return
    for index, version in _versions(view) if _is_current_crd(view) else ():
        schema = mapping(version.get("schema")).get("openAPIV3Schema")
        top = ("spec", "versions", index, "schema", "openAPIV3Schema")
        pending: list[tuple[Route, Mapping[str, Any]]] = [(top, schema)] if isinstance(schema, dict) else []
        while pending:
            route, node = pending.pop()
            for number, rule in enumerate(sequence(node.get(VALIDATIONS))):
                text = mapping(rule).get("rule")
                problem = cel.syntax_error(text) if isinstance(text, str) and text.strip() else ""
                if problem:
                    yield Hit(view.at(*route, VALIDATIONS, number, "rule"), message="syntax", detail=problem)
            pending += [((*route, *inner), one) for inner, one, _ in children(node)]


_MOST_SELECTABLE = 8


def json_path_invalid(view: View) -> Iterator[Hit]:
    """Paths of printer columns, of the scale subresource and of selectable fields."""
    for index, version in _versions(view) if _is_current_crd(view) else ():
        top = ("spec", "versions", index)
        for number, column in enumerate(sequence(version.get("additionalPrinterColumns"))):
            path = mapping(column).get("jsonPath")
            if isinstance(path, str) and path and not path.startswith("."):
                yield Hit(view.at(*top, "additionalPrinterColumns", number, "jsonPath").value, path=path)
        scale = mapping(mapping(version.get("subresources")).get("scale"))
        for key, below in _SCALE_PATHS:
            path = scale.get(key)
            if isinstance(path, str) and path and not path.startswith(below):
                at = view.at(*top, "subresources", "scale", key).value
                message = "default" if not path.startswith(".") else ("below-either" if len(below) > 1 else "below")
                yield Hit(at, message=message, path=path, below=below[0].strip("."), key=key)
        schema = mapping(mapping(version.get("schema")).get("openAPIV3Schema"))
        yield from _selectable_fields(view, top, sequence(version.get("selectableFields")), schema)


_SCALE_PATHS = (
    ("specReplicasPath", (".spec.",)),
    ("statusReplicasPath", (".status.",)),
    ("labelSelectorPath", (".spec.", ".status.")),
)


def _selectable_fields(view: View, top: Route, fields: Sequence[Any], schema: Mapping[str, Any]) -> Iterator[Hit]:
    if len(fields) > _MOST_SELECTABLE:
        count = len(fields)
        yield Hit(view.at(*top, "selectableFields"), message="many", count=count, limit=_MOST_SELECTABLE)
    seen = set()
    for number, field in enumerate(fields):
        path = mapping(field).get("jsonPath")
        if not isinstance(path, str) or not path:
            continue
        at = view.at(*top, "selectableFields", number, "jsonPath").value
        if path in seen:
            yield Hit(at, message="twice", path=path)
        elif not path.startswith("."):
            yield Hit(at, path=path)
        elif "[" in path:
            yield Hit(at, message="list", path=path)
        elif path.startswith(".metadata"):
            yield Hit(at, message="metadata", path=path)
        else:
            kind = _type_at(schema, path[1:].split("."))
            if kind is None or (isinstance(kind, str) and kind not in _SELECTABLE):
                yield Hit(at, message="scalar" if kind else "unknown", path=path, type=kind)
        seen.add(path)


_SELECTABLE = ("string", "boolean", "integer")


def _type_at(schema: Mapping[str, Any], names: Sequence[str]) -> Any:
    """The type of a field in a schema; None if there is no such field."""
    for name in names:
        properties = schema.get("properties")
        if isinstance(properties, Unknown):
            return properties
        schema = mapping(mapping(properties).get(name))
    return schema.get("type")


_REVIEWS = ("v1", "v1beta1")


def conversion_invalid(view: View) -> Iterator[Hit]:
    """A webhook that converts without being complete, or that is set although nothing is converted."""
    conversion = mapping(view.spec.get("conversion"))
    strategy, webhook = conversion.get("strategy"), conversion.get("webhook")
    if not _is_current_crd(view) or not isinstance(strategy, str) or isinstance(webhook, Unknown):
        return
    at = ("spec", "conversion", "webhook")
    if strategy != "Webhook":
        if strategy == "None" and webhook:
            yield Hit(view.at(*at).key, message="not-wanted")
        return
    if not isinstance(webhook, dict):
        yield Hit(view.at(*at), message="missing")
        return
    client, reviews = webhook.get("clientConfig"), webhook.get("conversionReviewVersions")
    if client is None:
        yield Hit(view.at(*at, "clientConfig"), message="missing")
    elif isinstance(client, dict):
        given = [key for key in ("url", "service") if client.get(key) is not None]
        if len(given) != 1:
            yield Hit(view.at(*at, "clientConfig"), message="client")
    if isinstance(reviews, list) and reviews and all(isinstance(one, str) for one in reviews):
        if not set(reviews) & set(_REVIEWS):
            where = view.at(*at, "conversionReviewVersions")
            yield Hit(where, message="reviews", reviews=reviews, known=", ".join(_REVIEWS))
    elif reviews in (None, []):
        yield Hit(view.at(*at, "conversionReviewVersions"), message="no-reviews", known=", ".join(_REVIEWS))


# --- defaults


def default_invalid(view: View) -> Iterator[Hit]:
    """Defaults that the server would refuse as values, or drop in part."""
    for index, version in _versions(view) if _is_current_crd(view) else ():
        schema = mapping(version.get("schema")).get("openAPIV3Schema")
        if isinstance(schema, dict):
            top = ("spec", "versions", index, "schema", "openAPIV3Schema")
            for inner, one, _ in children(schema):
                is_meta = inner[-1] in ("apiVersion", "kind", "metadata") and inner[0] == "properties"
                yield from _defaults(view, one, (*top, *inner), is_meta)


def _defaults(view: View, schema: Mapping[str, Any], route: Route, is_meta: bool) -> Iterator[Hit]:
    default = schema.get("default")
    if default is not None and is_meta:
        yield Hit(view.at(*route, "default"), message="meta")
    elif default is not None:
        # Of the defaults of its own fields none is filled in.
        wrong = validate(compile_custom(schema, lambda: Node("any"), is_object=False), default)
        if wrong:
            where = (*route, "default", *wrong[0].route)
            yield Hit(view.at(*where), rule=wrong[0].rule, place=field_text(where[len(route) :]))
    for inner, one, _ in children(schema):
        yield from _defaults(view, one, (*route, *inner), is_meta)

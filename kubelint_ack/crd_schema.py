"""What the API server asks of the schema in a CustomResourceDefinition: one walk that yields mistakes.

Restates apiextensions-apiserver, pkg/apis/apiextensions/validation/validation.go (ValidateCustomResourceDefinition-
OpenAPISchema) and pkg/apiserver/schema/validation.go (ValidateStructural) of kubernetes/kubernetes. What is null is
absent; what is unknown before rendering is never wrong.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal, NamedTuple

from kubelint_ack.re2 import PatternError, UnsupportedError, compiled
from kubelint_ack.records import Route, Unknown

TYPES = ("array", "boolean", "integer", "number", "object", "string")

PRESERVE = "x-kubernetes-preserve-unknown-fields"
EMBEDDED = "x-kubernetes-embedded-resource"
INT_OR_STRING = "x-kubernetes-int-or-string"
LIST_TYPE = "x-kubernetes-list-type"
LIST_KEYS = "x-kubernetes-list-map-keys"
MAP_TYPE = "x-kubernetes-map-type"
VALIDATIONS = "x-kubernetes-validations"

_UNSUPPORTED = ("$ref", "id", "definitions", "dependencies", "patternProperties", "additionalItems")
# What may not stand at the root where the status has an endpoint of its own; what has a mistake of its own is left out.
_NOT_AT_ROOT = (
    "allOf", "anyOf", "oneOf", "not", "default", "enum", "maxProperties", "minProperties", LIST_KEYS, LIST_TYPE,
    MAP_TYPE, EMBEDDED, INT_OR_STRING,
)  # fmt: skip
_REASONS = ("FieldValueRequired", "FieldValueForbidden", "FieldValueInvalid", "FieldValueDuplicate")
INTEGER_OR_STRING = [{"type": "integer"}, {"type": "string"}]

Level = Literal["root", "item", "field"]


class SchemaMistake(NamedTuple):
    """What the server refuses in a schema."""

    rule: str
    message: str
    """The entry under `message` in the rule file."""
    route: Route
    """In the schema."""
    values: dict[str, Any]


def schema_mistakes(schema: Mapping[str, Any], has_status: bool) -> list[SchemaMistake]:
    """Everything that is wrong with the schema of a version. `has_status`: the status is a subresource."""
    found: list[SchemaMistake] = []
    if has_status:
        found += _status(schema)
    if schema.get("nullable") is True:
        found.append(SchemaMistake("crd-schema-keyword", "nullable-root", ("nullable",), {}))
    _node(schema, (), "root", False, found)
    return found


def children(schema: Mapping[str, Any]) -> Iterator[tuple[Route, Mapping[str, Any], Level]]:
    """The schemas of properties, items and additional properties, with their routes."""
    for name, one in _mapping(schema.get("properties")).items():
        if one is None or isinstance(one, dict):
            # Null in a map is an empty schema.
            yield ("properties", name), one or {}, "field"
    for key in ("items", "additionalProperties"):
        if isinstance(schema.get(key), dict):
            yield (key,), schema[key], "item" if key == "items" else "field"


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _nested(schema: Mapping[str, Any]) -> Iterator[tuple[Route, Mapping[str, Any]]]:
    """The schemas under allOf, anyOf, oneOf and not."""
    for key in ("allOf", "anyOf", "oneOf"):
        for index, one in enumerate(schema[key] if isinstance(schema.get(key), list) else ()):
            if isinstance(one, dict):
                yield (key, index), one
    if isinstance(schema.get("not"), dict):
        yield ("not",), schema["not"]


def _status(schema: Mapping[str, Any]) -> Iterator[SchemaMistake]:
    for key in _NOT_AT_ROOT:
        if key in schema and schema[key] not in (None, False, [], {}) and not isinstance(schema[key], Unknown):
            yield SchemaMistake("crd-schema-keyword", "status-root", (key,), {"keyword": key})


def _node(schema: Mapping[str, Any], route: Route, level: Level, in_metadata: bool, found: list[SchemaMistake]) -> None:
    _keywords(schema, route, in_metadata, found)
    _structure(schema, route, level, found)
    _values(schema, schema, route, found)
    if level == "root":
        for inner, one in _nested(schema):
            _complete(one, schema, (*route, *inner), found)
    if LIST_TYPE in schema or LIST_KEYS in schema or MAP_TYPE in schema:
        found += _lists(schema, route)
    if VALIDATIONS in schema:
        found += _rules(schema[VALIDATIONS], (*route, VALIDATIONS))
    is_object = level == "root" or schema.get(EMBEDDED) is True
    for inner, one, below in children(schema):
        is_meta = is_object and inner[-1] in ("metadata", "kind", "apiVersion") and inner[0] == "properties"
        _node(one, (*route, *inner), below, in_metadata or is_meta, found)


def _keywords(schema: Mapping[str, Any], route: Route, in_metadata: bool, found: list[SchemaMistake]) -> None:
    """Keywords of JSON Schema that are not supported, at every level."""

    def add(message: str, key: str, **values: Any) -> None:
        found.append(SchemaMistake("crd-schema-keyword", message, (*route, key), values))

    for key in _UNSUPPORTED:
        if schema.get(key) not in (None, {}, ""):
            add("unsupported", key, keyword=key)
    if isinstance(schema.get("items"), list) and schema["items"]:
        add("items-list", "items")
    if schema.get("uniqueItems") is True:
        add("unique-items", "uniqueItems")
    kind = schema.get("type")
    if kind == "null":
        add("type-null", "type")
    elif isinstance(kind, str) and kind and kind not in TYPES:
        add("type", "type", type=kind, allowed=", ".join(TYPES))
    if schema.get(PRESERVE) is False:
        add("preserve-false", PRESERVE, keyword=PRESERVE)
    if in_metadata and schema.get(EMBEDDED) is True:
        add("embedded-metadata", EMBEDDED, keyword=EMBEDDED)
    additional = schema.get("additionalProperties")
    if _mapping(schema.get("properties")) and (additional is False or isinstance(additional, dict)):
        add("additional-and-properties", "additionalProperties")
    pattern = schema.get("pattern")
    if isinstance(pattern, str) and pattern:
        try:
            compiled(pattern)
        except PatternError as error:
            detail = str(error)
            found.append(SchemaMistake("crd-pattern-invalid", "default", (*route, "pattern"), {"detail": detail}))
        except UnsupportedError:
            pass


def _structure(schema: Mapping[str, Any], route: Route, level: Level, found: list[SchemaMistake]) -> None:
    """The invariants of a structural schema."""

    def add(message: str, *where: str | int, **values: Any) -> None:
        found.append(SchemaMistake("crd-not-structural", message, (*route, *where), values))

    kind, embedded = schema.get("type"), schema.get(EMBEDDED) is True
    properties = _mapping(schema.get("properties"))
    additional = schema.get("additionalProperties")
    if kind == "array" and schema.get("items") is None:
        add("items", "items")
    if level == "root" and additional is not None:
        add("additional-root", "additionalProperties")
    if schema.get(INT_OR_STRING) is True:
        for key in (PRESERVE, EMBEDDED):
            if schema.get(key) is True:
                add("int-or-string", key, keyword=key)
    if embedded and kind != "object" and not isinstance(kind, Unknown):
        add("embedded-type", "type")
    elif kind in (None, "") and schema.get(INT_OR_STRING) is not True and schema.get(PRESERVE) is not True:
        if not any(isinstance(schema.get(key), Unknown) for key in (INT_OR_STRING, PRESERVE)):
            add(f"type-{level}", "type", name=str(route[-1]) if route else "")
    elif level == "root" and isinstance(kind, str) and kind != "object":
        add("type-not-object", "type")
    if embedded and additional is not None:
        add("embedded-additional", "additionalProperties")
    if embedded and schema.get(PRESERVE) is not True and schema.get("properties") in (None, {}):
        add("embedded-properties", "properties")
    if level == "root" or embedded:
        for name, wanted in (("kind", "string"), ("apiVersion", "string"), ("metadata", "object")):
            one = properties.get(name)
            if isinstance(one, dict) and isinstance(one.get("type"), str) and one["type"] != wanted:
                add("meta-type", "properties", name, "type", name=name, type=wanted)
    if level == "root" and isinstance(properties.get("metadata"), dict):
        for key, value in properties["metadata"].items():
            names = set(_mapping(value)) if key == "properties" else {""}
            if value is None or key in ("type", "default") or names <= {"name", "generateName"}:
                continue
            add("metadata", "properties", "metadata", key)
            break


def _values(outer: Mapping[str, Any], schema: Mapping[str, Any], route: Route, found: list[SchemaMistake]) -> None:
    """The value validations of a schema: under a junctor nothing may say what the structure is."""
    for inner, one in _nested(schema):
        where = (*route, *inner)
        if inner[0] == "anyOf" and _is_int_or_string(outer, schema, route, inner):
            continue
        _keywords(one, where, False, found)
        _forbidden(one, where, found)
        _values(outer, one, where, found)


def _is_int_or_string(outer: Mapping[str, Any], schema: Mapping[str, Any], route: Route, inner: Route) -> bool:
    """Whether an anyOf is the one that goes with x-kubernetes-int-or-string, itself or first in an allOf."""
    if schema.get("anyOf") != INTEGER_OR_STRING:
        return False
    return schema is outer or route[-2:] == ("allOf", 0)


_OTHER_JUNCTORS = frozenset({"anyOf", "oneOf", "not"})


def _forbidden(schema: Mapping[str, Any], route: Route, found: list[SchemaMistake]) -> None:
    for key, value in schema.items():
        wrong = (
            (key in ("type", "title", "description") and value not in (None, ""))
            or (key in ("additionalProperties", "default", "externalDocs") and value is not None)
            or (key in ("nullable", PRESERVE, EMBEDDED, INT_OR_STRING) and value is True)
            or (key in (LIST_TYPE, MAP_TYPE) and value is not None)
            or (key == LIST_KEYS and value not in (None, []))
            # Newer servers take rules in an allOf.
            or (key == VALIDATIONS and value not in (None, []) and not _OTHER_JUNCTORS.isdisjoint(route))
        )
        if wrong:
            found.append(SchemaMistake("crd-not-structural", "nested", (*route, key), {"keyword": key}))
    properties = _mapping(schema.get("properties"))
    if "metadata" in properties:
        found.append(SchemaMistake("crd-not-structural", "nested-metadata", (*route, "properties", "metadata"), {}))
    if isinstance(schema.get("items"), dict):
        _below(schema["items"], (*route, "items"), found)
    for name, one in properties.items():
        if isinstance(one, dict):
            _below(one, (*route, "properties", name), found)


def _below(schema: Mapping[str, Any], route: Route, found: list[SchemaMistake]) -> None:
    """A field or item that a junctor speaks of."""
    _keywords(schema, route, False, found)
    _forbidden(schema, route, found)
    _values({}, schema, route, found)


def _complete(nested: Mapping[str, Any], schema: Any, route: Route, found: list[SchemaMistake]) -> None:
    """Fields and items that a junctor at the root speaks of must be in the structure; further down it is not asked."""
    structure = _mapping(schema)
    for inner, one in _nested(nested):
        _complete(one, schema, (*route, *inner), found)
    items = nested.get("items")
    if isinstance(items, dict):
        if structure.get("items") is None:
            found.append(SchemaMistake("crd-not-structural", "incomplete-items", (*route, "items"), {}))
        else:
            _complete(items, structure["items"], (*route, "items"), found)
    for name, one in _mapping(nested.get("properties")).items():
        known = structure.get("properties")
        if isinstance(known, Unknown):
            continue
        if name not in _mapping(known):
            where = (*route, "properties", name)
            found.append(SchemaMistake("crd-not-structural", "incomplete-property", where, {"name": name}))
        elif isinstance(one, dict):
            _complete(one, _mapping(known)[name], (*route, "properties", name), found)


def _lists(schema: Mapping[str, Any], route: Route) -> Iterator[SchemaMistake]:
    """x-kubernetes-list-type, -list-map-keys and -map-type."""

    def made(message: str, *where: str | int, **values: Any) -> SchemaMistake:
        return SchemaMistake("crd-list-type-invalid", message, (*route, *where), values)

    kind, list_type, map_type = schema.get("type"), schema.get(LIST_TYPE), schema.get(MAP_TYPE)
    keys = schema.get(LIST_KEYS) if isinstance(schema.get(LIST_KEYS), list) else []
    items = schema.get("items")
    if isinstance(map_type, str):
        if map_type not in ("atomic", "granular"):
            yield made("map-type", MAP_TYPE, value=map_type)
        elif kind != "object" and not isinstance(kind, Unknown):
            yield made("map-type-object", MAP_TYPE)
    if keys and list_type != "map" and not isinstance(list_type, Unknown):
        yield made("keys-without-map", LIST_KEYS)
        return
    if not isinstance(list_type, str):
        return
    if list_type not in ("atomic", "set", "map"):
        yield made("list-type", LIST_TYPE, value=list_type)
        return
    if kind != "array" and not isinstance(kind, Unknown):
        yield made("list-type-array", LIST_TYPE)
        return
    if list_type == "map" and not keys and not isinstance(schema.get(LIST_KEYS), Unknown):
        yield made("no-keys", LIST_TYPE)
    if not isinstance(items, dict):
        return
    if list_type in ("set", "map") and items.get("nullable") is True:
        yield made("items-nullable", "items", "nullable", type=list_type)
    inner = items.get("type")
    if list_type == "set":
        if inner == "array" and items.get(LIST_TYPE) not in (None, "atomic"):
            yield made("set-of-lists", "items", LIST_TYPE)
        if inner == "object" and items.get(MAP_TYPE) != "atomic" and not isinstance(items.get(MAP_TYPE), Unknown):
            yield made("set-of-maps", "items", MAP_TYPE)
    elif list_type == "map":
        if inner != "object":
            if not isinstance(inner, Unknown):
                yield made("map-of-scalars", "items", "type")
            return
        yield from (made(message, *where, **values) for message, where, values in _list_keys(items, keys or []))


def _list_keys(items: Mapping[str, Any], keys: list[Any]) -> Iterator[tuple[str, Route, dict[str, Any]]]:
    properties = items.get("properties")
    if isinstance(properties, Unknown):
        return
    required = items.get("required") if isinstance(items.get("required"), list) else []
    for index, key in enumerate(keys):
        if not isinstance(key, str):
            continue
        values = {"key": key}
        if key in keys[:index]:
            yield "key-twice", (LIST_KEYS, index), values
            continue
        one = _mapping(properties).get(key)
        if one is None:
            yield "key-unknown", (LIST_KEYS, index), values
            continue
        where: Route = ("items", "properties", key)
        if _mapping(one).get("type") in ("array", "object"):
            yield "key-not-scalar", (*where, "type"), values
        if key not in (required or []) and _mapping(one).get("default") is None and isinstance(one, dict):
            yield "key-optional", where, values
        if _mapping(one).get("nullable") is True:
            yield "key-nullable", (*where, "nullable"), values


def _rules(rules: Any, route: Route) -> Iterator[SchemaMistake]:
    """What can be said of CEL rules without compiling them."""
    for index, rule in enumerate(rules if isinstance(rules, list) else ()):
        if not isinstance(rule, dict):
            continue

        def made(message: str, key: str, **values: Any) -> SchemaMistake:
            return SchemaMistake("crd-validation-rule-invalid", message, (*route, index, key), values)  # noqa: B023

        text, message, reason = rule.get("rule"), rule.get("message"), rule.get("reason")
        if text is None or (isinstance(text, str) and not text.strip()):
            yield made("blank", "rule")
            continue
        if isinstance(message, str) and message and not message.strip():
            yield made("message-blank", "message")
        elif isinstance(message, str) and any(end in message.strip() for end in "\n\r"):
            yield made("message-lines", "message")
        elif (
            isinstance(text, str)
            and not (message or rule.get("messageExpression"))
            and any(end in text.strip() for end in "\n\r")
        ):
            yield made("message-missing", "message")
        if isinstance(reason, str) and reason and reason not in _REASONS:
            yield made("reason", "reason", reason=reason, allowed=", ".join(_REASONS))
        expression = rule.get("messageExpression")
        if isinstance(expression, str) and expression and not expression.strip():
            yield made("expression-blank", "messageExpression")

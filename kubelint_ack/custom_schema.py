"""Schemas of custom resources, as nodes: what a CustomResourceDefinition says of an object of its kind.

An object is first made what it is when the API server judges it: nulls of fields that cannot be null are left out, and
defaults filled in. Then the walk of `schema.py` finds what is wrong; here are the checks that structural schemas have
beyond built-in kinds. apiextensions-apiserver: pkg/apiserver/schema (defaulting, pruning, listtype, objectmeta), and
pkg/apiserver/validation with kube-openapi, pkg/validation/validate.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

from kubelint_ack.crd_schema import (
    EMBEDDED,
    INT_OR_STRING,
    INTEGER_OR_STRING,
    LIST_KEYS,
    LIST_TYPE,
    PRESERVE,
)
from kubelint_ack.formats import FORMATS
from kubelint_ack.re2 import Pattern, PatternError, UnsupportedError, compiled
from kubelint_ack.records import Unknown
from kubelint_ack.schema import (
    Check,
    Mistake,
    Node,
    Path,
    Type,
    is_placeholder,
    label,
    mistake,
    out_of_range,
    route_of,
    shown,
)
from kubelint_ack.views import mapping

Schema = Mapping[str, Any]
Meta = Callable[[], Node]
"""Gives the node of ObjectMeta."""

_TYPES: dict[str, Type] = {
    "string": "string",
    "integer": "integer",
    "number": "number",
    "boolean": "boolean",
    "array": "list",
    "object": "map",
}
_INT32 = (-(2**31), 2**31 - 1)


# --- the object as it is judged


def prepared(value: Any, schema: Schema) -> Any:
    """The value with defaults, and without nulls where there can be none; what is not changed is not copied."""
    if isinstance(value, list):
        items = schema.get("items")
        if not isinstance(items, dict):
            return value
        made = [prepared(_default(item, items), items) for item in value]
        return made if any(one is not other for one, other in zip(made, value)) else value
    if not isinstance(value, dict):
        return value
    properties, additional = mapping(schema.get("properties")), schema.get("additionalProperties")
    result: dict[str, Any] = {}
    changed = False
    for key, item in value.items():
        field = properties.get(key, additional)
        if isinstance(field, dict):
            one = prepared(_default(item, field), field)
            if one is None and field.get("nullable") is not True:
                changed = True
                continue
            changed = changed or one is not item
            item = one
        result[key] = item
    for key, field in properties.items():
        if key not in value and isinstance(field, dict) and field.get("default") is not None:
            result[key] = prepared(copy.deepcopy(field["default"]), field)
            changed = True
    return result if changed else value


def has_defaults(schema: Any) -> bool:
    """Whether a schema, or one in it, has a default."""
    if not isinstance(schema, dict):
        return False
    fields = mapping(schema.get("properties")).values()
    below = (*fields, schema.get("items"), schema.get("additionalProperties"))
    return schema.get("default") is not None or any(map(has_defaults, below))


def holds_null(value: Any) -> bool:
    """Whether a value, or anything in it, is null."""
    if isinstance(value, dict):
        return any(map(holds_null, value.values()))
    if isinstance(value, list):
        return any(map(holds_null, value))
    return value is None


def _default(value: Any, schema: Schema) -> Any:
    if value is None and schema.get("nullable") is not True and schema.get("default") is not None:
        return copy.deepcopy(schema["default"])
    return value


# --- nodes


def compile_custom(schema: Schema, meta: Meta, *, is_object: bool = True) -> Node:
    """The node of a schema; at the root of an object apiVersion, kind and metadata are known."""
    return _compile(schema, meta, is_object=is_object)


def _compile(schema: Schema, meta: Meta, *, is_object: bool = False) -> Node:
    """The node of a schema, completed when a value of it is met: most parts of a schema are never used."""
    node = Node("pending")
    node.null = schema.get("nullable") is True or not (is_object or schema.get("type") or schema.get(INT_OR_STRING))

    def resolve(node: Node) -> None:
        _fill(node, schema, meta, is_object or schema.get(EMBEDDED) is True)

    node.resolve = resolve
    return node


def _fill(node: Node, schema: Schema, meta: Meta, is_object: bool) -> None:
    preserves = schema.get(PRESERVE) is True
    node.type = "int-or-string" if schema.get(INT_OR_STRING) is True else _TYPES.get(str(schema.get("type")), "any")
    if is_object:
        node.type = "map"
    checks = list(_value_checks(schema))
    if node.type == "integer":
        node.low, node.high = -(2**63), 2**63 - 1
        if schema.get("format") == "int32":
            checks.append(_int32)
    if node.type == "map":
        _fill_map(node, schema, meta, is_object, preserves)
        required = [name for name in _sequence(schema.get("required")) if isinstance(name, str)]
        if schema.get(EMBEDDED) is True:
            required = [name for name in required if name not in _IDENTITY]
            checks.insert(0, _identified)
        if required:
            checks.insert(0, _required(required))
    elif node.type == "list":
        items = schema.get("items")
        if isinstance(items, dict):
            node.items = _compile(items, meta)
        if schema.get(LIST_TYPE) == "map":
            checks.append(_unique_keys(schema))
        elif schema.get(LIST_TYPE) == "set":
            checks.append(_unique_items)
    node.checks = tuple(checks)
    node.seal()


def _int32(value: Any, path: Path, found: list[Mistake]) -> None:
    """A number that a program reads into 32 bits: the API server itself accepts up to 64."""
    low, high = _INT32
    if isinstance(value, (int, float)) and not low <= value <= high:
        found.append(out_of_range(low, high, value, path)._replace(severity="warning"))


def _fill_map(node: Node, schema: Schema, meta: Meta, is_object: bool, preserves: bool) -> None:
    properties, additional = mapping(schema.get("properties")), schema.get("additionalProperties")
    fields = {name: _compile(one, meta) for name, one in properties.items() if isinstance(one, dict)}
    if is_object:
        own = fields.get("metadata")
        fields["metadata"] = _metadata(own, meta) if own else meta()
        for name in ("apiVersion", "kind"):
            fields.setdefault(name, Node("string").seal())
    node.fields = fields
    if isinstance(additional, dict):
        node.values = _compile(additional, meta)
        node.fields = fields or None
    elif preserves or additional is True or not isinstance(schema.get("properties") or {}, dict):
        node.values = Node("any")


def _metadata(own: Node, meta: Meta) -> Node:
    """ObjectMeta, with what the schema asks of its name."""
    node = meta().copy()

    def check(value: Any, path: Path, found: list[Mistake]) -> None:
        for name in ("name", "generateName"):
            field = (own.complete().fields or {}).get(name)
            if field is not None and isinstance(value.get(name), str):
                for one in field.complete().checks:
                    one(value[name], (path, name), found)

    node.checks = (*node.checks, check)
    return node.seal()


def _sequence(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list) else ()


# --- checks


_IDENTITY = ("apiVersion", "kind")


def _identified(value: Any, path: Path, found: list[Mistake]) -> None:
    """That an embedded object says what it is; in a custom resource only here the empty string is as good as none."""
    if isinstance(value, dict) and not any(map(is_placeholder, value)):
        found.extend(mistake("missing-field", (path, name)) for name in _IDENTITY if value.get(name, "") == "")


def _required(names: Sequence[str]) -> Check:
    def check(value: Any, path: Path, found: list[Mistake]) -> None:
        if not isinstance(value, dict):
            return
        missing = [name for name in names if name not in value]
        if missing and not any(map(is_placeholder, value)):
            found.extend(mistake("missing-field", (path, name)) for name in missing)

    return check


def _value_checks(schema: Schema) -> Iterator[Check]:
    """The value validations of a schema; each looks at values of its type only."""
    if schema.get("enum"):
        yield _enum(_sequence(schema["enum"]))
    if isinstance(schema.get("pattern"), str) and schema["pattern"]:
        with suppress(PatternError, UnsupportedError):
            yield _pattern(compiled(schema["pattern"]), schema["pattern"])
    form = str(schema.get("format") or "").replace("-", "")
    if form in FORMATS:
        yield _format(form, str(schema["format"]))
    if _is_number(schema.get("minimum")) or _is_number(schema.get("maximum")):
        yield _bounds(schema)
    if _is_number(schema.get("multipleOf")) and schema["multipleOf"] > 0:
        yield _multiple(schema["multipleOf"])
    for keyword, kind, message in _LIMITS:
        if _is_number(schema.get(keyword)):
            yield _limit(kind, message, schema[keyword], is_low=keyword.startswith("min"))
    for one in _sequence(schema.get("allOf")):
        if isinstance(one, dict):
            yield _nested(one)
    for keyword in ("anyOf", "oneOf"):
        branches = [one for one in _sequence(schema.get(keyword)) if isinstance(one, dict)]
        if schema.get(INT_OR_STRING) is True and schema.get(keyword) == INTEGER_OR_STRING:
            # The type says the same.
            continue
        if branches and len(branches) == len(schema[keyword]):
            yield _alternatives(branches, exactly_one=keyword == "oneOf")
    if isinstance(schema.get("not"), dict):
        yield _negated(schema["not"])


_LIMITS = (
    ("minLength", str, "length-short"),
    ("maxLength", str, "length"),
    ("minItems", list, "items-few"),
    ("maxItems", list, "items"),
    ("minProperties", dict, "keys-few"),
    ("maxProperties", dict, "keys"),
)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _same(one: Any, other: Any) -> bool:
    """Whether two values are equal to JSON, where true is not 1."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
    return bool(one == other)


def _enum(allowed: Sequence[Any]) -> Check:
    listed = ", ".join(one if isinstance(one, str) else shown(one) for one in allowed if one != "")

    def check(value: Any, path: Path, found: list[Mistake]) -> None:
        if any(_same(value, one) for one in allowed) or holds_unknown(value):
            return
        text = value if isinstance(value, str) else shown(value)
        near = next((one for one in allowed if str(one).lower() == text.lower()), None)
        message = "default" if near is None else "nearest"
        found.append(mistake("invalid-enum", path, message, "value", value=text, allowed=listed, near=near))

    return check


def _pattern(pattern: Pattern, written: str) -> Check:
    def check(value: Any, path: Path, found: list[Mistake]) -> None:
        if isinstance(value, str) and pattern.search(value) is False:
            found.append(mistake("invalid-format", path, "pattern", "value", value=value, pattern=written))

    return check


def _format(form: str, written: str) -> Check:
    accepts = FORMATS[form]

    def check(value: Any, path: Path, found: list[Mistake]) -> None:
        if isinstance(value, str) and not accepts(value):
            found.append(mistake("invalid-format", path, "named", "value", value=value, format=written))

    return check


def _bounds(schema: Schema) -> Check:
    low, high = (schema[key] if _is_number(schema.get(key)) else None for key in ("minimum", "maximum"))
    no_low, no_high = schema.get("exclusiveMinimum") is True, schema.get("exclusiveMaximum") is True

    def check(value: Any, path: Path, found: list[Mistake]) -> None:
        if not _is_number(value):
            return
        if low is not None and (value < low or (no_low and value == low)):
            if no_low:
                found.append(mistake("value-out-of-range", path, "above", "value", value=value, low=low))
            else:
                found.append(out_of_range(low, None if no_high else high, value, path))
        elif high is not None and (value > high or (no_high and value == high)):
            if no_high:
                found.append(mistake("value-out-of-range", path, "below", "value", value=value, high=high))
            else:
                found.append(out_of_range(None if no_low else low, high, value, path))

    return check


def _multiple(step: float) -> Check:
    def check(value: Any, path: Path, found: list[Mistake]) -> None:
        if _is_number(value) and abs(value / step - round(value / step)) > 1e-9:
            found.append(mistake("value-out-of-range", path, "multiple", "value", value=value, step=step))

    return check


def _limit(kind: type, message: str, limit: int, *, is_low: bool) -> Check:
    def check(value: Any, path: Path, found: list[Mistake]) -> None:
        if isinstance(value, kind):
            length = len(value)  # type: ignore[arg-type]
            if length < limit if is_low else length > limit:
                found.append(mistake("value-out-of-range", path, message, value=length, low=limit, high=limit))

    return check


# --- junctors


def _nested(schema: Schema) -> Check:
    """The value validations of a schema under a junctor, those of its fields and items included."""
    checks = list(_value_checks(schema))
    required = [name for name in _sequence(schema.get("required")) if isinstance(name, str)]
    if required:
        checks.insert(0, _required(required))
    properties = {
        name: _nested(one) for name, one in mapping(schema.get("properties")).items() if isinstance(one, dict)
    }
    items = _nested(schema["items"]) if isinstance(schema.get("items"), dict) else None
    kind = str(schema.get("type"))

    def check(value: Any, path: Path, found: list[Mistake]) -> None:
        if isinstance(value, Unknown):
            return
        if kind in _IS and not _IS[kind](value):
            found.append(mistake("schema-mismatch", path, "type", "value", type=kind))
            return
        for one in checks:
            one(value, path, found)
        if isinstance(value, dict):
            for name, field in properties.items():
                if name in value:
                    field(value[name], (path, name), found)
        elif items is not None and isinstance(value, list):
            for index, item in enumerate(value):
                items(item, (path, index), found)

    return check


_IS: Mapping[str, Callable[[Any], bool]] = {
    "string": lambda value: isinstance(value, str),
    "integer": lambda value: _is_number(value) and (isinstance(value, int) or value.is_integer()),
    "number": _is_number,
    "boolean": lambda value: isinstance(value, bool),
    "array": lambda value: isinstance(value, list),
    "object": lambda value: isinstance(value, dict),
}


def holds_unknown(value: Any) -> bool:
    """Whether a value, or anything in it, is unknown before rendering."""
    if isinstance(value, dict):
        return any(map(holds_unknown, value.values())) or any(map(is_placeholder, value))
    if isinstance(value, list):
        return any(map(holds_unknown, value))
    return isinstance(value, Unknown)


def _alternatives(branches: Sequence[Schema], *, exactly_one: bool) -> Check:
    checks = [_nested(branch) for branch in branches]
    names = [_only_required(branch) for branch in branches]
    fields = ", ".join(name for name in names if name) if all(names) else ""
    word = "one-of" if exactly_one else "any-of"

    def check(value: Any, path: Path, found: list[Mistake]) -> None:
        fitting = 0
        for one in checks:
            wrong: list[Mistake] = []
            one(value, path, wrong)
            fitting += not wrong
        if fitting == 1 or (fitting and not exactly_one) or holds_unknown(value):
            return
        message = f"{word}-several" if fitting else word
        if fields and isinstance(value, dict):
            there = ", ".join(name for name in names if name in value)
            found.append(mistake("schema-mismatch", path, f"{message}-fields", fields=fields, there=there))
        else:
            found.append(mistake("schema-mismatch", path, message, count=len(branches), fitting=fitting))

    return check


def _only_required(branch: Schema) -> str:
    """The one field that an alternative asks for, if that is all it says."""
    required = _sequence(branch.get("required"))
    return str(required[0]) if set(branch) == {"required"} and len(required) == 1 else ""


def _negated(schema: Schema) -> Check:
    inner = _nested(schema)
    required = _sequence(schema.get("required"))
    fields = ", ".join(map(str, required)) if set(schema) == {"required"} else ""

    def check(value: Any, path: Path, found: list[Mistake]) -> None:
        wrong: list[Mistake] = []
        inner(value, path, wrong)
        if wrong or holds_unknown(value):
            return
        if fields and isinstance(value, dict):
            found.append(mistake("schema-mismatch", path, "not-fields", fields=fields))
        else:
            found.append(mistake("schema-mismatch", path, "not"))

    return check


# --- lists


def _unique_keys(schema: Schema) -> Check:
    """That no two items of a list have equal keys; a key that is absent counts as such."""
    keys = [key for key in _sequence(schema.get(LIST_KEYS)) if isinstance(key, str)]

    def check(value: Any, path: Path, found: list[Mistake]) -> None:
        seen: dict[str, int] = {}
        for index, item in enumerate(value):
            if not isinstance(item, dict):
                continue
            parts = [item.get(key) for key in keys]
            if keys and not any(isinstance(part, (Unknown, dict, list)) for part in parts):
                _seen(seen, shown_key(parts), index, path, found, keys, parts)

    return check


def shown_key(parts: Sequence[Any]) -> str:
    """A text that is equal for equal keys."""
    return repr([(type(part) is bool, part) for part in parts])


def _seen(
    seen: dict[str, int],
    key: str,
    index: int,
    path: Path,
    found: list[Mistake],
    keys: Sequence[str],
    parts: Sequence[Any],
) -> None:
    first = seen.setdefault(key, index)
    if first == index:
        return
    at: Path = ((path, index), keys[0]) if len(keys) == 1 else (path, index)
    twice = mistake(
        "duplicate-item",
        at,
        "default" if keys else "item",
        list=label(route_of(path)),
        number=index + 1,
        first=first + 1,
        keys=", ".join(keys),
        value=", ".join(str(part) for part in parts if part is not None),
    )
    found.append(twice)


def _unique_items(value: Any, path: Path, found: list[Mistake]) -> None:
    seen: dict[str, int] = {}
    for index, item in enumerate(value):
        if not holds_unknown(item):
            _seen(seen, shown_key([item]), index, path, found, (), [shown(item)])


# --- other schemas


def opened(schema: Schema) -> Schema:
    """A schema of apiextensions.k8s.io/v1beta1, which keeps unknown fields and need not name types."""
    made = dict(schema)
    if "properties" in schema and schema.get("type") is None:
        made["type"] = "object"
    made[PRESERVE] = True
    for key in ("items", "additionalProperties"):
        if isinstance(schema.get(key), dict):
            made[key] = opened(schema[key])
    if isinstance(schema.get("properties"), dict):
        made["properties"] = {
            name: opened(one) if isinstance(one, dict) else one for name, one in schema["properties"].items()
        }
    return made


_SHARED_WORDS = frozenset(
    {
        "type", "properties", "required", "items", "additionalProperties", "enum", "pattern", "format", "minimum",
        "maximum", "multipleOf", "minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties",
        "allOf", "anyOf", "oneOf", "not", "exclusiveMinimum", "exclusiveMaximum", "nullable",
    }
)  # fmt: skip
_SILENT_WORDS = frozenset(
    {"$schema", "$id", "id", "title", "description", "default", "examples", "example", "$comment"}
)


def as_structural(schema: Schema) -> Schema | None:
    """A JSON Schema as a structural one; None if it says what those cannot.

    There an object is open unless it says otherwise, null is a type, and a default says nothing about validity.
    """
    made = {key: value for key, value in schema.items() if key.startswith("x-kubernetes-") or key in _SHARED_WORDS}
    if any(not key.startswith("x-") and key not in _SHARED_WORDS | _SILENT_WORDS for key in schema):
        return None
    kind = schema.get("type")
    if isinstance(kind, list):
        rest = [one for one in kind if one != "null"]
        if len(rest) != 1:
            return None
        made["type"], made["nullable"] = rest[0], "null" in kind
    if any(_is_number(schema.get(key)) for key in ("exclusiveMinimum", "exclusiveMaximum")):
        return None
    if "additionalProperties" not in schema:
        made[PRESERVE] = True
    elif schema["additionalProperties"] is False:
        del made["additionalProperties"]
    for key in ("items", "additionalProperties", "not"):
        if isinstance(schema.get(key), dict):
            made[key] = as_structural(schema[key])
        elif isinstance(schema.get(key), list):
            return None
    for key in ("allOf", "anyOf", "oneOf"):
        if key in schema:
            made[key] = [as_structural(one) if isinstance(one, dict) else None for one in _sequence(schema[key])]
    if "properties" in schema:
        properties = mapping(schema["properties"])
        made["properties"] = {
            name: as_structural(one) if isinstance(one, dict) else {} for name, one in properties.items()
        }
    parts = [made.get(key) for key in ("items", "additionalProperties", "not") if key in made]
    parts += [one for key in ("allOf", "anyOf", "oneOf") for one in made.get(key, ())]
    parts += list(made.get("properties", {}).values())
    return None if any(part is None for part in parts) else made

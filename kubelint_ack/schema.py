"""Objects against structural schemas, as the API server decodes them: one walk that yields mistakes.

A schema, of the store or of a CustomResourceDefinition, is compiled to nodes once; a walk over plain data then costs
microseconds. It is not JSON Schema: for built-in kinds null is absent, integral floats are integers, objects with
properties are closed (as with kubectl's `--validate=strict`). What is `Unknown` is never wrong, nor is anything in it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, NamedTuple, TypeAlias

from kubelint_ack.records import Route, Severity, Step, Unknown
from kubelint_ack.scalars import is_unknown_text

Path: TypeAlias = "tuple[Path, Step] | None"
"""A route in the making: the parent's path and a step; None is the object."""


class Mistake(NamedTuple):
    """What is wrong at a place, in the words of a rule."""

    rule: str
    route: Route
    part: Literal["field", "key", "value"]
    message: str
    """The entry under `message` in the rule file."""
    values: dict[str, Any]
    owner: str = ""
    """Of an unknown field: the definition that does not have it."""
    severity: Severity | None = None
    """Milder than the rule's own."""


Check = Callable[[Any, Path, list[Mistake]], None]
"""A check of a value that is present, known and of the right type."""

Type = Literal[
    "any", "string", "integer", "number", "boolean", "list", "map", "int-or-string", "quantity", "bytes", "pending"
]


class Node:
    """A compiled schema."""

    __slots__ = (
        "checks", "fields", "high", "items", "low", "name", "null", "plain", "required", "resolve", "type", "values",
    )  # fmt: skip

    def __init__(self, type_: Type) -> None:
        self.type: Type = type_
        self.plain: type | None = None
        """A value of exactly this type is valid without a closer look."""
        self.null = True
        """Whether null counts as absent."""
        self.name = ""
        """The definition that it is compiled from."""
        self.fields: dict[str, Node] | None = None
        """Of a closed map: what it may hold; None: any keys."""
        self.values: Node | None = None
        """Of a map with any keys."""
        self.items: Node | None = None
        self.required: tuple[str, ...] = ()
        self.low: int | None = None
        self.high: int | None = None
        """Of an integer: its bounds, included."""
        self.checks: tuple[Check, ...] = ()
        self.resolve: Callable[[Node], None] | None = None
        """Of a pending node: completes it when a value of it is met."""

    def copy(self) -> Node:
        """A node of its own, to add to."""
        self.complete()
        made = Node(self.type)
        for slot in Node.__slots__:
            setattr(made, slot, getattr(self, slot))
        return made

    def complete(self) -> Node:
        """The node itself, no longer pending."""
        if self.resolve is not None:
            resolve, self.resolve = self.resolve, None
            resolve(self)
        return self

    def seal(self) -> Node:
        """The node itself, after the last change: decides whether a value's type is all there is to look at."""
        self.plain = None
        if not self.checks and self.type in _PLAIN:
            self.plain = _PLAIN[self.type]
        return self


_PLAIN: dict[str, type] = {"string": str, "boolean": bool}


def route_of(path: Path) -> Route:
    """The route that a path stands for."""
    steps: list[Step] = []
    while path is not None:
        path, step = path
        steps.append(step)
    return tuple(reversed(steps))


def label(route: Route) -> str:
    """How messages call a field: its key, an item by its list: `replicas`, `ports[0]`."""
    if not route:
        return ""
    if isinstance(route[-1], int):
        return f"{label(route[:-1])}[{route[-1]}]"
    return route[-1]


def shown(value: Any) -> str:
    """A scalar as JSON writes it, cut where it is long."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else f"{text[:57]}…"


def mistake(
    rule: str, path: Path, message: str = "default", part: Literal["field", "key", "value"] = "field", **values: Any
) -> Mistake:
    """A mistake at a path; the field's name is among its values."""
    route = route_of(path)
    return Mistake(rule, route, part, message, {"field": label(route), "parent": label(route[:-1]), **values})


def validate(node: Node, data: Any) -> list[Mistake]:
    """All mistakes of an object, in its own order."""
    found: list[Mistake] = []
    _walk(node, data, None, found)
    return found


def _walk(node: Node, value: Any, path: Path, found: list[Mistake]) -> None:
    kind = type(value)
    if kind is Unknown:
        return
    if node.resolve is not None:
        node.complete()
    expected = node.type
    if value is None:
        if not node.null:
            found.append(_wrong_type(node, value, path))
        return
    if expected == "map":
        if kind is not dict:
            found.append(_wrong_type(node, value, path))
            return
        _map(node, value, path, found)
    elif expected == "list":
        if kind is not list:
            found.append(_wrong_type(node, value, path))
            return
        item_node = node.items
        if item_node is not None:
            for index, item in enumerate(value):
                if item_node.plain is not type(item):
                    _walk(item_node, item, (path, index), found)
                    if item is None:
                        _null_item(item_node, (path, index), found)
    elif expected != "any" and not _scalar(node, value, path, found):
        return
    for check in node.checks:
        check(value, path, found)


def _null_item(node: Node, path: Path, found: list[Mistake]) -> None:
    """What a null in a list lacks: decoding makes an empty object of it. One mistake stands for all."""
    if node.null and node.complete().type == "map":
        lacking: list[Mistake] = []
        _walk(node, {}, path, lacking)
        found += lacking[:1]


def _map(node: Node, value: dict[str, Any], path: Path, found: list[Mistake]) -> None:
    fields = node.fields
    if fields is None:
        child = node.values
        if child is not None:
            for key, item in value.items():
                if child.plain is not type(item):
                    _walk(child, item, (path, key), found)
        return
    for key, item in value.items():
        field = fields.get(key)
        if field is None:
            if node.values is not None:
                _walk(node.values, item, (path, key), found)
            elif not is_placeholder(key):
                one = mistake("unknown-field", (path, key), part="key")
                found.append(one._replace(owner=node.name))
        elif field.plain is not type(item) and (item is not None or not field.null):
            _walk(field, item, (path, key), found)
    for name in node.required:
        if not value.get(name):
            item = value.get(name)
            if (item is None or item == "" or item == []) and not any(map(is_placeholder, value)):
                found.append(mistake("missing-field", (path, name))._replace(owner=node.name))


def is_placeholder(key: str) -> bool:
    """Whether a key is filled in before it reaches a cluster."""
    return not key.isalnum() and is_unknown_text(key, "", ())


def _scalar(node: Node, value: Any, path: Path, found: list[Mistake]) -> bool:
    """Whether a value has the scalar type of a node, and is in its range."""
    kind = type(value)
    expected = node.type
    if expected == "string":
        right = kind is str
    elif expected == "boolean":
        right = kind is bool
    elif expected == "integer":
        right = kind is int or (kind is float and value.is_integer())
    elif expected == "number":
        right = kind is int or kind is float
    elif expected == "int-or-string":
        right = kind is str or kind is int or (kind is float and value.is_integer())
    elif expected == "bytes":
        # encoding/json takes a list of numbers too, a null in it for 0.
        right = kind is str or (kind is list and all(item is None or type(item) is int for item in value))
    else:
        right = kind is str or kind is int or kind is float
    if not right:
        found.append(_wrong_type(node, value, path))
        return False
    if kind is str or kind is list:
        return True
    if (node.low is not None and value < node.low) or (node.high is not None and value > node.high):
        found.append(out_of_range(node.low, node.high, value, path))
        return False
    return True


def out_of_range(low: int | None, high: int | None, value: Any, path: Path) -> Mistake:
    """The mistake of a number outside its bounds."""
    message = "range"
    if low is None:
        message = "maximum"
    elif high is None:
        message = "minimum"
    return mistake("value-out-of-range", path, message, "value", value=value, low=low, high=high)


def _wrong_type(node: Node, value: Any, path: Path) -> Mistake:
    return mistake("wrong-type", path, _wording(node, value), "value", value=shown(value))


def _wording(node: Node, value: Any) -> str:
    """The entry of wrong-type that says what is expected, and what is there."""
    expected = "string" if node.type == "bytes" else node.type
    if value is None:
        return "null"
    if expected == "map":
        if not isinstance(value, list):
            return "map"
        # A list of mappings of one key each: the map's entries were meant.
        return "map-entries" if value and all(isinstance(one, dict) and len(one) == 1 for one in value) else "map-list"
    if expected == "list":
        return "list-map" if isinstance(value, dict) else "list"
    if isinstance(value, (list, dict)):
        return f"{expected}-structure"
    if expected == "string":
        return "string-boolean" if isinstance(value, bool) else "string-number"
    if isinstance(value, str) and re.fullmatch(_QUOTED.get(expected, "(?!)"), value):
        return f"{expected}-quoted"
    return f"{expected}-string" if isinstance(value, str) else expected


# Strings that would be right without their quotes.
_QUOTED = {"integer": r"-?[0-9]+", "number": r"-?[0-9]+(?:\.[0-9]+)?", "boolean": "true|false|yes|no|on|off"}

_BOUNDS = {"int32": (-(2**31), 2**31 - 1), "int64": (-(2**63), 2**63 - 1)}
_TYPES: dict[str, Type] = {
    "string": "string",
    "integer": "integer",
    "number": "number",
    "boolean": "boolean",
    "array": "list",
    "object": "map",
    "int-or-string": "int-or-string",
    "quantity": "quantity",
}


def compile_schema(schema: Mapping[str, Any], refer: Callable[[str], Node], formats: Callable[[str], Check]) -> Node:
    """The node of a built-in kind's schema.

    `refer` gives the node of a definition, `formats` the check of a format. `required` is not read: the API server
    insists on other fields (see `constraints.py`).
    """
    if "$ref" in schema:
        return refer(schema["$ref"])
    node = Node(_TYPES.get(schema.get("type", ""), "any"))
    if node.type == "map":
        properties = schema.get("properties")
        if properties is not None:
            node.fields = {name: compile_schema(one, refer, formats) for name, one in properties.items()}
        additional = schema.get("additionalProperties")
        if additional is not None:
            node.values = compile_schema(additional, refer, formats)
    elif node.type == "list" and "items" in schema:
        node.items = compile_schema(schema["items"], refer, formats)
    elif node.type in ("integer", "int-or-string"):
        node.low, node.high = _BOUNDS["int64" if schema.get("format") == "int64" else "int32"]
        if node.type == "integer" and "format" not in schema:
            node.low, node.high = _BOUNDS["int64"]
    elif node.type == "quantity":
        node.checks = (formats("quantity"),)
    elif node.type == "string":
        if schema.get("format") in ("byte", "date-time"):
            node.type = "bytes" if schema["format"] == "byte" else "string"
            node.checks = (formats(schema["format"]),)
        if "enum" in schema:
            node.checks = (*node.checks, enum_check(schema["enum"]))
    return node.seal()


def enum_check(values: Sequence[Any], severity: Severity | None = None) -> Check:
    """The check that a value is one of a few."""
    # The empty string is as good as absent.
    allowed = frozenset((*values, ""))
    listed = ", ".join(str(one) for one in values if one != "")

    def check(value: Any, path: Path, found: list[Mistake]) -> None:
        if value in allowed:
            return
        near = next((one for one in values if str(one).lower() == str(value).lower()), None)
        found.append(
            mistake(
                "invalid-enum",
                path,
                "default" if near is None else "nearest",
                "value",
                value=value,
                allowed=listed,
                near=near,
            )._replace(severity=severity)
        )

    check.allowed = allowed  # type: ignore[attr-defined]
    return check

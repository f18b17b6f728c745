"""JSON Schema for what people write by hand: is it valid, and if not, where and what is wrong, in our own words.

Nearly every file is valid, so a small evaluator of the keywords that our schemas use answers first and needs no
import. Only when it cannot prove a file valid does `jsonschema` say what is wrong.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any, Literal, NamedTuple

from kubelint_ack.data import read_data
from kubelint_ack.files import printable
from kubelint_ack.records import Route, field_text
from kubelint_ack.values import nearest
from kubelint_ack.words import say

Schema = Mapping[str, Any]

Kind = Literal[
    "unknown-key",
    "wrong-key",
    "missing-key",
    "wrong-type",
    "not-allowed",
    "contradiction",
    "pattern",
    "too-short",
    "too-long",
    "out-of-range",
    "duplicate-item",
    "invalid",
]


class Mistake(NamedTuple):
    """One thing that a schema forbids."""

    route: Route
    """The value; for `unknown-key` and `wrong-key` the key; for `missing-key` the mapping that lacks it."""
    kind: Kind
    values: Mapping[str, Any]
    """What the wording needs. All kinds: `value`; `schema`, the name of the innermost schema; `hint`, what the field
    means, by language (or None). Some: `near`, the likely meaning (or None), of the `known` keys or `allowed` choices;
    `keys`, and `any`: whether one of them is enough; `expected` types; `because`, the key that it contradicts;
    `limit` of a length; `low` and `high` (or None); `pattern`."""


@cache
def load_schema(name: str) -> Schema:
    """One of our own schemas: `profile.schema.json`. Raises FileNotFoundError."""
    content: Schema = json.loads(read_data(f"schemas/{name}"))
    return content


# --- is it valid?

Verdict = bool | None
"""True: valid, False: not valid, None: cannot say."""


def conforms(data: Any, schema: Schema) -> bool:
    """Whether the data is surely valid; False if it is not, or if the schema has a keyword that is not known here.

    Data is what JSON has, in plain Python types; nothing else passes a `type`.
    """
    return _judge(data, schema, schema) is True


def _judge(data: Any, schema: Any, document: Schema) -> Verdict:
    if isinstance(schema, bool):
        return schema
    return _every(
        _KEYWORDS[keyword](data, schema, document) if keyword in _KEYWORDS else None
        for keyword in schema
        if keyword not in _SILENT
    )


def _every(verdicts: Iterable[Verdict]) -> Verdict:
    found: Verdict = True
    for verdict in verdicts:
        if verdict is False:
            return False
        if verdict is None:
            found = None
    return found


def _ref(data: Any, schema: Schema, document: Schema) -> Verdict:
    return _judge(data, *_resolve(schema["$ref"], document))


def _resolve(reference: str, document: Schema) -> tuple[Any, Schema]:
    """What a `$ref` points at, and the schema document that holds it."""
    name, _, pointer = reference.partition("#")
    found: Any = load_schema(name) if name else document
    document = found
    for step in pointer.split("/")[1:]:
        found = found[step.replace("~1", "/").replace("~0", "~")]
    return found, document


_TYPES: dict[str, Callable[[Any], bool]] = {
    "object": lambda data: isinstance(data, dict),
    "array": lambda data: isinstance(data, list),
    "string": lambda data: isinstance(data, str),
    "boolean": lambda data: isinstance(data, bool),
    "null": lambda data: data is None,
    "integer": lambda data: (
        (isinstance(data, int) and not isinstance(data, bool)) or (isinstance(data, float) and data.is_integer())
    ),
    "number": lambda data: isinstance(data, (int, float)) and not isinstance(data, bool),
}


def _type(data: Any, schema: Schema, document: Schema) -> Verdict:
    names = schema["type"]
    return any(_TYPES[name](data) for name in ([names] if isinstance(names, str) else names))


def _equal(data: Any, value: Any) -> Verdict:
    """JSON's equality, where `1` is `1.0` and not `true`; None where containers would have to be compared."""
    if isinstance(value, (dict, list)) and isinstance(data, type(value)):
        return None
    return bool(data == value) and isinstance(data, bool) == isinstance(value, bool)


def _enum(data: Any, schema: Schema, document: Schema) -> Verdict:
    return _some([_equal(data, value) for value in schema["enum"]])


def _some(verdicts: Sequence[Verdict]) -> Verdict:
    if True in verdicts:
        return True
    return None if None in verdicts else False


def matches(pattern: str, text: str) -> bool:
    """Whether a JSON Schema `pattern` is found in the text; `$` is the end only, as it is in ECMAScript."""
    return _compiled(pattern).search(text) is not None


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern.removesuffix("$") + r"\Z" if pattern.endswith("$") else pattern)


def _unique(items: Sequence[Any]) -> int | None:
    """The index of the first item that equals an earlier one; None if all differ. Takes time in proportion."""
    seen = set()
    for index, item in enumerate(items):
        number = isinstance(item, float) and item.is_integer()
        text = json.dumps(int(item) if number else item, sort_keys=True, default=str)
        if text in seen:
            return index
        seen.add(text)
    return None


def _unique_items(data: Any, schema: Schema, document: Schema) -> Verdict:
    if not schema["uniqueItems"] or not isinstance(data, list):
        return True
    # Numbers inside containers may be equal and yet be written differently.
    return None if any(isinstance(item, (dict, list)) for item in data) else _unique(data) is None


def _properties(data: Any, schema: Schema, document: Schema) -> Verdict:
    if not isinstance(data, dict):
        return True
    own = schema["properties"]
    return _every(_judge(value, own[key], document) for key, value in data.items() if key in own)


def _pattern_properties(data: Any, schema: Schema, document: Schema) -> Verdict:
    if not isinstance(data, dict):
        return True
    return _every(
        _judge(value, own, document)
        for pattern, own in schema["patternProperties"].items()
        for key, value in data.items()
        if matches(pattern, key)
    )


def _additional(data: Mapping[str, Any], schema: Schema) -> Iterator[str]:
    """The keys that neither `properties` nor `patternProperties` of the same schema name."""
    known, patterns = schema.get("properties", {}), schema.get("patternProperties", {})
    return (key for key in data if key not in known and not any(matches(pattern, key) for pattern in patterns))


def _additional_properties(data: Any, schema: Schema, document: Schema) -> Verdict:
    if not isinstance(data, dict):
        return True
    return _every(_judge(data[key], schema["additionalProperties"], document) for key in _additional(data, schema))


def _if(data: Any, schema: Schema, document: Schema) -> Verdict:
    condition = _judge(data, schema["if"], document)
    then, otherwise = schema.get("then", True), schema.get("else", True)
    if condition is not None:
        return _judge(data, then if condition else otherwise, document)
    return True if _every(_judge(data, branch, document) for branch in (then, otherwise)) else None


def _one_of(data: Any, schema: Schema, document: Schema) -> Verdict:
    verdicts = [_judge(data, branch, document) for branch in schema["oneOf"]]
    if verdicts.count(True) > 1:
        return False
    return None if None in verdicts else True in verdicts


def _of(kind: Any, check: Callable[[Any, Any], bool], keyword: str) -> Callable[[Any, Schema, Schema], Verdict]:
    """A keyword that looks at values of one Python type only."""
    return lambda data, schema, document: (
        not isinstance(data, kind) or isinstance(data, bool) or check(data, schema[keyword])
    )


_KEYWORDS: dict[str, Callable[[Any, Schema, Schema], Verdict]] = {
    "$ref": _ref,
    "type": _type,
    "enum": _enum,
    "const": lambda data, schema, document: _equal(data, schema["const"]),
    "properties": _properties,
    "patternProperties": _pattern_properties,
    "additionalProperties": _additional_properties,
    "propertyNames": lambda data, schema, document: (
        not isinstance(data, dict) or _every(_judge(key, schema["propertyNames"], document) for key in data)
    ),
    "required": _of(dict, lambda data, keys: all(key in data for key in keys), "required"),
    "dependentSchemas": lambda data, schema, document: (
        not isinstance(data, dict)
        or _every(_judge(data, own, document) for key, own in schema["dependentSchemas"].items() if key in data)
    ),
    "minProperties": _of(dict, lambda data, low: len(data) >= low, "minProperties"),
    "items": lambda data, schema, document: (
        not isinstance(data, list) or _every(_judge(item, schema["items"], document) for item in data)
    ),
    "uniqueItems": _unique_items,
    "minItems": _of(list, lambda data, low: len(data) >= low, "minItems"),
    "maxItems": _of(list, lambda data, high: len(data) <= high, "maxItems"),
    "pattern": _of(str, lambda data, pattern: matches(pattern, data), "pattern"),
    "minLength": _of(str, lambda data, low: len(data) >= low, "minLength"),
    "maxLength": _of(str, lambda data, high: len(data) <= high, "maxLength"),
    "minimum": _of((int, float), lambda data, low: data >= low, "minimum"),
    "maximum": _of((int, float), lambda data, high: data <= high, "maximum"),
    "if": _if,
    "allOf": lambda data, schema, document: _every(_judge(data, branch, document) for branch in schema["allOf"]),
    "anyOf": lambda data, schema, document: _some([_judge(data, branch, document) for branch in schema["anyOf"]]),
    "oneOf": _one_of,
}
_SILENT = frozenset(
    {"$schema", "$id", "$defs", "$comment", "title", "description", "x-description-zh", "default", "then", "else"}
)
"""Keywords that say nothing about validity by themselves."""


# --- what is wrong?


def mistakes(data: Any, schema: Schema) -> Iterator[Mistake]:
    """What is wrong with the data, one mistake for each place; nothing if it is valid.

    Lazy: a caller that wants only the first few pays for no more.
    """
    if conforms(data, schema):
        return
    seen = set()
    for error in _validator(schema).iter_errors(data):
        for mistake in _of_error(error, schema):
            if mistake.route not in seen:
                seen.add(mistake.route)
                yield mistake


def _validator(schema: Schema) -> Any:
    """A `jsonschema` validator that finds our schemas where they are, fetches nothing and stays linear."""
    import jsonschema.validators
    from jsonschema import Draft202012Validator, ValidationError
    from referencing import Registry, Resource

    def unique_items(validator: Any, unique: bool, instance: Any, schema: Any) -> Iterator[Any]:
        index = _unique(instance) if unique and isinstance(instance, list) else None
        if index is not None:
            yield ValidationError("an item twice", path=(index,), instance=instance[index])

    def pattern(validator: Any, pattern: str, instance: Any, schema: Any) -> Iterator[Any]:
        if isinstance(instance, str) and not matches(pattern, instance):
            yield ValidationError("no match")

    def retrieve(uri: str) -> Any:
        return Resource.from_contents(load_schema(uri.rsplit("/", 1)[-1]))

    extend: Callable[..., Any] = jsonschema.validators.extend
    made = extend(Draft202012Validator, {"uniqueItems": unique_items, "pattern": pattern})
    registry: Any = Registry(retrieve=retrieve)  # type: ignore[call-arg]  # attrs hides the argument
    return made(schema, registry=registry)


_DIRECT: dict[str, Kind] = {
    "type": "wrong-type",
    "enum": "not-allowed",
    "const": "not-allowed",
    "pattern": "pattern",
    "minLength": "too-short",
    "minItems": "too-short",
    "minProperties": "too-short",
    "maxLength": "too-long",
    "maxItems": "too-long",
    "minimum": "out-of-range",
    "maximum": "out-of-range",
    "uniqueItems": "duplicate-item",
}
"""Keywords whose mistake is the value itself."""


def _of_error(error: Any, schema: Schema) -> Iterator[Mistake]:
    """An error of `jsonschema` as mistakes."""
    route: Route = tuple(error.absolute_path)
    keyword, value, wanted = error.validator, error.instance, error.validator_value
    steps = list(error.absolute_schema_path)
    hint, name = _described(schema, steps)
    common = {"hint": hint, "schema": name, "value": value}
    if keyword in ("anyOf", "oneOf") and error.context:
        yield from _of_branches(error, schema)
    elif keyword == "additionalProperties":
        known = list(error.schema.get("properties", {}))
        for key in _additional(value, error.schema):
            own = {"value": value[key], "near": similar(key, known), "known": known}
            yield Mistake((*route, key), "unknown-key", {**common, **own})
    elif keyword == "required":
        keys = [key for key in wanted if key not in value]
        yield Mistake(route, "missing-key", {**common, "keys": keys, "any": False})
    elif "propertyNames" in steps:
        allowed = wanted if keyword == "enum" else []
        yield Mistake(
            (*route, value), "wrong-key", {**common, "allowed": allowed, "near": similar(value, map(str, allowed))}
        )
    elif "dependentSchemas" in steps and keyword == "const":
        because = steps[steps.index("dependentSchemas") + 1]
        yield Mistake(route, "contradiction", {**common, "because": because, "allowed": [wanted]})
    elif keyword in ("enum", "const"):
        allowed = list(wanted) if keyword == "enum" else [wanted]
        near = similar(value, [choice for choice in allowed if isinstance(choice, str)])
        yield Mistake(route, "not-allowed", {**common, "allowed": allowed, "near": near})
    elif keyword in _DIRECT:
        details = {
            "expected": [wanted] if isinstance(wanted, str) else wanted,
            "pattern": wanted,
            "limit": wanted,
            "low": error.schema.get("minimum"),
            "high": error.schema.get("maximum"),
        }
        yield Mistake(route, _DIRECT[keyword], {**common, **details})
    else:
        yield Mistake(route, "invalid", common)


def _of_branches(error: Any, schema: Schema) -> Iterator[Mistake]:
    """The mistakes of the alternative that the writer most likely meant."""
    branches: dict[Any, list[Any]] = {}
    for inner in error.context:
        # The path begins with the number of the alternative; where that is `false` there is no path.
        branches.setdefault(next(iter(inner.relative_schema_path), None), []).append(inner)

    def unlikely(errors: list[Any]) -> tuple[bool, bool, int]:
        shallow = [one.validator for one in errors if not one.relative_path]
        return ("const" in shallow or "enum" in shallow, "type" in shallow, len(errors))

    if all(one.validator == "required" for errors in branches.values() for one in errors):
        keys = [key for errors in branches.values() for one in errors for key in one.validator_value]
        hint, name = _described(schema, error.absolute_schema_path)
        values = {"hint": hint, "schema": name, "value": error.instance, "keys": keys, "any": True}
        yield Mistake(tuple(error.absolute_path), "missing-key", values)
        return
    for one in min(branches.values(), key=unlikely):
        yield from _of_error(one, schema)


def _described(schema: Schema, steps: Iterable[Any]) -> tuple[dict[str, str] | None, str]:
    """The innermost description on the way to a keyword, by language, and the name of the schema it is in."""
    node: Any = schema
    document = schema
    hint = None
    for step in steps:
        while isinstance(node, dict):
            if isinstance(node.get("description"), str):
                hint = {"en": node["description"], "zh": node.get("x-description-zh", node["description"])}
            # `jsonschema` leaves references out of the path.
            if step in node or "$ref" not in node:
                break
            node, document = _resolve(node["$ref"], document)
        node = node[step]
    return hint, str(document.get("$id", "")).rsplit("/", 1)[-1].removesuffix(".schema.json")


def similar(word: Any, candidates: Iterable[str]) -> str | None:
    """The candidate that a misspelt word most likely stands for; case, `-` and `_` hardly count."""
    if not isinstance(word, str):
        return None
    plain = {_plain(candidate): candidate for candidate in candidates}
    # One wrong letter of three is a third of the word.
    found = nearest(_plain(word), plain, 0.6 if len(word) <= 4 else 0.75)
    return plain[found] if found is not None else None


def _plain(word: str) -> str:
    return word.lower().replace("-", "").replace("_", "")


# --- in words

LONGEST = 60
"""Characters of a value or key that a message shows."""


def explain(mistake: Mistake, language: str) -> str:
    """The mistake in one sentence that begins with the field and says what to do.

    `values["written"]`, where a caller adds it, is how the value stands in the file.
    """
    values = mistake.values
    value = values.get("value")
    written = shown(values.get("written", value))
    say_it = _Say(language, mistake.route, written=written, hint=_hint(values, language))
    kind = mistake.kind
    if kind in ("unknown-key", "wrong-key"):
        return _explain_key(mistake, say_it, language)
    if kind == "missing-key":
        return say_it(kind, keys=_choices(values["keys"], language, "list.or" if values["any"] else "list.comma"))
    if kind in ("not-allowed", "contradiction"):
        return _explain_choice(mistake, say_it, language)
    if kind == "wrong-type":
        return _explain_type(values, say_it, language)
    if kind == "out-of-range":
        low, high = values["low"], values["high"]
        between = "between" if low is not None and high is not None else ("low" if high is None else "high")
        return say_it(f"out-of-range.{between}", low=low, high=high)
    if kind in ("too-short", "too-long"):
        return say_it(kind, count=values["limit"])
    if kind == "pattern" and not values["hint"]:
        return say_it("pattern.plain", pattern=values["pattern"])
    return say_it(kind)


class _Say:
    """Words of the catalogue under `config.`, with the values that most of them use."""

    def __init__(self, language: str, route: Route, **common: object) -> None:
        self.language = language
        self.common = {"field": shown(field_text(route), 200), "word": shown(route[-1]) if route else "", **common}
        self.parent = shown(field_text(route[:-1]), 200)

    def __call__(self, key: str, **values: object) -> str:
        return say(self.language, f"config.{key}", **{**self.common, **values})


def _explain_key(mistake: Mistake, say_it: _Say, language: str) -> str:
    values = mistake.values
    where = say_it("in", parent=say_it.parent) if say_it.parent else ""
    if values["near"]:
        return say_it(f"{mistake.kind}.near", where=where, near=values["near"])
    known = values["known"] if mistake.kind == "unknown-key" else values["allowed"]
    if known and len(known) <= 12:
        return say_it(f"{mistake.kind}.known", where=where, known=_choices(known, language))
    return say_it(mistake.kind, where=where, schema=values["schema"])


def _explain_choice(mistake: Mistake, say_it: _Say, language: str) -> str:
    values = mistake.values
    allowed = _choices(values["allowed"], language)
    if mistake.kind == "contradiction":
        return say_it("contradiction", allowed=allowed, because=values["because"])
    if values["near"]:
        return say_it("not-allowed.near", near=values["near"], allowed=allowed)
    return say_it("not-allowed", allowed=allowed)


def _explain_type(values: Mapping[str, Any], say_it: _Say, language: str) -> str:
    expected, value = values["expected"], values["value"]
    found = say(language, f"config.type.{_type_name(value)}")
    wanted = say(language, "list.or").join(say(language, f"config.type.{name}") for name in expected)
    if value is None:
        return say_it("wrong-type.empty", expected=wanted)
    if "string" in expected and set(expected) <= {"string", "array"} and not isinstance(value, (dict, list)):
        return say_it("wrong-type.quote", found=found)
    if "array" in expected and not isinstance(value, dict):
        return say_it("wrong-type.list", found=found)
    return say_it("wrong-type", expected=wanted, found=found)


def _type_name(value: Any) -> str:
    names = ("object", "array", "string", "boolean", "null", "integer", "number")
    return next((name for name in names if _TYPES[name](value)), "other")


def _hint(values: Mapping[str, Any], language: str) -> str:
    hint = values.get("hint")
    return hint[language] if hint else ""


def _choices(words: Sequence[Any], language: str, last: str = "list.or") -> str:
    """`'a', 'b' or 'c'`."""
    quoted = [say(language, "config.quoted", text=shown(word)) for word in words]
    listed = say(language, "list.comma").join(quoted[:-1])
    return say(language, last).join([listed, quoted[-1]]) if listed else quoted[0]


def shown(value: Any, longest: int = LONGEST) -> str:
    """A value for a message: on one line, not too long, and harmless to a terminal."""
    is_json = value is None or isinstance(value, (dict, list, bool, int, float))
    text = json.dumps(value, ensure_ascii=False, default=str) if is_json else str(value)
    text = printable(text[: longest + 1])
    return text if len(text) <= longest else text[: longest - 1] + "…"


# --- schemas of others


def foreign_mistakes(data: Any, schema: Schema) -> list[tuple[Route, str]] | None:
    """What a user's own JSON Schema forbids, in the words of `jsonschema`; None if the schema cannot be used.

    Nothing is fetched: a schema that refers to another file or address is such a one.
    """
    from jsonschema.exceptions import SchemaError
    from jsonschema.validators import validator_for
    from referencing import Registry
    from referencing.exceptions import Unresolvable

    found: dict[Route, str] = {}
    try:
        made: Any = validator_for(schema)
        made.check_schema(schema)
        for error in made(schema, registry=Registry()).iter_errors(data):
            found.setdefault(tuple(error.absolute_path), error.message)
    except (SchemaError, Unresolvable, re.error, RecursionError):
        return None
    return list(found.items())

"""CEL rules of CustomResourceDefinitions (`x-kubernetes-validations`), with the extra `[cel]`: Google's cel-cpp.

Values have no static types here, and some functions of the API server are missing. What does not compile or ends in an
error for that is not judged: a rule fails only where it is evaluated to false.
https://kubernetes.io/docs/reference/using-api/cel/
"""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from itertools import pairwise
from typing import Any, NamedTuple

from kubelint_ack import values
from kubelint_ack.crd_schema import VALIDATIONS
from kubelint_ack.custom_schema import holds_unknown
from kubelint_ack.records import Route

LIBRARY = "cel_expr_python"

# Words of the language: a field of such a name is written with underscores around it.
_RESERVED = frozenset(
    {
        "as", "break", "const", "continue", "else", "false", "for", "function", "if", "import", "in", "let", "loop",
        "namespace", "null", "package", "return", "true", "var", "void", "while",
    }
)  # fmt: skip
_OLD_SELF = re.compile(r"\boldSelf\b")
_FIELD_PATH = re.compile(r"\.([A-Za-z_][\w-]*)|\['([^']*)'\]")


class Failed(NamedTuple):
    """A rule that a value does not meet."""

    route: Route
    rule: str
    message: str


class Evaluation(NamedTuple):
    """What became of the rules that apply to an object."""

    failed: tuple[Failed, ...] = ()
    is_complete: bool = True
    """False if a rule could not be evaluated."""


def has_rules(schema: Any) -> bool:
    """Whether a schema, or one in it, has rules."""
    if isinstance(schema, dict):
        return bool(schema.get(VALIDATIONS)) or any(has_rules(one) for one in schema.values())
    return isinstance(schema, list) and any(map(has_rules, schema))


def evaluate(data: Any, schema: Mapping[str, Any]) -> Evaluation:
    """Evaluate the rules of a schema on an object, whose defaults are filled in; without the library none can be.

    Rules about a change (`oldSelf`) do not apply when an object is made.
    """
    failed: list[Failed] = []
    complete = True
    available = is_available()
    for route, value, one, rule in _applying(data, schema, ()):
        text = rule.get("rule")
        if not isinstance(text, str) or not text.strip() or _OLD_SELF.search(text) or rule.get("optionalOldSelf"):
            continue
        verdict = _verdict(text, _named(value, one)) if available and not holds_unknown(value) else None
        if verdict is None:
            complete = False
        elif not verdict:
            failed.append(Failed((*route, *_path(rule.get("fieldPath"))), text.strip(), _message(rule)))
    return Evaluation(tuple(failed), complete)


def _applying(
    value: Any, schema: Mapping[str, Any], route: Route
) -> Iterator[tuple[Route, Any, Mapping[str, Any], Mapping[str, Any]]]:
    """(route, value, schema, rule) of each rule that an object meets."""
    if value is None:
        return
    rules = schema.get(VALIDATIONS)
    for rule in rules if isinstance(rules, list) else ():
        if isinstance(rule, dict):
            yield route, value, schema, rule
    if isinstance(value, dict):
        properties, additional = schema.get("properties") or {}, schema.get("additionalProperties")
        for key, item in value.items():
            one = properties.get(key, additional) if isinstance(properties, dict) else additional
            if isinstance(one, dict):
                yield from _applying(item, one, (*route, key))
    elif isinstance(value, list) and isinstance(schema.get("items"), dict):
        for index, item in enumerate(value):
            yield from _applying(item, schema["items"], (*route, index))


def _named(value: Any, schema: Any) -> Any:
    """A value with its fields named as expressions name them; keys of maps stay."""
    schema = schema if isinstance(schema, dict) else {}
    if isinstance(value, dict):
        properties = schema.get("properties")
        properties = properties if isinstance(properties, dict) else {}
        additional = schema.get("additionalProperties")
        return {
            _escaped(key) if key in properties else key: _named(item, properties.get(key, additional))
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [_named(item, schema.get("items")) for item in value]
    return value


def _escaped(name: str) -> str:
    if name in _RESERVED:
        return f"__{name}__"
    name = name.replace("__", "__underscores__")
    return name.replace(".", "__dot__").replace("-", "__dash__").replace("/", "__slash__")


def _path(written: Any) -> Route:
    """The route that a rule's `fieldPath` names."""
    return tuple(one or other for one, other in _FIELD_PATH.findall(written)) if isinstance(written, str) else ()


def _message(rule: Mapping[str, Any]) -> str:
    message = rule.get("message")
    return message.strip().rstrip(".") if isinstance(message, str) else ""


@cache
def is_available() -> bool:
    """Whether the library is installed."""
    return importlib.util.find_spec(LIBRARY) is not None


def _verdict(text: str, value: Any) -> bool | None:
    """What a rule says of a value; None: it cannot be evaluated."""
    program = _program(text)
    if program is None:
        return None
    try:
        result = program(value)
    except Exception:  # the library raises what it likes; an error is no verdict
        return None
    return result if isinstance(result, bool) else None


@cache
def _program(text: str) -> Callable[[Any], Any] | None:
    """A compiled rule; None if it cannot be compiled here."""
    environment = _environment()
    try:
        expression = environment.compile(text)
    except Exception:  # as above
        return None
    return lambda value: expression.eval(data={"self": value}).value()


def syntax_error(text: str) -> str:
    """Why an expression is no CEL, whatever functions there are; empty if it may be."""
    try:
        _environment().compile(text)
    except Exception as error:  # as above
        match = re.search(r"<input>:\d+:\d+: (Syntax error: [^\n]*)", str(error))
        return match[1] if match else ""
    return ""


@cache
def _environment() -> Any:
    from cel_expr_python import cel
    from cel_expr_python.ext import ext_bindings, ext_encoders, ext_math, ext_optional, ext_strings

    kind = cel.Type
    functions = [
        cel.FunctionDecl(
            name,
            [
                cel.Overload(
                    f"{name}_{len(parameters)}",
                    return_type=getattr(kind, result),
                    parameters=[getattr(kind, one) for one in parameters],
                    is_member=is_member,
                    impl=function,
                )
            ],
        )
        for name, is_member, parameters, result, function in _FUNCTIONS
    ]
    extensions = [
        ext_strings.ExtStrings(),
        ext_optional.ExtOptional(),
        ext_math.ExtMath(),
        ext_encoders.ExtEncoders(),
        ext_bindings.ExtBindings(),
    ]
    return cel.NewEnv(variables={"self": kind.DYN}, extensions=extensions, functions=functions)


# --- functions of the API server that the library lacks: apiserver, pkg/cel/library


def _is_sorted(items: Sequence[Any]) -> bool:
    return all(one <= other for one, other in pairwise(items))


def _is_quantity(text: str) -> bool:
    return values.milli(text) is not None


_FUNCTIONS: tuple[tuple[str, bool, tuple[str, ...], str, Callable[..., Any]], ...] = (
    ("isSorted", True, ("LIST",), "BOOL", _is_sorted),
    ("sum", True, ("LIST",), "DYN", sum),
    ("min", True, ("LIST",), "DYN", min),
    ("max", True, ("LIST",), "DYN", max),
    ("isQuantity", False, ("STRING",), "BOOL", _is_quantity),
    ("isIP", False, ("STRING",), "BOOL", lambda text: values.address(text) is not None),
    ("isCIDR", False, ("STRING",), "BOOL", lambda text: values.cidr(text) is not None),
    ("isURL", False, ("STRING",), "BOOL", lambda text: re.match("[A-Za-z][A-Za-z0-9+.-]*:|/", text) is not None),
    ("sets.contains", False, ("LIST", "LIST"), "BOOL", lambda one, other: all(item in one for item in other)),
    ("sets.intersects", False, ("LIST", "LIST"), "BOOL", lambda one, other: any(item in one for item in other)),
)

"""What the API server insists on beyond types, as tables: `schemas/kubernetes/constraints/`.

`schemas/kubernetes/constraints.schema.json` describes the tables. They are read when the first object of a built-in
kind is met, and become checks of the nodes of `schema.py`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any

from kubelint_ack import names, values
from kubelint_ack.data import data_files, read_data
from kubelint_ack.records import Severity, Unknown
from kubelint_ack.schema import (
    Check,
    Mistake,
    Node,
    Path,
    enum_check,
    is_placeholder,
    label,
    mistake,
    out_of_range,
    route_of,
)

Table = Mapping[str, Any]

# Accepted although the documented grammar refuses it: a lone sign, point or suffix is 0.
# apimachinery/pkg/api/resource/quantity.go (parseQuantityString)
_BARE_QUANTITY = re.compile(r"[+-]?\.?(?:[numkMGTPE]|[KMGTPE]i|[eE][+-]?[0-9]+)?")

# https://github.com/golang/go/blob/master/src/time/format_rfc3339.go, as apimachinery/pkg/apis/meta/v1/time.go uses it
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d{1,2}:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:\d\d)")


def _quantity(value: object) -> str:
    if not isinstance(value, str):
        return ""
    text = value.strip()
    if values.milli(text) is not None or (text and _BARE_QUANTITY.fullmatch(text)) or len(text) > 1000:
        return ""
    if not text:
        return "empty"
    upper = re.fullmatch(r"([+-]?[0-9.]+)\s*([A-Za-z]+)", text)
    return "suffix" if upper else "syntax"


def _date_time(value: object) -> str:
    return "" if isinstance(value, str) and _TIME.fullmatch(value) else "syntax"


def _ip(value: object) -> str:
    return "" if values.address(value) is not None else "syntax"


def _cidr(value: object) -> str:
    return "" if values.cidr(value) is not None else "syntax"


def _percent(value: object) -> str:
    return "" if isinstance(value, str) and re.fullmatch("[0-9]+%", value) else "syntax"


FORMATS: Mapping[str, Callable[[object], str]] = {
    "byte": values.base64_problem,
    "date-time": _date_time,
    "quantity": _quantity,
    "ip": _ip,
    "cidr": _cidr,
    "percent": _percent,
    "dns-1123-label": names.dns1123_label,
    "dns-1123-subdomain": names.dns1123_subdomain,
    "dns-1035-label": names.dns1035_label,
    "qualified-name": names.qualified_name,
    "annotation-key": names.annotation_key,
    "label-value": names.label_value,
    "port-name": names.port_name,
    "env-name": names.env_name,
    "strict-env-name": names.strict_env_name,
    "config-key": names.config_key,
    "fully-qualified-name": names.fully_qualified_name,
    "domain-prefixed-path": names.domain_prefixed_path,
    "path-segment": names.path_segment,
    "http-header-name": names.http_header_name,
    "sysctl-name": names.sysctl_name,
    "csi-driver-name": names.csi_driver_name,
    "iscsi-name": names.iscsi_name,
    "path-without-backsteps": names.path_without_backsteps,
    "absolute-path": names.absolute_path,
    "descending-path": names.descending_path,
    "file-path": names.file_path,
}
"""Each gives '' for what the API server accepts, else a reason; the rule invalid-format has an entry for each."""

_DECODED = ("quantity", "date-time")
"""Formats that decoding needs, whatever the field."""


@cache
def format_check(name: str, severity: Severity | None = None) -> Check:
    """The check that a string has a format."""
    problem = FORMATS[name]

    def check(value: Any, path: Path, found: list[Mistake]) -> None:
        # Where it is no grammar of the value itself, Go takes the empty string for an absent one.
        if not isinstance(value, str) or not (value or name in _DECODED):
            return
        if problem(value) and not values.is_to_fill_in(value):
            found.append(mistake("invalid-format", path, name, "value", value=value)._replace(severity=severity))

    return check


@cache
def tables() -> Mapping[str, Sequence[Table]]:
    """The tables by the definition that they speak of."""
    found: dict[str, list[Table]] = {}
    for path in data_files("schemas/kubernetes/constraints"):
        for name, table in json.loads(read_data(path))["definitions"].items():
            found.setdefault(name, []).append(table)
    return found


def constrain(node: Node, name: str, minor: int | None) -> None:
    """Add to the node of a definition what the tables say of it. `minor` is None where the version is not declared."""
    for table in tables().get(name, ()):
        for field, rule in table.get("fields", {}).items():
            if node.fields is None or field not in node.fields or not _holds(rule, minor):
                continue
            if rule.get("required"):
                node.required = (*node.required, field)
            checks = list(_checks(rule, minor))
            if checks or "items" in rule or "values" in rule:
                node.fields[field] = _constrained(node.fields[field], rule, minor)
        node.checks = (*node.checks, *(_group(one) for one in table.get("groups", ()) if _holds(one, minor)))
    node.seal()


def _holds(rule: Table, minor: int | None) -> bool:
    """Whether a rule holds in a minor version; one that came or went does not where the version is unknown."""
    if "from" not in rule and "until" not in rule:
        return True
    return minor is not None and _minor(rule.get("from", "1.0")) <= minor <= _minor(rule.get("until", "1.999"))


def _minor(text: str) -> int:
    return int(text.partition(".")[2])


def _constrained(node: Node, rule: Table, minor: int | None) -> Node:
    """A copy of a node with the checks of a rule."""
    made = node.copy()
    if "enum" in rule:
        # The table knows better than the schema, which has the values since Kubernetes 1.24 only.
        made.checks = tuple(one for one in made.checks if not hasattr(one, "allowed"))
    made.checks = (*made.checks, *_checks(rule, minor))
    if "items" in rule and made.items is not None:
        made.items = _constrained(made.items, rule["items"], minor)
        if not {"required", "enum", "format"}.isdisjoint(rule["items"]):
            made.checks = (*made.checks, _no_blanks(rule["items"].get("severity")))
    if "values" in rule and made.values is not None:
        made.values = _constrained(made.values, rule["values"], minor)
    return made.seal()


def _checks(rule: Table, minor: int | None) -> Iterator[Check]:
    severity = rule.get("severity")
    if "enum" in rule:
        since = rule.get("since", {})
        yield enum_check(
            [one for one in rule["enum"] if minor is None or _minor(since.get(one, "1.0")) <= minor], severity
        )
    if "range" in rule:
        yield _range(rule["range"][0], rule["range"][1], severity)
    if "format" in rule:
        yield format_check(rule["format"], severity)
    if "unique" in rule:
        yield _unique(tuple(rule["unique"]), severity)
    if "max_items" in rule:
        yield _limit("items", rule["max_items"], list, severity)
    if "max_length" in rule:
        yield _limit("length", rule["max_length"], str, severity)
    if "keys" in rule:
        yield _keys(list(_checks(rule["keys"], minor)))


def _range(low: int | None, high: int | None, severity: Severity | None) -> Check:
    def check(value: Any, path: Path, found: list[Mistake]) -> None:
        if isinstance(value, (int, float)) and (
            (low is not None and value < low) or (high is not None and value > high)
        ):
            found.append(out_of_range(low, high, value, path)._replace(severity=severity))

    return check


def _limit(message: str, limit: int, kind: type, severity: Severity | None) -> Check:
    def check(value: Any, path: Path, found: list[Mistake]) -> None:
        if isinstance(value, kind) and len(value) > limit:  # type: ignore[arg-type]
            one = mistake("value-out-of-range", path, message, value=len(value), high=limit)  # type: ignore[arg-type]
            found.append(one._replace(severity=severity))

    return check


def _unique(keys: tuple[str, ...], severity: Severity | None) -> Check:
    """That no two items of a list have equal values of these keys; scalars are compared themselves."""

    def check(value: Any, path: Path, found: list[Mistake]) -> None:
        seen: dict[Any, int] = {}
        for index, item in enumerate(value):
            one = tuple(item.get(key) for key in keys) if isinstance(item, dict) else (item,)
            if any(part is None or isinstance(part, (Unknown, dict, list)) for part in one):
                continue
            first = seen.setdefault(one, index)
            if first != index:
                at: Path = ((path, index), keys[0]) if isinstance(item, dict) and len(keys) == 1 else (path, index)
                text = ", ".join(str(part) for part in one)
                twice = mistake(
                    "duplicate-item",
                    at,
                    list=label(route_of(path)),
                    number=index + 1,
                    first=first + 1,
                    keys=", ".join(keys),
                    value=text,
                )
                found.append(twice._replace(severity=severity))

    return check


def _no_blanks(severity: Severity | None) -> Check:
    """That no item of a list is null or empty: unlike a field, an item cannot be absent."""

    def check(value: Any, path: Path, found: list[Mistake]) -> None:
        for index, item in enumerate(value):
            if item is None or item == "":
                found.append(mistake("missing-field", (path, index), "item")._replace(severity=severity))

    return check


def _keys(checks: list[Check]) -> Check:
    def check(value: Any, path: Path, found: list[Mistake]) -> None:
        for key in value:
            if not is_placeholder(key):
                for one in checks:
                    before = len(found)
                    one(key, (path, key), found)
                    found[before:] = [each._replace(part="key") for each in found[before:]]

    return check


def _group(group: Table) -> Check:
    """Of a map: how many of some fields may be there."""
    fields: Sequence[str] = group["fields"]
    exact = group.get("exactly")
    most = group.get("at_most", exact)
    listed = ", ".join(fields)
    severity: Severity | None = group.get("severity")

    def check(value: Any, path: Path, found: list[Mistake]) -> None:
        there = [field for field in fields if value.get(field) is not None]
        if len(there) > most:
            at: Path = (path, there[most])
            one = mistake("exclusive-fields", at, fields=listed, found=", ".join(there), most=most)
            found.append(one._replace(severity=severity))
        elif exact is not None and len(there) < exact and not any(map(is_placeholder, value)):
            one = mistake("missing-field", path, "one-of", fields=listed, count=exact)
            found.append(one._replace(severity=severity))

    return check
